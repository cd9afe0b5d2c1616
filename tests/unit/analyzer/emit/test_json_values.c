// Values as JSON: which members which kinds have, numbers that JSON cannot hold, escapes, and
// secrets that never reach the text.
#include "analyzer/emit/go_quote.h"
#include "analyzer/emit/json_values.h"
#include "analyzer/runtime/types.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char written[8192];
static size_t written_size;

static bool take(void *context, const char *bytes, size_t size)
{
	(void)context;
	ck_assert_uint_lt(written_size + size, sizeof(written));
	memcpy(written + written_size, bytes, size);
	written_size += size;
	written[written_size] = 0;
	return true;
}

static const char *json_of(const struct value *value, const char *name, const char *function)
{
	struct json_values values;
	struct json_writer w;
	struct arena arena;

	written_size = 0;
	arena_init(&arena, 0);
	ck_assert_int_eq(jsonw_init(&w, take, NULL), CS_OK);
	json_values_init(&values, &w, &arena, &arena);
	json_write_variable(&values, value, name, function);
	ck_assert_int_eq(jsonw_finish(&w), CS_OK);
	jsonw_deinit(&w);
	arena_deinit(&arena);
	return written;
}

static struct type t_int = {.kind = GO_INT, .name = "int", .size = 8, .is_loaded = true};
static struct type t_uint = {.kind = GO_UINT64, .name = "uint64", .size = 8, .is_loaded = true};
static struct type t_byte = {.kind = GO_UINT8, .name = "uint8", .size = 1, .is_loaded = true};
static struct type t_f32 = {.kind = GO_FLOAT32, .name = "float32", .size = 4, .is_loaded = true};
static struct type t_f64 = {.kind = GO_FLOAT64, .name = "float64", .size = 8, .is_loaded = true};
static struct type t_c128 = {
	.kind = GO_COMPLEX128, .name = "complex128", .size = 16, .is_loaded = true};
static struct type t_bool = {.kind = GO_BOOL, .name = "bool", .size = 1, .is_loaded = true};
static struct type t_string = {.kind = GO_STRING, .name = "string", .size = 16, .is_loaded = true};
static struct type t_secret = {
	.kind = GO_STRING, .name = "main.Password", .size = 16, .is_loaded = true};
static struct type t_struct = {.kind = GO_STRUCT, .name = "main.T", .size = 16, .is_loaded = true};
static struct type t_box = {.kind = GO_STRUCT,
	.name = "atomic.Value",
	.package = "sync/atomic",
	.size = 16,
	.is_loaded = true};
static struct type t_list = {
	.kind = GO_SLICE, .name = "[]string", .size = 24, .element = &t_string, .is_loaded = true};
static struct type t_bytes = {
	.kind = GO_ARRAY, .name = "[3]uint8", .size = 3, .element = &t_byte, .is_loaded = true};
static struct type t_map = {.kind = GO_MAP,
	.name = "map[string]string",
	.size = 8,
	.key = &t_string,
	.element = &t_string,
	.is_loaded = true};
static struct type t_any = {
	.kind = GO_INTERFACE, .name = "interface {}", .size = 16, .is_loaded = true};

static struct value text(struct type *type, const char *bytes)
{
	return (struct value){.type = type,
		.kind = VALUE_STRING,
		.has_length = true,
		.length = strlen(bytes),
		.scalar.text = {.bytes = bytes, .size = strlen(bytes)}};
}

#define HEAD(type, kind) "{\"type\":\"" type "\",\"kind\":\"" kind "\",\"address\":null"

