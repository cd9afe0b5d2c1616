// fp = sp + the frame's size. amd64: the return address lies at fp - 8. arm64: at sp, or still in
// lr where the frame has not been made yet (runtime/traceback.go, unwinder.resolveInternal and
// next).
#include "analyzer/unwind/walk.h"

#include "analyzer/core/arch.h"

#include <string.h>

#define HALF (MAX_FRAMES / 2)

/** One lookup per stack: loads within `view` are plain. */
struct reader {
	const struct image *image;
	const struct arch *arch;
	struct image_view view;
};

static bool read_word(struct reader *reader, target_addr address, target_addr *ret)
{
	struct image_view *view = &reader->view;

	if (address < view->start || address > view->end || view->end - address < sizeof(*ret)) {
		if (!image_find(reader->image, address, view))
			return false;
		if (view->end - address < sizeof(*ret))
			return image_read_u64(reader->image, address, ret) == CS_OK;
	}
	memcpy(ret, view->bytes + (address - view->start), sizeof(*ret));
	return true;
}

void walk_begin(struct walk *walk)
{
	walk->count = walk->cut_at = walk->signal_count = 0;
	walk->frames_total = 0;
	walk->end = WALK_COMPLETE;
	walk->end_pc = 0;
}

/** Past MAX_FRAMES the innermost half stays and the outermost half is a ring. */
void walk_push(struct walk *walk, uint64_t step, uint32_t place, target_addr sp)
{
	uint64_t slot = step < MAX_FRAMES ? step : HALF + (step - HALF) % HALF;

	walk->places[slot] = place;
	walk->sps[slot] = sp;
	if (step < MAX_FRAMES)
		walk->count = (uint32_t)step + 1;
}

void walk_finish(struct walk *walk, uint64_t steps)
{
	uint32_t places[HALF];
	target_addr sps[HALF];
	uint64_t oldest = steps % HALF;

	if (steps <= MAX_FRAMES)
		return;
	for (uint64_t i = 0; i < HALF; i++) {
		places[i] = walk->places[HALF + (oldest + i) % HALF];
		sps[i] = walk->sps[HALF + (oldest + i) % HALF];
	}
	memcpy(walk->places + HALF, places, sizeof(places));
	memcpy(walk->sps + HALF, sps, sizeof(sps));
	walk->cut_at = HALF;
}

/** Goes on behind a signal frame: the interrupted registers lie in the ucontext behind fp. */
static bool step_signal(
	struct reader *reader, struct walk *walk, target_addr fp, struct position *at)
{
	const struct arch *arch = reader->arch;
	target_addr context = fp + (uint64_t)arch->context;

	if (walk->signal_count == MAX_SIGNAL_FRAMES ||
		!read_word(reader, context + (uint64_t)arch->context_pc, &at->pc) ||
		!read_word(reader, context + (uint64_t)arch->context_sp, &at->sp))
		return false;
	at->lr = 0;
	if (arch->has_link_register &&
		!read_word(reader, context + (uint64_t)arch->context_lr, &at->lr))
		return false;
	at->is_exact = true;
	walk->contexts[walk->signal_count] = context;
	walk->signals[walk->signal_count++] = *at;
	return true;
}

/** Where the frame that ends at `fp` returns to; false where that cannot be read. */
static bool read_caller(
	struct reader *reader, const struct position *at, target_addr fp, target_addr *ret)
{
	// A stack only grows outwards; a frame that does not is garbage and would loop.
	if (!reader->arch->has_link_register)
		return fp > at->sp && read_word(reader, fp - sizeof(*ret), ret);
	if (fp > at->sp)
		return read_word(reader, at->sp, ret);
	*ret = at->lr;
	return fp == at->sp && at->lr;
}

/**
 * A call that nobody made, by a signal handler: it saved the link register of what it interrupted
 * below it (signal_arm64.go pushCall), which may not have saved it itself.
 */
static bool step_injected(struct reader *reader, struct position *at)
{
	if (reader->arch->has_link_register && !read_word(reader, at->sp, &at->lr))
		return false;
	at->sp += reader->arch->pushed_by_inject;
	return true;
}

/** Moves `at` to the caller. False at the end of the walk, with walk->end set. */
static bool step(
	struct reader *reader, struct walk *walk, const struct code_place *place, struct position *at)
{
	target_addr fp = at->sp + (uint64_t)place->frame_size;

