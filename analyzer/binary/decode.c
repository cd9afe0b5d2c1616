// Go addresses package variables relative to the code on both architectures: amd64 by one operand
// relative to rip, arm64 by ADRP (a page into a register) and an ADD, load or store based on that
// register (cmd/internal/obj/arm64). The code is followed in a straight line; a register whose
// value is not certain any more is forgotten, so that a guess never becomes a reference. Decoding
// is dear, and most instructions name nothing: their bytes alone show which ones can.
#include "analyzer/binary/decode.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#define ARM64_REGISTERS 32
#define ARM64_SIZE 4 // of an instruction
#define ARM64_ADR_MASK 0x1f000000u
#define ARM64_ADR 0x10000000u // ADR and ADRP
#define AMD64_MODRM_MASK 0xc7 // mod and r/m
#define AMD64_MODRM_RIP 0x05
#define AMD64_MAX_IMMEDIATE 4
#define ARM64_REGTMP 27 // the assembler's own: an address in it is part of the next load or store

struct decoder {
	csh handle;
	cs_insn *insn; // owned
	bool is_arm64;
	const struct code_span *code;
	struct code_reference *list;
	size_t count, max;
	uint64_t known; // arm64: registers that hold an address that the code named, a bit each
	uint64_t values[ARM64_REGISTERS];
};

static void note(struct decoder *d, const cs_insn *insn, target_addr target, uint32_t size)
{
	if (target >= d->code->start && target < d->code->end && d->count < d->max)
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

	if (number < 0 || !(d->known >> number & 1))
		return false;
	*ret = d->values[number];
	return true;
}

static void arm64_set(struct decoder *d, unsigned int reg, uint64_t value)
{
	int number = arm64_number(reg);

	if (number >= 0) {
		d->known |= UINT64_C(1) << number;
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
			d->known = 0;
		return;
	}
	if (cs_regs_access(d->handle, insn, reads, &read_count, writes, &write_count) == CS_ERR_OK)
		for (uint8_t i = 0; i < write_count; i++)
			if (arm64_number(writes[i]) >= 0)
				d->known &= ~(UINT64_C(1) << arm64_number(writes[i]));
	if (insn->id == ARM64_INS_ADRP || insn->id == ARM64_INS_ADR)
		arm64_set(d, ops[0].reg, (uint64_t)ops[1].imm);
	else if (is_sum)
		arm64_set(d, ops[0].reg, sum);
}

/** Decodes what stands at `offset`; returns the offset behind it. */
static size_t decode_at(struct decoder *d, size_t offset)
{
	const uint8_t *bytes = d->code->bytes + offset;
	size_t left = d->code->size - offset;
	uint64_t address = d->code->pc + offset;

	if (!cs_disasm_iter(d->handle, &bytes, &left, &address, d->insn))
		return offset + (d->is_arm64 ? ARM64_SIZE : 1);
	if (d->is_arm64)
		note_arm64(d, d->insn);
	else
		note_amd64(d, d->insn);
	return d->code->size - left;
}

/**
 * Whether a ModRM byte at `offset` would say "relative to rip", and what it says lie in the wanted
 * range: behind its 4 bytes come up to 4 more of the instruction.
 */
static bool can_name(const struct code_span *code, size_t offset)
{
	int32_t distance;
	target_addr target;

	if ((code->bytes[offset] & AMD64_MODRM_MASK) != AMD64_MODRM_RIP)
		return false;
	memcpy(&distance, code->bytes + offset + 1, sizeof(distance));
	target = code->pc + offset + 1 + sizeof(distance) + (uint64_t)(int64_t)distance;
	return target < code->end && target + AMD64_MAX_IMMEDIATE >= code->start;
}

static void decode_amd64(struct decoder *d)
{
	const struct code_span *code = d->code;
	size_t at = 0,
	       next = 0; // decoded up to `at`; the starts before `next` lie before the candidate

	for (size_t i = 0; code->size >= 5 && i <= code->size - 5 && d->count < d->max; i++) {
		if (i < at || !can_name(code, i))
			continue;
		while (next < code->start_count && code->starts[next] <= i)
			next++;
		if (next && code->starts[next - 1] > at)
			at = code->starts[next - 1];
		while (at <= i && d->count < d->max)
			at = decode_at(d, at);
	}
}

static bool is_arm64_page(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word & ARM64_ADR_MASK) == ARM64_ADR;
}

static void decode_arm64(struct decoder *d)
{
	const struct code_span *code = d->code;

	d->known = 0;
	for (size_t at = 0; code->size - at >= ARM64_SIZE && d->count < d->max; at += ARM64_SIZE)
		if (d->known || is_arm64_page(code->bytes + at))
			decode_at(d, at);
}

size_t decode_references(struct decoder *decoder, const struct code_span *code,
	struct code_reference *ret, size_t max)
{
	decoder->code = code;
	decoder->list = ret;
	decoder->count = 0;
	decoder->max = max;
	if (decoder->is_arm64)
		decode_arm64(decoder);
	else
		decode_amd64(decoder);
	return decoder->count;
}

struct decoder *decoder_create(enum image_arch arch)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->is_arm64 = arch == ARCH_ARM64;
	if (cs_open(d->is_arm64 ? CS_ARCH_ARM64 : CS_ARCH_X86,
		    d->is_arm64 ? CS_MODE_LITTLE_ENDIAN : CS_MODE_64, &d->handle) != CS_ERR_OK) {
		free(d);
		return NULL;
	}
	if (cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		d->insn = cs_malloc(d->handle);
	if (!d->insn) {
		decoder_destroy(d);
		return NULL;
	}
	return d;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->insn)
		cs_free(decoder->insn, 1);
	cs_close(&decoder->handle);
	free(decoder);
}
