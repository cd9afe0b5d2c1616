#include "server/options.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
	const char *text;
	bool is_size;
	uint64_t size;
} sizes[] = {
	{"0", true, 0},
	{"512", true, 512},
	{"4K", true, 4096},
	{"512M", true, 512ull << 20},
	{"2g", true, 2ull << 30},
	{"", false, 0},
	{"M", false, 0},
	{"-1", false, 0},
	{"1T", false, 0},
	{"1MB", false, 0},
	{"99999999999999999999", false, 0},
	{"999999999999999G", false, 0},
};

START_TEST(sizes_are_read)
{
	uint64_t size = 0;

	ck_assert_int_eq(server_parse_size(sizes[_i].text, &size), sizes[_i].is_size);
	ck_assert_uint_eq(size, sizes[_i].size);
}
END_TEST

static const struct {
	const char *text;
	int family; // 0: refused
	unsigned int port;
} listens[] = {
	{"127.0.0.1:7070", AF_INET, 7070},
	{"localhost:0", AF_INET, 0},
	{"[::1]:80", AF_INET6, 80},
	{"0.0.0.0:65535", AF_INET, 65535},
	{"", 0, 0},
	{"127.0.0.1", 0, 0},
	{":80", 0, 0},
	{"127.0.0.1:", 0, 0},
	{"127.0.0.1:65536", 0, 0},
	{"127.0.0.1:-1", 0, 0},
	{"example.com:80", 0, 0},
	{"127.0.0.1:8x", 0, 0},
	{"[]:80", 0, 0},
};

START_TEST(addresses_are_read)
{
	struct sockaddr_storage address = {0};
	socklen_t size;
	bool is_read = server_parse_listen(listens[_i].text, &address, &size);

	ck_assert_int_eq(is_read, listens[_i].family != 0);
	if (!is_read)
		return;
	ck_assert_int_eq(address.ss_family, listens[_i].family);
	// The port lies at the same place in both families.
	ck_assert_uint_eq(ntohs(((struct sockaddr_in *)&address)->sin_port), listens[_i].port);
}
END_TEST

static const struct {
	const char *arguments[5];
	const char *error; // NULL: accepted
} lines[] = {
	{{"--data", "d"}, NULL},
	{{"--data", "d", "--max-object", "1M"}, NULL},
	{{"--data=d", "--reindex"}, NULL},
	{{"--version"}, NULL},
	{{"--reindex"}, "--data DIR is missing"},
	{{"--data"}, "--data needs a value"},
	{{"--data", "d", "extra"}, "extra is not an option"},
	{{"--data", "d", "--max-object", "0"}, "0 is not understood"},
	{{"--what"}, "--what is not understood"},
};

START_TEST(command_lines_are_read)
{
	char *argv[7] = {(char[]){"coresnap-server"}};
	struct options options;
	char error[256] = "";
	int argc = 1;

	for (; argc < 6 && lines[_i].arguments[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)lines[_i].arguments[argc - 1];
	ck_assert_int_eq(
		server_options_parse(argc, argv, &options, error, sizeof(error)), !lines[_i].error);
	ck_assert_str_eq(error, lines[_i].error ? lines[_i].error : "");
}
END_TEST

Suite *suite_server_options(void);

Suite *suite_server_options(void)
{
	Suite *suite = suite_create("server_options");
	TCase *tc = tcase_create("options");

	tcase_add_loop_test(tc, sizes_are_read, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(tc, addresses_are_read, 0, sizeof(listens) / sizeof(listens[0]));
	tcase_add_loop_test(tc, command_lines_are_read, 0, sizeof(lines) / sizeof(lines[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
