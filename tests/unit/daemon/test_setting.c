#include "daemon/options.h"
#include "daemon/setting.h"

#include <check.h>
#include <string.h>

#define MS 1000000ull
#define S (1000 * MS)

START_TEST(sizes)
{
	static const struct {
		const char *text;
		enum cs_status status;
		uint64_t size;
	} rows[] = {
		{"0", CS_OK, 0},
		{"4096", CS_OK, 4096},
		{"512M", CS_OK, 512ull << 20},
		{"2G", CS_OK, 2ull << 30},
		{"1K", CS_OK, 1024},
		{"3T", CS_OK, 3ull << 40},
		{"18446744073709551615", CS_OK, UINT64_MAX},
		{"18446744073709551616", CS_CORRUPT, 0},
		{"16777216T", CS_CORRUPT, 0},
		{"", CS_CORRUPT, 0},
		{"G", CS_CORRUPT, 0},
		{"-1", CS_CORRUPT, 0},
		{" 1", CS_CORRUPT, 0},
		{"1GB", CS_CORRUPT, 0},
		{"1g", CS_CORRUPT, 0},
		{"0x10", CS_CORRUPT, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t size = 0;

		ck_assert_msg(
			setting_size(rows[i].text, &size) == rows[i].status && size == rows[i].size,
			"'%s'", rows[i].text);
	}
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *text;
		enum cs_status status;
		uint64_t ns;
	} rows[] = {
		{"1", CS_OK, S},
		{"0.5", CS_OK, 500 * MS},
		{"200ms", CS_OK, 200 * MS},
		{"30s", CS_OK, 30 * S},
		{"10m", CS_OK, 600 * S},
		{"24h", CS_OK, 86400 * S},
		{"7d", CS_OK, 7 * 86400 * S},
		{"", CS_CORRUPT, 0},
		{"-1", CS_CORRUPT, 0},
		{"+1", CS_CORRUPT, 0},
		{"nan", CS_CORRUPT, 0},
		{"inf", CS_CORRUPT, 0},
		{"1e3", CS_CORRUPT, 0},
		{"0x1", CS_CORRUPT, 0},
		{"1 s", CS_CORRUPT, 0},
		{"1y", CS_CORRUPT, 0},
		{".", CS_CORRUPT, 0},
		{"99999999d", CS_CORRUPT, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 0;

		ck_assert_msg(setting_duration_ns(rows[i].text, &ns) == rows[i].status &&
				      ns == rows[i].ns,
			"'%s'", rows[i].text);
	}
}
END_TEST

START_TEST(numbers)
{
	uint32_t number = 9;

	ck_assert_int_eq(setting_number("1", 1, 64, &number), CS_OK);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_eq(setting_number("64", 1, 64, &number), CS_OK);
	ck_assert_int_eq(setting_number("65", 1, 64, &number), CS_CORRUPT);
	ck_assert_int_eq(setting_number("0", 1, 64, &number), CS_CORRUPT);
	ck_assert_int_eq(setting_number("-1", 1, 64, &number), CS_CORRUPT);
	ck_assert_int_eq(setting_number("2x", 1, 64, &number), CS_CORRUPT);
	ck_assert_int_eq(setting_number("99999999999999999999", 1, 64, &number), CS_CORRUPT);
	ck_assert_uint_eq(number, 64);
}
END_TEST

START_TEST(upload_urls)
{
	static const struct {
		const char *url;
		const char *problem; // a word of it; NULL: the URL is fine
		bool is_https;
	} rows[] = {
		{"https://store.example.com", NULL, true},
		{"https://store.example.com:8443/a/b/", NULL, true},
		{"HTTPS://store.example.com", NULL, true},
		{"http://127.0.0.1:8080/crashes", NULL, false},
		{"http://127.255.3.4", NULL, false},
		{"http://localhost:1", NULL, false},
		{"http://[::1]:8080/x", NULL, false},
		{"http://store.example.com", "in the clear", false},
		{"http://128.0.0.1", "in the clear", false},
		{"http://10.0.0.1", "in the clear", false},
		{"http://127.0.0.1.example.com", "in the clear", false},
		{"http://localhost.example.com", "in the clear", false},
		{"http://[::2]", "in the clear", false},
		{"http://[::ffff:10.0.0.1]", "in the clear", false},
		{"ftp://127.0.0.1/x", "only https", false},
		{"file:///etc/passwd", "no host", false},
		{"store.example.com/x", "not a URL", false},
		{"", "not a URL", false},
		{"https://user:secret@store.example.com", "--upload-token", false},
		{"https://user@store.example.com", "--upload-token", false},
		{"https://store.example.com/?sig=1", "query", false},
		{"https://store.example.com/#x", "fragment", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_https = false;
		const char *problem = setting_upload_url(rows[i].url, &is_https);

		if (!rows[i].problem)
			ck_assert_msg(!problem, "%s: %s", rows[i].url, problem);
		else
			ck_assert_msg(problem && strstr(problem, rows[i].problem), "%s: %s",
				rows[i].url, problem ? problem : "taken");
		ck_assert_msg(is_https == rows[i].is_https, "%s", rows[i].url);
	}
}
END_TEST

static char program[] = "coresnapd", foreground[] = "--foreground", watch[] = "--watch=/cores",
	    watch2[] = "--watch=/more", executables[] = "--exe-dir=/bin",
	    spool[] = "--spool=/spool", upload[] = "--upload=https://h/p//", jobs[] = "--jobs=65",
	    unknown[] = "--nothing", help[] = "--help", extra[] = "extra", valueless[] = "--watch";

START_TEST(command_line)
{
	char *argv[] = {program, foreground, watch, watch2, executables, spool, upload, NULL};
	static struct options options;
	char problem[256];

	ck_assert_int_eq(
		daemon_options_parse(7, argv, &options, problem, sizeof(problem)), OPTIONS_RUN);
	ck_assert_uint_eq(options.watch_count, 2);
	ck_assert_str_eq(options.watch[1], "/more");
	ck_assert_uint_eq(options.executables_count, 1);
	ck_assert_uint_eq(options.upload_length, strlen("https://h/p"));
	ck_assert(options.is_https);
	ck_assert_uint_eq(options.spool_max, 1ull << 30);
	ck_assert_uint_eq(options.time_limit_ns, 600 * S);
}
END_TEST

START_TEST(wrong_command_lines)
{
	char *none[] = {program, NULL};
	char *no_watch[] = {program, foreground, NULL};
	char *no_spool[] = {program, foreground, watch, NULL};
	char *no_upload[] = {program, foreground, watch, spool, NULL};
	char *bad_jobs[] = {program, jobs, NULL};
	char *bad_option[] = {program, unknown, NULL};
	char *no_value[] = {program, valueless, NULL};
	char *more[] = {program, foreground, watch, spool, upload, extra, NULL};
	const struct {
		char **argv;
		const char *word;
	} rows[] = {{none, "--foreground"}, {no_watch, "--watch"}, {no_spool, "--spool"},
		{no_upload, "--upload"}, {bad_jobs, "--jobs 65"}, {bad_option, "--nothing"},
		{no_value, "needs a value"}, {more, "options only"}};
	static struct options options;
	char problem[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int argc = 0;

		while (rows[i].argv[argc])
			argc++;
		ck_assert_int_eq(daemon_options_parse(
					 argc, rows[i].argv, &options, problem, sizeof(problem)),
			OPTIONS_WRONG);
		ck_assert_msg(strstr(problem, rows[i].word), "'%s' does not say '%s'", problem,
			rows[i].word);
	}
}
END_TEST

START_TEST(help_names_every_option)
{
	static const char *const names[] = {"--foreground", "--watch", "--exe-dir", "--spool",
		"--upload", "--upload-token", "--ca-file", "--analyzer", "--time-limit",
		"--executable-wait", "--jobs", "--spool-max", "--keep-free", "--retry-min",
		"--stall-timeout", "--max-unpacked", "--verbose", "--version"};
	char *argv[] = {program, help, NULL};
	static struct options options;
	char problem[256];

	ck_assert_int_eq(
		daemon_options_parse(2, argv, &options, problem, sizeof(problem)), OPTIONS_HELP);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(strstr(daemon_options_help(), names[i]), "%s", names[i]);
}
END_TEST

Suite *suite_daemon_setting(void);

Suite *suite_daemon_setting(void)
{
	Suite *suite = suite_create("daemon_setting");
	TCase *tc = tcase_create("daemon_setting");

	tcase_add_test(tc, sizes);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, upload_urls);
	tcase_add_test(tc, command_line);
	tcase_add_test(tc, wrong_command_lines);
	tcase_add_test(tc, help_names_every_option);
	suite_add_tcase(suite, tc);
	return suite;
}
