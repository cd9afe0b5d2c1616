// The walls around the process that parses hostile bytes: after sandbox_enter it opens nothing, has
// no network, starts nothing, and writes to nothing but the descriptors it has. Any other system
// call kills it. Lasts until the process ends.
#ifndef CORESNAP_COMMON_SANDBOX_SANDBOX_H
#define CORESNAP_COMMON_SANDBOX_SANDBOX_H

#include "common/diag.h"
#include "common/status.h"

#include <stdint.h>

struct sandbox_limits {
	uint32_t cpu_seconds;
	uint64_t address_size; // bytes of address space, file mappings included
	int scratch; // a file that may be written anywhere in it and cut; 0: none, it is no stdin
	uint64_t file_size; // no file grows beyond this; 0: as far as it is
};

/**
 * Makes libraries read now what they would read on first use (OpenSSL's configuration, the time
 * zone, the size of memory that qsort asks for): afterwards they could not.
 */
void sandbox_warm_up(void);

/**
 * Closes the sandbox around the calling process, for good: resource limits, no core dump, another
 * user when it was root, no new privileges, Landlock without a rule, seccomp. Only one thread may
 * run. Where a wall is missing in this kernel `diag` gets "sandbox-partial"; without seccomp, which
 * nothing replaces, it fails with the reason in `diag`.
 */
CS_MUST_USE enum cs_status sandbox_enter(const struct sandbox_limits *limits, struct diag *diag);

/**
 * Writes the filter of sandbox_enter to `fd`, as an array of struct sock_filter: for tests of what
 * it decides on an architecture whose kernel is not there. Fails where libseccomp cannot make it.
 */
CS_MUST_USE enum cs_status sandbox_write_filter(int fd);

#endif
