#include "analyzer/snapshot/groups.h"

#include "analyzer/snapshot/analysis.h"

#include <stdlib.h>
#include <string.h>

/* Between the passes over the goroutines. */
struct grouper {
	struct analysis *analysis;
	struct group *list;
	size_t count, capacity;
	uint32_t *group_of; // of each goroutine that is shown
	size_t *members;    // of all groups, one group behind the other
	int64_t *waits;     // likewise, those that are known
};

/** Distinct for distinct groups: statuses and reasons are small, stacks are indexes. */
static uint64_t group_key(const struct analysis *analysis, size_t index)
{
	const struct goroutine *g = &analysis->goroutines.list[index];
	uint64_t reason = goroutine_wait_reason(analysis->rt, g) ? g->wait_reason : 0;

	return (uint64_t)analysis->rows[index].stack << 32 | (uint64_t)g->status << 8 | reason;
}

static bool add_group(struct grouper *grouper, size_t index)
{
	struct analysis *analysis = grouper->analysis;
	const struct goroutine *g = &analysis->goroutines.list[index];
	struct group *grown = arena_grow(analysis->arena, grouper->list, &grouper->capacity,
		grouper->count + 1, sizeof(*grown));

	if (!grown)
		return false;
	grouper->list = grown;
	grown[grouper->count++] = (struct group){.stack = analysis->rows[index].stack,
		.status = g->status,
		.reason = goroutine_wait_reason(analysis->rt, g),
		.wait_max = -1,
		.wait_median = -1,
		.is_system = true};
	return true;
}

/** First pass: which groups there are, and how large. */
static bool count_members(struct grouper *grouper)
{
	struct analysis *analysis = grouper->analysis;
	struct u64map by_key;

	u64map_init(&by_key, analysis->arena);
	for (size_t i = 0; i < analysis->goroutines.count; i++) {
		uint64_t key = group_key(analysis, i), at;

		if (!analysis->rows[i].is_shown)
			continue;
		if (!u64map_get(&by_key, key, &at)) {
			at = grouper->count;
			if (!u64map_put(&by_key, key, at) || !add_group(grouper, i))
				return false;
		}
		grouper->group_of[i] = (uint32_t)at;
		grouper->list[at].count++;
	}
	return true;
}

/** Second pass: who they are. */
static void fill_members(struct grouper *grouper)
{
	struct analysis *analysis = grouper->analysis;
	size_t *free_member = grouper->members;

	for (size_t i = 0; i < grouper->count; i++) {
		grouper->list[i].members = free_member;
		free_member += grouper->list[i].count;
		grouper->list[i].count = 0;
	}
	for (size_t i = 0; i < analysis->goroutines.count; i++) {
		struct group *group = &grouper->list[grouper->group_of[i]];

		if (!analysis->rows[i].is_shown)
			continue;
		grouper->members[(size_t)(group->members - grouper->members) + group->count++] = i;
		if (!analysis->goroutines.list[i].is_system)
			group->is_system = false;
		if (group->example_count < MAX_GROUP_EXAMPLES)
			group->examples[group->example_count++] = i;
	}
}

static int compare_waits(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure_waits(struct grouper *grouper, struct group *group)
{
	size_t known = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct wait_time wait = analysis_wait(grouper->analysis, group->members[i]);

		if (wait.best >= 0)
			grouper->waits[known++] = wait.best;
	}
	if (!known)
		return;
	qsort(grouper->waits, known, sizeof(*grouper->waits), compare_waits);
	group->wait_max = grouper->waits[known - 1];
	group->wait_median = grouper->waits[(known - 1) / 2];
}

static uint64_t start_of(const struct grouper *grouper, const struct group *group)
{
	return grouper->analysis->goroutines.list[group->members[0]].start_pc;
}

/** The few of a function's goroutines that do not stand where most of them do. */
static bool find_unlike(struct grouper *grouper)
{
	struct u64map totals;
	uint64_t total;

	u64map_init(&totals, grouper->analysis->arena);
	for (size_t i = 0; i < grouper->count; i++) {
		uint64_t start = start_of(grouper, &grouper->list[i]);

		if (!u64map_get(&totals, start, &total))
			total = 0;
		if (!u64map_put(&totals, start, total + grouper->list[i].count))
			return false;
	}
	for (size_t i = 0; i < grouper->count; i++) {
		struct group *group = &grouper->list[i];

		if (!group->is_system && start_of(grouper, group) &&
			u64map_get(&totals, start_of(grouper, group), &total) &&
			total - group->count >= MIN_OTHERS && group->count <= total / MIN_OTHERS)
			group->unlike = total - group->count;
	}
	return true;
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
	size_t count = analysis->goroutines.count;
	struct arena *arena = analysis->arena;
	struct grouper grouper = {.analysis = analysis,
		.group_of = arena_array(arena, count, sizeof(*grouper.group_of)),
		.members = arena_array(arena, count, sizeof(*grouper.members)),
		.waits = arena_array(arena, count, sizeof(*grouper.waits))};

	if (!grouper.group_of || !grouper.members || !grouper.waits || !count_members(&grouper))
		return CS_NO_MEMORY;
	if (!grouper.count)
		return CS_OK;
	fill_members(&grouper);
	for (size_t i = 0; i < grouper.count; i++)
		measure_waits(&grouper, &grouper.list[i]);
	if (!find_unlike(&grouper))
		return CS_NO_MEMORY;
	qsort(grouper.list, grouper.count, sizeof(*grouper.list), compare);
	analysis->groups = (struct groups){grouper.list, grouper.count};
	return CS_OK;
}

static int compare_rarity(const void *a, const void *b, void *context)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct groups *groups = context;
	const struct group *x = &groups->list[i], *y = &groups->list[k];

	if (x->is_system != y->is_system)
		return x->is_system ? 1 : -1;
	if (!x->unlike != !y->unlike)
		return x->unlike ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return i < k ? -1 : 1;
}

const uint32_t *groups_order(const struct groups *groups, bool rarest, struct arena *arena)
{
	uint32_t *order = arena_array(arena, groups->count + 1, sizeof(*order));
	struct groups copy = *groups;

	if (!order)
		return NULL;
	for (uint32_t i = 0; i < groups->count; i++)
		order[i] = i;
	if (rarest && groups->count)
		qsort_r(order, groups->count, sizeof(*order), compare_rarity, &copy);
	return order;
}
