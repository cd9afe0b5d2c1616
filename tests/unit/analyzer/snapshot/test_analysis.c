// The whole analysis over mkruntime's sample: what it finds, and what is left of it when memory
// ends.
#include "analyzer/snapshot/analysis.h"

#include "analyzer/emit/emit.h"
#include "analyzer/snapshot/identity.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIGNAL_NUMBER 304 // of siginfo behind the ucontext
#define SIGNAL_CODE 312
#define SIGNAL_ADDRESS 320

static void print(struct mkruntime *m, const char *fatal)
{
	memcpy(mkruntime_at(m, mkruntime_variable(m, VAR_PRINT_BACKLOG)), fatal, strlen(fatal));
	mkruntime_set(m, 0, VAR_PRINT_BACKLOG_INDEX, strlen(fatal));
}

static void raise_signal(struct mkruntime *m, uint64_t number, uint64_t code, target_addr address)
{
	mkruntime_set(m, m->dying_m, M_CAUGHT_SIG, m->crashing_g);
	mkruntime_word(m, m->ucontext + SIGNAL_NUMBER, number);
	mkruntime_word(m, m->ucontext + SIGNAL_CODE, code);
	mkruntime_word(m, m->ucontext + SIGNAL_ADDRESS, address);
}

static void make_panic(struct mkruntime *m)
{
	(void)m;
}

static void make_fault(struct mkruntime *m)
{
	mkruntime_set(m, m->crashing_g, G_SIG, 11);
	mkruntime_set(m, m->crashing_g, G_SIG_CODE0, 1);
	mkruntime_set(m, m->crashing_g, G_SIG_CODE1, 0x10);
	mkruntime_set(m, m->crashing_g, G_SIG_PC, mkruntime_pc("main.outer"));
}

static void make_fatal(struct mkruntime *m)
{
	mkruntime_set(m, m->dying_m, M_THROWING, 1);
	mkruntime_set(m, m->crashing_g, G_PANIC, 0);
	print(m, "fatal error: concurrent map writes\n");
}

static void make_runtime_throw(struct mkruntime *m)
{
	make_fatal(m);
	mkruntime_set(m, m->dying_m, M_DYING, 0); // throwing alone says it, too
	mkruntime_set(m, m->dying_m, M_THROWING, 2);
}

static void make_deadlock(struct mkruntime *m)
{
	make_fatal(m);
	print(m, "fatal error: all goroutines are asleep - deadlock!\n");
}

static void make_own_signal(struct mkruntime *m)
{
	raise_signal(m, 11, 1, 0x1234);
}

static void make_foreign_signal(struct mkruntime *m)
{
	raise_signal(m, 3, 0, 0x7b00000001);
}

static void make_signal_of_noise(struct mkruntime *m)
{
	raise_signal(m, 0x7fffffff, 0, 0);
}

static void make_nothing(struct mkruntime *m)
{
	mkruntime_set(m, m->dying_m, M_DYING, 0);
}

static const struct {
	const char *name;
	void (*make)(struct mkruntime *m);
	enum crash_kind kind;
	const char *message; // NULL: none
	uint64_t goroutine;  // id; 0: none
	uint64_t blamed;     // likewise
	uint32_t signal;
	bool has_address;
} crashes[] = {
	{"panic", make_panic, CRASH_PANIC, "boom: 42", 1, 1, 0, false},
	{"fault", make_fault, CRASH_PANIC, "boom: 42", 1, 1, 11, true},
	{"fatal", make_fatal, CRASH_FATAL_ERROR, "concurrent map writes", 1, 1, 0, false},
	{"throw", make_runtime_throw, CRASH_FATAL_ERROR, "concurrent map writes", 1, 1, 0, false},
	{"deadlock", make_deadlock, CRASH_DEADLOCK, "all goroutines are asleep - deadlock!", 0, 10,
		0, false},
	{"own signal", make_own_signal, CRASH_SIGNAL, "SIGSEGV: segmentation violation", 1, 1, 11,
		true},
	{"foreign signal", make_foreign_signal, CRASH_SIGNAL, "SIGQUIT: quit", 1, 10, 3, false},
	{"noise", make_signal_of_noise, CRASH_SIGNAL, NULL, 1, 10, 0, false},
	{"none", make_nothing, CRASH_NONE, NULL, 0, 10, 0, false},
};

