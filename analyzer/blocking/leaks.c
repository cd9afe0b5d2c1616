// The fixpoint. Objects that are waited for lie in watched spans: the mark lists those that it
// reaches, so that each wake costs one look-up, in whatever order the chain of wakes runs.
#include "analyzer/blocking/holdings.h"
#include "analyzer/blocking/leaks_internal.h"

#include "analyzer/blocking/waits.h"
#include "analyzer/heap/roots.h"
#include "common/limits.h"

#include <string.h>

#define WORD 8
#define SPANS_AT_A_TIME 1024 // that are marked before it is looked who is woken

static bool is_candidate(const struct leak_search *search, size_t index)
{
	return search->awaiting.of[index].kind != AWAITED_UNKNOWN;
}

static void refuse(struct leak_search *search, const char *why_not)
{
	if (!search->why_not)
		search->why_not = why_not;
}

/** What must be true of the core as a whole. */
static void check_process(struct leak_search *search)
{
	const struct runtime *rt = search->input->rt;

	if (image_file_size(rt->image) < image_expected_size(rt->image))
		refuse(search, "the core was cut off");
	if (image_is_torn(rt->image))
		refuse(search, "the core shrank while it was read");
	if (rt->layout.source == LAYOUT_GUESSED)
		refuse(search, "the layout of this Go release is guessed");
}

/** That the list of goroutines has every one that the process had. */
static void check_goroutines(struct leak_search *search)
{
	const struct runtime *rt = search->input->rt;
	target_addr list, address;
	uint64_t count, status;

	if (!runtime_slice(rt, runtime_variable(rt, VAR_ALLGS), &list, &count) ||
		count > MAX_GOROUTINES) {
		refuse(search, "not all goroutines can be read");
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		struct object g = {0};

		if (image_read_u64(rt->image, list + i * WORD, &address) == CS_OK &&
			goroutines_find(search->input->goroutines, address))
			continue;
		g = object_load(rt, address, OBJECT_G);
		status = g.bytes ? object_get(rt, g, G_STATUS) & ~(uint64_t)GOROUTINE_SCAN_BIT : 0;
		if (g.bytes && (status == GOROUTINE_IDLE || status == GOROUTINE_DEAD ||
				       status == GOROUTINE_DEAD_EXTRA))
			continue;
		refuse(search, "not all goroutines can be read");
		return;
	}
}

/** The slot of the heap that `address` lies in, if there is an object. */
static bool find_object(
	const struct leak_search *search, target_addr address, struct heap_slot *ret)
{
	return heap_find(&search->heap, address, ret) && heap_is_allocated(&search->heap, *ret);
}

static bool wake(struct leak_search *search, size_t index)
{
	if (search->is_runnable[index])
		return false;
	search->is_runnable[index] = true;
	search->left -= is_candidate(search, index);
	search->woken[search->woken_count++] = index;
	return true;
}

/** Row `row` of what goroutine `index` waits for: watched, or reached already where no heap is. */
static bool watch(struct leak_search *search, uint32_t row, size_t index)
{
	struct heap_slot slot;
	target_addr object;
	uint64_t next = NO_ROW;

	search->owner_of_row[row] = index;
	if (!find_object(search, search->awaiting.list[row].object, &slot)) {
		wake(search, index);
		return true;
	}
	object = heap_address(&search->heap, slot);
	u64map_get(&search->by_object, object, &next);
	search->next_row[row] = (uint32_t)next;
	mark_watch(&search->mark, slot);
	return u64map_put(&search->by_object, object, row);
}

/** The way from a g to what it waits for, which is no way for somebody else, is not followed. */
static void mask_sudog(struct leak_search *search, const struct awaited *awaited, uint8_t kind)
{
	const struct layout *layout = &search->input->rt->layout;
	enum layout_id id = kind == AWAITED_CHANNELS ? SUDOG_C : SUDOG_ELEM;
	uint64_t offset = layout_value(layout, id);
	uint64_t offsets[2] = {offset, offset + WORD};
	struct heap_slot slot;

	if (find_object(search, awaited->sudog, &slot) &&
		heap_address(&search->heap, slot) == awaited->sudog)
		mark_except(
			&search->mark, slot, offsets, layout_size(layout, id) == 2 * WORD ? 2 : 1);
}

