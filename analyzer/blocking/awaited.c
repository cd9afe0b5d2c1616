#include "analyzer/blocking/awaited.h"

#include "common/limits.h"

#include <string.h>

#define WORD 8
#define COND_NOTIFY_LIST 16 // sync/cond.go Cond{noCopy, L Locker, notify notifyList, …}

static const struct {
	const char *reason;
	enum awaited_kind kind;
} reasons[] = {
	{"chan receive (nil chan)", AWAITED_NOTHING},
	{"chan send (nil chan)", AWAITED_NOTHING},
	{"select (no cases)", AWAITED_NOTHING},
	{"select", AWAITED_CHANNELS},
	{"chan receive", AWAITED_CHANNELS},
	{"chan send", AWAITED_CHANNELS},
	{"sync.Cond.Wait", AWAITED_LIST},
	{"sync.Mutex.Lock", AWAITED_WORD},
	{"sync.RWMutex.RLock", AWAITED_WORD},
	{"sync.RWMutex.Lock", AWAITED_WORD},
	{"sync.WaitGroup.Wait", AWAITED_WORD},
};

static bool has_reason(const struct runtime *rt, const char *reason)
{
	for (size_t i = 0; i < 256; i++)
		if (rt->wait_reasons[i] && !strcmp(rt->wait_reasons[i], reason))
			return true;
	return false;
}

/** Before a WaitGroup had a reason of its own, and a Mutex until 1.19, theirs was "semacquire". */
static void find_kinds(struct awaiting *awaiting)
{
	const struct runtime *rt = awaiting->rt;
	bool is_general = !has_reason(rt, "sync.WaitGroup.Wait");

	for (size_t i = 0; i < 256; i++) {
		const char *reason = rt->wait_reasons[i];

		for (size_t k = 0; reason && k < sizeof(reasons) / sizeof(reasons[0]); k++)
			if (!strcmp(reason, reasons[k].reason))
				awaiting->kinds[i] = reasons[k].kind;
		if (reason && is_general && !strcmp(reason, "semacquire"))
			awaiting->kinds[i] = AWAITED_WORD;
	}
}

static bool add(struct awaiting *awaiting, struct awaited awaited)
{
	struct awaited *grown = arena_grow(awaiting->arena, awaiting->list, &awaiting->capacity,
		awaiting->count + 1, sizeof(*grown));

	if (!grown)
		return false;
	awaiting->list = grown;
	grown[awaiting->count++] = awaited;
	return true;
}

/** Enters every sudog of a queue that begins with `first`; at most as many as there can be. */
static bool enter_queue(
	struct awaiting *awaiting, struct u64map *map, target_addr first, target_addr object)
{
	const struct runtime *rt = awaiting->rt;

	for (target_addr at = first; at && map->count < MAX_SUDOGS_FOLLOWED;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);

		if (!sudog.bytes || u64map_get(map, at, &(uint64_t){0}))
			return true;
		if (!u64map_put(map, at, object))
			return false;
		at = object_get(rt, sudog, SUDOG_NEXT);
	}
	return true;
}

/** Enters the queues of `channel` once. */
static bool enter_channel(struct awaiting *awaiting, target_addr channel)
{
	const struct runtime *rt = awaiting->rt;
	struct object hchan;

	if (u64map_get(&awaiting->channels, channel, &(uint64_t){0}))
		return true;
	if (!u64map_put(&awaiting->channels, channel, 1))
		return false;
	hchan = object_load(rt, channel, OBJECT_HCHAN);
	return !hchan.bytes || (enter_queue(awaiting, &awaiting->queued,
					object_get(rt, hchan, HCHAN_RECEIVE_QUEUE), channel) &&
				       enter_queue(awaiting, &awaiting->queued,
					       object_get(rt, hchan, HCHAN_SEND_QUEUE), channel));
}

