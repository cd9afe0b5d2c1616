// Registers of a frame that are really known. Go's are all saved by the caller: what a register
// held is gone once the frame called another function. It is known where a frame was interrupted:
// by its thread's death, by a signal (the kernel's ucontext), or by asyncPreempt, which saves them.
#ifndef CORESNAP_ANALYZER_VALUES_KNOWN_REGISTERS_H
#define CORESNAP_ANALYZER_VALUES_KNOWN_REGISTERS_H

#include "analyzer/unwind/threads.h"

/**
 * By DWARF's numbers. System V ABI, AMD64 supplement: 0 to 16, and of xmm, 17 to 32, the low half.
 * DWARF for the Arm 64-bit architecture: x0 to x30, sp 31, and of v0 to v31, 64 to 95, the low half.
 */
#define KNOWN_REGISTERS_MAX 33
#define KNOWN_VECTORS 64
#define KNOWN_VECTORS_MAX 32

struct known_registers {
	uint64_t values[KNOWN_REGISTERS_MAX];
	uint64_t vectors[KNOWN_VECTORS_MAX]; // those from KNOWN_VECTORS on
	uint64_t mask;                       // a bit for each of values that is known
	uint32_t vector_mask;                // likewise
};

/**
 * The registers of the physical frame `index` of the walk of goroutine `g`. None is known in a
 * frame that called the one before it.
 */
void known_registers_load(const struct frame_table *frames, const struct thread_states *threads,
	const struct goroutine *g, const struct walk *walk, uint32_t index,
	struct known_registers *ret);

/** The value of DWARF register `number`; false where it is not known. */
static inline bool known_register(
	const struct known_registers *registers, uint64_t number, uint64_t *ret)
{
	uint64_t vector = number - KNOWN_VECTORS;

	if (number >= KNOWN_VECTORS && vector < KNOWN_VECTORS_MAX) {
		*ret = registers->vectors[vector];
		return registers->vector_mask >> vector & 1;
	}
	if (number >= KNOWN_REGISTERS_MAX || !(registers->mask >> number & 1))
		return false;
	*ret = registers->values[number];
	return true;
}

#endif
