// The image on byte arrays: reads, holes, views, and who wins where ranges overlap.
#include "analyzer/core/image.h"

#include <check.h>
#include <string.h>

static struct arena arena;
static struct image *image;

static void set_up(void)
{
	arena_init(&arena, 0);
	image = image_create(ARCH_ARM64, &arena);
	ck_assert_ptr_nonnull(image);
}

static void tear_down(void)
{
	image_close(image);
	arena_deinit(&arena);
}

static void add(target_addr start, const void *bytes, size_t size)
{
	struct image_view view = {.start = start, .end = start + size, .bytes = bytes};

	ck_assert_int_eq(image_add(image, view), CS_OK);
}

static void seal(void)
{
	ck_assert_int_eq(image_seal(image), CS_OK);
}

START_TEST(empty_image_has_nothing)
{
	struct image_view view;
	uint8_t byte = 77;

	ck_assert_int_eq(image_read_u8(image, 0, &byte), CS_FAULT);
	seal();
	ck_assert_int_eq(image_read_u8(image, 0, &byte), CS_FAULT);
	ck_assert_int_eq(image_read_u8(image, UINT64_MAX, &byte), CS_FAULT);
	ck_assert_uint_eq(byte, 77);
	ck_assert(!image_find(image, 0, &view) && !image_view_at(image, 0, &view));
	ck_assert_ptr_null(image_view_bytes(image, 0, 1));
	ck_assert_int_eq(image_arch(image), ARCH_ARM64);
	ck_assert(!image_is_torn(image));
	ck_assert_uint_eq(image_notes(image)->thread_count, 0);
	image_edit_notes(image)->at_entry = 5;
	ck_assert_uint_eq(image_notes(image)->at_entry, 5);
}
END_TEST

/* Memory of the table: "abcd" at 0x1000, "efgh" right behind it, "xyz" ending the address space. */
static const struct {
	target_addr address;
	size_t size;
	const char *expected; // NULL: CS_FAULT
} reads[] = {
	{0x1000, 4, "abcd"},
	{0x1001, 2, "bc"},
	{0x1002, 4, "cdef"},
	{0x1000, 8, "abcdefgh"},
	{0x1007, 1, "h"},
	{0x1004, 0, ""},
	{0x5000, 0, ""},
	{0xfff, 1, NULL},
	{0xfff, 2, NULL},
	{0x1000, 9, NULL},
	{0x1007, 2, NULL},
	{0x1008, 1, NULL},
	{0x1000, SIZE_MAX, NULL},
	{0xfffffffffffffffc, 3, "xyz"},
	{0xfffffffffffffffe, 1, "z"},
	{0xfffffffffffffffe, 2, NULL},
	{0xfffffffffffffffc, 4, NULL},
	{0xfffffffffffffffc, SIZE_MAX, NULL},
	{0xffffffffffffffff, 1, NULL},
};

START_TEST(reads_are_whole_or_nothing)
{
	char buffer[16] = "untouched";

	add(0x1004, "efgh", 4);
	add(0xfffffffffffffffc, "xyz", 3);
	add(0x1000, "abcd", 4);
	seal();
	if (reads[_i].expected) {
		ck_assert_int_eq(
			image_read(image, reads[_i].address, buffer, reads[_i].size), CS_OK);
		ck_assert_mem_eq(buffer, reads[_i].expected, reads[_i].size);
	} else {
		ck_assert_int_eq(
			image_read(image, reads[_i].address, buffer, reads[_i].size), CS_FAULT);
		ck_assert_str_eq(buffer, "untouched");
	}
}
END_TEST

START_TEST(numbers_are_little_endian)
{
	uint32_t u32 = 1;
	uint64_t u64 = 1;
	uint8_t u8 = 1;

	add(0x10, "\x01\x02\x03\x04\x05", 5);
	add(0x15, "\x06\x07\x88", 3);
	seal();
	ck_assert_int_eq(image_read_u8(image, 0x17, &u8), CS_OK);
	ck_assert_uint_eq(u8, 0x88);
	ck_assert_int_eq(image_read_u32(image, 0x10, &u32), CS_OK);
	ck_assert_uint_eq(u32, 0x04030201);
	ck_assert_int_eq(image_read_u32(image, 0x14, &u32), CS_OK);
	ck_assert_uint_eq(u32, 0x88070605);
	ck_assert_int_eq(image_read_u64(image, 0x10, &u64), CS_OK);
	ck_assert_uint_eq(u64, 0x8807060504030201);
	ck_assert_int_eq(image_read_u64(image, 0x11, &u64), CS_FAULT);
	ck_assert_uint_eq(u64, 0x8807060504030201);
}
END_TEST

