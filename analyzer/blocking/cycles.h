// Deadlock cycles: goroutines that wait for each other in a ring.
#ifndef CORESNAP_ANALYZER_BLOCKING_CYCLES_H
#define CORESNAP_ANALYZER_BLOCKING_CYCLES_H

#include "analyzer/blocking/blocking.h"

/**
 * Finds a shortest cycle in each part of the graph in which everybody waits for everybody, and says
 * why in words. Every edge must be one without which its waiter cannot go on: so all are of locks
 * and coroutines, and of channels only between goroutines that are leaked. CS_NO_MEMORY is the only
 * failure.
 */
CS_MUST_USE enum cs_status cycles_find(
	const struct blocking_input *input, struct blocking *blocking);

#endif
