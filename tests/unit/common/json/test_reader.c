#include "common/json/reader.h"

#include "common/limits.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document[] =
	"{\"schema\":\"coresnap.snapshot/1\", \"crash\" : "
	"{\"title\":\"a\\u0000\\\"b\\ud83d\\ude00\"},"
	"\n\"frames\":[{\"line\":1},\n{\"line\":-22}\t],\"stacks\":[[0,1],[]],\"goroutines\":[\n"
	"{\"id\":18,\"labels\":{\"id\":7},\"x\":[{\"id\":3}],\"stack\":5},{\"id\":null},{}],"
	"\"threads\":{},\"empty\":[],\"gr\xc3\xbc\xc3\x9f\":1.5e3}  ";

static enum cs_status open_copy(
	struct json_reader *r, struct arena *arena, const char *bytes, size_t size)
{
	// Exactly as large as the document, so that a sanitizer sees a step too far.
	char *copy = malloc(size ? size : 1);
	enum cs_status status;

	memcpy(copy, bytes, size);
	arena_init(arena, 0);
	status = jsonr_open(r, arena, copy, size);
	if (status) {
		arena_deinit(arena);
		free(copy);
	}
	return status;
}

static void close_copy(struct json_reader *r, struct arena *arena)
{
	free((char *)(uintptr_t)r->bytes);
	arena_deinit(arena);
}

START_TEST(finds_members_and_rows)
{
	struct json_reader r;
	struct arena arena;
	json_t *value;

	ck_assert_int_eq(open_copy(&r, &arena, document, sizeof(document) - 1), CS_OK);
	ck_assert_uint_eq(jsonr_count(&r, "frames"), 2);
	ck_assert_uint_eq(jsonr_count(&r, "stacks"), 2);
	ck_assert_uint_eq(jsonr_count(&r, "goroutines"), 3);
	ck_assert_uint_eq(jsonr_count(&r, "threads"), 0);
	ck_assert_uint_eq(jsonr_count(&r, "nothing"), 0);
	value = jsonr_row(&r, "frames", 1);
	ck_assert_int_eq(json_integer_value(json_object_get(value, "line")), -22);
	json_decref(value);
	value = jsonr_member(&r, "crash");
	ck_assert_uint_eq(json_string_length(json_object_get(value, "title")), 8);
	json_decref(value);
	value = jsonr_member(&r, "gr\xc3\xbc\xc3\x9f");
	ck_assert(json_is_real(value));
	json_decref(value);
	ck_assert_ptr_null(jsonr_member(&r, "absent"));
	ck_assert_ptr_null(jsonr_row(&r, "frames", 2));
	ck_assert_ptr_null(jsonr_row_text(&r, "goroutines", 3).bytes);
	close_copy(&r, &arena);
}
END_TEST

START_TEST(peeks_only_at_the_object_itself)
{
	struct json_reader r;
	struct arena arena;
	int64_t number = 0;

	ck_assert_int_eq(open_copy(&r, &arena, document, sizeof(document) - 1), CS_OK);
	struct json_text row = jsonr_row_text(&r, "goroutines", 0);

	ck_assert(jsonr_peek_i64(row, "id", &number));
	ck_assert_int_eq(number, 18);
	ck_assert(jsonr_peek_i64(row, "stack", &number));
	ck_assert_int_eq(number, 5);
	ck_assert(!jsonr_peek_i64(row, "labels", &number));
	ck_assert(!jsonr_peek_i64(row, "absent", &number));
	ck_assert(!jsonr_peek_i64(jsonr_row_text(&r, "goroutines", 1), "id", &number));
	ck_assert(!jsonr_peek_i64(jsonr_row_text(&r, "goroutines", 2), "id", &number));
	ck_assert(!jsonr_peek_i64(jsonr_row_text(&r, "goroutines", 9), "id", &number));
	close_copy(&r, &arena);
}
END_TEST

START_TEST(no_prefix_of_a_document_is_one)
{
	size_t whole = sizeof(document) - 3; // without the space at its end

	for (size_t size = 0; size < whole; size++) {
		struct json_reader r;
		struct arena arena;

		ck_assert_int_eq(open_copy(&r, &arena, document, size), CS_CORRUPT);
		ck_assert_ptr_nonnull(r.fault);
		ck_assert_uint_le(r.fault_offset, size);
	}
}
END_TEST

static const struct {
	const char *json;
	enum cs_status status;
	size_t offset;
} refused[] = {
	{"", CS_CORRUPT, 0},
	{"[]", CS_CORRUPT, 0},
	{"{} x", CS_CORRUPT, 3},
	{"{\"a\":1,}", CS_CORRUPT, 7},
	{"{\"a\":01}", CS_CORRUPT, 6},
	{"{\"a\":1,\"a\":2}", CS_CORRUPT, 12},
	{"{\"frames\":[],\"frames\":[1]}", CS_CORRUPT, 25},
	{"{\"a\":\"\x01\"}", CS_CORRUPT, 6},
	{"{\"a\":\"\xff\"}", CS_CORRUPT, 6},
	{"{\"a\":\"\\ud800\"}", CS_CORRUPT, 12},
	{"{\"a\":nul}", CS_CORRUPT, 5},
	{"{\"a\":9223372036854775808}", CS_CORRUPT, 24},
	{"{\"a\":1e999}", CS_CORRUPT, 10},
	{"{\"\\u0000\":1}", CS_CORRUPT, 8},
};

