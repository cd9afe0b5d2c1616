// Package-level variables, where they were asked for.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/json_values.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/values.h"

#include <string.h>

static void write_global(struct json_values *values, const struct analysis *analysis, size_t index,
	struct arena *scratch)
{
	const char *name = analysis->values->globals.list[index].name;
	const char *dot = strrchr(name, '.'); // the package's path says nothing of what it holds

	jsonw_newline(values->w);
	jsonw_begin_object(values->w);
	jsonw_member_string(values->w, "name", name);
	jsonw_key(values->w, "value");
	json_write_value(values, analysis_global(analysis, index, scratch), dot ? dot + 1 : name);
	jsonw_end_object(values->w);
	arena_deinit(scratch);
}

void json_write_globals(struct json_writer *w, const struct analysis *analysis)
{
	size_t count = analysis->values ? analysis->values->globals.count : 0;
	struct json_values values;
	struct arena scratch;

	arena_init(&scratch, MAX_GOROUTINE_VALUES_SIZE);
	json_values_init(&values, w, analysis->arena, &scratch);
	jsonw_newline(w);
	jsonw_key(w, "globals");
	jsonw_begin_array(w);
	for (size_t i = 0; i < count; i++)
		write_global(&values, analysis, i, &scratch);
	jsonw_end_array(w);
}
