// A directory of its own for each test: what is in it afterwards is what a user would find.
#include "analyzer/output.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[128], why[256];

static void make_directory(void)
{
	strcpy(directory, "/tmp/test_output.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/out", directory);
}

static void drop_directory(void)
{
	unlink(path);
	ck_assert_msg(!rmdir(directory), "something was left in %s", directory);
}

static int count_files(void)
{
	DIR *dir = opendir(directory);
	int count = -2; // "." and ".."

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void put(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void expect(const char *text)
{
	char found[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, found, sizeof(found) - 1), 0);
	ck_assert_str_eq(found, text);
	close(fd);
}

START_TEST(file_appears_when_committed)
{
	struct output output;
	struct stat status;

	put("old");
	ck_assert_int_eq(output_open(path, &output, why, sizeof(why)), CS_OK);
	ck_assert_int_eq(write(output.fd, "first attempt", 13), 13);
	ck_assert_int_eq(output_reset(&output), CS_OK);
	ck_assert_int_eq(write(output.fd, "second", 6), 6);
	expect("old");
	ck_assert_int_eq(output_commit(&output), CS_OK);
	output_close(&output);
	expect("second");
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

START_TEST(file_is_dropped_when_closed)
{
	struct output output;

	put("old");
	ck_assert_int_eq(output_open(path, &output, why, sizeof(why)), CS_OK);
	ck_assert_int_eq(count_files(), 2);
	output_close(&output);
	output_close(&output); // harmless
	expect("old");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

START_TEST(failed_rename_leaves_nothing)
{
	struct output output;

	ck_assert_int_eq(output_open(path, &output, why, sizeof(why)), CS_OK);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(output_commit(&output), CS_IO);
	ck_assert_int_eq(errno, EISDIR);
	output_close(&output);
	ck_assert_int_eq(count_files(), 1);
	rmdir(path);
}
END_TEST

START_TEST(fifo_is_written_into)
{
	struct output output;
	char text[16] = "";
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_eq(output_open(path, &output, why, sizeof(why)), CS_OK);
	ck_assert_int_eq(write(output.fd, "whole", 5), 5);
	ck_assert_int_lt(read(reader, text, sizeof(text)), 0);
	ck_assert_int_eq(output_commit(&output), CS_OK);
	ck_assert_int_eq(read(reader, text, sizeof(text)), 5);
	ck_assert_str_eq(text, "whole");
	output_close(&output);
	close(reader);
}
END_TEST

START_TEST(link_is_replaced)
{
	struct output output;
	struct stat status;

	ck_assert_int_eq(symlink("/nonexistent/elsewhere", path), 0);
	ck_assert_int_eq(output_open(path, &output, why, sizeof(why)), CS_OK);
	ck_assert_int_eq(output_commit(&output), CS_OK);
	output_close(&output);
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
}
END_TEST

START_TEST(bad_places_are_refused)
{
	struct output output;

	ck_assert_int_eq(output_open("/nonexistent/out", &output, why, sizeof(why)), CS_IO);
	ck_assert_str_eq(why, "No such file or directory");
	ck_assert_int_eq(output_open(directory, &output, why, sizeof(why)), CS_IO);
	ck_assert_str_eq(why, "Is a directory");
	ck_assert_int_eq(output_open("", &output, why, sizeof(why)), CS_IO);
	ck_assert_str_eq(why, "names no file");
	ck_assert_int_eq(output_open("/nonexistent/", &output, why, sizeof(why)), CS_IO);
	ck_assert_str_eq(why, "names no file");
}
END_TEST

Suite *suite_output(void);

Suite *suite_output(void)
{
	Suite *suite = suite_create("output");
	TCase *tc = tcase_create("output");

	tcase_add_checked_fixture(tc, make_directory, drop_directory);
	tcase_add_test(tc, file_appears_when_committed);
	tcase_add_test(tc, file_is_dropped_when_closed);
	tcase_add_test(tc, failed_rename_leaves_nothing);
	tcase_add_test(tc, fifo_is_written_into);
	tcase_add_test(tc, link_is_replaced);
	tcase_add_test(tc, bad_places_are_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
