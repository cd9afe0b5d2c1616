#include "analyzer/snapshot/groups.h"

#include "analyzer/snapshot/analysis.h"

#include <stdlib.h>

/** Distinct for distinct groups: statuses and reasons are small, stacks are indexes. */
static uint64_t group_key(const struct analysis *analysis, size_t index)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	uint64_t reason = goroutine_wait_reason(analysis->rt, g) ? g->wait_reason : 0;

	return (uint64_t)analysis->rows[index].stack << 32 | (uint64_t)g->status << 8 | reason;
}

static void add_member(const struct analysis *analysis, struct group *group, size_t index)
{
	struct wait_time wait = analysis_wait(analysis, index);

	group->count++;
	if (wait.best > group->wait_max)
		group->wait_max = wait.best;
	if (!analysis->goroutines.list[index].is_system)
		group->is_system = false;
	if (group->example_count < MAX_GROUP_EXAMPLES)
		group->examples[group->example_count++] = index;
}

static int compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->examples[0] < y->examples[0] ? -1 : 1;
}

enum cs_status groups_build(struct analysis *analysis)
{
	struct groups *groups = &analysis->groups;
	struct u64map by_key;
	size_t capacity = 0;

	u64map_init(&by_key, analysis->arena);
	for (size_t i = 0; i < analysis->goroutines.count; i++) {
		const struct goroutine *g = &analysis->goroutines.list[i];
		uint64_t at;

		if (!analysis->rows[i].is_shown)
			continue;
		if (!u64map_get(&by_key, group_key(analysis, i), &at)) {
			struct group *grown = arena_grow(analysis->arena, groups->list, &capacity,
				groups->count + 1, sizeof(*grown));

			if (!grown || !u64map_put(&by_key, group_key(analysis, i), groups->count))
				return CS_NO_MEMORY;
			groups->list = grown;
			at = groups->count++;
			grown[at] = (struct group){.stack = analysis->rows[i].stack,
				.status = g->status,
				.reason = goroutine_wait_reason(analysis->rt, g),
				.wait_max = -1,
				.is_system = true};
		}
		add_member(analysis, &groups->list[at], i);
	}
	if (groups->count)
		qsort(groups->list, groups->count, sizeof(*groups->list), compare);
	return CS_OK;
}
