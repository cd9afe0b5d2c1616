// Walks on arm64: return addresses at the foot of a frame or still in the link register, and signal
// frames as the kernel's arch/arm64 lays them out.
#include "analyzer/runtime/signals.h"
#include "analyzer/unwind/threads.h"
#include "analyzer/unwind/walk.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STACK_SIZE 0x2000
// struct rt_sigframe {siginfo, ucontext}: from the stack pointer that a handler begins with.
#define SIGFRAME_INFO_ADDRESS 16
#define SIGFRAME_CONTEXT 128
#define SIGFRAME_LR (128 + 176 + 8 + 30 * 8)
#define SIGFRAME_SP (SIGFRAME_LR + 8)
#define SIGFRAME_PC (SIGFRAME_LR + 16)

struct fixture {
	struct mkruntime *m;
	target_addr stack; // 8 KiB
	struct frame_table table;
	struct walk *walk;
};

static struct fixture setup(void)
{
	struct fixture f = {.m = mkruntime_create(MKRUNTIME_ARM64)};

	f.stack = mkruntime_alloc(f.m, STACK_SIZE);
	f.walk = malloc(sizeof(*f.walk));
	ck_assert_ptr_nonnull(f.walk);
	ck_assert_int_eq(mkruntime_open(f.m), CS_OK);
	frame_table_init(&f.table, f.m->rt);
	return f;
}

static void teardown(struct fixture *f)
{
	free(f->walk);
	mkruntime_destroy(f->m);
}

/** The functions of the walk's physical frames, innermost first, with a space between. */
static const char *names(const struct fixture *f)
{
	static char text[4096];

	text[0] = 0;
	for (uint32_t i = 0; i < f->walk->count; i++) {
		const struct code_place *place = &f->table.places[f->walk->places[i]];
		uint32_t physical = place->first_frame + place->frame_count - 1;

		if (*text)
			strcat(text, " ");
		strcat(text, f->table.frames[physical].function);
	}
	return text;
}

static target_addr pc_or_zero(const char *function)
{
	return function ? mkruntime_pc(function) : 0;
}

START_TEST(return_addresses)
{
	static const struct {
		const char *names[6]; // frames on the stack
		const char *lr;       // what the innermost's register holds; NULL: 0
		const char *expected;
		enum walk_end end;
	} rows[] = {
		{{"main.leaf", "main.worker", "runtime.goexit"}, NULL,
			"main.leaf main.worker runtime.goexit", WALK_COMPLETE},
		// With a frame of its own, what lr holds is left over from its last call.
		{{"main.leaf", "main.worker", "runtime.goexit"}, "main.flat",
			"main.leaf main.worker runtime.goexit", WALK_COMPLETE},
		// Without one it has not saved lr: a leaf, or in its stack check.
		{{"main.flat", "main.worker", "runtime.goexit"}, "main.worker",
			"main.flat main.worker runtime.goexit", WALK_COMPLETE},
		// A goroutine that never ran: newproc gives it goexit to return to.
		{{"main.flat"}, "runtime.goexit", "main.flat runtime.goexit", WALK_COMPLETE},
		{{"main.flat"}, NULL, "main.flat", WALK_UNREADABLE},
		// Only the innermost's register is known: whoever called has saved it.
		{{"main.leaf", "main.flat", "runtime.goexit"}, NULL, "main.leaf main.flat",
			WALK_UNREADABLE},
		{{"runtime.systemstack", "main.main"}, NULL, "runtime.systemstack", WALK_COMPLETE},
		{{"main.unsized"}, "main.main", "main.unsized", WALK_UNREADABLE},
		{{"runtime.writesSP"}, "main.main", "runtime.writesSP", WALK_UNREADABLE},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup();
		target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16, rows[i].names);

		walk_stack(&f.table,
			(struct position){.pc = mkruntime_pc(rows[i].names[0]),
				.sp = sp,
				.is_exact = true,
				.lr = pc_or_zero(rows[i].lr)},
			f.walk);
		ck_assert_msg(!strcmp(names(&f), rows[i].expected), "row %zu: %s", i, names(&f));
		ck_assert_msg(f.walk->end == rows[i].end, "row %zu: %d", i, f.walk->end);
		teardown(&f);
	}
}
END_TEST

START_TEST(a_register_that_points_to_its_own_function_does_not_loop)
{
	struct fixture f = setup();

	walk_stack(&f.table,
		(struct position){.pc = mkruntime_pc("main.flat"),
			.sp = f.stack,
			.lr = mkruntime_pc("main.flat")},
		f.walk);
	ck_assert_uint_eq(f.walk->count, 2);
	ck_assert_int_eq(f.walk->end, WALK_UNREADABLE);
	teardown(&f);
}
END_TEST

/* Before it has made its frame it is still on the goroutine's stack; so it is when it has come
 * back. */
START_TEST(systemstack_before_it_switches)
{
	struct fixture f = setup();
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.worker", "runtime.goexit", NULL});
	target_addr pc = mkruntime_pc("runtime.systemstack");
	uint32_t place;

	place = frame_table_place(&f.table, pc, true);
	f.table.places[place].frame_size = 0;
	walk_stack(&f.table,
		(struct position){
			.pc = pc, .sp = sp, .is_exact = true, .lr = mkruntime_pc("main.worker")},
		f.walk);
	ck_assert_str_eq(names(&f), "runtime.systemstack main.worker runtime.goexit");
	ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
	teardown(&f);
}
END_TEST

