// A tree in which every place has a file: the order in which they are found is the order of search.
#include "analyzer/search.h"

#include "analyzer/binary/debug.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ELF_HEAD "\177ELF, as far as anybody looks"
#define GNU_ID "abcdef0123"
#define GNU_PATH ".build-id/ab/cdef0123"
#define GO_ID "x/y"
#define GO_PATH "go/x%2Fy"

static char root[64];

static void make_root(void)
{
	strcpy(root, "/tmp/test_search.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static int drop(const char *path, const struct stat *status, int kind, struct FTW *state)
{
	(void)status, (void)kind, (void)state;
	return remove(path);
}

static void drop_root(void)
{
	ck_assert_int_eq(nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/** A file at the absolute `path`, with the directories above it. */
static void put(const char *path, const char *text)
{
	char copy[MAX_PATH_LENGTH];
	int fd;

	strcpy(copy, path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/** %R is the root. */
static void expand(char *to, size_t size, const char *pattern)
{
	char *end = to + size;

	for (; *pattern && to + sizeof(root) < end; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'R') {
			to = stpcpy(to, root);
			pattern++;
		} else {
			*to++ = *pattern;
		}
	}
	*to = '\0';
}

struct found {
	const char *path;
	enum debug_source source;
};

/** Puts every file, asks place after place, and expects just them, in their order. */
static void expect(const struct search *search, const struct channel_message *question,
	const char *executable, const struct found *expected, size_t count)
{
	struct channel_message next = *question, reply;
	char path[MAX_PATH_LENGTH];
	int fd;

	for (size_t i = 0; i < count; i++) {
		expand(path, sizeof(path), expected[i].path);
		put(path, ELF_HEAD);
	}
	for (size_t i = 0; i < count; i++) {
		expand(path, sizeof(path), expected[i].path);
		ck_assert_int_eq(search_find(search, &next, executable, &reply, &fd), CS_OK);
		close(fd);
		ck_assert_str_eq(reply.path, path);
		ck_assert_uint_eq(reply.source, expected[i].source);
		ck_assert_uint_eq(reply.kind, CHANNEL_FILE);
		next.place = reply.place + 1;
	}
	ck_assert_int_eq(search_find(search, &next, executable, &reply, &fd), CS_NOT_FOUND);
	ck_assert_uint_eq(reply.kind, CHANNEL_NONE);
	ck_assert_uint_ge(reply.place, next.place);
}

#define EXPECT(search, question, executable, expected)                                             \
	expect(search, question, executable, expected, sizeof(expected) / sizeof((expected)[0]))

/** Two directories of each kind; `texts` keeps their names. */
static struct search make_search(char texts[4][128])
{
	struct search search = {.exe_dir_count = 2, .debug_dir_count = 2};

	for (int i = 0; i < 4; i++)
		snprintf(texts[i], sizeof(texts[i]), "%s/%s%d", root, i < 2 ? "exe" : "debug",
			i % 2 + 1);
	for (int i = 0; i < 2; i++) {
		search.exe_dirs[i] = texts[i];
		search.debug_dirs[i] = texts[2 + i];
	}
	return search;
}

static struct channel_message ask(enum channel_want want, const char *pattern)
{
	struct channel_message question = {
		.want = want, .gnu_build_id = GNU_ID, .go_build_id = GO_ID};

	expand(question.path, sizeof(question.path), pattern);
	return question;
}

START_TEST(executables_are_searched_in_order)
{
	static const struct found expected[] = {
		{"%R/opt/app", DEBUG_LINK},
		{"%R/exe1/" GNU_PATH, DEBUG_BUILD_ID},
		{"%R/exe1/" GO_PATH, DEBUG_BUILD_ID},
		{"%R/exe1/app", DEBUG_LINK},
		{"%R/exe2/" GNU_PATH, DEBUG_BUILD_ID},
		{"%R/exe2/" GO_PATH, DEBUG_BUILD_ID},
		{"%R/exe2/app", DEBUG_LINK},
		{"%R/debug1/" GNU_PATH, DEBUG_BUILD_ID},
		{"%R/debug2/" GNU_PATH, DEBUG_BUILD_ID},
	};
	char texts[4][128];
	struct search search = make_search(texts);
	struct channel_message question = ask(_i ? WANT_LIBRARY : WANT_EXECUTABLE, "%R/opt/app");

	EXPECT(&search, &question, "", expected);
}
END_TEST

/** Where the core says, below the root of another file system, and never in this one's. */
START_TEST(a_root_goes_before_the_core_s_path)
{
	static const struct found expected[] = {
		{"%R/sysroot%R/opt/app", DEBUG_LINK},
		{"%R/exe1/" GNU_PATH, DEBUG_BUILD_ID},
	};
	char texts[4][128], sysroot[128], here[128];
	struct search search = make_search(texts);
	struct channel_message question = ask(_i ? WANT_LIBRARY : WANT_EXECUTABLE, "%R/opt/app");
	struct channel_message reply;
	int fd;

	expand(sysroot, sizeof(sysroot), "%R/sysroot");
	expand(here, sizeof(here), "%R/opt/app");
	put(here, ELF_HEAD);
	search.sysroot = sysroot;
	EXPECT(&search, &question, "", expected);
	question.place = 0;
	search.exe_dir_count = search.debug_dir_count = 0;
	channel_set(question.path, sizeof(question.path), "opt/app");
	ck_assert_int_eq(search_find(&search, &question, "", &reply, &fd), CS_NOT_FOUND);
	ck_assert_str_eq(reply.text, "is not an absolute path");
}
END_TEST

START_TEST(debug_files_are_searched_in_order)
{
	static const struct found expected[] = {
		{"%R/debug1/" GNU_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/debug2/" GNU_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/exe1/" GNU_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/exe1/" GO_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/exe2/" GNU_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/exe2/" GO_PATH ".debug", DEBUG_BUILD_ID},
		{"%R/opt/link", DEBUG_LINK},
		{"%R/opt/.debug/link", DEBUG_LINK},
		{"%R/debug1%R/opt/link", DEBUG_LINK},
		{"%R/debug2%R/opt/link", DEBUG_LINK},
		{"%R/exe1/link", DEBUG_LINK},
		{"%R/exe2/link", DEBUG_LINK},
	};
	char texts[4][128], executable[128];
	struct search search = make_search(texts);
	struct channel_message question = ask(WANT_DEBUG, "link");

	expand(executable, sizeof(executable), "%R/opt/app");
	put(executable, ELF_HEAD);
	EXPECT(&search, &question, executable, expected);
}
END_TEST

/** Whatever a file says of itself, it names no file elsewhere. */
START_TEST(hostile_names_lead_nowhere)
{
	static const char *const links[] = {"../secret", "/%R/secret", "..", ".", "a/../../secret",
		".debug/../../secret", "../opt/../secret"};
	char texts[4][128], executable[128], secret[128];
	struct search search = make_search(texts);
	struct channel_message question = ask(WANT_DEBUG, links[_i]), reply;
	int fd;

	expand(executable, sizeof(executable), "%R/opt/app");
	expand(secret, sizeof(secret), "%R/secret");
	put(executable, ELF_HEAD);
	put(secret, ELF_HEAD);
	channel_set(question.gnu_build_id, sizeof(question.gnu_build_id), "ab/../../../secret");
	channel_set(question.go_build_id, sizeof(question.go_build_id), "../../secret");
	ck_assert_int_eq(search_find(&search, &question, executable, &reply, &fd), CS_NOT_FOUND);
	question.want = WANT_EXECUTABLE;
	channel_set(question.path, sizeof(question.path), "../secret");
	ck_assert_int_eq(search_find(&search, &question, "", &reply, &fd), CS_NOT_FOUND);
	ck_assert_str_eq(reply.text, "is not an absolute path");
}
END_TEST

/** Without a link the name is the executable's with .debug, beside where it really lies. */
START_TEST(links_of_the_executable_are_followed)
{
	static const struct found expected[] = {{"%R/real/app.debug", DEBUG_LINK}};
	char link[128], real[128];
	struct search search = {.exe_dir_count = 0};
	struct channel_message question = ask(WANT_DEBUG, "");

	expand(real, sizeof(real), "%R/real/app");
	expand(link, sizeof(link), "%R/app");
	put(real, ELF_HEAD);
	ck_assert_int_eq(symlink(real, link), 0);
	EXPECT(&search, &question, link, expected);
}
END_TEST

/** Only ELF files are handed out, and the reason is that of the first place. */
START_TEST(other_files_are_passed_over)
{
	static const struct found expected[] = {{"%R/exe2/app", DEBUG_LINK}};
	char texts[4][128], path[128];
	struct search search = make_search(texts);
	struct channel_message question = ask(WANT_EXECUTABLE, "%R/opt/app"), reply;
	int fd;

	expand(path, sizeof(path), "%R/opt/app");
	put(path, "#!/bin/sh\n");
	expand(path, sizeof(path), "%R/exe1/app/a-directory");
	put(path, ELF_HEAD);
	ck_assert_int_eq(search_find(&search, &question, "", &reply, &fd), CS_NOT_FOUND);
	ck_assert_str_eq(reply.text, "is not an ELF file");
	EXPECT(&search, &question, "", expected);
}
END_TEST

START_TEST(no_more_places_than_there_may_be)
{
	struct search search = {
		.exe_dir_count = MAX_SEARCH_DIRECTORIES, .debug_dir_count = MAX_SEARCH_DIRECTORIES};
	struct channel_message question = ask(WANT_EXECUTABLE, "%R/opt/app"), reply;
	int fd;

	for (size_t i = 0; i < MAX_SEARCH_DIRECTORIES; i++)
		search.exe_dirs[i] = search.debug_dirs[i] = root;
	ck_assert_int_eq(search_find(&search, &question, "", &reply, &fd), CS_NOT_FOUND);
	ck_assert_uint_le(reply.place, MAX_SEARCH_PLACES);
	question.place = UINT32_MAX;
	ck_assert_int_eq(search_find(&search, &question, "", &reply, &fd), CS_NOT_FOUND);
}
END_TEST

Suite *suite_search(void);

Suite *suite_search(void)
{
	Suite *suite = suite_create("search");
	TCase *tcase = tcase_create("places");

	tcase_add_checked_fixture(tcase, make_root, drop_root);
	tcase_add_loop_test(tcase, executables_are_searched_in_order, 0, 2);  // libraries, too
	tcase_add_loop_test(tcase, a_root_goes_before_the_core_s_path, 0, 2); // libraries, too
	tcase_add_test(tcase, debug_files_are_searched_in_order);
	tcase_add_loop_test(tcase, hostile_names_lead_nowhere, 0, 7);
	tcase_add_test(tcase, links_of_the_executable_are_followed);
	tcase_add_test(tcase, other_files_are_passed_over);
	tcase_add_test(tcase, no_more_places_than_there_may_be);
	suite_add_tcase(suite, tcase);
	return suite;
}
