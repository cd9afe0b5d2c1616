#include "analyzer/snapshot/why.h"

#include "analyzer/snapshot/activity.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SECOND INT64_C(1000000000)

START_TEST(durations)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{-5, "0 us"}, {0, "0 us"}, {999, "0 us"}, {1500, "1 us"}, {120000000, "120 ms"},
		{4200000000, "4.2 s"}, {119 * SECOND, "119.0 s"}, {120 * SECOND, "2.0 min"},
		{3600 * SECOND, "1.0 h"}, {47 * 3600 * SECOND, "47.0 h"},
		{48 * 3600 * SECOND, "2.0 days"}, {INT64_MAX, "106752.0 days"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[WHY_DURATION_SIZE];

		why_duration(rows[i].ns, text);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

static const char *why(struct mkruntime *m, size_t index, const struct waiting_on *on, size_t count)
{
	static char text[WHY_SIZE];

	if (!m->analysis)
		ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	why_not_running(m->analysis, index, on, count, text);
	return text;
}

START_TEST(in_line)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g[4], p = mkruntime_p(m), slots = p + layout_value(&m->layout, P_RUNQ);

	for (uint64_t i = 0; i < 4; i++)
		g[i] = mkruntime_g(m, i + 1, GOROUTINE_RUNNABLE);
	mkruntime_set(m, p, P_RUN_NEXT, g[0]);
	mkruntime_word(m, slots, g[1]);
	mkruntime_set(m, p, P_RUNQ_TAIL, 1);
	mkruntime_set(m, mkruntime_variable(m, VAR_SCHED), SCHED_RUNQ_HEAD, g[2]);
	mkruntime_set(m, mkruntime_variable(m, VAR_SCHED), SCHED_RUNQ_SIZE, 1);
	ck_assert_str_eq(why(m, 0, NULL, 0), "1st in processor 0's queue, sharing the time slice of "
					     "the one that runs there");
	ck_assert_str_eq(why(m, 1, NULL, 0), "2nd in processor 0's queue");
	ck_assert_str_eq(why(m, 2, NULL, 0), "1st in the global queue");
	ck_assert_str_eq(why(m, 3, NULL, 0),
		"ready to run, in no queue: it was just being put into one or taken out");
	mkruntime_destroy(m);
}
END_TEST

