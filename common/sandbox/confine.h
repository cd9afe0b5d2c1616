// What a role that has the network gives up before it begins: it parses nothing that is hostile,
// but its libraries speak with strangers. The kernel keeps it to its own directories, whatever they
// make of an answer.
#ifndef CORESNAP_COMMON_SANDBOX_CONFINE_H
#define CORESNAP_COMMON_SANDBOX_CONFINE_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

struct confine_files {
	const int *directories; // whose files it may read, write, move and remove; borrowed
	size_t directory_count;
	bool may_make_directories;   // within them
	const char *const *readable; // further paths to read; "" and absent ones need no rule
	size_t readable_count;
};

/**
 * Leaves the process no capabilities, no new privileges, and of the file system only `files` and,
 * to read, what name resolution and TLS need: /etc, the libraries, certificates. CS_UNSUPPORTED
 * where the kernel has no Landlock that allows moves (Linux 5.19); the capabilities are gone all
 * the same. CS_IO, with errno set.
 */
CS_MUST_USE enum cs_status confine_network_role(const struct confine_files *files);

#endif
