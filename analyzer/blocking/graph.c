#include "analyzer/blocking/graph.h"

#include "analyzer/blocking/waits.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define WORD 8
#define NO_CLAIM UINT32_MAX

struct builder {
	const struct blocking_input *input;
	struct blocking *blocking;
	const struct lock_claims *claims;
	uint32_t *first_claim, *next_claim; // of each object; of each claim: the next of its object
	struct u64map object_of;            // address to its index
	struct u64map inner_of;             // coroutine to the goroutine that runs its function
};

/** The claims of each object, in the order of goroutines. */
static bool index_claims(struct builder *b)
{
	struct arena *arena = b->input->arena;

	b->first_claim = arena_array(arena, b->blocking->object_count, sizeof(*b->first_claim));
	b->next_claim = arena_array(arena, b->claims->count, sizeof(*b->next_claim));
	u64map_init(&b->object_of, arena);
	if (!b->first_claim || !b->next_claim)
		return false;
	for (size_t i = 0; i < b->blocking->object_count; i++) {
		b->first_claim[i] = NO_CLAIM;
		if (!u64map_put(&b->object_of, b->blocking->objects[i].address, i))
			return false;
	}
	for (size_t i = b->claims->count; i-- > 0;) {
		b->next_claim[i] = b->first_claim[b->claims->list[i].object];
		b->first_claim[b->claims->list[i].object] = (uint32_t)i;
	}
	return true;
}

/**
 * Whether the waiter has to wait for this holder. Readers wait for the writer; a writer for readers
 * and for another writer, but not for itself, that is its own announcement (sync/rwmutex.go).
 */
static bool is_in_the_way(const struct sync_object *object, const struct waiting_on *on,
	size_t waiter, const struct lock_claim *claim)
{
	if (strcmp(object->kind, "rwmutex"))
		return true;
	if (!strcmp(on->operation, "rlock"))
		return !claim->is_read;
	return claim->is_read || claim->goroutine != waiter;
}

/** A mutex has one holder: where several seem to hold it, it is not known who does. */
static bool is_ambiguous(const struct builder *b, size_t object)
{
	size_t alone = 0;

	for (uint32_t i = b->first_claim[object]; i != NO_CLAIM; i = b->next_claim[i])
		alone += !b->claims->list[i].is_read;
	return alone > 1;
}

static bool add_lock_edges(struct builder *b, size_t waiter, const struct waiting_on *on)
{
	const struct sync_object *object;
	uint64_t index;
	size_t added = 0;

	if (!on->operation || !u64map_get(&b->object_of, on->address, &index))
		return true;
	object = &b->blocking->objects[index];
	if (is_ambiguous(b, index) && strcmp(object->kind, "rwmutex"))
		return true;
	for (uint32_t i = b->first_claim[index]; i != NO_CLAIM && added < MAX_CLAIM_EDGES;
		i = b->next_claim[i]) {
		const struct lock_claim *claim = &b->claims->list[i];

		if (!is_in_the_way(object, on, waiter, claim) ||
			(!claim->is_read && is_ambiguous(b, index)))
			continue;
		added++;
		if (!blocking_add_edge(b->blocking,
			    (struct blocking_edge){waiter, claim->goroutine, on->address, false}))
			return false;
	}
	return true;
}

/** Notes the coroutines that a goroutine's outermost frame, runtime.corostart, has a pointer to. */
static bool add_inner(struct builder *b, size_t index)
{
	const struct goroutine *g = &b->input->goroutines->list[index];
	uint64_t count = (g->stack_hi - g->stack_lo) / WORD;
	const uint8_t *words;

	if (count > MAX_CORO_WORDS)
		count = MAX_CORO_WORDS;
	words = runtime_bytes(b->input->rt, g->stack_hi - count * WORD, count * WORD);
	for (uint64_t i = 0; words && i < count; i++) {
		uint64_t known;
		target_addr word;

		memcpy(&word, words + i * WORD, WORD);
		if (!u64map_get(&b->inner_of, word, &known) || known == index)
			continue;
		// Two that hold one coroutine: who runs it is not known.
		if (!u64map_put(&b->inner_of, word, known == NO_BLOCKER ? index : NO_BLOCKER - 1))
			return false;
	}
	return true;
}

/** A coroutine's caller waits for the goroutine that runs its function (runtime/coro.go). */
static bool find_coroutines(struct builder *b)
{
	const struct goroutines *all = b->input->goroutines;
	struct pcln_func func;

	u64map_init(&b->inner_of, b->input->arena);
	for (size_t i = 0; i < all->count; i++) {
		size_t count;
		const struct waiting_on *on = blocking_waits(b->blocking, i, &count);

		if (count && on->address && !strcmp(on->kind, "coroutine") &&
			!u64map_put(&b->inner_of, on->address, NO_BLOCKER))
			return false;
	}
	if (!b->inner_of.count ||
		!pclntab_find_name(b->input->rt->functions, "runtime.corostart", &func))
		return true;
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].start_pc == func.entry && !add_inner(b, i))
			return false;
	return true;
}

static bool add_coroutine_edge(struct builder *b, size_t waiter, const struct waiting_on *on)
{
	uint64_t inner;

	if (!u64map_get(&b->inner_of, on->address, &inner) ||
		inner >= b->input->goroutines->count || inner == waiter)
		return true;
	return blocking_add_edge(
		b->blocking, (struct blocking_edge){waiter, inner, on->address, true});
}

enum cs_status graph_build(const struct blocking_input *input, const struct lock_claims *claims,
	struct blocking *blocking)
{
	struct builder b = {.input = input, .blocking = blocking, .claims = claims};

	if (!index_claims(&b) || !find_coroutines(&b))
		return CS_NO_MEMORY;
	for (size_t i = 0; i < input->goroutines->count; i++) {
		size_t count;
		const struct waiting_on *on = blocking_waits(blocking, i, &count);
		bool is_added;

		if (count != 1 || !on->address)
			continue;
		is_added = strcmp(on->kind, "coroutine") ? add_lock_edges(&b, i, on)
							 : add_coroutine_edge(&b, i, on);
		if (!is_added)
			return CS_NO_MEMORY;
	}
	return CS_OK;
}