static bool prepare(struct leak_search *search)
{
	struct awaiting *awaiting = &search->awaiting;
	size_t count = search->input->goroutines->count;

	search->is_runnable = arena_array(&search->scratch, count, sizeof(bool));
	search->woken = arena_array(&search->scratch, count, sizeof(size_t));
	search->next_row = arena_array(&search->scratch, awaiting->count, sizeof(uint32_t));
	search->owner_of_row = arena_array(&search->scratch, awaiting->count, sizeof(size_t));
	u64map_init(&search->by_object, &search->scratch);
	if (!search->is_runnable || !search->woken || !search->next_row || !search->owner_of_row)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct awaited_by *by = &awaiting->of[i];

		if (by->kind == AWAITED_UNKNOWN)
			wake(search, i);
		for (uint32_t row = by->first; row < by->first + by->count; row++)
			if (!watch(search, row, i))
				return false;
	}
	for (size_t i = 0; i < count; i++) {
		const struct awaited_by *by = &awaiting->of[i];

		for (uint32_t row = by->first; row < by->first + by->count; row++)
			mask_sudog(search, &awaiting->list[row], by->kind);
	}
	return true;
}

static void mark_stack(struct leak_search *search)
{
	for (size_t i = 0; i < search->stacks.count; i++)
		mark_word(&search->mark, search->stacks.words[i]);
}

/** The stacks of all that were woken. */
static void mark_woken(struct leak_search *search)
{
	while (search->woken_count && !search->why_not) {
		size_t index = search->woken[--search->woken_count];

		if (!stack_roots_find(&search->stacks, &search->input->goroutines->list[index]))
			refuse(search, "a goroutine's stack is not all in the core");
		mark_stack(search);
	}
}

/** Wakes everyone who waits for an object that was reached meanwhile. */
static void wake_by_hits(struct leak_search *search)
{
	while (search->mark.hit_count) {
		struct heap_slot slot = search->mark.hits[--search->mark.hit_count];
		uint64_t row = NO_ROW;

		u64map_get(&search->by_object, heap_address(&search->heap, slot), &row);
		for (; row != NO_ROW; row = search->next_row[row])
			wake(search, search->owner_of_row[row]);
	}
}

static void run(struct leak_search *search)
{
	const char *missing = roots_mark(&search->mark, ROOTS_WITH_WEAK);
	bool is_marking;

	if (missing)
		refuse(search, missing);
	if (!stack_roots_find_threads(&search->stacks))
		refuse(search, "a thread's stack is not all in the core");
	mark_stack(search);
	do {
		mark_woken(search);
		is_marking = mark_step(&search->mark, SPANS_AT_A_TIME);
		wake_by_hits(search);
	} while (search->left && (is_marking || search->woken_count) && !search->why_not);
	if (search->mark.is_out_of_memory || search->stacks.is_out_of_memory)
		refuse(search, "it needs more memory than it may take");
}

/** The main goroutine in `select {}` keeps the program alive on purpose (go1.26 mgc.go). */
static bool is_reported(const struct leak_search *search, size_t index)
{
	const struct goroutine *g = &search->input->goroutines->list[index];
	const char *reason = search->input->rt->wait_reasons[g->wait_reason];

	return !search->is_runnable[index] && !g->is_system &&
	       !(g->id == 1 && reason && !strcmp(reason, "select (no cases)"));
}

static enum cs_status collect(struct leak_search *search, struct leaks *ret)
{
	const struct leaks_input *input = search->input;
	size_t count = 0;

	for (size_t i = 0; i < input->goroutines->count; i++)
		count += is_reported(search, i);
	ret->list = arena_array(input->arena, count, sizeof(*ret->list));
	ret->evidence = arena_array(input->arena, count, sizeof(*ret->evidence));
	if (!ret->list || !ret->evidence)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < input->goroutines->count; i++)
		if (is_reported(search, i))
			ret->list[ret->count++] = i;
	return holdings_find(search, ret) && leaks_explain(search, ret) ? CS_OK : CS_NO_MEMORY;
}

