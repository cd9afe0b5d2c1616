// Machine code of amd64 as far as the flow of values through a function needs it: what is copied
// where, what is called, what is overwritten. Anything else is "this register, this memory
// changed".
#ifndef CORESNAP_ANALYZER_BINARY_INSTRUCTION_H
#define CORESNAP_ANALYZER_BINARY_INSTRUCTION_H

#include "analyzer/core/image.h"

/** General registers by their DWARF numbers (System V ABI for AMD64, figure 3.36). */
enum amd64_register {
	AMD64_RAX,
	AMD64_RDX,
	AMD64_RCX,
	AMD64_RBX,
	AMD64_RSI,
	AMD64_RDI,
	AMD64_RBP,
	AMD64_RSP,
	AMD64_R8,
	AMD64_R9,
	AMD64_R10,
	AMD64_R11,
	AMD64_R12,
	AMD64_R13,
	AMD64_R14,
	AMD64_R15,
	AMD64_REGISTERS,
	AMD64_RIP,  // as a base only
	AMD64_NONE, // no base register
};

enum operand_kind {
	OPERAND_NONE, // nothing that is followed: a vector register, bits 8 to 15 of a general one
	OPERAND_REGISTER, // its lowest `size` bytes
	OPERAND_CONSTANT,
	OPERAND_MEMORY,
};

struct operand {
	enum operand_kind kind;
	uint8_t reg;    // the register, or the base of a memory operand
	uint8_t size;   // bytes
	bool has_index; // memory: at base + displacement + something unknown
	int64_t value;  // the constant, or the displacement (with RIP: the address itself)
};

enum instruction_kind {
	INSTRUCTION_OTHER,   // overwrites `to`, if that is memory, and `changed`; may read `from`
	INSTRUCTION_MOVE,    // `to` becomes `from`
	INSTRUCTION_EXTEND,  // the lowest bytes of `to`, as many as `from` has, become `from`
	INSTRUCTION_ADDRESS, // `to` becomes the address that `from` names: a sum, too
	INSTRUCTION_CALL,
	INSTRUCTION_JUMP,
	INSTRUCTION_BRANCH, // to `target`, or on
	INSTRUCTION_END,    // nothing follows: a return, a trap
	INSTRUCTION_FILL, // overwrites memory from rdi on, without a known end (rep stos, rep movs)
};

struct instruction {
	target_addr pc;
	target_addr target; // of calls, jumps, branches; 0: in a register or memory
	enum instruction_kind kind;
	struct operand to, from;
	uint32_t changed; // general registers that it overwrites, a bit each; `to` among them
	uint8_t size;
	bool is_signed; // INSTRUCTION_EXTEND: the rest of `to` becomes the sign, otherwise zero
	bool is_atomic; // has a lock prefix
};

/**
 * Decodes the `size` bytes of code that run at `pc`. Writes at most `max` to `ret`; returns how
 * many, or 0 where a byte of it is no instruction, it does not fit, or the decoder cannot be had:
 * half a function tells nothing.
 */
size_t instructions_decode(
	const uint8_t *code, size_t size, target_addr pc, struct instruction *ret, size_t max);

/** The index in a decoded function of the instruction at `pc`, or of the first behind it. */
uint32_t instructions_index(const struct instruction *list, uint32_t count, target_addr pc);

#endif
