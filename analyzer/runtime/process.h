// What the process was started with, as the runtime keeps it: runtime.argslice and runtime.envs
// (runtime/runtime1.go). Raw: redaction is the caller's.
#ifndef CORESNAP_ANALYZER_RUNTIME_PROCESS_H
#define CORESNAP_ANALYZER_RUNTIME_PROCESS_H

#include "analyzer/runtime/runtime.h"

struct string_list {
	const char **list; // in the arena; an unreadable one is ""
	size_t count;
	uint64_t total; // what the target says there are; more than count where a cap cut
};

/** os.Args; false where it cannot be read. */
bool process_arguments(const struct runtime *rt, struct string_list *ret);

/** The environment at start, "NAME=value" each; false where it cannot be read. */
bool process_environment(const struct runtime *rt, struct string_list *ret);

#endif
