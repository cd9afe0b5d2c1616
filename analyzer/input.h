// Opens what the command reads: regular files, read-only. Only the supervisor does.
#ifndef CORESNAP_ANALYZER_INPUT_H
#define CORESNAP_ANALYZER_INPUT_H

#include "common/status.h"

#include <stddef.h>

/**
 * Opens the regular file `path`, read-only and CLOEXEC. On failure `why` says in half a sentence
 * what is wrong and what to do ("no such file; check the path").
 */
CS_MUST_USE enum cs_status input_open(const char *path, int *fd_ret, char *why, size_t why_size);

/**
 * The same for a path that a core names, which is to be trusted less: it must be absolute and the
 * file must start as an ELF file does, so that nothing else ever reaches the worker that asked.
 */
CS_MUST_USE enum cs_status input_open_executable(
	const char *path, int *fd_ret, char *why, size_t why_size);

#endif
