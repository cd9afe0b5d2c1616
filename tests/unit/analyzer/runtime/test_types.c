// Types by their descriptors: names, what each kind adds, what contradicts itself.
#include "analyzer/runtime/types.h"

#include "tests/lib/mktypes.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(descriptors)
{
	static const struct {
		const char *name, *expected;
		uint64_t kind, size;
		bool is_type;
	} rows[] = {{"int", "int", GO_INT, 8, true}, {"*main.T", "main.T", GO_STRUCT, 8, true},
		{"map[string]int", "map[string]int", GO_MAP, 8, true},
		{"int", "int", GO_INT | 0x60, 8, true}, // kindGCProg, kindDirectIface until 1.23
		{"int", NULL, GO_INT, 4, false}, {"[]int", NULL, GO_SLICE, 8, false},
		{"int", NULL, 27, 8, false}, {"int", NULL, 0, 8, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr at = mkruntime_type(m, rows[i].name, rows[i].kind, rows[i].size);
		struct type *type;

		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		type = types_at(m->types, at);
		ck_assert_msg((type != NULL) == rows[i].is_type, "%zu", i);
		if (type) {
			ck_assert_str_eq(type->name, rows[i].expected);
			ck_assert_uint_eq(type->kind, rows[i].kind & 31);
			ck_assert_uint_eq(type->size, rows[i].size);
			ck_assert_uint_eq(type->descriptor, at);
			ck_assert_ptr_eq(type, types_at(m->types, at));
			ck_assert_int_eq(types_is_direct(type), rows[i].kind >> 5 & 1);
		}
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(what_is_no_descriptor)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr type = mkruntime_type(m, "int", GO_INT, 8);

	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_ptr_null(types_at(m->types, 0));
	ck_assert_ptr_null(types_at(m->types, m->rt->modules[0].etypes));
	ck_assert_ptr_null(types_at(m->types, m->rt->modules[0].types - 8));
	ck_assert_ptr_null(
		types_at(m->types, m->rt->modules[0].etypes - 8)); // its end is not in the core
	ck_assert_ptr_null(types_at(m->types, type + 4));
	mkruntime_set(m, type, TYPE_STR, UINT32_MAX);
	ck_assert_ptr_null(types_at(m->types, type));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(fields_lie_one_behind_the_other)
{
	static const struct {
		uint64_t sizes[3], offsets[3], size;
		bool is_type;
	} rows[] = {{{1, 8, 1}, {0, 8, 16}, 24, true}, {{1, 1, 8}, {0, 1, 8}, 16, true},
		{{8, 8, 8}, {0, 16, 32}, 40, false}, // each twice as far, by another release
		{{8, 8, 8}, {0, 4, 8}, 24, false},   // each half as far
		{{1, 8, 1}, {0, 8, 15}, 24, false}, {{8, 8, 8}, {8, 16, 24}, 32, false},
		{{1, 1, 8}, {0, 1, 16}, 8, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		struct mktypes_field fields[4] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
		target_addr at;

		for (int k = 0; k < 3; k++) {
			bool is_byte = rows[i].sizes[k] == 1;

			fields[k].type = mkruntime_type(m, is_byte ? "uint8" : "int",
				is_byte ? GO_UINT8 : GO_INT, rows[i].sizes[k]);
			mkruntime_set(m, fields[k].type, TYPE_ALIGN, rows[i].sizes[k]);
			fields[k].offset = rows[i].offsets[k];
		}
		at = mktypes_struct(m, "main.T", rows[i].size, fields);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_msg((types_at(m->types, at) != NULL) == rows[i].is_type, "%zu", i);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(a_type_name_of_any_length)
{
	static const struct {
		uint8_t varint[5];
		bool is_name;
	} rows[] = {{{0}, true}, {{0x80, 0x20}, true}, {{0x81, 0x20}, false},
		{{0xff, 0xff, 0xff, 0xff, 0x0f}, false}, {{0xff, 0xff, 0xff, 0xff, 0xff}, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr type = mkruntime_type(m, "x", GO_INT, 8);
		target_addr name = mkruntime_alloc(m, 5000);

		memcpy((uint8_t *)mkruntime_at(m, name) + 1, rows[i].varint, 5);
		mkruntime_set(m, type, TYPE_STR, name - MKRUNTIME_DATA);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_int_eq(types_at(m->types, type) != NULL, rows[i].is_name);
		mkruntime_destroy(m);
	}
}
END_TEST

/* A descriptor in the heap, beyond the module's types: its name is put together. */
START_TEST(types_made_by_reflect)
{
	static const struct {
		enum go_kind kind;
		uint64_t size, tail; // tail: ArrayType.Len, ChanType.Dir
		const char *name;
	} rows[] = {{GO_POINTER, 8, 0, "*main.T"}, {GO_SLICE, 24, 0, "[]main.T"},
		{GO_ARRAY, 24, 3, "[3]main.T"}, {GO_CHAN, 8, 1, "<-chan main.T"},
		{GO_CHAN, 8, 2, "chan<- main.T"}, {GO_CHAN, 8, 3, "chan main.T"},
		{GO_MAP, 8, 0, "map[main.T]main.T"}, {GO_INT, 8, 0, NULL}, {GO_STRUCT, 8, 0, NULL}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr module = mkruntime_variable(m, VAR_FIRST_MODULE);
		target_addr element = mkruntime_type(m, "main.T", GO_INT, 8);
		target_addr end = mkruntime_alloc(m, 16), type;
		struct type *found;

		mkruntime_set(m, module, MODULE_ETYPES, end);
		type = mkruntime_type(m, "?", rows[i].kind, rows[i].size);
		mkruntime_set(m, type, TYPE_STR, UINT32_MAX - 4);
		mkruntime_word(m, type + 48, element);
		mkruntime_word(m, type + 56, rows[i].kind == GO_MAP ? element : rows[i].tail);
		if (rows[i].kind == GO_ARRAY)
			mkruntime_word(m, type + 64, rows[i].tail);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		found = types_at(m->types, type);
		ck_assert_msg((found != NULL) == (rows[i].name != NULL), "%zu", i);
		if (found)
			ck_assert_str_eq(found->name, rows[i].name);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(a_made_type_of_itself_has_no_name)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr module = mkruntime_variable(m, VAR_FIRST_MODULE), type;

	mkruntime_set(m, module, MODULE_ETYPES, mkruntime_alloc(m, 16));
	type = mkruntime_type(m, "?", GO_POINTER, 8);
	mkruntime_set(m, type, TYPE_STR, UINT32_MAX);
	mkruntime_word(m, type + 48, type);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_ptr_null(types_at(m->types, type));
	mkruntime_destroy(m);
}
END_TEST

START_TEST(methods_and_packages)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr at = mkruntime_type(m, "main.T", GO_INT, 8);
	struct type *type;

	mktypes_define(m, at, 48, "example.com/app", "Error");
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	type = types_at(m->types, at);
	ck_assert_str_eq(type->package, "example.com/app");
	ck_assert(type->is_named);
	ck_assert(types_has_method(m->types, type, "Error"));
	ck_assert(!types_has_method(m->types, type, "String"));
	ck_assert_str_eq(types_pointer_to(m->types, type)->name, "*main.T");
	ck_assert_ptr_eq(types_pointer_to(m->types, type), types_pointer_to(m->types, type));
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_types(void);

Suite *suite_types(void)
{
	Suite *suite = suite_create("types");
	TCase *tc = tcase_create("types");

	tcase_add_test(tc, descriptors);
	tcase_add_test(tc, what_is_no_descriptor);
	tcase_add_test(tc, fields_lie_one_behind_the_other);
	tcase_add_test(tc, a_type_name_of_any_length);
	tcase_add_test(tc, types_made_by_reflect);
	tcase_add_test(tc, a_made_type_of_itself_has_no_name);
	tcase_add_test(tc, methods_and_packages);
	suite_add_tcase(suite, tc);
	return suite;
}