/* pushCall saves the interrupted lr below the stack: it is the way on for a leaf. */
START_TEST(injected_calls)
{
	static const struct {
		const char *injected, *interrupted, *expected;
	} rows[] = {
		{"runtime.sigpanic", "main.flat",
			"runtime.sigpanic main.flat main.worker runtime.goexit"},
		{"runtime.asyncPreempt", "main.flat",
			"runtime.asyncPreempt main.flat main.worker runtime.goexit"},
		{"runtime.asyncPreempt", "main.leaf",
			"runtime.asyncPreempt main.leaf main.worker runtime.goexit"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f = setup();
		target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
			(const char *[]){
				rows[i].interrupted, "main.worker", "runtime.goexit", NULL});
		target_addr size = mkruntime_frame_size(f.m, rows[i].injected);

		mkruntime_word(f.m, sp - 16, mkruntime_pc("main.worker"));
		mkruntime_word(f.m, sp - 16 - size, mkruntime_pc(rows[i].interrupted));
		walk_stack(&f.table,
			(struct position){
				.pc = mkruntime_pc(rows[i].injected), .sp = sp - 16 - size},
			f.walk);
		ck_assert_str_eq(names(&f), rows[i].expected);
		ck_assert_uint_eq(f.walk->sps[1], sp);
		ck_assert_uint_eq(f.walk->places[1],
			frame_table_place(&f.table, mkruntime_pc(rows[i].interrupted), true));
		teardown(&f);
	}
}
END_TEST

START_TEST(signal_frames)
{
	struct fixture f = setup();
	struct signal_info info;
	target_addr sp = mkruntime_frames(f.m, f.stack + STACK_SIZE - 16,
		(const char *[]){"main.flat", "main.worker", "runtime.goexit", NULL});
	target_addr frame = f.stack + mkruntime_frame_size(f.m, "runtime.sigtramp");

	mkruntime_word(f.m, frame, SIGSEGV);
	mkruntime_word(f.m, frame + 8, SEGV_MAPERR);
	mkruntime_word(f.m, frame + SIGFRAME_INFO_ADDRESS, 0x1234);
	mkruntime_word(f.m, frame + SIGFRAME_LR, mkruntime_pc("main.worker"));
	mkruntime_word(f.m, frame + SIGFRAME_SP, sp);
	mkruntime_word(f.m, frame + SIGFRAME_PC, mkruntime_pc("main.flat"));
	walk_stack(&f.table,
		(struct position){
			.pc = mkruntime_pc("runtime.sigtramp"), .sp = f.stack, .is_exact = true},
		f.walk);
	ck_assert_str_eq(names(&f), "runtime.sigtramp main.flat main.worker runtime.goexit");
	ck_assert_int_eq(f.walk->end, WALK_COMPLETE);
	ck_assert_uint_eq(f.walk->signal_count, 1);
	ck_assert_uint_eq(f.walk->signals[0].lr, mkruntime_pc("main.worker"));
	ck_assert_uint_eq(f.walk->contexts[0], frame + SIGFRAME_CONTEXT);
	ck_assert(signal_info_load(f.m->rt, f.walk->contexts[0], &info));
	ck_assert_uint_eq(info.number, SIGSEGV);
	ck_assert_int_eq(info.code, SEGV_MAPERR);
	ck_assert_uint_eq(info.address, 0x1234);
	teardown(&f);
}
END_TEST

START_TEST(saved_registers_of_goroutines)
{
	static const struct {
		uint64_t status, syscall_pc;
		bool has_lr;
	} rows[] = {{GOROUTINE_RUNNABLE, 0, true}, {GOROUTINE_SYSCALL, 0x5000, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct goroutine g = {.status = (uint16_t)rows[i].status,
			.sched_pc = 0x1000,
			.sched_sp = 0x2000,
			.sched_lr = 0x3000,
			.syscall_pc = rows[i].syscall_pc,
			.syscall_sp = rows[i].syscall_pc ? 0x6000 : 0};
		struct position at = {0};

		ck_assert(goroutine_position(&(struct thread_states){0}, &g, &at));
		ck_assert_uint_eq(at.lr, rows[i].has_lr ? 0x3000 : 0);
		ck_assert(!at.is_exact);
	}
}
END_TEST

Suite *suite_walk_arm64(void);

Suite *suite_walk_arm64(void)
{
	Suite *suite = suite_create("walk_arm64");
	TCase *tests = tcase_create("walk_arm64");

	tcase_add_test(tests, return_addresses);
	tcase_add_test(tests, a_register_that_points_to_its_own_function_does_not_loop);
	tcase_add_test(tests, systemstack_before_it_switches);
	tcase_add_test(tests, injected_calls);
	tcase_add_test(tests, signal_frames);
	tcase_add_test(tests, saved_registers_of_goroutines);
	suite_add_tcase(suite, tests);
	return suite;
}
