#include "analyzer/runtime/machine.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct scheduler load(struct mkruntime *m)
{
	struct scheduler s;

	if (!m->rt)
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
	return s;
}

static bool has_diagnostic(const struct mkruntime *m, const char *code)
{
	for (size_t i = 0; i < m->diag.count; i++)
		if (!strcmp(m->diag.entries[i].code, code))
			return true;
	return false;
}

START_TEST(machines_are_found_by_address_and_thread)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr g0 = mkruntime_g(m, 0, 0);
	target_addr first = mkruntime_m(m, 100), second = mkruntime_m(m, 0),
		    same = mkruntime_m(m, 100);
	struct scheduler s;

	mkruntime_set(m, first, M_G0, g0);
	mkruntime_set(m, first, M_THROWING, UINT32_MAX);
	mkruntime_set(m, first, M_VDSO_SP, 7);
	mkruntime_set(m, second, M_IS_EXTRA, 1);
	s = load(m);
	ck_assert_uint_eq(s.machine_count, 3);
	ck_assert_ptr_eq(scheduler_machine_at(&s, second), &s.machines[1]);
	ck_assert_ptr_eq(scheduler_machine_at(&s, same), &s.machines[2]);
	ck_assert_ptr_eq(scheduler_machine_of_thread(&s, 100), &s.machines[0]);
	ck_assert_ptr_null(scheduler_machine_of_thread(&s, 0));
	ck_assert_ptr_null(scheduler_machine_of_thread(&s, 5));
	ck_assert_ptr_null(scheduler_machine_at(&s, 0));
	ck_assert_int_eq(s.machines[0].throwing, -1);
	ck_assert_uint_eq(s.machines[0].vdso_sp, 7);
	ck_assert_uint_eq(s.machines[0].g0_hi - s.machines[0].g0_lo, MKRUNTIME_STACK);
	ck_assert_uint_eq(s.machines[1].g0_hi, 0);
	ck_assert(s.machines[1].is_extra);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(a_ring_of_machines_ends)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr first = mkruntime_m(m, 1), second = mkruntime_m(m, 2);

	mkruntime_set(m, second, M_ALL_LINK, first);
	ck_assert_uint_eq(load(m).machine_count, 2);
	ck_assert(has_diagnostic(m, "unreadable-thread"));
	mkruntime_set(m, first, M_ALL_LINK, 0x10);
	ck_assert_uint_eq(load(m).machine_count, 1);
	mkruntime_set(m, 0, VAR_ALLM, 0x10);
	ck_assert_uint_eq(load(m).machine_count, 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(local_queues_are_rings)
{
	static const struct {
		uint32_t head, tail, count; // count: UINT32_MAX where it is no queue
	} rows[] = {{0, 0, 0}, {0, 3, 3}, {254, 258, 4}, {UINT32_MAX - 1, 2, 4}, {0, 256, 256},
		{0, 257, UINT32_MAX}, {5, 4, UINT32_MAX}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr p = mkruntime_p(m);
		struct scheduler s;

		for (uint64_t slot = 0; slot < 256; slot++)
			mkruntime_word(
				m, p + layout_value(&m->layout, P_RUNQ) + 8 * slot, 1000 + slot);
		mkruntime_set(m, p, P_RUNQ_HEAD, rows[i].head);
		mkruntime_set(m, p, P_RUNQ_TAIL, rows[i].tail);
		mkruntime_set(m, p, P_RUN_NEXT, 77);
		s = load(m);
		ck_assert_uint_eq(s.processor_count, 1);
		ck_assert_uint_eq(s.processors[0].run_next, 77);
		ck_assert_int_eq(
			has_diagnostic(m, "unreadable-processor"), rows[i].count == UINT32_MAX);
		if (rows[i].count == UINT32_MAX)
			ck_assert_uint_eq(s.processors[0].queue_count, 0);
		else
			ck_assert_uint_eq(s.processors[0].queue_count, rows[i].count);
		for (uint32_t k = 0; k < s.processors[0].queue_count; k++)
			ck_assert_uint_eq(
				s.processors[0].queue[k], 1000 + (rows[i].head + k) % 256);
		mkruntime_destroy(m);
	}
}
END_TEST

/* A layout from a hostile executable: runq shorter than it is in every release. */
START_TEST(a_short_queue_is_not_read_past_its_end)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr p = mkruntime_p(m);
	struct scheduler s;

	m->layout.facts[P_RUNQ].size = 8;
	mkruntime_set(m, p, P_RUNQ_TAIL, 256);
	s = load(m);
	ck_assert_uint_eq(s.processors[0].queue_count, 0);
	ck_assert(has_diagnostic(m, "unreadable-processor"));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(processors_that_are_not_there)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr p = mkruntime_p(m), again = mkruntime_p(m), gone = mkruntime_p(m);
	struct scheduler s;

	mkruntime_word(m, m->ps + 8, p); // the second is the first again
	mkruntime_word(m, m->ps + 16, 0x10);
	mkruntime_set(m, p, P_STATUS, PROCESSOR_SYSCALL);
	s = load(m);
	ck_assert_uint_eq(s.processor_count, 2);
	ck_assert(has_diagnostic(m, "repeated-processor"));
	ck_assert_str_eq(processor_status_name(s.processors[0].status), "syscall");
	ck_assert_str_eq(processor_status_name(s.processors[1].status), "unknown");
	ck_assert_ptr_eq(scheduler_processor_at(&s, p), &s.processors[0]);
	ck_assert_ptr_null(scheduler_processor_at(&s, again));
	ck_assert_ptr_null(scheduler_processor_at(&s, gone));
	mkruntime_slice(m, mkruntime_variable(m, VAR_ALLP), m->ps, MAX_PROCESSORS + 1);
	ck_assert_uint_eq(load(m).processor_count, 0);
	ck_assert(has_diagnostic(m, "no-processors"));
	mkruntime_destroy(m);
}
END_TEST

