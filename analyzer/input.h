// Opens what the command reads: regular files, read-only. Only the supervisor does.
#ifndef CORESNAP_ANALYZER_INPUT_H
#define CORESNAP_ANALYZER_INPUT_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Opens the regular file `path`, read-only and CLOEXEC. On failure `why` says in half a sentence
 * what is wrong and what to do ("no such file; check the path").
 */
CS_MUST_USE enum cs_status input_open(const char *path, int *fd_ret, char *why, size_t why_size);

/** The same for a file that must start as an ELF file does, a core excepted. */
CS_MUST_USE enum cs_status input_open_elf(
	const char *path, int *fd_ret, char *why, size_t why_size);

/**
 * Whether the open file `fd` is a regular one that starts as an ELF file does and is no core; `why`
 * if not.
 */
bool input_is_elf(int fd, char *why, size_t why_size);

/**
 * The same as input_open_elf for a path that a core names, which is to be trusted less: it must be
 * absolute, so that nothing else than an ELF file ever reaches the worker that asked.
 */
CS_MUST_USE enum cs_status input_open_executable(
	const char *path, int *fd_ret, char *why, size_t why_size);

#endif