START_TEST(ordinals)
{
	static const struct {
		size_t index;
		const char *start;
	} rows[] = {{0, "1st in"}, {1, "2nd in"}, {2, "3rd in"}, {3, "4th in"}, {10, "11th in"},
		{11, "12th in"}, {12, "13th in"}, {20, "21st in"}, {21, "22nd in"}, {36, "37th in"}};
	struct mkruntime *m = mkruntime_create(0);
	target_addr p = mkruntime_p(m), slots = p + layout_value(&m->layout, P_RUNQ);

	for (uint64_t i = 0; i < 40; i++)
		mkruntime_word(m, slots + 8 * i, mkruntime_g(m, i + 1, GOROUTINE_RUNNABLE));
	mkruntime_set(m, p, P_RUNQ_TAIL, 40);
	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_msg(!strncmp(why(m, rows[i].index, NULL, 0), rows[i].start,
				      strlen(rows[i].start)),
			"%s", why(m, rows[i].index, NULL, 0));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(waits)
{
	static const struct {
		const char *reason, *text;
		struct waiting_on on[4];
		size_t count;
	} rows[] = {
		{"chan receive", "waits to receive from channel 0xc000000100",
			{{.kind = "channel", .address = 0xc000000100, .operation = "receive"}}, 1},
		{"chan send", "waits to send to channel 0xc000000100",
			{{.kind = "channel", .address = 0xc000000100, .operation = "send"}}, 1},
		{"select", "waits to use channel 0x10", {{.kind = "channel", .address = 0x10}}, 1},
		{"select",
			"waits in a select of 4 channels, to use channel 0x10, use channel 0x20, "
			"use channel 0x30 and others",
			{{.kind = "channel", .address = 0x10}, {.kind = "channel", .address = 0x20},
				{.kind = "channel", .address = 0x30},
				{.kind = "channel", .address = 0x40}},
			4},
		{"sync.Mutex.Lock", "waits to lock mutex 0x10",
			{{.kind = "mutex", .address = 0x10, .operation = "lock"}}, 1},
		{"sync.RWMutex.RLock", "waits to read-lock rwmutex",
			{{.kind = "rwmutex", .operation = "rlock"}}, 1},
		{"sync.WaitGroup.Wait", "waits for waitgroup 0x10",
			{{.kind = "waitgroup", .address = 0x10, .operation = "wait"}}, 1},
		{"select (no cases)", "waits in a select without cases: nothing can wake it", {{0}}, 0},
		{"GC worker (idle)", "has nothing to do until the next collection marks", {{0}}, 0},
		{"IO wait", "waits for input or output", {{0}}, 0},
		{"sleep", "sleeps", {{0}}, 0},
		{"something new", "waits: something new", {{0}}, 0},
		{NULL, "waits for a reason that is not known", {{0}}, 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);

		mkruntime_set(m, mkruntime_g(m, 1, GOROUTINE_WAITING), G_WAIT_REASON, 200);
		ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
		m->rt->wait_reasons[200] = rows[i].reason;
		ck_assert_str_eq(why(m, 0, rows[i].on, rows[i].count), rows[i].text);
		mkruntime_destroy(m);
	}
}
END_TEST

/* What does not fit is cut, and ends in a NUL. */
START_TEST(long_sentences_are_cut)
{
	struct mkruntime *m = mkruntime_create(0);
	char reason[2 * WHY_SIZE];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	mkruntime_set(m, mkruntime_g(m, 1, GOROUTINE_WAITING), G_WAIT_REASON, 200);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	m->rt->wait_reasons[200] = reason;
	ck_assert_uint_eq(strlen(why(m, 0, NULL, 0)), WHY_SIZE - 1);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(what_threads_do)
{
	static const struct {
		enum layout_id flag;
		uint64_t status;
		const char *state;
	} rows[] = {
		{M_BLOCKED, 0, "parked"},
		{M_SPINNING, 0, "spinning"},
		{M_IS_EXTRA, 0, "foreign"},
		{M_DYING, 0, "dying"},
		{M_ID, GOROUTINE_RUNNING, "running"},
		{M_IN_CGO, GOROUTINE_SYSCALL, "c"},
		{M_ID, GOROUTINE_SYSCALL, "syscall"},
		{M_ID, 0, "other"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr machine = mkruntime_m(m, 77);

		mkruntime_g(m, 9, GOROUTINE_WAITING);
		mkruntime_thread(m, 77, mkruntime_pc("main.leaf"), 0);
		mkruntime_set(m, machine, rows[i].flag, 1);
		if (rows[i].status) {
			target_addr g = mkruntime_g(m, 1, rows[i].status);

			mkruntime_set(m, machine, M_CURG, g);
			mkruntime_set(m, g, G_M, machine);
		}
		ck_assert_msg(mkruntime_analyze(m) == CS_OK, "%zu: %s", i,
			m->diag.fatal ? m->diag.fatal : "");
		ck_assert_str_eq(
			activity_of(m->analysis, &m->analysis->threads.list[0]).state,
			rows[i].state);
		ck_assert_str_eq(activity_of(m->analysis, NULL).state, "foreign");
		mkruntime_destroy(m);
	}
}
END_TEST

Suite *suite_why(void);

Suite *suite_why(void)
{
	Suite *suite = suite_create("why");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, durations);
	tcase_add_test(tests, in_line);
	tcase_add_test(tests, ordinals);
	tcase_add_test(tests, waits);
	tcase_add_test(tests, long_sentences_are_cut);
	tcase_add_test(tests, what_threads_do);
	suite_add_tcase(suite, tests);
	return suite;
}
