#include "analyzer/snapshot/values.h"

#include "analyzer/snapshot/analysis.h"
#include "analyzer/values/liveness.h"
#include "common/limits.h"

#define FIRST_OF_STACK 10 // goroutines of one stack that keep their values above the cap

static void set_wanted(struct analysis_values *values, size_t index)
{
	values->wanted[index / 64] |= UINT64_C(1) << index % 64;
}

static bool is_wanted(const struct analysis_values *values, size_t index)
{
	return values->wanted[index / 64] >> index % 64 & 1;
}

/** Whether the caller wants the values of goroutine `index` at all. */
static bool is_eligible(const struct analysis *analysis, size_t index)
{
	return analysis->rows[index].is_shown &&
	       (analysis->options->variables == VARIABLES_ALL ||
		       (analysis->options->variables == VARIABLES_CRASH &&
			       index == analysis->crash.goroutine));
}

/** Marks goroutine `index` if there is room for it: *left is how many more may be. */
static void want(const struct analysis *analysis, struct analysis_values *values, size_t index,
	uint64_t *left)
{
	if (index == NO_GOROUTINE || !*left || !is_eligible(analysis, index) ||
		is_wanted(values, index))
		return;
	set_wanted(values, index);
	values->wanted_count++;
	--*left;
}

static enum cs_status choose_goroutines(struct analysis *analysis, struct analysis_values *values)
{
	size_t count = analysis->goroutines.count;
	uint32_t *of_stack =
		arena_array(analysis->arena, analysis->stacks.count + 1, sizeof(*of_stack));
	uint64_t left = analysis->options->max_goroutines;
	bool has_room = analysis->shown_count <= left;

	values->wanted = arena_array(analysis->arena, count / 64 + 1, sizeof(*values->wanted));
	if (!of_stack || !values->wanted)
		return CS_NO_MEMORY;
	want(analysis, values, analysis->crash.goroutine, &left);
	want(analysis, values, analysis->crash.blamed, &left);
	for (size_t i = 0; i < count; i++) {
		uint32_t stack = analysis->rows[i].stack;

		if (has_room || (stack != NO_STACK && of_stack[stack]++ < FIRST_OF_STACK))
			want(analysis, values, i, &left);
	}
	if (!has_room && analysis->options->variables == VARIABLES_ALL)
		diag_add(analysis->diag, DIAG_INFO, "limit",
			"variables and arguments of %llu of %zu goroutines are shown: at most ten "
			"of each stack (--max-goroutines-with-variables)",
			(unsigned long long)(analysis->options->max_goroutines - left),
			analysis->shown_count);
	return CS_OK;
}

/** Plans every pc that a goroutine with variables stands at, for the tables that come first. */
static enum cs_status plan_stacks(struct analysis *analysis, struct analysis_values *values)
{
	bool *is_done = arena_array(analysis->arena, analysis->stacks.count + 1, sizeof(*is_done));

	if (!is_done)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < analysis->goroutines.count; i++) {
		uint32_t index = analysis->rows[i].stack;

		if (index == NO_STACK || is_done[index] || !is_wanted(values, i) ||
			!analysis_walk(analysis, i, values->walk))
			continue;
		is_done[index] = true;
		variables_plan(&values->variables, values->walk);
	}
	return CS_OK;
}

static enum cs_status find_globals(struct analysis *analysis, struct analysis_values *values)
{
	const char *pattern = analysis->options->globals;
	enum cs_status status;

	if (!pattern)
		return CS_OK;
	status = dwarf_globals_find(&values->plans.units, pattern, &values->globals);
	if (status == CS_OK && !values->globals.count)
		diag_add(analysis->diag, DIAG_INFO, "no-globals",
			"no package variable is called %s (--globals takes names such as "
			"main.state "
			"and patterns such as 'main.*')",
			pattern);
	if (values->globals.is_cut)
		diag_add(analysis->diag, DIAG_INFO, "limit",
			"more than %d package variables are called %s: the first are shown",
			MAX_GLOBALS, pattern);
	return status;
}

static enum cs_status prepare_variables(struct analysis *analysis, struct analysis_values *values)
{
	enum cs_status status = CS_NOT_FOUND;

