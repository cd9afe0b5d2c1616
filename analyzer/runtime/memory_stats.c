#include "analyzer/runtime/memory_stats.h"

#include <string.h>

#define HEAP_STATS_RING 3 // mstats.go consistentHeapStats.stats
#define SPAN_CLASSES (2 * SIZE_CLASSES)

// runtime/sizeclasses.go class_to_size; since 1.26 internal/runtime/gc/sizeclasses.go.
static const uint16_t class_sizes[SIZE_CLASSES] = {0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144,
	160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512, 576, 640, 704,
	768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096,
	4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336,
	16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768};

uint32_t size_class_bytes(unsigned int size_class)
{
	return size_class < SIZE_CLASSES ? class_sizes[size_class] : 0;
}

static uint64_t load_word(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/** One element of the ring. The sums may wrap: a single element can be negative. */
static void add_delta(const struct layout *layout, const uint8_t *delta, struct heap_stats *sum)
{
	const struct {
		enum layout_id id;
		uint64_t *to;
	} numbers[] = {
		{HEAP_COMMITTED, &sum->committed},
		{HEAP_RELEASED, &sum->released},
		{HEAP_IN_HEAP, &sum->in_heap},
		{HEAP_IN_STACKS, &sum->in_stacks},
		{HEAP_IN_WORK_BUFS, &sum->in_work_bufs},
		{HEAP_IN_PTR_BITS, &sum->in_pointer_bits},
		{HEAP_TINY_ALLOCS, &sum->tiny_allocs},
		{HEAP_LARGE_ALLOC, &sum->large_alloc_bytes},
		{HEAP_LARGE_ALLOCS, &sum->large_allocs},
		{HEAP_LARGE_FREE, &sum->large_free_bytes},
		{HEAP_LARGE_FREES, &sum->large_frees},
	};
	const uint8_t *allocs = delta + layout_value(layout, HEAP_SMALL_ALLOCS);
	const uint8_t *frees = delta + layout_value(layout, HEAP_SMALL_FREES);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (layout_has(layout, numbers[i].id))
			*numbers[i].to += load_word(delta + layout_value(layout, numbers[i].id));
	for (size_t i = 0; i < SIZE_CLASSES; i++) {
		sum->small_allocs[i] += load_word(allocs + i * sizeof(uint64_t));
		sum->small_frees[i] += load_word(frees + i * sizeof(uint64_t));
	}
}

/** Whether every row of heapStatsDelta lies within `size` bytes and has the size that it must have. */
static bool is_delta_sane(const struct layout *layout, uint64_t size)
{
	for (enum layout_id id = HEAP_COMMITTED; id <= HEAP_SMALL_FREES; id++) {
		bool is_array = id == HEAP_SMALL_ALLOCS || id == HEAP_SMALL_FREES;
		uint64_t wanted = (is_array ? SIZE_CLASSES : 1) * sizeof(uint64_t);

		if (layout_has(layout, id) &&
			(layout_size(layout, id) != wanted ||
				layout_value(layout, id) + wanted > size))
			return false;
	}
	return true;
}

static bool load_heap(const struct runtime *rt, struct heap_stats *ret)
{
	target_addr ring = runtime_field_address(rt, VAR_MEMSTATS, STATS_HEAP);
	uint64_t stride = layout_size(&rt->layout, STATS_HEAP) / HEAP_STATS_RING;
	const uint8_t *bytes;

	if (!ring || !is_delta_sane(&rt->layout, stride))
		return false;
	bytes = runtime_bytes(rt, ring, stride * HEAP_STATS_RING);
	for (size_t i = 0; bytes && i < HEAP_STATS_RING; i++)
		add_delta(&rt->layout, bytes + i * stride, ret);
	return bytes != NULL;
}

/**
 * What one span in a cache has given out since it went there. Go 1.18 counts all of a span when it
 * goes into the cache, later releases when it comes out.
 */
static bool add_cached_span(
	const struct runtime *rt, target_addr span, unsigned int size_class, struct heap_stats *sum)
{
	uint64_t used, other;
	bool is_late = layout_has(&rt->layout, SPAN_USED_BEFORE_CACHE);

	if (!runtime_read_at(rt, span, SPAN_USED, &used) ||
		!runtime_read_at(rt, span, is_late ? SPAN_USED_BEFORE_CACHE : SPAN_COUNT, &other))
		return false;
	sum->small_allocs[size_class] += used - other;
	return true;
}

static bool add_cache(const struct runtime *rt, target_addr cache, struct heap_stats *sum)
{
	uint64_t tiny;
	const uint8_t *spans = NULL;

	if (layout_size(&rt->layout, MCACHE_ALLOC) == SPAN_CLASSES * sizeof(target_addr))
		spans = runtime_bytes(rt, cache + layout_value(&rt->layout, MCACHE_ALLOC),
			SPAN_CLASSES * sizeof(target_addr));
	if (!spans || !runtime_read_at(rt, cache, MCACHE_TINY_ALLOCS, &tiny))
		return false;
	sum->tiny_allocs += tiny;
	// Class 0 is of large objects, which are in no cache; its slots hold the empty span.
	for (unsigned int i = 0; i < SPAN_CLASSES; i++)
		if (!add_cached_span(rt, load_word(spans + i * sizeof(target_addr)), i >> 1, sum))
			return false;
	return true;
}

static void add_caches(
	const struct runtime *rt, const struct scheduler *scheduler, struct heap_stats *sum)
{
	for (size_t i = 0; i < scheduler->processor_count; i++) {
		struct heap_stats with = *sum;
		target_addr cache = scheduler->processors[i].mcache;

		if (!cache)
			continue;
		if (add_cache(rt, cache, &with))
			*sum = with;
		else
			diag_add(rt->diag, DIAG_WARNING, "unreadable-cache",
				"what a processor's allocation cache has given out is not in the "
				"core: the newest allocations are missing in `memory`");
	}
}

struct heap_totals heap_totals(const struct heap_stats *stats)
{
	struct heap_totals totals = {.allocated_bytes = stats->large_alloc_bytes,
		.freed_bytes = stats->large_free_bytes,
		.allocs = stats->large_allocs,
		.frees = stats->large_frees};

	for (size_t i = 0; i < SIZE_CLASSES; i++) {
		totals.allocs += stats->small_allocs[i];
		totals.frees += stats->small_frees[i];
		totals.allocated_bytes += stats->small_allocs[i] * class_sizes[i];
		totals.freed_bytes += stats->small_frees[i] * class_sizes[i];
	}
	return totals;
}

struct memory_stats memory_stats_load(const struct runtime *rt, const struct scheduler *scheduler)
{
	struct memory_stats stats = {0};
	const struct {
		enum layout_id variable, id;
		uint64_t *to;
	} numbers[] = {
		{VAR_MEMSTATS, STATS_STACKS_SYS, &stats.stacks_sys},
		{VAR_MEMSTATS, STATS_MSPAN_SYS, &stats.mspan_sys},
		{VAR_MEMSTATS, STATS_MCACHE_SYS, &stats.mcache_sys},
		{VAR_MEMSTATS, STATS_BUCKHASH_SYS, &stats.buckhash_sys},
		{VAR_MEMSTATS, STATS_GC_MISC_SYS, &stats.gc_misc_sys},
		{VAR_MEMSTATS, STATS_OTHER_SYS, &stats.other_sys},
		{VAR_MHEAP, MHEAP_SPANS_IN_USE, &stats.mspan_in_use},
		{VAR_MHEAP, MHEAP_CACHES_IN_USE, &stats.mcache_in_use},
	};
	uint64_t fraction = 0;

	stats.is_known = load_heap(rt, &stats.flushed) &&
			 runtime_read_field(rt, VAR_MEMSTATS, STATS_GC_CPU_FRACTION, &fraction);
	for (size_t i = 0; stats.is_known && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		stats.is_known =
			runtime_read_field(rt, numbers[i].variable, numbers[i].id, numbers[i].to);
	if (!stats.is_known) {
		diag_add(rt->diag, DIAG_WARNING, "no-memory-stats",
			"the allocator's counters are not readable: `memory` is missing");
		return (struct memory_stats){0};
	}
	memcpy(&stats.gc_cpu_fraction, &fraction, sizeof(fraction));
	stats.full = stats.flushed;
	add_caches(rt, scheduler, &stats.full);
	return stats;
}
