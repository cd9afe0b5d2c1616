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

/** A function's code, and which references are wanted of it. */
struct code_span {
	const uint8_t *bytes; // borrowed
	size_t size;
	target_addr pc;         // where they run
	target_addr start, end; // targets in [start, end) are wanted
	const uint32_t
		*starts;    // offsets where instructions are known to start, ascending; borrowed
	size_t start_count; // 0: only the first byte is known to start one
};

struct decoder;

/** A decoder of this architecture's instructions; NULL where it cannot be had. */
struct decoder *decoder_create(enum image_arch arch);
void decoder_destroy(struct decoder *decoder);

/**
 * The wanted references of the code, in order: operands relative to the instruction pointer
 * (amd64), or to a page that ADRP named before (arm64). Only what can hold one is decoded; on amd64
 * from the start before it. Bytes that are no instruction are passed over. Writes at most `max` to
 * `ret` and returns how many.
 */
size_t decode_references(struct decoder *decoder, const struct code_span *code,
	struct code_reference *ret, size_t max);

#endif
