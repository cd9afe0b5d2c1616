// A variable that its location list has lost: what it was said to hold last, on every way to the
// call, followed on under the name that value has there. Go's compiler ends a row where the
// register is overwritten, though the value lives on in a copy that has no name of its own.
//
// Nothing shows an assignment of a constant, or of what nobody uses (cmd/compile
// internal/ssa/debug.go, deadcode.go). So the last value counts only where there is no room for a
// statement in between, where the code goes on to use the value and no other variable has it, or
// where the variable is known to have no other.
#include "analyzer/values/flow_internal.h"

#include "analyzer/values/flow_track.h"
#include "common/limits.h"

#include <string.h>

struct track {
	struct flow_function *f;
	const struct flow_part *part;
	uint32_t call;  // the instruction
	symbol *state;  // scratch
	uint32_t *from; // of each block: the first instruction behind the last row, on some way
	uint32_t *to;   // and the one behind the last such; from == to: none
	uint32_t *queue;
	uint32_t queue_count, walked;
	const char *file; // of the call
	int32_t line;
	symbol symbol; // what all rows so far say
	bool is_failed, is_other_line;
};

static bool track_init(struct track *t, struct flow_function *f, const struct flow_part *part,
	struct arena *scratch, uint32_t call)
{
	*t = (struct track){.f = f, .part = part, .call = call};
	t->state = arena_array(scratch, f->place_count, sizeof(*t->state));
	t->from = arena_array(scratch, f->block_count, sizeof(*t->from));
	t->to = arena_array(scratch, f->block_count, sizeof(*t->to));
	t->queue = arena_array(scratch, f->block_count, sizeof(*t->queue));
	if (!t->state || !t->from || !t->to || !t->queue)
		return false;
	pclntab_line(modules_functions(f->frames->rt, f->func.entry), &f->func,
		f->instructions[call].pc, &t->file, &t->line);
	return true;
}

static const struct flow_row *row_at(const struct flow_part *part, target_addr pc)
{
	for (uint32_t i = 0; i < part->row_count; i++)
		if (pc >= part->rows[i].low && pc < part->rows[i].high)
			return &part->rows[i];
	return NULL;
}

/** What lies at the row's place before instruction `at` of block `number`. */
static symbol symbol_at(struct track *t, uint32_t number, uint32_t at, const struct flow_row *row)
{
	struct flow_function *f = t->f;
	uint32_t slot;

	memcpy(t->state, &f->states[(size_t)number * f->place_count],
		f->place_count * sizeof(*t->state));
	for (uint32_t i = f->blocks[number].first; i < at; i++)
		flow_step(f, t->state, i);
	if (row->is_register)
		return row->place >= 0 && row->place < AMD64_REGISTERS && row->place != AMD64_RSP
			       ? t->state[row->place]
			       : symbol_make(SYMBOL_NONE, 0);
	slot = flow_slot_index(f, flow_slot_key(row->place, t->part->size));
	return slot < f->slot_count && f->slots[slot] == flow_slot_key(row->place, t->part->size) &&
			       !f->is_exposed[slot]
		       ? t->state[AMD64_REGISTERS + slot]
		       : symbol_make(SYMBOL_NONE, 0);
}

static void look_at_line(struct track *t, uint32_t i)
{
	const char *file;
	int32_t line;

	if (t->is_other_line || t->part->is_constant)
		return;
	pclntab_line(modules_functions(t->f->frames->rt, t->f->func.entry), &t->f->func,
		t->f->instructions[i].pc, &file, &line);
	t->is_other_line = line != t->line || !file || !t->file || strcmp(file, t->file) != 0;
}

/** Adds the blocks before `number`. The function's begin is one that no row leads to. */
static void go_back(struct track *t, uint32_t number)
{
	const struct flow_block *block = &t->f->blocks[number];

	t->is_failed |= block->is_entry || block->is_landing || !block->predecessor_count;
	for (uint32_t i = 0; i < block->predecessor_count; i++) {
		uint32_t to = block->predecessors[i];
		const struct flow_block *from = &t->f->blocks[to];

		// The call's own block is walked once more, where a loop leads to it.
		if (t->to[to] == from->first + from->count)
			continue;
		t->from[to] = t->to[to] = from->first + from->count;
		t->queue[t->queue_count++] = to;
	}
}

/** From before instruction `end` of a block back to a row, or on to the blocks before. */
static void walk_block(struct track *t, uint32_t number, uint32_t end)
{
	const struct flow_block *block = &t->f->blocks[number];

	for (uint32_t i = end; i-- > block->first && !t->is_failed;) {
		const struct flow_row *row = row_at(t->part, t->f->instructions[i].pc);
		symbol found;

		look_at_line(t, i);
		t->from[number] = i;
		t->is_failed |= t->walked++ == MAX_FLOW_GAP;
		if (!row)
			continue;
		found = symbol_at(t, number, i, row);
		t->is_failed |=
			symbol_kind(found) == SYMBOL_NONE || (t->symbol && found != t->symbol);
		t->symbol = found;
		return;
	}
	if (!t->is_failed)
		go_back(t, number);
}

