// Strongly connected components by Tarjan's algorithm, without recursion: the graph is as deep as a
// hundred thousand goroutines make it.
#include "analyzer/blocking/cycles.h"

#include "analyzer/blocking/waits.h"
#include "common/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct graph {
	const struct blocking_input *input;
	struct blocking *blocking;
	size_t *first; // of each goroutine: its first edge; one more at the end
	const struct blocking_edge *edges;
	size_t *number, *low, *component; // number 0: not visited; component 0: not known
	size_t *path, path_count;         // Tarjan's stack
	size_t *calls, call_count;        // of the depth-first search
	size_t *next;                     // of each goroutine: the next edge to look at
	size_t visited, components;
	size_t *from, *queue; // of the search for a shortest cycle
};

static int compare_edges(const void *a, const void *b)
{
	const struct blocking_edge *left = a, *right = b;

	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return left->to < right->to ? -1 : left->to > right->to;
}

static bool init(struct graph *g)
{
	struct arena *arena = g->input->arena;
	size_t count = g->input->goroutines->count + 1, edge = 0;
	size_t **arrays[] = {&g->first, &g->number, &g->low, &g->component, &g->path, &g->calls,
		&g->next, &g->from, &g->queue};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		*arrays[i] = arena_array(arena, count, sizeof(**arrays[i]));
		if (!*arrays[i])
			return false;
	}
	qsort(g->blocking->edges, g->blocking->edge_count, sizeof(*g->blocking->edges),
		compare_edges);
	g->edges = g->blocking->edges;
	for (size_t i = 0; i < count; i++) {
		while (edge < g->blocking->edge_count && g->edges[edge].from < i)
			edge++;
		g->first[i] = edge;
	}
	return true;
}

static void enter(struct graph *g, size_t node)
{
	g->number[node] = g->low[node] = ++g->visited;
	g->next[node] = g->first[node];
	g->path[g->path_count++] = node;
	g->calls[g->call_count++] = node;
}

/** Everything above `node` on the path, and itself, is one component. */
static void leave(struct graph *g, size_t node)
{
	size_t member;

	if (g->low[node] == g->number[node]) {
		g->components++;
		do {
			member = g->path[--g->path_count];
			g->component[member] = g->components;
		} while (member != node);
	}
	g->call_count--;
	if (g->call_count) {
		size_t caller = g->calls[g->call_count - 1];

		if (g->low[node] < g->low[caller])
			g->low[caller] = g->low[node];
	}
}

static void find_components(struct graph *g, size_t start)
{
	enter(g, start);
	while (g->call_count) {
		size_t node = g->calls[g->call_count - 1], to;

		if (g->next[node] == g->first[node + 1]) {
			leave(g, node);
			continue;
		}
		to = g->edges[g->next[node]++].to;
		if (!g->number[to])
			enter(g, to);
		else if (!g->component[to] && g->number[to] < g->low[node])
			g->low[node] = g->number[to];
	}
}

/** Breadth first from `start` back to it, within its component. The last node before it again. */
static size_t search_back(struct graph *g, size_t start)
{
	size_t head = 0, tail = 0;

	g->queue[tail++] = start;
	while (head < tail) {
		size_t node = g->queue[head++];

		for (size_t i = g->first[node]; i < g->first[node + 1]; i++) {
			size_t to = g->edges[i].to;

			if (to == start)
				return node;
			if (g->component[to] != g->component[start] || g->from[to])
				continue;
			g->from[to] = node + 1;
			g->queue[tail++] = to;
		}
	}
	return NO_BLOCKER;
}

/** The shortest cycle through `start`, in the order of waiting; of length 0: there is none. */
static bool shortest_cycle(struct graph *g, size_t start, struct blocking_cycle *ret)
{
	size_t last = search_back(g, start), count = 1;
	size_t *members;

	*ret = (struct blocking_cycle){0};
	if (last == NO_BLOCKER)
		return true;
	for (size_t at = last; at != start; at = g->from[at] - 1)
		count++;
	members = arena_array(g->input->arena, count, sizeof(*members));
	if (!members)
		return false;
	*ret = (struct blocking_cycle){.members = members, .count = count};
	for (size_t at = last; count--; at = g->from[at] - 1)
		members[count] = at;
	return true;
}

static bool add_cycle(struct blocking *b, struct blocking_cycle cycle)
{
	struct blocking_cycle *grown = arena_grow(b->arena, b->deadlocks, &b->deadlock_capacity,
		b->deadlock_count + 1, sizeof(*grown));

	if (!grown)
		return false;
	b->deadlocks = grown;
	grown[b->deadlock_count++] = cycle;
	return true;
}

static const struct blocking_edge *edge_between(const struct graph *g, size_t from, size_t to)
{
	for (size_t i = g->first[from]; i < g->first[from + 1]; i++)
		if (g->edges[i].to == to)
			return &g->edges[i];
	return NULL;
}

/** Why member `i` cannot go on, as what follows "goroutine 7". */
static bool explain_member(struct graph *g, const struct blocking_cycle *cycle, size_t i)
{
	const struct goroutine *all = g->input->goroutines->list;
	size_t from = cycle->members[i], to = cycle->members[(i + 1) % cycle->count], count;
	const struct waiting_on *on = blocking_waits(g->blocking, from, &count);
	const struct blocking_edge *edge = edge_between(g, from, to);

	if (!edge || !count)
		return true;
	if (!strcmp(on->kind, "coroutine"))
		return blocking_add_evidence(g->blocking, from,
			"waits in coroutine 0x%" PRIx64 " for goroutine %" PRIu64
			", which runs its function",
			edge->through, all[to].id);
	if (!strcmp(on->kind, "channel"))
		return blocking_add_evidence(g->blocking, from,
			"waits on channel 0x%" PRIx64 ", which goroutine %" PRIu64
			" could use if it were not waiting itself",
			edge->through, all[to].id);
	if (from == to)
		return blocking_add_evidence(g->blocking, from,
			"waits for %s 0x%" PRIx64 ", which it seems to hold itself", on->kind,
			edge->through);
	return blocking_add_evidence(g->blocking, from,
		"waits for %s 0x%" PRIx64 ", which goroutine %" PRIu64 " seems to hold", on->kind,
		edge->through, all[to].id);
}

static bool report(struct graph *g, size_t start)
{
	struct blocking_cycle cycle;

	if (!shortest_cycle(g, start, &cycle))
		return false;
	if (!cycle.count)
		return true;
	cycle.first_evidence = g->blocking->evidence_count;
	for (size_t i = 0; i < cycle.count; i++)
		if (!explain_member(g, &cycle, i))
			return false;
	cycle.evidence_count = g->blocking->evidence_count - cycle.first_evidence;
	return add_cycle(g->blocking, cycle);
}

enum cs_status cycles_find(const struct blocking_input *input, struct blocking *blocking)
{
	struct graph g = {.input = input, .blocking = blocking};
	size_t count = input->goroutines->count;
	bool *is_reported;

	if (!blocking->edge_count)
		return CS_OK;
	is_reported = arena_array(input->arena, count + 1, sizeof(*is_reported));
	if (!is_reported || !init(&g))
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (!g.number[i])
			find_components(&g, i);
	for (size_t i = 0; i < count; i++) {
		if (is_reported[g.component[i]])
			continue;
		is_reported[g.component[i]] = true;
		if (!report(&g, i))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}
