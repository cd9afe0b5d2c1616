#include "analyzer/blocking/stack_roots.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define WORD 8
#define CONTEXT_WORDS 64   // of a ucontext, as far as its general registers reach
#define EXTENDED_WORDS 264 // runtime/preempt_amd64.go xRegs: 32 vectors of 64 bytes, 8 masks

enum cs_status stack_roots_init(struct stack_roots *roots, struct frame_table *frames,
	const struct thread_states *threads, struct arena *arena)
{
	*roots = (struct stack_roots){.frames = frames,
		.threads = threads,
		.arena = arena,
		.walk = arena_alloc(arena, sizeof(struct walk))};
	return roots->walk ? CS_OK : CS_NO_MEMORY;
}

static void push(struct stack_roots *roots, uint64_t word)
{
	uint64_t *grown;

	if (!word)
		return;
	if (roots->count == roots->capacity) {
		grown = arena_grow(roots->arena, roots->words, &roots->capacity, roots->count + 1,
			sizeof(*grown));
		if (!grown) {
			roots->is_out_of_memory = true;
			return;
		}
		roots->words = grown;
	}
	roots->words[roots->count++] = word;
}

/** `count` words from `start` on; those that `bits` names where it is not NULL. */
static bool push_words(
	struct stack_roots *roots, target_addr start, uint64_t count, const uint8_t *bits)
{
	const struct image *image = roots->frames->rt->image;
	const uint8_t *bytes = image_view_bytes(image, start, count * WORD);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t word;

		if (bits && !(bits[i / 8] >> i % 8 & 1))
			continue;
		if (bytes)
			memcpy(&word, bytes + i * WORD, sizeof(word));
		else if (image_read_u64(image, start + i * WORD, &word) != CS_OK)
			return false;
		push(roots, word);
	}
	return true;
}

static bool push_map(struct stack_roots *roots, const struct pointer_words *words)
{
	return !words->count || push_words(roots, words->start, words->count, words->bits);
}

/** Every word from `start` up to `end`, which must lie on the stack of `g`. */
static bool push_range(
	struct stack_roots *roots, const struct goroutine *g, target_addr start, target_addr end)
{
	start = (start + WORD - 1) & ~(target_addr)(WORD - 1);
	if (start < g->stack_lo || end > g->stack_hi)
		return false;
	return start >= end || push_words(roots, start, (end - start) / WORD, NULL);
}

static bool add_object(struct stack_roots *roots, struct stack_object object)
{
	struct stack_roots_object *grown = roots->objects;

	if (roots->object_count == MAX_STACK_OBJECTS)
		return false;
	grown = arena_grow(roots->arena, roots->objects, &roots->object_capacity,
		roots->object_count + 1, sizeof(*grown));
	if (!grown) {
		roots->is_out_of_memory = true;
		return false;
	}
	roots->objects = grown;
	grown[roots->object_count++] = (struct stack_roots_object){.object = object};
	return true;
}

static bool add_objects(struct stack_roots *roots, const struct stack_map *map, target_addr sp)
{
	for (uint32_t i = 0; i < map->object_count; i++) {
		struct stack_object object;

		if (!stack_map_object(roots->frames->rt, map, i, &object))
			return false;
		if (object.start < sp) // not allocated in this frame yet
			continue;
		if (!add_object(roots, object))
			return false;
	}
	return true;
}

/** reflect's stubs, whose arguments are laid out as the value that they call says. */
static bool is_reflect_stub(const struct frame_table *table, const struct code_place *place)
{
	const char *name;

	if (!place->frame_count)
		return false;
	name = table->frames[place->first_frame + place->frame_count - 1].function;
	return name &&
	       (!strcmp(name, "reflect.makeFuncStub") || !strcmp(name, "reflect.methodValueCall"));
}

/** Whether the maps of the frame hold; false: each of its words may be a live pointer. */
static bool has_map(const struct stack_roots *roots, const struct code_place *place, target_addr sp,
	struct stack_map *ret)
{
	return place->role != ROLE_INJECTED && !is_reflect_stub(roots->frames, place) &&
	       stack_map_load(roots->frames->rt, place, sp, ret);
}

/**
 * One frame. `*is_callee_open` says whether the frame before it had no map: its arguments lie in
 * this one then, below the variables, and nothing tells which they are.
 */
static bool add_frame(
	struct stack_roots *roots, const struct goroutine *g, uint32_t index, bool *is_callee_open)
{
	const struct code_place *place = &roots->frames->places[roots->walk->places[index]];
	target_addr sp = roots->walk->sps[index];
	bool was_open = *is_callee_open;
	struct stack_map map;

	if (!place->has_frame_size)
		return false;
	*is_callee_open = !has_map(roots, place, sp, &map);
	if (*is_callee_open)
		return push_range(roots, g, sp, sp + (uint64_t)place->frame_size);
	if (was_open && !push_range(roots, g, sp, map.locals.start))
		return false;
	return push_map(roots, &map.locals) && push_map(roots, &map.arguments) &&
	       add_objects(roots, &map, sp);
}

/** Each frame; false where one of them does not tell. */
static bool add_frames(struct stack_roots *roots, const struct goroutine *g)
{
	const struct walk *walk = roots->walk;
	bool is_callee_open = false;

	if (walk->end != WALK_COMPLETE || walk->cut_at || !walk->count)
		return false;
	for (uint32_t i = 0; i < walk->count; i++) {
		if (walk->sps[i] < g->stack_lo || walk->sps[i] >= g->stack_hi ||
			!add_frame(roots, g, i, &is_callee_open))
			return false;
	}
	return true;
}

