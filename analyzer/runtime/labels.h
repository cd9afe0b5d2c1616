// A goroutine's profiler labels (runtime/pprof), in the layouts of all releases: a map until 1.23,
// a sorted slice of pairs since.
#ifndef CORESNAP_ANALYZER_RUNTIME_LABELS_H
#define CORESNAP_ANALYZER_RUNTIME_LABELS_H

#include "analyzer/runtime/runtime.h"

struct label {
	const char *key, *value; // in the arena
};

struct labels {
	struct label *list; // sorted by key
	size_t count, capacity;
	bool is_unreadable; // there are labels, but their memory is not in the core
};

/** Reads what g.labels (`pointer`, 0: none) points to. At most MAX_LABELS. */
struct labels labels_load(const struct runtime *rt, target_addr pointer);

#endif
