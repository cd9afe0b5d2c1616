// How Go's assembly goes to C and back on each architecture: which words it leaves where. All that
// join.c knows of that is a table here. Registers go by their DWARF numbers.
#ifndef CORESNAP_ANALYZER_UNWIND_C_ARCH_H
#define CORESNAP_ANALYZER_UNWIND_C_ARCH_H

#include "analyzer/core/image.h"

#define NO_NUMBER (-1)

/** Where asmcgocall's two words lie above its stack pointer while C runs. */
struct entry_words {
	uint32_t goroutine, depth;
};

/** Registers that crosscall2 has put away above its stack pointer: `count` from `first` on. */
struct saved_registers {
	uint32_t offset;
	int first, count;
};

/** Where crosscall2 has put the return address and the frame pointer, if with the registers. */
struct saved_link {
	uint32_t pc, frame;
};

/** A Go function from which C goes off to another stack, and how it comes back. */
struct keeper {
	const char *name;
	int sp; // its stack pointer, in a register that C preserves
	int pc; // likewise its return address; NO_NUMBER: that is in its frame
	// Bytes of its frame with the return address at their start, where more were pushed below
	// them; 0: that lies where it always does.
	uint32_t frame;
};

/** Lists end with a zero row. */
struct c_arch {
	const struct entry_words *entry_words;
	const struct saved_registers *saved_registers;
	const struct saved_link *saved_links; // tried in order; NULL: C's call pushed it
	const struct keeper *keepers;
	int frame_pointer;
	uint32_t callback_before; // above cgocallback's stack pointer: m.g0.sched.sp before it
	int racecall_sp; // Go's stack pointer in the race detector; NO_NUMBER: nothing proves it
};

/** The facts of the image's architecture; never NULL. */
const struct c_arch *c_arch_of(const struct image *image);

#endif
