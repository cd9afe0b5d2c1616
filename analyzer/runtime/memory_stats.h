// The allocator's own books, from which runtime.ReadMemStats and runtime/metrics compute what they
// tell: runtime/mstats.go (heapStatsDelta, readmemstats_m), runtime/mcache.go (releaseAll),
// runtime/metrics.go. Go 1.18 to 1.27 keep the same books under the same names.
#ifndef CORESNAP_ANALYZER_RUNTIME_MEMORY_STATS_H
#define CORESNAP_ANALYZER_RUNTIME_MEMORY_STATS_H

#include "analyzer/runtime/machine.h"
#include "analyzer/runtime/runtime.h"

#define SIZE_CLASSES 68 // in every release, the same sizes (runtime/sizeclasses.go); 0: large

/** The sum of memstats.heapStats: bytes, and since the start counts of objects. */
struct heap_stats {
	uint64_t committed, released, in_heap, in_stacks, in_work_bufs, in_pointer_bits;
	uint64_t tiny_allocs;
	uint64_t large_alloc_bytes, large_allocs, large_free_bytes, large_frees;
	uint64_t small_allocs[SIZE_CLASSES], small_frees[SIZE_CLASSES];
};

/** What follows from a struct heap_stats. Tiny objects count in neither number of objects. */
struct heap_totals {
	uint64_t allocated_bytes, freed_bytes, allocs, frees;
};

struct memory_stats {
	bool is_known;
	// As runtime/metrics reads them: without what the processors' caches have handed out since they
	// were last filled; and with it, as ReadMemStats does, which empties the caches first.
	struct heap_stats flushed, full;
	uint64_t stacks_sys, mspan_sys, mcache_sys, buckhash_sys, gc_misc_sys, other_sys;
	uint64_t mspan_in_use, mcache_in_use; // bytes
	double gc_cpu_fraction;
};

/**
 * Reads them. `is_known` is false, with a line in `diag`, where memstats cannot be read. A cache that
 * cannot be read adds nothing, and `diag` says so. ReadMemStats also gives back stacks that
 * processors keep for reuse; here they are in use still.
 */
struct memory_stats memory_stats_load(const struct runtime *rt, const struct scheduler *scheduler);

struct heap_totals heap_totals(const struct heap_stats *stats);

/** Bytes of an object of a size class, 1 to SIZE_CLASSES - 1; 0 for class 0. */
uint32_t size_class_bytes(unsigned int size_class);

#endif