/** Whether the symbol is given anew between the row and the call: then it means another value. */
static bool is_renewed(const struct track *t)
{
	struct flow_derived derived = flow_function_derived(t->f, t->symbol);
	uint64_t payload = symbol_payload(derived.base);
	uint32_t at;

	if (symbol_kind(derived.base) == SYMBOL_PHI) {
		uint32_t block = (uint32_t)(payload >> 24);

		return t->to[block] > t->from[block] && t->from[block] == t->f->blocks[block].first;
	}
	if (symbol_kind(derived.base) != SYMBOL_FRESH)
		return false;
	at = (uint32_t)(payload >> 8);
	for (uint32_t i = 0; i < t->f->block_count; i++)
		if (at >= t->from[i] && at < t->to[i])
			return true;
	return false;
}

static bool overlaps_slot(const struct flow_function *f, uint32_t i, const struct operand *op,
	const struct flow_slot *slot)
{
	int64_t offset;

	return flow_stack_offset(f, i, op, &offset) && offset < slot->offset + slot->size &&
	       slot->offset < offset + (op->size ? op->size : FLOW_WORD);
}

/** 1: the instruction reads of the slot; -1: it overwrites it, as far as is known; 0: neither. */
static int touch(const struct flow_function *f, uint32_t i, const struct flow_slot *slot)
{
	const struct instruction *in = &f->instructions[i];

	if (overlaps_slot(f, i, &in->to, slot))
		return -1;
	return in->kind != INSTRUCTION_ADDRESS && overlaps_slot(f, i, &in->from, slot);
}

/** Whether the code behind instruction `call` goes on to read a slot. */
static bool is_read_later(const struct flow_function *f, uint32_t call,
	const struct flow_slot *slot, struct arena *scratch)
{
	bool *is_seen = arena_array(scratch, f->block_count, sizeof(*is_seen));
	uint32_t *queue = arena_array(scratch, f->block_count, sizeof(*queue));
	uint32_t count = 0, from = call + 1, number;

	if (!is_seen || !queue)
		return false;
	for (number = 0; number + 1 < f->block_count && f->blocks[number + 1].first <= call;)
		number++;
	for (;;) {
		const struct flow_block *block = &f->blocks[number];
		int touched = 0;

		for (uint32_t i = from; i < block->first + block->count && !touched; i++)
			touched = touch(f, i, slot);
		if (touched > 0)
			return true;
		for (int k = 0; k < 2 && !touched; k++) {
			uint32_t to = block->successors[k];

			if (to == NO_BLOCK || is_seen[to])
				continue;
			is_seen[to] = true;
			queue[count++] = to;
		}
		if (!count)
			return false;
		number = queue[--count];
		from = f->blocks[number].first;
	}
}

/** Whether the function needs the value once the call has returned. */
static bool is_needed(struct track *t, const struct flow_site *site, struct arena *scratch)
{
	for (uint32_t i = 0; i < site->slot_count; i++)
		if (site->slots[i].symbol == t->symbol &&
			is_read_later(t->f, t->call, &site->slots[i], scratch))
			return true;
	return false;
}

static symbol track(struct track *t, const struct flow_site *site, struct arena *scratch)
{
	uint32_t number = 0;

	while (number + 1 < t->f->block_count && t->f->blocks[number + 1].first <= t->call)
		number++;
	t->from[number] = t->call;
	walk_block(t, number, t->call);
	// What was walked of the call's own block; a loop may lead to its end.
	for (uint32_t first = t->from[number]; t->queue_count && !t->is_failed;) {
		uint32_t block = t->queue[--t->queue_count];

		walk_block(t, block, t->to[block]);
		if (block == number && first < t->from[block])
			t->from[block] = first;
	}
	if (!t->to[number])
		t->to[number] = t->call;
	if (t->is_failed || is_renewed(t))
		return symbol_make(SYMBOL_NONE, 0);
	if (t->part->is_constant || !t->is_other_line ||
		(t->part->is_alone && is_needed(t, site, scratch)))
		return t->symbol;
	return symbol_make(SYMBOL_NONE, 0);
}

symbol flow_function_track(
	struct flow_function *function, const struct flow_site *site, const struct flow_part *part)
{
	struct arena scratch;
	struct track t;
	symbol found = symbol_make(SYMBOL_NONE, 0);
	const struct flow_row *row = row_at(part, function->func.entry);

	if (!site->is_call)
		return found;
	if (part->is_parameter && part->is_constant && row && row->is_register && row->place >= 0 &&
		row->place < AMD64_REGISTERS)
		return symbol_entry((uint32_t)row->place);
	arena_init(&scratch, 0);
	if (track_init(&t, function, part, &scratch, site->instruction))
		found = track(&t, site, &scratch);
	arena_deinit(&scratch);
	return found;
}

bool flow_function_reads(
	const struct flow_function *function, const struct flow_site *site, int64_t offset)
{
	struct flow_slot slot = {.offset = offset, .size = FLOW_WORD};
	struct arena scratch;
	bool is_read;

	arena_init(&scratch, 0);
	is_read = is_read_later(function, site->instruction, &slot, &scratch);
	arena_deinit(&scratch);
	return is_read;
}
