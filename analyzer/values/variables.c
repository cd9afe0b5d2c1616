#include "analyzer/values/variables.h"

#include "analyzer/values/generics.h"
#include "analyzer/values/known_registers.h"
#include "analyzer/values/liveness.h"
#include "analyzer/values/reading.h"
#include "analyzer/values/variable_track.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define WORD 8
#define RUNTIME_DEPTH 1
#define LARGE_SHARE 8 // of a goroutine's values that one variable may take
#define MAX_READ_PIECES (MAX_DWARF_PIECES * 2)

/* One physical frame of one goroutine. */
struct frame_state {
	const struct goroutine *g;
	const struct walk *walk;
	uint32_t index; // in the walk
	target_addr sp, cfa;
	uint64_t first; // the position of its innermost logical frame in the stack
	struct known_registers registers;
};

static int compare_stacks(const void *a, const void *b)
{
	target_addr left = *(const target_addr *)a, right = *(const target_addr *)b;

	return left < right ? -1 : left > right;
}

enum cs_status variable_reader_init(struct variable_reader *ret, struct variable_plans *plans,
	const struct thread_states *threads, const struct goroutines *goroutines,
	struct value_reader *values, struct liveness *liveness)
{
	*ret = (struct variable_reader){.plans = plans,
		.threads = threads,
		.goroutines = goroutines,
		.values = values,
		.liveness = liveness,
		.runtime_limits = *values->limits};
	if (ret->runtime_limits.max_depth > RUNTIME_DEPTH)
		ret->runtime_limits.max_depth = RUNTIME_DEPTH;
	ret->stacks =
		arena_array(plans->frames->rt->arena, goroutines->count, 2 * sizeof(*ret->stacks));
	if (goroutines->count && !ret->stacks)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < goroutines->count; i++) {
		ret->stacks[2 * i] = goroutines->list[i].stack_lo;
		ret->stacks[2 * i + 1] = goroutines->list[i].stack_hi;
	}
	ret->stack_count = goroutines->count;
	ret->flow = flow_create(plans->frames);
	u64map_init(&ret->tracked, plans->frames->rt->arena);
	if (ret->stack_count)
		qsort(ret->stacks, ret->stack_count, 2 * sizeof(*ret->stacks), compare_stacks);
	return CS_OK;
}

