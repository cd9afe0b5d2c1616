// What each blocked goroutine waits for that somebody would have to reach to wake it, by the
// runtime's own queues: channels, locks, conditions. Only reasons that Go's own search for leaked
// goroutines knows (go1.26 runtime/runtime2.go isSyncWait, isChanWait; mgc.go isMaybeRunnable), and
// only where the queues agree: a goroutine that was just taken out of one is about to wake.
#ifndef CORESNAP_ANALYZER_BLOCKING_AWAITED_H
#define CORESNAP_ANALYZER_BLOCKING_AWAITED_H

#include "analyzer/blocking/stack_roots.h"
#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/semaphores.h"
#include "common/u64map.h"

enum awaited_kind {
	AWAITED_UNKNOWN,  // it may go on by itself, or what it waits for is not known
	AWAITED_NOTHING,  // nothing can ever wake it: nil channels, select without cases
	AWAITED_CHANNELS, // an operation on any of these
	AWAITED_WORD,     // a semaphore of a lock or counter
	AWAITED_LIST,     // the list of a sync.Cond
};

/** One thing, and the sudog by which the goroutine stands in its queue. */
struct awaited {
	target_addr object, sudog;
};

/** Of one goroutine: rows `first` to `first + count` of awaiting.list. */
struct awaited_by {
	uint8_t kind; // enum awaited_kind
	uint32_t first, count;
};

struct awaiting {
	const struct runtime *rt;            // borrowed
	const struct goroutines *goroutines; // borrowed
	struct arena *arena;                 // borrowed
	struct awaited_by *of;               // one for each goroutine
	struct awaited *list;
	size_t count, capacity;

	/* Private. */
	uint8_t kinds[256]; // of each wait reason's number
	struct semaphores semaphores;
	struct u64map channels, queued; // channels looked at; sudogs that stand in their queues
	struct u64map lists, listed;    // of conditions; sudogs and gs that stand in them
	struct stack_roots *stacks;
};

/**
 * Finds it for every goroutine. `stacks` is used as scratch. CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status awaiting_load(const struct runtime *rt,
	const struct goroutines *goroutines, struct stack_roots *stacks, struct arena *arena,
	struct awaiting *ret);

#endif
