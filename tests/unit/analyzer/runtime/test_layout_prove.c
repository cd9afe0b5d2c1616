#include "analyzer/runtime/layout_prove.h"

#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

/* Two machines, two processors; the first machine runs goroutine 1 on the first of those. */
static void make_machines(struct mkruntime *m, target_addr running)
{
	for (uint64_t i = 0; i < 2; i++) {
		target_addr machine = mkruntime_m(m, 100 + i), p = mkruntime_p(m);
		target_addr g0 = mkruntime_object(m, G_ID), gsignal = mkruntime_object(m, G_ID);

		mkruntime_set(m, g0, G_M, machine);
		mkruntime_set(m, machine, M_G0, g0);
		mkruntime_set(m, gsignal, G_M, machine);
		mkruntime_set(m, machine, M_GSIGNAL, gsignal);
		mkruntime_thread(m, 100 + (uint32_t)i, mkruntime_pc("main.leaf"), 0);
		if (i)
			continue;
		mkruntime_set(m, machine, M_CURG, running);
		mkruntime_set(m, running, G_M, machine);
		mkruntime_set(m, machine, M_P, p);
		mkruntime_set(m, p, P_M, machine);
		mkruntime_set(m, p, P_STATUS, 1);
	}
	mkruntime_set(m, mkruntime_variable(m, VAR_SCHED), SCHED_NP_IDLE, 1);
}

/* A process that fits: three goroutines of which one runs and one waits for a channel. */
static struct mkruntime *make_process(target_addr *g_ret)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr sched = mkruntime_variable(m, VAR_SCHED);
	target_addr sudog = mkruntime_object(m, SUDOG_G);

	target_addr channel = mkruntime_object(m, HCHAN_COUNT);

	make_machines(m, mkruntime_g(m, 1, GOROUTINE_RUNNING));
	mkruntime_g(m, 2, 0x1004); // its stack is being scanned
	*g_ret = mkruntime_g(m, 17, 4);
	mkruntime_set(m, *g_ret, G_WAITING, sudog);
	mkruntime_set(m, sudog, SUDOG_G, *g_ret);
	mkruntime_set(m, sudog, SUDOG_C, channel);
	mkruntime_set(m, channel, HCHAN_ELEM_TYPE, mkruntime_type(m, "int", 2, 8));
	mkruntime_set(m, sched, SCHED_GOIDGEN, 17);
	mkruntime_set(m, sched, SCHED_MNEXT, 2);
	mkruntime_set(m, sched, SCHED_MAX_M, 10000);
	m->layout.from = "go1.27.4";
	m->layout.version = "go1.99.1";
	m->layout.source = LAYOUT_GUESSED;
	return m;
}

/* Where the elements of a slice lie. */
static target_addr first_of(struct mkruntime *m, enum layout_id slice)
{
	target_addr data;

	memcpy(&data, mkruntime_at(m, mkruntime_variable(m, slice)), 8);
	return data;
}

/* The struct that field `id` is of: of machines and processors the first. */
static target_addr object_of(struct mkruntime *m, target_addr g, enum layout_id id)
{
	target_addr object = g;

	if (id >= SCHED_GOIDGEN && id <= SCHED_PROCRESIZE_TIME)
		return mkruntime_variable(m, VAR_SCHED);
	if (id >= M_G0 && id <= M_VDSO_PC)
		memcpy(&object, mkruntime_at(m, mkruntime_variable(m, VAR_ALLM)), 8);
	else if (id >= P_ID && id <= P_GC_STOP_TIME)
		memcpy(&object, mkruntime_at(m, first_of(m, VAR_ALLP)), 8);
	else if (id >= SUDOG_G && id <= HCHAN_SEND_QUEUE)
		memcpy(&object, mkruntime_at(m, g + layout_value(&m->layout, G_WAITING)), 8);
	if (id >= HCHAN_COUNT && id <= HCHAN_SEND_QUEUE)
		memcpy(&object, mkruntime_at(m, object + layout_value(&m->layout, SUDOG_C)), 8);
	return object;
}

/* Puts `value` where the process had something true; into all goroutines, as a false offset does.
 */
static void spoil(struct mkruntime *m, target_addr g, enum layout_id id, uint64_t value)
{
	for (uint64_t i = 0; id <= G_SYNC_GROUP && i < m->g_count; i++) {
		target_addr other;

		memcpy(&other, mkruntime_at(m, m->gs + 8 * i), 8);
		mkruntime_set(m, other, id, value);
	}
	if (m->layout.facts[id].kind == FACT_VARIABLE)
		mkruntime_word(m, mkruntime_variable(m, id), value);
	else
		mkruntime_set(m, object_of(m, g, id), id, value);
}

