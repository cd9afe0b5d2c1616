// A row for each goroutine, streamed: this is where the time of a large snapshot goes, so nothing
// is looked up twice and labels, which many share, are read once.
#include "analyzer/blocking/waits.h"
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/json_values.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/redacted_labels.h"
#include "analyzer/snapshot/values.h"
#include "analyzer/snapshot/why.h"
#include "analyzer/unwind/arguments.h"

#include <string.h>

struct rows {
	struct json_writer *w;
	const struct analysis *analysis;
	struct walk *walk;    // scratch; NULL where no values are wanted
	struct u64map labels; // g.labels to the struct labels that was read from it
	struct arena scratch; // of one goroutine's values
	struct json_values values;
};

static const struct labels *labels_of(struct rows *rows, const struct goroutine *g)
{
	static const struct labels none;
	struct labels *labels;
	uint64_t known;

	if (!g->labels)
		return &none;
	if (u64map_get(&rows->labels, g->labels, &known))
		return (const struct labels *)(uintptr_t)known;
	labels = arena_alloc(rows->analysis->arena, sizeof(*labels));
	if (!labels)
		return &none;
	*labels = redacted_labels_load(rows->analysis->rt, g->labels);
	if (!u64map_put(&rows->labels, g->labels, (uintptr_t)labels))
		return &none;
	if (labels->is_unreadable)
		diag_add(rows->analysis->diag, DIAG_WARNING, "unreadable-labels",
			"the labels of some goroutines are not in the core");
	return labels;
}

static void write_labels(struct rows *rows, const struct goroutine *g)
{
	const struct labels *labels = labels_of(rows, g);

	jsonw_key(rows->w, "labels");
	if (labels->is_unreadable && !labels->count) {
		jsonw_null(rows->w);
		return;
	}
	jsonw_begin_object(rows->w);
	for (size_t i = 0; i < labels->count; i++) {
		jsonw_text_key(rows->w, labels->list[i].key);
		jsonw_string(rows->w, labels->list[i].value);
	}
	jsonw_end_object(rows->w);
}

static void write_why(
	struct rows *rows, size_t index, const struct waiting_on *on, size_t count)
{
	char text[WHY_SIZE];

	why_not_running(rows->analysis, index, on, count, text);
	jsonw_member_string(rows->w, "why", text);
}

/** Of a descriptor: its number, and how long until its deadline. */
static void write_descriptor(struct rows *rows, const struct waiting_on *on)
{
	const struct clock *clock = &rows->analysis->clock;

	if (strcmp(on->kind, "descriptor"))
		return;
	jsonw_key(rows->w, "descriptor");
	if (on->address)
		jsonw_u64(rows->w, on->descriptor);
	else
		jsonw_null(rows->w);
	jsonw_key(rows->w, "deadline_in_ns");
	if (on->deadline > 0 && clock->now > 0)
		jsonw_i64(rows->w, on->deadline - clock->now);
	else
		jsonw_null(rows->w);
}

static void write_waiting_on(struct rows *rows, size_t index)
{
	size_t count;
	const struct waiting_on *on = blocking_waits(&rows->analysis->blocking, index, &count);
	struct json_writer *w = rows->w;

	jsonw_key(w, "waiting_on");
	jsonw_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		jsonw_begin_object(w);
		jsonw_member_string(w, "kind", on[i].kind);
		jsonw_key(w, "address");
		if (on[i].address)
			jsonw_address(w, on[i].address);
		else
			jsonw_null(w);
		jsonw_member_string(w, "operation", on[i].operation);
		json_member_ns(w, "select_case", on[i].select_case);
		write_descriptor(rows, &on[i]);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	write_why(rows, index, on, count);
}

static void write_wait(struct rows *rows, size_t index)
{
	struct wait_time wait = analysis_wait(rows->analysis, index);

	json_member_ns(rows->w, "wait_ns", wait.best);
	json_member_ns(rows->w, "wait_min_ns", wait.min);
	json_member_ns(rows->w, "wait_max_ns", wait.max);
	jsonw_member_string(rows->w, "wait_source",
		wait.is_exact	  ? "scheduler"
		: wait.is_from_gc ? "gc"
				  : NULL);
}

/** Of a stack that was cut: before which of its frames the missing ones were. */
static void write_cut(struct rows *rows, const struct goroutine_row *row)
{
	const struct analysis *analysis = rows->analysis;
	const struct stack *stack =
		row->stack == NO_STACK ? NULL : &analysis->stacks.stacks[row->stack];
	uint64_t frames = 0;

	if (!stack || !stack->cut_at)
		return;
	for (uint32_t i = 0; i < stack->cut_at; i++)
		frames += analysis->frames.places[stack->places[i]].frame_count;
	jsonw_member_u64(rows->w, "frames_cut_at", frames);
}

static void write_stack(
	struct rows *rows, const struct goroutine *g, const struct goroutine_row *row)
{
	const struct numbering *numbering = &rows->analysis->numbering;
	struct json_writer *w = rows->w;
	target_addr sp = g->status == GOROUTINE_SYSCALL ? g->syscall_sp : g->sched_sp;

	json_member_index(w, "stack", row_number(&numbering->stacks, row->stack));
	jsonw_member_u64(w, "frames_total", row->frames_total);
	write_cut(rows, row);
	json_member_index(w, "created_by", row_number(&numbering->frames, row->created_by));
	jsonw_key(w, "parent");
	if (g->parent_id)
		jsonw_u64(w, g->parent_id);
	else
		jsonw_null(w);
	jsonw_member_string(w, "start", row->start);
	jsonw_key(w, "stack_range");
	jsonw_begin_object(w);
	jsonw_member_address(w, "low", g->stack_lo);
	jsonw_member_address(w, "high", g->stack_hi);
	jsonw_end_object(w);
	jsonw_member_u64(w, "stack_size", g->stack_hi - g->stack_lo);
	jsonw_key(w, "stack_used");
	if (sp >= g->stack_lo && sp <= g->stack_hi)
		jsonw_u64(w, g->stack_hi - sp);
	else
		jsonw_null(w);
}

