// The tables are executed by libdw; what it answers are small DWARF expressions, evaluated here
// over the core's memory. Any operation that call frame tables have no use for ends the walk.
#include "analyzer/binary/cfi.h"

#include "analyzer/core/arch.h"
#include "common/limits.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#define ARM64_LINK 30
// Return addresses may be signed: user space has 48 (or 52) bits of address, and bit 55 is clear.
#define ARM64_PC_MASK UINT64_C(0x000fffffffffffff)

struct cfi_arch {
	uint64_t pc_mask;
	/*
	 * A bit for each register that calls keep, where no rule is given. libdw 0.188 has a list
	 * of its own, in which rax stands for rbx (elfutils backends/x86_64_cfi.c).
	 */
	uint64_t kept;
};

static const struct cfi_arch arches[] = {
	[ARCH_AMD64] = {UINT64_MAX, 0xf048},
	[ARCH_ARM64] = {ARM64_PC_MASK, 0x3ff80000},
};

int cfi_stack_pointer(enum image_arch arch)
{
	return (int)arch_facts(arch)->dwarf_sp;
}

void cfi_set(struct cfi_registers *registers, int number, uint64_t value)
{
	registers->value[number] = value;
	registers->known |= UINT64_C(1) << number;
}

static bool get(const struct cfi_registers *registers, uint64_t number, uint64_t *ret)
{
	if (number >= CFI_REGISTERS || !(registers->known >> number & 1))
		return false;
	*ret = registers->value[number];
	return true;
}

target_addr cfi_sp(enum image_arch arch, const struct cfi_registers *registers)
{
	uint64_t sp = 0;

	get(registers, arch_facts(arch)->dwarf_sp, &sp);
	return sp;
}

target_addr cfi_link(enum image_arch arch, const struct cfi_registers *registers)
{
	uint64_t link = 0;

	if (arch == ARCH_ARM64)
		get(registers, ARM64_LINK, &link);
	return link & ARM64_PC_MASK;
}

void cfi_set_link(enum image_arch arch, struct cfi_registers *registers, target_addr link)
{
	if (arch == ARCH_ARM64 && link)
		cfi_set(registers, ARM64_LINK, link);
}

struct cfi_registers cfi_of_thread(enum image_arch arch, const struct image_regs *regs)
{
	const struct arch *facts = arch_facts(arch);
	struct cfi_registers ret = {.pc = regs->pc, .is_exact = true};

	for (uint32_t i = 0; i < facts->dwarf_count; i++)
		if (facts->dwarf[i].index < regs->count)
			cfi_set(&ret, (int)i, regs->raw[facts->dwarf[i].index]);
	cfi_set(&ret, (int)facts->dwarf_sp, regs->sp);
	return ret;
}

bool cfi_of_context(const struct image *image, target_addr context, struct cfi_registers *ret)
{
	const struct arch *facts = arch_of(image);
	struct cfi_registers registers = {.is_exact = true};
	uint64_t value;

	for (uint32_t i = 0; i < facts->dwarf_count; i++) {
		if (image_read_u64(image, context + facts->dwarf[i].context, &value) != CS_OK)
			return false;
		cfi_set(&registers, (int)i, value);
	}
	if (image_read_u64(image, context + (uint64_t)facts->context_pc, &registers.pc) != CS_OK)
		return false;
	*ret = registers;
	return true;
}

struct cfi_registers cfi_of_return(enum image_arch arch, target_addr pc, target_addr sp)
{
	struct cfi_registers ret = {.pc = pc};

	cfi_set(&ret, cfi_stack_pointer(arch), sp);
	return ret;
}

bool cfi_return(
	const struct image *image, const struct cfi_registers *from, struct cfi_registers *ret)
{
	enum image_arch arch = image_arch(image);
	struct cfi_registers caller = *from;
	target_addr sp = cfi_sp(arch, from);

	caller.is_exact = false;
	if (arch == ARCH_ARM64) {
		caller.pc = from->value[ARM64_LINK] & ARM64_PC_MASK;
	} else if (image_read_u64(image, sp, &caller.pc) == CS_OK) {
		cfi_set(&caller, cfi_stack_pointer(arch), sp + sizeof(uint64_t));
	} else {
		return false;
	}
	*ret = caller;
	return true;
}

/** One evaluation of an expression. */
struct evaluation {
	const struct image *image;
	const struct cfi_registers *registers;
	uint64_t bias, cfa;
	uint64_t stack[MAX_CFI_STACK];
	size_t depth;
	bool is_value;    // the result is the value itself, not where it lies
	bool is_faulting; // memory that it needs is not there
};

static bool push(struct evaluation *e, uint64_t value)
{
	if (e->depth == MAX_CFI_STACK)
		return false;
	e->stack[e->depth++] = value;
	return true;
}

static bool load(struct evaluation *e, uint64_t size)
{
	uint64_t value = 0;

	if (!e->depth || !size || size > sizeof(value))
		return false;
	if (image_read(e->image, e->stack[e->depth - 1], &value, size) != CS_OK) {
		e->is_faulting = true;
		return false;
	}
	e->stack[e->depth - 1] = value;
	return true;
}

static bool push_register(struct evaluation *e, uint64_t number, uint64_t offset)
{
	uint64_t value;

	return get(e->registers, number, &value) && push(e, value + offset);
}

