#include "analyzer/runtime/goroutine.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct goroutines load(struct mkruntime *m)
{
	struct goroutines all;

	if (!m->rt)
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(goroutines_load(m->rt, &all), CS_OK);
	return all;
}

static bool has_diagnostic(const struct mkruntime *m, const char *code)
{
	for (size_t i = 0; i < m->diag.count; i++)
		if (!strcmp(m->diag.entries[i].code, code))
			return true;
	return false;
}

START_TEST(statuses)
{
	static const struct {
		uint64_t status;
		const char *name; // NULL: not alive, left out
		bool has_reason;
	} rows[] = {{0, NULL, false}, {1, "runnable", false}, {2, "running", false},
		{3, "syscall", false}, {4, "waiting", true}, {5, "unknown", false},
		{6, NULL, false}, {8, "copystack", false}, {9, "preempted", false},
		{10, "leaked", true}, {11, NULL, false}, {0x1001, "runnable", false},
		{0x1004, "waiting", true}, {0x1006, NULL, false}, {0xffff, "unknown", false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr g = mkruntime_g(m, 7, rows[i].status);
		struct goroutines all;

		mkruntime_set(m, g, G_WAIT_REASON, 1);
		all = load(m);
		ck_assert_uint_eq(all.count, rows[i].name != NULL);
		ck_assert_uint_eq(m->diag.count, 0);
		if (rows[i].name) {
			ck_assert_str_eq(goroutine_status_name(all.list[0].status), rows[i].name);
			ck_assert_pstr_eq(goroutine_wait_reason(m->rt, &all.list[0]),
				rows[i].has_reason ? "chan receive" : NULL);
			ck_assert_ptr_eq(goroutines_find(&all, g), &all.list[0]);
			ck_assert_ptr_null(goroutines_find(&all, g + 8));
			all.list[0].wait_reason = 0; // the empty string
			ck_assert_ptr_null(goroutine_wait_reason(m->rt, &all.list[0]));
			all.list[0].wait_reason = 255; // no such reason
			ck_assert_ptr_null(goroutine_wait_reason(m->rt, &all.list[0]));
		}
		mkruntime_destroy(m);
	}
}
END_TEST

static void make_unreadable(struct mkruntime *m, target_addr g)
{
	(void)g;
	mkruntime_word(m, m->gs + 8, 0x10);
}

static void make_other_g(struct mkruntime *m, target_addr g)
{
	mkruntime_set(m, g, G_SCHED_G, g + 8);
}

static void make_stack_backwards(struct mkruntime *m, target_addr g)
{
	mkruntime_set(m, g, G_STACK_LO, UINT64_MAX);
}

static void make_stack_huge(struct mkruntime *m, target_addr g)
{
	mkruntime_set(m, g, G_STACK_LO, 0);
}

static void make_twice(struct mkruntime *m, target_addr g)
{
	(void)g;
	memcpy(mkruntime_at(m, m->gs + 8), mkruntime_at(m, m->gs), 8);
}

START_TEST(garbage_is_left_out_and_said)
{
	static const struct {
		void (*make)(struct mkruntime *m, target_addr g);
		const char *code;
	} rows[] = {{make_unreadable, "unreadable-goroutine"},
		{make_other_g, "unreadable-goroutine"},
		{make_stack_backwards, "unreadable-goroutine"},
		{make_stack_huge, "unreadable-goroutine"}, {make_twice, "repeated-goroutine"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		struct goroutines all;

		mkruntime_g(m, 1, GOROUTINE_RUNNABLE);
		rows[i].make(m, mkruntime_g(m, 2, GOROUTINE_RUNNABLE));
		mkruntime_g(m, 3, GOROUTINE_RUNNABLE);
		all = load(m);
		ck_assert_uint_eq(all.count, 2);
		ck_assert_uint_eq(all.list[0].id, 1);
		ck_assert_uint_eq(all.list[1].id, 3);
		ck_assert(has_diagnostic(m, rows[i].code));
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(without_allgs_there_is_nothing)
{
	static const uint64_t headers[][3] = {{0, 0, 0}, {0x10, 5, 5}, {MKRUNTIME_DATA, 5, 4},
		{MKRUNTIME_DATA, UINT64_MAX, UINT64_MAX}, {UINT64_MAX, 1, 1},
		{MKRUNTIME_DATA, UINT64_C(1) << 61, UINT64_C(1) << 61}};

	for (size_t i = 0; i < COUNT(headers); i++) {
		struct mkruntime *m = mkruntime_create(0);
		struct goroutines all;

		for (size_t k = 0; k < 3; k++)
			mkruntime_word(m, mkruntime_variable(m, VAR_ALLGS) + 8 * k, headers[i][k]);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_int_eq(goroutines_load(m->rt, &all), CS_FAULT);
		ck_assert_ptr_nonnull(m->diag.fatal);
		ck_assert_uint_lt(m->arena.total, 1u << 20);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(what_the_runtime_calls_a_system_goroutine)
{
	static const struct {
		const char *start;
		uint64_t fing_status, running_cleanups;
		bool is_system;
	} rows[] = {
		{"main.worker", 0, 0, false},
		{"runtime.main", 0, 0, false},
		{"runtime.corostart", 0, 0, false},
		{"runtime.handleAsyncEvent", 0, 0, false},
		{"runtime.bgsweep", 0, 0, true},
		{"runtime.bgsweep", 2, 1, true},
		{"runtime.runfinq", 0, 0, true},
		{"runtime.runfinq", 1, 0, true},
		{"runtime.runfinq", 2, 0, false},
		{"runtime.runFinalizers", 3, 0, false},
		{"runtime.runFinalizers", 4, 1, true},
		{"runtime.runCleanups", 2, 0, true},
		{"runtime.runCleanups", 0, 1, false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr g = mkruntime_g(m, 5, GOROUTINE_WAITING);
		target_addr lost = mkruntime_g(m, 6, GOROUTINE_WAITING);
		struct goroutines all;

		mkruntime_set(m, g, G_START_PC, mkruntime_pc(rows[i].start) - 0x40);
		mkruntime_set(m, lost, G_START_PC, 0x10); // in no function: the program's
		mkruntime_set(m, g, G_RUNNING_CLEANUPS, rows[i].running_cleanups);
		mkruntime_set(m, 0, VAR_FING_STATUS, rows[i].fing_status);
		all = load(m);
		ck_assert_msg(all.list[0].is_system == rows[i].is_system, "%s (row %zu)",
			rows[i].start, i);
		ck_assert(!all.list[1].is_system);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(fields_that_a_release_has_not_are_zero)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 5, GOROUTINE_WAITING);
	struct goroutines all;

	mkruntime_set(m, g, G_PARENT_ID, 77);
	mkruntime_set(m, g, G_TRACKING_STAMP, 78);
	mkruntime_forget(m, G_PARENT_ID);
	all = load(m);
	ck_assert_uint_eq(all.list[0].parent_id, 0);
	ck_assert_int_eq(all.list[0].tracking_stamp, 78);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_goroutine(void);

Suite *suite_goroutine(void)
{
	Suite *suite = suite_create("goroutine");
	TCase *tests = tcase_create("goroutine");

	tcase_add_test(tests, statuses);
	tcase_add_test(tests, garbage_is_left_out_and_said);
	tcase_add_test(tests, without_allgs_there_is_nothing);
	tcase_add_test(tests, what_the_runtime_calls_a_system_goroutine);
	tcase_add_test(tests, fields_that_a_release_has_not_are_zero);
	suite_add_tcase(suite, tests);
	return suite;
}
