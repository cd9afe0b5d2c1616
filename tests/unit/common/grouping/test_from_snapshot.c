// A snapshot's crash as grouping reads it.
#include "common/grouping/from_snapshot.h"

#include <check.h>
#include <string.h>

static const char document[] =
	"{\"schema\":\"coresnap.snapshot/1\",\"binary\":{\"main\":{\"path\":\"example.com/app\"}},"
	"\"crash\":{\"kind\":\"panic\",\"message\":\"boom 1\",\"goroutine\":7,\"blamed\":[7,8],"
	"\"title\":\"t\",\"values\":[{\"recovered\":true},{\"recovered\":false,\"repanicked\":true}"
	","
	"{}],\"signal\":{\"number\":11,\"code\":1},"
	"\"grouping\":{\"version\":1,\"coarse\":\"c\",\"default\":\"d\",\"fine\":\"f\"}},"
	"\"frames\":[{\"function\":\"main.f.func1\",\"package\":\"main\",\"key\":\"example.com/"
	"app.f\","
	"\"in_app\":true,\"kind\":\"go\",\"line\":12,\"start_line\":10},"
	"{\"function\":\"abort\",\"package\":\"libc\",\"key\":null,\"kind\":\"c\",\"line\":null}],"
	"\"stacks\":[[0],[1,0]],"
	"\"goroutines\":[{\"id\":1,\"stack\":0},{\"id\":7,\"stack\":1}]}";

static enum cs_status read(struct arena *arena, const char *text, struct grouping_snapshot *ret)
{
	struct json_reader r;

	ck_assert_int_eq(jsonr_open(&r, arena, text, strlen(text)), CS_OK);
	return grouping_read_snapshot(&r, arena, ret);
}

START_TEST(the_blamed_goroutine_is_read)
{
	struct grouping_snapshot s;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(read(&arena, document, &s), CS_OK);
	ck_assert_str_eq(s.input.kind, "panic");
	ck_assert_str_eq(s.input.message, "boom 1");
	ck_assert_ptr_null(s.input.detail); // of signals only
	ck_assert_uint_eq(s.input.reraised, 2);
	ck_assert_int_eq(s.blamed, 7);
	ck_assert(s.has_crashed);
	ck_assert_int_eq(s.version, 1);
	ck_assert_str_eq(s.keys.standard, "d");
	ck_assert_str_eq(s.main_path, "example.com/app");
	ck_assert_uint_eq(s.input.count, 2);
	ck_assert(s.input.frames[0].is_c);
	ck_assert_str_eq(s.input.frames[0].key, "");
	ck_assert(s.input.frames[1].in_app);
	ck_assert_int_eq(s.input.frames[1].relative_line, 2);
	arena_deinit(&arena);
}
END_TEST

static const struct {
	const char *text;
	enum cs_status status;
} hostile[] = {
	{"{}", CS_CORRUPT},
	{"{\"crash\":[]}", CS_CORRUPT},
	{"{\"crash\":{}}", CS_OK},
	{"{\"crash\":{\"kind\":3,\"blamed\":[\"x\"],\"values\":7,\"grouping\":[]}}", CS_OK},
	{"{\"crash\":{\"blamed\":[1]},\"goroutines\":[{\"id\":1,\"stack\":-1}]}", CS_OK},
	{"{\"crash\":{\"blamed\":[1]},\"goroutines\":[{\"id\":1,\"stack\":0}],\"stacks\":[7]}",
		CS_OK},
	{"{\"crash\":{\"blamed\":[1]},\"goroutines\":[{\"id\":1,\"stack\":0}],\"stacks\":[[7]]}",
		CS_CORRUPT},
	{"{\"crash\":{\"blamed\":[1]},\"goroutines\":[{\"id\":1,\"stack\":0}],\"stacks\":[[0]],"
	 "\"frames\":[{\"line\":9223372036854775807,\"start_line\":-9223372036854775807}]}",
		CS_OK},
};

START_TEST(hostile_documents_end)
{
	struct grouping_snapshot s;
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_int_eq(read(&arena, hostile[_i].text, &s), hostile[_i].status);
	arena_deinit(&arena);
}
END_TEST

START_TEST(memory_may_end_anywhere)
{
	enum cs_status status = CS_NO_MEMORY;
	struct grouping_snapshot s;
	struct grouping grouping;
	struct json_reader r;
	struct arena arena;

	for (size_t n = 1; status; n++) {
		arena_init(&arena, 0);
		ck_assert_int_eq(jsonr_open(&r, &arena, document, strlen(document)), CS_OK);
		arena.fail_in = n;
		status = grouping_read_snapshot(&r, &arena, &s);
		if (!status)
			status = grouping_make(&arena, &s.input, &grouping);
		ck_assert(status == CS_NO_MEMORY || status == CS_OK);
		if (status == CS_OK && !arena.fail_in)
			status = CS_NO_MEMORY; // what failed may be absent: once more
		arena_deinit(&arena);
	}
}
END_TEST

Suite *suite_from_snapshot(void);

Suite *suite_from_snapshot(void)
{
	Suite *suite = suite_create("from_snapshot");
	TCase *tests = tcase_create("from_snapshot");

	tcase_add_test(tests, the_blamed_goroutine_is_read);
	tcase_add_loop_test(tests, hostile_documents_end, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(tests, memory_may_end_anywhere);
	suite_add_tcase(suite, tests);
	return suite;
}
