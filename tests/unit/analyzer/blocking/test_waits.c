// What goroutines wait on, by the functions on their stacks and what their stacks point to.
#include "analyzer/blocking/waits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define TREAP 8 // of a root of the semaphore table
#define REASON_MUTEX 3
#define REASON_OTHER 4 // what the tests set
#define WORD_OF(m, object, id) ((object) + layout_value(&(m)->layout, id))

static const struct waiting_on *first_wait(const struct mkruntime *m, uint64_t id)
{
	const struct analysis *analysis = m->analysis;
	size_t count;

	for (size_t i = 0; i < analysis->goroutines.count; i++)
		if (analysis->goroutines.list[i].id == id) {
			const struct waiting_on *on =
				blocking_waits(&analysis->blocking, i, &count);

			ck_assert_uint_eq(count, 1);
			return on;
		}
	ck_abort_msg("no goroutine %u", (unsigned)id);
}

/** A goroutine that sleeps on the semaphore at `word`, alone in root `root` of the table. */
static target_addr add_sleeper(struct mkruntime *m, uint64_t id, unsigned int reason,
	target_addr word, const char *const *stack)
{
	target_addr g = mkruntime_g(m, id, GOROUTINE_WAITING);
	target_addr sudog = mkruntime_object(m, SUDOG_G);
	target_addr table = mkruntime_variable(m, VAR_SEMTABLE);
	uint64_t stride = layout_size(&m->layout, VAR_SEMTABLE) / 251;

	mkruntime_set(m, g, G_WAIT_REASON, reason);
	mkruntime_stack(m, g, stack);
	mkruntime_set(m, sudog, SUDOG_G, g);
	mkruntime_set(m, sudog, SUDOG_ELEM, word);
	mkruntime_word(m, table + id * stride + TREAP, sudog);
	return g;
}

static void set_reason(struct mkruntime *m, const char *reason)
{
	mkruntime_string(m, mkruntime_variable(m, VAR_WAIT_REASONS) + 16 * REASON_OTHER, reason);
}

