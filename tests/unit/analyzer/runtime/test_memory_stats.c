#include "analyzer/runtime/finalizers.h"
#include "analyzer/runtime/gc.h"
#include "analyzer/runtime/memory_stats.h"
#include "tests/lib/mkruntime.h"

#include <check.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define DELTA 1536 // bytes of an element of memstats.heapStats, as mkruntime lays it

/** Writes number `index` of field `id` of element `delta` of the ring. */
static void set_heap(struct mkruntime *m, size_t delta, enum layout_id id, size_t index, uint64_t n)
{
	target_addr ring = mkruntime_variable(m, VAR_MEMSTATS) + layout_value(&m->layout, STATS_HEAP);

	mkruntime_word(m, ring + delta * DELTA + layout_value(&m->layout, id) + index * 8, n);
}

static struct memory_stats load(struct mkruntime *m)
{
	struct scheduler s;

	if (!m->rt)
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
	return memory_stats_load(m->rt, &s);
}

/* A span in the cache of a processor: `used` objects of it are taken, `before` were when it came. */
static target_addr add_span(struct mkruntime *m, target_addr cache, size_t span_class,
	uint64_t used, uint64_t before)
{
	target_addr span = mkruntime_object(m, SPAN_START);

	mkruntime_set(m, span, SPAN_USED, used);
	mkruntime_set(m, span, SPAN_USED_BEFORE_CACHE, before);
	mkruntime_set(m, span, SPAN_COUNT, 100);
	mkruntime_word(m, cache + layout_value(&m->layout, MCACHE_ALLOC) + span_class * 8, span);
	return span;
}

static target_addr add_cache(struct mkruntime *m)
{
	target_addr cache = mkruntime_object(m, MCACHE_ALLOC), p = mkruntime_p(m);

	mkruntime_set(m, p, P_MCACHE, cache);
	for (size_t i = 0; i < 2 * SIZE_CLASSES; i++)
		add_span(m, cache, i, 0, 0);
	return cache;
}

START_TEST(the_ring_is_summed)
{
	struct mkruntime *m = mkruntime_create(0);
	struct memory_stats stats;
	struct heap_totals totals;

	set_heap(m, 0, HEAP_COMMITTED, 0, 1000);
	set_heap(m, 1, HEAP_COMMITTED, 0, (uint64_t)-300);
	set_heap(m, 2, HEAP_IN_STACKS, 0, 7);
	set_heap(m, 0, HEAP_SMALL_ALLOCS, 1, 5); // of 8 bytes
	set_heap(m, 1, HEAP_SMALL_ALLOCS, 67, 2); // of 32768
	set_heap(m, 2, HEAP_SMALL_FREES, 1, 3);
	set_heap(m, 0, HEAP_LARGE_ALLOC, 0, 40000);
	set_heap(m, 0, HEAP_LARGE_ALLOCS, 0, 1);
	set_heap(m, 0, HEAP_TINY_ALLOCS, 0, 9);
	stats = load(m);
	ck_assert(stats.is_known);
	ck_assert_uint_eq(stats.full.committed, 700);
	ck_assert_uint_eq(stats.full.in_stacks, 7);
	ck_assert_uint_eq(stats.full.tiny_allocs, 9);
	totals = heap_totals(&stats.full);
	ck_assert_uint_eq(totals.allocs, 8);
	ck_assert_uint_eq(totals.frees, 3);
	ck_assert_uint_eq(totals.allocated_bytes, 5 * 8 + 2 * 32768 + 40000);
	ck_assert_uint_eq(totals.freed_bytes, 3 * 8);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(what_caches_gave_out_counts)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr cache = add_cache(m);
	struct memory_stats stats;

	add_span(m, cache, 4, 30, 10); // class 2, with pointers
	add_span(m, cache, 5, 3, 1);   // and without
	mkruntime_set(m, cache, MCACHE_TINY_ALLOCS, 6);
	stats = load(m);
	ck_assert_uint_eq(stats.flushed.small_allocs[2], 0);
	ck_assert_uint_eq(stats.full.small_allocs[2], 22);
	ck_assert_uint_eq(stats.full.tiny_allocs, 6);
	mkruntime_destroy(m);
}
END_TEST

/* Go 1.18 counts a span as a whole when it goes into the cache. */
START_TEST(of_go1_18_what_is_left_is_taken_off)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr cache = add_cache(m);

	add_span(m, cache, 4, 30, 10);
	set_heap(m, 0, HEAP_SMALL_ALLOCS, 2, 100);
	for (size_t i = 0; i < 2 * SIZE_CLASSES; i++)
		if (i != 4)
			mkruntime_set(m, add_span(m, cache, i, 0, 0), SPAN_COUNT, 0);
	mkruntime_forget(m, SPAN_USED_BEFORE_CACHE);
	ck_assert_uint_eq(load(m).full.small_allocs[2], 30);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(an_unreadable_cache_adds_nothing)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr cache = add_cache(m);
	struct memory_stats stats;

	add_span(m, cache, 4, 30, 10);
	mkruntime_word(m, cache + layout_value(&m->layout, MCACHE_ALLOC) + 100 * 8, 0x10);
	stats = load(m);
	ck_assert(stats.is_known);
	ck_assert_uint_eq(stats.full.small_allocs[2], 0);
	ck_assert_str_eq(m->diag.entries[m->diag.count - 1].code, "unreadable-cache");
	mkruntime_destroy(m);
}
END_TEST

