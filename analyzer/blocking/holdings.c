// From each leaked goroutine's stack through the island, word by word: a number that only looks
// like a pointer makes one holder too many, never one too few.
#include "analyzer/blocking/holdings.h"

#include "common/limits.h"

#include <string.h>

#define WORD 8
#define NO_HOLDER UINT32_MAX

/** Goroutine `index` has a way to an object that somebody waits for. */
struct holder {
	size_t index;
	uint32_t next; // of the same object; NO_HOLDER
};

struct islanders {
	struct leak_search *search;
	struct leaks *leaks;
	struct u64map seen; // an object to the goroutine from which it was reached last, and 1
	target_addr *queue; // objects
	size_t head, tail, queue_capacity;
	struct holder *holders;
	size_t holder_count, holder_capacity;
	uint32_t *first_holder; // of each row of awaiting.list that begins an object's chain
	uint64_t budget;        // words that may still be looked at
	size_t *fellow;         // of each goroutine: the number of the last thing that it waits for
	size_t holding_capacity;
};

static bool add_holder(struct islanders *s, uint32_t row, size_t index)
{
	struct holder *grown = arena_grow(&s->search->scratch, s->holders, &s->holder_capacity,
		s->holder_count + 1, sizeof(*grown));

	if (!grown)
		return false;
	s->holders = grown;
	grown[s->holder_count] = (struct holder){index, s->first_holder[row]};
	s->first_holder[row] = (uint32_t)s->holder_count++;
	return true;
}

/** An object of the island that `word` points into: to be looked at, and noted if waited for. */
static bool reach(struct islanders *s, uint64_t word, size_t index)
{
	const struct leak_search *search = s->search;
	struct heap_slot slot;
	target_addr object, *grown;
	uint64_t known = 0, row;

	if (!heap_find(&search->heap, word, &slot) || !heap_is_allocated(&search->heap, slot) ||
		mark_has(&search->mark, slot))
		return true;
	object = heap_address(&search->heap, slot);
	u64map_get(&s->seen, object, &known);
	if (known == index + 1)
		return true;
	grown = arena_grow(
		&s->search->scratch, s->queue, &s->queue_capacity, s->tail + 1, sizeof(*grown));
	if (!grown || !u64map_put(&s->seen, object, index + 1))
		return false;
	s->queue = grown;
	grown[s->tail++] = object;
	return !u64map_get(&search->by_object, object, &row) || add_holder(s, (uint32_t)row, index);
}

/** Everything that an object points to. */
static bool look_into(struct islanders *s, target_addr object, size_t index)
{
	const struct heap *heap = &s->search->heap;
	struct heap_slot slot;
	const struct heap_span *span;

	if (!heap_find(heap, object, &slot))
		return true;
	span = &heap->spans[slot.span];
	if (span->shape == HEAP_NO_POINTERS)
		return true;
	for (uint64_t at = 0; at + WORD <= span->element_size && s->budget; at += WORD) {
		uint64_t word;

		s->budget--;
		memcpy(&word, span->bytes + (object - span->start) + at, WORD);
		if (!reach(s, word, index))
			return false;
	}
	return true;
}

static bool walk_from(struct islanders *s, size_t index)
{
	struct leak_search *search = s->search;

	s->head = s->tail = 0;
	if (!stack_roots_find(&search->stacks, &search->input->goroutines->list[index]))
		return true;
	for (size_t i = 0; i < search->stacks.count && s->budget; i++) {
		s->budget--;
		if (!reach(s, search->stacks.words[i], index))
			return false;
	}
	while (s->head < s->tail && s->budget)
		if (!look_into(s, s->queue[s->head++], index))
			return false;
	return true;
}

static bool add_holding(struct islanders *s, struct leak_holding holding)
{
	struct leak_holding *grown;

	if (s->leaks->holding_count >= MAX_BLOCKING_EDGES)
		return true;
	grown = arena_grow(s->search->input->arena, s->leaks->holdings, &s->holding_capacity,
		s->leaks->holding_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	s->leaks->holdings = grown;
	grown[s->leaks->holding_count++] = holding;
	return true;
}

/** Those who have a way to the thing, and do not wait for it themselves; how many in all. */
static size_t others(
	const struct islanders *s, uint32_t row, size_t stamp, size_t ret[static MAX_CLAIM_EDGES])
{
	size_t count = 0;

	for (uint32_t i = s->first_holder[row]; i != NO_HOLDER; i = s->holders[i].next) {
		if (s->fellow[s->holders[i].index] == stamp)
			continue;
		if (count < MAX_CLAIM_EDGES)
			ret[count] = s->holders[i].index;
		count++;
	}
	return count;
}

/** Holdings of what lies at `address`, in the object whose chain of rows begins at `first`. */
static bool add_holdings(struct islanders *s, uint32_t first, target_addr address, size_t stamp)
{
	const struct leak_search *search = s->search;
	size_t list[MAX_CLAIM_EDGES], count;

	for (uint32_t row = first; row != NO_ROW; row = search->next_row[row])
		if (search->awaiting.list[row].object == address)
			s->fellow[search->owner_of_row[row]] = stamp;
	count = others(s, first, stamp, list);
	for (uint32_t row = first; row != NO_ROW; row = search->next_row[row])
		for (size_t i = 0; i < count && i < MAX_CLAIM_EDGES &&
				   search->awaiting.list[row].object == address;
			i++)
			if (!add_holding(s, (struct leak_holding){search->owner_of_row[row],
						    list[i], address, count == 1}))
				return false;
	return true;
}

static bool combine(struct islanders *s)
{
	const struct leak_search *search = s->search;
	struct u64map done;

	u64map_init(&done, &s->search->scratch);
	for (uint32_t row = 0; row < search->awaiting.count; row++) {
		target_addr address = search->awaiting.list[row].object;
		struct heap_slot slot;
		uint64_t first;

		if (search->is_runnable[search->owner_of_row[row]] ||
			u64map_get(&done, address, &first) ||
			!heap_find(&search->heap, address, &slot) ||
			!u64map_get(&search->by_object, heap_address(&search->heap, slot), &first))
			continue;
		if (!u64map_put(&done, address, 1) ||
			!add_holdings(s, (uint32_t)first, address, row + (size_t)1))
			return false;
	}
	return true;
}

bool holdings_find(struct leak_search *search, struct leaks *ret)
{
	struct islanders s = {.search = search, .leaks = ret, .budget = MAX_ISLAND_WORDS};
	size_t goroutines = search->input->goroutines->count;

	u64map_init(&s.seen, &search->scratch);
	s.fellow = arena_array(&search->scratch, goroutines, sizeof(*s.fellow));
	s.first_holder =
		arena_array(&search->scratch, search->awaiting.count, sizeof(*s.first_holder));
	if (!s.fellow || !s.first_holder)
		return false;
	for (size_t i = 0; i < search->awaiting.count; i++)
		s.first_holder[i] = NO_HOLDER;
	for (size_t i = 0; i < goroutines; i++)
		if (!search->is_runnable[i] && !walk_from(&s, i))
			return false;
	// Of an island that was not walked to its end it is not known who else holds what.
	return !s.budget || combine(&s);
}
