#include "server/catalog.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static struct catalog catalog;
static struct arena arena;

static void setup(void)
{
	int fd;

	strcpy(path, "/tmp/coresnap-catalog-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	arena_init(&arena, 0);
	ck_assert_int_eq(catalog_open(&catalog, path), CS_OK);
}

static void teardown(void)
{
	catalog_close(&catalog);
	arena_deinit(&arena);
	unlink(path);
}

static void put(const char *key, int64_t received_ns, const char *title)
{
	struct snapshot_row row = {
		.key = key, .received_ns = received_ns, .size = 7, .goroutines = 3};

	for (int i = 0; i < ROW_TEXT_COUNT; i++)
		row.texts[i] = "";
	row.texts[ROW_ID] = key;
	row.texts[ROW_TITLE] = title;
	row.texts[ROW_HOST] = "a_host%";
	ck_assert_int_eq(catalog_put(&catalog, &row), CS_OK);
}

/** The keys of a list, one letter each. */
static const char *list(const struct catalog_query *query)
{
	struct snapshot_row *rows;
	static char keys[64];
	size_t count;

	ck_assert_int_eq(catalog_list(&catalog, query, &arena, &rows, &count), CS_OK);
	for (size_t i = 0; i < count; i++)
		keys[i] = rows[i].key[0];
	keys[count] = 0;
	return keys;
}

START_TEST(lists_newest_first_in_pages)
{
	put("a", 10, "one");
	put("b", 20, "two");
	put("c", 20, "three");
	put("d", 5, "four");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9}), "cbad");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 1}), "cb");
	ck_assert_str_eq(
		list(&(struct catalog_query){.limit = 9, .after_ns = 20, .after_key = "c"}), "bad");
	ck_assert_str_eq(
		list(&(struct catalog_query){.limit = 9, .after_ns = 5, .after_key = "d"}), "");
	ck_assert_uint_eq(catalog_count(&catalog), 4);
	put("a", 30, "one again");
	ck_assert_uint_eq(catalog_count(&catalog), 4);
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9}), "acbd");
}
END_TEST

START_TEST(search_takes_every_sign_for_itself)
{
	put("a", 10, "panic: 100% in x");
	put("b", 20, "panic: 100 in x_y\\z");
	put("c", 30, "PANIC: '; DROP TABLE snapshot; --");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "panic"}), "cba");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "0%"}), "a");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "x_"}), "b");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "y\\"}), "b");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "'; drop"}), "c");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "T%"}), "cba");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = "absent"}), "");
	ck_assert_str_eq(list(&(struct catalog_query){.limit = 9, .search = ""}), "cba");
}
END_TEST

static bool is_b(void *context, const char *key)
{
	(void)context;
	return *key == 'b';
}

START_TEST(rows_are_found_and_pruned)
{
	size_t removed;

	put("a", 10, "");
	put("b", 20, "");
	ck_assert_str_eq(catalog_find(&catalog, "b", &arena), "b");
	ck_assert_ptr_null(catalog_find(&catalog, "x' OR 1=1", &arena));
	ck_assert(catalog_has(&catalog, "b"));
	ck_assert_int_eq(catalog_prune(&catalog, is_b, NULL, &removed), CS_OK);
	ck_assert_uint_eq(removed, 1);
	ck_assert(!catalog_has(&catalog, "b"));
	ck_assert(catalog_has(&catalog, "a"));
}
END_TEST

START_TEST(a_file_that_is_no_catalog_is_refused)
{
	struct catalog other;
	char name[] = "/tmp/coresnap-catalog-XXXXXX", bytes[20000];
	int fd = mkstemp(name);

	memset(bytes, 'x', sizeof(bytes));
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	ck_assert_int_eq(catalog_open(&other, name), CS_CORRUPT);
	unlink(name);
	ck_assert_int_eq(catalog_open(&other, "/nonexistent/catalog"), CS_CORRUPT);
}
END_TEST

Suite *suite_server_catalog(void);

Suite *suite_server_catalog(void)
{
	Suite *suite = suite_create("server_catalog");
	TCase *tc = tcase_create("catalog");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lists_newest_first_in_pages);
	tcase_add_test(tc, search_takes_every_sign_for_itself);
	tcase_add_test(tc, rows_are_found_and_pruned);
	tcase_add_test(tc, a_file_that_is_no_catalog_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
