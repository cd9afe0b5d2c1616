// runtime.c, and the small readers beside it: types, process strings, signals.
#include "analyzer/runtime/runtime.h"

#include "analyzer/core/private.h"
#include "analyzer/runtime/process.h"
#include "analyzer/runtime/signals.h"
#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(strings)
{
	static const struct {
		uint64_t data, length, max; // data: offset from MKRUNTIME_DATA
		const char *text;           // NULL: unreadable
	} rows[] = {
		{16, 3, 100, "abc"},
		{16, 3, 2, "ab"},
		{16, 0, 100, ""},
		{16, UINT64_MAX, 3, "abc"},
		{UINT64_MAX - MKRUNTIME_DATA, 0, 100, ""}, // no byte is read
		{UINT64_MAX - MKRUNTIME_DATA, 2, 100, NULL},
		{MKRUNTIME_DATA_SIZE - 1, 2, 100, NULL},
	};
	struct mkruntime *m = mkruntime_create(0);
	target_addr header = mkruntime_alloc(m, 16);

	memcpy(m->memory + 16, "abc", 3);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		mkruntime_word(m, header, MKRUNTIME_DATA + rows[i].data);
		mkruntime_word(m, header + 8, rows[i].length);
		ck_assert_pstr_eq(runtime_string(m->rt, header, rows[i].max), rows[i].text);
	}
	ck_assert_ptr_null(runtime_string(m->rt, 0, 10));
	ck_assert_ptr_null(runtime_string(m->rt, 0x10, 10));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(slices)
{
	static const struct {
		uint64_t data, length, capacity;
		bool is_good;
	} rows[] = {{1, 0, 0, true}, {1, 2, 3, true}, {1, 4, 3, false},
		{1, UINT64_MAX, UINT64_MAX, true}, {1, UINT64_C(1) << 63, 0, false}};
	struct mkruntime *m = mkruntime_create(0);
	target_addr header = mkruntime_alloc(m, 32), data;
	uint64_t length;

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		mkruntime_word(m, header, rows[i].data);
		mkruntime_word(m, header + 8, rows[i].length);
		mkruntime_word(m, header + 16, rows[i].capacity);
		ck_assert_int_eq(runtime_slice(m->rt, header, &data, &length), rows[i].is_good);
		if (rows[i].is_good)
			ck_assert_uint_eq(length, rows[i].length);
	}
	ck_assert(!runtime_slice(m->rt, 0, &data, &length));
	ck_assert(!runtime_slice(m->rt, MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 16, &data, &length));
	mkruntime_destroy(m);
}
END_TEST

