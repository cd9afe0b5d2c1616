#include "analyzer/runtime/clock.h"
#include "analyzer/runtime/netpoll.h"
#include "analyzer/runtime/timers.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct timers load(struct mkruntime *m)
{
	struct timers timers;
	struct scheduler s;

	if (!m->rt)
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
	ck_assert_int_eq(timers_load(m->rt, &s, &timers), CS_OK);
	return timers;
}

/** Puts `count` timers into the heap of a new processor, as Go 1.23 has it. */
static void fill(struct mkruntime *m, const target_addr *list, size_t count)
{
	target_addr p = mkruntime_p(m), heap = mkruntime_alloc(m, count * 16 + 1);

	for (size_t i = 0; i < count; i++)
		mkruntime_word(m, heap + 16 * i, list[i]);
	mkruntime_slice(m, p + layout_value(&m->layout, P_TIMERS_HEAP), heap, count);
}

static target_addr add_timer(struct mkruntime *m, uint64_t state, uint64_t when)
{
	target_addr timer = mkruntime_object(m, TIMER_WHEN);

	mkruntime_set(m, timer, TIMER_STATE, state);
	mkruntime_set(m, timer, TIMER_WHEN, when);
	return timer;
}

START_TEST(in_the_order_in_which_they_fire)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr list[] = {add_timer(m, 1, 300), add_timer(m, 1, 100), add_timer(m, 3, 200),
		add_timer(m, 5, 50),              // stopped
		add_timer(m, 0, 60),              // not in a heap
		add_timer(m, 1, 0), 0, 0x10, 0};  // without a time, and none at all
	target_addr func = mkruntime_alloc(m, 16);
	struct timers timers;

	list[8] = list[0]; // twice
	mkruntime_word(m, func, mkruntime_pc("main.leaf"));
	mkruntime_set(m, list[1], TIMER_FUNCTION, func);
	mkruntime_set(m, list[1], TIMER_PERIOD, 40);
	mkruntime_word(m, list[1] + layout_value(&m->layout, TIMER_ARGUMENT) + 8, 0x1234);
	fill(m, list, COUNT(list));
	timers = load(m);
	ck_assert_uint_eq(timers.count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(timers.list[i].when, 100 * (int64_t)(i + 1));
		ck_assert_ptr_eq(timers_find(&timers, timers.list[i].address), &timers.list[i]);
	}
	ck_assert_uint_eq(timers.of_processor[0].count, 3);
	ck_assert_ptr_eq(timers.of_processor[0].next, &timers.list[0]);
	ck_assert_uint_eq(timers.list[0].function, mkruntime_pc("main.leaf"));
	ck_assert_uint_eq(timers.list[0].argument, 0x1234);
	ck_assert_int_eq(timers.list[0].period, 40);
	ck_assert_uint_eq(timers.list[1].function, 0);
	ck_assert_ptr_null(timers_find(&timers, list[3]));
	ck_assert_ptr_eq(timers_find_argument(&timers, 0x1234), &timers.list[0]);
	ck_assert_ptr_null(timers_find_argument(&timers, 0));
	ck_assert_ptr_null(timers_find_argument(&timers, 0x1235));
	mkruntime_destroy(m);
}
END_TEST

