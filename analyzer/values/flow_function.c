// Value numbering over the machine code, optimistic and by refinement (Alpern, Wegman and Zadeck):
// at first a block takes every place from the first way that leads to it; where, once nothing
// changes any more, another way disagrees, the block makes a symbol of its own for each class of
// places that come in alike, and a class is only ever split. What is left holds on every path.
//
// Go's compiler spills to words that nothing else names, so a store through another pointer cannot
// change them. A word whose address was taken is never believed, nor what is loaded from it: a
// callee may have written there.
#include "analyzer/values/flow_function.h"

#include "analyzer/unwind/stack_map.h"
#include "analyzer/values/flow_internal.h"
#include "common/limits.h"

#include <string.h>

#define NO_CLASS UINT32_MAX

uint64_t flow_function_constant(const struct flow_function *function, symbol s)
{
	return function->constants[symbol_payload(s)];
}

struct flow_derived flow_function_derived(const struct flow_function *function, symbol s)
{
	if (symbol_kind(s) == SYMBOL_DERIVED)
		return function->derived[symbol_payload(s)];
	return (struct flow_derived){.base = s, .size = FLOW_WORD};
}

symbol symbol_make(enum symbol_kind kind, uint64_t payload)
{
	return (symbol)kind << 56 | (payload & 0x00ffffffffffffff);
}

/** What the search for a fixed point needs beside the states themselves. */
struct solver {
	struct flow_function *f;
	struct arena arena;
	uint32_t *order; // blocks that are reached, each behind one of its predecessors
	uint32_t order_count;
	symbol *ends;      // states at the ends of blocks
	symbol *entry;     // what the function was entered with
	uint32_t *classes; // of each place of each block: its first place; NO_CLASS: no symbol of
			   // the block's own
	uint32_t *new_classes; // of one block
	symbol *scratch;
	const symbol **ways; // into one block
	uint32_t way_count;
};

static size_t row(const struct solver *s, uint32_t block)
{
	return (size_t)block * s->f->place_count;
}

static bool solver_init(struct solver *s, struct flow_function *f)
{
	size_t states = (size_t)f->block_count * f->place_count;

	*s = (struct solver){.f = f};
	arena_init(&s->arena, 0);
	s->order = arena_array(&s->arena, f->block_count, sizeof(*s->order));
	s->ends = arena_array(&s->arena, states, sizeof(*s->ends));
	s->classes = arena_array(&s->arena, states, sizeof(*s->classes));
	s->new_classes = arena_array(&s->arena, f->place_count, sizeof(*s->new_classes));
	s->entry = arena_array(&s->arena, f->place_count, sizeof(*s->entry));
	s->scratch = arena_array(&s->arena, f->place_count, sizeof(*s->scratch));
	s->ways = arena_array(&s->arena, f->block_count + 2, sizeof(*s->ways));
	if (!s->order || !s->ends || !s->classes || !s->new_classes || !s->entry || !s->scratch ||
		!s->ways)
		return false;
	for (uint32_t i = 0; i < f->place_count; i++)
		s->entry[i] = symbol_make(SYMBOL_ENTRY, i);
	for (size_t i = 0; i < states; i++)
		s->classes[i] = NO_CLASS;
	return true;
}

/** Blocks in reverse postorder, so that but for loops all ways to a block come before it. */
static bool find_order(struct solver *s)
{
	struct flow_function *f = s->f;
	uint32_t *stack = arena_array(&s->arena, f->block_count + 2, sizeof(*stack));
	uint8_t *next = arena_array(&s->arena, f->block_count, sizeof(*next));
	uint32_t depth = 0, at = f->block_count;

	if (!stack || !next)
		return false;
	for (uint32_t root = f->block_count; root-- > 0;) {
		if ((!f->blocks[root].is_entry && !f->blocks[root].is_landing) ||
			f->blocks[root].is_reached)
			continue;
		f->blocks[root].is_reached = true;
		stack[depth++] = root;
		while (depth) {
			uint32_t block = stack[depth - 1], to;

			if (next[block] == 2) {
				s->order[--at] = block;
				depth--;
				continue;
			}
			to = f->blocks[block].successors[next[block]++];
			if (to == NO_BLOCK || f->blocks[to].is_reached)
				continue;
			f->blocks[to].is_reached = true;
			stack[depth++] = to;
		}
	}
	s->order_count = f->block_count - at;
	memmove(s->order, s->order + at, s->order_count * sizeof(*s->order));
	return true;
}

/** Sorts each block's predecessors by the order, and leaves out those that are never reached. */
static bool order_predecessors(struct solver *s)
{
	struct flow_function *f = s->f;
	uint32_t *counts = arena_array(&s->arena, f->block_count, sizeof(*counts));

	if (!counts)
		return false;
	for (uint32_t i = 0; i < s->order_count; i++) {
		const struct flow_block *from = &f->blocks[s->order[i]];

		for (int k = 0; k < 2; k++)
			if (from->successors[k] != NO_BLOCK) {
				uint32_t to = from->successors[k];

				f->blocks[to].predecessors[counts[to]++] = s->order[i];
			}
	}
	for (uint32_t i = 0; i < f->block_count; i++)
		f->blocks[i].predecessor_count = counts[i];
	return true;
}