/** One string for each logical frame; an inlined one has no words of its own. */
static void write_arguments(struct rows *rows, bool is_walked)
{
	const struct analysis *analysis = rows->analysis;
	char text[ARGUMENTS_SIZE];

	jsonw_key(rows->w, "arguments");
	if (!is_walked) {
		jsonw_null(rows->w);
		return;
	}
	jsonw_begin_array(rows->w);
	for (uint32_t i = 0; i < rows->walk->count; i++) {
		const struct code_place *place = &analysis->frames.places[rows->walk->places[i]];

		for (uint32_t k = 0; k + 1 < place->frame_count; k++)
			jsonw_string_sized(rows->w, "...", 3);
		arguments_format(analysis->rt, place, rows->walk->sps[i], text);
		jsonw_string(rows->w, text);
	}
	jsonw_end_array(rows->w);
}

/** A position in a stack of logical frames, for going through it once. */
struct frame_cursor {
	const struct stack *stack;
	uint32_t place, first; // index of a physical frame, and how many logical ones precede it
};

/** The function of logical frame `frame`, which is none of those that were passed already. */
static const char *function_of(
	const struct analysis *analysis, struct frame_cursor *at, uint32_t frame)
{
	while (at->place < at->stack->count) {
		const struct code_place *place =
			&analysis->frames.places[at->stack->places[at->place]];

		if (frame < at->first)
			return NULL;
		if (frame - at->first < place->frame_count)
			return analysis->frames.frames[place->first_frame + (frame - at->first)]
				.function;
		at->first += place->frame_count;
		at->place++;
	}
	return NULL;
}

static void write_variable(struct rows *rows, const struct variable *variable, const char *function)
{
	struct json_writer *w = rows->w;

	jsonw_begin_object(w);
	jsonw_member_u64(w, "frame", variable->frame);
	jsonw_member_string(w, "name", variable->name);
	jsonw_member_bool(w, "argument", variable->is_argument);
	if (variable->is_shadowed)
		jsonw_member_bool(w, "shadowed", true);
	jsonw_key(w, "value");
	json_write_variable(&rows->values, variable->value, variable->name, function);
	jsonw_end_object(w);
}

static void write_variables(struct rows *rows, size_t index, bool is_walked)
{
	uint32_t stack = rows->analysis->rows[index].stack;
	struct frame_cursor at = {
		.stack = stack == NO_STACK ? NULL : &rows->analysis->stacks.stacks[stack]};
	struct variable *variables;
	size_t count = 0;

	if (is_walked)
		count = analysis_variables(
			rows->analysis, index, rows->walk, &rows->scratch, &variables);
	jsonw_key(rows->w, "variables");
	jsonw_begin_array(rows->w);
	for (size_t i = 0; i < count; i++)
		write_variable(rows, &variables[i],
			at.stack ? function_of(rows->analysis, &at, variables[i].frame) : NULL);
	jsonw_end_array(rows->w);
	arena_reset(&rows->scratch);
}

/** What the goroutine held: both need its stack pointers, for which it is walked once more. */
static void write_values(struct rows *rows, size_t index)
{
	bool is_walked = rows->walk && analysis_wants_values(rows->analysis, index) &&
			 analysis_walk(rows->analysis, index, rows->walk);

	write_variables(rows, index, is_walked);
	write_arguments(rows, is_walked);
}

static void write_row(struct rows *rows, size_t index)
{
	const struct goroutine *g = &rows->analysis->goroutines.list[index];
	const struct goroutine_row *row = &rows->analysis->rows[index];
	const char *reason = goroutine_wait_reason(rows->analysis->rt, g);
	struct json_writer *w = rows->w;

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_u64(w, "id", g->id);
	jsonw_member_string(w, "status", goroutine_status_name(g->status));
	jsonw_member_string(w, "wait_reason", reason);
	write_wait(rows, index);
	jsonw_member_bool(w, "frozen", g->is_frozen);
	jsonw_member_bool(w, "system", g->is_system);
	json_member_index(w, "thread", row->thread_id ? row->thread_id : UINT32_MAX);
	json_member_ns(w, "processor", row->processor);
	write_stack(rows, g, row);
	write_labels(rows, g);
	jsonw_member_bool(w, "locked_to_thread", g->locked_m);
	write_waiting_on(rows, index);
	write_values(rows, index);
	jsonw_end_object(w);
}

void json_write_goroutines(struct json_writer *w, const struct analysis *analysis)
{
	struct rows rows = {.w = w, .analysis = analysis};

	u64map_init(&rows.labels, analysis->arena);
	arena_init(&rows.scratch, MAX_GOROUTINE_VALUES_SIZE);
	json_values_init(&rows.values, w, analysis->arena, &rows.scratch);
	if (analysis->options->variables != VARIABLES_NONE)
		rows.walk = arena_alloc(analysis->arena, sizeof(*rows.walk));
	jsonw_newline(w);
	jsonw_key(w, "goroutines");
	jsonw_begin_array(w);
	for (size_t i = 0; i < analysis->goroutines.count; i++)
		if (analysis->rows[i].is_shown)
			write_row(&rows, i);
	jsonw_end_array(w);
	arena_deinit(&rows.scratch);
}