	if (analysis->binary)
		status = variable_plans_init(analysis->binary, &analysis->frames, analysis->types,
			analysis->diag, &values->plans);
	if (status == CS_NOT_FOUND)
		diag_add(analysis->diag, DIAG_INFO, "no-dwarf",
			"the executable has no DWARF (built with -w): arguments are shown as "
			"words, variables are not");
	if (status == CS_NOT_FOUND || status == CS_CORRUPT)
		return CS_OK;
	if (status == CS_OK)
		status =
			variable_reader_init(&values->variables, &values->plans, &analysis->threads,
				&analysis->goroutines, &values->reader, values->liveness);
	if (status == CS_OK) {
		closures_init(&values->closures, &values->plans, &values->reader);
		status = plan_stacks(analysis, values);
	}
	if (status == CS_OK)
		status = find_globals(analysis, values);
	values->has_variables = status == CS_OK;
	return status;
}

enum cs_status analysis_values_prepare(struct analysis *analysis)
{
	const struct analysis_options *options = analysis->options;
	struct analysis_values *values;
	uint64_t start, end;
	enum cs_status status;

	if (options->variables == VARIABLES_NONE)
		return CS_OK;
	values = arena_alloc(analysis->arena, sizeof(*values));
	if (!values)
		return CS_NO_MEMORY;
	values->walk = arena_alloc(analysis->arena, sizeof(*values->walk));
	values->liveness = liveness_create(&analysis->frames);
	if (!values->walk || !values->liveness)
		return CS_NO_MEMORY;
	if (analysis->binary && binary_bounds(analysis->binary, &start, &end))
		liveness_add_module(
			values->liveness, start + analysis->rt->bias, end + analysis->rt->bias);
	value_reader_init(
		&values->reader, analysis->rt, analysis->types, &options->limits, values->liveness);
	values->reader.now = analysis->clock.now;
	status = choose_goroutines(analysis, values);
	analysis->values = values;
	return status == CS_OK ? prepare_variables(analysis, values) : status;
}

bool analysis_wants_values(const struct analysis *analysis, size_t index)
{
	return analysis->values && is_wanted(analysis->values, index);
}

/** How many values goroutine `index` may have: its share of the document, the blamed ones more. */
static uint64_t values_for(const struct analysis *analysis, size_t index)
{
	uint64_t even = TOTAL_VALUES / (analysis->values->wanted_count + 1);

	if (index == analysis->crash.goroutine || index == analysis->crash.blamed ||
		even > DEFAULT_VALUES)
		return DEFAULT_VALUES;
	return even < LEAST_VALUES ? LEAST_VALUES : even;
}

size_t analysis_variables(const struct analysis *analysis, size_t index, const struct walk *walk,
	struct arena *scratch, struct variable **ret)
{
	struct analysis_values *values = analysis->values;

	if (!values || !values->has_variables || !is_wanted(values, index))
		return 0;
	return variables_read(&values->variables, &analysis->goroutines.list[index], walk, scratch,
		values_for(analysis, index), ret);
}

struct value *analysis_global(const struct analysis *analysis, size_t index, struct arena *scratch)
{
	struct analysis_values *values = analysis->values;
	struct dwarf_global *global = &values->globals.list[index];
	struct place place = place_at(global->address + analysis->rt->bias, true);
	struct type *type = dwarf_types_get(&values->plans.dwarf_types, &global->type);

	if (!type)
		return NULL;
	value_reader_begin(&values->reader, scratch, GLOBAL_VALUES);
	return value_read(&values->reader, type, &place);
}

const struct planned_variable *analysis_unavailable(
	const struct analysis *analysis, uint32_t frame, uint32_t *at)
{
	const struct analysis_values *values = analysis->values;
	const struct variable_plan *plan;
	uint32_t logical;

	if (!values || !values->has_variables)
		return NULL;
	plan = variable_plan_of_frame(&values->plans, frame, &logical);
	while (plan && *at < plan->count) {
		const struct planned_variable *variable = &plan->variables[(*at)++];

		if (variable->frame == logical && variable->unavailable)
			return variable;
	}
	return NULL;
}
