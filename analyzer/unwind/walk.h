// Walks a stack from a pc and sp to its bottom by the binary's own frame sizes (pcsp), as
// runtime/traceback.go does, and interns what it finds.
#ifndef CORESNAP_ANALYZER_UNWIND_WALK_H
#define CORESNAP_ANALYZER_UNWIND_WALK_H

#include "analyzer/unwind/frame_table.h"
#include "common/limits.h"

/** Where a walk starts, or goes on after a signal frame. */
struct position {
	target_addr pc, sp;
	bool is_exact; // pc is the next instruction itself, not a return address
};

/** Why a walk ended. All but WALK_COMPLETE leave the frames so far standing. */
enum walk_end {
	WALK_COMPLETE,   // at a function that nothing lies below
	WALK_UNKNOWN_PC, // a pc in no Go function
	WALK_UNREADABLE, // stack memory not in the core, or a frame without a size
	WALK_TOO_LONG,   // MAX_UNWIND_STEPS, or MAX_UNWIND_TOTAL with all walks before it
};

struct walk {
	uint32_t places[MAX_FRAMES]; // physical frames, innermost first; in the middle cut out
	target_addr sps[MAX_FRAMES]; // the sp of each
	uint32_t count;
	uint32_t cut_at;       // places[cut_at] follows the cut; 0: nothing was cut
	uint64_t frames_total; // logical frames, those cut out too
	enum walk_end end;
	target_addr end_pc;                         // where it ended early
	struct position signals[MAX_SIGNAL_FRAMES]; // where it went on behind each signal frame
	target_addr contexts[MAX_SIGNAL_FRAMES];    // the ucontext that it was read from
	uint32_t signal_count;
};

/**
 * Walks from `start`. `ret` is the caller's scratch (800 KiB) and is overwritten. A walk never
 * fails: it ends, and says why. Signal frames are followed to what they interrupted.
 */
void walk_stack(struct frame_table *table, struct position start, struct walk *ret);

/** Makes `walk` one without frames. The three are for whoever finds frames by other means. */
void walk_begin(struct walk *walk);

/** Adds the frame that is number `step` from the innermost; those of a walk are added in order. */
void walk_push(struct walk *walk, uint64_t step, uint32_t place, target_addr sp);

/** Brings a walk of `steps` frames into its final order. */
void walk_finish(struct walk *walk, uint64_t steps);

/** Removes the `count` innermost physical frames. */
void walk_drop(const struct frame_table *table, struct walk *walk, uint32_t count);

/** Interned stacks: rows of the snapshot's `stacks`. */
struct stack {
	const uint32_t *places;
	uint32_t count, cut_at;
	uint64_t frames_total;
	uint32_t next; // of the same hash; NO_STACK at the end
};

#define NO_STACK UINT32_MAX

struct stack_table {
	struct arena *arena; // borrowed
	struct stack *stacks;
	size_t count, capacity;
	struct u64map by_hash;
};

/** An empty table. */
void stack_table_init(struct stack_table *table, struct arena *arena);

/** The index of the stack equal to `walk`, added where it is new; NO_STACK if empty or no memory.
 */
uint32_t stack_table_intern(struct stack_table *table, const struct walk *walk);

#endif
