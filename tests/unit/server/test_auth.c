#include "server/auth.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "correct-horse-battery"

static const char *load(struct auth *auth, const char *content)
{
	char name[] = "/tmp/coresnap-token-XXXXXX";
	int fd = mkstemp(name);
	const char *wrong;

	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	*auth = (struct auth){0};
	wrong = auth_load(auth, name);
	unlink(name);
	return wrong;
}

static const struct {
	const char *header;
	bool is_allowed;
} headers[] = {
	{"Bearer " TOKEN, true},
	{"bearer " TOKEN, true},
	{"Basic bWU6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", true}, // me:TOKEN
	{"Basic OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", true}, // :TOKEN
	{NULL, false},
	{"", false},
	{"Bearer", false},
	{"Bearer ", false},
	{"Bearer " TOKEN "x", false},
	{"Bearer correct-horse-batter", false},
	{TOKEN, false},
	{"Basic ", false},
	{"Basic ====", false},
	{"Basic !!!!", false},
	{"Basic bWU6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ", false}, // not a multiple of four
	{"Basic Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", false},    // no colon
	{"Digest " TOKEN, false},
};

START_TEST(only_the_token_opens)
{
	struct auth auth;

	ck_assert_ptr_null(load(&auth, TOKEN "\nsecond line\n"));
	ck_assert_int_eq(auth_allows(&auth, headers[_i].header), headers[_i].is_allowed);
	auth.has_token = false;
	ck_assert(auth_allows(&auth, headers[_i].header));
}
END_TEST

START_TEST(poor_tokens_are_refused)
{
	char large[1100];
	struct auth auth;

	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = 0;
	ck_assert_ptr_nonnull(load(&auth, ""));
	ck_assert_ptr_nonnull(load(&auth, "short\n"));
	ck_assert_ptr_nonnull(load(&auth, "\n" TOKEN "\n"));
	ck_assert_ptr_nonnull(load(&auth, large));
	ck_assert_ptr_nonnull(auth_load(&auth, "/nonexistent"));
	ck_assert(!auth.has_token);
}
END_TEST

static const struct {
	const char *host;
	bool is_loopback;
} hosts[] = {
	{"localhost", true},
	{"LOCALHOST:80", true},
	{"127.0.0.1:7070", true},
	{"127.9.9.9", true},
	{"[::1]:7070", true},
	{"[::1]", true},
	{"evil.example", false},
	{"localhost.evil.example", false},
	{"127.0.0.1.evil.example", false},
	{"10.0.0.1:7070", false},
	{"[::2]:7070", false},
	{"[::1", false},
	{"", false},
	{"0127.0.0.1", false},
};

START_TEST(hosts_are_told_apart)
{
	ck_assert_int_eq(host_is_loopback(hosts[_i].host), hosts[_i].is_loopback);
}
END_TEST

START_TEST(addresses_are_told_apart)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	ck_assert(!address_is_loopback((struct sockaddr *)&in));
	in.sin_addr.s_addr = htonl(0x7f000002);
	ck_assert(address_is_loopback((struct sockaddr *)&in));
	ck_assert(!address_is_loopback((struct sockaddr *)&in6));
	in6.sin6_addr = in6addr_loopback;
	ck_assert(address_is_loopback((struct sockaddr *)&in6));
}
END_TEST

Suite *suite_server_auth(void);

Suite *suite_server_auth(void)
{
	Suite *suite = suite_create("server_auth");
	TCase *tc = tcase_create("auth");

	tcase_add_loop_test(tc, only_the_token_opens, 0, sizeof(headers) / sizeof(headers[0]));
	tcase_add_test(tc, poor_tokens_are_refused);
	tcase_add_loop_test(tc, hosts_are_told_apart, 0, sizeof(hosts) / sizeof(hosts[0]));
	tcase_add_test(tc, addresses_are_told_apart);
	suite_add_tcase(suite, tc);
	return suite;
}