/* Whether `address` lies in some goroutine's stack. */
static bool is_on_stack(const struct variable_reader *reader, target_addr address)
{
	size_t low = 0, high = reader->stack_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reader->stacks[2 * middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < reader->stacks[2 * (low - 1) + 1];
}

/*
 * A pointer into a stack is true only in the own one, at or above the frame: stacks move when they
 * grow, and a dead slot keeps where something was before.
 */
static bool is_stale_pointer(
	const struct variable_reader *reader, const struct frame_state *frame, target_addr pointer)
{
	if (pointer >= frame->g->stack_lo && pointer < frame->g->stack_hi)
		return pointer < frame->sp;
	return is_on_stack(reader, pointer);
}

static void set_bits(struct piece *piece, uint64_t bits)
{
	piece->bits = bits;
	// More than a register's worth: the upper half of a vector register, which nothing tells.
	if (piece->size > WORD)
		piece->unavailable = UNAVAILABLE_CLOBBERED;
}

/*
 * What the flow of values tells: *evidence_ret says how, and the piece lies in the word that still
 * holds it, so that it is known whether that keeps what it points to.
 */
static void set_flow_value(
	const struct flow_value *value, struct piece *piece, enum evidence *evidence_ret)
{
	*evidence_ret = value->evidence;
	set_bits(piece, value->bits);
	piece->is_in_memory = value->slot;
	piece->address = value->slot;
}

/* A register that is known here, or that the flow of values tells. */
static void place_register(const struct variable_reader *reader, const struct frame_state *frame,
	uint32_t reg, struct piece *piece, enum evidence *evidence_ret)
{
	struct flow_value value;
	uint64_t word;

	if (known_register(&frame->registers, reg, &word))
		set_bits(piece, word);
	else if (piece->size <= WORD &&
		 flow_register(reader->flow, frame->walk, frame->index, reg, piece->size, &value))
		set_flow_value(&value, piece, evidence_ret);
	else
		piece->unavailable = UNAVAILABLE_CLOBBERED;
}

/* A part that DWARF has lost. */
static struct piece place_symbol(const struct variable_reader *reader,
	const struct frame_state *frame, uint64_t held, struct piece piece,
	enum evidence *evidence_ret)
{
	struct flow_value value;

	if (flow_symbol(reader->flow, frame->walk, frame->index, held, piece.size, &value))
		set_flow_value(&value, &piece, evidence_ret);
	else
		piece.unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	return piece;
}

static struct piece place_piece(const struct variable_reader *reader,
	const struct frame_state *frame, const struct dwarf_piece *from, uint32_t offset,
	uint32_t size, enum evidence *evidence_ret)
{
	struct piece piece = {.offset = offset, .size = size};
	uint64_t word = 0;

	switch (from->kind) {
	case DWARF_PIECE_NONE:
		piece.unavailable = UNAVAILABLE_OPTIMIZED_OUT;
		break;
	case DWARF_PIECE_FRAME:
		piece.is_in_memory = true;
		piece.address = frame->cfa + (uint64_t)from->number;
		break;
	case DWARF_PIECE_ADDRESS:
		piece.is_in_memory = true;
		piece.address = (uint64_t)from->number + reader->plans->frames->rt->bias;
		break;
	case DWARF_PIECE_REGISTER:
		place_register(reader, frame, from->register_number, &piece, evidence_ret);
		break;
	case DWARF_PIECE_REGISTER_MEMORY:
		if (!known_register(&frame->registers, from->register_number, &word))
			piece.unavailable = UNAVAILABLE_CLOBBERED;
		piece.is_in_memory = true;
		piece.address = word + (uint64_t)from->number;
		break;
	case DWARF_PIECE_CONSTANT:
		set_bits(&piece, (uint64_t)from->number);
		break;
	case DWARF_PIECE_FRAME_ADDRESS:
		set_bits(&piece, frame->cfa + (uint64_t)from->number);
		break;
	case DWARF_PIECE_BYTES:
		memcpy(&word, from->bytes, size < WORD ? size : WORD);
		set_bits(&piece, word);
		break;
	}
	return piece;
}

/* The pieces of a value of `size` bytes; the number of them. What DWARF leaves out is no more. */
static uint32_t place_pieces(const struct variable_reader *reader, const struct frame_state *frame,
	const struct planned_variable *variable, uint64_t size, struct piece *ret,
	enum evidence *evidence_ret)
{
	uint32_t count = 0;
	uint64_t at = 0;

	for (uint32_t i = 0; i < variable->piece_count && i < MAX_READ_PIECES && at < size; i++) {
		const struct dwarf_piece *piece = &variable->pieces[i];
		uint64_t part = piece->size && piece->size < size - at ? piece->size : size - at;

		if (part > UINT32_MAX)
			return 0;
		if (variable->symbols && variable->symbols[i])
			ret[count++] = place_symbol(reader, frame, variable->symbols[i],
				(struct piece){.offset = (uint32_t)at, .size = (uint32_t)part},
				evidence_ret);
		else
			ret[count++] = place_piece(
				reader, frame, piece, (uint32_t)at, (uint32_t)part, evidence_ret);
		at += part;
	}
	return count;
}

/* The address where all of the pieces lie one behind the other; 0: they do not. */
static target_addr common_address(const struct piece *pieces, uint32_t count, uint64_t size)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (pieces[i].unavailable || !pieces[i].is_in_memory ||
			pieces[i].address != pieces[0].address + at)
			return 0;
		at += pieces[i].size;
	}
	return count && at == size ? pieces[0].address : 0;
}

/* Memory of the frame is its function's; of a value without size any address is as good. */
static struct place place_of(const struct variable_reader *reader, const struct frame_state *frame,
	const struct planned_variable *variable, uint64_t size, struct piece *scratch)
{
	struct place place = {0};

	place.piece_count = place_pieces(reader, frame, variable, size, scratch, &place.evidence);
	place.pieces = scratch;
	// A word that only happens to hold the same is not where the variable lies.
	if (!place.evidence) {
		place.address = size ? common_address(scratch, place.piece_count, size) : frame->sp;
		place.evidence = variable->evidence;
	}
	return place;
}

static struct value *value_without(
	struct value_reader *values, struct type *type, enum unavailable why)
{
	static const struct place nowhere;
	struct value *value = values->nodes_left ? value_make(values, type, &nowhere) : NULL;

	if (value)
		fail(value, why);
	return value;
}

/* Where the variable itself lies that an escaped one's slot points to. */
static enum unavailable find_escaped(const struct variable_reader *reader,
	const struct frame_state *frame, const struct place *slot, struct place *ret)
{
	target_addr pointer;
	enum unavailable why = fetch_word(reader->values, slot, 0, &pointer);

	if (why)
		return why;
	if (!pointer)
		return UNAVAILABLE_NOT_ASSIGNED;
	if (is_stale_pointer(reader, frame, pointer))
		return UNAVAILABLE_OPTIMIZED_OUT;
	*ret = place_at(pointer, true);
	return is_kept(reader->values, slot, 0, pointer) ? AVAILABLE : UNAVAILABLE_NOT_KEPT_ALIVE;
}