/** Operations on the two topmost words; the result takes their place. */
static bool combine(struct evaluation *e, uint8_t atom)
{
	uint64_t b, *a;

	if (e->depth < 2)
		return false;
	b = e->stack[--e->depth];
	a = &e->stack[e->depth - 1];
	switch (atom) {
	case DW_OP_plus:
		*a += b;
		return true;
	case DW_OP_minus:
		*a -= b;
		return true;
	case DW_OP_mul:
		*a *= b;
		return true;
	case DW_OP_and:
		*a &= b;
		return true;
	case DW_OP_or:
		*a |= b;
		return true;
	case DW_OP_shl:
		*a = b < 64 ? *a << b : 0;
		return true;
	case DW_OP_shr:
		*a = b < 64 ? *a >> b : 0;
		return true;
	case DW_OP_eq:
		*a = *a == b;
		return true;
	case DW_OP_ge:
		*a = (int64_t)*a >= (int64_t)b;
		return true;
	case DW_OP_lt:
		*a = (int64_t)*a < (int64_t)b;
		return true;
	default:
		return false;
	}
}

static bool evaluate_one(struct evaluation *e, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(e, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(e, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts)
		return push(e, op->number);
	switch (op->atom) {
	case DW_OP_nop:
		return true;
	case DW_OP_addr:
		return push(e, op->number + e->bias);
	case DW_OP_bregx:
		return push_register(e, op->number, op->number2);
	case DW_OP_call_frame_cfa:
		return push(e, e->cfa);
	case DW_OP_dup:
		return e->depth && push(e, e->stack[e->depth - 1]);
	case DW_OP_plus_uconst:
		if (e->depth)
			e->stack[e->depth - 1] += op->number;
		return e->depth;
	case DW_OP_deref:
		return load(e, sizeof(uint64_t));
	case DW_OP_deref_size:
		return load(e, op->number);
	case DW_OP_stack_value:
		e->is_value = true;
		return e->depth;
	default:
		return combine(e, op->atom);
	}
}

/** A register as a location is a list of one operation. */
static bool is_register(const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	if (count != 1)
		return false;
	if (ops->atom == DW_OP_regx) {
		*ret = ops->number;
		return true;
	}
	*ret = (uint64_t)ops->atom - DW_OP_reg0;
	return ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31;
}

static bool evaluate(struct evaluation *e, const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	e->depth = 0;
	e->is_value = false;
	if (count > MAX_CFI_OPERATIONS)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!evaluate_one(e, &ops[i]))
			return false;
	if (!e->depth)
		return false;
	*ret = e->stack[e->depth - 1];
	return true;
}

/** Whether a register without a rule is the caller's too; `is_same` is what libdw says. */
static bool is_kept(enum image_arch arch, int number, bool is_same)
{
	if (arch == ARCH_ARM64 && number == ARM64_LINK) // undefined: the outermost function
		return is_same;
	return arches[arch].kept >> number & 1;
}

/** The caller's value of register `number`, left unknown where the tables do not tell it. */
static bool recover(
	struct evaluation *e, Dwarf_Frame *frame, int number, struct cfi_registers *caller)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	uint64_t value, other;

	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return false;
	if (!count && !is_kept(image_arch(e->image), number, !ops))
		return true;
	if (!count || is_register(ops, count, &other)) {
		if (get(e->registers, count ? other : (uint64_t)number, &value))
			cfi_set(caller, number, value);
		return true;
	}
	if (!evaluate(e, ops, count, &value))
		return false;
	if (!e->is_value && image_read_u64(e->image, value, &value) != CS_OK) {
		e->is_faulting = true;
		return false;
	}
	cfi_set(caller, number, value);
	return true;
}

static enum cfi_step step_frame(struct evaluation *e, Dwarf_Frame *frame, struct cfi_registers *ret)
{
	const struct arch *arch = arch_of(e->image);
	struct cfi_registers caller = {0};
	bool is_signal = false;
	int return_column = dwarf_frame_info(frame, NULL, NULL, &is_signal);
	Dwarf_Op *ops;
	size_t count;
	uint64_t pc, sp;

	if (return_column < 0 || dwarf_frame_cfa(frame, &ops, &count) || !count ||
		!evaluate(e, ops, count, &e->cfa))
		return e->is_faulting ? CFI_UNREADABLE : CFI_NO_RULE;
	for (uint32_t i = 0; i < arch->dwarf_count; i++)
		if (!recover(e, frame, (int)i, &caller))
			return e->is_faulting ? CFI_UNREADABLE : CFI_NO_RULE;
	if (!get(&caller, (uint64_t)return_column, &pc))
		return CFI_OUTERMOST;
	if (!get(&caller, arch->dwarf_sp, &sp))
		cfi_set(&caller, (int)arch->dwarf_sp, e->cfa); // its definition
	caller.pc = pc & arches[image_arch(e->image)].pc_mask;
	caller.is_exact = is_signal;
	*ret = caller;
	return caller.pc ? CFI_STEPPED : CFI_OUTERMOST;
}

enum cfi_step cfi_step(struct Dwarf_CFI_s *cfi, uint64_t bias, const struct image *image,
	const struct cfi_registers *from, struct cfi_registers *ret)
{
	struct evaluation e = {.image = image, .registers = from, .bias = bias};
	Dwarf_Frame *frame = NULL;
	enum cfi_step step;

	// A call may be the last instruction of its function: look at the call itself.
	if (dwarf_cfi_addrframe(cfi, from->pc - !from->is_exact - bias, &frame))
		return CFI_NO_RULE;
	step = step_frame(&e, frame, ret);
	free(frame);
	return step;
}
