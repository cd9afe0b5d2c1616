// What every goroutine waits on: what the runtime layer tells (runtime/waiting.h, parked.h), and,
// of locks, what only the functions on the stack tell: which kind of lock a semaphore belongs to
// before go1.20 (WaitGroup: go1.24), and that a mutex is part of a sync.Once or sync.RWMutex.
#ifndef CORESNAP_ANALYZER_BLOCKING_WAITS_H
#define CORESNAP_ANALYZER_BLOCKING_WAITS_H

#include "analyzer/blocking/blocking.h"

/** Fills waits and wait_of, and objects without owners. CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status waits_load(
	const struct blocking_input *input, struct blocking *blocking);

/** The rows of what goroutine `index` waits on; *count_ret of them. */
const struct waiting_on *blocking_waits(
	const struct blocking *blocking, size_t index, size_t *count_ret);

#endif
