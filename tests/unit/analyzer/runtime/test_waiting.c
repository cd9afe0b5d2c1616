#include "analyzer/runtime/waiting.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>

#define TREAP 8 // of a root of the semaphore table
#define STRIDE 16

static target_addr add_sudog(
	struct mkruntime *m, target_addr g, target_addr channel, bool is_select)
{
	target_addr sudog = mkruntime_object(m, SUDOG_G);

	mkruntime_set(m, sudog, SUDOG_G, g);
	mkruntime_set(m, sudog, SUDOG_C, channel);
	mkruntime_set(m, sudog, SUDOG_IS_SELECT, is_select);
	return sudog;
}

static size_t find(
	struct mkruntime *m, target_addr g, const char *reason, struct waiting_on *on, size_t max)
{
	struct waiting waiting;
	struct goroutine goroutine;

	ck_assert_int_eq(waiting_init(&waiting, m->rt, 100), CS_OK);
	ck_assert(goroutine_load(m->rt, g, &goroutine));
	return waiting_find(&waiting, &goroutine, reason, on, max);
}

START_TEST(one_channel)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	target_addr channel = mkruntime_object(m, HCHAN_COUNT);
	struct waiting_on on[4];

	mkruntime_set(m, g, G_WAITING, add_sudog(m, g, channel, false));
	mkruntime_open(m);
	ck_assert_uint_eq(find(m, g, "chan receive", on, 4), 1);
	ck_assert_str_eq(on[0].kind, "channel");
	ck_assert_str_eq(on[0].operation, "receive");
	ck_assert_uint_eq(on[0].address, channel);
	ck_assert_uint_eq(find(m, g, "chan send", on, 4), 1);
	ck_assert_str_eq(on[0].operation, "send");
	ck_assert_uint_eq(find(m, g, NULL, on, 4), 0);
	ck_assert_uint_eq(find(m, g, "chan send", on, 0), 0);
	ck_assert_uint_eq(find(m, g, "IO wait", on, 4), 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(a_select_knows_its_sides)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	target_addr channels[2], sudogs[3], other;
	struct waiting_on on[4];

	for (int i = 0; i < 2; i++)
		channels[i] = mkruntime_object(m, HCHAN_COUNT);
	sudogs[0] = add_sudog(m, g, channels[0], true);
	sudogs[1] = add_sudog(m, g, channels[1], true);
	sudogs[2] = add_sudog(m, g, channels[1], true); // in no queue: torn
	other = add_sudog(m, g, channels[0], true);
	mkruntime_set(m, channels[0], HCHAN_RECEIVE_QUEUE, other);
	mkruntime_set(m, other, SUDOG_NEXT, sudogs[0]);
	mkruntime_set(m, channels[1], HCHAN_SEND_QUEUE, sudogs[1]);
	mkruntime_set(m, sudogs[1], SUDOG_NEXT, sudogs[1]); // a ring
	mkruntime_set(m, g, G_WAITING, sudogs[0]);
	mkruntime_set(m, sudogs[0], SUDOG_WAIT_LINK, sudogs[1]);
	mkruntime_set(m, sudogs[1], SUDOG_WAIT_LINK, sudogs[2]);
	mkruntime_open(m);
	ck_assert_uint_eq(find(m, g, "select", on, 4), 3);
	ck_assert_str_eq(on[0].operation, "receive");
	ck_assert_str_eq(on[1].operation, "send");
	ck_assert_ptr_null(on[2].operation);
	ck_assert_uint_eq(find(m, g, "select", on, 2), 2);
	mkruntime_destroy(m);
}
END_TEST

/** A select of `total` cases in whose lock order `count` sudogs wait, where its arguments lie. */
struct selection {
	struct mkruntime *m;
	target_addr g, channels[4], sudogs[4], cases, order;
};

