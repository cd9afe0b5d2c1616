// Variables as lines of text: each form of a value once, cuts, and secrets.
#include "analyzer/emit/value_text.h"
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

struct output {
	size_t used;
	char text[4096];
};

static bool take(void *context, const char *bytes, size_t size)
{
	struct output *output = context;

	ck_assert_uint_lt(output->used + size, sizeof(output->text));
	memcpy(output->text + output->used, bytes, size);
	output->used += size;
	output->text[output->used] = 0;
	return true;
}

/** Prints one of two variables, at most `max` bytes of it. */
static void print(struct values *v, const char *name, struct value *value, size_t max,
	struct output *output)
{
	struct analysis analysis = {.arena = &v->m->arena};
	struct value_text_style style = {"  ", max, 10};
	struct variable variables[] = {{.frame = 1, .name = "other", .value = value},
		{.frame = 2, .name = name, .value = value}};
	struct printer *printer = printer_create(take, output);
	struct value_text text;

	ck_assert_ptr_nonnull(printer);
	ck_assert_int_eq(value_text_init(&text, &analysis, printer), CS_OK);
	text.variables = variables;
	text.variable_count = 2;
	value_text_print(&text, 2, "main.f", &style);
	ck_assert_int_eq(printer_finish(printer), CS_OK);
	value_text_deinit(&text);
	printer_destroy(printer);
}

static const char *printed(struct values *v, const char *name, struct value *value)
{
	struct output *output = arena_alloc(&v->scratch, sizeof(*output));

	ck_assert_ptr_nonnull(output);
	print(v, name, value, 100, output);
	return output->text;
}

static void expect(
	struct values *v, const char *name, struct value *value, size_t max, const char *line)
{
	struct output output = {0};

	print(v, name, value, max, &output);
	ck_assert_str_eq(output.text, line);
}

START_TEST(each_kind_on_a_line)
{
	struct values *v = values_create();
	target_addr slice = mktypes_of(v->m, "[]int", GO_SLICE, v->t_int);
	target_addr bytes = mktypes_of(v->m, "[]uint8", GO_SLICE, v->t_uint8);
	target_addr state = mkruntime_type(v->m, "main.State", GO_INT, 8);
	struct mktypes_field fields[] = {{"a", v->t_int, 0, false}, {"s", v->t_string, 8, false},
		{NULL, 0, 0, false}};
	target_addr record = mktypes_struct(v->m, "main.T", 24, fields);
	target_addr pointer = mktypes_of(v->m, "&main.T", GO_POINTER, record);
	target_addr at = mkruntime_alloc(v->m, 64), data = mkruntime_alloc(v->m, 64);
	struct value *value;

	mktypes_define(v->m, state, 48, "main", NULL);
	mkruntime_word(v->m, at, 7);
	mkruntime_string(v->m, at + 8, "a\nb");
	mkruntime_slice(v->m, at + 24, at, 2);
	mkruntime_word(v->m, data, at);
	mkruntime_word(v->m, data + 8, pointer);
	mkruntime_word(v->m, data + 16, at);
	values_open(v, 100);
	expect(v, "x", values_read(v, v->t_int, at), 100, "  x = 7\n");
	expect(v, "x", values_read(v, state, at), 100, "  x = main.State(7)\n");
	expect(v, "x", values_read(v, v->t_string, at + 8), 100, "  x = \"a\\nb\"\n");
	value = values_read(v, record, at);
	expect(v, "x", value, 100, "  x = main.T{a: 7, s: \"a\\nb\"}\n");
	expect(v, "x", value, 9, "  x = main.T{a:…\n");
	value_reader_begin(&v->reader, &v->scratch, 100);
	expect(v, "x", values_read(v, pointer, data), 100, "  x = &main.T{a: 7, s: \"a\\nb\"}\n");
	ck_assert_ptr_nonnull(
		strstr(printed(v, "x", values_read(v, pointer, data)), "main.T)(0x"));
	value_reader_begin(&v->reader, &v->scratch, 100);
	expect(v, "x", values_read(v, v->t_any, data + 8), 100,
		"  x = &main.T{a: 7, s: \"a\\nb\"}\n");
	expect(v, "x", values_read(v, pointer, at + 56), 100, "  x = nil\n");
	v->limits.max_elements = 1;
	expect(v, "x", values_read(v, slice, at + 24), 100, "  x = []int{7, … 2 in all}\n");
	mkruntime_slice(v->m, at + 24, at, 3);
	expect(v, "x", values_read(v, bytes, at + 24), 100, "  x = []uint8(\"\\a\\x00\\x00\")\n");
	value = values_read(v, v->t_int, at);
	value->unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	expect(v, "x", value, 100, "  x = <optimized out>\n");
	values_destroy(v);
}
END_TEST

START_TEST(secrets_are_hidden)
{
	struct values *v = values_create();
	struct mktypes_field fields[] = {
		{"token", v->t_string, 0, false}, {"n", v->t_int, 16, false}, {NULL, 0, 0, false}};
	target_addr record = mktypes_struct(v->m, "main.T", 24, fields);
	target_addr at = mkruntime_alloc(v->m, 32);
	struct value *value;

	mkruntime_string(v->m, at, "hunter2hunter2");
	mkruntime_word(v->m, at + 16, 3);
	values_open(v, 100);
	expect(v, "password", values_read(v, v->t_string, at), 100,
		"  password = string(<redacted>)\n");
	expect(v, "x", values_read(v, v->t_string, at), 100, "  x = \"hunter2hunter2\"\n");
	value = values_read(v, record, at);
	expect(v, "x", value, 100, "  x = main.T{token: string(<redacted>), n: 3}\n");
	values_destroy(v);
}
END_TEST

Suite *suite_value_text(void);

Suite *suite_value_text(void)
{
	Suite *suite = suite_create("value_text");
	TCase *tc = tcase_create("value_text");

	tcase_add_test(tc, each_kind_on_a_line);
	tcase_add_test(tc, secrets_are_hidden);
	suite_add_tcase(suite, tc);
	return suite;
}
