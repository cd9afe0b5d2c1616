// What one instruction does to what is known of registers and words.
#include "analyzer/values/flow_internal.h"

#include <string.h>

static symbol constant(struct flow_function *f, uint64_t value)
{
	uint64_t index;
	uint64_t *grown;

	if (u64map_get(&f->constant_index, value, &index))
		return symbol_make(SYMBOL_CONSTANT, index);
	grown = arena_grow(f->arena, f->constants, &f->constant_capacity, f->constant_count + 1,
		sizeof(*grown));
	if (!grown || !u64map_put(&f->constant_index, value, f->constant_count))
		return symbol_make(SYMBOL_NONE, 0);
	f->constants = grown;
	grown[f->constant_count] = value;
	return symbol_make(SYMBOL_CONSTANT, f->constant_count++);
}

static bool is_same_derived(const struct flow_derived *a, const struct flow_derived *b)
{
	return a->base == b->base && a->addend == b->addend && a->size == b->size &&
	       a->is_signed == b->is_signed;
}

static symbol derived(struct flow_function *f, struct flow_derived wanted)
{
	uint64_t hash = u64_hash(wanted.base ^ u64_hash(wanted.addend)) + wanted.size;
	uint64_t index;
	struct flow_derived *grown;

	if (symbol_kind(wanted.base) == SYMBOL_NONE || (!wanted.addend && wanted.size == FLOW_WORD))
		return wanted.base;
	hash = u64_hash(hash * 2 + wanted.is_signed);
	if (u64map_get(&f->derived_index, hash, &index))
		return is_same_derived(&f->derived[index], &wanted)
			       ? symbol_make(SYMBOL_DERIVED, index)
			       : symbol_make(SYMBOL_NONE, 0);
	grown = arena_grow(
		f->arena, f->derived, &f->derived_capacity, f->derived_count + 1, sizeof(*grown));
	if (!grown || !u64map_put(&f->derived_index, hash, f->derived_count))
		return symbol_make(SYMBOL_NONE, 0);
	f->derived = grown;
	grown[f->derived_count] = wanted;
	return symbol_make(SYMBOL_DERIVED, f->derived_count++);
}

static symbol derive_sum(struct flow_function *f, symbol from, int64_t addend)
{
	struct flow_derived wanted = flow_function_derived(f, from);

	if (wanted.size != FLOW_WORD)
		return symbol_make(SYMBOL_NONE, 0);
	wanted.addend += (uint64_t)addend;
	return derived(f, wanted);
}

static symbol derive_part(struct flow_function *f, symbol from, uint32_t size, bool is_signed)
{
	struct flow_derived wanted = flow_function_derived(f, from);

	// What was made of fewer bytes by zeros is the same once more.
	if (wanted.size < FLOW_WORD && size >= wanted.size)
		return wanted.is_signed ? symbol_make(SYMBOL_NONE, 0) : from;
	wanted.size = size;
	wanted.is_signed = is_signed;
	return derived(f, wanted);
}

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static void forget_slots(struct flow_function *f, symbol *state, int64_t from, int64_t to)
{
	for (uint32_t i = flow_slot_index(f, flow_slot_key(from - FLOW_WORD + 1, 0));
		i < f->slot_count && flow_slot_offset(f->slots[i]) < to; i++)
		if (flow_slot_offset(f->slots[i]) + flow_slot_size(f->slots[i]) > from)
			state[AMD64_REGISTERS + i] = symbol_make(SYMBOL_NONE, 0);
}

static void change_registers(symbol *state, uint32_t changed, uint32_t instruction)
{
	for (uint32_t reg = 0; reg < AMD64_REGISTERS; reg++)
		if (changed >> reg & 1)
			state[reg] = symbol_make(SYMBOL_FRESH, (uint64_t)instruction << 8 | reg);
}

/** Where an operand of instruction `i` points in the frame, by rsp or by a register that does. */
static bool frame_operand(const struct flow_function *f, const symbol *state, uint32_t i,
	const struct operand *op, int64_t *ret)
{
	if (flow_stack_offset(f, i, op, ret))
		return true;
	if (op->kind != OPERAND_MEMORY || op->has_index || op->reg >= AMD64_REGISTERS ||
		symbol_kind(state[op->reg]) != SYMBOL_FRAME)
		return false;
	*ret = symbol_offset(state[op->reg]) + op->value;
	return true;
}

static bool has_slot(const struct flow_function *f, int64_t key, uint32_t *ret)
{
	*ret = flow_slot_index(f, key);
	return *ret < f->slot_count && f->slots[*ret] == key;
}

/** What is loaded from a slot of just this size, or from the lowest bytes of a word. */
static symbol slot_value(
	const struct flow_function *f, const symbol *state, int64_t offset, uint32_t size)
{
	const uint32_t sizes[] = {size, FLOW_WORD};

	for (size_t i = 0; i < 2; i++) {
		uint32_t slot;

		if (has_slot(f, flow_slot_key(offset, sizes[i]), &slot) && !f->is_exposed[slot] &&
			symbol_kind(state[AMD64_REGISTERS + slot]) != SYMBOL_NONE)
			return state[AMD64_REGISTERS + slot];
	}
	return symbol_make(SYMBOL_NONE, 0);
}

static symbol value_of(
	struct flow_function *f, const symbol *state, uint32_t i, const struct operand *op)
{
	int64_t offset;

