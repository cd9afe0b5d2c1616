// How much the finalizer goroutine and the cleanup goroutines still have to do: runtime/mfinal.go,
// and since Go 1.25 runtime/mcleanup.go (until then a cleanup runs as a finalizer does).
#ifndef CORESNAP_ANALYZER_RUNTIME_FINALIZERS_H
#define CORESNAP_ANALYZER_RUNTIME_FINALIZERS_H

#include "analyzer/runtime/machine.h"
#include "analyzer/runtime/runtime.h"

struct finalizer_queues {
	bool has_finalizers, has_cleanups; // could be read
	uint64_t finalizers;               // queued and not finished: the one that runs counts
	uint64_t cleanups;                 // queued and not finished, likewise
	uint64_t cleanups_running;         // goroutines that run cleanups now
	uint64_t cleanups_queued, cleanups_executed; // since the start
};

/** Reads both. What a release does not have, or the core lacks, is said by the flags. */
struct finalizer_queues finalizer_queues_load(
	const struct runtime *rt, const struct scheduler *scheduler);

#endif
