// frames, stacks, groups: what rows refer to by index.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/values.h"

#include <string.h>

static void write_unavailable(
	struct json_writer *w, const struct analysis *analysis, uint32_t frame)
{
	const struct planned_variable *variable;
	uint32_t at = 0;

	jsonw_key(w, "unavailable");
	jsonw_begin_array(w);
	while ((variable = analysis_unavailable(analysis, frame, &at))) {
		jsonw_begin_object(w);
		jsonw_member_string(w, "name", variable->name);
		jsonw_member_string(w, "type", variable->type->name);
		jsonw_member_string(w, "reason", unavailable_name(variable->unavailable));
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

/** C has no packages: the file that its code is in says where it belongs. */
static void write_c_frame(struct json_writer *w, const struct frame *frame)
{
	const char *function = *frame->function ? frame->function : NULL;
	const char *slash = strrchr(frame->object, '/');
	const char *object = *frame->object ? frame->object : NULL;

	jsonw_member_string(w, "function", function);
	jsonw_member_string(w, "package", object && slash && slash[1] ? slash + 1 : object);
	jsonw_member_string(w, "file", frame->file);
	jsonw_key(w, "line");
	if (frame->line)
		jsonw_i64(w, frame->line);
	else
		jsonw_null(w);
	jsonw_member_null(w, "start_line");
	jsonw_member_address(w, "pc", frame->pc);
	jsonw_key(w, "entry");
	if (frame->entry)
		jsonw_address(w, frame->entry);
	else
		jsonw_null(w);
	jsonw_member_bool(w, "inlined", frame->is_inlined);
	jsonw_member_bool(w, "in_app", false);
	jsonw_member_string(w, "key", function);
	jsonw_member_string(w, "kind", "c");
	jsonw_member_string(w, "object", object);
}

static void write_go_frame(struct json_writer *w, const struct analysis *analysis, uint32_t index)
{
	const struct frame *frame = &analysis->frames.frames[index];
	const struct frame_key *key = frame_key_of(analysis, index);

	jsonw_member_string(w, "function", frame->function);
	jsonw_member_string(w, "package", key ? key->package : NULL);
	jsonw_member_string(w, "file", frame->file);
	jsonw_member_i64(w, "line", frame->line);
	jsonw_key(w, "start_line");
	if (frame->start_line)
		jsonw_i64(w, frame->start_line);
	else
		jsonw_null(w);
	jsonw_member_address(w, "pc", frame->pc);
	jsonw_member_address(w, "entry", frame->entry);
	jsonw_member_bool(w, "inlined", frame->is_inlined);
	jsonw_member_bool(w, "in_app", key && key->in_app);
	jsonw_member_string(w, "key", key ? key->key : NULL);
	jsonw_member_string(w, "kind", "go");
	jsonw_member_null(w, "object");
}

static void write_frame(struct json_writer *w, const struct analysis *analysis, uint32_t index)
{
	const struct frame *frame = &analysis->frames.frames[index];

	jsonw_newline(w);
	jsonw_begin_object(w);
	if (frame->object)
		write_c_frame(w, frame);
	else
		write_go_frame(w, analysis, index);
	write_unavailable(w, analysis, index);
	jsonw_end_object(w);
}

static void write_stack(
	struct json_writer *w, const struct analysis *analysis, const struct stack *stack)
{
	const struct row_numbers *frames = &analysis->numbering.frames;

	jsonw_newline(w);
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < stack->count; i++) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++)
			jsonw_u64(w, row_number(frames, place->first_frame + k));
	}
	jsonw_end_array(w);
}

static void write_group(
	struct json_writer *w, const struct analysis *analysis, const struct group *group)
{
	jsonw_newline(w);
	jsonw_begin_object(w);
	json_member_index(w, "stack", row_number(&analysis->numbering.stacks, group->stack));
	jsonw_member_string(w, "status", goroutine_status_name(group->status));
	jsonw_member_string(w, "wait_reason", group->reason);
	jsonw_member_u64(w, "count", group->count);
	json_member_ns(w, "wait_median_ns", group->wait_median);
	json_member_ns(w, "wait_max_ns", group->wait_max);
	jsonw_key(w, "unlike");
	if (group->unlike)
		jsonw_u64(w, group->unlike);
	else
		jsonw_null(w);
	jsonw_key(w, "examples");
	jsonw_begin_array(w);
	for (size_t i = 0; i < group->example_count; i++)
		jsonw_u64(w, analysis->goroutines.list[group->examples[i]].id);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

void json_write_tables(struct json_writer *w, const struct analysis *analysis)
{
	const struct numbering *numbering = &analysis->numbering;

	jsonw_newline(w);
	jsonw_key(w, "frames");
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < numbering->frames.count; i++)
		write_frame(w, analysis, numbering->frames.order[i]);
	jsonw_end_array(w);
	jsonw_newline(w);
	jsonw_key(w, "stacks");
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < numbering->stacks.count; i++)
		write_stack(w, analysis, &analysis->stacks.stacks[numbering->stacks.order[i]]);
	jsonw_end_array(w);
	jsonw_newline(w);
	jsonw_key(w, "groups");
	jsonw_begin_array(w);
	for (size_t i = 0; i < analysis->groups.count; i++)
		write_group(w, analysis, &analysis->groups.list[i]);
	jsonw_end_array(w);
	jsonw_newline(w);
	if (analysis->rt)
		jsonw_member_u64(w, "goroutines_total", analysis->shown_count);
	else
		jsonw_member_null(w, "goroutines_total");
}
