// Where goroutines stood at the time of death: by their own saved position, their system call's, or
// by what their thread's signal frames interrupted.
#include "analyzer/unwind/threads.h"

#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STACK_SIZE 0x800

struct fixture {
	struct mkruntime *m;
	target_addr g, machine, other; // other: memory that is not g's stack
	target_addr sp;                // of main.leaf on g's stack
	struct frame_table table;
	struct cframes c;
	struct joiner joiner;
	struct stack_table stacks;
	struct goroutines all;
	struct scheduler scheduler;
	struct thread_states threads;
};

/** Thread 100, whose m runs g; it stands at `pc` and `sp`, which a test sets before load(). */
static struct fixture setup(uint64_t status)
{
	struct fixture f = {.m = mkruntime_create(0)};

	f.g = mkruntime_g(f.m, 1, status);
	f.machine = mkruntime_m(f.m, 100);
	f.other = mkruntime_alloc(f.m, STACK_SIZE);
	mkruntime_stack(
		f.m, f.g, (const char *[]){"main.leaf", "main.main", "runtime.goexit", NULL});
	memcpy(&f.sp, mkruntime_at(f.m, f.g + layout_value(&f.m->layout, G_SCHED_SP)), 8);
	mkruntime_set(f.m, f.g, G_M, f.machine);
	mkruntime_set(f.m, f.machine, M_CURG, f.g);
	return f;
}

static void load(struct fixture *f, target_addr pc, target_addr sp)
{
	mkruntime_thread(f->m, 100, pc, sp);
	ck_assert_int_eq(mkruntime_open(f->m), CS_OK);
	frame_table_init(&f->table, f->m->rt);
	stack_table_init(&f->stacks, &f->m->arena);
	cframes_init(&f->c, &f->table, NULL, NULL, (struct file_source){NULL, NULL});
	ck_assert_int_eq(join_init(&f->joiner, &f->c), CS_OK);
	ck_assert_int_eq(goroutines_load(f->m->rt, &f->all), CS_OK);
	ck_assert_int_eq(scheduler_load(f->m->rt, &f->scheduler), CS_OK);
	ck_assert_int_eq(
		thread_states_load(&f->joiner, &f->stacks, &f->scheduler, &f->threads), CS_OK);
}

static void expect(struct fixture *f, target_addr pc, target_addr sp, bool is_exact)
{
	struct position at = {0};

	ck_assert(goroutine_position(&f->threads, &f->all.list[0], &at));
	ck_assert_uint_eq(at.pc, pc);
	ck_assert_uint_eq(at.sp, sp);
	ck_assert_int_eq(at.is_exact, is_exact);
}

static void expect_unknown(struct fixture *f)
{
	struct position at;

	ck_assert(!goroutine_position(&f->threads, &f->all.list[0], &at));
}

START_TEST(a_parked_one_is_where_it_was_saved)
{
	static const uint64_t statuses[] = {1, 4, 8, 9, 10};

	for (size_t i = 0; i < COUNT(statuses); i++) {
		struct fixture f = setup(statuses[i]);

		load(&f, 0x7f0000000000, 0x7f0000001000);
		expect(&f, mkruntime_pc("main.leaf"), f.sp, false);
		ck_assert(!f.threads.list[0].way.is_in_go);
		ck_assert_uint_eq(f.threads.list[0].frames_total, 1); // code of an unknown file
		mkruntime_destroy(f.m);
	}
}
END_TEST