/* A pointer into a stack that cannot be: what held it is dead. */
static bool is_stale(const struct variable_reader *reader, const struct frame_state *frame,
	const struct value *value)
{
	if (!value || value->unavailable == UNAVAILABLE_CORRUPT || !value->has_pointer)
		return false;
	return is_stale_pointer(reader, frame, value->pointer);
}

/*
 * The type that a generic function's variable has in this call. Those of a generic function that
 * was inlined have none of their own dictionary.
 */
static struct type *concrete_type(const struct variable_reader *reader,
	const struct frame_state *frame, const struct planned_variable *variable)
{
	const struct frame_table *frames = reader->plans->frames;
	const struct code_place *place = &frames->places[frame->walk->places[frame->index]];

	if (variable->dict_index < 0 || variable->frame + 1 != place->frame_count)
		return variable->type;
	return generic_type(reader->values->types, frames->rt,
		generic_dictionary(reader->flow, frames, frame->walk, frame->index),
		variable->dict_index, variable->type);
}

static struct value *read_variable(struct variable_reader *reader, const struct frame_state *frame,
	const struct planned_variable *variable)
{
	struct piece pieces[MAX_READ_PIECES];
	struct value_reader *values = reader->values;
	uint64_t size = variable->is_escaped ? WORD : variable->type->size;
	struct place place = place_of(reader, frame, variable, size, pieces);
	struct value *value;

	if (variable->is_escaped) {
		struct place slot = place;
		enum unavailable why = find_escaped(reader, frame, &slot, &place);

		if (why)
			return value_without(values, variable->type, why);
	}
	value = value_read(values, concrete_type(reader, frame, variable), &place);
	if (is_stale(reader, frame, value))
		return value_without(values, variable->type, UNAVAILABLE_OPTIMIZED_OUT);
	return value;
}

/* One goroutine's list in the making. */
struct reading_state {
	struct variable *list;
	size_t count, max;     // max: how many there will be
	uint64_t values, left; // that may be made: for all, and now
};

/*
 * How many values the next variable may have: one large variable leaves a share to each of those
 * behind it.
 */
static uint64_t share(const struct reading_state *state)
{
	uint64_t remaining = state->max - state->count;
	uint64_t even = state->left / (remaining ? remaining : 1),
		 most = state->values / LARGE_SHARE;

	if (even > most)
		return even;
	return state->left > remaining && most < state->left - remaining ? most : even;
}

/* The runtime's own frames lead to all of its structures; a person looks for the program's. */
static bool is_runtime(const struct variable_reader *reader, const struct code_place *place,
	const struct planned_variable *variable)
{
	const char *function =
		reader->plans->frames->frames[place->first_frame + variable->frame].function;

	return !strncmp(function, "runtime.", strlen("runtime."));
}

static void read_frame(struct variable_reader *reader, const struct frame_state *frame,
	const struct code_place *place, const struct variable_plan *plan,
	struct reading_state *state)
{
	struct value_reader *values = reader->values;
	const struct value_limits *limits = values->limits;

	for (uint32_t i = 0; i < plan->count && state->count < state->max; i++) {
		const struct planned_variable *variable = &plan->variables[i];
		uint64_t allowed = share(state);

		if (variable->unavailable)
			continue;
		values->nodes_left = allowed;
		if (is_runtime(reader, place, variable))
			values->limits = &reader->runtime_limits;
		state->list[state->count++] =
			(struct variable){.frame = frame->first + variable->frame,
				.name = variable->name,
				.is_argument = variable->is_argument,
				.is_shadowed = variable->is_shadowed,
				.value = read_variable(reader, frame, variable)};
		values->limits = limits;
		state->left -= allowed - values->nodes_left;
	}
}

static size_t count_variables(struct variable_reader *reader, const struct walk *walk)
{
	size_t total = 0;

	for (uint32_t i = 0; i < walk->count && total < MAX_VARIABLES; i++) {
		const struct variable_plan *plan = variable_plan_of(reader->plans, walk->places[i]);

		for (uint32_t k = 0; k < plan->count; k++)
			total += !plan->variables[k].unavailable;
	}
	return total;
}

