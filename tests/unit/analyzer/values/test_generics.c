// Type arguments: which word of a dictionary is believed to be a variable's type.
#include "analyzer/values/generics.h"
#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <string.h>

START_TEST(a_word_of_the_dictionary)
{
	struct values *v = values_create();
	target_addr dictionary = mkruntime_alloc(v->m, 64);
	target_addr named = mkruntime_type(v->m, "main.Celsius", GO_INT, 8);
	struct type shape = {
		.kind = GO_INT, .name = "go.shape.int", .size = 8, .is_loaded = true};
	struct types *types;
	const struct runtime *rt;

	mkruntime_word(v->m, dictionary, named);
	mkruntime_word(v->m, dictionary + 8, v->t_string); // of another shape
	mkruntime_word(v->m, dictionary + 16, dictionary); // no type
	values_open(v, 100);
	types = v->m->types;
	rt = v->m->rt;
	ck_assert_str_eq(generic_type(types, rt, dictionary, 0, &shape)->name, "main.Celsius");
	ck_assert_ptr_eq(generic_type(types, rt, dictionary, 1, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, dictionary, 2, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, dictionary, 3, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, dictionary, -1, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, dictionary, INT64_MAX, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, dictionary + 4, 0, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, 0x10, 0, &shape), &shape);
	ck_assert_ptr_eq(generic_type(types, rt, 0, 0, &shape), &shape);
	values_destroy(v);
}
END_TEST

START_TEST(without_a_caller_there_is_none)
{
	static const char *const names[] = {
		"main.generic[go.shape.int]", "main.flat", "runtime.goexit", NULL};
	struct mkruntime *m = mkruntime_create(0);
	target_addr g = mkruntime_g(m, 1, GOROUTINE_WAITING);
	struct walk *walk;
	struct flow *flow;

	mkruntime_stack(m, g, names);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	walk = arena_alloc(&m->arena, sizeof(*walk));
	flow = flow_create(&m->analysis->frames);
	ck_assert(walk && flow);
	ck_assert(analysis_walk(m->analysis, 0, walk));
	// The caller's code is not there; other functions have no dictionary; nobody called the last.
	for (uint32_t i = 0; i < walk->count; i++)
		ck_assert_uint_eq(generic_dictionary(flow, &m->analysis->frames, walk, i), 0);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_values_generics(void);

Suite *suite_values_generics(void)
{
	Suite *suite = suite_create("values_generics");
	TCase *tc = tcase_create("values_generics");

	tcase_add_test(tc, a_word_of_the_dictionary);
	tcase_add_test(tc, without_a_caller_there_is_none);
	suite_add_tcase(suite, tc);
	return suite;
}