static void find_ways(struct solver *s, uint32_t number)
{
	const struct flow_block *block = &s->f->blocks[number];

	s->way_count = 0;
	if (block->is_entry)
		s->ways[s->way_count++] = s->entry;
	for (uint32_t i = 0; i < block->predecessor_count; i++)
		s->ways[s->way_count++] = &s->ends[row(s, block->predecessors[i])];
}

/** Runs through one block with what is believed so far; whether its end changed. */
static bool propagate_block(struct solver *s, uint32_t number)
{
	struct flow_function *f = s->f;
	const struct flow_block *block = &f->blocks[number];
	const uint32_t *classes = &s->classes[row(s, number)];
	symbol *state = &f->states[row(s, number)], *end = &s->ends[row(s, number)];

	find_ways(s, number);
	for (uint32_t i = 0; i < f->place_count; i++)
		state[i] = block->is_landing || classes[i] != NO_CLASS
				   ? symbol_make(SYMBOL_PHI,
					     (uint64_t)number << 24 |
						     (block->is_landing ? i : classes[i]))
				   : s->ways[0][i];
	memcpy(s->scratch, state, f->place_count * sizeof(*state));
	for (uint32_t i = 0; i < block->count; i++)
		flow_step(f, s->scratch, block->first + i);
	if (!memcmp(end, s->scratch, f->place_count * sizeof(*end)))
		return false;
	memcpy(end, s->scratch, f->place_count * sizeof(*end));
	return true;
}

/** Until nothing changes. False where that takes too long. */
static bool propagate(struct solver *s)
{
	for (uint32_t pass = 0; pass < MAX_FLOW_PASSES; pass++) {
		bool has_changed = false;

		for (uint32_t i = 0; i < s->order_count; i++)
			has_changed |= propagate_block(s, s->order[i]);
		if (!has_changed)
			return true;
	}
	return false;
}

static bool ways_agree(const struct solver *s, uint32_t place)
{
	for (uint32_t i = 1; i < s->way_count; i++)
		if (s->ways[i][place] != s->ways[0][place])
			return false;
	return true;
}

static bool come_in_alike(const struct solver *s, const uint32_t *old, uint32_t a, uint32_t b)
{
	if (old[a] != old[b])
		return false;
	for (uint32_t i = 0; i < s->way_count; i++)
		if (s->ways[i][a] != s->ways[i][b] || symbol_kind(s->ways[i][a]) == SYMBOL_NONE)
			return false;
	return true;
}

/** The first place that comes in as `place` does: by hash, and then by comparing. */
static uint32_t find_class(
	const struct solver *s, const uint32_t *old, struct u64map *firsts, uint32_t place)
{
	uint64_t hash = u64_hash(old[place]), first;

	for (uint32_t i = 0; i < s->way_count; i++)
		hash = u64_hash(hash ^ s->ways[i][place]);
	if (u64map_get(firsts, hash, &first) && come_in_alike(s, old, (uint32_t)first, place))
		return (uint32_t)first;
	u64map_put(firsts, hash, place);
	return place;
}

/** Splits what the ways into one block disagree on; whether there was anything. */
static bool refine_block(struct solver *s, uint32_t number)
{
	uint32_t *classes = &s->classes[row(s, number)];
	uint32_t count = s->f->place_count;
	struct u64map firsts;
	bool has_changed;

	if (s->f->blocks[number].is_landing)
		return false;
	u64map_init(&firsts, &s->arena);
	find_ways(s, number);
	for (uint32_t i = 0; i < count; i++)
		s->new_classes[i] = classes[i] == NO_CLASS && ways_agree(s, i)
					    ? NO_CLASS
					    : find_class(s, classes, &firsts, i);
	has_changed = memcmp(classes, s->new_classes, count * sizeof(*classes)) != 0;
	memcpy(classes, s->new_classes, count * sizeof(*classes));
	return has_changed;
}

static bool solve(struct flow_function *f)
{
	struct solver s;
	bool is_solved = false;

	if (solver_init(&s, f) && find_order(&s) && order_predecessors(&s))
		for (uint32_t pass = 0; pass < MAX_FLOW_PASSES && !is_solved; pass++) {
			if (!propagate(&s))
				break;
			is_solved = true;
			for (uint32_t i = 0; i < s.order_count; i++)
				is_solved &= !refine_block(&s, s.order[i]);
		}
	arena_deinit(&s.arena);
	return is_solved;
}

/**
 * A variable whose address is taken has pointers, then the collector has it in its list of stack
 * objects, or it has none. So only a word that is a live pointer at some call, beside those
 * objects, is surely no part of one; any other word above an address that was taken may be.
 */