	walk->end = WALK_UNREADABLE;
	walk->end_pc = at->pc;
	switch ((enum frame_role)place->role) {
	case ROLE_SYSTEM_STACK:
		// arm64: without a frame it has not switched yet, or has come back (traceback.go).
		if (place->has_frame_size && !place->frame_size)
			break;
		walk->end = WALK_COMPLETE;
		return false;
	case ROLE_BOTTOM:
		walk->end = WALK_COMPLETE;
		return false;
	case ROLE_UNKNOWABLE:
	case ROLE_C:
		return false;
	case ROLE_SIGNAL:
		return place->has_frame_size && step_signal(reader, walk, fp, at);
	case ROLE_NORMAL:
	case ROLE_INJECTED:
	case ROLE_CALLBACK:
	case ROLE_CRASH:
		break;
	}
	if (!place->has_frame_size || !read_caller(reader, at, fp, &at->pc))
		return false;
	at->sp = fp;
	at->lr = 0;
	at->is_exact = place->role == ROLE_INJECTED;
	return !at->is_exact || step_injected(reader, at);
}

/** frame_table_place, with a memory of which caller each place had last. */
static uint32_t place_of(struct frame_table *table, uint32_t callee, const struct position *at)
{
	uint32_t place;

	if (callee == NO_PLACE || at->is_exact)
		return frame_table_place(table, at->pc, at->is_exact);
	if (at->pc && table->places[callee].caller_pc == at->pc)
		return table->places[callee].caller;
	place = frame_table_place(table, at->pc, false);
	if (place != NO_PLACE) {
		table->places[callee].caller_pc = at->pc;
		table->places[callee].caller = place;
	}
	return place;
}

void walk_stack(struct frame_table *table, struct position start, struct walk *ret)
{
	struct reader reader = {.image = table->rt->image, .arch = arch_of(table->rt->image)};
	struct position at = start;
	uint32_t place = NO_PLACE;
	uint64_t steps = 0;

	walk_begin(ret);
	for (;;) {
		place = place_of(table, place, &at);
		if (place == NO_PLACE) {
			// A stack that ends, ends in a function that says so. Zeros are a page
			// that was lost.
			ret->end = at.pc   ? WALK_UNKNOWN_PC
				   : steps ? WALK_UNREADABLE
					   : WALK_COMPLETE;
			ret->end_pc = at.pc;
			break;
		}
		walk_push(ret, steps++, place, at.sp);
		ret->frames_total += table->places[place].frame_count;
		if (steps >= MAX_UNWIND_STEPS || !table->steps_left) {
			ret->end = WALK_TOO_LONG;
			break;
		}
		table->steps_left--;
		if (!step(&reader, ret, &table->places[place], &at))
			break;
	}
	walk_finish(ret, steps);
}

void walk_drop(const struct frame_table *table, struct walk *walk, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		walk->frames_total -= table->places[walk->places[i]].frame_count;
	walk->count -= count;
	memmove(walk->places, walk->places + count, walk->count * sizeof(walk->places[0]));
	memmove(walk->sps, walk->sps + count, walk->count * sizeof(walk->sps[0]));
	walk->cut_at = walk->cut_at > count ? walk->cut_at - count : 0;
}

void stack_table_init(struct stack_table *table, struct arena *arena)
{
	*table = (struct stack_table){.arena = arena};
	u64map_init(&table->by_hash, arena);
}

static uint64_t hash_walk(const struct walk *walk)
{
	uint64_t hash = walk->frames_total;

	for (uint32_t i = 0; i < walk->count; i++)
		hash = u64_hash(hash ^ walk->places[i]);
	return hash;
}

static bool is_equal(const struct stack *stack, const struct walk *walk)
{
	return stack->count == walk->count && stack->frames_total == walk->frames_total &&
	       !memcmp(stack->places, walk->places, walk->count * sizeof(walk->places[0]));
}

static uint32_t add_stack(struct stack_table *table, const struct walk *walk, uint32_t next)
{
	struct stack *grown = arena_grow(
		table->arena, table->stacks, &table->capacity, table->count + 1, sizeof(*grown));
	uint32_t *places = arena_array(table->arena, walk->count, sizeof(*places));

	if (!grown || !places)
		return NO_STACK;
	memcpy(places, walk->places, walk->count * sizeof(*places));
	table->stacks = grown;
	grown[table->count] = (struct stack){.places = places,
		.count = walk->count,
		.cut_at = walk->cut_at,
		.frames_total = walk->frames_total,
		.next = next};
	return (uint32_t)table->count++;
}

uint32_t stack_table_intern(struct stack_table *table, const struct walk *walk)
{
	uint64_t hash = hash_walk(walk);
	uint64_t first = NO_STACK;
	uint32_t index;

	if (!walk->count)
		return NO_STACK;
	u64map_get(&table->by_hash, hash, &first);
	for (index = (uint32_t)first; index != NO_STACK; index = table->stacks[index].next)
		if (is_equal(&table->stacks[index], walk))
			return index;
	index = add_stack(table, walk, (uint32_t)first);
	if (index == NO_STACK || !u64map_put(&table->by_hash, hash, index))
		return NO_STACK;
	return index;
}
