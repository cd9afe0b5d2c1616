#include "common/build_id.h"

#include <check.h>
#include <limits.h>
#include <string.h>

#define LONG_HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* NULL: no such id. */
static const struct {
	const char *id, *path;
} gnu_rows[] =
	{
		{"04d3812d9444710ab6f72d4e80ddba2c28258fb7",
			".build-id/04/d3812d9444710ab6f72d4e80ddba2c28258fb7"},
		{"abcd", ".build-id/ab/cd"},
		{"ab", NULL},
		{"abc", NULL},
		{"", NULL},
		{"ABCD", NULL},
		{"../../../etc/passwd", NULL},
		{"ab/./../", NULL},
		{"ab..", NULL},
		{"abcd\n", NULL},
},
  go_rows[] = {
	  {"a-Z_9/b/c/d", "go/a-Z_9%2Fb%2Fc%2Fd"}, {"a/b", "go/a%2Fb"},
	  {"/../../etc/passwd", "go/%2F%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"}, {"./.", "go/%2E%2F%2E"},
	  {"a/%2F", "go/a%2F%252F"}, {"a/\xff\n", "go/a%2F%FF%0A"},
	  {"redacted", NULL}, // what Bazel's rules give to every program
	  {"", NULL},
	  {LONG_HASH "/" LONG_HASH "/" LONG_HASH "/aaaaaaaaaaaa",
		  NULL}, // and .debug: too long for a name
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void expect(bool is_path, const char *id, const char *path, const char *expected)
{
	ck_assert_msg(is_path == !!expected, "'%s' is%s an id", id, is_path ? "" : " not");
	if (expected)
		ck_assert_str_eq(path, expected);
}

START_TEST(gnu_ids_are_paths)
{
	char path[256];

	expect(build_id_gnu_path(gnu_rows[_i].id, path, sizeof(path)), gnu_rows[_i].id, path,
		gnu_rows[_i].path);
}
END_TEST

START_TEST(go_ids_are_paths)
{
	char path[512];

	expect(build_id_go_path(go_rows[_i].id, path, sizeof(path)), go_rows[_i].id, path,
		go_rows[_i].path);
}
END_TEST

START_TEST(no_path_is_cut)
{
	char path[32];

	for (size_t size = 0; size < sizeof(path); size++) {
		bool is_gnu = build_id_gnu_path("abcdef", path, size);

		ck_assert_int_eq(is_gnu, size > strlen(".build-id/ab/cdef"));
		memset(path, 'x', sizeof(path));
		if (build_id_go_path("a/b/c/d", path, size))
			ck_assert_str_eq(path, "go/a%2Fb%2Fc%2Fd");
		else
			ck_assert_uint_lt(size, strlen("go/a%2Fb%2Fc%2Fd") + 4);
		for (size_t i = size; i < sizeof(path); i++)
			ck_assert_int_eq(path[i], 'x');
	}
}
END_TEST

Suite *suite_build_id(void);

Suite *suite_build_id(void)
{
	Suite *suite = suite_create("build_id");
	TCase *tcase = tcase_create("paths");

	tcase_add_loop_test(tcase, gnu_ids_are_paths, 0, COUNT(gnu_rows));
	tcase_add_loop_test(tcase, go_ids_are_paths, 0, COUNT(go_rows));
	tcase_add_test(tcase, no_path_is_cut);
	suite_add_tcase(suite, tcase);
	return suite;
}
