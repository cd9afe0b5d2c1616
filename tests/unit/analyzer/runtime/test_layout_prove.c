#include "analyzer/runtime/layout_prove.h"

#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

/* A process that fits: three goroutines of which one waits, two machines, two processors. */
static struct mkruntime *make_process(target_addr *g_ret)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr sched = mkruntime_variable(m, VAR_SCHED);
	target_addr sudog = mkruntime_object(m, SUDOG_G);

	for (int i = 0; i < 2; i++) {
		target_addr machine = mkruntime_m(m, 100 + (uint64_t)i);
		target_addr g0 = mkruntime_object(m, G_ID);

		mkruntime_set(m, g0, G_M, machine);
		mkruntime_set(m, machine, M_G0, g0);
		mkruntime_p(m);
	}
	mkruntime_g(m, 1, 4);
	mkruntime_g(m, 2, 0x1004); // its stack is being scanned
	*g_ret = mkruntime_g(m, 17, 4);
	mkruntime_set(m, *g_ret, G_WAITING, sudog);
	mkruntime_set(m, sudog, SUDOG_G, *g_ret);
	mkruntime_set(m, sched, SCHED_GOIDGEN, 17);
	mkruntime_set(m, sched, SCHED_MNEXT, 2);
	mkruntime_set(m, sched, SCHED_MAX_M, 10000);
	m->layout.from = "go1.27.4";
	m->layout.version = "go1.99.1";
	m->layout.source = LAYOUT_GUESSED;
	return m;
}

/* Puts `value` where the process had something true. */
static void spoil(struct mkruntime *m, target_addr g, enum layout_id id, uint64_t value)
{
	target_addr p = mkruntime_variable(m, VAR_ALLP), object = g;

	if (id >= SCHED_GOIDGEN && id <= SCHED_PROCRESIZE_TIME)
		object = mkruntime_variable(m, VAR_SCHED);
	else if (id == P_ID || id == M_G0)
		memcpy(&object, mkruntime_at(m, id == P_ID ? p : mkruntime_variable(m, VAR_ALLM)),
			8);
	if (id == P_ID)
		memcpy(&object, mkruntime_at(m, object), 8);
	if (id == SUDOG_G)
		memcpy(&object, mkruntime_at(m, g + layout_value(&m->layout, G_WAITING)), 8);
	if (m->layout.facts[id].kind == FACT_VARIABLE)
		mkruntime_word(m, mkruntime_variable(m, id), value);
	else
		mkruntime_set(m, object, id, value);
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
