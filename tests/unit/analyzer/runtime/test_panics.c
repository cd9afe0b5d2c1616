#include "analyzer/runtime/panics.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t zeros[16];

/** A panic with a value of type `name`, whose bytes are `value`. */
static target_addr add_panic(struct mkruntime *m, const char *name, uint64_t kind, uint64_t size,
	const void *value, size_t value_size)
{
	target_addr panic = mkruntime_object(m, PANIC_ARG);
	target_addr arg = panic + layout_value(&m->layout, PANIC_ARG);
	target_addr data = mkruntime_alloc(m, value_size + 8);

	memcpy(mkruntime_at(m, data), value, value_size);
	mkruntime_word(m, arg, mkruntime_type(m, name, kind, size));
	mkruntime_word(m, arg + 8, data);
	return panic;
}

static void expect_text(unsigned int release, const char *name, uint64_t kind, uint64_t size,
	const void *value, size_t value_size, const char *text)
{
	struct mkruntime *m = mkruntime_create(release);
	target_addr panic = add_panic(m, name, kind, size, value, value_size);
	struct panics panics;

	mkruntime_open(m);
	panics = panics_load(m->rt, m->types, panic);
	ck_assert_uint_eq(panics.count, 1);
	if (text) {
		ck_assert_str_eq(panics.list[0].text, text);
		ck_assert_uint_eq(panics.list[0].text_size, strlen(text));
	} else {
		ck_assert_ptr_null(panics.list[0].text);
	}
	mkruntime_destroy(m);
}