START_TEST(numbers)
{
	const struct {
		struct value value;
		const char *json;
	} rows[] = {
		{{.type = &t_int, .kind = VALUE_INT, .scalar.integer = -5},
			HEAD("int", "int") ",\"value\":-5}"},
		{{.type = &t_int, .kind = VALUE_INT, .scalar.integer = INT64_C(1) << 53},
			HEAD("int", "int") ",\"value\":9007199254740992}"},
		{{.type = &t_int, .kind = VALUE_INT, .scalar.integer = (INT64_C(1) << 53) + 1},
			HEAD("int", "int") ",\"value\":\"9007199254740993\"}"},
		{{.type = &t_int, .kind = VALUE_INT, .scalar.integer = INT64_MIN},
			HEAD("int", "int") ",\"value\":\"-9223372036854775808\"}"},
		{{.type = &t_uint, .kind = VALUE_UINT, .scalar.natural = UINT64_MAX},
			HEAD("uint64", "uint") ",\"value\":\"18446744073709551615\"}"},
		{{.type = &t_bool, .kind = VALUE_BOOL, .scalar.boolean = true},
			HEAD("bool", "bool") ",\"value\":true}"},
		{{.type = &t_f32, .kind = VALUE_FLOAT, .scalar.real = {(double)0.1f}},
			HEAD("float32", "float") ",\"value\":0.1}"},
		{{.type = &t_f64, .kind = VALUE_FLOAT, .scalar.real = {1e300}},
			HEAD("float64", "float") ",\"value\":1e+300}"},
		{{.type = &t_f64, .kind = VALUE_FLOAT, .scalar.real = {-0.0}},
			HEAD("float64", "float") ",\"value\":-0}"},
		{{.type = &t_f64, .kind = VALUE_FLOAT, .scalar.real = {(double)NAN}},
			HEAD("float64", "float") ",\"value\":\"NaN\"}"},
		{{.type = &t_f64, .kind = VALUE_FLOAT, .scalar.real = {-(double)INFINITY}},
			HEAD("float64", "float") ",\"value\":\"-Inf\"}"},
		{{.type = &t_c128, .kind = VALUE_COMPLEX, .scalar.real = {1, -2}},
			HEAD("complex128", "complex") ",\"value\":\"(1-2i)\"}"},
		{{.type = &t_c128,
			 .kind = VALUE_COMPLEX,
			 .scalar.real = {(double)NAN, (double)INFINITY}},
			HEAD("complex128", "complex") ",\"value\":\"(NaN+Infi)\"}"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_str_eq(json_of(&rows[i].value, "n", NULL), rows[i].json);
}
END_TEST

START_TEST(texts)
{
	static const struct {
		const char *bytes, *json;
	} rows[] = {{"plain", "\"plain\""}, {"a\n\tb", "\"a\\n\\tb\""},
		{"ä🙂\"", "\"ä🙂\\\"\""},
		{"\x1b[31m", "\"\\\"\\\\x1b[31m\\\"\",\"escaped\":true"},
		{"ok\xff", "\"\\\"ok\\\\xff\\\"\",\"escaped\":true"},
		{"\u202e", "\"\\\"\\\\u202e\\\"\",\"escaped\":true"}, {"", "\"\""}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct value value = text(&t_string, rows[i].bytes);
		char expected[256];

		snprintf(expected, sizeof(expected),
			HEAD("string", "string") ",\"value\":%s,\"length\":%zu}", rows[i].json,
			strlen(rows[i].bytes));
		ck_assert_str_eq(json_of(&value, "s", NULL), expected);
	}
}
END_TEST

START_TEST(a_cap_leaves_whole_runes)
{
	struct value value = text(&t_string, "aä");

	value.scalar.text.size = 2;
	value.is_truncated = true;
	ck_assert_str_eq(json_of(&value, NULL, NULL),
		HEAD("string", "string") ",\"value\":\"a\",\"length\":3,\"truncated\":true}");
}
END_TEST

START_TEST(what_is_not_there_says_why)
{
	struct value value = {.type = &t_string,
		.kind = VALUE_STRING,
		.address = 0x10,
		.has_pointer = true,
		.pointer = 0xc000,
		.has_length = true,
		.length = 4,
		.unavailable = UNAVAILABLE_NOT_KEPT_ALIVE,
		.evidence = EVIDENCE_SPILL};

	ck_assert_str_eq(json_of(&value, "s", NULL),
		"{\"type\":\"string\",\"kind\":\"string\",\"address\":\"0x10\","
		"\"pointer\":\"0xc000\",\"length\":4,\"evidence\":\"spill\","
		"\"unavailable\":\"not kept alive\"}");
}
END_TEST

#define SECRET "opensesame-7F3k"
#define OTHER "harmless words"

/** Whether the secret, the other text, and the mark of something hidden are in the JSON. */
static void expect_hidden(const struct value *value, const char *name, const char *function)
{
	const char *json = json_of(value, name, function);

	ck_assert_msg(!strstr(json, SECRET), "%s", json);
	ck_assert_msg(strstr(json, "\"redacted\":true"), "%s", json);
}

START_TEST(names_hide_texts)
{
	struct value secret = text(&t_string, SECRET), typed = text(&t_secret, SECRET);
	struct value other = text(&t_string, OTHER), nothing = text(&t_string, "");

	expect_hidden(&secret, "password", NULL);
	expect_hidden(&secret, "authToken", NULL);
	expect_hidden(&secret, "value", "main.setPassword");
	expect_hidden(&typed, "s", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&secret, "key", "main.main"), SECRET));
	ck_assert_ptr_nonnull(strstr(json_of(&other, "monkey", NULL), OTHER));
	ck_assert_ptr_null(strstr(json_of(&nothing, "password", NULL), "redacted"));
	secret.natural_text = SECRET;
	expect_hidden(&secret, "password", NULL);
}
END_TEST

