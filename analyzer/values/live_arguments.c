#include "analyzer/values/live_arguments.h"

#include "analyzer/unwind/arguments.h"
#include "common/limits.h"

#include <string.h>

struct argument_list {
	struct argument_word words[MAX_ARGUMENT_WORDS];
	size_t count;
	bool is_whole;
};

/** The words of argument `item`: how many, and *first_ret where they begin in the list. */
static size_t words_of(const struct argument_list *list, uint32_t item, size_t *first_ret)
{
	size_t first = 0, count = 0;

	while (first < list->count && list->words[first].item < item)
		first++;
	while (first + count < list->count && list->words[first + count].item == item)
		count++;
	*first_ret = first;
	return count;
}

/** Whether an argument that DWARF has in its caller's frame lies where the list says. */
static bool agrees(const struct argument_list *list, uint32_t item, uint64_t type_size,
	const struct planned_variable *variable)
{
	size_t first, count = words_of(list, item, &first);
	const struct argument_word *last;

	if (!count)
		return true;
	last = &list->words[first + count - 1];
	if (last->offset + (uint64_t)last->size - list->words[first].offset > type_size)
		return false;
	return variable->is_escaped || !variable->piece_count ||
	       variable->pieces[0].kind != DWARF_PIECE_FRAME || variable->pieces[0].number < 0 ||
	       variable->pieces[0].number == list->words[first].offset;
}

/** A piece for each live word, and none for what lies between. */
static bool give_words(struct variable_plans *plans, const struct argument_list *list,
	uint32_t item, struct planned_variable *variable)
{
	size_t first, count = words_of(list, item, &first);
	uint64_t at = 0, base = count ? list->words[first].offset : 0;
	struct dwarf_piece *pieces =
		arena_array(plans->dwarf->arena, 2 * count + 1, sizeof(*pieces));
	bool is_any_live = false;
	uint32_t used = 0;

	for (size_t i = first; pieces && i < first + count; i++) {
		const struct argument_word *word = &list->words[i];

		if (word->offset < base + at)
			return false;
		if (word->offset > base + at)
			pieces[used++] =
				(struct dwarf_piece){.size = (uint32_t)(word->offset - base - at)};
		pieces[used++] = (struct dwarf_piece){
			.kind = word->is_live ? DWARF_PIECE_FRAME : DWARF_PIECE_NONE,
			.size = word->size,
			.number = word->offset};
		is_any_live |= word->is_live;
		at = word->offset - base + word->size;
	}
	if (!is_any_live)
		return false;
	if (at < variable->type->size)
		pieces[used++] = (struct dwarf_piece){.kind = DWARF_PIECE_NONE};
	variable->pieces = pieces;
	variable->piece_count = used;
	variable->evidence = EVIDENCE_LIVE_ARGUMENT;
	variable->unavailable = AVAILABLE;
	return true;
}

static bool is_argument_of(const struct planned_variable *variable, uint32_t frame)
{
	return variable->is_argument && variable->frame == frame;
}

/** Whether the list has as many arguments as DWARF, and no place contradicts it. */
static bool belong_together(
	const struct argument_list *list, const struct variable_plan *plan, uint32_t frame)
{
	uint32_t arguments = 0;

	for (uint32_t i = 0; i < plan->count; i++) {
		const struct planned_variable *variable = &plan->variables[i];

		if (!is_argument_of(variable, frame))
			continue;
		if (!agrees(list, arguments++, variable->type->size, variable))
			return false;
	}
	return list->count && list->is_whole && list->words[list->count - 1].item + 1u == arguments;
}

void live_arguments_add(
	struct variable_plans *plans, const struct code_place *place, struct variable_plan *plan)
{
	uint32_t frame = place->frame_count - 1, item = 0;
	const char *function = plans->frames->frames[place->first_frame + frame].function;
	struct argument_list list;

	// A generic function's dictionary has a bit of its own, but no word: the bits are shifted
	// (cmd/compile/internal/liveness/arg.go, ssagen EmitArgInfo, go1.26).
	if (function && strchr(function, '['))
		return;
	list.count = arguments_words(
		plans->frames->rt, place, list.words, MAX_ARGUMENT_WORDS, &list.is_whole);
	if (place->is_exact || !belong_together(&list, plan, frame))
		return;
	for (uint32_t i = 0; i < plan->count; i++) {
		struct planned_variable *variable = &plan->variables[i];

		if (!is_argument_of(variable, frame))
			continue;
		if (!variable->is_escaped &&
			(variable->unavailable == UNAVAILABLE_OPTIMIZED_OUT ||
				variable->unavailable == UNAVAILABLE_CLOBBERED))
			give_words(plans, &list, item, variable);
		item++;
	}
}