START_TEST(numbers_are_printed_as_the_runtime_prints_them)
{
	static const struct {
		const char *name;
		uint64_t kind, size, value;
		const char *text; // NULL: not a value of that type
	} rows[] = {
		{"bool", GO_BOOL, 1, 1, "true"},
		{"bool", GO_BOOL, 1, 0, "false"},
		{"main.Flag", GO_BOOL, 1, 1, "main.Flag(true)"},
		{"int", GO_INT, 8, 42, "42"},
		{"int", GO_INT, 8, UINT64_MAX, "-1"},
		{"int", GO_INT, 8, UINT64_C(1) << 63, "-9223372036854775808"},
		{"int8", GO_INT8, 1, 0x80, "-128"},
		{"int16", GO_INT16, 2, 0xffff, "-1"},
		{"int32", GO_INT32, 4, 0x80000000, "-2147483648"},
		{"int64", GO_INT64, 8, 7, "7"},
		{"uint", GO_UINT, 8, UINT64_MAX, "18446744073709551615"},
		{"uint8", GO_UINT8, 1, 0xff, "255"},
		{"uint16", GO_UINT16, 2, 0xffff, "65535"},
		{"uint32", GO_UINT32, 4, 0xffffffff, "4294967295"},
		{"uint64", GO_UINT64, 8, 9, "9"},
		{"uintptr", GO_UINTPTR, 8, 0x10, "16"},
		{"main.Code", GO_INT32, 4, 3, "main.Code(3)"},
		{"time.Duration", GO_INT64, 8, 1000, "time.Duration(1000)"},
		// Descriptors that contradict their own kind.
		{"bool", GO_BOOL, 0, 1, NULL},
		{"int", GO_INT, 0, 1, NULL},
		{"int", GO_INT, 16, 1, NULL},
		{"float64", GO_FLOAT64, 1, 1, NULL},
		{"complex128", GO_COMPLEX128, 8, 1, NULL},
		{"what", GO_INVALID, 8, 1, NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_text(0, rows[i].name, rows[i].kind, rows[i].size, &rows[i].value, 8,
			rows[i].text);
}
END_TEST

/* Measured: panic(v) under go1.26.8 and go1.27.3, and under go1.24.9. */
START_TEST(floats_have_the_form_of_their_release)
{
	static const struct {
		double value;
		const char *shortest, *single, *fixed;
	} rows[] = {
		{0, "0", "0", "+0.000000e+000"},
		{-0.0, "-0", "-0", "-0.000000e+000"},
		{1, "1", "1", "+1.000000e+000"},
		{1.5, "1.5", "1.5", "+1.500000e+000"},
		{-2.25, "-2.25", "-2.25", "-2.250000e+000"},
		{100, "100", "100", "+1.000000e+002"},
		{123456, "123456", "123456", "+1.234560e+005"},
		{1e6, "1e+06", "1e+06", "+1.000000e+006"},
		{1234567, "1.234567e+06", "1.234567e+06", "+1.234567e+006"},
		{123456789, "1.23456789e+08", "1.2345679e+08", "+1.234568e+008"},
		{1e20, "1e+20", "1e+20", "+1.000000e+020"},
		{7.378697629483821e19, "7.378697629483821e+19", "7.378698e+19", "+7.378698e+019"},
		{1e-4, "0.0001", "0.0001", "+1.000000e-004"},
		{1e-5, "1e-05", "1e-05", "+1.000000e-005"},
		{0.00012345, "0.00012345", "0.00012345", "+1.234500e-004"},
		{3.141592653589793, "3.141592653589793", "3.1415927", "+3.141593e+000"},
		{1e100, "1e+100", "+Inf", "+1.000000e+100"},
		{1e-300, "1e-300", "0", "+1.000000e-300"},
		{5e-324, "5e-324", "0", "+4.940656e-324"},
		{-HUGE_VAL, "-Inf", "-Inf", "-Inf"},
		{HUGE_VAL, "+Inf", "+Inf", "+Inf"},
		{NAN, "NaN", "NaN", "NaN"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		float single = (float)rows[i].value;

		expect_text(0, "float64", GO_FLOAT64, 8, &rows[i].value, 8, rows[i].shortest);
		expect_text(0, "float32", GO_FLOAT32, 4, &single, 4, rows[i].single);
		expect_text(MKRUNTIME_OLD_FLOATS, "float64", GO_FLOAT64, 8, &rows[i].value, 8,
			rows[i].fixed);
	}
}
END_TEST

START_TEST(complex_numbers)
{
	static const double both[] = {1.5, -2};
	static const float single[] = {1, 2};

	expect_text(0, "complex128", GO_COMPLEX128, 16, both, 16, "(1.5-2i)");
	expect_text(0, "complex64", GO_COMPLEX64, 8, single, 8, "(1+2i)");
	expect_text(0, "main.C", GO_COMPLEX128, 16, both, 16, "main.C(1.5-2i)");
	expect_text(MKRUNTIME_OLD_FLOATS, "complex64", GO_COMPLEX64, 8, single, 8,
		"(+1.000000e+000+2.000000e+000i)");
}
END_TEST

START_TEST(strings_pointers_and_nil)
{
	static const struct {
		unsigned int release;
		const char *name, *value, *text;
	} rows[] = {
		{0, "string", "boom", "boom"},
		{0, "string", "", ""},
		{0, "string", "a\nb\n", "a\n\tb\n\t"},
		{MKRUNTIME_NO_INDENT, "string", "a\nb", "a\nb"},
		{0, "main.S", "x", "main.S(\"x\")"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(rows[i].release);
		target_addr panic = add_panic(m, rows[i].name, GO_STRING, 16, zeros, 16);
		target_addr arg = panic + layout_value(&m->layout, PANIC_ARG);
		target_addr data = mkruntime_alloc(m, 16);
		struct panics panics;

		mkruntime_string(m, data, rows[i].value);
		mkruntime_word(m, arg + 8, data);
		mkruntime_open(m);
		panics = panics_load(m->rt, m->types, panic);
		ck_assert_uint_eq(panics.count, 1);
		ck_assert_str_eq(panics.list[0].text, rows[i].text);
		mkruntime_word(m, arg, 0);
		panics = panics_load(m->rt, m->types, panic);
		ck_assert(panics.list[0].is_nil);
		ck_assert_str_eq(panics.list[0].text, "nil");
		mkruntime_word(m, arg, 0x1234); // not a type
		panics = panics_load(m->rt, m->types, panic);
		ck_assert_uint_eq(panics.count, 1);
		ck_assert_ptr_null(panics.list[0].text);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(a_pointer_shows_its_type_and_address)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr panic = add_panic(m, "*main.T", GO_POINTER, 8, zeros, 8);
	struct panics panics;

	mkruntime_word(m, panic + layout_value(&m->layout, PANIC_ARG) + 8, 0xc000123456);
	mkruntime_open(m);
	panics = panics_load(m->rt, m->types, panic);
	ck_assert_str_eq(panics.list[0].type->name, "main.T"); // the star is an extra one
	ck_assert_str_eq(panics.list[0].text, "(main.T) 0xc000123456");
	mkruntime_destroy(m);
}
END_TEST

START_TEST(chains_are_oldest_first_and_end)
{
	static const uint64_t one = 1, two = 2;
	struct mkruntime *m = mkruntime_create(0);
	target_addr old = add_panic(m, "int", GO_INT, 8, &one, 8);
	target_addr new = add_panic(m, "int", GO_INT, 8, &two, 8);
	struct panics panics;

	mkruntime_set(m, new, PANIC_LINK, old);
	mkruntime_set(m, old, PANIC_RECOVERED, 1);
	mkruntime_set(m, old, PANIC_REPANICKED, 1);
	mkruntime_set(m, new, PANIC_GOEXIT, 1);
	mkruntime_open(m);
	panics = panics_load(m->rt, m->types, new);
	ck_assert_uint_eq(panics.count, 2);
	ck_assert_str_eq(panics.list[0].text, "1");
	ck_assert(panics.list[0].is_recovered && panics.list[0].is_repanicked);
	ck_assert(!panics.list[0].is_goexit && panics.list[1].is_goexit);
	ck_assert_uint_eq(panics_load(m->rt, m->types, 0).count, 0);
	mkruntime_set(m, old, PANIC_LINK, 0x10); // broken: what came before it stands
	ck_assert_uint_eq(panics_load(m->rt, m->types, new).count, 2);
	mkruntime_set(m, old, PANIC_LINK, new); // a ring
	ck_assert_uint_eq(panics_load(m->rt, m->types, new).count, 2);
	mkruntime_set(m, new, PANIC_LINK, new);
	ck_assert_uint_eq(panics_load(m->rt, m->types, new).count, 1);
	mkruntime_destroy(m);
}
END_TEST

static void expect_fatal(const char *ring, size_t at, const char *message)
{
	struct mkruntime *m = mkruntime_create(0);
	uint8_t *bytes = mkruntime_at(m, mkruntime_variable(m, VAR_PRINT_BACKLOG));

	for (size_t i = 0; ring[i]; i++)
		bytes[(at + i) % 512] = (uint8_t)ring[i];
	mkruntime_set(m, 0, VAR_PRINT_BACKLOG_INDEX, (at + strlen(ring)) % 512);
	mkruntime_open(m);
	if (message)
		ck_assert_str_eq(panics_fatal_error(m->rt), message);
	else
		ck_assert_ptr_null(panics_fatal_error(m->rt));
	mkruntime_destroy(m);
}

START_TEST(the_last_fatal_error_is_found_in_the_ring)
{
	expect_fatal("fatal error: all goroutines are asleep - deadlock!\n", 0,
		"all goroutines are asleep - deadlock!");
	expect_fatal("noise\nfatal error: one\nfatal error: two\n\ngoroutine", 500, "two");
	expect_fatal("fatal error: a\n\tb\nrest", 3, "a\n\tb");
	expect_fatal("nothing of the kind", 0, NULL);
	expect_fatal("fatal error: ", 0, "");
}
END_TEST

START_TEST(a_broken_ring_has_no_message)
{
	struct mkruntime *m = mkruntime_create(0);

	mkruntime_set(m, 0, VAR_PRINT_BACKLOG_INDEX, 513);
	mkruntime_open(m);
	ck_assert_ptr_null(panics_fatal_error(m->rt));
	mkruntime_set(m, 0, VAR_PRINT_BACKLOG_INDEX, UINT64_MAX);
	ck_assert_ptr_null(panics_fatal_error(m->rt));
	m->rt->layout.facts[VAR_PRINT_BACKLOG].size = UINT64_MAX;
	ck_assert_ptr_null(panics_fatal_error(m->rt));
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_panics(void);

Suite *suite_panics(void)
{
	Suite *suite = suite_create("panics");
	TCase *tests = tcase_create("panics");

	tcase_add_test(tests, numbers_are_printed_as_the_runtime_prints_them);
	tcase_add_test(tests, floats_have_the_form_of_their_release);
	tcase_add_test(tests, complex_numbers);
	tcase_add_test(tests, strings_pointers_and_nil);
	tcase_add_test(tests, a_pointer_shows_its_type_and_address);
	tcase_add_test(tests, chains_are_oldest_first_and_end);
	tcase_add_test(tests, the_last_fatal_error_is_found_in_the_ring);
	tcase_add_test(tests, a_broken_ring_has_no_message);
	suite_add_tcase(suite, tests);
	return suite;
}
