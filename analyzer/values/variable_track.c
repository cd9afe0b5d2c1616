#include "analyzer/values/variable_track.h"

#include "analyzer/values/leaves.h"
#include "analyzer/values/parameters.h"
#include "common/limits.h"

#include <string.h>

#define WORD 8
#define MAX_PARTS 8 // of a variable that is looked for

/* The rows of a variable's list, a list for each of its scalars. */
struct part_rows {
	const struct variable_plans *plans;
	struct leaf leaves[MAX_PARTS];
	uint32_t leaf_count;
	struct flow_row *rows[MAX_PARTS];
	uint32_t row_counts[MAX_PARTS];
};

/* A scalar's row: in a register, or in the frame; false: nowhere, or elsewhere. */
static bool row_of(const struct part_rows *parts, uint32_t leaf,
	const struct dwarf_location *location, struct flow_row *ret)
{
	const struct dwarf_piece *piece = &location->pieces[leaf];
	uint64_t size = piece->size;

	if (location->count != parts->leaf_count ||
		(size != parts->leaves[leaf].size && (size || location->count != 1)))
		return false;
	ret->is_register = piece->kind == DWARF_PIECE_REGISTER;
	ret->place = ret->is_register ? (int64_t)piece->register_number : piece->number;
	return ret->is_register || piece->kind == DWARF_PIECE_FRAME;
}

static bool add_row(
	void *context, uint64_t low, uint64_t high, const struct dwarf_location *location)
{
	struct part_rows *parts = context;
	uint64_t bias = parts->plans->frames->rt->bias;

	for (uint32_t i = 0; i < parts->leaf_count; i++) {
		struct flow_row row = {.low = low + bias, .high = high + bias};

		if (parts->row_counts[i] == MAX_FLOW_ROWS)
			return false;
		if (low < high && row_of(parts, i, location, &row))
			parts->rows[i][parts->row_counts[i]++] = row;
	}
	return true;
}

static bool load_rows(struct variable_plans *plans, const struct planned_variable *variable,
	struct arena *scratch, struct part_rows *ret)
{
	Dwarf_Die die = variable->die;

	*ret = (struct part_rows){.plans = plans, .leaf_count = 1};
	if (variable->is_escaped)
		ret->leaves[0] = (struct leaf){0, WORD};
	else
		ret->leaf_count = leaves_of(variable->type, ret->leaves, MAX_PARTS);
	for (uint32_t i = 0; i < ret->leaf_count; i++) {
		ret->rows[i] = arena_array(scratch, MAX_FLOW_ROWS, sizeof(*ret->rows[i]));
		if (!ret->rows[i])
			return false;
	}
	if (ret->leaf_count)
		dwarf_location_each(plans->dwarf, variable->unit, &die, add_row, ret);
	return ret->leaf_count;
}

static bool meet(const struct flow_row *a, const struct flow_row *b)
{
	return a->low < b->high && b->low < a->high && a->place == b->place &&
	       a->is_register == b->is_register;
}

/* Whether some part of another variable was ever said to lie where this part was, at one time. */
static bool is_shared_with(
	const struct part_rows *own, uint32_t leaf, const struct part_rows *other)
{
	for (uint32_t i = 0; i < other->leaf_count; i++)
		for (uint32_t k = 0; k < other->row_counts[i]; k++)
			for (uint32_t m = 0; m < own->row_counts[leaf]; m++)
				if (meet(&own->rows[leaf][m], &other->rows[i][k]))
					return true;
	return false;
}

static bool is_alone(struct variable_plans *plans, const struct variable_plan *plan, uint32_t index,
	const struct part_rows *own, uint32_t leaf)
{
	struct arena scratch;
	bool is_met = plan->count > MAX_COMPARED_VARIABLES;

	for (uint32_t i = 0; i < plan->count && !is_met; i++) {
		struct part_rows other;

		if (i == index)
			continue;
		arena_init(&scratch, 0);
		if (load_rows(plans, &plan->variables[i], &scratch, &other))
			is_met = is_shared_with(own, leaf, &other);
		arena_deinit(&scratch);
	}
	return !is_met;
}

/* A piece that says where its part lies. */
static bool is_placed(const struct planned_variable *variable, uint32_t i)
{
	return variable->pieces[i].kind != DWARF_PIECE_NONE &&
	       variable->pieces[i].kind != DWARF_PIECE_REGISTER;
}

/* The variable's pieces cut where its scalars are, those between them included. */
static bool cut_pieces(struct variable_plans *plans, struct planned_variable *variable,
	const struct part_rows *parts, uint32_t *of_leaf)
{
	uint64_t size = variable->is_escaped ? WORD : variable->type->size, at = 0, old_at = 0;
	struct dwarf_piece *pieces = arena_array(
		plans->dwarf->arena, 2 * (size_t)parts->leaf_count + 1, sizeof(*pieces));
	uint32_t count = 0, old = 0;

	if (!pieces)
		return false;
	for (uint32_t i = 0; i < parts->leaf_count; i++) {
		const struct leaf *leaf = &parts->leaves[i];

		if (leaf->offset > at)
			pieces[count++] =
				(struct dwarf_piece){.size = (uint32_t)(leaf->offset - at)};
		while (old < variable->piece_count && old_at < leaf->offset)
			old_at += variable->pieces[old++].size;
		of_leaf[i] = count;
		pieces[count] = (struct dwarf_piece){0};
		if (old < variable->piece_count && old_at == leaf->offset &&
			(variable->pieces[old].size == leaf->size ||
				(!variable->pieces[old].size && leaf->offset + leaf->size == size)))
			pieces[count] = variable->pieces[old];
		else if (variable->piece_count && old_at != leaf->offset)
			return false;
		pieces[count++].size = (uint32_t)leaf->size;
		at = leaf->offset + leaf->size;
	}
	if (at < size)
		pieces[count++] = (struct dwarf_piece){.size = (uint32_t)(size - at)};
	variable->pieces = pieces;
	variable->piece_count = count;
	return true;
}

