#include "server/key.h"

#include "common/limits.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *key;
	bool is_valid, is_snapshot;
} keys[] = {
	{"a.json", true, true},
	{"prod/eu-1/0123.json", true, true},
	{"prod/0123.trace", true, false},
	{"a..b/c.json", true, true},
	{"a.json/b.json", true, true},
	{"", false, false},
	{"a", false, false},
	{"a.b/c", false, false},
	{"/a.json", false, false},
	{"a//b.json", false, false},
	{"a/b.json/", false, false},
	{".json", false, false},
	{"..", false, false},
	{"../a.json", false, false},
	{"a/../b.json", false, false},
	{"a/./b.json", false, false},
	{"a+zstd.json", false, false},
	{"a b.json", false, false},
	{"\xc3\xa4.json", false, false},
	{"a\n.json", false, false},
};

START_TEST(keys_are_checked)
{
	ck_assert_int_eq(key_is_valid(keys[_i].key), keys[_i].is_valid);
	if (keys[_i].is_valid)
		ck_assert_int_eq(key_is_snapshot(keys[_i].key), keys[_i].is_snapshot);
}
END_TEST

START_TEST(lengths_are_bounded)
{
	char key[MAX_OBJECT_KEY + 2];

	memset(key, 'a', sizeof(key));
	key[MAX_OBJECT_KEY_PART - 2] = '.';
	key[MAX_OBJECT_KEY_PART] = 0;
	ck_assert(key_is_valid(key));
	key[MAX_OBJECT_KEY_PART] = 'a';
	key[MAX_OBJECT_KEY_PART + 1] = 0;
	ck_assert(!key_is_valid(key));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i % 2 ? '/' : 'a';
	key[MAX_OBJECT_KEY - 3] = '/';
	memcpy(key + MAX_OBJECT_KEY - 2, "a.", 3);
	ck_assert(key_is_valid(key));
	memcpy(key + MAX_OBJECT_KEY - 2, "a.b", 4);
	ck_assert(!key_is_valid(key));
}
END_TEST

START_TEST(ids_are_words)
{
	ck_assert(id_is_valid("0123abcdef_-Z", 13));
	ck_assert(!id_is_valid("", 0));
	ck_assert(!id_is_valid("a/b", 3));
	ck_assert(!id_is_valid("a.b", 3));
	ck_assert(!id_is_valid("a\"b", 3));
	ck_assert(!id_is_valid("0123456789012345678901234567890123456789012345678901234567890123x",
		MAX_SNAPSHOT_ID + 1));
}
END_TEST

Suite *suite_server_key(void);

Suite *suite_server_key(void)
{
	Suite *suite = suite_create("server_key");
	TCase *tc = tcase_create("key");

	tcase_add_loop_test(tc, keys_are_checked, 0, sizeof(keys) / sizeof(keys[0]));
	tcase_add_test(tc, lengths_are_bounded);
	tcase_add_test(tc, ids_are_words);
	suite_add_tcase(suite, tc);
	return suite;
}
