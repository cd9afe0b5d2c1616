#include "server/text.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *bytes;
	size_t size;
	const char *html;
} escapes[] = {
	{"plain", 5, "plain"},
	{"<a href=\"x\">&'", 14, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"},
	{"a\0b", 3,
		"a\xef\xbf\xbd"
		"b"},
	{"\x1b[31m\n\t", 7, "\xef\xbf\xbd[31m\n\t"},
	{"\xe2\x80\xae"
	 "abc",
		6,
		"\xef\xbf\xbd"
		"abc"}, // right-to-left override
	{"\xe2\x81\xa6"
	 "abc",
		6,
		"\xef\xbf\xbd"
		"abc"},                      // isolate
	{"\xe2\x82\xac", 3, "\xe2\x82\xac"}, // the euro sign is none
	{"\xe2\x80", 2, "\xe2\x80"},         // cut off
	{"", 0, ""},
};

START_TEST(html_is_escaped)
{
	struct text t;

	text_init(&t, 1000);
	text_add(&t, "");
	text_html_sized(&t, escapes[_i].bytes, escapes[_i].size);
	ck_assert(!t.failed);
	ck_assert_str_eq(t.bytes, escapes[_i].html);
	text_deinit(&t);
}
END_TEST

static const struct {
	unsigned long long ns;
	const char *text;
} durations[] = {
	{0, "0ns"},
	{850, "850ns"},
	{1500, "1.5\xc2\xb5s"},
	{2500000, "2.5ms"},
	{1000000000, "1.0s"},
	{59000000000, "59.0s"},
	{60000000000, "1m 0s"},
	{7500000000000, "2h 5m"},
	{273600000000000, "3d 4h"},
	{~0ull, "213503d 23h"},
};

START_TEST(durations_are_for_people)
{
	struct text t;

	text_init(&t, 1000);
	text_duration(&t, durations[_i].ns);
	ck_assert_str_eq(t.bytes, durations[_i].text);
	text_deinit(&t);
}
END_TEST

START_TEST(it_never_passes_its_limit)
{
	struct text t;

	text_init(&t, 10);
	text_add(&t, "12345");
	text_add(&t, "67890");
	ck_assert(!t.failed);
	text_add(&t, "x");
	ck_assert(t.failed);
	text_add(&t, "");
	ck_assert_uint_eq(t.used, 10);
	ck_assert_str_eq(t.bytes, "1234567890");
	text_deinit(&t);
}
END_TEST

START_TEST(lines_and_addresses)
{
	struct text t;

	text_init(&t, 1000);
	text_line(&t, "a\nb\x1b[0m\xc2\x9b\xc3\xa4", 11);
	ck_assert_str_eq(t.bytes, "a?b?[0m?\xc3\xa4");
	t.used = 0;
	text_url(&t, "a b&c=\xc3\xa4/%");
	ck_assert_str_eq(t.bytes, "a%20b%26c%3D%C3%A4/%25");
	text_deinit(&t);
}
END_TEST

Suite *suite_server_text(void);

Suite *suite_server_text(void)
{
	Suite *suite = suite_create("server_text");
	TCase *tc = tcase_create("text");

	tcase_add_loop_test(tc, html_is_escaped, 0, sizeof(escapes) / sizeof(escapes[0]));
	tcase_add_loop_test(
		tc, durations_are_for_people, 0, sizeof(durations) / sizeof(durations[0]));
	tcase_add_test(tc, it_never_passes_its_limit);
	tcase_add_test(tc, lines_and_addresses);
	suite_add_tcase(suite, tc);
	return suite;
}
