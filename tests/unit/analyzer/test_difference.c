// Two small snapshots, written here as text, and what must come out of comparing them.
#include "analyzer/difference.h"

#include <check.h>
#include <string.h>

#define HEAD(pid)                                                                                  \
	"{\"schema\":\"coresnap.snapshot/1\",\"process\":{\"pid\":" pid "},"                       \
	"\"host\":{\"hostname\":\"h\"},\"binary\":{\"go_build_id\":\"id\","                        \
	"\"main\":{\"path\":\"example.com/app\"}},\"frames\":[{\"key\":\"a\"},"                    \
	"{\"key\":\"b\"},{\"function\":\"c\"}],\"stacks\":[[0,1],[1,2],[0,1]],"

static const char *const first =
	HEAD("7") "\"groups\":[{\"stack\":0,\"status\":\"waiting\",\"wait_reason\":\"select\","
		  "\"count\":5,\"wait_max_ns\":10,\"examples\":[3]},"
		  "{\"stack\":1,\"status\":\"running\",\"count\":1,\"examples\":[1]}],"
		  "\"gc\":{\"cycles\":2,\"share\":0.5,\"last_unix_ns\":1,\"phase\":\"off\"},"
		  "\"memory\":{\"by_type\":[{\"type\":\"T\",\"objects\":4}]},"
		  "\"channels\":[{\"address\":\"0x1\",\"element_type\":\"int\",\"length\":1}]}";
// The same groups by other rows: the first is two, of stacks that are equal.
static const char *const same =
	HEAD("7") "\"groups\":[{\"stack\":2,\"status\":\"waiting\",\"wait_reason\":\"select\","
		  "\"count\":3,\"wait_max_ns\":12,\"examples\":[3]},"
		  "{\"stack\":0,\"status\":\"waiting\",\"wait_reason\":\"select\",\"count\":2},"
		  "{\"stack\":1,\"status\":\"running\",\"count\":1,\"examples\":[1]}],"
		  "\"gc\":{\"cycles\":2,\"share\":0.5,\"last_unix_ns\":9,\"phase\":\"off\"},"
		  "\"memory\":{\"by_type\":[{\"type\":\"T\",\"objects\":4}]},"
		  "\"channels\":[{\"address\":\"0x1\",\"element_type\":\"int\",\"length\":1}]}";
static const char *const other =
	HEAD("8") "\"groups\":[{\"stack\":0,\"status\":\"waiting\",\"wait_reason\":\"select\","
		  "\"count\":50},{\"stack\":1,\"status\":\"runnable\",\"count\":2}],"
		  "\"gc\":{\"cycles\":3,\"share\":0.25},"
		  "\"memory\":{\"by_type\":[{\"type\":\"T\",\"objects\":9}]},"
		  "\"channels\":[{\"address\":\"0x2\",\"element_type\":\"int\",\"length\":3}]}";

static enum cs_status compare(
	struct arena *arena, const char *a, const char *b, struct difference *ret)
{
	struct json_reader readers[SIDES];

	ck_assert_int_eq(jsonr_open(&readers[SIDE_A], arena, a, strlen(a)), CS_OK);
	ck_assert_int_eq(jsonr_open(&readers[SIDE_B], arena, b, strlen(b)), CS_OK);
	difference_open(ret, arena, readers);
	return difference_find(ret, arena, readers);
}

START_TEST(equal_ones_do_not_differ)
{
	struct difference d;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(compare(&arena, first, same, &d), CS_OK);
	ck_assert(!difference_is_any(&d));
	ck_assert(difference_is_one_program(&d));
	ck_assert(d.is_same_process);
	arena_deinit(&arena);
}
END_TEST

static const struct difference_row *find(const struct difference_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->rows[i].name, name))
			return &table->rows[i];
	ck_abort_msg("no row %s", name);
}

START_TEST(what_differs_is_found)
{
	struct difference d;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(compare(&arena, first, other, &d), CS_OK);
	ck_assert(!d.is_same_process);
	ck_assert(d.is_same_build);
	ck_assert_uint_eq(d.groups.count, 3);
	ck_assert_str_eq(d.groups.rows[0].reason, "select");
	ck_assert_double_eq(difference_delta(&d.groups.rows[0]), 45);
	ck_assert_int_eq(d.groups.rows[0].wait_max[SIDE_A], 10);
	ck_assert_int_eq(d.groups.rows[0].wait_max[SIDE_B], -1);
	ck_assert_str_eq(d.groups.rows[1].status, "runnable");
	ck_assert(!d.groups.rows[1].values[SIDE_A].is_there);
	ck_assert_str_eq(d.groups.rows[1].frames[1], "c");
	ck_assert_str_eq(d.groups.rows[2].status, "running");
	ck_assert_uint_eq(d.numbers.count, 3);
	ck_assert_double_eq(difference_delta(find(&d.numbers, "gc.cycles")), 1);
	ck_assert_double_eq(difference_delta(find(&d.numbers, "gc.share")), -0.25);
	ck_assert_double_eq(difference_delta(find(&d.numbers, "memory.by_type[T].objects")), 5);
	ck_assert_double_eq(
		difference_delta(find(&d.queues, "channels of int, capacity 0: elements")), 2);
	arena_deinit(&arena);
}
END_TEST

// What a hostile document may hold: no group, indexes past the end, sums past the last number.
START_TEST(hostile_documents_end)
{
	static const char huge[] = "{\"groups\":[{\"stack\":9,\"count\":9223372036854775807},"
				   "{\"stack\":-1,\"count\":9223372036854775807}]}";
	struct difference d;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(compare(&arena, "{}", "{\"groups\":7,\"frames\":{}}", &d), CS_OK);
	ck_assert(!difference_is_any(&d));
	ck_assert(!difference_is_one_program(&d));
	ck_assert_int_eq(compare(&arena, "{}", huge, &d), CS_CORRUPT);
	ck_assert_int_eq(compare(&arena, "{}", "{\"groups\":[3]}", &d), CS_CORRUPT);
	arena_deinit(&arena);
}
END_TEST

// Each request for memory fails once: an error, never a crash.
START_TEST(memory_may_end_anywhere)
{
	struct difference d;
	struct arena arena;
	struct json_reader readers[SIDES];
	size_t n = 0;
	enum cs_status status;

	do {
		arena_init(&arena, 0);
		ck_assert_int_eq(jsonr_open(&readers[0], &arena, first, strlen(first)), CS_OK);
		ck_assert_int_eq(jsonr_open(&readers[1], &arena, other, strlen(other)), CS_OK);
		arena.fail_in = ++n;
		difference_open(&d, &arena, readers);
		status = difference_find(&d, &arena, readers);
		ck_assert(status == CS_OK || status == CS_NO_MEMORY);
		if (arena.fail_in)
			ck_assert_int_eq(status, CS_OK);
		n = arena.fail_in ? 0 : n;
		arena_deinit(&arena);
	} while (n);
}
END_TEST

Suite *suite_difference(void);

Suite *suite_difference(void)
{
	Suite *suite = suite_create("difference");
	TCase *tests = tcase_create("difference");

	tcase_add_test(tests, equal_ones_do_not_differ);
	tcase_add_test(tests, what_differs_is_found);
	tcase_add_test(tests, hostile_documents_end);
	tcase_add_test(tests, memory_may_end_anywhere);
	suite_add_tcase(suite, tests);
	return suite;
}
