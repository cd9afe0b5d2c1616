#include "server/store.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static struct store store;

static void setup(void)
{
	strcpy(root, "/tmp/coresnap-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_ptr_null(store_open(&store, root));
}

static void teardown(void)
{
	char command[128];

	store_close(&store);
	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

static enum cs_status put(const char *key, const char *content, bool is_zstd)
{
	struct upload upload;
	struct object object;
	enum cs_status status;

	ck_assert_int_eq(upload_begin(&store, &upload), CS_OK);
	ck_assert_int_eq(upload_append(&upload, content, strlen(content)), CS_OK);
	status = upload_commit(&store, &upload, key, is_zstd, &object);
	if (!status)
		ck_assert_uint_eq(object.size, strlen(content));
	upload_abort(&store, &upload);
	return status;
}

static int entries_of_tmp(void)
{
	DIR *dir = fdopendir(openat(store.tmp_fd, ".", O_RDONLY | O_DIRECTORY));
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

START_TEST(an_object_is_whole_or_absent)
{
	struct upload upload;
	struct object object;
	char bytes[8] = {0};

	ck_assert_int_eq(store_find(&store, "p/a.json", &object), CS_NOT_FOUND);
	ck_assert_int_eq(upload_begin(&store, &upload), CS_OK);
	ck_assert_int_eq(upload_append(&upload, "hal", 3), CS_OK);
	ck_assert_int_eq(store_find(&store, "p/a.json", &object), CS_NOT_FOUND);
	upload_abort(&store, &upload);
	upload_abort(&store, &upload);
	ck_assert_int_eq(entries_of_tmp(), 0);
	ck_assert_int_eq(put("p/a.json", "whole", false), CS_OK);
	ck_assert_int_eq(entries_of_tmp(), 0);
	ck_assert_int_eq(store_find(&store, "p/a.json", &object), CS_OK);
	ck_assert_int_eq(read(object.fd, bytes, sizeof(bytes)), 5);
	ck_assert_str_eq(bytes, "whole");
	ck_assert_int_lt(write(object.fd, "x", 1), 0);
	ck_assert(!object.is_zstd);
	close(object.fd);
}
END_TEST

START_TEST(a_key_is_taken_once)
{
	struct object object;

	ck_assert_int_eq(put("a.json", "1", true), CS_OK);
	ck_assert_int_eq(put("a.json", "1", true), CS_REFUSED);
	ck_assert_int_eq(put("a.json", "2", false), CS_REFUSED);
	ck_assert_int_eq(put("b.json", "1", false), CS_OK);
	ck_assert_int_eq(put("b.json/c.json", "1", false), CS_MISMATCH);
	ck_assert_int_eq(put("d.e/f.json", "1", false), CS_OK);
	ck_assert_int_eq(put("d.e", "1", false), CS_MISMATCH);
	ck_assert_int_eq(entries_of_tmp(), 0);
	ck_assert_int_eq(store_find(&store, "a.json", &object), CS_OK);
	ck_assert(object.is_zstd);
	close(object.fd);
	ck_assert_int_eq(store_find(&store, "d.e", &object), CS_NOT_FOUND);
}
END_TEST

static bool join(void *context, const char *key)
{
	strcat(context, key);
	strcat(context, " ");
	return !strstr(context, "stop");
}

START_TEST(a_walk_names_every_key)
{
	char keys[256] = "";

	ck_assert_int_eq(put("x/y/z.json", "1", true), CS_OK);
	ck_assert_int_eq(put("b.json", "1", false), CS_OK);
	ck_assert_int_eq(store_each(&store, join, keys), CS_OK);
	ck_assert_uint_eq(strlen(keys), strlen("x/y/z.json b.json "));
	ck_assert_ptr_nonnull(strstr(keys, "x/y/z.json "));
	ck_assert_ptr_nonnull(strstr(keys, "b.json "));
}
END_TEST

START_TEST(a_directory_has_one_master_and_is_private)
{
	struct store second;
	struct upload left_over;
	struct stat st;

	ck_assert_ptr_nonnull(store_open(&second, root));
	ck_assert_int_eq(stat(root, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(upload_begin(&store, &left_over), CS_OK);
	close(left_over.fd);
	store_close(&store);
	ck_assert_ptr_null(store_open(&store, root));
	ck_assert_int_eq(entries_of_tmp(), 0);
	ck_assert_ptr_nonnull(store_open(&second, "/nonexistent/a/b"));
}
END_TEST

START_TEST(files_are_compared_to_their_ends)
{
	int a = store_scratch(&store), b = store_scratch(&store);

	ck_assert(files_are_equal(a, b));
	ck_assert_int_eq(write(a, "same", 4), 4);
	ck_assert(!files_are_equal(a, b));
	ck_assert_int_eq(write(b, "sam", 3), 3);
	ck_assert(!files_are_equal(a, b));
	ck_assert_int_eq(write(b, "e", 1), 1);
	ck_assert(files_are_equal(a, b));
	ck_assert_int_eq(ftruncate(a, 200000) + ftruncate(b, 200000), 0);
	ck_assert(files_are_equal(a, b));
	ck_assert_int_eq(pwrite(b, "x", 1, 199999), 1);
	ck_assert(!files_are_equal(a, b));
	ck_assert_int_eq(entries_of_tmp(), 0);
	close(a);
	close(b);
}
END_TEST

Suite *suite_server_store(void);

Suite *suite_server_store(void)
{
	Suite *suite = suite_create("server_store");
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_object_is_whole_or_absent);
	tcase_add_test(tc, a_key_is_taken_once);
	tcase_add_test(tc, a_walk_names_every_key);
	tcase_add_test(tc, a_directory_has_one_master_and_is_private);
	tcase_add_test(tc, files_are_compared_to_their_ends);
	suite_add_tcase(suite, tc);
	return suite;
}
