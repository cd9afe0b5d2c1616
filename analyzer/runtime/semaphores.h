// The semaphore table: who sleeps on which semaphore word of a lock, a WaitGroup or the like
// (runtime/sema.go, go1.18 to go1.27: 251 treaps of sudogs, each with a list of more waiters).
#ifndef CORESNAP_ANALYZER_RUNTIME_SEMAPHORES_H
#define CORESNAP_ANALYZER_RUNTIME_SEMAPHORES_H

#include "analyzer/runtime/runtime.h"
#include "common/u64map.h"

struct semaphore_waiter {
	target_addr goroutine; // a g
	target_addr sudog;
	target_addr word; // the semaphore that it sleeps on
};

struct semaphores {
	struct semaphore_waiter *list;
	size_t count, capacity;
	struct u64map by_goroutine; // g to its index in list
};

/**
 * Reads the table, in which at most `goroutines` can sleep; of damaged treaps what can be followed.
 * CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status semaphores_load(
	const struct runtime *rt, size_t goroutines, struct semaphores *ret);

/** What `g` sleeps on; NULL where it is not in the table. */
const struct semaphore_waiter *semaphores_find(const struct semaphores *all, target_addr g);

#endif
