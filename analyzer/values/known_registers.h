// Registers of a frame that are really known. Go's are all saved by the caller: what a register
// held is gone once the frame called another function. It is known where a frame was interrupted:
// by its thread's death, by a signal (the kernel's ucontext), or by asyncPreempt, which saves them.
#ifndef CORESNAP_ANALYZER_VALUES_KNOWN_REGISTERS_H
#define CORESNAP_ANALYZER_VALUES_KNOWN_REGISTERS_H

#include "analyzer/unwind/threads.h"

/** By DWARF's numbers (System V ABI, AMD64 supplement): 0 to 16 and the low half of xmm 17 to 32.
 */
#define KNOWN_REGISTERS_MAX 33

struct known_registers {
	uint64_t values[KNOWN_REGISTERS_MAX];
	uint64_t mask; // a bit for each that is known
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
	if (number >= KNOWN_REGISTERS_MAX || !(registers->mask >> number & 1))
		return false;
	*ret = registers->values[number];
	return true;
}

#endif
