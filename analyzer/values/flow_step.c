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

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static void forget_slots(struct flow_function *f, symbol *state, int64_t from, int64_t to)
{
	for (uint32_t i = flow_slot_index(f, from - FLOW_WORD + 1);
		i < f->slot_count && f->slots[i] < to; i++)
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

static symbol value_of(
	struct flow_function *f, const symbol *state, uint32_t i, const struct operand *op)
{
	int64_t offset;
	uint32_t slot;

	if (op->kind == OPERAND_CONSTANT)
		return constant(f, (uint64_t)op->value);
	if (op->kind == OPERAND_REGISTER && op->reg == AMD64_RSP)
		return symbol_make(SYMBOL_FRAME, (uint64_t)(int64_t)(-f->deltas[i] - FLOW_WORD));
	if (op->kind == OPERAND_REGISTER)
		return state[op->reg];
	if (op->size == FLOW_WORD && frame_operand(f, state, i, op, &offset)) {
		slot = flow_slot_index(f, offset);
		if (slot < f->slot_count && f->slots[slot] == offset && !f->is_exposed[slot])
			return state[AMD64_REGISTERS + slot];
	}
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
	if (offset % FLOW_WORD)
		return;
	for (int64_t at = 0; at < in->to.size; at += FLOW_WORD) {
		uint32_t slot = flow_slot_index(f, offset + at);

		// A vector register is followed as the constant zero only.
		if ((in->to.size == FLOW_WORD || symbol_kind(value) == SYMBOL_CONSTANT) &&
			in->to.size % FLOW_WORD == 0 && slot < f->slot_count &&
			f->slots[slot] == offset + at)
			state[AMD64_REGISTERS + slot] = value;
	}
}

static void move(struct flow_function *f, symbol *state, uint32_t i)
{
	const struct instruction *in = &f->instructions[i];
	symbol value = value_of(f, state, i, &in->from);

	change_registers(state, in->changed, i);
	if (in->to.kind == OPERAND_MEMORY) {
		if (in->to.size < FLOW_WORD)
			value = symbol_make(SYMBOL_NONE, 0);
		store(f, state, i, value);
	} else if (in->to.kind == OPERAND_REGISTER && symbol_kind(value) != SYMBOL_NONE) {
		state[in->to.reg] = value;
	}
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
	change_registers(state, in->changed, i);
	if (symbol_kind(value) != SYMBOL_NONE)
		state[in->to.reg] = value;
}

/** The words below the frame's own variables: there a callee keeps its arguments. */
static void forget_callee_words(
	struct flow_function *f, symbol *state, uint32_t i, const struct pcln_func *callee)
{
	int64_t sp = -f->deltas[i] - FLOW_WORD;

	if (callee && callee->arguments_size >= 0)
		forget_slots(f, state, sp, sp + callee->arguments_size);
	else
		forget_slots(f, state, sp, 0);
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