/* A layout that would have us read beside the counters is refused. */
START_TEST(impossible_layouts)
{
	static const struct {
		enum layout_id id;
		uint64_t value, size;
	} rows[] = {{HEAP_SMALL_FREES, DELTA - 8, 68 * 8}, {HEAP_SMALL_ALLOCS, 8, 67 * 8},
		{HEAP_COMMITTED, DELTA, 8}, {HEAP_TINY_ALLOCS, 8, 4}, {STATS_HEAP, 8, 24}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);

		m->layout.facts[rows[i].id].value = rows[i].value;
		m->layout.facts[rows[i].id].size = rows[i].size;
		ck_assert(!load(m).is_known);
		ck_assert_str_eq(m->diag.entries[m->diag.count - 1].code, "no-memory-stats");
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(size_classes)
{
	ck_assert_uint_eq(size_class_bytes(0), 0);
	ck_assert_uint_eq(size_class_bytes(1), 8);
	ck_assert_uint_eq(size_class_bytes(67), 32768);
	ck_assert_uint_eq(size_class_bytes(68), 0);
	for (unsigned int i = 1; i + 1 < SIZE_CLASSES; i++)
		ck_assert_uint_lt(size_class_bytes(i), size_class_bytes(i + 1));
}
END_TEST

/* mgcpacer.go trigger and heapGoalInternal, worked out by hand. */
START_TEST(the_pacer)
{
	static const struct {
		uint64_t goal, marked, runway, limit, ready;
		uint64_t expected_goal, expected_trigger;
		bool is_limited;
	} rows[] = {
		{4 << 20, 0, 0, INT64_MAX, 0, 4 << 20, 3997696, false}, // 61/64 of the goal
		{64 << 20, 32 << 20, 16 << 20, INT64_MAX, 0, 64 << 20, 57147392, false}, // 45/64
		{64 << 20, 32 << 20, 5 << 20, INT64_MAX, 0, 64 << 20, 59 << 20, false},
		{64 << 20, 64 << 20, 0, INT64_MAX, 0, 64 << 20, 64 << 20, false},
		{64 << 20, 8 << 20, 0, 32 << 20, 4 << 20, 28311552, 27377664, true},
		{64 << 20, 8 << 20, 0, 32 << 20, 64 << 20, 8 << 20, 8 << 20, true},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr c = mkruntime_variable(m, VAR_GC_CONTROLLER);
		struct gc_state gc;

		mkruntime_forget(m, GC_TRIGGER_OLD);
		mkruntime_set(m, c, GC_HEAP_GOAL, rows[i].goal);
		mkruntime_set(m, c, GC_HEAP_MARKED, rows[i].marked);
		mkruntime_set(m, c, GC_RUNWAY, rows[i].runway);
		mkruntime_set(m, c, GC_MEMORY_LIMIT, rows[i].limit);
		mkruntime_set(m, c, GC_MAPPED_READY, rows[i].ready);
		mkruntime_set(m, c, GC_TRIGGERED, UINT64_MAX);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		gc = gc_load(m->rt);
		ck_assert_msg(gc.heap_goal == rows[i].expected_goal &&
				      gc.trigger == rows[i].expected_trigger &&
				      gc.is_limited == rows[i].is_limited,
			"%zu: %llu %llu", i, (unsigned long long)gc.heap_goal,
			(unsigned long long)gc.trigger);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(queued_finalizers_and_cleanups)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr first = mkruntime_object(m, FINALIZERS_IN_BLOCK);
	target_addr second = mkruntime_object(m, FINALIZERS_IN_BLOCK), p = mkruntime_p(m);
	target_addr queue = mkruntime_variable(m, VAR_CLEANUPS);
	struct finalizer_queues queues;
	struct scheduler s;

	mkruntime_set(m, 0, VAR_ALL_FINALIZERS, first);
	mkruntime_set(m, first, FINALIZERS_NEXT_BLOCK, second);
	mkruntime_set(m, first, FINALIZERS_IN_BLOCK, 3);
	mkruntime_set(m, second, FINALIZERS_IN_BLOCK, 101);
	mkruntime_set(m, queue, CLEANUPS_QUEUED, 10);
	mkruntime_set(m, queue, CLEANUPS_EXECUTED, 12);
	mkruntime_set(m, p, P_CLEANUPS_QUEUED, 7);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
	queues = finalizer_queues_load(m->rt, &s);
	ck_assert(queues.has_finalizers && queues.has_cleanups);
	ck_assert_uint_eq(queues.finalizers, 104);
	ck_assert_uint_eq(queues.cleanups, 5);
	mkruntime_set(m, second, FINALIZERS_NEXT_BLOCK, first); // a ring
	ck_assert(!finalizer_queues_load(m->rt, &s).has_finalizers);
	mkruntime_set(m, second, FINALIZERS_NEXT_BLOCK, 0x10);
	ck_assert(!finalizer_queues_load(m->rt, &s).has_finalizers);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_memory_stats(void);

Suite *suite_memory_stats(void)
{
	Suite *suite = suite_create("memory_stats");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, the_ring_is_summed);
	tcase_add_test(tests, what_caches_gave_out_counts);
	tcase_add_test(tests, of_go1_18_what_is_left_is_taken_off);
	tcase_add_test(tests, an_unreadable_cache_adds_nothing);
	tcase_add_test(tests, impossible_layouts);
	tcase_add_test(tests, size_classes);
	tcase_add_test(tests, the_pacer);
	tcase_add_test(tests, queued_finalizers_and_cleanups);
	suite_add_tcase(suite, tests);
	return suite;
}
