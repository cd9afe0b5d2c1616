// The collector's counters, and from their stamps how long goroutines waited.
#include "analyzer/runtime/clock.h"

#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static target_addr pause(struct mkruntime *m, enum layout_id ring, uint64_t slot)
{
	return mkruntime_variable(m, VAR_MEMSTATS) + layout_value(&m->layout, ring) + 8 * slot;
}

START_TEST(pauses_are_newest_first)
{
	static const struct {
		uint64_t cycles;
		uint32_t count;
		uint64_t newest, oldest; // slots
	} rows[] = {{0, 0, 0, 0}, {1, 1, 0, 0}, {3, 3, 2, 0}, {256, 256, 255, 0}, {257, 256, 0, 1},
		{600, 256, 87, 88}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		struct gc_state gc;

		for (uint64_t slot = 0; slot < GC_PAUSES; slot++) {
			mkruntime_word(m, pause(m, STATS_PAUSE_NS, slot), 1000 + slot);
			mkruntime_word(m, pause(m, STATS_PAUSE_END, slot), 5000 + slot);
		}
		mkruntime_set(m, mkruntime_variable(m, VAR_MEMSTATS), STATS_NUM_GC, rows[i].cycles);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		gc = gc_load(m->rt);
		ck_assert(gc.is_known);
		ck_assert_uint_eq(gc.pause_count, rows[i].count);
		if (gc.pause_count) {
			ck_assert_uint_eq(gc.pauses_ns[0], 1000 + rows[i].newest);
			ck_assert_uint_eq(gc.pauses_ns[gc.pause_count - 1], 1000 + rows[i].oldest);
			ck_assert_int_eq(gc.ends_unix[0], (int64_t)(5000 + rows[i].newest));
		}
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(the_goal_is_never_below_the_trigger)
{
	static const struct {
		uint64_t trigger, goal, expected;
	} rows[] = {{0, 4 << 20, 4 << 20}, {4 << 20, 4 << 20, (4 << 20) + (64 << 10)},
		{UINT64_MAX, 4 << 20, 4 << 20}, {4 << 20, 0, (4 << 20) + (64 << 10)}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr controller = mkruntime_variable(m, VAR_GC_CONTROLLER);

		mkruntime_set(m, controller, GC_TRIGGERED, rows[i].trigger);
		mkruntime_set(m, controller, GC_HEAP_GOAL, rows[i].goal);
		mkruntime_set(m, controller, GC_PERCENT, UINT32_MAX);
		mkruntime_set(m, controller, GC_MEMORY_LIMIT, INT64_MAX);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_uint_eq(gc_load(m->rt).heap_goal, rows[i].expected);
		ck_assert_int_eq(gc_load(m->rt).percent, -1);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(without_memstats_nothing_is_known)
{
	struct mkruntime *m = mkruntime_create(0);
	struct gc_state gc;

	m->layout.facts[VAR_MEMSTATS].value = 0x10;
	mkruntime_set(m, 0, VAR_GC_PHASE, 1);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	gc = gc_load(m->rt);
	ck_assert(!gc.is_known && !gc.pause_count);
	ck_assert_str_eq(gc_phase_name(gc.phase), "mark");
	ck_assert_str_eq(gc_phase_name(3), "unknown");
	ck_assert_str_eq(m->diag.entries[m->diag.count - 1].code, "no-gc-state");
	mkruntime_destroy(m);
}
END_TEST

START_TEST(now_is_the_newest_stamp)
{
	static const enum layout_id stamps[] = {SCHED_LAST_POLL, SCHED_PROCRESIZE_TIME};
	static const enum layout_id of_p[] = {
		P_SYSMON_SCHED_WHEN, P_SYSMON_SYSCALL_WHEN, P_GC_STOP_TIME};
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING), p = mkruntime_p(m);
	struct gc_state gc = {0};
	struct goroutines all;
	struct scheduler s;
	uint64_t now = 100;

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	mkruntime_set(m, 0, VAR_RUNTIME_INIT_TIME, now);
	for (size_t i = 0; i < 7; i++) {
		ck_assert_int_eq(goroutines_load(m->rt, &all), CS_OK);
		ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
		ck_assert_int_eq(clock_load(m->rt, &s, &all, &gc).now, (int64_t)now);
		now += 10;
		if (i < 2)
			mkruntime_set(m, mkruntime_variable(m, VAR_SCHED), stamps[i], now);
		else if (i < 5)
			mkruntime_set(m, p, of_p[i - 2], now);
		else
			mkruntime_set(m, g, G_TRACKING_STAMP, now);
	}
	gc.last_end = 1000;
	ck_assert_int_eq(clock_load(m->rt, &s, &all, &gc).now, 1000);
	gc.last_start = 2000;
	ck_assert_int_eq(clock_load(m->rt, &s, &all, &gc).now, 2000);
	mkruntime_destroy(m);
}
END_TEST

/* Cycles ended at 700, 500 and 300; it is 1000. */
START_TEST(bounds_of_a_wait)
{
	static const struct {
		enum goroutine_status status;
		int64_t since, best, min;
	} rows[] = {
		{GOROUTINE_WAITING, 300, 700, 500}, // stamped by the cycle that ended at 500
		{GOROUTINE_WAITING, 301, 699, 300},
		{GOROUTINE_WAITING, 500, 500, 300},
		{GOROUTINE_SYSCALL, 500, 500, 300},
		{GOROUTINE_LEAKED, 500, 500, 300},
		{GOROUTINE_WAITING, 700, 300, 0}, // by one that is still marking
		{GOROUTINE_WAITING, 100, 900, 500},
		{GOROUTINE_WAITING, 0, -1, -1},
		{GOROUTINE_WAITING, 1001, -1, -1}, // not before now: garbage
		{GOROUTINE_WAITING, -5, -1, -1},
		{GOROUTINE_WAITING, INT64_MIN, -1, -1},
		{GOROUTINE_RUNNABLE, 500, -1, -1},
	};
	const struct clock clock = {
		.now = 1000, .previous_ends = {700, 500, 300}, .previous_count = 3};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct goroutine g = {
			.status = (uint16_t)rows[i].status, .wait_since = rows[i].since};
		struct wait_time wait = clock_wait(&clock, &g);

		ck_assert_msg(wait.best == rows[i].best && wait.min == rows[i].min,
			"%zu: %lld %lld", i, (long long)wait.best, (long long)wait.min);
		ck_assert_int_eq(wait.max, -1);
		ck_assert_int_eq(wait.is_from_gc, wait.best >= 0);
	}
}
END_TEST

/* The ends come from two clocks: garbage in one may not overflow. */
START_TEST(garbage_stamps_wrap)
{
	struct mkruntime *m = mkruntime_create(0);
	struct gc_state gc = {.last_end = INT64_MIN,
		.last_end_unix = INT64_MAX,
		.ends_unix = {INT64_MIN, INT64_MAX},
		.pause_count = 2};
	struct goroutines all = {0};
	struct scheduler s = {0};
	struct clock clock;

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	clock = clock_load(m->rt, &s, &all, &gc);
	ck_assert_uint_eq(clock.previous_count, 2);
	ck_assert_int_eq(clock.now, 0);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_clock(void);

Suite *suite_clock(void)
{
	Suite *suite = suite_create("clock");
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, pauses_are_newest_first);
	tcase_add_test(tests, the_goal_is_never_below_the_trigger);
	tcase_add_test(tests, without_memstats_nothing_is_known);
	tcase_add_test(tests, now_is_the_newest_stamp);
	tcase_add_test(tests, bounds_of_a_wait);
	tcase_add_test(tests, garbage_stamps_wrap);
	suite_add_tcase(suite, tests);
	return suite;
}
