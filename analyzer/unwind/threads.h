// Threads at the time of death, and where the goroutine that each was running really stood. At a
// crash the dumping thread stands in a signal handler on its gsignal stack, for fatal signals all
// threads do, and handlers nest: the true registers lie behind one or more signal frames.
#ifndef CORESNAP_ANALYZER_UNWIND_THREADS_H
#define CORESNAP_ANALYZER_UNWIND_THREADS_H

#include "analyzer/runtime/machine.h"
#include "analyzer/unwind/walk.h"

struct thread_state {
	const struct image_thread *thread; // borrowed
	const struct machine *machine;     // NULL: not one of the runtime's
	uint32_t stack; // as the thread itself stood: handlers, then g0 or a goroutine
	uint64_t frames_total;
	struct position
		stops[MAX_SIGNAL_FRAMES + 1]; // its registers, then behind each signal frame
	target_addr contexts[MAX_SIGNAL_FRAMES + 1]; // the ucontext of each stop; 0 for the first
	uint32_t stop_count;
	target_addr first_context; // the ucontext of the outermost signal frame, the first to
				   // arrive; 0: none
	bool is_in_go;             // its registers are in a Go function
};

struct thread_states {
	struct thread_state *list; // as many as the core has threads, in its order
	size_t count;
	struct u64map by_machine; // the address of an m to the index of its thread
};

/** Walks every thread of the core. CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status thread_states_load(struct frame_table *table, struct stack_table *stacks,
	const struct scheduler *scheduler, struct thread_states *ret);

/** The thread that machine `m` (an address) ran on; NULL where the core has none. */
const struct thread_state *thread_states_of_machine(const struct thread_states *all, target_addr m);

/**
 * Where the walk of goroutine `g` starts: its own saved position when it is parked, its system
 * call's, or for one that was running the innermost place on its own stack at which its thread
 * stood. false where a running goroutine's position is not known (in C code, or its thread is not
 * in the core).
 */
bool goroutine_position(
	const struct thread_states *all, const struct goroutine *g, struct position *ret);

/**
 * Cuts the runtime's own dying off a crashing goroutine's stack, so that it starts where the
 * runtime's traceback does (panic.go: dopanic_m is given the caller of fatalpanic or fatalthrow).
 * False where it did not die on this stack.
 */
bool walk_drop_crash(const struct frame_table *table, struct walk *walk);

#endif
