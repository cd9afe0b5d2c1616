// The three formats over mkruntime's sample; what is printed of a target that means harm.
#include "analyzer/emit/emit.h"
#include "analyzer/emit/printer.h"
#include "tests/lib/mkruntime.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append(void *context, const char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, context) == size;
}

/** What the format writes; the caller frees it. */
static char *write_as(const struct mkruntime *m, const char *format, const char *traceback)
{
	struct emit_options options = {.traceback = traceback};
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_int_eq(
		emit_format_find(format)->write(m->analysis, &options, append, stream), CS_OK);
	fclose(stream);
	return text;
}

START_TEST(control_characters_do_not_reach_the_terminal)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *printed;
	} rows[] = {{"a\033[31m", 6, "a\\x1b[31m"}, {"\a\b\177", 3, "\\x07\\x08\\x7f"},
		{"\302\233K", 3, "\\xc2\\x9bK"}, {"gr\303\266n\t\n", 7, "gr\303\266n\t\n"},
		{"\377\303", 2, "\\xff\\xc3"}, {"a\0b", 3, "a\\x00b"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *stream = open_memstream(&text, &size);
		struct printer *printer = printer_create(append, stream);

		printer_sized(printer, rows[i].bytes, rows[i].size);
		ck_assert_int_eq(printer_finish(printer), CS_OK);
		printer_destroy(printer);
		fclose(stream);
		ck_assert_str_eq(text, rows[i].printed);
		free(text);
	}
}
END_TEST

START_TEST(the_traceback_is_gos)
{
	struct mkruntime *m = mkruntime_sample();
	char *text;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	text = write_as(m, "text", "single");
	ck_assert_str_eq(text, "panic: boom: 42\n\ngoroutine 1 [running]:\n"
			       "main.inlined(...)\n\t/src/app/main.go:330\n"
			       "main.outer()\n\t/src/app/main.go:330 +0x40\n"
			       "main.main()\n\t/src/app/main.go:270 +0x40\n");
	free(text);
	text = write_as(m, "text", "all");
	ck_assert_ptr_nonnull(strstr(text, "\ngoroutine 2 [chan receive, 2 minutes]:\n"
					   "main.worker()\n\t/src/app/main.go:280 +0x40\n"
					   "created by main.main in goroutine 1\n"));
	ck_assert_ptr_null(strstr(text, "goroutine 21"));
	free(text);
	mkruntime_destroy(m);
}
END_TEST

START_TEST(the_summary_counts_groups)
{
	struct mkruntime *m = mkruntime_sample();
	char *text;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	text = write_as(m, "summary", "all");
	ck_assert_ptr_nonnull(strstr(text, "panic: boom: 42 in main.inlined\n"));
	ck_assert_ptr_nonnull(strstr(text, "10 goroutines in 8 groups, 2 threads, GOMAXPROCS 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n1 × chan receive, 2m00s  [goroutine 2]\n"
					   "    main.worker  main.go:280\n"));
	ck_assert_ptr_nonnull(strstr(text, "3 × runnable  [goroutines 10 11 12]\n"));
	free(text);
	mkruntime_destroy(m);
}
END_TEST

/** The index of the goroutine with this id. */
static size_t index_of(const struct mkruntime *m, uint64_t id)
{
	const struct goroutines *all = &m->analysis->goroutines;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].id == id)
			return i;
	ck_abort_msg("no goroutine %d", (int)id);
}

START_TEST(the_graph_has_boxes_for_groups)
{
	struct mkruntime *m = mkruntime_sample();
	struct blocking *b;
	size_t two, three, many[3], cycle[2];
	char *text;

	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	b = &m->analysis->blocking;
	*b = (struct blocking){.arena = m->analysis->arena};
	text = write_as(m, "dot", "all");
	ck_assert_ptr_nonnull(strstr(text, "nobody is known to wait for another"));
	ck_assert_ptr_null(strstr(text, "->"));
	free(text);
	two = index_of(m, 2);
	three = index_of(m, 3);
	for (size_t i = 0; i < 3; i++)
		many[i] = index_of(m, 10 + i); // one group
	blocking_init(b, m->analysis->arena);
	for (size_t i = 0; i < 3; i++)
		ck_assert(
			blocking_add_edge(b, (struct blocking_edge){many[i], two, 0x1000, i != 1}));
	ck_assert(blocking_add_edge(b, (struct blocking_edge){two, three, 0x2000, true}));
	ck_assert(blocking_add_edge(b, (struct blocking_edge){three, two, 0x3000, true}));
	cycle[0] = two;
	cycle[1] = three;
	b->deadlocks = &(struct blocking_cycle){.members = cycle, .count = 2};
	b->deadlock_count = 1;
	b->edge_total += 5;
	m->analysis->crash.title = "a \"title\" \\ \033[31m";
	text = write_as(m, "dot", "all");
	ck_assert_ptr_nonnull(strstr(text, "a \\\"title\\\" \\\\ \\\\x1b[31m"));
	ck_assert_ptr_nonnull(strstr(text, "\\n5 waits are left out\";"));
	ck_assert_ptr_nonnull(strstr(text, "  group10 [label=\"3 goroutines\\nrunnable"));
	ck_assert_ptr_nonnull(
		strstr(text, "  group10 -> g2 [label=\" 0x1000 × 3\", style=dashed];"));
	ck_assert_ptr_nonnull(strstr(text, "  g2 -> g3 [label=\" 0x2000\", color=red];"));
	ck_assert_ptr_nonnull(strstr(text, "  g3 [label=\"goroutine 3\\nselect"));
	free(text);
	mkruntime_destroy(m);
}
END_TEST