/* Until 1.22 the heap is of pointers, and a timer that was changed says so in nextwhen. */
START_TEST(of_go1_22)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr p = mkruntime_p(m), heap = mkruntime_alloc(m, 64);
	static const uint64_t statuses[] = {1, 7, 8, 3, 5, 9};
	struct timers timers;

	for (size_t i = 0; i < COUNT(statuses); i++) {
		target_addr timer = mkruntime_object(m, TIMER_WHEN);

		mkruntime_word(m, heap + 8 * i, timer);
		mkruntime_set(m, timer, TIMER_STATUS, statuses[i]);
		mkruntime_set(m, timer, TIMER_WHEN, 100 + i);
		mkruntime_set(m, timer, TIMER_NEXT_WHEN, 50 + i);
	}
	mkruntime_slice(m, p + layout_value(&m->layout, P_TIMERS), heap, COUNT(statuses));
	mkruntime_forget(m, P_TIMERS_HEAP);
	mkruntime_forget(m, TIMER_STATE);
	timers = load(m);
	ck_assert_uint_eq(timers.count, 3);
	ck_assert_int_eq(timers.list[0].when, 51);
	ck_assert_int_eq(timers.list[1].when, 52);
	ck_assert_int_eq(timers.list[2].when, 100);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(unreadable_heaps)
{
	static const struct {
		target_addr data;
		uint64_t count;
		bool is_said;
	} rows[] = {{0, 0, false}, {0x10, 1, true}, {MKRUNTIME_DATA, UINT64_MAX / 16, true},
		{MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 8, 1, true}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr p = mkruntime_p(m);

		mkruntime_slice(m, p + layout_value(&m->layout, P_TIMERS_HEAP), rows[i].data,
			rows[i].count);
		ck_assert_uint_eq(load(m).count, 0);
		ck_assert_int_eq(m->diag.count > 0 && !strcmp(m->diag.entries[m->diag.count - 1].code,
							      "unreadable-timers"),
			rows[i].is_said);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(when_a_sleeper_wakes)
{
	static const struct {
		bool is_asleep, is_old;
		uint64_t sleep_when, bubble;
		int64_t expected;
	} rows[] = {{true, false, 700, 0, 700}, {false, false, 700, 0, 0}, {true, false, 700, 1, 0},
		{true, true, 0, 0, 900}, {true, false, 0, 0, 800}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING), timer;
		struct goroutine goroutine;

		timer = mkruntime_object(m, TIMER_WHEN);
		mkruntime_set(m, g, G_TIMER, timer);
		mkruntime_set(m, timer, TIMER_WHEN, 800);
		mkruntime_set(m, timer, TIMER_NEXT_WHEN, 900);
		mkruntime_set(m, g, G_WAIT_REASON, rows[i].is_asleep ? 200 : 1);
		mkruntime_set(m, g, G_SLEEP_WHEN, rows[i].sleep_when);
		mkruntime_set(m, g, G_BUBBLE, rows[i].bubble);
		if (!rows[i].is_old)
			mkruntime_forget(m, TIMER_NEXT_WHEN);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		m->rt->wait_reasons[200] = "sleep";
		ck_assert(goroutine_load(m->rt, g, &goroutine));
		ck_assert_int_eq(timers_wake_time(m->rt, &goroutine), rows[i].expected);
		mkruntime_destroy(m);
	}
}
END_TEST

/* A ticker that fires at 500 every 100 has fired at 400, or was made then. */
START_TEST(tickers_say_how_late_it_is)
{
	struct timer list[] = {{.when = 900}, {.when = 500, .period = 100}, {.when = 50, .period = 1}};
	const struct timers timers = {.list = list, .count = COUNT(list)};
	struct clock clock = {.now = 300};

	clock_see_timers(&clock, &timers);
	ck_assert_int_eq(clock.now, 400);
}
END_TEST

struct descriptor_row {
	uint64_t fd, sequence, closing, reader, writer, deadline;
};

static target_addr add_descriptor(struct mkruntime *m, const struct descriptor_row *row)
{
	target_addr pd = mkruntime_object(m, NETPOLL_FD);

	mkruntime_set(m, pd, NETPOLL_FD, row->fd);
	mkruntime_set(m, pd, NETPOLL_READ_SEQUENCE, row->sequence);
	mkruntime_set(m, pd, NETPOLL_CLOSING, row->closing);
	mkruntime_set(m, pd, NETPOLL_READER, row->reader);
	mkruntime_set(m, pd, NETPOLL_WRITER, row->writer);
	mkruntime_set(m, pd, NETPOLL_READ_DEADLINE, row->deadline);
	mkruntime_set(m, pd, NETPOLL_SELF, pd);
	return pd;
}

/* The chunk is all that is left of the target's memory. */
static struct poll_descriptors load_descriptors(struct mkruntime *m)
{
	struct poll_descriptors all;

	if (!m->rt)
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(poll_descriptors_load(m->rt, &all), CS_OK);
	return all;
}

START_TEST(descriptors_in_use)
{
	static const struct descriptor_row rows[] = {{9, 2, 0, 0xc00000aa00, 1, 77},
		{4, 1, 0, 2, 0xc00000bb00, (uint64_t)-1}, {5, 3, 1, 0, 0, 0}, {6, 0, 0, 0, 0, 0},
		{UINT64_MAX, 1, 0, 0, 0, 0}};
	struct mkruntime *m = mkruntime_create(0);
	target_addr chunk = mkruntime_alloc(m, 16);
	struct poll_descriptors all;
	const struct poll_descriptor *found;

	for (size_t i = 0; i < COUNT(rows); i++)
		add_descriptor(m, &rows[i]);
	mkruntime_set(m, add_descriptor(m, &rows[0]), NETPOLL_SELF, chunk); // of another place
	mkruntime_set(m, 0, VAR_PERSISTENT_CHUNKS, chunk);
	mkruntime_word(m, chunk, chunk); // a ring
	all = load_descriptors(m);
	ck_assert_uint_eq(all.count, 2);
	ck_assert_int_eq(all.list[0].fd, 4);
	ck_assert_int_eq(all.list[1].fd, 9);
	ck_assert_uint_eq(all.list[0].read.waiter, 0);
	ck_assert(!all.list[0].read.is_ready);
	ck_assert_int_lt(all.list[0].read.deadline, 0);
	ck_assert(all.list[1].write.is_ready);
	ck_assert_int_eq(all.list[1].read.deadline, 77);
	found = poll_descriptor_of(&all, 0xc00000bb00);
	ck_assert_ptr_eq(found, &all.list[0]);
	ck_assert_ptr_null(poll_descriptor_of(&all, 0xc00000cc00));
	// A chunk is longer than what is left of the memory here.
	ck_assert_str_eq(m->diag.entries[m->diag.count - 1].code, "unreadable-descriptors");
	mkruntime_destroy(m);
}
END_TEST

START_TEST(no_chunk_no_descriptor)
{
	struct mkruntime *m = mkruntime_create(0);

	ck_assert_uint_eq(load_descriptors(m).count, 0);
	mkruntime_set(m, 0, VAR_PERSISTENT_CHUNKS, UINT64_MAX - 100); // wraps
	ck_assert_uint_eq(load_descriptors(m).count, 0);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_timers(void);

Suite *suite_timers(void)
{
	Suite *suite = suite_create("timers");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, in_the_order_in_which_they_fire);
	tcase_add_test(tests, of_go1_22);
	tcase_add_test(tests, unreadable_heaps);
	tcase_add_test(tests, when_a_sleeper_wakes);
	tcase_add_test(tests, tickers_say_how_late_it_is);
	tcase_add_test(tests, descriptors_in_use);
	tcase_add_test(tests, no_chunk_no_descriptor);
	suite_add_tcase(suite, tests);
	return suite;
}