static int compare_objects(const void *a, const void *b)
{
	target_addr left = ((const struct stack_roots_object *)a)->object.start;
	target_addr right = ((const struct stack_roots_object *)b)->object.start;

	return left < right ? -1 : left > right;
}

/** The variable that holds `address`; NULL where none does. */
static struct stack_roots_object *find_object(struct stack_roots *roots, target_addr address)
{
	size_t low = 0, high = roots->object_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roots->objects[middle].object.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - roots->objects[low - 1].object.start >=
			    roots->objects[low - 1].object.size)
		return NULL;
	return &roots->objects[low - 1];
}

/** A variable that a live pointer leads to is live itself: until nothing new is found. */
static bool follow_objects(struct stack_roots *roots, const struct goroutine *g)
{
	if (!roots->object_count)
		return true;
	qsort(roots->objects, roots->object_count, sizeof(*roots->objects), compare_objects);
	for (size_t i = 0; i < roots->count; i++) {
		struct stack_roots_object *found;

		if (roots->words[i] < g->stack_lo || roots->words[i] >= g->stack_hi)
			continue;
		found = find_object(roots, roots->words[i]);
		if (!found || found->is_reached)
			continue;
		found->is_reached = true;
		if (found->object.pointers.count
				? !push_map(roots, &found->object.pointers)
				: !push_range(roots, g, found->object.start,
					  found->object.start + found->object.size))
			return false;
	}
	return true;
}

/** Deferred calls: chained records, on the stack or in the heap. */
static bool add_defers(struct stack_roots *roots, target_addr at)
{
	const struct runtime *rt = roots->frames->rt;

	for (uint32_t i = 0; at; i++) {
		struct object record = object_load(rt, at, OBJECT_DEFER);

		if (!record.bytes || i == MAX_DEFERS)
			return false;
		push(roots, at);
		push(roots, object_get(rt, record, DEFER_FN));
		at = object_get(rt, record, DEFER_LINK);
	}
	return true;
}

static void add_context(struct stack_roots *roots, target_addr context)
{
	const uint8_t *bytes =
		image_view_bytes(roots->frames->rt->image, context, CONTEXT_WORDS * (uint64_t)WORD);

	for (uint32_t i = 0; bytes && i < CONTEXT_WORDS; i++) {
		uint64_t word;

		memcpy(&word, bytes + i * WORD, sizeof(word));
		push(roots, word);
	}
}

/** The registers of a thread, and those that its signal handlers were entered with. */
static void add_registers(struct stack_roots *roots, const struct thread_state *state)
{
	for (uint32_t i = 0; i < state->thread->regs.count && i < IMAGE_REGS_MAX; i++)
		push(roots, state->thread->regs.raw[i]);
	for (uint32_t i = 0; i < state->way.stop_count; i++)
		if (state->way.contexts[i])
			add_context(roots, state->way.contexts[i]);
}

/** The crash itself needs no more than its own frames say. */
static bool is_dying(const struct thread_state *state)
{
	return state->machine && state->machine->dying && !state->machine->caught_signal;
}

/** What the g struct has: its context register, deferred calls, a panic. */
static bool add_fields(struct stack_roots *roots, const struct goroutine *g)
{
	const struct runtime *rt = roots->frames->rt;
	struct object object = object_load(rt, g->address, OBJECT_G);
	target_addr extended;

	if (!object.bytes)
		return false;
	push(roots, object_get(rt, object, G_CONTEXT));
	push(roots, g->panic);
	extended = object_get(rt, object, G_EXTENDED_REGISTERS);
	if (extended)
		push_words(roots, extended, EXTENDED_WORDS, NULL);
	return add_defers(roots, object_get(rt, object, G_DEFER));
}

bool stack_roots_find(struct stack_roots *roots, const struct goroutine *g)
{
	const struct thread_state *state =
		g->m ? thread_states_of_machine(roots->threads, g->m) : NULL;
	bool is_running = state && state->machine->curg == g->address &&
			  g->status == GOROUTINE_RUNNING && !is_dying(state);
	uint64_t steps = roots->frames->steps_left;
	target_addr sp = g->stack_lo;
	struct position start;
	size_t before;

	roots->count = roots->object_count = 0;
	if (is_running)
		add_registers(roots, state);
	if (!add_fields(roots, g))
		return false;
	before = roots->count;
	if (goroutine_position(roots->threads, g, &start)) {
		sp = start.sp;
		roots->frames->steps_left = MAX_UNWIND_STEPS;
		walk_stack(roots->frames, start, roots->walk);
		roots->frames->steps_left = steps;
		if (add_frames(roots, g) && follow_objects(roots, g))
			return !roots->is_out_of_memory;
		roots->count = before;
	}
	// Where one frame does not tell, all may: every word of the stack in use.
	return push_range(roots, g, sp, g->stack_hi) && !roots->is_out_of_memory;
}

bool stack_roots_find_threads(struct stack_roots *roots)
{
	roots->count = 0;
	for (size_t i = 0; i < roots->threads->count; i++) {
		const struct thread_state *state = &roots->threads->list[i];
		const struct machine *m = state->machine;

		if (!m || !m->p || is_dying(state))
			continue;
		for (uint32_t k = 0; k < state->way.stop_count; k++) {
			target_addr sp = state->way.stops[k].sp & ~(target_addr)(WORD - 1);

			if (sp < m->g0_lo || sp >= m->g0_hi)
				continue;
			add_registers(roots, state);
			if (!push_words(roots, sp, (m->g0_hi - sp) / WORD, NULL))
				return false;
		}
	}
	return !roots->is_out_of_memory;
}