/** `count` runnable goroutines in the global queue, whose size is said to be `total`. */
static struct mkruntime *queue(target_addr *g, size_t count, uint64_t total)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr sched = mkruntime_variable(m, VAR_SCHED);

	for (size_t i = 0; i < count; i++) {
		g[i] = mkruntime_g(m, i + 1, GOROUTINE_RUNNABLE);
		if (i)
			mkruntime_set(m, g[i - 1], G_SCHEDLINK, g[i]);
	}
	mkruntime_set(m, sched, SCHED_RUNQ_HEAD, g[0]);
	mkruntime_set(m, sched, SCHED_RUNQ_SIZE, total);
	return m;
}

START_TEST(the_global_queue)
{
	static const struct {
		size_t count;
		uint64_t total;
		int link; // where the last one links to; -1: nowhere, -2: to what is no g
		size_t followed;
		bool is_broken;
	} rows[] = {
		{3, 3, -1, 3, false},
		{3, 2, -1, 3, true},
		{3, 5, -1, 3, true},
		{1, 0x7fffffff, 0, 1, true},
		{6, 0x7fffffff, 0, 10, true}, // a ring is noticed soon, if not at once
		{6, 0x7fffffff, 5, 8, true},
		{3, 4, -2, 3, true},
	};
	target_addr g[8];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = queue(g, rows[i].count, rows[i].total);
		struct scheduler s;

		if (rows[i].link != -1)
			mkruntime_set(m, g[rows[i].count - 1], G_SCHEDLINK,
				rows[i].link < 0 ? 0x10 : g[rows[i].link]);
		s = load(m);
		ck_assert_uint_eq(s.global_total, rows[i].total);
		ck_assert_uint_ge(s.global_count, rows[i].count);
		ck_assert_uint_le(s.global_count, rows[i].followed + 8 * (rows[i].link >= 0));
		ck_assert_int_eq(has_diagnostic(m, "broken-run-queue"), rows[i].is_broken);
		for (size_t k = 0; k < rows[i].count; k++)
			ck_assert_uint_eq(s.global_queue[k], g[k]);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(until_1_24_the_queue_has_its_size_elsewhere)
{
	target_addr g[2];
	struct mkruntime *m = queue(g, 2, 0);

	mkruntime_set(m, mkruntime_variable(m, VAR_SCHED), SCHED_RUNQ_SIZE_OLD, 2);
	mkruntime_forget(m, SCHED_RUNQ_SIZE);
	ck_assert_uint_eq(load(m).global_total, 2);
	mkruntime_destroy(m);
}
END_TEST

/** What is frozen stands in no queue any more; the others keep their order. */
static void check_places(const struct scheduler *s, const target_addr *g, const char *frozen)
{
	uint64_t position = 0;
	struct queue_place place;

	for (size_t i = 0; i < 4; i++) {
		if (frozen[i] == '1') {
			ck_assert(!scheduler_place(s, g[i], &place));
			continue;
		}
		ck_assert(scheduler_place(s, g[i], &place));
		ck_assert_uint_eq(place.position, ++position);
	}
	ck_assert_uint_eq(s->global_count, position);
	ck_assert_uint_eq(s->frozen_count, 4 - position);
}

START_TEST(the_frozen_are_the_last_preempted_ones)
{
	static const struct {
		const char *function[4]; // where each of the queue stands
		uint64_t stopped;        // processors that freezetheworld stopped
		int32_t stop_wait;
		const char *frozen; // a digit for each of the queue
	} rows[] = {
		{{"main.leaf", "main.leaf", "runtime.asyncPreempt2", "runtime.gopreempt_m"}, 2,
			0x7ffffffe, "0011"},
		{{"main.leaf", "main.leaf", "runtime.asyncPreempt2", "main.main"}, 4, 0x7ffffffe,
			"1111"},
		{{"main.leaf", "runtime.gopark", "main.leaf", "main.leaf"}, 4, 0x7ffffffe, "0011"},
		{{"main.leaf", "main.leaf", "main.leaf", "runtime.Gosched"}, 4, 0x7ffffffe, "0000"},
		{{"main.leaf", "main.leaf", "main.leaf", "main.leaf"}, 4, 1, "0000"}, // a GC's stop
		{{"main.leaf", "main.leaf", "main.leaf", "main.leaf"}, 0, 0x7ffffffe, "0000"},
	};
	target_addr g[4];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = queue(g, 4, 4);
		target_addr sched = mkruntime_variable(m, VAR_SCHED);
		struct goroutines all;
		struct scheduler s;

		for (uint64_t k = 0; k < rows[i].stopped; k++)
			mkruntime_set(m, mkruntime_p(m), P_STATUS, PROCESSOR_GC_STOP);
		for (size_t k = 0; k < 4; k++)
			mkruntime_set(m, g[k], G_SCHED_PC, mkruntime_pc(rows[i].function[k]));
		mkruntime_set(m, sched, SCHED_GC_WAITING, 1);
		mkruntime_set(m, sched, SCHED_STOP_WAIT, (uint32_t)rows[i].stop_wait);
		s = load(m);
		ck_assert_int_eq(goroutines_load(m->rt, &all), CS_OK);
		ck_assert_int_eq(scheduler_undo_freeze(m->rt, &s, &all), CS_OK);
		for (size_t k = 0; k < 4; k++)
			ck_assert_msg(all.list[k].is_frozen == (rows[i].frozen[k] == '1'),
				"%zu %zu", i, k);
		check_places(&s, g, rows[i].frozen);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(the_frozen_of_go1_26_are_next_to_run)
{
	static const struct {
		const char
			*next; // where the one that P0 runs next stands; the queue's are preempted
		uint64_t status;
		const char *frozen;
		size_t of_p; // which of them P0 is known to have run, from 1; 0: none
	} rows[] = {
		{"runtime.asyncPreempt2", PROCESSOR_GC_STOP, "001", 3},
		{"runtime.gopark", PROCESSOR_GC_STOP, "010", 2}, // readied: 1.25's rule for P0
		{"runtime.asyncPreempt2", 0, "000", 0},
	};
	target_addr g[3];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = queue(g, 3, 2);
		target_addr sched = mkruntime_variable(m, VAR_SCHED), p = mkruntime_p(m);
		struct goroutines all;
		struct scheduler s;

		mkruntime_set(m, p, P_STATUS, rows[i].status);
		mkruntime_set(m, g[1], G_SCHEDLINK, 0);
		mkruntime_set(m, p, P_RUN_NEXT, g[2]);
		mkruntime_set(m, g[0], G_SCHED_PC, mkruntime_pc("runtime.asyncPreempt2"));
		mkruntime_set(m, g[1], G_SCHED_PC, mkruntime_pc("runtime.asyncPreempt2"));
		mkruntime_set(m, g[2], G_SCHED_PC, mkruntime_pc(rows[i].next));
		mkruntime_set(m, sched, SCHED_GC_WAITING, 1);
		mkruntime_set(m, sched, SCHED_STOP_WAIT, 0x7ffffffe);
		s = load(m);
		ck_assert_int_eq(goroutines_load(m->rt, &all), CS_OK);
		ck_assert_int_eq(scheduler_undo_freeze(m->rt, &s, &all), CS_OK);
		ck_assert_uint_eq(s.processors[0].frozen, rows[i].of_p ? g[rows[i].of_p - 1] : 0);
		ck_assert_uint_eq(s.processors[0].run_next, rows[i].of_p == 3 ? 0 : g[2]);
		for (size_t k = 0; k < 3; k++)
			ck_assert_msg(all.list[k].is_frozen == (rows[i].frozen[k] == '1'),
				"%zu %zu", i, k);
		mkruntime_destroy(m);
	}
}
END_TEST

/* Next to run is who is in runnext, then the queue; the global queue counts for itself. */
START_TEST(places_in_line)
{
	target_addr g[4];
	struct mkruntime *m = queue(g, 4, 1);
	target_addr p = mkruntime_p(m);
	struct goroutines all;
	struct queue_place place;
	struct scheduler s;

	mkruntime_set(m, g[0], G_SCHEDLINK, 0);
	mkruntime_set(m, p, P_RUN_NEXT, g[3]);
	mkruntime_set(m, p, P_RUNQ_HEAD, 255);
	mkruntime_set(m, p, P_RUNQ_TAIL, 257);
	((target_addr *)mkruntime_at(m, p + layout_value(&m->layout, P_RUNQ)))[255] = g[1];
	((target_addr *)mkruntime_at(m, p + layout_value(&m->layout, P_RUNQ)))[0] = g[2];
	s = load(m);
	ck_assert_int_eq(goroutines_load(m->rt, &all), CS_OK);
	ck_assert_int_eq(scheduler_undo_freeze(m->rt, &s, &all), CS_OK);
	ck_assert(scheduler_place(&s, g[0], &place));
	ck_assert(!place.processor && place.position == 1);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert(scheduler_place(&s, g[(i + 2) % 3 + 1], &place));
		ck_assert_ptr_eq(place.processor, &s.processors[0]);
		ck_assert_uint_eq(place.position, i + 1);
	}
	ck_assert(!scheduler_place(&s, p, &place));
	mkruntime_destroy(m);
}
END_TEST

