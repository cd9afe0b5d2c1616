// Which addresses a function's machine code names: the one thing that tells, in a stripped
// executable, where a package variable lies. Instructions are decoded by libcapstone.
#ifndef CORESNAP_ANALYZER_BINARY_DECODE_H
#define CORESNAP_ANALYZER_BINARY_DECODE_H

#include "analyzer/core/image.h"

/** One operand that names an address. */
struct code_reference {
	target_addr pc; // of the instruction
	target_addr target;
	uint32_t
		size; // bytes that the instruction loads or stores there; 0: only takes the address
};

/**
 * The references in `size` bytes of code at `code`, which run at `pc`, in order: operands relative
 * to the instruction pointer (amd64), or to a page that ADRP named before (arm64). Bytes that are
 * no instruction are passed over. Writes at most `max` to `ret` and returns how many; where the
 * decoder cannot be had, 0.
 */
size_t decode_references(enum image_arch arch, const uint8_t *code, size_t size, target_addr pc,
	struct code_reference *ret, size_t max);

#endif
