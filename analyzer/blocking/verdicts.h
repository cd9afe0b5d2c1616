// All of this layer in order: waits, owners, leaks, edges, cycles.
#ifndef CORESNAP_ANALYZER_BLOCKING_VERDICTS_H
#define CORESNAP_ANALYZER_BLOCKING_VERDICTS_H

#include "analyzer/blocking/blocking.h"

/** Fills `blocking`, which blocking_init has made empty. CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status blocking_find(
	const struct blocking_input *input, struct blocking *blocking);

#endif
