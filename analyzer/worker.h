// What runs inside the sandbox: one core or executable is read, and a snapshot or an identity comes
// out. Started by the supervisor with descriptors and nothing else; asks it for the executable.
#ifndef CORESNAP_ANALYZER_WORKER_H
#define CORESNAP_ANALYZER_WORKER_H

#include "analyzer/core/unpack.h"
#include "analyzer/emit/emit.h"
#include "analyzer/snapshot/analysis.h"

struct worker_job {
	int core, output;                        // descriptors; identify has no output
	int executable;                          // -1: ask for the one that the core names
	int unpacked;                            // empty file for a compressed core; -1: it is not
	const char *core_name, *executable_name; // as the user gave them, for messages
	const struct emit_format *format;
	struct emit_options emit;
	struct analysis_options analysis;
	uint32_t cpu_seconds;
	struct unpack_limits unpack_limits;
	uint64_t files_size; // bytes of the core and executable, for the limit on address space
	bool is_sandboxed;
	const char *failure; // NULL, or why the first attempt failed: make a minimal snapshot
};

/** Analyses job->core and writes job->format to job->output. `context` is a struct worker_job. */
void worker_analyze(void *context, int channel);

/** Finds out what job->core is; the identity is in the result. `context` is a struct worker_job. */
void worker_identify(void *context, int channel);

/** Whether `format` can hold a minimal snapshot. Text for people cannot: it is a line on stderr. */
bool worker_format_is_minimal(const struct emit_format *format);

#endif
