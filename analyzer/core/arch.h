// What the architectures differ in, as data: registers and their roles, what a call leaves on the
// stack, how the kernel lays out a signal frame. Everything above asks for a fact here and never
// for the architecture itself.
#ifndef CORESNAP_ANALYZER_CORE_ARCH_H
#define CORESNAP_ANALYZER_CORE_ARCH_H

#include "analyzer/core/image.h"

#define NO_REGISTER UINT32_MAX

/** Where the kernel puts a register that DWARF has a number for. */
struct arch_register {
	uint32_t index;   // in elf_gregset_t
	uint32_t context; // offset in the ucontext
};

struct arch {
	const char *name;                  // GOARCH
	uint32_t register_count;           // of the kernel's elf_gregset_t
	const char *const *names;          // of the registers in its order; NULL for pc and sp
	const struct arch_register *dwarf; // by DWARF's numbers: the general ones, on amd64 rip
	uint32_t dwarf_count, dwarf_sp;    // of them; the number of the stack pointer
	uint32_t pc, sp, g;                // indexes
	uint32_t lr, tls;                  // likewise, or NO_REGISTER
	bool has_link_register;    // a call leaves its return address in lr, not on the stack
	uint32_t pushed_by_call;   // bytes that a call itself pushes
	uint32_t minimum_frame;    // sys.MinFrameSize: between a frame's end and its arguments
	uint32_t pushed_by_inject; // bytes below an injected call, with its lr in the first word
	// The kernel's rt_sigframe, as it lies when a handler begins: offsets from the stack
	// pointer behind the handler's own frame to the ucontext, and from there to the others.
	int64_t context, context_pc, context_sp, context_lr, context_info;
	// The code that a handler returns to, where that has no call frame information; size 0: it
	// has.
	uint8_t sigreturn[8];
	uint32_t sigreturn_size;
};

/** The facts of `arch`; never NULL. */
const struct arch *arch_facts(enum image_arch arch);

/** The facts of the image's architecture. */
const struct arch *arch_of(const struct image *image);

/** Fills in pc, sp, lr, g and tls from `raw`. */
void arch_name_registers(const struct arch *arch, struct image_regs *regs);

#endif
