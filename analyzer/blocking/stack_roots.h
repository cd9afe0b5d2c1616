// What a goroutine's stack holds on to: the words of its frames that are live pointers, as the
// collector finds them (runtime/mgcmark.go scanstack and scanframeworker, go1.18 to go1.27), and
// every word of a frame of which the maps do not tell.
#ifndef CORESNAP_ANALYZER_BLOCKING_STACK_ROOTS_H
#define CORESNAP_ANALYZER_BLOCKING_STACK_ROOTS_H

#include "analyzer/runtime/machine.h"
#include "analyzer/unwind/stack_map.h"
#include "analyzer/unwind/threads.h"
#include "analyzer/unwind/walk.h"

struct stack_roots_object {
	struct stack_object object;
	bool is_reached;
};

struct stack_roots {
	struct frame_table *frames;          // borrowed; places are added
	const struct thread_states *threads; // borrowed
	struct arena *arena;                 // borrowed
	struct walk *walk;                   // scratch
	uint64_t *words;                     // of the goroutine asked for last
	size_t count, capacity;
	struct stack_roots_object *objects; // its variables whose address is taken
	size_t object_count, object_capacity;
	bool is_out_of_memory;
};

/** CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status stack_roots_init(struct stack_roots *roots, struct frame_table *frames,
	const struct thread_states *threads, struct arena *arena);

/**
 * Fills roots->words with what `g` holds: numbers, of which some may be no pointers. Its g itself
 * is not among them. False where some of its stack cannot be read: then words may be missing.
 */
bool stack_roots_find(struct stack_roots *roots, const struct goroutine *g);

/**
 * Fills roots->words with what the threads hold that ran the scheduler's or the collector's own
 * code on a processor: a goroutine that one of them is about to wake may be known to it alone.
 */
bool stack_roots_find_threads(struct stack_roots *roots);

#endif