START_TEST(the_functions_on_the_stack_tell_the_kind)
{
	static const struct {
		const char *function, *kind, *operation;
		enum layout_id word, within; // LAYOUT_COUNT: the object begins with it
	} rows[] = {
		{"sync.(*Once).doSlow", "once", "wait", INTERNAL_MUTEX_SEMA, ONCE_MUTEX},
		{"sync.(*RWMutex).Lock", "rwmutex", "lock", INTERNAL_MUTEX_SEMA, LAYOUT_COUNT},
		{"main.worker", "mutex", "lock", INTERNAL_MUTEX_SEMA, LAYOUT_COUNT},
	};
	struct mkruntime *m = mkruntime_create(0);
	target_addr object = mkruntime_alloc(m, 256);

	for (size_t i = 0; i < 3; i++) {
		target_addr mutex =
			object +
			(rows[i].within == LAYOUT_COUNT ? 0 : layout_value(&m->layout, ONCE_MUTEX));

		add_sleeper(m, i + 1, REASON_MUTEX, WORD_OF(m, mutex, rows[i].word),
			(const char *[]){"runtime.gopark", "sync.(*Mutex).Lock", rows[i].function,
				"main.main", "runtime.goexit", NULL});
	}
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	for (size_t i = 0; i < 3; i++) {
		const struct waiting_on *on = first_wait(m, i + 1);

		ck_assert_str_eq(on->kind, rows[i].kind);
		ck_assert_str_eq(on->operation, rows[i].operation);
		ck_assert_uint_eq(on->address, object);
		ck_assert_int_eq(on->select_case, -1);
	}
	// All three wait for what lies at one address: one row of `sync`, named by the first.
	ck_assert_uint_eq(m->analysis->blocking.object_count, 1);
	ck_assert_uint_eq(m->analysis->blocking.objects[0].waiter_count, 3);
	ck_assert_uint_eq(m->analysis->blocking.objects[0].likely_owner, NO_BLOCKER);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(semacquire_is_told_apart)
{
	static const struct {
		const char *function, *kind, *operation;
		enum layout_id word;
	} rows[] = {
		{"sync.(*Mutex).Lock", "mutex", "lock", INTERNAL_MUTEX_SEMA},
		{"sync.(*RWMutex).Lock", "rwmutex", "lock", RWMUTEX_WRITER_SEMA},
		{"sync.(*RWMutex).RLock", "rwmutex", "rlock", RWMUTEX_READER_SEMA},
		{"sync.(*WaitGroup).Wait", "waitgroup", "wait", WAITGROUP_SEMA},
		{"main.worker", "semaphore", "wait", LAYOUT_COUNT}, // the runtime's own
	};
	struct mkruntime *m = mkruntime_create(0);
	target_addr objects[5];

	set_reason(m, "semacquire");
	for (size_t i = 0; i < 5; i++) {
		objects[i] = mkruntime_alloc(m, 256);
		add_sleeper(m, i + 1, REASON_OTHER,
			objects[i] + (rows[i].word == LAYOUT_COUNT
						     ? 0
						     : layout_value(&m->layout, rows[i].word)),
			(const char *[]){"runtime.gopark", rows[i].function, "main.main",
				"runtime.goexit", NULL});
	}
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	for (size_t i = 0; i < 5; i++) {
		const struct waiting_on *on = first_wait(m, i + 1);

		ck_assert_str_eq(on->kind, rows[i].kind);
		ck_assert_str_eq(on->operation, rows[i].operation);
		ck_assert_uint_eq(on->address, objects[i]);
	}
	mkruntime_destroy(m);
}
END_TEST

/** A parked goroutine with `pointer` in its innermost frame. */
static target_addr add_parked(
	struct mkruntime *m, uint64_t id, const char *reason, target_addr pointer)
{
	target_addr g = mkruntime_g(m, id, GOROUTINE_WAITING), sp;

	set_reason(m, reason);
	mkruntime_set(m, g, G_WAIT_REASON, REASON_OTHER);
	mkruntime_stack(
		m, g, (const char *[]){"runtime.gopark", "main.worker", "runtime.goexit", NULL});
	memcpy(&sp, mkruntime_at(m, g + layout_value(&m->layout, G_SCHED_SP)), sizeof(sp));
	mkruntime_word(m, sp + 8, pointer);
	return g;
}

START_TEST(descriptors_are_found_by_their_reader_or_writer)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr descriptor = mkruntime_alloc(m, 256), g;
	const struct waiting_on *on;

	g = add_parked(m, 1, "IO wait", descriptor);
	add_parked(m, 2, "IO wait", descriptor); // it names another
	mkruntime_set(m, descriptor, NETPOLL_FD, 7);
	mkruntime_set(m, descriptor, NETPOLL_WRITER, g);
	mkruntime_set(m, descriptor, NETPOLL_WRITE_DEADLINE, 12345);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	on = first_wait(m, 1);
	ck_assert_str_eq(on->kind, "descriptor");
	ck_assert_str_eq(on->operation, "write");
	ck_assert_uint_eq(on->address, descriptor);
	ck_assert_uint_eq(on->descriptor, 7);
	ck_assert_int_eq(on->deadline, 12345);
	on = first_wait(m, 2);
	ck_assert_str_eq(on->kind, "descriptor");
	ck_assert_uint_eq(on->address, 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(conds_are_found_by_their_lists)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr cond = mkruntime_alloc(m, 256), list = WORD_OF(m, cond, COND_NOTIFY);
	target_addr sudogs[2];

	for (uint64_t i = 0; i < 2; i++) {
		target_addr g = add_parked(m, i + 1, "sync.Cond.Wait", i ? 0x5 : cond);

		sudogs[i] = mkruntime_object(m, SUDOG_G);
		mkruntime_set(m, sudogs[i], SUDOG_G, g);
	}
	mkruntime_word(m, WORD_OF(m, list, NOTIFY_HEAD), sudogs[0]);
	mkruntime_set(m, sudogs[0], SUDOG_NEXT, sudogs[1]);
	mkruntime_set(m, sudogs[1], SUDOG_NEXT, sudogs[0]); // a ring
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_uint_eq(first_wait(m, 1)->address, cond);
	// The second has no pointer of its own; the list that the first led to names it.
	ck_assert_uint_eq(first_wait(m, 2)->address, cond);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(a_coroutine_waits_for_who_runs_it)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr coroutine = mkruntime_alloc(m, 64), waiter, runner;
	const struct blocking *b;

	waiter = add_parked(m, 1, "coroutine", coroutine);
	mkruntime_word(m, WORD_OF(m, coroutine, CORO_G), waiter);
	runner = mkruntime_g(m, 2, GOROUTINE_WAITING);
	mkruntime_set(m, runner, G_WAIT_REASON, 1);
	mkruntime_set(m, runner, G_START_PC, mkruntime_pc("runtime.corostart") - 0x40);
	mkruntime_stack(m, runner,
		(const char *[]){"runtime.gopark", "main.worker", "runtime.corostart",
			"runtime.goexit", NULL});
	memcpy(&runner, mkruntime_at(m, runner + layout_value(&m->layout, G_STACK_HI)), 8);
	mkruntime_word(m, runner - 24, coroutine);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	b = &m->analysis->blocking;
	ck_assert_str_eq(first_wait(m, 1)->kind, "coroutine");
	ck_assert_uint_eq(first_wait(m, 1)->address, coroutine);
	ck_assert_uint_eq(b->edge_count, 1);
	ck_assert_uint_eq(b->edges[0].from, 0);
	ck_assert_uint_eq(b->edges[0].to, 1);
	ck_assert(b->edges[0].is_proved);
	ck_assert_uint_eq(b->deadlock_count, 0);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(nil_channels_have_no_address)
{
	struct mkruntime *m = mkruntime_create(0);

	add_parked(m, 1, "chan send (nil chan)", 0);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	ck_assert_str_eq(first_wait(m, 1)->kind, "channel");
	ck_assert_str_eq(first_wait(m, 1)->operation, "send");
	ck_assert_uint_eq(first_wait(m, 1)->address, 0);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_waits(void);

Suite *suite_waits(void)
{
	Suite *suite = suite_create("waits");
	TCase *tests = tcase_create("waits");

	tcase_add_test(tests, the_functions_on_the_stack_tell_the_kind);
	tcase_add_test(tests, semacquire_is_told_apart);
	tcase_add_test(tests, descriptors_are_found_by_their_reader_or_writer);
	tcase_add_test(tests, conds_are_found_by_their_lists);
	tcase_add_test(tests, a_coroutine_waits_for_who_runs_it);
	tcase_add_test(tests, nil_channels_have_no_address);
	suite_add_tcase(suite, tests);
	return suite;
}