static void start_select(struct selection *s, unsigned int release, uint16_t total,
	const uint16_t *numbers, size_t count)
{
	static const char *const names[] = {
		"runtime.gopark", "runtime.selectgo", "main.main", "runtime.goexit", NULL};
	target_addr arguments;

	s->m = mkruntime_create(release);
	s->g = mkruntime_g(s->m, 1, GOROUTINE_WAITING);
	s->cases = mkruntime_alloc(s->m, 512);
	s->order = mkruntime_alloc(s->m, 64);
	for (size_t i = 0; i < count; i++) {
		uint16_t *order = mkruntime_at(s->m, s->order);

		s->channels[i] = mkruntime_object(s->m, HCHAN_COUNT);
		s->sudogs[i] = add_sudog(s->m, s->g, s->channels[i], true);
		mkruntime_set(s->m, s->sudogs[i], SUDOG_ELEM, 0x1000 + i);
		mkruntime_word(s->m, s->cases + 16 * numbers[i], s->channels[i]);
		mkruntime_word(s->m, s->cases + 16 * numbers[i] + 8, 0x1000 + i);
		order[i] = order[total + i] = numbers[i];
		if (i)
			mkruntime_set(s->m, s->sudogs[i - 1], SUDOG_WAIT_LINK, s->sudogs[i]);
		mkruntime_set(s->m, s->channels[i],
			numbers[i] < 2 ? HCHAN_SEND_QUEUE : HCHAN_RECEIVE_QUEUE, s->sudogs[i]);
	}
	mkruntime_word(s->m, s->cases + 16 * total, 0x77); // what lies behind them is no case
	mkruntime_set(s->m, s->g, G_WAITING, s->sudogs[0]);
	mkruntime_stack(s->m, s->g, names);
	mkruntime_open(s->m);
	arguments = object_get(s->m->rt, object_load(s->m->rt, s->g, OBJECT_G), G_SCHED_SP) +
		    mkruntime_frame_size(s->m, "runtime.gopark") +
		    mkruntime_frame_size(s->m, "runtime.selectgo") +
		    (release & MKRUNTIME_ARM64 ? 8 : 0);
	mkruntime_word(s->m, arguments, s->cases);
	mkruntime_word(s->m, arguments + 8, s->order);
}

START_TEST(a_select_knows_its_cases)
{
	static const uint16_t numbers[] = {3, 0, 4}; // of five: one send, the second is nil
	static const unsigned int releases[] = {0, MKRUNTIME_ARM64};
	static const int64_t wanted[] = {1, 0, 0};
	struct waiting_on on[4];
	struct selection s;

	for (size_t i = 0; i < 2; i++) {
		start_select(&s, releases[i], 5, numbers, 3);
		ck_assert_uint_eq(find(s.m, s.g, "select", on, 4), 3);
		for (size_t k = 0; k < 3; k++) {
			ck_assert_str_eq(on[k].operation, numbers[k] < 2 ? "send" : "receive");
			ck_assert_int_eq(on[k].select_case, wanted[k]);
		}
		mkruntime_destroy(s.m);
	}
}
END_TEST

START_TEST(a_case_that_is_not_proved_is_not_told)
{
	static const uint16_t numbers[] = {1, 0};
	struct waiting_on on[4];
	struct selection s;

	start_select(&s, 0, 2, numbers, 2);
	find(s.m, s.g, "select", on, 4);
	ck_assert_int_eq(on[0].select_case, 1);
	mkruntime_word(s.m, s.cases + 8, 0x4000); // an element that no sudog has
	find(s.m, s.g, "select", on, 4);
	ck_assert_int_eq(on[0].select_case, -1);
	mkruntime_word(s.m, s.cases + 8, 0x1001);
	// What lies behind is as good as two cases of nil channels: nobody can say.
	mkruntime_word(s.m, s.cases + 32, 0);
	mkruntime_word(s.m, s.order, UINT64_C(0x0000000100000001));
	mkruntime_word(s.m, s.order + 8, UINT64_C(0x0000000000000001));
	find(s.m, s.g, "select", on, 4);
	ck_assert_int_eq(on[0].select_case, -1);
	mkruntime_destroy(s.m);
}
END_TEST

