// One step out of a C function: the caller's registers by the function's call frame information
// (.eh_frame), which compilers write for every function of every library. Registers go by their
// DWARF numbers; what an architecture calls them stands in one table.
#ifndef CORESNAP_ANALYZER_BINARY_CFI_H
#define CORESNAP_ANALYZER_BINARY_CFI_H

#include "analyzer/core/image.h"

#include <stdbool.h>
#include <stdint.h>

#define CFI_REGISTERS 33 // amd64 has 17 that matter, arm64 32

struct Dwarf_CFI_s;

/** The registers of one frame. Those that a call does not keep are not known in its caller. */
struct cfi_registers {
	uint64_t value[CFI_REGISTERS]; // by DWARF number
	uint64_t known;                // a bit for each
	target_addr pc;
	bool is_exact; // pc is the next instruction itself, not a return address
};

/** All registers of a stopped thread. */
struct cfi_registers cfi_of_thread(enum image_arch arch, const struct image_regs *regs);

/** Those that the kernel's ucontext at `context` holds; false where it cannot be read. */
bool cfi_of_context(const struct image *image, target_addr context, struct cfi_registers *ret);

/** What an unwinding that begins at a return address knows: pc and sp. */
struct cfi_registers cfi_of_return(enum image_arch arch, target_addr pc, target_addr sp);

/** The DWARF number of the stack pointer. */
int cfi_stack_pointer(enum image_arch arch);

/** The stack pointer; 0 where it is not known. */
target_addr cfi_sp(enum image_arch arch, const struct cfi_registers *registers);

/** Sets register `number`. */
void cfi_set(struct cfi_registers *registers, int number, uint64_t value);

enum cfi_step {
	CFI_STEPPED,
	CFI_OUTERMOST,  // the table says that nothing called this function
	CFI_NO_RULE,    // no table covers the pc, or its rules make no sense
	CFI_UNREADABLE, // what the rules point to is not in the core
};

/**
 * Moves from a frame to its caller by the tables in `cfi`, which are linked at `bias` less than
 * they are loaded. `*ret` is written only where CFI_STEPPED; it may be `from`.
 */
enum cfi_step cfi_step(struct Dwarf_CFI_s *cfi, uint64_t bias, const struct image *image,
	const struct cfi_registers *from, struct cfi_registers *ret);

/**
 * The caller of a function that has not begun yet: where a call through a bad pointer went. False
 * where its return address is not in the core.
 */
bool cfi_return(
	const struct image *image, const struct cfi_registers *from, struct cfi_registers *ret);

#endif
