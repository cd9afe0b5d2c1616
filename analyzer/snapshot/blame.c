#include "analyzer/snapshot/blame.h"

#include "analyzer/snapshot/analysis.h"

#include <string.h>

#define MANY_WAITERS 2 // for one lock: fewer are no jam

/** The outermost function below what every goroutine ends with; "" where there is no stack. */
static const char *outermost(const struct analysis *analysis, size_t index)
{
	uint32_t row = analysis->rows[index].stack;
	const struct stack *stack = row == NO_STACK ? NULL : &analysis->stacks.stacks[row];

	for (uint32_t i = stack ? stack->count : 0; i-- > 0;) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];
		const char *function =
			analysis->frames.frames[place->first_frame + place->frame_count - 1]
				.function;

		if (strcmp(function, "runtime.goexit"))
			return function;
	}
	return "";
}

/** The members of a cycle from the one whose function is first in the alphabet. */
static size_t list_cycle(const struct analysis *analysis, const struct blocking_cycle *cycle,
	size_t *ret, size_t max)
{
	size_t first = 0, count = 0;

	for (size_t i = 1; i < cycle->count; i++)
		if (strcmp(outermost(analysis, cycle->members[i]),
			    outermost(analysis, cycle->members[first])) < 0)
			first = i;
	while (count < cycle->count && count < max) {
		ret[count] = cycle->members[(first + count) % cycle->count];
		count++;
	}
	return count;
}

size_t blame_hang(const struct analysis *analysis, size_t *ret, size_t max)
{
	const struct blocking *b = &analysis->blocking;
	const struct sync_object *jam = NULL;
	size_t count = 0;

	for (size_t i = 0; i < b->deadlock_count && count < max; i++)
		count += list_cycle(analysis, &b->deadlocks[i], ret + count, max - count);
	if (count || !max)
		return count;
	for (size_t i = 0; i < b->object_count; i++)
		if (b->objects[i].likely_owner != NO_BLOCKER &&
			b->objects[i].waiter_count >= MANY_WAITERS &&
			(!jam || b->objects[i].waiter_count > jam->waiter_count))
			jam = &b->objects[i];
	if (!jam)
		return 0;
	*ret = jam->likely_owner;
	return 1;
}