	if (op->kind == OPERAND_CONSTANT)
		return constant(f, (uint64_t)op->value);
	if (op->kind == OPERAND_REGISTER && op->reg == AMD64_RSP)
		return symbol_make(SYMBOL_FRAME, (uint64_t)(int64_t)(-f->deltas[i] - FLOW_WORD));
	if (op->kind == OPERAND_REGISTER)
		return state[op->reg];
	if (op->size <= FLOW_WORD && frame_operand(f, state, i, op, &offset))
		return slot_value(f, state, offset, op->size);
	return symbol_make(SYMBOL_NONE, 0);
}

static void store(struct flow_function *f, symbol *state, uint32_t i, symbol value)
{
	const struct instruction *in = &f->instructions[i];
	int64_t offset;

	if (!frame_operand(f, state, i, &in->to, &offset)) {
		// With an index: an array in the frame, and how much of it is not known.
		if (in->to.reg == AMD64_RSP && in->to.kind == OPERAND_MEMORY)
			forget_slots(f, state, INT32_MIN, INT32_MAX);
		return;
	}
	forget_slots(f, state, offset, offset + (in->to.size ? in->to.size : 64));
	// A vector register is followed as the constant zero only.
	if (in->to.size > FLOW_WORD && symbol_kind(value) != SYMBOL_CONSTANT)
		return;
	for (int64_t at = 0; at < in->to.size; at += FLOW_WORD) {
		int64_t size = in->to.size - at < FLOW_WORD ? in->to.size - at : FLOW_WORD;
		uint32_t slot;

		if (has_slot(f, flow_slot_key(offset + at, (uint32_t)size), &slot))
			state[AMD64_REGISTERS + slot] = value;
	}
}

static void move(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];
	symbol value = value_of(f, state, i, &in->from);

	change_registers(state, in->changed, i);
	if (in->to.kind == OPERAND_MEMORY)
		store(f, state, i, value);
	else if (in->to.kind == OPERAND_REGISTER && symbol_kind(value) != SYMBOL_NONE)
		state[in->to.reg] = value;
}

static void extend(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];
	symbol value =
		derive_part(f, value_of(f, state, i, &in->from), in->from.size, in->is_signed);

	change_registers(state, in->changed, i);
	if (symbol_kind(value) != SYMBOL_NONE)
		state[in->to.reg] = value;
}

static void take_address(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];
	symbol value = symbol_make(SYMBOL_NONE, 0);
	int64_t offset;

	if (in->from.reg == AMD64_RIP && !in->from.has_index)
		value = constant(f, (uint64_t)in->from.value);
	else if (frame_operand(f, state, i, &in->from, &offset))
		value = symbol_make(SYMBOL_FRAME, (uint64_t)offset);
	else if (in->from.reg < AMD64_REGISTERS && !in->from.has_index)
		value = derive_sum(f, state[in->from.reg], in->from.value);
	change_registers(state, in->changed, i);
	if (symbol_kind(value) != SYMBOL_NONE)
		state[in->to.reg] = value;
}

/** The words below the frame's own variables: there a callee keeps its arguments. The collector's
 * maps of the frame hold its own variables only. */
static void forget_callee_words(
	struct flow_function *f, symbol *state, uint32_t i, const struct pcln_func *callee)
{
	int64_t sp = -f->deltas[i] - FLOW_WORD;

	if (callee && callee->arguments_size >= 0)
		forget_slots(f, state, sp, sp + callee->arguments_size);
	else
		forget_slots(f, state, sp, f->lowest_local);
}

static void fill(struct flow_function *f, symbol *state)
{
	if (symbol_kind(state[AMD64_RDI]) == SYMBOL_FRAME)
		forget_slots(f, state, symbol_offset(state[AMD64_RDI]), INT32_MAX);
}

static void call(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];
	struct pcln_func callee;
	bool is_known = in->target && modules_find_function(f->frames->rt, in->target, &callee);
	uint32_t changed = (1u << AMD64_REGISTERS) - 1;

	// asm_amd64.s: the write barrier keeps all registers but r11 (and flags).
	if (is_known && starts_with(callee.name, "runtime.gcWriteBarrier")) {
		change_registers(state, 1u << AMD64_R11, i);
		return;
	}
	if (is_known && starts_with(callee.name, "runtime.duff"))
		fill(f, state);
	else
		forget_callee_words(f, state, i, is_known ? &callee : NULL);
	// A callee restores the stack and, by the ABI, the frame pointer and the current g.
	changed &= ~(1u << AMD64_RSP | 1u << AMD64_RBP | 1u << AMD64_R14);
	change_registers(state, changed, i);
}

void flow_step(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];

	switch (in->kind) {
	case INSTRUCTION_MOVE:
		move(f, state, i);
		break;
	case INSTRUCTION_EXTEND:
		extend(f, state, i);
		break;
	case INSTRUCTION_ADDRESS:
		take_address(f, state, i);
		break;
	case INSTRUCTION_CALL:
		call(f, state, i);
		break;
	case INSTRUCTION_FILL:
		fill(f, state);
		change_registers(state, in->changed, i);
		break;
	default:
		change_registers(state, in->changed, i);
		if (in->to.kind == OPERAND_MEMORY)
			store(f, state, i, symbol_make(SYMBOL_NONE, 0));
	}
}