static uint64_t id_at(const struct analysis *analysis, size_t index)
{
	return index == NO_GOROUTINE ? 0 : analysis->goroutines.list[index].id;
}

START_TEST(every_kind_of_crash)
{
	struct mkruntime *m = mkruntime_sample();
	const struct crash *crash;

	crashes[_i].make(m);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	crash = &m->analysis->crash;
	ck_assert_msg(crash->kind == crashes[_i].kind, "%s: %s", crashes[_i].name,
		crash_kind_name(crash->kind));
	ck_assert_pstr_eq(crash->message, crashes[_i].message);
	ck_assert_uint_eq(id_at(m->analysis, crash->goroutine), crashes[_i].goroutine);
	ck_assert_uint_eq(id_at(m->analysis, crash->blamed), crashes[_i].blamed);
	ck_assert_uint_eq(crash->signal.number, crashes[_i].signal);
	ck_assert_int_eq(crash->signal.has_address, crashes[_i].has_address);
	ck_assert_uint_eq(crash->thread_id, 100);
	ck_assert_ptr_nonnull(crash->title);
	ck_assert_uint_eq(strlen(crash->keys.standard), 32);
	mkruntime_destroy(m);
}
END_TEST

/* Two panic at once: the one that dumps core was printed last. */
START_TEST(the_first_to_be_printed_is_the_crash)
{
	struct mkruntime *m = mkruntime_sample();
	target_addr machine = mkruntime_m(m, 200);
	target_addr g = mkruntime_g(m, 77, GOROUTINE_RUNNING);

	mkruntime_set(m, machine, M_DYING, 1);
	mkruntime_set(m, machine, M_CURG, g);
	mkruntime_set(m, g, G_M, machine);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_uint_eq(m->analysis->crash.thread_id, 200);
	ck_assert_uint_eq(id_at(m->analysis, m->analysis->crash.goroutine), 77);
	mkruntime_destroy(m);
}
END_TEST

