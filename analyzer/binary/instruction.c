#include "analyzer/binary/instruction.h"

#include <capstone/capstone.h>
#include <string.h>

#define FULL 8 // bytes of a register

static const struct {
	x86_reg full, half, word, byte;
} names[AMD64_REGISTERS] = {
	[AMD64_RAX] = {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL},
	[AMD64_RDX] = {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL},
	[AMD64_RCX] = {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL},
	[AMD64_RBX] = {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL},
	[AMD64_RSI] = {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
	[AMD64_RDI] = {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
	[AMD64_RBP] = {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
	[AMD64_RSP] = {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
	[AMD64_R8] = {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
	[AMD64_R9] = {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	[AMD64_R10] = {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
	[AMD64_R11] = {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
	[AMD64_R12] = {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
	[AMD64_R13] = {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
	[AMD64_R14] = {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
	[AMD64_R15] = {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
};

/** The register, or a part of it, that capstone calls `reg`; AMD64_NONE for any other. */
static uint8_t number_of(unsigned int reg)
{
	for (uint8_t i = 0; i < AMD64_REGISTERS; i++)
		if (reg == names[i].full || reg == names[i].half || reg == names[i].word ||
			reg == names[i].byte)
			return i;
	switch (reg) {
	case X86_REG_AH:
		return AMD64_RAX;
	case X86_REG_BH:
		return AMD64_RBX;
	case X86_REG_CH:
		return AMD64_RCX;
	case X86_REG_DH:
		return AMD64_RDX;
	case X86_REG_RIP:
		return AMD64_RIP;
	default:
		return AMD64_NONE;
	}
}

static struct operand memory_operand(const cs_insn *insn, const cs_x86_op *op)
{
	struct operand ret = {.kind = OPERAND_MEMORY,
		.reg = number_of(op->mem.base),
		.size = op->size,
		.value = op->mem.disp};

	// Thread-local memory, gs and fs, is none of the stack's.
	ret.has_index = op->mem.index != X86_REG_INVALID || op->mem.segment != X86_REG_INVALID ||
			(op->mem.base != X86_REG_INVALID && ret.reg == AMD64_NONE);
	if (ret.reg == AMD64_RIP)
		ret.value += (int64_t)(insn->address + insn->size);
	return ret;
}

static bool is_high_byte(unsigned int reg)
{
	return reg == X86_REG_AH || reg == X86_REG_BH || reg == X86_REG_CH || reg == X86_REG_DH;
}

static struct operand operand_of(const cs_insn *insn, const cs_x86_op *op)
{
	struct operand ret = {.kind = OPERAND_NONE, .size = op->size};

	switch (op->type) {
	case X86_OP_MEM:
		return memory_operand(insn, op);
	case X86_OP_IMM:
		ret.kind = OPERAND_CONSTANT;
		ret.value = op->imm;
		return ret;
	case X86_OP_REG:
		// Go keeps zero in X15 (cmd/compile/abi-internal.md).
		if (op->reg == X86_REG_XMM15) {
			ret.kind = OPERAND_CONSTANT;
			return ret;
		}
		ret.reg = number_of(op->reg);
		if (ret.reg < AMD64_REGISTERS && !is_high_byte(op->reg))
			ret.kind = OPERAND_REGISTER;
		return ret;
	default:
		return ret;
	}
}

static bool only_reads(unsigned int id)
{
	switch (id) {
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_BT:
	case X86_INS_NOP:
	case X86_INS_UCOMISD:
	case X86_INS_UCOMISS:
	case X86_INS_COMISD:
	case X86_INS_COMISS:
	case X86_INS_PREFETCHT0:
	case X86_INS_PREFETCHNTA:
		return true;
	default:
		return false;
	}
}

static uint32_t changed_registers(csh handle, const cs_insn *insn)
{
	cs_regs reads, writes;
	uint8_t read_count, write_count;
	uint32_t changed = 0;
	const cs_x86 *x86 = &insn->detail->x86;

	if (cs_regs_access(handle, insn, reads, &read_count, writes, &write_count) != CS_ERR_OK)
		return UINT32_MAX;
	for (uint8_t i = 0; i < write_count; i++)
		if (number_of(writes[i]) < AMD64_REGISTERS)
			changed |= 1u << number_of(writes[i]);
	// Not every row of the decoder's own tables is right: what stands first may be written.
	if (!only_reads(insn->id) && x86->op_count && x86->operands[0].type == X86_OP_REG &&
		number_of(x86->operands[0].reg) < AMD64_REGISTERS)
		changed |= 1u << number_of(x86->operands[0].reg);
	return changed;
}

/** Where an instruction that is not understood may have written to memory. */
static struct operand written_memory(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (!only_reads(insn->id) && x86->op_count && x86->operands[0].type == X86_OP_MEM)
		return memory_operand(insn, &x86->operands[0]);
	// xchg and xadd write to both.
	if ((insn->id == X86_INS_XCHG || insn->id == X86_INS_XADD) && x86->op_count == 2 &&
		x86->operands[1].type == X86_OP_MEM)
		return memory_operand(insn, &x86->operands[1]);
	return (struct operand){0};
}

/** The memory that it may read. */
static struct operand read_memory(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (uint8_t i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM)
			return memory_operand(insn, &x86->operands[i]);
	return (struct operand){0};
}

static bool is_vector_move(unsigned int id)
{
	return id == X86_INS_MOVUPS || id == X86_INS_MOVAPS || id == X86_INS_MOVDQU ||
	       id == X86_INS_MOVDQA || id == X86_INS_MOVUPD || id == X86_INS_MOVAPD;
}

/** Half a register: the other half becomes zero, so that only a constant's value is known. */
static bool is_half_constant(const cs_x86_op *to, const cs_x86_op *from)
{
	uint8_t number = to->type == X86_OP_REG ? number_of(to->reg) : AMD64_NONE;

	return number < AMD64_REGISTERS && to->reg == names[number].half &&
	       from->type == X86_OP_IMM;
}

/** Less than a register, of which the rest becomes zero, or the sign. */
static void classify_extension(const cs_insn *insn, struct instruction *ret)
{
	const cs_x86_op *ops = insn->detail->x86.operands;

	ret->to = operand_of(insn, &ops[0]);
	ret->from = operand_of(insn, &ops[1]);
	if (ret->to.kind != OPERAND_REGISTER || ret->to.size < FULL / 2 ||
		(ret->from.kind != OPERAND_REGISTER && ret->from.kind != OPERAND_MEMORY)) {
		ret->to = ret->from = (struct operand){0};
		return;
	}
	ret->to.size = FULL;
	ret->kind = INSTRUCTION_EXTEND;
	ret->is_signed = insn->id == X86_INS_MOVSX || insn->id == X86_INS_MOVSXD;
}

static void classify_move(const cs_insn *insn, struct instruction *ret)
{
	const cs_x86_op *ops = insn->detail->x86.operands;

	ret->to = operand_of(insn, &ops[0]);
	ret->from = operand_of(insn, &ops[1]);
	if (is_half_constant(&ops[0], &ops[1])) {
		ret->to = (struct operand){
			.kind = OPERAND_REGISTER, .reg = number_of(ops[0].reg), .size = 8};
		ret->from.value = (uint32_t)ret->from.value;
	}
	if (ret->to.kind == OPERAND_MEMORY ||
		(ret->to.kind == OPERAND_REGISTER && ret->to.size == FULL))
		ret->kind = INSTRUCTION_MOVE;
	else if (ret->to.kind == OPERAND_REGISTER && ret->to.size == FULL / 2)
		classify_extension(insn, ret);
	else
		ret->to = (struct operand){0};
}

/** "x += constant" is the address of x[constant]. */
static void classify_sum(const cs_insn *insn, struct instruction *ret)
{
	const cs_x86 *x86 = &insn->detail->x86;
	struct operand to = operand_of(insn, &x86->operands[0]);
	int64_t value = x86->op_count == 2 ? x86->operands[1].imm : 1;

	if (to.kind != OPERAND_REGISTER || to.size != FULL || to.reg == AMD64_RSP ||
		(x86->op_count == 2 && x86->operands[1].type != X86_OP_IMM)) {
		ret->to = written_memory(insn);
		return;
	}
	if (insn->id == X86_INS_SUB || insn->id == X86_INS_DEC)
		value = (int64_t)(0 - (uint64_t)value);
	ret->kind = INSTRUCTION_ADDRESS;
	ret->to = to;
	ret->from = (struct operand){
		.kind = OPERAND_MEMORY, .reg = to.reg, .size = FULL, .value = value};
}

static bool is_extension(unsigned int id)
{
	return id == X86_INS_MOVZX || id == X86_INS_MOVSX || id == X86_INS_MOVSXD;
}

static bool is_sum(unsigned int id)
{
	return id == X86_INS_ADD || id == X86_INS_SUB || id == X86_INS_INC || id == X86_INS_DEC;
}

static void classify_jump(const cs_insn *insn, struct instruction *ret)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (x86->op_count && x86->operands[0].type == X86_OP_IMM)
		ret->target = (target_addr)x86->operands[0].imm;
}

static bool is_same_register(const cs_x86 *x86)
{
	return x86->op_count == 2 && x86->operands[0].type == X86_OP_REG &&
	       x86->operands[1].type == X86_OP_REG &&
	       x86->operands[0].reg == x86->operands[1].reg && x86->operands[0].size >= 4 &&
	       number_of(x86->operands[0].reg) < AMD64_REGISTERS;
}

static bool is_fill(const cs_insn *insn)
{
	switch (insn->id) {
	case X86_INS_STOSB:
	case X86_INS_STOSD:
	case X86_INS_STOSQ:
	case X86_INS_STOSW:
	case X86_INS_MOVSB:
	case X86_INS_MOVSQ:
	case X86_INS_MOVSW:
		return true;
	case X86_INS_MOVSD: // and the scalar move of that name, which has a vector register
		return insn->detail->x86.op_count == 2 &&
		       insn->detail->x86.operands[0].type == X86_OP_MEM &&
		       insn->detail->x86.operands[1].type == X86_OP_MEM;
	default:
		return false;
	}
}

static void classify(csh handle, const cs_insn *insn, struct instruction *ret)
{
	const cs_x86 *x86 = &insn->detail->x86;

	*ret = (struct instruction){
		.pc = insn->address, .size = (uint8_t)insn->size, .kind = INSTRUCTION_OTHER};
	ret->changed = changed_registers(handle, insn);
	ret->is_atomic = x86->prefix[0] == X86_PREFIX_LOCK;
	if (is_fill(insn)) {
		ret->kind = INSTRUCTION_FILL;
		ret->changed |= 1u << AMD64_RDI | 1u << AMD64_RSI | 1u << AMD64_RCX;
	} else if (cs_insn_group(handle, insn, CS_GRP_CALL)) {
		ret->kind = INSTRUCTION_CALL;
		classify_jump(insn, ret);
	} else if (insn->id == X86_INS_JMP) {
		ret->kind = INSTRUCTION_JUMP;
		classify_jump(insn, ret);
	} else if (cs_insn_group(handle, insn, CS_GRP_JUMP)) {
		ret->kind = INSTRUCTION_BRANCH;
		classify_jump(insn, ret);
	} else if (cs_insn_group(handle, insn, CS_GRP_RET) || insn->id == X86_INS_UD2 ||
		   insn->id == X86_INS_INT3 || insn->id == X86_INS_HLT) {
		ret->kind = INSTRUCTION_END;
	} else if (insn->id == X86_INS_LEA) {
		ret->to = operand_of(insn, &x86->operands[0]);
		ret->from = operand_of(insn, &x86->operands[1]);
		if (ret->to.kind == OPERAND_REGISTER && ret->to.size == FULL)
			ret->kind = INSTRUCTION_ADDRESS;
	} else if (is_sum(insn->id)) {
		classify_sum(insn, ret);
	} else if (is_extension(insn->id) && x86->op_count == 2) {
		classify_extension(insn, ret);
	} else if (insn->id == X86_INS_XOR && is_same_register(x86)) {
		ret->kind = INSTRUCTION_MOVE;
		ret->to = (struct operand){.kind = OPERAND_REGISTER,
			.reg = number_of(x86->operands[0].reg),
			.size = 8};
		ret->from = (struct operand){.kind = OPERAND_CONSTANT, .size = 8};
	} else if ((insn->id == X86_INS_MOV || insn->id == X86_INS_MOVABS ||
			   is_vector_move(insn->id)) &&
		   x86->op_count == 2) {
		classify_move(insn, ret);
	} else {
		ret->to = written_memory(insn);
		ret->from = read_memory(insn);
	}
}

static size_t decode_all(csh handle, cs_insn *insn, const uint8_t *code, size_t size,
	target_addr pc, struct instruction *ret, size_t max)
{
	uint64_t address = pc;
	size_t count = 0;

	while (size) {
		if (count == max || !cs_disasm_iter(handle, &code, &size, &address, insn))
			return 0;
		classify(handle, insn, &ret[count++]);
	}
	return count;
}

size_t instructions_decode(
	const uint8_t *code, size_t size, target_addr pc, struct instruction *ret, size_t max)
{
	csh handle;
	cs_insn *insn = NULL;
	size_t count = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return 0;
	if (cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		insn = cs_malloc(handle);
	if (insn) {
		count = decode_all(handle, insn, code, size, pc, ret, max);
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return count;
}

uint32_t instructions_index(const struct instruction *list, uint32_t count, target_addr pc)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list[middle].pc < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
