#include "daemon/head.h"
#include "daemon/pack.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"

static const char whole[] =
	"{\"schema\": \"coresnap.snapshot/1\", \"id\": \"" ID "\", \"attributes\": {\"id\": \"x\","
	" \"title\": \"y\", \"process\": {\"pid\": 1}}, \"list\": [{\"id\": \"z\"}, "
	"\"goroutines_total\","
	" [1, 2]], \"process\": {\"pid\": 42, \"uid\": 0, \"executable\": \"/usr/bin/app\", "
	"\"args\":"
	" [\"pid\", \"executable\"], \"signal\": {\"number\": 6, \"name\": \"SIGABRT\", \"code\": "
	"-6}},"
	" \"binary\": {\"go_version\": \"go1.26.8\"}, \"crash\": {\"kind\": \"panic\", \"values\":"
	" [{\"title\": \"deep\"}], \"title\": \"panic: \\\"boom\\\" }]\"}, \"goroutines_total\": "
	"51,"
	" \"goroutines\": [{\"id\": 7}], \"empty\": {}, \"none\": [], \"nothing\": null}\n";

static enum cs_status feed(struct head *head, const char *json, size_t size, size_t portion)
{
	head_init(head);
	for (size_t at = 0; at < size; at += portion)
		head_feed(head, json + at, size - at < portion ? size - at : portion);
	return head_finish(head);
}

START_TEST(facts_are_found_whatever_the_portions)
{
	for (size_t portion = 1; portion <= sizeof(whole); portion += 7) {
		struct head head;

		ck_assert_int_eq(feed(&head, whole, strlen(whole), portion), CS_OK);
		ck_assert_str_eq(head.facts[HEAD_ID], ID);
		ck_assert_str_eq(head.facts[HEAD_PID], "42");
		ck_assert_str_eq(head.facts[HEAD_EXECUTABLE], "/usr/bin/app");
		ck_assert_str_eq(head.facts[HEAD_SIGNAL], "SIGABRT");
		ck_assert_str_eq(head.facts[HEAD_GO_VERSION], "go1.26.8");
		ck_assert_str_eq(head.facts[HEAD_TITLE], "panic: \\\"boom\\\" }]");
		ck_assert_str_eq(head.facts[HEAD_GOROUTINES], "51");
	}
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	// The last two bytes are the outermost brace and a line break.
	for (size_t size = 0; size < strlen(whole) - 1; size++) {
		struct head head;

		ck_assert_msg(feed(&head, whole, size, 4096) == CS_CORRUPT, "%zu bytes", size);
	}
}
END_TEST

START_TEST(what_is_no_snapshot_is_refused)
{
	static const char *const rows[] = {"", "{}", "[]", "null", "{\"id\": null}",
		"{\"id\": \"../../../etc/passwd\"}", "{\"id\": \"" ID "0\"}",
		"{\"id\": \"0123456789ABCDEF0123456789ABCDEF\"}", "{\"id\": \"" ID "\"}{}",
		"{\"id\": \"" ID "\"}}", "{\"id\": \"" ID "\"} x", "{\"x\": {\"id\": \"" ID "\"}}",
		"[{\"id\": \"" ID "\"}]", "{\"id\": [\"" ID "\"]}", "}{\"id\": \"" ID "\"}"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct head head;

		ck_assert_msg(
			feed(&head, rows[i], strlen(rows[i]), 4096) == CS_CORRUPT, "%s", rows[i]);
	}
}
END_TEST

START_TEST(long_and_deep_input_is_bounded)
{
	size_t size = 2000000;
	char *json = malloc(size + 1);
	struct head head;

	memset(json, '[', size);
	memcpy(json, "{\"a\":", 5);
	ck_assert_int_eq(feed(&head, json, size, 65536), CS_CORRUPT);
	memset(json, 'x', size);
	memcpy(json, "{\"id\": \"" ID, 40);
	memcpy(json + size - 2, "\"}", 2);
	ck_assert_int_eq(feed(&head, json, size, 65536), CS_CORRUPT);
	ck_assert_str_eq(head.facts[HEAD_ID], "");
	free(json);
}
END_TEST

START_TEST(reports_are_checked_again)
{
	static const struct {
		const char *report;
		enum cs_status status;
	} rows[] = {
		{ID "\n42\n/a\nSIGABRT\ngo1\nboom\n51\n", CS_OK},
		{ID "\n\n\n\n\n\n\n", CS_OK},
		{ID "\n42\n/a\nSIGABRT\ngo1\nboom\n51", CS_CORRUPT},
		{"../../etc/passwd\n42\n/a\nSIGABRT\ngo1\nboom\n51\n", CS_CORRUPT},
		{ID "\n4x\n/a\nSIGABRT\ngo1\nboom\n51\n", CS_CORRUPT},
		{ID "\n42\n/a\nSIGABRT\ngo1\nboom\n-51\n", CS_CORRUPT},
		{"", CS_CORRUPT},
	};
	char facts[HEAD_FACTS][HEAD_VALUE_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char report[512];

		snprintf(report, sizeof(report), "%s", rows[i].report);
		ck_assert_msg(
			pack_report_read(report, facts) == rows[i].status, "%s", rows[i].report);
	}
}
END_TEST

START_TEST(reports_are_printable)
{
	char report[] = ID "\n1\n/a\x1b[31m\nSIG\x7f\ngo1\nb\xc2\x9boom \xc3\xa9\n1\n";
	char facts[HEAD_FACTS][HEAD_VALUE_SIZE];

	ck_assert_int_eq(pack_report_read(report, facts), CS_OK);
	ck_assert_str_eq(facts[HEAD_EXECUTABLE], "/a?[31m");
	ck_assert_str_eq(facts[HEAD_SIGNAL], "SIG?");
	ck_assert_str_eq(facts[HEAD_TITLE], "b??oom \xc3\xa9");
}
END_TEST

Suite *suite_daemon_head(void);

Suite *suite_daemon_head(void)
{
	Suite *suite = suite_create("daemon_head");
	TCase *tc = tcase_create("daemon_head");

	tcase_add_test(tc, facts_are_found_whatever_the_portions);
	tcase_add_test(tc, every_truncation_is_refused);
	tcase_add_test(tc, what_is_no_snapshot_is_refused);
	tcase_add_test(tc, long_and_deep_input_is_bounded);
	tcase_add_test(tc, reports_are_checked_again);
	tcase_add_test(tc, reports_are_printable);
	suite_add_tcase(suite, tc);
	return suite;
}