/**
 * A pointer that is one word, or since 1.26 two, of which the first is empty while the runtime
 * itself looks for leaks (runtime2.go maybeTraceablePtr).
 */
static target_addr load_pointer(const struct runtime *rt, struct object sudog, enum layout_id id)
{
	target_addr pointer = object_get(rt, sudog, id);

	if (!pointer && layout_size(&rt->layout, id) == 2 * WORD)
		memcpy(&pointer, sudog.bytes + layout_value(&rt->layout, id) + WORD, WORD);
	return pointer;
}

static bool stands_in(const struct u64map *map, target_addr sudog, target_addr object)
{
	uint64_t found;

	return u64map_get(map, sudog, &found) && found == object;
}

/** Whether another goroutine has won the select for it already (runtime/select.go). */
static bool is_being_woken(const struct runtime *rt, const struct goroutine *g)
{
	struct object object = object_load(rt, g->address, OBJECT_G);

	return !object.bytes || object_get(rt, object, G_SELECT_DONE);
}

/** `*is_known_ret`: each sudog stands in the queue of its channel. False: out of memory. */
static bool find_channels(struct awaiting *awaiting, const struct goroutine *g, bool *is_known_ret)
{
	const struct runtime *rt = awaiting->rt;
	uint32_t steps = 0;

	*is_known_ret = false;
	if (!g->waiting || is_being_woken(rt, g))
		return true;
	for (target_addr at = g->waiting; at;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);
		target_addr channel;

		if (!sudog.bytes || object_get(rt, sudog, SUDOG_G) != g->address ||
			steps++ == MAX_AWAITED_CASES)
			return true;
		channel = load_pointer(rt, sudog, SUDOG_C);
		if (!channel)
			return true;
		if (!enter_channel(awaiting, channel) ||
			!add(awaiting, (struct awaited){channel, at}))
			return false;
		if (!stands_in(&awaiting->queued, at, channel))
			return true;
		at = object_get(rt, sudog, SUDOG_WAIT_LINK);
	}
	*is_known_ret = true;
	return true;
}

static bool find_word(struct awaiting *awaiting, const struct goroutine *g, bool *is_known_ret)
{
	const struct semaphore_waiter *waiter = semaphores_find(&awaiting->semaphores, g->address);

	*is_known_ret = waiter && waiter->word;
	return !*is_known_ret || add(awaiting, (struct awaited){waiter->word, waiter->sudog});
}

/** runtime/sema.go notifyList: tickets given out and called, a lock, and who waits between them. */
struct notify_list {
	uint32_t wait, notify;
	uint64_t lock;
	target_addr head, tail;
};

/**
 * Whether a list of waiters lies at `address`: each of its sudogs is that of a goroutine that waits
 * for a condition, they end with its tail, and there are as many tickets at least.
 */
static bool load_list(const struct awaiting *awaiting, target_addr address, struct notify_list *ret)
{
	const struct runtime *rt = awaiting->rt;
	target_addr last = 0;
	uint32_t count = 0;

	if (image_read(rt->image, address, ret, sizeof(*ret)) != CS_OK || !ret->head ||
		ret->head % WORD)
		return false;
	for (target_addr at = ret->head; at;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);
		const struct goroutine *g = NULL;

		if (sudog.bytes)
			g = goroutines_find(awaiting->goroutines, object_get(rt, sudog, SUDOG_G));
		if (!g || awaiting->kinds[g->wait_reason] != AWAITED_LIST ||
			count++ == ret->wait - ret->notify)
			return false;
		last = at;
		at = object_get(rt, sudog, SUDOG_NEXT);
	}
	return last == ret->tail;
}