START_TEST(views_are_runs)
{
	static const uint8_t file[] = "0123456789abcdef";
	struct image_view view;

	// 0x100 and 0x108 are neighbours in the file too; 0x110 is not, 0x118 is but has other
	// flags.
	add(0x100, file, 8);
	add(0x108, file + 8, 4);
	add(0x10c, file, 4);
	ck_assert_int_eq(image_add(image, (struct image_view){.start = 0x110,
						  .end = 0x114,
						  .bytes = file + 4,
						  .is_writable = true}),
		CS_OK);
	seal();
	ck_assert(image_view_at(image, 0, &view));
	ck_assert(view.start == 0x100 && view.end == 0x10c && view.bytes == file);
	ck_assert(image_view_at(image, 1, &view));
	ck_assert(view.start == 0x10c && view.end == 0x110 && !view.is_writable);
	ck_assert(image_view_at(image, 2, &view));
	ck_assert(view.start == 0x110 && view.end == 0x114 && view.is_writable);
	ck_assert(!image_view_at(image, 3, &view));
	ck_assert(image_find(image, 0x10b, &view) && view.start == 0x100);
	ck_assert(image_find(image, 0x10c, &view) && view.start == 0x10c);
	ck_assert(!image_find(image, 0x114, &view));
	ck_assert_ptr_eq(image_view_bytes(image, 0x104, 8), file + 4);
	ck_assert_ptr_null(image_view_bytes(image, 0x104, 9));
	ck_assert_ptr_null(image_view_bytes(image, 0xff, 1));
	ck_assert_ptr_null(image_view_bytes(image, 0x104, SIZE_MAX));
}
END_TEST

START_TEST(bad_views_are_refused)
{
	const uint8_t byte = 0;

	ck_assert_int_eq(
		image_add(image, (struct image_view){.start = 2, .end = 1, .bytes = &byte}),
		CS_CORRUPT);
	ck_assert_int_eq(image_add(image, (struct image_view){.start = 1, .end = 2}), CS_CORRUPT);
	ck_assert_int_eq(image_add(image, (struct image_view){.start = 1, .end = 1}), CS_OK);
	seal();
	ck_assert(!image_view_at(image, 0, &(struct image_view){0}));
}
END_TEST

/* Up to three ranges in this order, and what [0, 12) reads as; '.' is absent. */
static const struct {
	struct {
		target_addr start;
		const char *bytes;
	} ranges[4];
	const char *expected;
} overlaps[] = {
	{{{2, "aaaa"}, {2, "bbbb"}}, "..aaaa......"},
	{{{2, "aaaa"}, {4, "bbbb"}}, "..aaaabb...."},
	{{{4, "aaaa"}, {2, "bbbb"}}, "..bbaaaa...."},
	{{{4, "aa"}, {2, "bbbbbb"}}, "..bbaabb...."},
	{{{2, "aaaaaa"}, {4, "bb"}}, "..aaaaaa...."},
	{{{2, "aa"}, {6, "bb"}, {0, "cccccccccc"}}, "ccaaccbbcc.."},
	{{{2, "aa"}, {0, "bbbbbb"}, {1, "cccccccccc"}}, "bbaabbccccc."},
	{{{8, "a"}, {6, "bb"}, {7, "ccc"}}, "......bbac.."},
	{{{0, "a"}, {0, "bb"}, {0, "ccc"}, {0, "dddd"}}, "abcd........"},
	{{{0, "aaaa"}, {0, "bbb"}, {0, "cc"}, {0, "dddddd"}}, "aaaadd......"},
	{{{4, "a"}, {3, "bb"}, {5, "cc"}, {0, "dddddddddddd"}}, "dddbaccddddd"},
};

static void expect_text(const char *expected)
{
	for (target_addr at = 0; expected[at]; at++) {
		uint8_t byte = '.';

		ck_assert_int_eq(
			image_read_u8(image, at, &byte), expected[at] == '.' ? CS_FAULT : CS_OK);
		ck_assert_msg(byte == expected[at], "byte %d: %c", (int)at, byte);
	}
}

