// Finds the parts of variables that DWARF has lost at a pc, under their names in the flow of
// values.
#ifndef CORESNAP_ANALYZER_VALUES_VARIABLE_TRACK_H
#define CORESNAP_ANALYZER_VALUES_VARIABLE_TRACK_H

#include "analyzer/values/flow.h"
#include "analyzer/values/variable_plan.h"

/**
 * Gives the lost parts of variable `index` of physical frame `frame` of the walk symbols that
 * flow_symbol can be asked for; the others keep what they have. Returns whether it gave any.
 */
bool variable_track(struct variable_plans *plans, struct flow *flow, const struct walk *walk,
	uint32_t frame, uint32_t index);

/**
 * Makes a result that nothing is assigned to yet what it was made as, zero, where the standard
 * library's sources say so of the function and of the one that it has called.
 */
void variable_begin(
	struct variable_plans *plans, const struct walk *walk, uint32_t frame, uint32_t index);

#endif
