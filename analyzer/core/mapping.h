// A file mapped read-only, whose disappearing under us is survivable. A mapped file that another
// process truncates raises SIGBUS where it is touched; cores are often still being written or
// rotated away while we read, so that must not end an analysis.
#ifndef CORESNAP_ANALYZER_CORE_MAPPING_H
#define CORESNAP_ANALYZER_CORE_MAPPING_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Borrow `bytes` until mapping_close. */
struct mapping {
	const uint8_t *bytes;
	size_t size;
	int slot; // in the guard's registry; -1: nothing is mapped
};

/** How many mappings one process can have at once: a core, its executable, debug files. */
#define MAX_MAPPINGS 64

/**
 * Maps the first `size` bytes of `fd` (which stays the caller's), private and read-only. Size 0
 * gives an empty mapping. CS_IO where the kernel refuses (errno says why), CS_LIMIT past
 * MAX_MAPPINGS. Pages that the file loses later read as zeros. The first call installs the
 * process's SIGBUS handler; a SIGBUS outside of these mappings still ends the process. A system
 * call that is handed lost pages gets EFAULT, as for any bad pointer.
 */
CS_MUST_USE enum cs_status mapping_open(int fd, size_t size, struct mapping *ret);

/** Unmaps. Harmless when called again, and on a zeroed struct with slot -1. */
void mapping_close(struct mapping *mapping);

/** Whether a page was lost, and zeros were read in its place. */
bool mapping_is_torn(const struct mapping *mapping);

#endif