START_TEST(what_fits_is_told_from_what_does_not)
{
	static const struct {
		enum layout_id id;
		uint64_t value;
		const char *what; // NULL: it still fits
	} cases[] = {
		{G_WAIT_REASON, 3, NULL},
		{G_STATUS, 6, NULL},
		{G_SCHED_G, 0, "runtime.g"},
		{G_STATUS, 77, "runtime.g"},
		{G_STACK_LO, UINT64_MAX, "runtime.g"},
		{G_STACK_HI, UINT64_MAX, "runtime.g"},
		{G_WAITING, 8, "runtime.g"},
		{SUDOG_G, 0, "runtime.g"},
		{VAR_ALLGS, 0, "runtime.g"},
		{P_ID, 1, "runtime.p"},
		{VAR_ALLP, 0, "runtime.p"},
		{M_G0, 0, "runtime.m"},
		{VAR_ALLM, 0, "runtime.m"},
		{G_START_PC, 0, "runtime.g"},
		{G_GO_PC, 8, "runtime.g"},
		{G_PANIC, 8, "runtime.g"},
		{G_LABELS, 8, "runtime.g"},
		{G_SYSCALL_SP, 8, "runtime.g"},
		{G_LOCKED_M, 8, "runtime.g"},
		{G_M, 8, "runtime.m"},
		{SUDOG_C, 8, "runtime.g"},
		{SUDOG_IS_SELECT, 9, "runtime.g"},
		{HCHAN_COUNT, 1, "runtime.g"},
		{HCHAN_ELEM_TYPE, 8, "runtime.g"},
		{M_CURG, 0, "runtime.g"},
		{M_CURG, 8, "runtime.m"},
		{M_GSIGNAL, 8, "runtime.m"},
		{M_CAUGHT_SIG, 8, "runtime.m"},
		{M_LOCKED_G, 8, "runtime.m"},
		{M_P, 8, "runtime.m"},
		{M_P, 0, "runtime.p"},
		{M_PROC_ID, 7, "runtime.m"},
		{M_THROWING, 2, NULL},
		{M_THROWING, 3, "runtime.m"},
		{M_DYING, 4, "runtime.m"},
		{M_SPINNING, 2, "runtime.m"},
		{M_VDSO_PC, 8, "runtime.m"},
		{P_STATUS, 5, "runtime.p"},
		{P_RUNQ_TAIL, 257, "runtime.p"},
		{P_RUN_NEXT, 8, "runtime.p"},
		{SCHED_NP_IDLE, 2, NULL}, // counted by whoever is about to sleep
		{SCHED_NP_IDLE, 3, "runtime.schedt"},
		{SCHED_NM_IDLE, 3, "runtime.schedt"},
		{SCHED_RUNQ_HEAD, 8, "runtime.schedt"},
		{SCHED_RUNQ_SIZE, 1, "runtime.schedt"},
		{SCHED_STOP_WAIT, 0x7ffffffe, "runtime.m"}, // frozen, yet nobody dies
		{SCHED_GOIDGEN, 16, "runtime.schedt"},
		{SCHED_MNEXT, 1, "runtime.schedt"},
		{SCHED_MAX_M, 1, "runtime.schedt"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		target_addr g;
		struct mkruntime *m = make_process(&g);
		enum cs_status status;

		spoil(m, g, cases[i].id, cases[i].value);
		status = mkruntime_open(m); // which asks for the proof
		ck_assert_msg(status == (cases[i].what ? CS_UNSUPPORTED : CS_OK), "case %zu: %d", i,
			status);
		if (cases[i].what) {
			ck_assert_ptr_nonnull(strstr(m->diag.fatal, cases[i].what));
			ck_assert_ptr_nonnull(strstr(m->diag.fatal, "go1.99.1"));
			ck_assert_ptr_nonnull(strstr(m->diag.fatal, "go1.27.4"));
		}
		mkruntime_destroy(m);
	}
}
END_TEST

/* Of many, some may be caught half made: one in eight, not two. */
START_TEST(a_few_may_disagree)
{
	for (uint64_t wrong = 2; wrong <= 3; wrong++) {
		target_addr g;
		struct mkruntime *m = make_process(&g);

		for (uint64_t i = 0; i < 13; i++)
			mkruntime_set(m, mkruntime_g(m, 3 + i, 4), G_SCHED_G, i < wrong ? 0 : 1);
		for (uint64_t i = 0; i < 13; i++) {
			target_addr slot = m->gs + 8 * (3 + i), other;

			memcpy(&other, mkruntime_at(m, slot), 8);
			if (i >= wrong)
				mkruntime_set(m, other, G_SCHED_G, other);
		}
		ck_assert_int_eq(mkruntime_open(m), wrong == 2 ? CS_OK : CS_UNSUPPORTED);
		mkruntime_destroy(m);
	}
}
END_TEST

/* An exact layout is not doubted: a core may be cut before anything that could prove it. */
START_TEST(only_guesses_are_proven)
{
	target_addr g;
	struct mkruntime *m = make_process(&g);

	mkruntime_set(m, g, G_SCHED_G, 0);
	m->layout.source = LAYOUT_EXACT;
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_layout_prove(void);

Suite *suite_layout_prove(void)
{
	Suite *suite = suite_create("layout_prove");
	TCase *tc = tcase_create("layout_prove");

	tcase_add_test(tc, what_fits_is_told_from_what_does_not);
	tcase_add_test(tc, a_few_may_disagree);
	tcase_add_test(tc, only_guesses_are_proven);
	suite_add_tcase(suite, tc);
	return suite;
}