/* Bytes of a piece of a variable's location; at most a register's. */
static uint32_t piece_size(const struct planned_variable *variable, uint32_t index)
{
	uint64_t size = variable->pieces[index].size;

	if (!size)
		size = variable->is_escaped ? WORD : variable->type->size;
	return size < WORD ? (uint32_t)size : WORD;
}

/* Whether the flow of values tells any of the registers that the variable lies in. */
static bool is_recovered(const struct variable_reader *reader, const struct walk *walk,
	uint32_t index, const struct planned_variable *variable)
{
	struct flow_value value;

	for (uint32_t i = 0; i < variable->piece_count; i++) {
		uint32_t size = piece_size(variable, i);

		if (variable->symbols && variable->symbols[i] &&
			flow_symbol(reader->flow, walk, index, variable->symbols[i], size, &value))
			return true;
		if (variable->pieces[i].kind == DWARF_PIECE_REGISTER &&
			flow_register(reader->flow, walk, index,
				variable->pieces[i].register_number, size, &value))
			return true;
	}
	return false;
}

/*
 * "text = text[:3]" leaves no trace but that nobody reads the old length again, while the pointer
 * is read: a constant has no place that a location list could name, so the list keeps the old one.
 */
static bool drop_cut(struct variable_reader *reader, const struct walk *walk, uint32_t index,
	struct planned_variable *variable)
{
	const struct dwarf_piece *pieces = variable->pieces;

	if (variable->unavailable || variable->is_escaped || variable->piece_count < 2 ||
		(variable->type->kind != GO_STRING && variable->type->kind != GO_SLICE) ||
		pieces[0].kind != DWARF_PIECE_FRAME || pieces[1].kind != DWARF_PIECE_FRAME ||
		pieces[0].size != WORD ||
		!flow_reads_only(reader->flow, walk, index, pieces[0].number, pieces[1].number))
		return false;
	variable->pieces[1] = (struct dwarf_piece){.kind = DWARF_PIECE_NONE, .size = WORD};
	variable->unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	return true;
}

/* Looks, in one goroutine that stands there, for what DWARF has lost of the place's variables. */
static void plan_place(
	struct variable_reader *reader, const struct walk *walk, uint32_t index, bool is_first)
{
	uint32_t place = walk->places[index];
	const struct variable_plan *plan = variable_plan_of(reader->plans, place);

	for (uint32_t k = 0; k < plan->count; k++) {
		struct planned_variable *variable = variable_plan_change(reader->plans, place, k);

		if (is_first && !drop_cut(reader, walk, index, variable))
			variable_track(reader->plans, reader->flow, walk, index, k);
		if (is_first)
			variable_begin(reader->plans, walk, index, k);
		if ((variable->unavailable == UNAVAILABLE_CLOBBERED || variable->symbols) &&
			variable->unavailable && is_recovered(reader, walk, index, variable))
			variable->unavailable = AVAILABLE;
	}
}

void variables_plan(struct variable_reader *reader, const struct walk *walk)
{
	for (uint32_t i = 0; i < walk->count; i++) {
		uint64_t known;
		bool is_first = !u64map_get(&reader->tracked, walk->places[i], &known);

		if (is_first && !u64map_put(&reader->tracked, walk->places[i], 1))
			continue;
		plan_place(reader, walk, i, is_first);
	}
}

size_t variables_read(struct variable_reader *reader, const struct goroutine *g,
	const struct walk *walk, struct arena *scratch, uint64_t max_values, struct variable **ret)
{
	const struct frame_table *frames = reader->plans->frames;
	struct reading_state state = {.values = max_values, .left = max_values};
	uint64_t first = 0;

	state.max = count_variables(reader, walk);
	state.list = arena_array(scratch, state.max, sizeof(*state.list));
	*ret = state.list;
	if (!state.list)
		return 0;
	value_reader_begin(reader->values, scratch, max_values);
	liveness_begin(reader->liveness, scratch, g, walk);
	for (uint32_t i = 0; i < walk->count && state.count < state.max; i++) {
		const struct code_place *place = &frames->places[walk->places[i]];
		const struct variable_plan *plan = variable_plan_of(reader->plans, walk->places[i]);
		struct frame_state frame = {
			.g = g, .walk = walk, .index = i, .sp = walk->sps[i], .first = first};

		frame.cfa = frame.sp + (uint64_t)place->frame_size;
		if (plan->count && place->has_frame_size) {
			known_registers_load(frames, reader->threads, g, walk, i, &frame.registers);
			read_frame(reader, &frame, place, plan, &state);
		}
		first += place->frame_count;
	}
	return state.count;
}
