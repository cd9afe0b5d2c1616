// What closures captured, by DWARF: since go1.23 the variables of a closure's function say where in
// its object they lie (DW_AT_go_closure_offset).
#ifndef CORESNAP_ANALYZER_VALUES_CLOSURES_H
#define CORESNAP_ANALYZER_VALUES_CLOSURES_H

#include "analyzer/values/value.h"
#include "analyzer/values/variable_plan.h"

struct closures {
	struct variable_plans *plans; // borrowed
	struct u64map by_entry;       // a function's entry to its struct closure_layout
};

/** An empty cache over `plans`, given to `reader` as its closure_layout. `ret` must stay put. */
void closures_init(struct closures *ret, struct variable_plans *plans, struct value_reader *reader);

#endif
