// Arguments that DWARF has no place for, though the words that the caller left room for still hold
// them: the runtime's own tables say so (FUNCDATA_ArgInfo, FUNCDATA_ArgLiveInfo;
// runtime/traceback.go).
#ifndef CORESNAP_ANALYZER_VALUES_LIVE_ARGUMENTS_H
#define CORESNAP_ANALYZER_VALUES_LIVE_ARGUMENTS_H

#include "analyzer/values/variable_plan.h"

/**
 * Gives the arguments of `place`'s function among the variables of `plan` that no goroutine could
 * show those words that are live. Where the list of words and DWARF's list of arguments do not
 * belong together, nothing is given.
 */
void live_arguments_add(
	struct variable_plans *plans, const struct code_place *place, struct variable_plan *plan);

#endif