START_TEST(contents_are_hidden)
{
	struct value url = text(&t_string, "postgres://app:" SECRET "@db/shop");
	const char *json;

	expect_hidden(&url, "s", NULL);
	json = json_of(&url, "s", NULL);
	ck_assert_ptr_nonnull(strstr(json, "postgres://app:[redacted]@db/shop"));
}
END_TEST

START_TEST(names_within_a_value)
{
	struct value secret = text(&t_string, SECRET), other = text(&t_string, OTHER);
	struct value key = text(&t_string, "db_password"), plain = text(&t_string, "key");
	struct named_value fields[] = {{"Token", &secret}, {"Name", &other}};
	struct named_value pair[] = {{"Key", &key}, {"Value", &secret}};
	struct value_entry entries[] = {{&key, &secret}, {&plain, &other}};
	struct value *flags[] = {&other, &plain, &secret};
	struct value flag = text(&t_string, "--password");
	struct value structure = {
		.type = &t_struct, .kind = VALUE_STRUCT, .fields = fields, .field_count = 2};
	struct value pairs = {
		.type = &t_struct, .kind = VALUE_STRUCT, .fields = pair, .field_count = 2};
	struct value map = {
		.type = &t_map, .kind = VALUE_MAP, .entries = entries, .entry_count = 2};
	struct value list = {
		.type = &t_list, .kind = VALUE_SLICE, .elements = flags, .element_count = 3};

	expect_hidden(&structure, "s", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&structure, "s", NULL), OTHER));
	expect_hidden(&pairs, "s", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&pairs, "s", NULL), "db_password"));
	expect_hidden(&map, "m", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&map, "m", NULL), OTHER));
	ck_assert_ptr_nonnull(strstr(json_of(&list, "args", NULL), SECRET));
	flags[1] = &flag;
	expect_hidden(&list, "args", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&list, "args", NULL), OTHER));
}
END_TEST

/* A token's name reaches through pointers and interfaces, a password's through everything. */
START_TEST(how_far_a_name_reaches)
{
	struct value secret = text(&t_string, SECRET), number;
	struct named_value fields[] = {{"id", &secret}};
	struct value any = {.type = &t_any,
		.kind = VALUE_INTERFACE,
		.dynamic_type = &t_string,
		.dynamic_value = &secret};
	struct value structure = {
		.type = &t_struct, .kind = VALUE_STRUCT, .fields = fields, .field_count = 1};
	struct value box = {
		.type = &t_box, .kind = VALUE_STRUCT, .fields = fields, .field_count = 1};

	expect_hidden(&any, "token", NULL);
	ck_assert_ptr_nonnull(strstr(json_of(&structure, "token", NULL), SECRET));
	expect_hidden(&structure, "credentialsPassword", NULL);
	expect_hidden(&box, "token", NULL);
	number = (struct value){.type = &t_int, .kind = VALUE_INT, .scalar.integer = 4711};
	ck_assert_ptr_nonnull(strstr(json_of(&number, "token", NULL), "4711"));
	ck_assert_ptr_null(strstr(json_of(&number, "passwd", NULL), "4711"));
}
END_TEST

START_TEST(bytes_and_words_are_texts_too)
{
	struct value byte = {.type = &t_byte, .kind = VALUE_UINT, .scalar.natural = 115};
	struct value *elements[] = {&byte, &byte, &byte};
	struct value array = {.type = &t_bytes,
		.kind = VALUE_ARRAY,
		.has_length = true,
		.length = 3,
		.elements = elements,
		.element_count = 3};
	struct value word = {.type = &t_uint, .kind = VALUE_UINT};

	ck_assert_ptr_nonnull(strstr(json_of(&array, "digest", NULL), "115"));
	ck_assert_ptr_null(strstr(json_of(&array, "sessionToken", NULL), "115"));
	ck_assert_ptr_nonnull(strstr(json_of(&array, "sessionToken", NULL), "\"length\":3"));
	memcpy(&word.scalar.natural, "s3cr3tAB", 8);
	ck_assert_ptr_nonnull(strstr(json_of(&word, "w", NULL), "redacted"));
	word.scalar.natural = 0xc000123456;
	ck_assert_ptr_null(strstr(json_of(&word, "w", NULL), "redacted"));
}
END_TEST

Suite *suite_json_values(void);

Suite *suite_json_values(void)
{
	Suite *suite = suite_create("json_values");
	TCase *tc = tcase_create("json_values");

	tcase_add_test(tc, numbers);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, a_cap_leaves_whole_runes);
	tcase_add_test(tc, what_is_not_there_says_why);
	tcase_add_test(tc, names_hide_texts);
	tcase_add_test(tc, contents_are_hidden);
	tcase_add_test(tc, names_within_a_value);
	tcase_add_test(tc, how_far_a_name_reaches);
	tcase_add_test(tc, bytes_and_words_are_texts_too);
	suite_add_tcase(suite, tc);
	return suite;
}