/* The runtime never noticed: kill -9, or a core of a live process. */
START_TEST(the_notes_tell_where_the_runtime_does_not)
{
	struct mkruntime *m = mkruntime_sample();
	struct image_notes *notes;

	make_nothing(m);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	notes = image_edit_notes(m->image);
	notes->has_signal = true;
	notes->signal = 11;
	notes->signal_code = 1;
	notes->has_signal_address = true;
	notes->signal_address = 0x1234;
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_int_eq(m->analysis->crash.kind, CRASH_SIGNAL);
	ck_assert_str_eq(m->analysis->crash.message, "SIGSEGV: segmentation violation");
	ck_assert_uint_eq(m->analysis->crash.signal.address, 0x1234);
	ck_assert_uint_eq(m->analysis->crash.signal.pc, mkruntime_pc("runtime.sigtramp"));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(groups_are_largest_first)
{
	static const struct {
		uint64_t count, first;
		const char *reason;
		bool is_system;
	} rows[] = {{3, 10, NULL, false}, {1, 1, NULL, false}, {1, 2, "chan receive", false},
		{1, 3, "select", false}, {1, 4, "sync.Mutex.Lock", false}, {1, 13, NULL, false},
		{1, 20, NULL, false}, {1, 21, NULL, true}};
	struct mkruntime *m = mkruntime_sample();

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_uint_eq(m->analysis->groups.count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct group *group = &m->analysis->groups.list[i];

		ck_assert_uint_eq(group->count, rows[i].count);
		ck_assert_uint_eq(id_at(m->analysis, group->examples[0]), rows[i].first);
		ck_assert_pstr_eq(group->reason, rows[i].reason);
		ck_assert_int_eq(group->is_system, rows[i].is_system);
		ck_assert_uint_le(group->example_count, MAX_GROUP_EXAMPLES);
	}
	ck_assert_int_eq(m->analysis->groups.list[2].wait_max, INT64_C(120000000000));
	ck_assert_int_eq(m->analysis->groups.list[0].wait_max, -1);
	ck_assert_int_eq(m->analysis->groups.list[0].wait_median, -1);
	ck_assert_int_eq(m->analysis->groups.list[2].wait_median, INT64_C(120000000000));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(groups_come_in_either_order)
{
	struct mkruntime *m = mkruntime_sample();
	const struct groups *groups;
	const uint32_t *order;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	groups = &m->analysis->groups;
	order = groups_order(groups, false, m->analysis->arena);
	for (uint32_t i = 0; i < groups->count; i++)
		ck_assert_uint_eq(order[i], i);
	order = groups_order(groups, true, m->analysis->arena);
	ck_assert(groups->list[order[groups->count - 1]].is_system);
	for (uint32_t i = 1; i + 1 < groups->count; i++)
		ck_assert_uint_le(
			groups->list[order[i - 1]].count, groups->list[order[i]].count);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(every_goroutine_is_in_one_group)
{
	struct mkruntime *m = mkruntime_sample();
	struct analysis *a;
	size_t members = 0;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	a = m->analysis;
	for (size_t i = 0; i < a->groups.count; i++) {
		members += a->groups.list[i].count;
		ck_assert_uint_eq(a->groups.list[i].unlike, 0);
		ck_assert_uint_eq(a->groups.list[i].members[0], a->groups.list[i].examples[0]);
	}
	ck_assert_uint_eq(members, a->shown_count);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(system_goroutines_are_left_out_when_not_wanted)
{
	struct mkruntime *m = mkruntime_sample();

	m->options.include_system = false;
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_uint_eq(m->analysis->goroutines.count, 10);
	ck_assert_uint_eq(m->analysis->shown_count, 9);
	ck_assert(!m->analysis->rows[9].is_shown);
	ck_assert_uint_eq(m->analysis->groups.count, 7);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(rows_are_numbered_in_order_of_first_use)
{
	struct mkruntime *m = mkruntime_sample();
	const struct analysis *analysis;
	uint32_t next = 0;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	analysis = m->analysis;
	for (size_t i = 0; i < analysis->goroutines.count; i++) {
		uint32_t number = row_number(&analysis->numbering.stacks, analysis->rows[i].stack);

		ck_assert_uint_le(number, next);
		next += number == next;
	}
	for (uint32_t i = 0; i < analysis->numbering.frames.count; i++)
		ck_assert_uint_eq(row_number(&analysis->numbering.frames,
					  analysis->numbering.frames.order[i]),
			i);
	ck_assert_uint_eq(row_number(&analysis->numbering.frames, NO_FRAME), NO_NUMBER);
	// The runtime's own dying is cut off the crashing goroutine, not off its thread.
	ck_assert_str_eq(analysis->frames.frames[analysis->numbering.frames.order[0]].function,
		"runtime.gopanic");
	ck_assert(analysis->crash.is_on_goroutine);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(secrets_do_not_leave)
{
	struct mkruntime *m = mkruntime_sample();

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert(m->analysis->has_arguments && m->analysis->has_environment);
	ck_assert_uint_eq(m->analysis->arguments.count, 2);
	ck_assert_uint_eq(m->analysis->environment.count, 1);
	ck_assert_str_eq(m->analysis->environment.list[0], "GOMAXPROCS=8");
	mkruntime_destroy(m);
}
END_TEST

static bool swallow(void *context, const char *bytes, size_t size)
{
	(void)context;
	(void)bytes;
	(void)size;
	return true;
}

static void emit_all(const struct analysis *analysis)
{
	static const char *const formats[] = {"json", "text", "summary"};
	struct emit_options options = {.traceback = "system"};

	for (size_t i = 0; i < COUNT(formats); i++) {
		enum cs_status status =
			emit_format_find(formats[i])->write(analysis, &options, swallow, NULL);

		ck_assert(status == CS_OK || status == CS_NO_MEMORY);
	}
}

/*
 * Fails the n-th request for memory, alone, until an analysis gets
 * by with fewer. No crash, no leak; a result or CS_NO_MEMORY.
 */
START_TEST(memory_may_end_anywhere)
{
	size_t n;

	for (n = 1; n < 20000; n++) {
		struct mkruntime *m = mkruntime_sample();
		enum cs_status status;

		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		m->arena.fail_in = n;
		status = mkruntime_analyze(m);
		ck_assert_msg(
			status == CS_OK || status == CS_NO_MEMORY, "request %zu: %d", n, status);
		if (status == CS_OK)
			emit_all(m->analysis);
		if (m->arena.fail_in) {
			mkruntime_destroy(m);
			break;
		}
		mkruntime_destroy(m);
	}
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_lt(n, 20000);
}
END_TEST

START_TEST(all_memory_may_end)
{
	for (size_t left = 0; left < 256; left++) {
		struct mkruntime *m = mkruntime_sample();
		enum cs_status status;

		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		m->arena.max = m->arena.total + left * left * 128;
		status = mkruntime_analyze(m);
		ck_assert(status == CS_OK || status == CS_NO_MEMORY);
		if (status == CS_OK)
			emit_all(m->analysis);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(the_id_is_that_of_the_process)
{
	struct mkruntime *m = mkruntime_sample();
	char one[33], again[33], other[33];
	struct image_notes *notes;

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	notes = image_edit_notes(m->image);
	notes->at_random = MKRUNTIME_DATA + 16;
	ck_assert_int_eq(identity_compute(m->image, "id", one, sizeof(one)), CS_OK);
	ck_assert_int_eq(identity_compute(m->image, "id", again, sizeof(again)), CS_OK);
	ck_assert_str_eq(one, again);
	ck_assert_uint_eq(strspn(one, "0123456789abcdef"), 32);
	ck_assert_int_eq(identity_compute(m->image, "other", other, sizeof(other)), CS_OK);
	ck_assert_str_ne(one, other);
	ck_assert_int_eq(identity_compute(m->image, NULL, other, sizeof(other)), CS_OK);
	ck_assert_str_ne(one, other);
	m->memory[16]++;
	ck_assert_int_eq(identity_compute(m->image, "id", other, sizeof(other)), CS_OK);
	ck_assert_str_ne(one, other);
	m->memory[16]--;
	notes->threads[0].regs.raw[3]++;
	ck_assert_int_eq(identity_compute(m->image, "id", other, sizeof(other)), CS_OK);
	ck_assert_str_ne(one, other);
	notes->at_random = 0x10; // not in the core: the registers tell it still
	ck_assert_int_eq(identity_compute(m->image, "id", other, sizeof(other)), CS_OK);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_analysis(void);

Suite *suite_analysis(void)
{
	Suite *suite = suite_create("analysis");
	TCase *tests = tcase_create("analysis");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, every_kind_of_crash, 0, (int)COUNT(crashes));
	tcase_add_test(tests, the_first_to_be_printed_is_the_crash);
	tcase_add_test(tests, the_notes_tell_where_the_runtime_does_not);
	tcase_add_test(tests, groups_are_largest_first);
	tcase_add_test(tests, groups_come_in_either_order);
	tcase_add_test(tests, every_goroutine_is_in_one_group);
	tcase_add_test(tests, system_goroutines_are_left_out_when_not_wanted);
	tcase_add_test(tests, rows_are_numbered_in_order_of_first_use);
	tcase_add_test(tests, secrets_do_not_leave);
	tcase_add_test(tests, memory_may_end_anywhere);
	tcase_add_test(tests, all_memory_may_end);
	tcase_add_test(tests, the_id_is_that_of_the_process);
	suite_add_tcase(suite, tests);
	return suite;
}
