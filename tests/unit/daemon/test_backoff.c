#include "daemon/backoff.h"

#include <check.h>
#include <stddef.h>

START_TEST(ceiling_doubles_up_to_an_hour)
{
	static const struct {
		uint64_t base;
		uint32_t attempts;
		uint64_t ceiling;
	} rows[] = {
		{NS_PER_SECOND, 1, NS_PER_SECOND},
		{NS_PER_SECOND, 2, 2 * NS_PER_SECOND},
		{NS_PER_SECOND, 5, 16 * NS_PER_SECOND},
		{NS_PER_SECOND, 12, 2048 * NS_PER_SECOND},
		{NS_PER_SECOND, 13, BACKOFF_MAX_NS},
		{NS_PER_SECOND, UINT32_MAX, BACKOFF_MAX_NS},
		{2 * BACKOFF_MAX_NS, 1, BACKOFF_MAX_NS},
		{1, 64, BACKOFF_MAX_NS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ceiling = rows[i].ceiling;

		// The random number is taken modulo ceiling + 1: both ends are reached, nothing
		// above.
		ck_assert_uint_eq(backoff_delay_ns(rows[i].base, rows[i].attempts, 0), 0);
		ck_assert_uint_eq(
			backoff_delay_ns(rows[i].base, rows[i].attempts, ceiling), ceiling);
		ck_assert_uint_eq(backoff_delay_ns(rows[i].base, rows[i].attempts, ceiling + 1), 0);
		ck_assert_uint_le(
			backoff_delay_ns(rows[i].base, rows[i].attempts, UINT64_MAX), ceiling);
	}
}
END_TEST

START_TEST(retry_after_is_at_most_a_day)
{
	ck_assert_uint_eq(backoff_retry_after_ns(-5), 0);
	ck_assert_uint_eq(backoff_retry_after_ns(0), 0);
	ck_assert_uint_eq(backoff_retry_after_ns(7), 7 * NS_PER_SECOND);
	ck_assert_uint_eq(backoff_retry_after_ns(INT64_MAX), 86400 * NS_PER_SECOND);
}
END_TEST

START_TEST(clocks_and_random_numbers_go_on)
{
	uint64_t boot = clock_boot_ns(), wall = clock_wall_ns();

	ck_assert_uint_ge(clock_boot_ns(), boot);
	ck_assert_uint_gt(wall, 1700000000 * NS_PER_SECOND);
	ck_assert_uint_ne(random_u64(), random_u64());
}
END_TEST

Suite *suite_daemon_backoff(void);

Suite *suite_daemon_backoff(void)
{
	Suite *suite = suite_create("daemon_backoff");
	TCase *tc = tcase_create("daemon_backoff");

	tcase_add_test(tc, ceiling_doubles_up_to_an_hour);
	tcase_add_test(tc, retry_after_is_at_most_a_day);
	tcase_add_test(tc, clocks_and_random_numbers_go_on);
	suite_add_tcase(suite, tc);
	return suite;
}
