// Who can never be woken, over goroutines, channels and locks in a heap of bytes: what reaches
// them, and when there is no verdict.
#include "analyzer/blocking/leaks.h"
#include "tests/lib/mkheap.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define SIZE 256
#define COUNT 28
#define NIL_REASON 4
#define COND_REASON 5
#define SEMAPHORE_REASON 6
#define MUTEX_REASON 3
#define SELECT_REASON 2
#define CHANNEL_REASON 1

struct fixture {
	struct mkruntime *m;
	struct mkheap made;
	target_addr heap; // slots of SIZE bytes, of which any word may be a pointer
	uint64_t used;
	struct goroutines goroutines;
	struct thread_states threads;
	struct frame_table frames;
	struct leaks leaks;
};

static struct fixture setup(void)
{
	static const char *const reasons[] = {"select (no cases)", "sync.Cond.Wait", "semacquire"};
	struct fixture f = {.m = mkruntime_create(0)};

	mkheap_init(&f.made, f.m);
	f.heap = mkheap_add(&f.made, (struct mkheap_span){SIZE, COUNT, 16 * 2, 0, 0});
	mkruntime_set(f.m, f.made.mspans[0], SPAN_IS_USER_ARENA, 1);
	for (size_t i = 0; i < 3; i++)
		mkruntime_string(f.m,
			mkruntime_variable(f.m, VAR_WAIT_REASONS) + 16 * (MKRUNTIME_REASONS + i),
			reasons[i]);
	return f;
}

static void teardown(struct fixture *f)
{
	mkruntime_destroy(f->m);
}

static target_addr add_object(struct fixture *f)
{
	return f->heap + SIZE * f->used++;
}

static target_addr add_g(struct fixture *f, uint64_t id, uint64_t status, uint64_t reason)
{
	target_addr g = mkruntime_g(f->m, id, status);

	mkruntime_set(f->m, g, G_WAIT_REASON, reason);
	return g;
}

static target_addr add_channel(struct fixture *f)
{
	target_addr channel = add_object(f);

	mkruntime_set(f->m, channel, HCHAN_ELEM_TYPE, mkruntime_type(f->m, "int", GO_INT, 8));
	return channel;
}

static target_addr add_sudog(struct fixture *f, target_addr g)
{
	target_addr sudog = add_object(f);

	mkruntime_set(f->m, sudog, SUDOG_G, g);
	return sudog;
}

/* A goroutine that receives from `channel`. */
static target_addr add_receiver(struct fixture *f, uint64_t id, target_addr channel)
{
	target_addr g = add_g(f, id, GOROUTINE_WAITING, CHANNEL_REASON);
	target_addr sudog = add_sudog(f, g);

	mkruntime_set(f->m, sudog, SUDOG_C, channel);
	mkruntime_set(f->m, g, G_WAITING, sudog);
	mkruntime_set(f->m, channel, HCHAN_RECEIVE_QUEUE, sudog);
	return g;
}

/* The goroutine's stack leads to `object`. */
static void hold(struct fixture *f, target_addr g, target_addr object)
{
	mkruntime_set(f->m, g, G_CONTEXT, object);
}

static void search(struct fixture *f)
{
	if (!f->m->rt)
		ck_assert_int_eq(mkruntime_open(f->m), CS_OK);
	ck_assert_int_eq(goroutines_load(f->m->rt, &f->goroutines), CS_OK);
	u64map_init(&f->threads.by_machine, &f->m->arena);
	frame_table_init(&f->frames, f->m->rt);
	ck_assert_int_eq(leaks_find(&(struct leaks_input){.rt = f->m->rt,
					    .goroutines = &f->goroutines,
					    .threads = &f->threads,
					    .frames = &f->frames,
					    .arena = &f->m->arena},
				 &f->leaks),
		CS_OK);
}

/* The ids of those who are leaked, "1 3". */
static void check_leaked(struct fixture *f, const char *expected)
{
	char found[256] = "";

	search(f);
	ck_assert_ptr_null(f->leaks.why_not);
	for (size_t i = 0; i < f->leaks.count; i++) {
		size_t size = strlen(found);

		snprintf(found + size, sizeof(found) - size, "%s%llu", i ? " " : "",
			(unsigned long long)f->goroutines.list[f->leaks.list[i]].id);
		ck_assert_ptr_nonnull(f->leaks.evidence[i]);
	}
	ck_assert_str_eq(found, expected);
}

