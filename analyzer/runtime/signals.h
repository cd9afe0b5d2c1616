// Signals in the runtime's words, and the ones that interrupted Go code.
#ifndef CORESNAP_ANALYZER_RUNTIME_SIGNALS_H
#define CORESNAP_ANALYZER_RUNTIME_SIGNALS_H

#include "analyzer/runtime/runtime.h"

/** What the kernel told a signal handler (siginfo). */
struct signal_info {
	uint32_t number;
	int32_t code;
	bool has_address; // a fault of the process's own: SIGSEGV, SIGBUS, SIGFPE, SIGILL
	target_addr address;
};

/**
 * The runtime's text for a signal, "SIGSEGV: segmentation violation", from the target's own table
 * (runtime/sigtab_linux_generic.go); NULL where it has none.
 */
const char *signal_text(const struct runtime *rt, uint32_t number);

/** The siginfo that lies beside the ucontext at `context` on a signal stack. */
bool signal_info_load(const struct runtime *rt, target_addr context, struct signal_info *ret);

/** Whether a signal of this number and code comes from the process's own instruction. */
bool signal_is_fault(uint32_t number, int32_t code);

#endif
