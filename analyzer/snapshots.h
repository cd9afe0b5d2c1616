// The commands that read snapshots rather than cores: opens the files, lets a sandboxed worker read
// them, and makes what it wrote visible when it is whole. A snapshot is as hostile as a core: who
// crashed decides what is in it.
#ifndef CORESNAP_ANALYZER_SNAPSHOTS_H
#define CORESNAP_ANALYZER_SNAPSHOTS_H

#include "common/json/reader.h"

#include <stdint.h>

#define SNAPSHOTS_MAX 2

/** Within the worker: the snapshots, read, and where to write. */
struct snapshots {
	const char *names[SNAPSHOTS_MAX]; // as the user gave them
	struct json_reader readers[SNAPSHOTS_MAX];
	size_t count;
	struct arena arena;
	char *unpacked[SNAPSHOTS_MAX]; // owned: the bytes of a compressed one
	char why[512];                 // why it failed, when it does
	int output;                    // a descriptor
	const void *options;           // the command's own
};

/** Takes bytes for job->output: as emit_sink and json_sink, with the struct snapshots. */
bool snapshots_write(void *context, const char *bytes, size_t size);

struct snapshots_job {
	const char *names[SNAPSHOTS_MAX];
	size_t count;
	const char *output; // a path; NULL: standard output
	bool is_sandboxed;
	/**
	 * Writes what the command says. *ret: 0, or 1 for the exit status that means "they differ".
	 * Otherwise than with CS_OK nothing is kept, and `why` is said.
	 */
	enum cs_status (*work)(struct snapshots *snapshots, uint32_t *ret);
	const void *options; // borrowed, for `work`
};

/** Runs a job. True, with *ret as `work` left it; false when what is wrong was said. */
bool snapshots_run(const struct snapshots_job *job, uint32_t *ret);

#endif