static void check_evidence(const struct fixture *f, size_t index, const char *part)
{
	ck_assert_msg(strstr(f->leaks.evidence[index], part) != NULL, "'%s' is not in '%s'", part,
		f->leaks.evidence[index]);
}

START_TEST(a_channel_that_nobody_reaches)
{
	struct fixture f = setup();

	add_receiver(&f, 1, add_channel(&f));
	check_leaked(&f, "1");
	check_evidence(&f, 0, "(chan int) is reached from no root");
	check_evidence(&f, 0, "this goroutine alone holds it");
	ck_assert_uint_eq(f.leaks.candidates, 1);
	// Its own wait keeps channel and sudog alive, as it does in the process.
	ck_assert_uint_eq(f.leaks.reached_objects, 2);
	ck_assert_uint_eq(f.leaks.objects, COUNT);
	teardown(&f);
}
END_TEST

START_TEST(a_runnable_goroutine_holds_it)
{
	struct fixture f = setup();
	target_addr channel = add_channel(&f);

	add_receiver(&f, 1, channel);
	hold(&f, add_g(&f, 2, GOROUTINE_RUNNABLE, 0), channel + 8);
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

START_TEST(an_object_leads_to_it)
{
	struct fixture f = setup();
	target_addr channel = add_channel(&f), object = add_object(&f);

	add_receiver(&f, 1, channel);
	mkruntime_word(f.m, object + 40, channel);
	hold(&f, add_g(&f, 2, GOROUTINE_WAITING, 0), object);
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

/* Who is woken may wake others, whatever their order. */
START_TEST(a_chain_of_wakes)
{
	struct fixture f = setup();
	target_addr channels[5];

	for (int i = 0; i < 5; i++)
		channels[i] = add_channel(&f);
	for (int i = 0; i < 5; i++) {
		int number = _i ? 4 - i : i;
		target_addr g = add_receiver(&f, (uint64_t)number + 1, channels[number]);

		if (number < 4 && number != 2) // the third holds nothing: the chain ends there
			hold(&f, g, channels[number + 1]);
	}
	hold(&f, add_g(&f, 9, GOROUTINE_RUNNABLE, 0), channels[0]);
	check_leaked(&f, _i ? "5 4" : "4 5");
	teardown(&f);
}
END_TEST

START_TEST(two_who_hold_each_others)
{
	struct fixture f = setup();
	target_addr first = add_channel(&f), second = add_channel(&f);

	hold(&f, add_receiver(&f, 7, first), second);
	hold(&f, add_receiver(&f, 9, second), first);
	check_leaked(&f, "7 9");
	check_evidence(&f, 0, "only goroutines 7 and 9, which nobody can wake either, hold it");
	teardown(&f);
}
END_TEST

START_TEST(who_was_taken_out_of_the_queue_wakes)
{
	struct fixture f = setup();
	target_addr channel = add_channel(&f);

	add_receiver(&f, 1, channel);
	mkruntime_set(f.m, channel, HCHAN_RECEIVE_QUEUE, 0);
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

START_TEST(a_select_whose_cases_are_all_lost)
{
	struct fixture f = setup();
	target_addr first = add_channel(&f), second = add_channel(&f);
	target_addr g = add_receiver(&f, 1, first), sudog = add_sudog(&f, g);
	target_addr *waiting;

	mkruntime_set(f.m, g, G_WAIT_REASON, SELECT_REASON);
	mkruntime_set(f.m, sudog, SUDOG_C, second);
	mkruntime_set(f.m, second, HCHAN_SEND_QUEUE, sudog);
	waiting = mkruntime_at(f.m, g + layout_value(&f.m->layout, G_WAITING));
	mkruntime_set(f.m, *waiting, SUDOG_WAIT_LINK, sudog);
	if (_i == 1)
		hold(&f, add_g(&f, 2, GOROUTINE_RUNNABLE, 0), second);
	if (_i == 2)
		mkruntime_set(f.m, g, G_SELECT_DONE, 1); // somebody has won it just now
	check_leaked(&f, _i ? "" : "1");
	if (!_i)
		check_evidence(&f, 0, "none of its 2 channels is reached from a root");
	teardown(&f);
}
END_TEST

/* A goroutine in the semaphore table. */
static void add_sleeper(struct fixture *f, target_addr g, target_addr word)
{
	target_addr sudog = add_sudog(f, g);

	mkruntime_set(f->m, sudog, SUDOG_ELEM, word);
	mkruntime_word(f->m, mkruntime_variable(f->m, VAR_SEMTABLE) + 8, sudog);
}

START_TEST(a_lock_that_nobody_reaches)
{
	struct fixture f = setup();
	target_addr lock = add_object(&f);

	add_sleeper(&f, add_g(&f, 1, GOROUTINE_WAITING, _i == 2 ? SEMAPHORE_REASON : MUTEX_REASON),
		lock + 4);
	if (_i == 1)
		hold(&f, add_g(&f, 2, GOROUTINE_RUNNABLE, 0), lock);
	check_leaked(&f, _i == 1 ? "" : "1");
	if (!_i)
		check_evidence(&f, 0, "the mutex at 0x");
	teardown(&f);
}
END_TEST

START_TEST(a_lock_outside_the_heap)
{
	struct fixture f = setup();

	add_sleeper(&f, add_g(&f, 1, GOROUTINE_WAITING, MUTEX_REASON), mkruntime_alloc(f.m, 16));
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

START_TEST(a_condition_by_the_waiters_own_stack)
{
	struct fixture f = setup();
	target_addr cond = add_object(&f), g = add_g(&f, 1, GOROUTINE_WAITING, COND_REASON);
	target_addr sudog = add_sudog(&f, g);

	mkruntime_word(f.m, cond + 16, 1); // one ticket is out
	mkruntime_word(f.m, cond + 32, sudog);
	mkruntime_word(f.m, cond + 40, sudog);
	hold(&f, g, cond);
	if (_i == 1)
		hold(&f, add_g(&f, 2, GOROUTINE_RUNNABLE, 0), cond);
	if (_i == 2)
		mkruntime_word(f.m, cond + 40, sudog + SIZE); // no list: it has another end
	if (_i == 3)
		mkruntime_word(f.m, cond + 16, 0); // no list: nobody waits
	check_leaked(&f, _i ? "" : "1");
	if (!_i)
		check_evidence(&f, 0, "the condition at 0x");
	teardown(&f);
}
END_TEST

START_TEST(a_variable_leads_to_it)
{
	struct fixture f = setup();
	target_addr channel = add_channel(&f), data = mkruntime_alloc(f.m, 16);
	target_addr mask = mkruntime_alloc(f.m, 16);
	target_addr module = mkruntime_variable(f.m, VAR_FIRST_MODULE);

	add_receiver(&f, 1, channel);
	mkruntime_word(f.m, data, channel);
	mkruntime_word(f.m, mask, 1);
	mkruntime_set(f.m, module, MODULE_DATA, data);
	mkruntime_set(f.m, module, MODULE_DATA_END, data + 8);
	mkruntime_set(f.m, module, MODULE_DATA_MASK, mask);
	mkruntime_set(f.m, module, MODULE_DATA_BITS, 1);
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

START_TEST(a_deferred_call_leads_to_it)
{
	struct fixture f = setup();
	target_addr channel = add_channel(&f), record = mkruntime_alloc(f.m, 64);
	target_addr g = add_g(&f, 2, GOROUTINE_RUNNABLE, 0);

	add_receiver(&f, 1, channel);
	mkruntime_set(f.m, record, DEFER_FN, channel);
	mkruntime_set(f.m, g, G_DEFER, record);
	check_leaked(&f, "");
	teardown(&f);
}
END_TEST

START_TEST(nothing_ever_ends_an_empty_select)
{
	struct fixture f = setup();

	add_g(&f, 1, GOROUTINE_WAITING, NIL_REASON); // main keeps the program alive with it
	add_g(&f, 2, GOROUTINE_WAITING, NIL_REASON);
	check_leaked(&f, "2");
	check_evidence(&f, 0, "never ends");
	teardown(&f);
}
END_TEST

/*
 * A frame that a signal stopped has no map: each word of it and of the injected one may be a
 * pointer, and of what its parent passes to it. From there on the maps hold again, here without any
 * pointer.
 */
START_TEST(a_preempted_frame_holds_all_its_words)
{
	static const char *const names[] = {"runtime.asyncPreempt2", "runtime.asyncPreempt",
		"main.leaf", "main.main", "runtime.main", "runtime.goexit", NULL};
	struct fixture f = setup();
	target_addr channel = add_channel(&f), g = add_g(&f, 2, GOROUTINE_RUNNABLE, 0);
	target_addr *sp;

	add_receiver(&f, 1, channel);
	mkruntime_stack(f.m, g, names);
	sp = mkruntime_at(f.m, g + layout_value(&f.m->layout, G_SCHED_SP));
	// The lowest word of the frame of asyncPreempt, main.leaf, main.main, runtime.main.
	mkruntime_word(f.m, *sp + (uint64_t)(_i + 1) * (32 + 8), channel);
	check_leaked(&f, _i < 3 ? "" : "1");
	teardown(&f);
}
END_TEST

static void damage(struct fixture *f, int how)
{
	target_addr g = add_g(f, 2, GOROUTINE_RUNNABLE, 0);

	switch (how) {
	case 0:
		mkruntime_set(f->m, f->made.mspans[0], SPAN_ALLOC_BITS, 0x10);
		break;
	case 1: // no stack there
		mkruntime_set(f->m, g, G_STACK_LO, 0x1000);
		mkruntime_set(f->m, g, G_STACK_HI, 0x2000);
		mkruntime_set(f->m, g, G_SCHED_SP, 0x1800);
		mkruntime_set(f->m, g, G_SCHED_PC, mkruntime_pc("main.main"));
		break;
	case 2:
		mkruntime_set(f->m, g, G_SCHED_G, 0); // no g
		break;
	case 3:
		mkruntime_set(f->m, g, G_DEFER, 0x10);
		break;
	case 4:
		mkruntime_set(f->m, 0, VAR_ALL_FINALIZERS, 0x10);
		break;
	case 5:
		mkruntime_forget(f->m, VAR_MHEAP);
		break;
	default:
		ck_assert_int_eq(mkruntime_open(f->m), CS_OK);
		f->m->rt->layout.source = LAYOUT_GUESSED;
	}
}

START_TEST(no_verdict_where_something_is_missing)
{
	struct fixture f = setup();

	add_receiver(&f, 1, add_channel(&f));
	damage(&f, _i);
	search(&f);
	ck_assert_ptr_nonnull(f.leaks.why_not);
	ck_assert_uint_eq(f.leaks.count, 0);
	teardown(&f);
}
END_TEST

Suite *suite_leaks(void);

Suite *suite_leaks(void)
{
	Suite *suite = suite_create("leaks");
	TCase *tcase = tcase_create("leaks");

	tcase_add_test(tcase, a_channel_that_nobody_reaches);
	tcase_add_test(tcase, a_runnable_goroutine_holds_it);
	tcase_add_test(tcase, an_object_leads_to_it);
	tcase_add_loop_test(tcase, a_chain_of_wakes, 0, 2);
	tcase_add_test(tcase, two_who_hold_each_others);
	tcase_add_test(tcase, who_was_taken_out_of_the_queue_wakes);
	tcase_add_loop_test(tcase, a_select_whose_cases_are_all_lost, 0, 3);
	tcase_add_loop_test(tcase, a_lock_that_nobody_reaches, 0, 3);
	tcase_add_test(tcase, a_lock_outside_the_heap);
	tcase_add_loop_test(tcase, a_condition_by_the_waiters_own_stack, 0, 4);
	tcase_add_test(tcase, a_variable_leads_to_it);
	tcase_add_test(tcase, a_deferred_call_leads_to_it);
	tcase_add_test(tcase, nothing_ever_ends_an_empty_select);
	tcase_add_loop_test(tcase, a_preempted_frame_holds_all_its_words, 0, 4);
	tcase_add_loop_test(tcase, no_verdict_where_something_is_missing, 0, 7);
	suite_add_tcase(suite, tcase);
	return suite;
}