START_TEST(earlier_ranges_win)
{
	for (size_t i = 0; i < 4 && overlaps[_i].ranges[i].bytes; i++)
		add(overlaps[_i].ranges[i].start, overlaps[_i].ranges[i].bytes,
			strlen(overlaps[_i].ranges[i].bytes));
	seal();
	expect_text(overlaps[_i].expected);
	seal();
	expect_text(overlaps[_i].expected);
}
END_TEST

START_TEST(earlier_ranges_win_over_seals)
{
	for (size_t i = 0; i < 4 && overlaps[_i].ranges[i].bytes; i++) {
		add(overlaps[_i].ranges[i].start, overlaps[_i].ranges[i].bytes,
			strlen(overlaps[_i].ranges[i].bytes));
		seal();
	}
	expect_text(overlaps[_i].expected);
}
END_TEST

START_TEST(added_ranges_wait_for_the_seal)
{
	add(8, "old", 3);
	seal();
	add(0, "newnewnewnew", 12);
	expect_text("........old.");
	seal();
	expect_text("newnewneoldw");
}
END_TEST

#define ROOM 4096

/* Many random ranges against a plain array that is painted from the last range to the first. */
START_TEST(random_overlaps_agree_with_a_painted_array)
{
	static uint8_t bytes[ROOM], painted[ROOM];
	static bool is_present[ROOM];
	struct {
		uint32_t start, size;
	} ranges[64];
	uint32_t state = 12345 + (uint32_t)_i;
	struct image_view view;
	target_addr end = 0;

	for (size_t i = 0; i < ROOM; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	memset(is_present, 0, sizeof(is_present));
	for (size_t i = 0; i < 64; i++) {
		state = state * 1103515245 + 12345;
		ranges[i].start = (state >> 8) % ROOM;
		state = state * 1103515245 + 12345;
		ranges[i].size = (state >> 8) % (ROOM - ranges[i].start) / (1 + state % 8);
		// Bytes of another place, so that the winner shows.
		add(ranges[i].start, bytes + (ranges[i].start + i * 31) % (ROOM - ranges[i].size),
			ranges[i].size);
	}
	seal();
	for (size_t i = 64; i-- > 0;) {
		memcpy(painted + ranges[i].start,
			bytes + (ranges[i].start + i * 31) % (ROOM - ranges[i].size),
			ranges[i].size);
		memset(is_present + ranges[i].start, 1, ranges[i].size);
	}
	for (target_addr at = 0; at < ROOM; at++) {
		uint8_t byte = 0;

		ck_assert_int_eq(
			image_read_u8(image, at, &byte), is_present[at] ? CS_OK : CS_FAULT);
		ck_assert(!is_present[at] || byte == painted[at]);
	}
	for (size_t i = 0; image_view_at(image, i, &view); i++) {
		ck_assert(view.start < view.end && view.start >= end);
		end = view.end;
	}
}
END_TEST

START_TEST(out_of_memory_is_a_status)
{
	struct arena small;
	struct image *starved;
	enum cs_status status = CS_OK;

	arena_init(&small, 8192);
	starved = image_create(ARCH_AMD64, &small);
	ck_assert_ptr_nonnull(starved);
	for (target_addr at = 0; at < 10000 && !status; at++)
		status = image_add(
			starved, (struct image_view){
					 .start = at, .end = at + 1, .bytes = (const uint8_t *)""});
	ck_assert_int_eq(status, CS_NO_MEMORY);
	ck_assert_int_eq(image_seal(starved), CS_OK);
	image_close(starved);
	arena_deinit(&small);
	image_close(NULL);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_image(void);

Suite *suite_image(void)
{
	Suite *suite = suite_create("image");
	TCase *tc = tcase_create("image");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, empty_image_has_nothing);
	tcase_add_loop_test(tc, reads_are_whole_or_nothing, 0, COUNT(reads));
	tcase_add_test(tc, numbers_are_little_endian);
	tcase_add_test(tc, views_are_runs);
	tcase_add_test(tc, bad_views_are_refused);
	tcase_add_loop_test(tc, earlier_ranges_win, 0, COUNT(overlaps));
	tcase_add_loop_test(tc, earlier_ranges_win_over_seals, 0, COUNT(overlaps));
	tcase_add_test(tc, added_ranges_wait_for_the_seal);
	tcase_add_loop_test(tc, random_overlaps_agree_with_a_painted_array, 0, 20);
	tcase_add_test(tc, out_of_memory_is_a_status);
	suite_add_tcase(suite, tc);
	return suite;
}