/* What spans two ranges is copied; a hostile size takes no memory. */
START_TEST(bytes_over_two_ranges)
{
	static const uint8_t behind[64] = "behind";
	struct mkruntime *m = mkruntime_create(0);
	target_addr end = MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE;
	const uint8_t *bytes;
	size_t before;

	m->memory[MKRUNTIME_DATA_SIZE - 1] = 'x';
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_int_eq(image_add(m->image, (struct image_view){.start = end,
						     .end = end + sizeof(behind),
						     .bytes = behind}),
		CS_OK);
	ck_assert_int_eq(image_seal(m->image), CS_OK);
	m->image->file_size = 1 << 20;
	bytes = runtime_bytes(m->rt, end - 1, 7);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(memcmp(bytes, "xbehind", 7), 0);
	before = m->arena.total;
	ck_assert_ptr_null(runtime_bytes(m->rt, end - 1, UINT64_MAX));
	ck_assert_ptr_null(runtime_bytes(m->rt, end - 1, 1u << 30));
	ck_assert_ptr_null(runtime_bytes(m->rt, 0x10, 1 << 19));
	ck_assert_uint_eq(m->arena.total, before);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(fields_have_their_own_size)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr sched = mkruntime_variable(m, VAR_SCHED);
	target_addr g = mkruntime_g(m, 1, 4);
	struct object object;
	uint64_t value = 5;

	mkruntime_set(m, sched, SCHED_STOP_WAIT, 0x12345678);
	mkruntime_word(m, g + layout_value(&m->layout, G_STATUS), UINT64_MAX);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert(runtime_read_field(m->rt, VAR_SCHED, SCHED_STOP_WAIT, &value));
	ck_assert_uint_eq(value, 0x12345678);
	object = object_load(m->rt, g, OBJECT_G);
	ck_assert_uint_eq(object_get(m->rt, object, G_STATUS), UINT32_MAX);
	ck_assert_uint_eq(object_get(m->rt, object, G_WAIT_REASON), 0);
	ck_assert_ptr_null(object_load(m->rt, 0, OBJECT_G).bytes);
	ck_assert_ptr_null(
		object_load(m->rt, MKRUNTIME_DATA + MKRUNTIME_DATA_SIZE - 8, OBJECT_G).bytes);
	m->rt->layout.facts[SCHED_STOP_WAIT].found = false;
	ck_assert(!runtime_read_field(m->rt, VAR_SCHED, SCHED_STOP_WAIT, &value));
	ck_assert_uint_eq(value, 0x12345678);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(a_layout_that_cannot_be)
{
	static const struct {
		uint64_t value, size;
	} rows[] = {{UINT64_MAX, 8}, {8, UINT64_MAX}, {UINT64_MAX - 4, 8}, {1u << 22, 8}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);

		m->layout.facts[G_ID].value = rows[i].value;
		m->layout.facts[G_ID].size = rows[i].size;
		ck_assert_int_eq(mkruntime_open(m), CS_CORRUPT);
		ck_assert_ptr_nonnull(m->diag.fatal);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(without_module_data_nothing_opens)
{
	struct mkruntime *m = mkruntime_create(0);

	m->layout.facts[VAR_FIRST_MODULE].value = 0x10;
	ck_assert_int_eq(mkruntime_open(m), CS_FAULT);
	ck_assert_ptr_nonnull(strstr(m->diag.fatal, "firstmoduledata"));
	mkruntime_destroy(m);
	m = mkruntime_create(0);
	mkruntime_set(m, mkruntime_variable(m, VAR_FIRST_MODULE), MODULE_PCHEADER, 0x10);
	ck_assert_int_ne(mkruntime_open(m), CS_OK);
	ck_assert_ptr_nonnull(m->diag.fatal);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(traceback_levels)
{
	static const struct {
		uint64_t cache;
		enum traceback_level level;
	} rows[] = {{0, TRACEBACK_NONE}, {1 << 2, TRACEBACK_SINGLE}, {1 << 2 | 2, TRACEBACK_ALL},
		{2 << 2 | 2, TRACEBACK_SYSTEM}, {2 << 2 | 3, TRACEBACK_CRASH}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);

		mkruntime_set(m, 0, VAR_TRACEBACK, rows[i].cache);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_int_eq(m->rt->traceback, rows[i].level);
		ck_assert_str_eq(m->rt->version, "go1.26.8");
		ck_assert_str_eq(m->rt->wait_reasons[2], "select");
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(process_strings)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr list = mkruntime_alloc(m, 48);
	struct string_list got;

	mkruntime_string(m, list, "one");
	mkruntime_word(m, list + 16, 0x10); // unreadable
	mkruntime_word(m, list + 24, 4);
	mkruntime_string(m, list + 32, "three");
	mkruntime_slice(m, mkruntime_variable(m, VAR_ARGS), list, 3);
	mkruntime_slice(m, mkruntime_variable(m, VAR_ENVS), list, UINT64_MAX);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert(process_arguments(m->rt, &got));
	ck_assert_uint_eq(got.count, 3);
	ck_assert_str_eq(got.list[0], "one");
	ck_assert_str_eq(got.list[1], "");
	ck_assert_str_eq(got.list[2], "three");
	ck_assert(process_environment(m->rt, &got));
	ck_assert_uint_eq(got.count, MAX_PROCESS_STRINGS);
	ck_assert_uint_eq(got.total, UINT64_MAX);
	m->rt->layout.facts[VAR_ARGS].found = false;
	ck_assert(!process_arguments(m->rt, &got));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(signals)
{
	static const struct {
		uint64_t number, code, address;
		bool is_signal, has_address;
	} rows[] = {{11, 1, 0x10, true, true}, {11, 0, 0x10, true, false}, {7, 2, 1, true, true},
		{11, 0x80, 0, true, true}, // SI_KERNEL: the kernel gives 0
		{3, 0, 9, true, false}, {64, 0, 0, true, false}, {65, 0, 0, false, false},
		{0, 0, 0, false, false}, {0xffffffff, 0, 0, false, false},
		{6, 0xfffffffa, 0, true, false}};
	struct mkruntime *m = mkruntime_create(0);
	target_addr context = mkruntime_alloc(m, 512);
	struct signal_info info;

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		mkruntime_word(m, context + 304, rows[i].number);
		mkruntime_word(m, context + 312, rows[i].code);
		mkruntime_word(m, context + 320, rows[i].address);
		ck_assert_int_eq(signal_info_load(m->rt, context, &info), rows[i].is_signal);
		if (!rows[i].is_signal)
			continue;
		ck_assert_uint_eq(info.number, rows[i].number);
		ck_assert_int_eq(info.code, (int32_t)rows[i].code);
		ck_assert_int_eq(info.has_address, rows[i].has_address);
		ck_assert_uint_eq(info.address, rows[i].has_address ? rows[i].address : 0);
	}
	ck_assert(!signal_info_load(m->rt, 0x10, &info));
	ck_assert(!signal_info_load(m->rt, UINT64_MAX - 310, &info));
	ck_assert_str_eq(signal_text(m->rt, 11), "SIGSEGV: segmentation violation");
	ck_assert_ptr_null(signal_text(m->rt, 4)); // the empty string
	ck_assert_ptr_null(signal_text(m->rt, 12));
	ck_assert_ptr_null(signal_text(m->rt, UINT32_MAX));
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_runtime(void);

Suite *suite_runtime(void)
{
	Suite *suite = suite_create("runtime");
	TCase *tests = tcase_create("runtime");

	tcase_add_test(tests, strings);
	tcase_add_test(tests, slices);
	tcase_add_test(tests, bytes_over_two_ranges);
	tcase_add_test(tests, fields_have_their_own_size);
	tcase_add_test(tests, a_layout_that_cannot_be);
	tcase_add_test(tests, without_module_data_nothing_opens);
	tcase_add_test(tests, traceback_levels);
	tcase_add_test(tests, process_strings);
	tcase_add_test(tests, signals);
	suite_add_tcase(suite, tests);
	return suite;
}
