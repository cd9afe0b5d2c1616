// Variables that their location lists have lost: under which name of the flow of values they live
// on at a call.
#ifndef CORESNAP_ANALYZER_VALUES_FLOW_TRACK_H
#define CORESNAP_ANALYZER_VALUES_FLOW_TRACK_H

#include "analyzer/values/flow_function.h"

/** Where a part of a variable lies while pc is in [low, high). */
struct flow_row {
	target_addr low, high;
	int64_t place; // a register's number, or an offset from the CFA
	bool is_register;
};

/** A part of a variable: a scalar. */
struct flow_part {
	const struct flow_row *rows;
	uint32_t row_count, size;
	bool is_parameter; // of the function itself, not of one inlined into it
	bool is_constant;  // nothing but its declaration, or the caller, assigns it
	bool is_alone;     // no other variable that is visible at the call was said to lie there
};

/**
 * What a lost part holds at a site of the function. SYMBOL_NONE: nobody can know, or another value
 * may have been assigned since.
 */
symbol flow_function_track(
	struct flow_function *function, const struct flow_site *site, const struct flow_part *part);

/** Whether the code behind a site that is a call may read the word at `offset` from the CFA. */
bool flow_function_reads(
	const struct flow_function *function, const struct flow_site *site, int64_t offset);

#endif
