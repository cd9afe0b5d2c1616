// The small pieces that everything stands on: u64map, utf8, diag, cursor.
#include "common/cursor.h"
#include "common/diag.h"
#include "common/limits.h"
#include "common/u64map.h"
#include "common/utf8.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(a_map_keeps_every_key)
{
	static const uint64_t edges[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63};
	struct arena arena;
	struct u64map map;
	uint64_t value = 7;

	arena_init(&arena, 0);
	u64map_init(&map, &arena);
	ck_assert(!u64map_get(&map, 0, &value));
	ck_assert_uint_eq(value, 7);
	for (size_t i = 0; i < COUNT(edges); i++)
		ck_assert(u64map_put(&map, edges[i], i));
	for (uint64_t i = 2; i < 5000; i++)
		ck_assert(u64map_put(&map, i << 12, i));
	for (uint64_t i = 2; i < 5000; i++) {
		ck_assert(u64map_get(&map, i << 12, &value));
		ck_assert_uint_eq(value, i);
		ck_assert(!u64map_get(&map, (i << 12) + 1, &value));
	}
	ck_assert(u64map_get(&map, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 2);
	ck_assert(u64map_put(&map, UINT64_MAX, 9)); // replaces
	ck_assert(u64map_get(&map, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 9);
	ck_assert_uint_eq(map.count, COUNT(edges) + 4998);
	arena_deinit(&arena);
}
END_TEST

START_TEST(a_map_without_memory_keeps_what_it_has)
{
	struct arena arena;
	struct u64map map;
	uint64_t value, n = 0;

	arena_init(&arena, 16384);
	u64map_init(&map, &arena);
	while (u64map_put(&map, n, n))
		n++;
	ck_assert_uint_gt(n, 0);
	for (uint64_t i = 0; i < n; i++)
		ck_assert(u64map_get(&map, i, &value) && value == i);
	arena_deinit(&arena);
}
END_TEST

START_TEST(utf8_sequences)
{
	static const struct {
		const char *text;
		size_t left, length;
	} rows[] = {{"a", 1, 1}, {"\0", 1, 1}, {"\303\266", 2, 2}, {"\303\266", 1, 0},
		{"\342\202\254", 3, 3}, {"\342\202", 2, 0}, {"\360\237\230\200", 4, 4},
		{"\364\217\277\277", 4, 4}, {"\364\220\200\200", 4, 0}, {"\355\240\200", 3, 0},
		{"\300\200", 2, 0}, {"\301\277", 2, 0}, {"\340\200\200", 3, 0},
		{"\360\200\200\200", 4, 0}, {"\200", 1, 0}, {"\377", 1, 0}, {"\303a", 2, 0},
		{"\365\200\200\200", 4, 0}};

	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_msg(
			utf8_length(rows[i].text, rows[i].left) == rows[i].length, "row %zu", i);
}
END_TEST

START_TEST(findings_are_counted_by_code)
{
	static char codes[MAX_DIAGNOSTICS + 10][16];
	struct arena arena;
	struct diag diag;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	diag_add(&diag, DIAG_WARNING, "one", "first %d", 1);
	diag_add(&diag, DIAG_WARNING, "one", "second %d", 2);
	ck_assert_uint_eq(diag.count, 1);
	ck_assert_uint_eq(diag.entries[0].count, 2);
	ck_assert_str_eq(diag.entries[0].message, "first 1");
	ck_assert_ptr_null(diag.fatal);
	ck_assert_int_eq(diag_fail(&diag, CS_CORRUPT, "two", "bad %s", "news"), CS_CORRUPT);
	ck_assert_str_eq(diag.fatal, "bad news");
	ck_assert_str_eq(diag_severity_name(diag.entries[1].severity), "error");
	for (size_t i = 0; i < COUNT(codes); i++) {
		snprintf(codes[i], sizeof(codes[i]), "code-%zu", i);
		diag_add(&diag, DIAG_INFO, codes[i], "x");
	}
	ck_assert_uint_eq(diag.count, MAX_DIAGNOSTICS);
	arena_deinit(&arena);
}
END_TEST

START_TEST(a_cursor_stays_in_its_bytes)
{
	static const uint8_t bytes[] = {1, 2, 0, 4, 0, 0, 0, 'h', 'i', 0, 0x80, 0x01, 'x'};
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	ck_assert_uint_eq(cursor_u8(&c), 1);
	ck_assert_uint_eq(cursor_u16(&c), 2);
	ck_assert_uint_eq(cursor_u32(&c), 4);
	ck_assert_str_eq(cursor_string(&c), "hi");
	ck_assert_uint_eq(cursor_uleb(&c), 128);
	ck_assert_uint_eq(cursor_left(&c), 1);
	ck_assert_ptr_null(cursor_string(&c)); // no NUL
	ck_assert(c.bad);
	ck_assert_uint_eq(cursor_left(&c), 0);
	ck_assert_uint_eq(cursor_u8(&c), 0);
	c = cursor_over(bytes, sizeof(bytes));
	ck_assert_uint_eq(cursor_u64(&c), 0x6800000004000201);
	ck_assert_ptr_null(cursor_take(&c, SIZE_MAX));
	ck_assert(c.bad);
	c = cursor_over(bytes, sizeof(bytes));
	cursor_seek(&c, sizeof(bytes));
	ck_assert(!c.bad);
	cursor_seek(&c, sizeof(bytes) + 1);
	ck_assert(c.bad);
	c = cursor_over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	ck_assert_uint_eq(cursor_uleb(&c), 0);
	ck_assert(c.bad);
}
END_TEST

Suite *suite_common_small(void);

Suite *suite_common_small(void)
{
	Suite *suite = suite_create("common_small");
	TCase *tests = tcase_create("common_small");

	tcase_add_test(tests, a_map_keeps_every_key);
	tcase_add_test(tests, a_map_without_memory_keeps_what_it_has);
	tcase_add_test(tests, utf8_sequences);
	tcase_add_test(tests, findings_are_counted_by_code);
	tcase_add_test(tests, a_cursor_stays_in_its_bytes);
	suite_add_tcase(suite, tests);
	return suite;
}
