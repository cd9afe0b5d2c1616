// What a parked goroutine waits on where no field of its g says so: the runtime keeps a pointer to
// it in the frames of the functions that parked it, near the stack pointer. A word there is
// believed only where what it points to names the goroutine in turn: a Cond's list of waiters, a
// descriptor's reader or writer, a coroutine's goroutine.
#ifndef CORESNAP_ANALYZER_RUNTIME_PARKED_H
#define CORESNAP_ANALYZER_RUNTIME_PARKED_H

#include "analyzer/runtime/goroutine.h"
#include "common/u64map.h"

/** Remembers lists that were walked: a hundred thousand goroutines may wait on one Cond. */
struct parked {
	const struct runtime *rt; // borrowed
	struct u64map conds;      // g to the Cond in whose list it stands
	struct u64map lists;      // Conds that were walked, or found to be none
	uint64_t steps;           // waiters that may still be looked at
};

/** A goroutine's wait in the network poller (runtime/netpoll.go pollDesc). */
struct poll_wait {
	target_addr address;
	uint64_t descriptor;
	bool is_write;
	int64_t deadline; // runtime clock; 0: none; negative: expired
};

/** Nothing was walked yet; at most `goroutines` waiters are there in all. */
void parked_init(struct parked *parked, const struct runtime *rt, size_t goroutines);

/**
 * The sync.Cond that `g` waits on (sync/cond.go); 0 where it was not found. Since go1.26 its sudog
 * names the list of waiters itself.
 */
target_addr parked_cond(struct parked *parked, const struct goroutine *g);

/** The descriptor whose readiness `g` waits for; false where it was not found. */
bool parked_poll(const struct runtime *rt, const struct goroutine *g, struct poll_wait *ret);

/** The coroutine that `g` waits in (runtime/coro.go, since go1.23); 0 where it was not found. */
target_addr parked_coroutine(const struct runtime *rt, const struct goroutine *g);

#endif