/** Who waits for what; the heap is not looked at yet. */
static enum cs_status load_waits(struct leak_search *search)
{
	const struct leaks_input *input = search->input;
	enum cs_status status =
		stack_roots_init(&search->stacks, input->frames, input->threads, &search->scratch);

	if (status == CS_OK)
		status = awaiting_load(input->rt, input->goroutines, &search->stacks,
			&search->scratch, &search->awaiting);
	for (size_t i = 0; status == CS_OK && i < input->goroutines->count; i++)
		search->left += is_candidate(search, i);
	return status;
}

static enum cs_status load_heap(struct leak_search *search)
{
	enum cs_status status = heap_load(search->input->rt, &search->scratch, &search->heap);

	if (status == CS_FAULT) {
		refuse(search, "the heap's own tables are not in the core");
		return CS_OK;
	}
	if (status == CS_OK && search->heap.why)
		refuse(search, search->heap.why);
	if (status == CS_OK && search->heap.objects > MAX_MARKED_OBJECTS)
		refuse(search, "the heap has more objects than are marked");
	if (status == CS_OK)
		status = mark_init(&search->mark, &search->heap, &search->scratch);
	return status;
}

static enum cs_status find(struct leak_search *search, struct leaks *ret)
{
	enum cs_status status = load_waits(search);

	ret->candidates = search->left;
	if (status != CS_OK || !search->left)
		return status;
	status = load_heap(search);
	if (status != CS_OK || search->why_not)
		return status;
	ret->objects = search->heap.objects;
	ret->bytes = search->heap.bytes;
	if (!prepare(search))
		return CS_NO_MEMORY;
	run(search);
	if (!search->why_not && search->left)
		status = collect(search, ret);
	ret->reached_objects = search->mark.objects;
	ret->reached_bytes = search->mark.bytes;
	return status;
}

enum cs_status leaks_find(const struct leaks_input *input, struct leaks *ret)
{
	struct leak_search search = {.input = input};
	enum cs_status status;

	*ret = (struct leaks){0};
	arena_init(&search.scratch, MAX_HEAP_MEMORY);
	check_process(&search);
	check_goroutines(&search);
	if (!search.why_not) {
		status = find(&search, ret);
		if (status != CS_OK)
			refuse(&search, "it needs more memory than it may take");
	}
	ret->why_not = search.why_not;
	if (ret->why_not)
		ret->count = 0;
	arena_deinit(&search.scratch);
	return CS_OK;
}

/** Whether a leaked goroutine's wait is one that anybody who has the thing may end: no lock's. */
static bool is_open_wait(const struct blocking *blocking, size_t waiter)
{
	size_t count;
	const struct waiting_on *on = blocking_waits(blocking, waiter, &count);

	return count && (!strcmp(on->kind, "channel") || !strcmp(on->kind, "waitgroup") ||
				!strcmp(on->kind, "cond"));
}

static bool add_edges(const struct leaks *leaks, struct blocking *blocking)
{
	for (size_t i = 0; i < leaks->holding_count; i++) {
		const struct leak_holding *holding = &leaks->holdings[i];

		if (is_open_wait(blocking, holding->waiter) &&
			!blocking_add_edge(
				blocking, (struct blocking_edge){holding->waiter, holding->holder,
						  holding->object, holding->is_only}))
			return false;
	}
	return true;
}

enum cs_status leaks_judge(const struct leaks_input *input, struct blocking *blocking)
{
	struct leaks leaks;
	enum cs_status status = leaks_find(input, &leaks);

	if (status != CS_OK)
		return status;
	if (leaks.why_not)
		diag_add(input->rt->diag, DIAG_INFO, "no-leak-proof",
			"whether goroutines are leaked is not known: %s", leaks.why_not);
	blocking->is_leak_unknown = leaks.why_not != NULL;
	for (size_t i = 0; i < leaks.count; i++)
		if (!blocking_add_leaked(blocking, leaks.list[i]) ||
			!blocking_add_evidence(blocking, leaks.list[i], "%s", leaks.evidence[i]))
			return CS_NO_MEMORY;
	blocking->leak_evidence_count = blocking->evidence_count;
	return add_edges(&leaks, blocking) ? CS_OK : CS_NO_MEMORY;
}