static bool is_exposed(const struct flow_function *f, const struct stack_map *map, int64_t offset)
{
	target_addr address = map->argp + (uint64_t)offset; // as if the CFA were what argp is
	struct stack_object object;
	bool may_be = false;

	for (uint32_t i = 0; i < map->object_count; i++)
		if (stack_map_object(f->frames->rt, map, i, &object) && address >= object.start &&
			address - object.start < object.size)
			return true;
	for (uint32_t i = 0; i < f->exposed_count; i++)
		may_be |= f->exposed[i] <= offset && (f->exposed[i] >= 0 || offset < 0);
	return may_be && !(address >= map->locals.start &&
				 pointer_words_has(&map->locals,
					 (uint32_t)((address - map->locals.start) / FLOW_WORD)));
}

static bool find_exposed(struct flow_function *f, const struct code_place *place)
{
	// Any stack pointer does: only offsets count.
	target_addr sp = (target_addr)1 << 40;
	struct stack_map map;
	bool has_map = stack_map_load_any(f->frames->rt, place, sp, &map);

	if (has_map && map.locals.count && map.locals.start < map.argp)
		f->lowest_local = (int64_t)(map.locals.start - map.argp);
	f->is_exposed = arena_array(f->arena, f->slot_count + 1, sizeof(*f->is_exposed));
	if (!f->is_exposed)
		return false;
	for (uint32_t i = 0; i < f->slot_count; i++)
		f->is_exposed[i] = has_map ? is_exposed(f, &map, flow_slot_offset(f->slots[i]))
					   : f->exposed_count > 0;
	return true;
}

struct flow_function *flow_function_create(
	const struct frame_table *frames, const struct code_place *place)
{
	target_addr entry = frames->frames[place->first_frame].entry;
	struct arena *arena = frames->rt->arena;
	struct flow_function *f = arena_alloc(arena, sizeof(*f));

	if (!f || image_arch(frames->rt->image) != ARCH_AMD64)
		return NULL;
	f->frames = frames;
	f->arena = arena;
	u64map_init(&f->constant_index, arena);
	u64map_init(&f->derived_index, arena);
	if (!modules_find_function(frames->rt, entry, &f->func) || !flow_code_load(f) ||
		!find_exposed(f, place) || !solve(f))
		return NULL;
	return f;
}

target_addr flow_function_entry(const struct flow_function *function)
{
	return function->func.entry;
}

/** The block that holds instruction `index`. */
static uint32_t block_with(const struct flow_function *f, uint32_t index)
{
	uint32_t low = 0, high = f->block_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (f->blocks[middle].first <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/** The instruction that stands at `place`: the call before its pc, or the one at it. */
static uint32_t instruction_at(
	const struct flow_function *f, const struct code_place *place, bool is_exact)
{
	target_addr pc = f->frames->frames[place->first_frame].pc;
	uint32_t low = instructions_index(f->instructions, f->instruction_count, pc);

	if (is_exact)
		return low < f->instruction_count && f->instructions[low].pc == pc ? low
										   : NO_INSTRUCTION;
	if (!low || f->instructions[low - 1].kind != INSTRUCTION_CALL ||
		f->instructions[low - 1].pc + f->instructions[low - 1].size != pc)
		return NO_INSTRUCTION;
	return low - 1;
}

static void list_slots(const struct flow_function *f, const symbol *state, struct flow_site *site)
{
	for (uint32_t i = 0; i < f->slot_count; i++) {
		symbol value = state[AMD64_REGISTERS + i];

		if (symbol_kind(value) != SYMBOL_NONE && !f->is_exposed[i])
			site->slots[site->slot_count++] =
				(struct flow_slot){.offset = flow_slot_offset(f->slots[i]),
					.size = flow_slot_size(f->slots[i]),
					.symbol = value};
	}
}

bool flow_function_site(
	struct flow_function *function, const struct code_place *place, struct flow_site *ret)
{
	struct flow_function *f = function;
	bool is_exact = place->map_index == NO_STACK_MAP;
	uint32_t at = instruction_at(f, place, is_exact), block;
	symbol *state = arena_array(f->arena, f->place_count, sizeof(*state));

	*ret = (struct flow_site){.function = f};
	ret->slots = arena_array(f->arena, f->slot_count + 1, sizeof(*ret->slots));
	if (at == NO_INSTRUCTION || !state || !ret->slots)
		return false;
	block = block_with(f, at);
	if (!f->blocks[block].is_reached)
		return false;
	memcpy(state, &f->states[(size_t)block * f->place_count], f->place_count * sizeof(*state));
	for (uint32_t i = f->blocks[block].first; i < at; i++)
		flow_step(f, state, i);
	memcpy(ret->registers, state, sizeof(ret->registers));
	ret->is_call = !is_exact;
	ret->instruction = at;
	if (ret->is_call) {
		ret->target = f->instructions[at].target;
		flow_step(f, state, at);
	}
	list_slots(f, state, ret);
	return true;
}
