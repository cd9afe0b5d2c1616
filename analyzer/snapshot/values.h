// What an analysis needs to read values: types, liveness, and the variables' plans. Prepared where
// values are wanted at all; without DWARF there are no variables, but all the rest.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_VALUES_H
#define CORESNAP_ANALYZER_SNAPSHOT_VALUES_H

#include "analyzer/binary/dwarf_globals.h"
#include "analyzer/values/closures.h"
#include "analyzer/values/variables.h"

struct analysis;

struct analysis_values {
	struct liveness *liveness;
	struct value_reader reader;
	bool has_variables; // the members below are there
	struct variable_plans plans;
	struct closures closures;
	struct variable_reader variables;
	struct dwarf_globals globals; // those that options.globals asks for
	uint64_t *wanted;             // a bit for each goroutine
	uint64_t wanted_count;
	struct walk *walk; // scratch
};

/**
 * Prepares analysis->values by options.variables, and decides which goroutines' values are shown:
 * at most max_goroutines, the blamed first; above that, the first ten of each stack.
 */
CS_MUST_USE enum cs_status analysis_values_prepare(struct analysis *analysis);

/**
 * The variables of goroutine `index`, whose stack is `walk` (analysis_walk), in `scratch`; none
 * where it is not wanted. Returns their number.
 */
size_t analysis_variables(const struct analysis *analysis, size_t index, const struct walk *walk,
	struct arena *scratch, struct variable **ret);

/** The value of package variable `index` of values->globals, in `scratch`. */
struct value *analysis_global(const struct analysis *analysis, size_t index, struct arena *scratch);

/** Variables of frame row `frame` that no goroutine there can show, from *at on; NULL: no more. */
const struct planned_variable *analysis_unavailable(
	const struct analysis *analysis, uint32_t frame, uint32_t *at);

#endif
