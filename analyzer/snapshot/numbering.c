#include "analyzer/snapshot/numbering.h"

#include "analyzer/snapshot/analysis.h"

#include <string.h>

static bool init(struct row_numbers *rows, struct arena *arena, size_t count)
{
	rows->order = arena_array(arena, count, sizeof(*rows->order));
	rows->number = arena_array(arena, count, sizeof(*rows->number));
	if (!rows->order || !rows->number)
		return false;
	memset(rows->number, 0xff, count * sizeof(*rows->number));
	return true;
}

static void use(struct row_numbers *rows, uint32_t index)
{
	if (index == UINT32_MAX || rows->number[index] != NO_NUMBER)
		return;
	rows->order[rows->count] = index;
	rows->number[index] = rows->count++;
}

static void use_frames_of_stacks(struct analysis *analysis)
{
	struct numbering *numbering = &analysis->numbering;

	for (uint32_t i = 0; i < numbering->stacks.count; i++) {
		const struct stack *stack = &analysis->stacks.stacks[numbering->stacks.order[i]];

		for (uint32_t k = 0; k < stack->count; k++) {
			const struct code_place *place = &analysis->frames.places[stack->places[k]];

			for (uint32_t f = 0; f < place->frame_count; f++)
				use(&numbering->frames, place->first_frame + f);
		}
	}
}

enum cs_status numbering_build(struct analysis *analysis)
{
	struct numbering *numbering = &analysis->numbering;
	size_t count = analysis->goroutines.count;

	if (!init(&numbering->stacks, analysis->arena, analysis->stacks.count) ||
		!init(&numbering->frames, analysis->arena, analysis->frames.frame_count))
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		use(&numbering->stacks, analysis->rows[i].stack);
	for (size_t i = 0; i < analysis->threads.count; i++)
		use(&numbering->stacks, analysis->threads.list[i].stack);
	use_frames_of_stacks(analysis);
	for (size_t i = 0; i < count; i++)
		use(&numbering->frames, analysis->rows[i].created_by);
	return CS_OK;
}