START_TEST(rings_of_sudogs_end)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	target_addr channel = mkruntime_object(m, HCHAN_COUNT);
	target_addr empty = add_sudog(m, g, 0, true), own = add_sudog(m, g, channel, true);
	target_addr foreign = add_sudog(m, g + 8, channel, true);
	struct waiting_on on[4];

	mkruntime_set(m, empty, SUDOG_WAIT_LINK, empty);
	mkruntime_set(m, own, SUDOG_WAIT_LINK, own);
	mkruntime_set(m, g, G_WAITING, empty);
	mkruntime_open(m);
	ck_assert_uint_eq(find(m, g, "select", on, 4), 0);
	mkruntime_set(m, g, G_WAITING, own);
	ck_assert_uint_eq(find(m, g, "select", on, 4), 1);
	mkruntime_set(m, own, SUDOG_WAIT_LINK, foreign);
	ck_assert_uint_eq(find(m, g, "select", on, 4), 1);
	mkruntime_set(m, g, G_WAITING, 0x10);
	ck_assert_uint_eq(find(m, g, "select", on, 4), 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(locks_are_found_in_the_semaphore_table)
{
	static const struct {
		const char *reason, *kind, *operation;
		enum layout_id word;
	} rows[] = {
		{"sync.Mutex.Lock", "mutex", "lock", INTERNAL_MUTEX_SEMA},
		{"sync.RWMutex.Lock", "rwmutex", "lock", RWMUTEX_WRITER_SEMA},
		{"sync.RWMutex.RLock", "rwmutex", "rlock", RWMUTEX_READER_SEMA},
		{"sync.WaitGroup.Wait", "waitgroup", "wait", WAITGROUP_SEMA},
	};
	struct mkruntime *m = mkruntime_create(0);
	target_addr g[5], sudogs[5];
	target_addr root = mkruntime_variable(m, VAR_SEMTABLE) + 250 * STRIDE + TREAP;
	struct waiting_on on;

	for (uint64_t i = 0; i < 5; i++) {
		g[i] = mkruntime_g(m, i + 1, GOROUTINE_WAITING);
		sudogs[i] = add_sudog(m, g[i], 0, false);
		mkruntime_set(m, sudogs[i], SUDOG_ELEM, 0xc000111100 + 0x100 * i);
	}
	mkruntime_word(m, root, sudogs[0]);
	mkruntime_set(m, sudogs[0], SUDOG_PREV, sudogs[1]);
	mkruntime_set(m, sudogs[0], SUDOG_NEXT, sudogs[2]);
	mkruntime_set(m, sudogs[2], SUDOG_WAIT_LINK, sudogs[3]);
	mkruntime_open(m);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(find(m, g[0], rows[i].reason, &on, 1), 1);
		ck_assert_str_eq(on.kind, rows[i].kind);
		ck_assert_str_eq(on.operation, rows[i].operation);
		ck_assert_uint_eq(
			on.address, 0xc000111100 - layout_value(&m->layout, rows[i].word));
	}
	// In the list of a node, the node's word counts.
	ck_assert_uint_eq(find(m, g[3], "sync.WaitGroup.Wait", &on, 1), 1);
	ck_assert_uint_eq(on.address, 0xc000111300 - layout_value(&m->layout, WAITGROUP_SEMA));
	// Not in the table: what it is is known, where it is not.
	ck_assert_uint_eq(find(m, g[4], "sync.Mutex.Lock", &on, 1), 1);
	ck_assert_uint_eq(on.address, 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(the_semaphore_table_may_be_a_ring)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	target_addr sudog = add_sudog(m, g, 0, false);
	size_t before;
	struct waiting_on on;

	mkruntime_set(m, sudog, SUDOG_PREV, sudog);
	mkruntime_set(m, sudog, SUDOG_NEXT, sudog);
	mkruntime_set(m, sudog, SUDOG_WAIT_LINK, sudog);
	for (target_addr i = 0; i < 251; i++)
		mkruntime_word(m, mkruntime_variable(m, VAR_SEMTABLE) + i * STRIDE + TREAP, sudog);
	mkruntime_open(m);
	before = m->arena.total;
	ck_assert_uint_eq(find(m, g, "sync.Mutex.Lock", &on, 1), 1);
	ck_assert_uint_lt(m->arena.total - before, 1u << 20);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(waits_without_an_address)
{
	static const struct {
		const char *reason, *kind, *operation;
	} rows[] = {{"sleep", "timer", "sleep"}, {"sync.Cond.Wait", "cond", "wait"}};
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	struct waiting_on on;

	mkruntime_set(m, g, G_TIMER, 0xc000555500);
	mkruntime_open(m);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(find(m, g, rows[i].reason, &on, 1), 1);
		ck_assert_str_eq(on.kind, rows[i].kind);
		ck_assert_str_eq(on.operation, rows[i].operation);
		ck_assert_uint_eq(on.address, i ? 0 : 0xc000555500);
	}
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_waiting(void);

Suite *suite_waiting(void)
{
	Suite *suite = suite_create("waiting");
	TCase *tests = tcase_create("waiting");

	tcase_add_test(tests, one_channel);
	tcase_add_test(tests, a_select_knows_its_sides);
	tcase_add_test(tests, a_select_knows_its_cases);
	tcase_add_test(tests, a_case_that_is_not_proved_is_not_told);
	tcase_add_test(tests, rings_of_sudogs_end);
	tcase_add_test(tests, locks_are_found_in_the_semaphore_table);
	tcase_add_test(tests, the_semaphore_table_may_be_a_ring);
	tcase_add_test(tests, waits_without_an_address);
	suite_add_tcase(suite, tests);
	return suite;
}
