#include "analyzer/runtime/modules.h"

#include "common/limits.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <string.h>

#define PLUGIN_TEXT UINT64_C(0x7f0000000000)

/* A second module behind the first: the same functions at another place, types of its own. */
static target_addr add_module(struct mkruntime *m, target_addr previous, target_addr types)
{
	target_addr module = mkruntime_object(m, MODULE_TEXT);

	mkruntime_set(m, module, MODULE_PCHEADER, MKRUNTIME_TABLE);
	mkruntime_set(m, module, MODULE_TEXT, PLUGIN_TEXT);
	mkruntime_set(m, module, MODULE_GOFUNC, MKRUNTIME_GOFUNC);
	mkruntime_set(m, module, MODULE_TYPES, types);
	mkruntime_set(m, module, MODULE_ETYPES, types + 0x100);
	mkruntime_set(m, previous, MODULE_NEXT, module);
	return module;
}

static bool is_noted(const struct mkruntime *m, const char *code)
{
	for (size_t i = 0; i < m->diag.count; i++)
		if (!strcmp(m->diag.entries[i].code, code))
			return true;
	return false;
}

START_TEST(functions_and_types_of_a_plugin)
{
	struct mkruntime *m = mkruntime_create(0);
	target_addr main_pc = mkruntime_pc("main.main");
	target_addr plugin_pc = main_pc - MKRUNTIME_TEXT + PLUGIN_TEXT;
	struct pcln_func func;

	add_module(m, mkruntime_variable(m, VAR_FIRST_MODULE), 0x5000);
	ck_assert_int_eq(mkruntime_open(m), CS_OK);
	ck_assert_uint_eq(m->rt->module_count, 2);
	ck_assert(modules_find_function(m->rt, main_pc, &func));
	ck_assert_uint_eq(func.entry, main_pc - 0x40);
	ck_assert(modules_find_function(m->rt, plugin_pc, &func));
	ck_assert_str_eq(func.name, "main.main");
	ck_assert_uint_eq(func.entry, plugin_pc - 0x40);
	ck_assert(!modules_find_function(m->rt, PLUGIN_TEXT - 1, &func));
	ck_assert_ptr_eq(modules_of_type(m->rt, MKRUNTIME_DATA), &m->rt->modules[0]);
	ck_assert_ptr_eq(modules_of_type(m->rt, 0x50ff), &m->rt->modules[1]);
	ck_assert_ptr_null(modules_of_type(m->rt, 0x5100));
	ck_assert(module_is_whole(m->rt, &m->rt->modules[1]));
	modules_report(m->rt);
	ck_assert(!is_noted(m, "module-unreadable"));
	mkruntime_destroy(m);
}
END_TEST

/* What is wrong with a plugin costs its own functions, and nothing else. */
START_TEST(a_plugin_that_is_not_there)
{
	static const struct {
		enum layout_id id;
		uint64_t value;
		bool is_whole, has_functions;
	} rows[] = {
		{MODULE_PCHEADER, 0x10, false, false},
		{MODULE_PCHEADER, MKRUNTIME_DATA, false, false}, // something else lies there
		{MODULE_GOFUNC, 0x10, false, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr plugin = add_module(m, mkruntime_variable(m, VAR_FIRST_MODULE), 0x5000);
		struct pcln_func func;

		mkruntime_set(m, plugin, rows[i].id, rows[i].value);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_uint_eq(m->rt->module_count, 2);
		ck_assert_int_eq(module_is_whole(m->rt, &m->rt->modules[1]), rows[i].is_whole);
		ck_assert_int_eq(modules_find_function(m->rt, PLUGIN_TEXT + 0x40, &func),
			rows[i].has_functions);
		ck_assert(modules_find_function(m->rt, mkruntime_pc("main.main"), &func));
		ck_assert(modules_of_type(m->rt, 0x5000) != NULL);
		modules_report(m->rt);
		ck_assert_int_eq(is_noted(m, "module-unreadable"), !rows[i].has_functions);
		mkruntime_destroy(m);
	}
}
END_TEST

START_TEST(a_list_without_an_end)
{
	for (int is_ring = 0; is_ring < 2; is_ring++) {
		struct mkruntime *m = mkruntime_create(0);
		target_addr plugin = add_module(m, mkruntime_variable(m, VAR_FIRST_MODULE), 0x5000);

		mkruntime_set(m, plugin, MODULE_NEXT, is_ring ? plugin : 0x10);
		ck_assert_int_eq(mkruntime_open(m), CS_OK);
		ck_assert_uint_eq(m->rt->module_count, is_ring ? MAX_PROCESS_MODULES : 2);
		ck_assert(is_noted(m, "modules-cut"));
		mkruntime_destroy(m);
	}
}
END_TEST

Suite *suite_modules(void);

Suite *suite_modules(void)
{
	Suite *suite = suite_create("modules");
	TCase *tc = tcase_create("modules");

	tcase_add_test(tc, functions_and_types_of_a_plugin);
	tcase_add_test(tc, a_plugin_that_is_not_there);
	tcase_add_test(tc, a_list_without_an_end);
	suite_add_tcase(suite, tc);
	return suite;
}
