#include "common/json/writer.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

struct text {
	char *bytes;
	size_t size;
};

static bool append(void *context, const char *bytes, size_t size)
{
	struct text *text = context;

	text->bytes = realloc(text->bytes, text->size + size + 1);
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = 0;
	return true;
}

static bool refuse(void *context, const char *bytes, size_t size)
{
	(void)context, (void)bytes, (void)size;
	return false;
}

static const struct {
	const char *bytes;
	size_t size;
	const char *json;
} strings[] = {
	{"plain", 5, "\"plain\""},
	{"", 0, "\"\""},
	{"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
	{"\n\t\r\x01\x7f", 5, "\"\\n\\t\\r\\u0001\\u007f\""},
	{"gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\""},
	{"\xff", 1, "\"\\\\xff\""},
	{"\xc3", 1, "\"\\\\xc3\""},                       // cut sequence
	{"\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\""}, // a surrogate
	{"\xc0\x80", 2, "\"\\\\xc0\\\\x80\""},            // overlong
	{"\xf0\x9f\x90\xb9", 4, "\"\xf0\x9f\x90\xb9\""},
	{"a\0b", 3, "\"a\\u0000b\""},
};

START_TEST(strings_are_escaped)
{
	struct text text = {0};
	struct json_writer w;

	ck_assert_int_eq(jsonw_init(&w, append, &text), CS_OK);
	jsonw_string_sized(&w, strings[_i].bytes, strings[_i].size);
	ck_assert_int_eq(jsonw_finish(&w), CS_OK);
	ck_assert_str_eq(text.bytes, strings[_i].json);
	jsonw_deinit(&w);
	free(text.bytes);
}
END_TEST

START_TEST(a_document_reads_back)
{
	struct text text = {0};
	struct json_writer w;
	json_t *root;

	ck_assert_int_eq(jsonw_init(&w, append, &text), CS_OK);
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "name", "x");
	jsonw_member_u64(&w, "large", INT64_MAX);
	jsonw_member_i64(&w, "small", INT64_MIN);
	jsonw_member_address(&w, "address", 0xc000012345);
	jsonw_member_null(&w, "nothing");
	jsonw_key(&w, "rows");
	jsonw_begin_array(&w);
	for (int i = 0; i < 20000; i++) {
		jsonw_newline(&w);
		jsonw_begin_object(&w);
		jsonw_member_bool(&w, "even", i % 2 == 0);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	ck_assert_int_eq(jsonw_finish(&w), CS_OK);
	jsonw_deinit(&w);

	ck_assert_ptr_nonnull(strstr(text.bytes, "\"small\":-9223372036854775808,"));
	root = json_loads(text.bytes, 0, NULL);
	ck_assert_ptr_nonnull(root);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "large")), INT64_MAX);
	ck_assert_str_eq(json_string_value(json_object_get(root, "address")), "0xc000012345");
	ck_assert_uint_eq(json_array_size(json_object_get(root, "rows")), 20000);
	json_decref(root);
	free(text.bytes);
}
END_TEST

START_TEST(a_failed_sink_is_told)
{
	struct json_writer w;

	ck_assert_int_eq(jsonw_init(&w, refuse, NULL), CS_OK);
	jsonw_begin_array(&w);
	for (int i = 0; i < 100000; i++)
		jsonw_u64(&w, 1);
	jsonw_end_array(&w);
	ck_assert_int_eq(jsonw_finish(&w), CS_IO);
	jsonw_deinit(&w);
}
END_TEST

Suite *suite_json_writer(void);

Suite *suite_json_writer(void)
{
	Suite *suite = suite_create("json writer");
	TCase *tc = tcase_create("writer");

	tcase_add_loop_test(tc, strings_are_escaped, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(tc, a_document_reads_back);
	tcase_add_test(tc, a_failed_sink_is_told);
	suite_add_tcase(suite, tc);
	return suite;
}
