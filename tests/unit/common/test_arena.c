#include "common/arena.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

START_TEST(memory_is_zeroed_and_aligned)
{
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
		unsigned char *bytes = arena_alloc(&arena, size);

		ck_assert_ptr_nonnull(bytes);
		ck_assert_uint_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
		ck_assert_uint_eq(bytes[0], 0);
		ck_assert_int_eq(memcmp(bytes, bytes + 1, size - 1), 0);
		bytes[0] = bytes[size - 1] = 0xff;
	}
	arena_deinit(&arena);
}
END_TEST

START_TEST(limit_is_kept)
{
	struct arena arena;

	arena_init(&arena, 8192);
	ck_assert_ptr_nonnull(arena_alloc(&arena, 4000));
	ck_assert_ptr_null(arena_alloc(&arena, 10000));
	ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 2, 4));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	arena_deinit(&arena);
}
END_TEST

START_TEST(grow_keeps_the_elements)
{
	struct arena arena;
	size_t capacity = 0;
	int *numbers = NULL;

	arena_init(&arena, 0);
	for (size_t i = 0; i < 1000; i++) {
		numbers = arena_grow(&arena, numbers, &capacity, i + 1, sizeof(*numbers));
		ck_assert_ptr_nonnull(numbers);
		numbers[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers[i], (int)i);
	arena_deinit(&arena);
}
END_TEST

START_TEST(text_is_copied)
{
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_str_eq(arena_string(&arena, "goroutine"), "goroutine");
	ck_assert_str_eq(arena_copy(&arena, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_format(&arena, "%d of %s", 3, "4"), "3 of 4");
	arena_deinit(&arena);
}
END_TEST

Suite *suite_arena(void);

Suite *suite_arena(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, memory_is_zeroed_and_aligned);
	tcase_add_test(tc, limit_is_kept);
	tcase_add_test(tc, grow_keeps_the_elements);
	tcase_add_test(tc, text_is_copied);
	suite_add_tcase(suite, tc);
	return suite;
}
