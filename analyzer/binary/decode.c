// Go addresses package variables relative to the code on both architectures: amd64 by one operand
// relative to rip, arm64 by ADRP (a page into a register) and an ADD, load or store based on that
// register (cmd/internal/obj/arm64). The code is followed in a straight line; a register whose
// value is not certain any more is forgotten, so that a guess never becomes a reference.
#include "analyzer/binary/decode.h"

#include <capstone/capstone.h>
#include <string.h>

#define ARM64_REGISTERS 32
#define ARM64_REGTMP 27 // the assembler's own: an address in it is part of the next load or store

struct decoder {
	csh handle;
	struct code_reference *list;
	size_t count, max;
	bool is_known[ARM64_REGISTERS]; // arm64: registers that hold an address that the code named
	uint64_t values[ARM64_REGISTERS];
};

static void note(struct decoder *d, const cs_insn *insn, target_addr target, uint32_t size)
{
	if (d->count < d->max)
		d->list[d->count++] = (struct code_reference){insn->address, target, size};
}

static void note_amd64(struct decoder *d, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (uint8_t i = 0; i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];

		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP)
			note(d, insn, insn->address + insn->size + (uint64_t)op->mem.disp,
				insn->id == X86_INS_LEA ? 0 : op->size);
	}
}

/** The number of a 64-bit general register; -1 for any other. */
static int arm64_number(unsigned int reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return (int)(reg - ARM64_REG_X0);
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W28)
		return (int)(reg - ARM64_REG_W0);
	if (reg == ARM64_REG_X29 || reg == ARM64_REG_W29)
		return 29;
	return reg == ARM64_REG_X30 || reg == ARM64_REG_W30 ? 30 : -1;
}

static bool arm64_known(const struct decoder *d, unsigned int reg, uint64_t *ret)
{
	int number = arm64_number(reg);

	if (number < 0 || !d->is_known[number])
		return false;
	*ret = d->values[number];
	return true;
}

static void arm64_set(struct decoder *d, unsigned int reg, uint64_t value)
{
	int number = arm64_number(reg);

	if (number >= 0) {
		d->is_known[number] = true;
		d->values[number] = value;
	}
}

static uint32_t arm64_register_size(unsigned int reg)
{
	return reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30 ? 4 : 8;
}

/** Bytes that a load or store through one register moves; the mnemonic's last letter narrows it. */
static uint32_t arm64_access_size(const cs_insn *insn)
{
	size_t length = strlen(insn->mnemonic);
	char last = insn->mnemonic[length - 1];

	if (last == 'b')
		return 1;
	if (last == 'h')
		return 2;
	if (last == 'w' && length > 4)
		return 4; // LDRSW
	return arm64_register_size(insn->detail->arm64.operands[0].reg);
}

static void note_access(struct decoder *d, const cs_insn *insn, target_addr target)
{
	uint32_t size = arm64_access_size(insn);

	note(d, insn, target, size);
	if (insn->id == ARM64_INS_LDP || insn->id == ARM64_INS_STP)
		note(d, insn, target + size, size);
}

static void note_arm64(struct decoder *d, const cs_insn *insn)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *ops = arm64->operands;
	uint64_t base, sum = 0;
	bool is_sum = false;
	cs_regs reads, writes;
	uint8_t read_count, write_count;

	for (uint8_t i = 0; i < arm64->op_count; i++)
		if (ops[i].type == ARM64_OP_MEM && ops[i].mem.index == ARM64_REG_INVALID &&
			arm64_known(d, ops[i].mem.base, &base))
			note_access(d, insn, base + (uint64_t)(int64_t)ops[i].mem.disp);
	if (insn->id == ARM64_INS_ADD && arm64->op_count == 3 && ops[2].type == ARM64_OP_IMM &&
		arm64_known(d, ops[1].reg, &base)) {
		sum = base + ((uint64_t)ops[2].imm << ops[2].shift.value);
		is_sum = true;
		if (arm64_number(ops[0].reg) != ARM64_REGTMP)
			note(d, insn, sum, 0);
	}
	if (insn->id == ARM64_INS_B || insn->id == ARM64_INS_BL || insn->id == ARM64_INS_BLR ||
		insn->id == ARM64_INS_BR || insn->id == ARM64_INS_RET) {
		if (arm64->cc == ARM64_CC_INVALID || arm64->cc == ARM64_CC_AL)
			memset(d->is_known, 0, sizeof(d->is_known));
		return;
	}
	if (cs_regs_access(d->handle, insn, reads, &read_count, writes, &write_count) == CS_ERR_OK)
		for (uint8_t i = 0; i < write_count; i++)
			if (arm64_number(writes[i]) >= 0)
				d->is_known[arm64_number(writes[i])] = false;
	if (insn->id == ARM64_INS_ADRP || insn->id == ARM64_INS_ADR)
		arm64_set(d, ops[0].reg, (uint64_t)ops[1].imm);
	else if (is_sum)
		arm64_set(d, ops[0].reg, sum);
}

size_t decode_references(enum image_arch arch, const uint8_t *code, size_t size, target_addr pc,
	struct code_reference *ret, size_t max)
{
	struct decoder decoder = {.list = ret, .max = max};
	bool is_arm64 = arch == ARCH_ARM64;
	cs_insn *insn;
	uint64_t address = pc;

	if (cs_open(is_arm64 ? CS_ARCH_ARM64 : CS_ARCH_X86,
		    is_arm64 ? CS_MODE_LITTLE_ENDIAN : CS_MODE_64, &decoder.handle) != CS_ERR_OK)
		return 0;
	insn = NULL;
	if (cs_option(decoder.handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		insn = cs_malloc(decoder.handle);
	while (insn && size && decoder.count < max) {
		if (cs_disasm_iter(decoder.handle, &code, &size, &address, insn)) {
			if (is_arm64)
				note_arm64(&decoder, insn);
			else
				note_amd64(&decoder, insn);
			continue;
		}
		size_t step = is_arm64 && size >= 4 ? 4 : is_arm64 ? size : 1;

		code += step;
		size -= step;
		address += step;
	}
	if (insn)
		cs_free(insn, 1);
	cs_close(&decoder.handle);
	return decoder.count;
}
