// What a goroutine waits on: channels by its sudogs (runtime/chan.go, select.go), locks by the
// semaphore table (runtime/sema.go).
#ifndef CORESNAP_ANALYZER_RUNTIME_WAITING_H
#define CORESNAP_ANALYZER_RUNTIME_WAITING_H

#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/semaphores.h"

/** One thing waited on. */
struct waiting_on {
	const char *kind;    // "channel", "mutex", "rwmutex", "waitgroup", "cond", "once", "timer",
			     // "semaphore", "descriptor", "coroutine", "bubble"
	target_addr address; // of that thing; 0 where not known, or a nil channel
	const char
		*operation;  // "send", "receive", "lock", "rlock", "wait", "sleep"; NULL: not known
	uint64_t descriptor; // of kind "descriptor": its number
	int64_t deadline;    // likewise: runtime clock; 0: none
	int64_t select_case; // of those with this operation, in the source's order; -1: no
			     // select's, or not known
};

struct waiting {
	const struct runtime *rt; // borrowed
	struct u64map sides;      // sudog to 1 (receives) or 2 (sends), for channels already seen
	struct u64map channels;   // the channels already seen
	struct semaphores semaphores;
};

/** Reads the semaphore table, in which at most `goroutines` can wait. */
CS_MUST_USE enum cs_status waiting_init(
	struct waiting *waiting, const struct runtime *rt, size_t goroutines);

/**
 * What `g` waits on, at most `max`, as many as could be recovered; `reason` is its wait reason
 * (NULL: it waits on nothing).
 */
size_t waiting_find(struct waiting *waiting, const struct goroutine *g, const char *reason,
	struct waiting_on *ret, size_t max);

/**
 * The channels that `g` waits on, at most `max`, each once in the order of its sudogs; 0 where
 * `reason` is no wait on channels.
 */
size_t waiting_channels(const struct runtime *rt, const struct goroutine *g, const char *reason,
	target_addr *ret, size_t max);

#endif
