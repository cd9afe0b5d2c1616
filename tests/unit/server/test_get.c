#include "server/get.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *path;
	bool is_page;
	enum job_kind kind;
	uint64_t number;
	bool is_json;
} paths[] = {
	{"abc", true, JOB_SNAPSHOT, 0, false},
	{"abc.txt", true, JOB_SUMMARY, 0, false},
	{"abc.json", true, JOB_SNAPSHOT, 0, true},
	{"abc/goroutines/18", true, JOB_GOROUTINE, 18, false},
	{"abc/groups/0", true, JOB_GROUP, 0, false},
	{"abc/groups/0/1", false, 0, 0, false},
	{"abc/goroutines/", false, 0, 0, false},
	{"abc/goroutines/x", false, 0, 0, false},
	{"abc/goroutines/1x", false, 0, 0, false},
	{"abc/goroutines/-1", false, 0, 0, false},
	{"abc/goroutines/99999999999999999999", false, 0, 0, false},
	{"abc/threads/1", false, 0, 0, false},
	{"abc.xml", false, 0, 0, false},
	{"abc/", false, 0, 0, false},
	{"", false, 0, 0, false},
	{".txt", false, 0, 0, false},
	{"a%b", false, 0, 0, false},
};

START_TEST(addresses_are_taken_apart)
{
	struct page_address address;

	ck_assert_int_eq(page_address_parse(paths[_i].path, &address), paths[_i].is_page);
	if (!paths[_i].is_page)
		return;
	ck_assert_str_eq(address.id, "abc");
	ck_assert_int_eq(address.kind, paths[_i].kind);
	ck_assert_uint_eq(address.number, paths[_i].number);
	ck_assert_int_eq(address.is_json, paths[_i].is_json);
}
END_TEST

static const struct {
	const char *header;
	bool is_accepted;
} encodings[] = {
	{NULL, false},
	{"", false},
	{"gzip", false},
	{"zstd", true},
	{"gzip, zstd", true},
	{"ZSTD", true},
	{"zstd;q=0.5, gzip", true},
	{"zstd;q=0", false},
	{"zstd; q=0.0", false},
	{"xzstd", false},
	{"zstdx", false},
	{"gzip;q=1,zstd;q=0,br", false},
	{",,zstd", true},
};

START_TEST(encodings_are_understood)
{
	ck_assert_int_eq(accepts_zstd(encodings[_i].header), encodings[_i].is_accepted);
}
END_TEST

Suite *suite_server_get(void);

Suite *suite_server_get(void)
{
	Suite *suite = suite_create("server_get");
	TCase *tc = tcase_create("get");

	tcase_add_loop_test(tc, addresses_are_taken_apart, 0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_loop_test(
		tc, encodings_are_understood, 0, sizeof(encodings) / sizeof(encodings[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
