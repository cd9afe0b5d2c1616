// Values of the simple kinds, pointers, interfaces and functions; caps, cycles, pieces.
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(scalars)
{
	static const struct {
		const char *name;
		enum go_kind kind;
		uint64_t size, word;
		const char *text;
	} rows[] = {{"bool", GO_BOOL, 1, 1, "true"}, {"bool", GO_BOOL, 1, 0, "false"},
		{"bool", GO_BOOL, 1, 2, "!corrupt"}, {"int8", GO_INT8, 1, 0x80, "-128"},
		{"int16", GO_INT16, 2, 0xfffe, "-2"},
		{"int32", GO_INT32, 4, 0x7fffffff, "2147483647"},
		{"int64", GO_INT64, 8, UINT64_C(1) << 63, "-9223372036854775808"},
		{"int", GO_INT, 8, 7, "7"}, {"uint8", GO_UINT8, 1, 0xff, "255"},
		{"uint64", GO_UINT64, 8, UINT64_MAX, "18446744073709551615"},
		{"uintptr", GO_UINTPTR, 8, 16, "16"}, {"float32", GO_FLOAT32, 4, 0x3fc00000, "1.5"},
		{"float64", GO_FLOAT64, 8, UINT64_C(0xc004000000000000), "-2.5"},
		{"complex64", GO_COMPLEX64, 8, UINT64_C(0xc00000003fc00000), "(1.5-2i)"},
		{"unsafe.Pointer", GO_UNSAFE_POINTER, 8, 0x1234, "0x1234"},
		{"unsafe.Pointer", GO_UNSAFE_POINTER, 8, 0, "nil"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr type = mkruntime_type(v->m, rows[i].name, rows[i].kind, rows[i].size);
		target_addr at = mkruntime_alloc(v->m, 16);

		mkruntime_word(v->m, at, rows[i].word);
		values_open(v, 10);
		values_expect(v, type, at, rows[i].text);
		values_expect(v, type, 0xdead0000, "!not in core");
		values_destroy(v);
	}
}
END_TEST

START_TEST(strings_and_their_caps)
{
	static const struct {
		uint64_t length;
		uint32_t cap;
		const char *text;
	} rows[] = {{5, 256, "\"hello\""}, {5, 5, "\"hello\""}, {5, 3, "\"hel\"…"}, {5, 0, "\"\"…"},
		{0, 3, "\"\""}, {UINT64_MAX, 256, "!corrupt"}, {UINT64_C(1) << 40, 2, "\"he\"…"},
		{UINT64_C(1) << 40, 1u << 24, "!not in core"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr bytes = mktypes_of(v->m, "[]uint8", GO_SLICE, v->t_uint8);
		target_addr at = mkruntime_alloc(v->m, 24);

		mkruntime_string(v->m, at, "hello");
		mkruntime_word(v->m, at + 8, rows[i].length);
		mkruntime_word(v->m, at + 16, rows[i].length);
		v->limits.max_string = rows[i].cap;
		values_open(v, 10);
		values_expect(v, v->t_string, at, rows[i].text);
		values_expect(v, bytes, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(headers_that_contradict_themselves)
{
	static const struct {
		uint64_t pointer, length, capacity;
		const char *text;
	} rows[] = {{0, 0, 0, "nil"}, {0, 1, 1, "!corrupt"}, {1, 2, 1, "!corrupt"},
		{0x10, 2, 2, "!not in core"}, {1, 2, UINT64_MAX, "!corrupt"},
		{1, 2, UINT64_MAX / 8, "!corrupt"}, {0x10, 0, 9, "[]"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct values *v = values_create();
		target_addr ints = mktypes_of(v->m, "[]int", GO_SLICE, v->t_int);
		target_addr at = mkruntime_alloc(v->m, 24);

		mkruntime_word(v->m, at, rows[i].pointer == 1 ? at : rows[i].pointer);
		mkruntime_word(v->m, at + 8, rows[i].length);
		mkruntime_word(v->m, at + 16, rows[i].capacity);
		values_open(v, 10);
		values_expect(v, ints, at, rows[i].text);
		values_destroy(v);
	}
}
END_TEST

START_TEST(slices_arrays_and_structs)
{
	struct values *v = values_create();
	target_addr ints = mktypes_of(v->m, "[]int", GO_SLICE, v->t_int);
	target_addr pair = mktypes_array(v->m, "[2]int8", v->t_int8, 2, 2);
	const struct mktypes_field fields[] = {{"list", ints, 0, false}, {"pair", pair, 24, false},
		{"T", v->t_int, 32, true}, {NULL, 0, 0, false}};
	target_addr type = mktypes_struct(v->m, "main.S", 40, fields);
	target_addr at = mkruntime_alloc(v->m, 40), data = mkruntime_alloc(v->m, 32);

	for (uint64_t i = 0; i < 4; i++)
		mkruntime_word(v->m, data + 8 * i, i + 1);
	mkruntime_slice(v->m, at, data, 4);
	mkruntime_word(v->m, at + 24, 0x02ff);
	mkruntime_word(v->m, at + 32, 9);
	values_open(v, 100);
	values_expect(v, type, at, "{list:[1 2 3 4] pair:[-1 2] T:9}");
	ck_assert(types_at(v->m->types, type)->fields[2].is_embedded);
	v->limits.max_elements = 2;
	values_expect(v, type, at, "{list:[1 2 …] pair:[-1 2] T:9}");
	v->limits.max_fields = 1;
	values_expect(v, type, at, "{list:[1 2 …] …}");
	v->limits.max_depth = 1;
	v->limits.max_fields = 9;
	values_expect(v, type, at, "{list:[ …] pair:[ …] T:9}");
	v->limits.max_depth = 0;
	values_expect(v, type, at, "{ …}");
	values_destroy(v);
}
END_TEST

START_TEST(a_budget_ends_the_work)
{
	struct values *v = values_create();
	target_addr ints = mktypes_of(v->m, "[]int", GO_SLICE, v->t_int);
	target_addr at = mkruntime_alloc(v->m, 24), data = mkruntime_alloc(v->m, 80);
	struct value *value;

	mkruntime_slice(v->m, at, data, 10);
	values_open(v, 4);
	value = values_read(v, ints, at);
	ck_assert_str_eq(values_text(v, value), "[0 0 0 …]");
	ck_assert_uint_eq(value->length, 10);
	ck_assert_uint_eq(v->reader.nodes_left, 0);
	ck_assert_str_eq(values_text(v, values_read(v, ints, at)), "!budget");
	values_destroy(v);
}
END_TEST

START_TEST(pointers_cycles_and_references)
{
	struct values *v = values_create();
	target_addr pointer = mktypes_of(v->m, "&main.L", GO_POINTER, 0);
	const struct mktypes_field fields[] = {{"n", v->t_int, 0, false},
		{"next", pointer, 8, false}, {"other", pointer, 16, false}, {NULL, 0, 0, false}};
	target_addr link = mktypes_struct(v->m, "main.L", 24, fields);
	target_addr a = mkruntime_alloc(v->m, 24), b = mkruntime_alloc(v->m, 24);

	mkruntime_word(v->m, pointer + 48, link);
	mkruntime_word(v->m, a, 1);
	mkruntime_word(v->m, a + 8, b);
	mkruntime_word(v->m, a + 16, b);
	mkruntime_word(v->m, b, 2);
	values_open(v, 100);
	values_expect(v, link, a, "{n:1 next:&{n:2 next:nil other:nil} other:&same}");
	mkruntime_word(v->m, b + 8, a);
	values_expect(v, link, a, "{n:1 next:&{n:2 next:cycle other:nil} other:&same}");
	mkruntime_word(v->m, b + 16, 0x10);
	values_expect(v, link, b, "{n:2 next:&{n:1 next:cycle other:cycle} other:!not in core}");
	v->limits.max_depth = 2;
	values_expect(v, link, a, "{n:1 next:&{ …} other:&same}");
	values_destroy(v);
}
END_TEST

START_TEST(what_is_not_kept_alive_is_not_followed)
{
	struct values *v = values_create();
	target_addr pointer = mktypes_of(v->m, "&int", GO_POINTER, v->t_int);
	target_addr map = mktypes_map(v->m, "map[int]int", v->t_int, v->t_int);
	target_addr channel = mktypes_of(v->m, "chan int", GO_CHAN, v->t_int);
	target_addr function = mkruntime_type(v->m, "func()", GO_FUNC, 8);
	target_addr ints = mktypes_of(v->m, "[]int", GO_SLICE, v->t_int);
	const target_addr types[] = {pointer, map, channel, function, ints, v->t_string, v->t_any};
	target_addr at = mkruntime_alloc(v->m, 24);

	mkruntime_slice(v->m, at, at, 1);
	values_open(v, 100);
	for (size_t i = 0; i < COUNT(types); i++) {
		struct place place = place_at(at, false);
		struct value *value;

		if (types[i] == v->t_any)
			mkruntime_word(v->m, at, v->t_int);
		value = value_read(&v->reader, types_at(v->m->types, types[i]), &place);
		ck_assert_int_eq(value->unavailable, UNAVAILABLE_NOT_KEPT_ALIVE);
		ck_assert(value->has_pointer && value->pointer);
		ck_assert(!value->target && !value->dynamic_value);
	}
	values_destroy(v);
}
END_TEST

START_TEST(interfaces)
{
	struct values *v = values_create();
	target_addr pointer = mktypes_of(v->m, "&int", GO_POINTER, v->t_int);
	target_addr shaper = mktypes_interface(v->m, "main.shaper", 1);
	target_addr itab = mktypes_itab(v->m, shaper, v->t_int);
	target_addr at = mkruntime_alloc(v->m, 16), boxed = mkruntime_alloc(v->m, 8);

	mkruntime_word(v->m, boxed, 42);
	mkruntime_word(v->m, at + 8, boxed);
	values_open(v, 100);
	values_expect(v, v->t_any, at, "nil");
	mkruntime_word(v->m, at, v->t_int);
	values_expect(v, v->t_any, at, "int(42)");
	mkruntime_word(v->m, at, pointer); // its word is the value
	values_expect(v, v->t_any, at, "&int(&42)");
	v->limits.max_depth = 0;
	values_expect(v, v->t_any, at, "&int(…)");
	v->limits.max_depth = 6;
	values_expect(v, shaper, at, "!corrupt"); // a type is no itab
	mkruntime_word(v->m, at, itab);
	values_expect(v, shaper, at, "int(42)");
	values_expect(v, v->t_any, at, "!corrupt"); // nor an itab a type
	mkruntime_word(v->m, itab + 16, 1);
	values_expect(v, shaper, at, "!corrupt"); // the hash is another type's
	values_destroy(v);
}
END_TEST

START_TEST(functions)
{
	struct values *v = values_create();
	target_addr type = mkruntime_type(v->m, "func()", GO_FUNC, 8);
	target_addr at = mkruntime_alloc(v->m, 8), closure = mkruntime_alloc(v->m, 16);

	values_open(v, 100);
	values_expect(v, type, at, "nil");
	mkruntime_word(v->m, at, closure);
	mkruntime_word(v->m, closure, mkruntime_pc("main.worker") - 0x40);
	values_expect(v, type, at, "func main.worker");
	mkruntime_word(v->m, closure, mkruntime_pc("main.worker")); // not where it begins
	values_expect(v, type, at, "!corrupt");
	mkruntime_word(v->m, at, 0x10);
	values_expect(v, type, at, "!not in core");
	values_destroy(v);
}
END_TEST

static struct closure_layout captures(void *context, target_addr entry)
{
	static struct type_field fields[2];

	(void)entry;
	fields[0] = (struct type_field){"n", types_basic(context, GO_INT), 8, false};
	fields[1] = (struct type_field){"u", types_basic(context, GO_UINT8), 16, false};
	return (struct closure_layout){fields, 2, 0};
}

START_TEST(closures_show_what_they_captured)
{
	struct values *v = values_create();
	target_addr type = mkruntime_type(v->m, "func()", GO_FUNC, 8);
	target_addr at = mkruntime_alloc(v->m, 8), closure = mkruntime_alloc(v->m, 24);
	struct value *value;

	mkruntime_word(v->m, at, closure);
	mkruntime_word(v->m, closure, mkruntime_pc("main.worker") - 0x40);
	mkruntime_word(v->m, closure + 8, 5);
	mkruntime_word(v->m, closure + 16, 0x107);
	values_open(v, 100);
	v->reader.closure_layout = captures;
	v->reader.closure_context = v->m->types;
	value = values_read(v, type, at);
	ck_assert_uint_eq(value->field_count, 2);
	ck_assert_str_eq(value->fields[1].name, "u");
	ck_assert_int_eq(value->fields[0].value->scalar.integer, 5);
	ck_assert_uint_eq(value->fields[1].value->scalar.natural, 7);
	values_destroy(v);
}
END_TEST

/* A string of which a register has the pointer, memory the length; a struct that lost one field. */
START_TEST(pieces)
{
	struct values *v = values_create();
	const struct mktypes_field fields[] = {{"s", v->t_string, 0, false},
		{"n", v->t_int, 16, false}, {"b", v->t_int8, 24, false}, {NULL, 0, 0, false}};
	target_addr type = mktypes_struct(v->m, "main.S", 32, fields);
	target_addr header = mkruntime_alloc(v->m, 16), data;
	struct place place;
	struct piece list[4];

	mkruntime_string(v->m, header, "abc");
	memcpy(&data, mkruntime_at(v->m, header), sizeof(data));
	list[0] = (struct piece){.offset = 0, .size = 8, .bits = data};
	list[1] =
		(struct piece){.offset = 8, .size = 8, .is_in_memory = true, .address = header + 8};
	list[2] = (struct piece){.offset = 16, .size = 8, .unavailable = UNAVAILABLE_CLOBBERED};
	list[3] = (struct piece){.offset = 24, .size = 8, .bits = 0xfe};
	place = (struct place){.pieces = list, .piece_count = 4, .is_live = true};
	values_open(v, 100);
	ck_assert_str_eq(
		values_text(v, value_read(&v->reader, types_at(v->m->types, type), &place)),
		"{s:\"abc\" n:!clobbered b:-2}");
	list[1].unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	place.piece_count = 3;
	ck_assert_str_eq(
		values_text(v, value_read(&v->reader, types_at(v->m->types, type), &place)),
		"{s:!optimized out n:!clobbered b:!optimized out}");
	values_destroy(v);
}
END_TEST

START_TEST(a_part_of_a_place)
{
	const struct piece list[] = {{.offset = 0, .size = 8, .bits = 0x1122334455667788},
		{.offset = 8, .size = 8, .is_in_memory = true, .address = 0x1000}};
	const struct place place = {.pieces = list, .piece_count = 2};
	struct piece scratch[2];
	struct place part;

	ck_assert(place_part(&place, 4, 8, scratch, 2, &part));
	ck_assert_uint_eq(part.piece_count, 2);
	ck_assert_uint_eq(scratch[0].offset, 0);
	ck_assert_uint_eq(scratch[0].size, 4);
	ck_assert_uint_eq(scratch[0].bits, 0x11223344);
	ck_assert_uint_eq(scratch[1].offset, 4);
	ck_assert_uint_eq(scratch[1].size, 4);
	ck_assert_uint_eq(scratch[1].address, 0x1000);
	ck_assert(place_part(&place, 12, 4, scratch, 1, &part));
	ck_assert_uint_eq(scratch[0].address, 0x1004);
	ck_assert(!place_part(&place, 4, 8, scratch, 1, &part));
	ck_assert(!place_part(&place, UINT64_MAX, 8, scratch, 2, &part));
}
END_TEST

START_TEST(types_that_contain_themselves)
{
	struct values *v = values_create();
	const struct mktypes_field fields[] = {
		{"a", 0, 0, false}, {"b", 0, 8, false}, {NULL, 0, 0, false}};
	target_addr type = mktypes_struct(v->m, "main.S", 8, fields), list;

	memcpy(&list, mkruntime_at(v->m, type + 56), sizeof(list));
	mkruntime_word(v->m, list + 8, type);
	mkruntime_word(v->m, list + 24 + 8, type);
	v->limits.max_depth = 64;
	values_open(v, 1000);
	ck_assert_ptr_nonnull(values_read(v, type, list));
	ck_assert_uint_eq(v->reader.nodes_left, 0);
	ck_assert(type_has_pointers(types_at(v->m->types, type))); // nobody knows
	values_destroy(v);
}
END_TEST

START_TEST(an_atomic_pointer_knows_its_type)
{
	struct values *v = values_create();
	target_addr pointer = mktypes_of(v->m, "&int", GO_POINTER, v->t_int);
	target_addr none = mktypes_array(v->m, "[0]&int", pointer, 0, 0);
	target_addr word = mkruntime_type(v->m, "unsafe.Pointer", GO_UNSAFE_POINTER, 8);
	const struct mktypes_field fields[] = {
		{"_", none, 0, false}, {"v", word, 0, false}, {NULL, 0, 0, false}};
	target_addr type = mktypes_struct(v->m, "atomic.Pointer[int]", 8, fields);
	target_addr other = mktypes_struct(v->m, "main.Pointer[int]", 8, fields);
	target_addr at = mkruntime_alloc(v->m, 8), number = mkruntime_alloc(v->m, 8);
	struct value *value;

	mktypes_define(v->m, type, 80, "sync/atomic", NULL);
	mktypes_define(v->m, other, 80, "main", NULL);
	mkruntime_word(v->m, number, 42);
	values_open(v, 100);
	ck_assert_ptr_null(values_read(v, type, at)->target);
	mkruntime_word(v->m, at, number);
	value = values_read(v, type, at);
	ck_assert_int_eq(value->kind, VALUE_STRUCT);
	ck_assert_uint_eq(value->field_count, 2);
	ck_assert_int_eq(value->target->scalar.integer, 42);
	ck_assert_ptr_null(values_read(v, other, at)->target);
	values_destroy(v);
}
END_TEST

Suite *suite_values_read(void);

Suite *suite_values_read(void)
{
	Suite *suite = suite_create("values_read");
	TCase *tc = tcase_create("values_read");

	tcase_add_test(tc, scalars);
	tcase_add_test(tc, strings_and_their_caps);
	tcase_add_test(tc, headers_that_contradict_themselves);
	tcase_add_test(tc, slices_arrays_and_structs);
	tcase_add_test(tc, a_budget_ends_the_work);
	tcase_add_test(tc, pointers_cycles_and_references);
	tcase_add_test(tc, what_is_not_kept_alive_is_not_followed);
	tcase_add_test(tc, interfaces);
	tcase_add_test(tc, functions);
	tcase_add_test(tc, closures_show_what_they_captured);
	tcase_add_test(tc, pieces);
	tcase_add_test(tc, a_part_of_a_place);
	tcase_add_test(tc, types_that_contain_themselves);
	tcase_add_test(tc, an_atomic_pointer_knows_its_type);
	suite_add_tcase(suite, tc);
	return suite;
}