START_TEST(says_where_a_document_is_broken)
{
	struct json_reader r;
	struct arena arena;

	ck_assert_int_eq(open_copy(&r, &arena, refused[_i].json, strlen(refused[_i].json)),
		refused[_i].status);
	ck_assert_uint_eq(r.fault_offset, refused[_i].offset);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[4 * MAX_JSON_DEPTH + 16];
	struct json_reader r;
	struct arena arena;

	for (int too_deep = 0; too_deep < 2; too_deep++) {
		size_t used = (size_t)sprintf(text, "{\"a\":");
		int depth = MAX_JSON_DEPTH - 1 + too_deep;

		memset(text + used, '[', (size_t)depth);
		memset(text + used + depth, ']', (size_t)depth);
		used += 2 * (size_t)depth;
		text[used++] = '}';
		ck_assert_int_eq(open_copy(&r, &arena, text, used), too_deep ? CS_LIMIT : CS_OK);
		if (!too_deep)
			close_copy(&r, &arena);
	}
}
END_TEST

/* A small generator of documents: mostly JSON, now and then one byte wrong. */

static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void add(char *out, size_t *used, const char *text)
{
	memcpy(out + *used, text, strlen(text));
	*used += strlen(text);
}

static void add_value(char *out, size_t *used, unsigned int depth)
{
	static const char *const leaves[] = {"0", "-1", "1.25", "1e5", "true", "false", "null",
		"\"\"", "\"a\\n\\u00fc\xc3\xbc\"", "\"0xc000012345\"", "\"\\u0000\"",
		"9223372036854775807", "-9223372036854775808", "12345678901234567890",
		"\"\xe2\x82\xac\"", " 7 "};
	unsigned int kind = depth ? pick(4) : 0;

	if (kind < 2) {
		add(out, used, leaves[pick(sizeof(leaves) / sizeof(leaves[0]))]);
		return;
	}
	add(out, used, kind == 2 ? "[" : "{");
	for (unsigned int i = 0, n = pick(4); i < n; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s%s\"k%u\" :", i ? "," : "", pick(5) ? "" : "\n", i);
		add(out, used, kind == 2 ? (i ? "," : "") : key);
		add_value(out, used, depth - 1);
	}
	add(out, used, kind == 2 ? "]" : "}");
}

START_TEST(agrees_with_jansson)
{
	static char text[1 << 16];
	unsigned int accepted = 0;

	for (seed = 1; accepted < 2000; seed++) {
		struct json_reader r;
		struct arena arena;
		size_t used = 0;

		add(text, &used, "{\"goroutines\":");
		add_value(text, &used, 4);
		add(text, &used, ",\"b\":");
		add_value(text, &used, 3);
		add(text, &used, "}");
		if (pick(2))
			text[pick((unsigned int)used)] = (char)pick(256);
		json_t *whole = json_loadb(text, used, JSON_ALLOW_NUL, NULL);
		enum cs_status status = open_copy(&r, &arena, text, used);
		bool is_twice = status && !strcmp(r.fault, "two members have one name");

		ck_assert_msg(!status == !!whole || is_twice, "%.*s", (int)used, text);
		if (!status) {
			json_t *b = jsonr_member(&r, "b"),
			       *table = json_object_get(whole, "goroutines");

			if (b)
				ck_assert(json_equal(b, json_object_get(whole, "b")));
			json_decref(b);
			ck_assert_uint_eq(jsonr_count(&r, "goroutines"), json_array_size(table));
			for (size_t i = 0; i < json_array_size(table); i++) {
				json_t *row = jsonr_row(&r, "goroutines", i);

				if (row)
					ck_assert(json_equal(row, json_array_get(table, i)));
				json_decref(row);
			}
			close_copy(&r, &arena);
			accepted++;
		}
		json_decref(whole);
	}
}
END_TEST

START_TEST(an_index_of_many_rows_stays_small)
{
	size_t rows = 300000, used = 0;
	char *text = malloc(rows * 3 + 64);
	struct json_reader r;
	struct arena arena;

	used = (size_t)sprintf(text, "{\"goroutines\":[");
	for (size_t i = 0; i < rows; i++) {
		memcpy(text + used, "{},", 3);
		used += 3;
	}
	text[used - 1] = ']';
	text[used++] = '}';
	arena_init(&arena, 16 * rows + (2u << 20)); // an arena takes whole MiBs
	ck_assert_int_eq(jsonr_open(&r, &arena, text, used), CS_OK);
	ck_assert_uint_eq(jsonr_count(&r, "goroutines"), rows);
	ck_assert_uint_eq(jsonr_row_text(&r, "goroutines", rows - 1).size, 2);
	arena_deinit(&arena);
	arena_init(&arena, 4 * rows);
	ck_assert_int_eq(jsonr_open(&r, &arena, text, used), CS_NO_MEMORY);
	arena_deinit(&arena);
	free(text);
}
END_TEST

Suite *suite_json_reader(void);

Suite *suite_json_reader(void)
{
	Suite *suite = suite_create("json_reader");
	TCase *tc = tcase_create("reader");

	tcase_add_test(tc, finds_members_and_rows);
	tcase_add_test(tc, peeks_only_at_the_object_itself);
	tcase_add_test(tc, no_prefix_of_a_document_is_one);
	tcase_add_loop_test(
		tc, says_where_a_document_is_broken, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, agrees_with_jansson);
	tcase_add_test(tc, an_index_of_many_rows_stays_small);
	suite_add_tcase(suite, tc);
	return suite;
}
