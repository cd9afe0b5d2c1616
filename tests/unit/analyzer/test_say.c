#include "analyzer/say.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text, *expected;
} rows[] = {
	{"", ""},
	{"plain", "plain"},
	{"tab\tline\n", "tab\\x09line\\x0a"},
	{"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
	{"del\x7f", "del\\x7f"},
	{"csi \xc2\x9b"
	 "1m",
		"csi \\xc2\\x9b1m"},
	{"\xc3\xa4 \xe2\x82\xac \xc2\xa0", "\xc3\xa4 \xe2\x82\xac \xc2\xa0"}, // text stays text
	{"cut \xc2", "cut \xc2"},
};

START_TEST(controls_are_escaped)
{
	char text[256];

	ck_assert_str_eq(say_escape(text, sizeof(text), rows[_i].text), rows[_i].expected);
}
END_TEST

START_TEST(room_is_kept)
{
	char long_text[1000], text[64];

	memset(long_text, '\x01', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, '!', sizeof(text));
		say_escape(text, size, long_text);
		ck_assert_uint_lt(strlen(text), size);
		ck_assert_int_eq(text[size], '!');
		ck_assert_uint_eq(strlen(text) % strlen("\\x01"), 0);
	}
}
END_TEST

Suite *suite_say(void);

Suite *suite_say(void)
{
	Suite *suite = suite_create("say");
	TCase *tc = tcase_create("say");

	tcase_add_loop_test(tc, controls_are_escaped, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, room_is_kept);
	suite_add_tcase(suite, tc);
	return suite;
}
