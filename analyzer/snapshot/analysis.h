// One analysis: what is known of a dead program, gathered from its image and its executable. The
// emitters write it out; the process that made it knows nothing of files or options of a command.
// Without an executable it is a minimal one: signal, threads, registers, build ids.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_ANALYSIS_H
#define CORESNAP_ANALYZER_SNAPSHOT_ANALYSIS_H

#include "analyzer/core/executable.h"
#include "analyzer/core/image.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

struct binary;

#define ANALYSIS_ID_SIZE 33 // 32 hex digits and a NUL

enum analysis_variables { VARIABLES_ALL, VARIABLES_CRASH, VARIABLES_NONE };

/** What the caller wants, and what only the caller knows. Strings are borrowed, never NULL. */
struct analysis_options {
	bool include_system; // goroutines that the runtime itself started and uses
	enum analysis_variables variables;
	uint32_t max_string, max_elements, max_depth;
	const char *generator_version;
	int64_t captured_at;            // seconds since 1970, UTC; a core file's modification time
	const char *hostname, *kernel;  // of this machine, as uname gives them
	const char *core_name;          // for messages
};

/** Everything in it is borrowed or in the arena, and const for the emitters. */
struct analysis {
	struct image *image;                      // borrowed
	struct binary *binary;                    // borrowed; NULL: minimal
	const struct core_executable *executable; // borrowed
	const struct analysis_options *options;   // borrowed
	const struct diag *diag;                  // borrowed; goes on growing until it is written
	char id[ANALYSIS_ID_SIZE];
};

/**
 * Analyses `image`, with `binary` or, where that is NULL, minimally. Everything that is passed must
 * outlive the result, which lives in `arena`. Fails only where no snapshot at all can be made: then
 * `diag` has the line that says why. What could not be read is in `diag` otherwise.
 */
CS_MUST_USE enum cs_status analysis_create(struct image *image, struct binary *binary,
	const struct core_executable *executable, const struct analysis_options *options,
	struct arena *arena, struct diag *diag, struct analysis **ret);

#endif
