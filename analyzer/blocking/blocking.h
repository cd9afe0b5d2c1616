// Who waits for whom, and what can never go on: the wait-for graph, its cycles, and the goroutines
// that nobody can wake any more. Goroutines go by their index in goroutines.list.
#ifndef CORESNAP_ANALYZER_BLOCKING_BLOCKING_H
#define CORESNAP_ANALYZER_BLOCKING_BLOCKING_H

#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/waiting.h"
#include "analyzer/unwind/threads.h"
#include "analyzer/unwind/walk.h"
#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_BLOCKER SIZE_MAX

/** What the verdicts are made from. All is borrowed. */
struct blocking_input {
	const struct runtime *rt;
	struct arena *arena;
	const struct goroutines *goroutines;
	const struct thread_states *threads;
	struct frame_table *frames; // places are added
	const struct stack_table *stacks;
	const uint32_t *stack_of; // of each goroutine, an index of stacks; NO_STACK
	/** Walks goroutine `index` for its stack pointers; false where it has no stack. */
	bool (*walk)(const void *context, size_t index, struct walk *ret);
	const void *context;
};

/** What one goroutine waits on: rows `first` to `first + count` of blocking.waits. */
struct blocking_wait {
	uint32_t first, count;
};

/** `from` cannot go on before `to` has done something with what lies at `through`. */
struct blocking_edge {
	size_t from, to;
	target_addr through;
	bool is_proved; // else likely
};

/** Goroutines of which each waits for the next, and the last for the first. */
struct blocking_cycle {
	const size_t *members;
	size_t count;
	size_t first_evidence, evidence_count; // rows of blocking.evidence
};

/** A verdict on one goroutine in words. */
struct blocking_evidence {
	size_t goroutine;
	const char *text;
};

/** A lock, counter or the like that somebody waits on: a row of the snapshot's `sync`. */
struct sync_object {
	target_addr address;
	const char *kind;
	size_t *waiters; // in the order of goroutines
	size_t waiter_count, waiter_capacity;
	size_t likely_owner; // NO_BLOCKER: not known
	size_t claim_count;  // how many seem to hold it; owners.h
	bool has_state;      // what follows could be read
	bool is_locked;      // a lock or Once: by somebody, for writing
	int64_t readers;     // of a RWMutex: who hold it for reading
	int64_t counter;     // of a WaitGroup
};

struct blocking {
	struct arena *arena; // borrowed
	struct waiting_on *waits;
	size_t wait_count, wait_capacity;
	struct blocking_wait *wait_of; // one for each goroutine
	struct semaphores semaphores;  // who sleeps on which semaphore, and by which sudog
	struct sync_object *objects;   // in the order of their first waiter
	size_t object_count, object_capacity;
	struct blocking_edge *edges;
	size_t edge_count, edge_capacity;
	uint64_t edge_total; // those beyond the cap, too
	struct blocking_cycle *deadlocks;
	size_t deadlock_count, deadlock_capacity;
	size_t *leaked; // those of which it is proved that nobody can wake them
	size_t leaked_count, leaked_capacity;
	bool is_leak_unknown; // the proof lacked something: nobody is in `leaked`, whatever is true
	struct blocking_evidence *evidence;
	size_t evidence_count, evidence_capacity;
	size_t leak_evidence_count; // the first of them are on leaked ones, the others on deadlocks
};

/** Nothing is known yet. */
void blocking_init(struct blocking *blocking, struct arena *arena);

/** Notes that `goroutine` is leaked; false when out of memory. */
bool blocking_add_leaked(struct blocking *blocking, size_t goroutine);

/** Notes why a verdict was given on `goroutine`: one sentence; false when out of memory. */
bool blocking_add_evidence(struct blocking *blocking, size_t goroutine, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Adds an edge, up to MAX_BLOCKING_EDGES; false when out of memory. */
bool blocking_add_edge(struct blocking *blocking, struct blocking_edge edge);

#endif