/** Enters the waiters of what may be a notifyList, once: their gs and their sudogs. */
static bool enter_list(struct awaiting *awaiting, target_addr address)
{
	const struct runtime *rt = awaiting->rt;
	struct notify_list list;

	if (u64map_get(&awaiting->lists, address, &(uint64_t){0}))
		return true;
	if (!u64map_put(&awaiting->lists, address, 1))
		return false;
	if (!load_list(awaiting, address, &list))
		return true;
	for (target_addr at = list.head; at;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);

		if (!add(awaiting, (struct awaited){address, at}) ||
			!u64map_put(&awaiting->listed, object_get(rt, sudog, SUDOG_G),
				awaiting->count - 1))
			return false;
		at = object_get(rt, sudog, SUDOG_NEXT);
	}
	return true;
}

/**
 * The list that `g` stands in. Since 1.26 its sudog tells; before, its own stack: (*Cond).Wait goes
 * on to use its Cond.
 */
static bool find_list(struct awaiting *awaiting, const struct goroutine *g, bool *is_known_ret)
{
	const struct runtime *rt = awaiting->rt;
	struct object sudog = object_load(rt, g->waiting, OBJECT_SUDOG);
	uint64_t row;

	if (sudog.bytes && !enter_list(awaiting, load_pointer(rt, sudog, SUDOG_ELEM)))
		return false;
	if (!sudog.bytes && !u64map_get(&awaiting->listed, g->address, &row) &&
		stack_roots_find(awaiting->stacks, g)) {
		for (size_t i = 0; i < awaiting->stacks->count; i++)
			if (awaiting->stacks->words[i] % WORD == 0 &&
				(!enter_list(awaiting, awaiting->stacks->words[i]) ||
					!enter_list(awaiting,
						awaiting->stacks->words[i] + COND_NOTIFY_LIST)))
				return false;
	}
	*is_known_ret = u64map_get(&awaiting->listed, g->address, &row);
	return !*is_known_ret || add(awaiting, awaiting->list[row]);
}

static bool find(struct awaiting *awaiting, const struct goroutine *g, struct awaited_by *ret)
{
	bool is_waiting = g->status == GOROUTINE_WAITING || g->status == GOROUTINE_LEAKED;
	enum awaited_kind kind = is_waiting ? awaiting->kinds[g->wait_reason] : AWAITED_UNKNOWN;
	size_t before = awaiting->count;
	bool is_known = kind == AWAITED_NOTHING, is_done = true;

	if (kind == AWAITED_CHANNELS)
		is_done = find_channels(awaiting, g, &is_known);
	else if (kind == AWAITED_WORD)
		is_done = find_word(awaiting, g, &is_known);
	else if (kind == AWAITED_LIST)
		is_done = find_list(awaiting, g, &is_known);
	*ret = (struct awaited_by){.kind = (uint8_t)(is_known ? kind : AWAITED_UNKNOWN),
		.first = (uint32_t)before,
		.count = is_known ? (uint32_t)(awaiting->count - before) : 0};
	if (kind == AWAITED_LIST && is_known) { // rows of the whole list stand before its own
		ret->first = (uint32_t)awaiting->count - 1;
		ret->count = 1;
	}
	return is_done && awaiting->count < UINT32_MAX;
}

enum cs_status awaiting_load(const struct runtime *rt, const struct goroutines *goroutines,
	struct stack_roots *stacks, struct arena *arena, struct awaiting *ret)
{
	enum cs_status status;

	*ret = (struct awaiting){
		.rt = rt, .goroutines = goroutines, .arena = arena, .stacks = stacks};
	u64map_init(&ret->channels, arena);
	u64map_init(&ret->queued, arena);
	u64map_init(&ret->lists, arena);
	u64map_init(&ret->listed, arena);
	find_kinds(ret);
	ret->of = arena_array(arena, goroutines->count, sizeof(*ret->of));
	if (!ret->of)
		return CS_NO_MEMORY;
	status = semaphores_load(rt, goroutines->count, &ret->semaphores);
	if (status != CS_OK)
		return status;
	for (size_t i = 0; i < goroutines->count; i++)
		if (!find(ret, &goroutines->list[i], &ret->of[i]))
			return CS_NO_MEMORY;
	return CS_OK;
}