/* sysmon's stamps count only for what it has seen. */
START_TEST(stamps_of_sysmon)
{
	static const struct {
		uint32_t seen, tick;
		int64_t expected;
	} rows[] = {{5, 5, 900}, {4, 5, 0}, {6, 5, 0}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct processor p = {.address = 1,
			.seen_schedule_tick = rows[i].seen,
			.schedule_tick = rows[i].tick,
			.schedule_when = 900};

		ck_assert_int_eq(scheduler_running_since(&p), rows[i].expected);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr p = mkruntime_p(m);
		struct machine machine = {.old_p = p, .syscall_tick = rows[i].tick};
		struct scheduler s;

		mkruntime_set(m, p, P_SYSMON_SYSCALL_TICK, rows[i].seen);
		mkruntime_set(m, p, P_SYSMON_SYSCALL_WHEN, 900);
		s = load(m);
		ck_assert_int_eq(scheduler_syscall_since(&s, &machine), rows[i].expected);
		machine.old_p = 0;
		ck_assert_int_eq(scheduler_syscall_since(&s, &machine), 0);
		mkruntime_destroy(m);
	}
}
END_TEST

/* 100,000 goroutines ask for their m: lookups must not scan. */
START_TEST(lookups_among_many_threads_are_quick)
{
	struct mkruntime *m = mkruntime_create(0);
	struct scheduler s = {.machine_count = 0};
	uint64_t sum = 0;

	u64map_init(&s.machines_by_address, &m->arena);
	s.machines = arena_array(&m->arena, 10000, sizeof(*s.machines));
	for (size_t i = 0; i < 10000; i++) {
		s.machines[i].address = 0x1000 + i;
		ck_assert(u64map_put(&s.machines_by_address, 0x1000 + i, i));
	}
	s.machine_count = 10000;
	for (uint64_t i = 0; i < 10000000; i++) // by scanning: 10^11 steps
		sum += scheduler_machine_at(&s, 0x1000 + i % 20000) != NULL;
	ck_assert_uint_eq(sum, 5000000);
	mkruntime_destroy(m);
}
END_TEST

