// The wait-for graph: from each waiter to those who are known, or likely, to have to act first.
#ifndef CORESNAP_ANALYZER_BLOCKING_GRAPH_H
#define CORESNAP_ANALYZER_BLOCKING_GRAPH_H

#include "analyzer/blocking/owners.h"

/**
 * Adds the edges of locks (likely) and coroutines (proved), in the order of waiters. CS_NO_MEMORY
 * is the only failure.
 */
CS_MUST_USE enum cs_status graph_build(const struct blocking_input *input,
	const struct lock_claims *claims, struct blocking *blocking);

#endif
