#include "server/row.h"

#include "common/json/reader.h"
#include "common/limits.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PARTS                                                                                      \
	"\"schema\":\"coresnap.snapshot/1\",\"captured_at\":\"2026-11-21T12:00:00Z\","             \
	"\"crash\":{\"title\":\"t\\u0000t\",\"kind\":null,\"fingerprint\":7},"                     \
	"\"process\":{\"executable\":\"/bin/x\",\"signal\":{\"name\":\"SIGABRT\"}},"               \
	"\"binary\":{\"go_version\":\"go1.26.8\"},\"host\":{\"hostname\":\"h\"}"

static enum cs_status take(struct arena *arena, const char *json, struct snapshot_row *row)
{
	struct json_reader r;
	const char *wrong;

	ck_assert_int_eq(jsonr_open(&r, arena, json, strlen(json)), CS_OK);
	return row_from_snapshot(&r, arena, row, &wrong);
}

static const struct {
	const char *json;
	enum cs_status status;
	int64_t goroutines;
} documents[] = {
	{"{\"id\":\"abc\",\"goroutines\":[{},{}]," PARTS "}", CS_OK, 2},
	{"{\"id\":\"abc\",\"goroutines_total\":9,\"goroutines\":[{}]," PARTS "}", CS_OK, 9},
	{"{\"id\":\"abc\",\"goroutines_total\":-9,\"goroutines\":[{}]," PARTS "}", CS_OK, 1},
	{"{\"id\":\"abc\",\"goroutines_total\":null,\"goroutines\":[]," PARTS "}", CS_OK, -1},
	{"{\"id\":\"abc\",\"goroutines_total\":0,\"goroutines\":[]," PARTS "}", CS_OK, 0},
	{"{\"id\":\"abc\"," PARTS "}", CS_CORRUPT, 0},
	{"{\"id\":\"a/b\",\"goroutines\":[]," PARTS "}", CS_CORRUPT, 0},
	{"{\"id\":7,\"goroutines\":[]," PARTS "}", CS_CORRUPT, 0},
	{"{\"id\":\"abc\",\"goroutines\":[],\"schema\":\"coresnap.snapshot/1\"}", CS_CORRUPT, 0},
	{"{}", CS_CORRUPT, 0},
};

START_TEST(snapshots_are_told_from_other_documents)
{
	struct snapshot_row row;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(take(&arena, documents[_i].json, &row), documents[_i].status);
	if (!documents[_i].status) {
		ck_assert_str_eq(row.texts[ROW_ID], "abc");
		ck_assert_str_eq(row.texts[ROW_TITLE], "t?t");
		ck_assert_str_eq(row.texts[ROW_KIND], "");
		ck_assert_str_eq(row.texts[ROW_FINGERPRINT], "");
		ck_assert_str_eq(row.texts[ROW_SIGNAL], "SIGABRT");
		ck_assert_int_eq(row.goroutines, documents[_i].goroutines);
	}
	arena_deinit(&arena);
}
END_TEST

START_TEST(bytes_of_a_worker_are_checked)
{
	struct snapshot_row row, back;
	struct arena arena;
	struct text text;
	char *copy;

	arena_init(&arena, 0);
	text_init(&text, 100000);
	ck_assert_int_eq(take(&arena, documents[0].json, &row), CS_OK);
	row_write(&row, &text);
	ck_assert_int_eq(row_load(text.bytes, text.used, &arena, &back), CS_OK);
	for (int i = 0; i < ROW_TEXT_COUNT; i++)
		ck_assert_str_eq(back.texts[i], row.texts[i]);
	ck_assert_int_eq(back.goroutines, 2);
	for (size_t size = 0; size < text.used; size++) {
		copy = malloc(size + 1);
		memcpy(copy, text.bytes, size);
		ck_assert_int_eq(row_load(copy, size, &arena, &back), CS_CORRUPT);
		free(copy);
	}
	ck_assert_int_eq(row_load(text.bytes, text.used + 1, &arena, &back), CS_CORRUPT);
	text.bytes[4] = '/'; // in the id
	ck_assert_int_eq(row_load(text.bytes, text.used, &arena, &back), CS_CORRUPT);
	text_deinit(&text);
	arena_deinit(&arena);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
	char *json = malloc(3 * MAX_ROW_TEXT), *at = json;
	struct snapshot_row row;
	struct arena arena;

	arena_init(&arena, 0);
	at = stpcpy(at,
		"{\"id\":\"abc\",\"goroutines\":[],\"schema\":\"coresnap.snapshot/1\",\"crash\":"
		"{\"title\":\"x");
	for (int i = 0; i < MAX_ROW_TEXT / 2; i++)
		at = stpcpy(at, "\xc3\xa4");
	strcpy(at, "\"},\"process\":{},\"binary\":{},\"host\":{}}");
	ck_assert_int_eq(take(&arena, json, &row), CS_OK);
	ck_assert_uint_eq(strlen(row.texts[ROW_TITLE]), MAX_ROW_TEXT - 1);
	arena_deinit(&arena);
	free(json);
}
END_TEST

Suite *suite_server_row(void);

Suite *suite_server_row(void)
{
	Suite *suite = suite_create("server_row");
	TCase *tc = tcase_create("row");

	tcase_add_loop_test(tc, snapshots_are_told_from_other_documents, 0,
		sizeof(documents) / sizeof(documents[0]));
	tcase_add_test(tc, bytes_of_a_worker_are_checked);
	tcase_add_test(tc, long_texts_are_cut_between_characters);
	suite_add_tcase(suite, tc);
	return suite;
}