/** A machine without a thread id, whose signal stack and g0 are the stacks of two g's. */
static target_addr make_starting(struct mkruntime *m, target_addr *gsignal_ret, target_addr *g0_ret)
{
	target_addr machine = mkruntime_m(m, 0);

	*gsignal_ret = mkruntime_object(m, G_ID);
	*g0_ret = mkruntime_object(m, G_ID);
	mkruntime_set(m, *gsignal_ret, G_STACK_LO, 0x10000);
	mkruntime_set(m, *gsignal_ret, G_STACK_HI, 0x18000);
	mkruntime_set(m, *g0_ret, G_STACK_LO, 0x20000);
	mkruntime_set(m, *g0_ret, G_STACK_HI, 0x28000);
	mkruntime_set(m, machine, M_GSIGNAL, *gsignal_ret);
	mkruntime_set(m, machine, M_G0, *g0_ret);
	return machine;
}

START_TEST(a_starting_thread_is_known_by_its_stack)
{
	static const struct {
		target_addr sp;
		bool is_extra, is_found;
	} rows[] = {
		{0x10000, false, true},
		{0x17ff8, false, true},
		{0x24000, false, true},
		{0x18000, false, false},
		{0xfff8, false, false},
		{0x28000, false, false},
		{0x17ff8, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr gsignal, g0, machine = make_starting(m, &gsignal, &g0);
		const struct machine *found;
		struct scheduler s;

		mkruntime_set(m, machine, M_IS_EXTRA, rows[i].is_extra);
		mkruntime_thread(m, 4000, mkruntime_pc("main.main"), 0x99000);
		mkruntime_thread(m, 4001, mkruntime_pc("main.main"), rows[i].sp);
		mkruntime_open(m);
		ck_assert_int_eq(scheduler_load(m->rt, &s), CS_OK);
		found = scheduler_machine_of_thread(&s, 4001);
		ck_assert_msg(
			(found && found->address == machine) == rows[i].is_found, "row %zu", i);
		ck_assert_ptr_null(scheduler_machine_of_thread(&s, 4000));
		ck_assert_ptr_null(scheduler_machine_of_thread(&s, 0));
		mkruntime_destroy(m);
	}
}
END_TEST

Suite *suite_machine(void);

Suite *suite_machine(void)
{
	Suite *suite = suite_create("machine");
	TCase *tests = tcase_create("machine");

	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, machines_are_found_by_address_and_thread);
	tcase_add_test(tests, a_ring_of_machines_ends);
	tcase_add_test(tests, local_queues_are_rings);
	tcase_add_test(tests, a_short_queue_is_not_read_past_its_end);
	tcase_add_test(tests, processors_that_are_not_there);
	tcase_add_test(tests, the_global_queue);
	tcase_add_test(tests, until_1_24_the_queue_has_its_size_elsewhere);
	tcase_add_test(tests, the_frozen_are_the_last_preempted_ones);
	tcase_add_test(tests, the_frozen_of_go1_26_are_next_to_run);
	tcase_add_test(tests, places_in_line);
	tcase_add_test(tests, stamps_of_sysmon);
	tcase_add_test(tests, lookups_among_many_threads_are_quick);
	tcase_add_test(tests, a_starting_thread_is_known_by_its_stack);
	suite_add_tcase(suite, tests);
	return suite;
}
