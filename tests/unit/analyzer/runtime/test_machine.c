#include "analyzer/runtime/machine.h"

#include "tests/lib/mkruntime.h"

#include <check.h>

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
		{0x10000, false, true}, {0x17ff8, false, true}, {0x24000, false, true},
		{0x18000, false, false}, {0xfff8, false, false}, {0x28000, false, false},
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
		ck_assert_msg((found && found->address == machine) == rows[i].is_found, "row %zu", i);
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
	TCase *tcase = tcase_create("machine");

	tcase_add_test(tcase, a_starting_thread_is_known_by_its_stack);
	suite_add_tcase(suite, tcase);
	return suite;
}
