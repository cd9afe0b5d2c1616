// A store in a directory of its own: what is in it afterwards, and what a failure leaves behind.
#include "analyzer/store.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GNU_PATH ".build-id/ab/cdef"
#define GO_PATH "go/x%2Fy"

static char root[64], store[80];

static void make_root(void)
{
	strcpy(root, "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(store, sizeof(store), "%s/new/store", root);
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

/** A file of 200,000 bytes that begins with `text`. */
static int make_file(const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/app", root);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0750);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(ftruncate(fd, 200000), 0);
	return fd;
}

static struct stat expect(const char *name, const char *text)
{
	char path[256], bytes[16] = "";
	struct stat status;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", store, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s is not there", path);
	ck_assert_int_eq(read(fd, bytes, strlen(text)), (ssize_t)strlen(text));
	ck_assert_str_eq(bytes, text);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq(status.st_size, 200000);
	ck_assert_int_eq(status.st_mode & 07777, 0550);
	close(fd);
	return status;
}

static int files;

static int count(const char *path, const struct stat *status, int kind, struct FTW *state)
{
	(void)path, (void)status, (void)state;
	files += kind == FTW_F;
	return 0;
}

static int count_files(void)
{
	files = 0;
	nftw(store, count, 8, FTW_PHYS);
	return files;
}

START_TEST(a_file_has_a_name_for_each_id)
{
	struct channel_message identity = {
		.file = FILE_EXECUTABLE, .gnu_build_id = "abcdef", .go_build_id = "x/y"};
	struct store_names names;
	struct stat by_gnu, by_go;
	char why[256] = "";

	// Twice: the second one replaces the first.
	for (int turn = 0; turn < 2; turn++) {
		const char *text = turn ? "newer" : "older";
		int fd = make_file(text);

		ck_assert_msg(!store_add(store, fd, &identity, &names, why), "%s", why);
		ck_assert_str_eq(names.rows[0], GNU_PATH);
		ck_assert_str_eq(names.rows[1], GO_PATH);
		by_gnu = expect(GNU_PATH, text);
		by_go = expect(GO_PATH, text);
		ck_assert_uint_eq(by_gnu.st_ino, by_go.st_ino);
		// What happens to the original is nothing to the copy.
		ck_assert_int_eq(pwrite(fd, "other", 5, 0), 5);
		expect(GNU_PATH, text);
		close(fd);
	}
	ck_assert_int_eq(count_files(), 2);
	identity.file = FILE_DEBUG;
	ck_assert_int_eq(store_add(store, make_file("debug"), &identity, &names, why), CS_OK);
	expect(GNU_PATH ".debug", "debug");
	expect(GO_PATH ".debug", "debug");
	expect(GNU_PATH, "newer");
	ck_assert_int_eq(count_files(), 4);
}
END_TEST

START_TEST(one_id_is_enough_and_none_is_not)
{
	static const struct {
		const char *gnu, *go;
		int files;
	} rows[] = {{"abcdef", "", 1}, {"", "x/y", 1}, {"abcdef", "redacted", 1},
		{"", "redacted", 0}, {"", "", 0}, {"../x", "", 0}};
	struct channel_message identity = {.file = FILE_EXECUTABLE};
	struct store_names names;
	char why[256] = "";
	enum cs_status status;

	channel_set(identity.gnu_build_id, sizeof(identity.gnu_build_id), rows[_i].gnu);
	channel_set(identity.go_build_id, sizeof(identity.go_build_id), rows[_i].go);
	status = store_add(store, make_file("text"), &identity, &names, why);
	ck_assert_int_eq(status, rows[_i].files ? CS_OK : CS_REFUSED);
	ck_assert_int_eq(count_files(), rows[_i].files);
	if (status)
		ck_assert_str_eq(why, "has no build id that tells it from other builds");
}
END_TEST

START_TEST(a_failure_leaves_nothing)
{
	struct channel_message identity = {.file = FILE_EXECUTABLE, .gnu_build_id = "abcdef"};
	struct store_names names;
	char why[256] = "", path[256];
	int fd;

	// A directory where the file should go, a file where a directory should.
	snprintf(path, sizeof(path), "%s/new", root);
	mkdir(path, 0755);
	mkdir(store, 0755);
	fd = make_file("text");
	snprintf(path, sizeof(path), "%s/.build-id", store);
	mkdir(path, 0755);
	strcat(path, "/ab");
	mkdir(path, 0755);
	strcat(path, "/cdef");
	mkdir(path, 0755);
	ck_assert_int_eq(store_add(store, fd, &identity, &names, why), CS_IO);
	ck_assert_msg(strstr(why, "cdef: Is a directory"), "%s", why);
	ck_assert_int_eq(count_files(), 0);
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	ck_assert_int_eq(store_add(store, fd, &identity, &names, why), CS_IO);
	ck_assert_msg(strstr(why, "Not a directory"), "%s", why);
	ck_assert_int_eq(count_files(), 1);
	close(fd);
}
END_TEST

Suite *suite_binary_store(void);

Suite *suite_binary_store(void)
{
	Suite *suite = suite_create("binary_store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, make_root, drop_root);
	tcase_add_test(tcase, a_file_has_a_name_for_each_id);
	tcase_add_loop_test(tcase, one_id_is_enough_and_none_is_not, 0, 6);
	tcase_add_test(tcase, a_failure_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
