// Puts stacks together that lie in pieces: Go code on a goroutine's stack, C code that it called on
// the thread's own, Go code that C called back, again on the goroutine's, and signal handlers on a
// third. runtime/cgocall.go pictures the way from Go to C and back.
#ifndef CORESNAP_ANALYZER_UNWIND_JOIN_H
#define CORESNAP_ANALYZER_UNWIND_JOIN_H

#include "analyzer/runtime/machine.h"
#include "analyzer/unwind/cframes.h"
#include "analyzer/unwind/walk.h"

/** Where a thread left Go for C: what its goroutine's stack begins with. */
struct c_entry {
	bool is_set;
	struct cfi_registers start; // of the innermost C frame
	target_addr goroutine;      // whose call it was, a g
	struct position resumed;    // where Go goes on below
};

/** A thread in one piece. */
struct joined_thread {
	struct position
		stops[MAX_SIGNAL_FRAMES + 1]; // its registers, then behind each signal frame
	target_addr contexts[MAX_SIGNAL_FRAMES + 1]; // the ucontext of each stop; 0 for the first
	uint32_t stop_count;
	target_addr first_context; // the ucontext of the outermost signal frame; 0: none
	bool is_in_go;             // its registers are in a Go function
	struct c_entry entry;
};

struct joiner {
	struct cframes *c; // borrowed
	struct frame_table *table;
	struct walk *part, *segment; // scratch
	uint32_t callbacks_left;     // that may yet be joined to their C
};

/** CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status join_init(struct joiner *j, struct cframes *c);

/**
 * Walks a whole thread, from its registers through signal frames, C and Go. `m` is NULL for one
 * that the runtime does not know. `ret` is overwritten.
 */
void join_thread(struct joiner *j, const struct image_thread *thread, const struct machine *m,
	struct walk *walk, struct joined_thread *ret);

/**
 * Adds C frames to the Go frames of a goroutine: before them those of the C code that it is in
 * (`entry`; NULL: none), and behind each callback those of the C code that called it. `m` is the
 * machine that runs the goroutine, or that it is locked to; NULL: none.
 */
void join_goroutine(
	struct joiner *j, const struct machine *m, const struct c_entry *entry, struct walk *walk);

#endif
