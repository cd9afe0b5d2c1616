// Whether the tests run under qemu's user emulation, which has no seccomp to load a filter into.
#ifndef CORESNAP_TESTS_LIB_EMULATED_H
#define CORESNAP_TESTS_LIB_EMULATED_H

#include <stdbool.h>
#include <stdlib.h>

/** tools/check-arm64 says so: tests that need the kernel's seccomp are not added then. */
static inline bool is_emulated(void)
{
	return getenv("CORESNAP_EMULATED") != NULL;
}

#endif