/* Numbers past INT64_MAX, a label that stands twice: jansson would refuse the row. */
START_TEST(garbage_stays_valid_json)
{
	struct mkruntime *m = mkruntime_sample();
	target_addr set = mkruntime_alloc(m, 64), pairs = mkruntime_alloc(m, 64);
	json_error_t error;
	const char *value;
	json_t *json;
	char *text;

	mkruntime_set(m, m->crashing_g, G_PARENT_ID, UINT64_MAX);
	mkruntime_set(m, mkruntime_variable(m, VAR_GC_CONTROLLER), GC_HEAP_LIVE, UINT64_MAX);
	mkruntime_string(m, pairs, "k");
	mkruntime_string(m, pairs + 16, "v");
	memcpy(mkruntime_at(m, pairs + 32), mkruntime_at(m, pairs), 32);
	mkruntime_slice(m, set + layout_value(&m->layout, LABEL_SET_LIST), pairs, 2);
	mkruntime_set(m, m->crashing_g, G_LABELS, set);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	text = write_as(m, "json", "all");
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(json != NULL, "%s", error.text);
	ck_assert(json_is_null(json_object_get(json_object_get(json, "gc"), "heap_live")));
	ck_assert_int_eq(json_unpack(json_array_get(json_object_get(json, "goroutines"), 0),
				 "{s:n, s:{s:s}}", "parent", "labels", "k", &value),
		0);
	ck_assert_str_eq(value, "v");
	ck_assert_ptr_null(strstr(text, "secret-1234567890"));
	json_decref(json);
	free(text);
	mkruntime_destroy(m);
}
END_TEST

/* A thread in code of no file: all that is known of it is where it stands. */
START_TEST(nothing_is_made_up_of_code_that_is_not_go_s)
{
	static const char *const nulls[] = {
		"function", "package", "file", "line", "start_line", "entry", "key", "object"};
	struct mkruntime *m = mkruntime_sample();
	json_t *json, *frame = NULL, *row;
	json_error_t error;
	size_t index;
	char *text;

	mkruntime_thread(m, 999, 0x7f0000000000, 0x7ffe00000000);
	ck_assert_int_eq(mkruntime_analyze(m), CS_OK);
	text = write_as(m, "json", "all");
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(json != NULL, "%s", error.text);
	json_array_foreach(json_object_get(json, "frames"), index, row)
	{
		bool is_c = !strcmp(json_string_value(json_object_get(row, "kind")), "c");

		ck_assert(is_c != json_is_string(json_object_get(row, "function")));
		frame = is_c ? row : frame;
	}
	ck_assert_str_eq(json_string_value(json_object_get(frame, "pc")), "0x7f0000000000");
	ck_assert(json_is_false(json_object_get(frame, "in_app")));
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		ck_assert_msg(json_is_null(json_object_get(frame, nulls[i])), "%s", nulls[i]);
	json_decref(json);
	free(text);
	mkruntime_destroy(m);
}
END_TEST

Suite *suite_formats(void);

Suite *suite_formats(void)
{
	Suite *suite = suite_create("formats");
	TCase *tests = tcase_create("formats");

	tcase_add_test(tests, control_characters_do_not_reach_the_terminal);
	tcase_add_test(tests, the_traceback_is_gos);
	tcase_add_test(tests, the_summary_counts_groups);
	tcase_add_test(tests, the_graph_has_boxes_for_groups);
	tcase_add_test(tests, garbage_stays_valid_json);
	tcase_add_test(tests, nothing_is_made_up_of_code_that_is_not_go_s);
	suite_add_tcase(suite, tests);
	return suite;
}