static bool is_lost_here(const struct planned_variable *variable)
{
	bool is_any = !variable->piece_count;

	if (variable->unavailable && variable->unavailable != UNAVAILABLE_OPTIMIZED_OUT &&
		variable->unavailable != UNAVAILABLE_CLOBBERED)
		return false;
	for (uint32_t i = 0; i < variable->piece_count; i++)
		is_any |= !is_placed(variable, i);
	return is_any && !variable->evidence && !variable->symbols && variable->type->size &&
	       variable->type->size <= UINT32_MAX;
}

static bool find_parts(struct variable_plans *plans, struct flow *flow, const struct walk *walk,
	uint32_t frame, uint32_t index, const struct part_rows *parts)
{
	uint32_t place = walk->places[frame];
	const struct variable_plan *plan = variable_plan_of(plans, place);
	struct planned_variable *variable = variable_plan_change(plans, place, index);
	struct planned_variable changed = *variable;
	uint32_t of_leaf[MAX_PARTS];
	bool is_any = false;

	changed.symbols = arena_array(
		plans->dwarf->arena, 2 * (size_t)parts->leaf_count + 1, sizeof(*changed.symbols));
	if (!changed.symbols || !cut_pieces(plans, &changed, parts, of_leaf))
		return false;
	for (uint32_t i = 0; i < parts->leaf_count; i++) {
		struct flow_part part = {.rows = parts->rows[i],
			.row_count = parts->row_counts[i],
			.size = (uint32_t)parts->leaves[i].size,
			.is_constant = variable->is_constant,
			.is_parameter =
				variable->is_argument &&
				variable->frame + 1 == plans->frames->places[place].frame_count};

		if (is_placed(&changed, of_leaf[i]) || !part.row_count)
			continue;
		part.is_alone = !part.is_constant && is_alone(plans, plan, index, parts, i);
		changed.symbols[of_leaf[i]] = flow_find(flow, walk, frame, &part);
		is_any |= changed.symbols[of_leaf[i]] != 0;
	}
	if (is_any)
		*variable = changed;
	return is_any;
}

bool variable_track(struct variable_plans *plans, struct flow *flow, const struct walk *walk,
	uint32_t frame, uint32_t index)
{
	const struct variable_plan *plan = variable_plan_of(plans, walk->places[frame]);
	const struct planned_variable *variable = &plan->variables[index];
	struct part_rows parts;
	struct arena scratch;
	bool is_any = false;

	if (!flow || !is_lost_here(variable))
		return false;
	arena_init(&scratch, 0);
	if (load_rows(plans, variable, &scratch, &parts))
		is_any = find_parts(plans, flow, walk, frame, index, &parts);
	arena_deinit(&scratch);
	return is_any;
}

/* What logical frame `logical` of physical frame `frame` has called; NULL: nothing, or not known.
 */
static const char *callee_of(
	const struct frame_table *frames, const struct walk *walk, uint32_t frame, uint32_t logical)
{
	const struct code_place *place = &frames->places[walk->places[frame]];

	if (logical)
		return frames->frames[place->first_frame + logical - 1].function;
	if (!frame || walk->cut_at == frame || place->is_exact)
		return NULL;
	place = &frames->places[walk->places[frame - 1]];
	return frames->frames[place->first_frame + place->frame_count - 1].function;
}

void variable_begin(
	struct variable_plans *plans, const struct walk *walk, uint32_t frame, uint32_t index)
{
	const struct frame_table *frames = plans->frames;
	const struct code_place *place = &frames->places[walk->places[frame]];
	struct planned_variable *variable = variable_plan_change(plans, walk->places[frame], index);
	struct part_rows parts = {.plans = plans};
	uint32_t of_leaf[MAX_PARTS];
	const char *function, *callee;

	if (!variable->is_result || !variable->unavailable || variable->is_escaped ||
		variable->piece_count || !variable->type->size)
		return;
	function = frames->frames[place->first_frame + variable->frame].function;
	callee = callee_of(frames, walk, frame, variable->frame);
	if (!function || !callee ||
		!result_is_zero(plans->go_version, function, variable->name, callee))
		return;
	parts.leaf_count = leaves_of(variable->type, parts.leaves, MAX_PARTS);
	if (!parts.leaf_count || !cut_pieces(plans, variable, &parts, of_leaf))
		return;
	for (uint32_t i = 0; i < variable->piece_count; i++)
		variable->pieces[i].kind = DWARF_PIECE_CONSTANT;
	variable->evidence = EVIDENCE_RUNTIME;
	variable->unavailable = AVAILABLE;
}