START_TEST(in_a_system_call)
{
	struct fixture f = setup(GOROUTINE_SYSCALL);

	mkruntime_set(f.m, f.g, G_SYSCALL_PC, mkruntime_pc("main.main"));
	mkruntime_set(f.m, f.g, G_SYSCALL_SP, f.sp + 40);
	load(&f, 0x7f0000000000, 0x7f0000001000);
	expect(&f, mkruntime_pc("main.main"), f.sp + 40, false);
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(running_on_its_own_stack)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	load(&f, mkruntime_pc("main.leaf") + 1, f.sp);
	expect(&f, mkruntime_pc("main.leaf") + 1, f.sp, true);
	ck_assert(f.threads.list[0].way.is_in_go);
	ck_assert_uint_eq(f.threads.list[0].frames_total, 3);
	ck_assert_ptr_eq(thread_states_of_machine(&f.threads, f.machine), &f.threads.list[0]);
	ck_assert_ptr_null(thread_states_of_machine(&f.threads, 0));
	ck_assert_ptr_null(thread_states_of_machine(&f.threads, f.machine + 8));
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(behind_signal_frames)
{
	struct fixture f = setup(GOROUTINE_RUNNING);
	target_addr context = f.other + (target_addr)mkruntime_delta("runtime.sigtramp") + 8;

	mkruntime_word(f.m, context + 168, mkruntime_pc("main.leaf") + 2);
	mkruntime_word(f.m, context + 160, f.sp);
	load(&f, mkruntime_pc("runtime.sigtramp"), f.other);
	expect(&f, mkruntime_pc("main.leaf") + 2, f.sp, true);
	ck_assert_uint_eq(f.threads.list[0].way.stop_count, 2);
	ck_assert_uint_eq(f.threads.list[0].way.first_context, context);
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(on_g0_by_way_of_systemstack)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	mkruntime_frames(f.m, f.other + STACK_SIZE - 16,
		(const char *[]){"runtime.gopark", "runtime.systemstack", NULL});
	load(&f, mkruntime_pc("runtime.gopark"), f.other + STACK_SIZE - 16 - 80);
	expect(&f, mkruntime_pc("main.leaf"), f.sp, false); // what gosave_systemstack_switch left
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(in_c_code_nothing_is_made_up)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	mkruntime_set(f.m, f.g, G_SCHED_SP, 0); // nothing was saved
	load(&f, 0x7f0000000000, 0x7f0000001000);
	expect_unknown(&f);
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(inside_the_vdso)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	mkruntime_set(f.m, f.machine, M_VDSO_SP, f.sp + 40);
	mkruntime_set(f.m, f.machine, M_VDSO_PC, mkruntime_pc("main.main"));
	load(&f, 0x7f0000000000, f.other + 64); // the vDSO runs on g0
	expect(&f, mkruntime_pc("main.main"), f.sp + 40, false);
	ck_assert_uint_eq(f.threads.list[0].frames_total, 3);
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(whose_thread_is_not_in_the_core)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	mkruntime_set(f.m, f.machine, M_PROC_ID, 55);
	load(&f, mkruntime_pc("main.leaf"), f.sp);
	ck_assert_ptr_null(f.threads.list[0].machine);
	expect_unknown(&f);
	f.all.list[0].syscall_sp = f.sp; // exitsyscall: running already, not yet on a thread
	f.all.list[0].syscall_pc = mkruntime_pc("main.main");
	expect(&f, mkruntime_pc("main.main"), f.sp, false);
	mkruntime_destroy(f.m);
}
END_TEST

/* The m runs another goroutine by now: its registers are not this one's. */
START_TEST(whose_thread_runs_another)
{
	struct fixture f = setup(GOROUTINE_RUNNING);

	mkruntime_set(f.m, f.machine, M_CURG, f.g + 8);
	load(&f, mkruntime_pc("main.leaf"), f.sp);
	expect_unknown(&f);
	mkruntime_destroy(f.m);
}
END_TEST

START_TEST(the_runtimes_own_dying_is_dropped)
{
	static const struct {
		const char *names[5];
		bool is_dropped;
		uint32_t left;
	} rows[] = {
		{{"runtime.fatalpanic", "runtime.gopanic", "main.main", "runtime.goexit"}, true, 3},
		{{"main.leaf", "runtime.fatalthrow", "main.main", "runtime.goexit"}, true, 2},
		{{"main.leaf", "main.main", "runtime.goexit"}, false, 3},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup(GOROUTINE_WAITING);
		struct walk *walk = arena_alloc(&f.m->arena, sizeof(*walk));
		target_addr sp;

		load(&f, 0, 0);
		sp = mkruntime_frames(f.m, f.other + STACK_SIZE - 16, rows[i].names);
		walk_stack(&f.table, (struct position){mkruntime_pc(rows[i].names[0]), sp, false},
			walk);
		ck_assert_int_eq(walk_drop_crash(&f.table, walk), rows[i].is_dropped);
		ck_assert_uint_eq(walk->count, rows[i].left);
		mkruntime_destroy(f.m);
	}
}
END_TEST

Suite *suite_threads(void);

Suite *suite_threads(void)
{
	Suite *suite = suite_create("threads");
	TCase *tests = tcase_create("threads");

	tcase_add_test(tests, a_parked_one_is_where_it_was_saved);
	tcase_add_test(tests, in_a_system_call);
	tcase_add_test(tests, running_on_its_own_stack);
	tcase_add_test(tests, behind_signal_frames);
	tcase_add_test(tests, on_g0_by_way_of_systemstack);
	tcase_add_test(tests, in_c_code_nothing_is_made_up);
	tcase_add_test(tests, inside_the_vdso);
	tcase_add_test(tests, whose_thread_is_not_in_the_core);
	tcase_add_test(tests, whose_thread_runs_another);
	tcase_add_test(tests, the_runtimes_own_dying_is_dropped);
	suite_add_tcase(suite, tests);
	return suite;
}
