// The command line of coresnapd.
#ifndef CORESNAP_DAEMON_OPTIONS_H
#define CORESNAP_DAEMON_OPTIONS_H

#include "common/limits.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All strings are borrowed from argv. */
struct options {
	const char *watch[MAX_WATCH_DIRECTORIES];
	size_t watch_count;
	const char *executables[MAX_WATCH_DIRECTORIES];
	size_t executables_count;
	const char *spool;
	const char *upload; // without a slash at its end: upload_length
	size_t upload_length;
	bool is_https;
	const char *token_file, *ca_file; // NULL: none
	const char *analyzer;             // NULL: look for it
	uint64_t time_limit_ns;           // of one analysis
	uint64_t executable_wait_ns;
	uint64_t retry_min_ns;     // the backoff's base
	uint64_t stall_timeout_ns; // an upload that moves no byte for so long is given up
	const char *max_unpacked;  // of a compressed core, as the analyzer takes it; NULL: its own
	uint64_t spool_max, keep_free; // keep_free: UINT64_MAX for the default
	uint32_t jobs;
	bool is_foreground, is_verbose;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/**
 * Reads the command line. OPTIONS_WRONG: `problem` (of `size` bytes) holds one line for the user.
 */
enum options_action daemon_options_parse(
	int argc, char **argv, struct options *ret, char *problem, size_t size);

/** The help text, in static memory. */
const char *daemon_options_help(void);

#endif
