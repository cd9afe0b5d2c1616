#include "analyzer/runtime/waiting.h"

#include "analyzer/runtime/select_case.h"
#include "common/limits.h"

#include <string.h>

#define SIDE_RECEIVE 1
#define SIDE_SEND 2

enum cs_status waiting_init(struct waiting *waiting, const struct runtime *rt, size_t goroutines)
{
	*waiting = (struct waiting){.rt = rt};
	u64map_init(&waiting->sides, rt->arena);
	u64map_init(&waiting->channels, rt->arena);
	return semaphores_load(rt, goroutines, &waiting->semaphores);
}

static bool add_side(struct waiting *waiting, target_addr first, uint64_t side)
{
	const struct runtime *rt = waiting->rt;

	for (target_addr at = first; at && waiting->sides.count < MAX_SUDOGS_FOLLOWED;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);

		if (!sudog.bytes || u64map_get(&waiting->sides, at, &(uint64_t){0}))
			break;
		if (!u64map_put(&waiting->sides, at, side))
			return false;
		at = object_get(rt, sudog, SUDOG_NEXT);
	}
	return true;
}

/** In which of a channel's queues a select's sudog stands: each channel is walked once. */
static const char *side_of(struct waiting *waiting, target_addr channel, target_addr sudog)
{
	const struct runtime *rt = waiting->rt;
	uint64_t side = 0;

	if (!u64map_get(&waiting->channels, channel, &side)) {
		struct object hchan = object_load(rt, channel, OBJECT_HCHAN);

		if (!hchan.bytes || !u64map_put(&waiting->channels, channel, 1) ||
			!add_side(waiting, object_get(rt, hchan, HCHAN_RECEIVE_QUEUE),
				SIDE_RECEIVE) ||
			!add_side(waiting, object_get(rt, hchan, HCHAN_SEND_QUEUE), SIDE_SEND))
			return NULL;
	}
	side = 0;
	u64map_get(&waiting->sides, sudog, &side);
	return side == SIDE_RECEIVE ? "receive" : side == SIDE_SEND ? "send" : NULL;
}

static size_t find_channels(struct waiting *waiting, const struct goroutine *g, const char *reason,
	struct waiting_on *ret, size_t max)
{
	const struct runtime *rt = waiting->rt;
	struct select_cases cases = {.count = 0};
	size_t count = 0;

	if (!strncmp(reason, "select", 6))
		select_cases_load(rt, g->address, &cases);
	// A case without a channel is not listed in g.waiting; a list that has them may be a ring.
	for (target_addr at = g->waiting; at && count < max;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);
		struct waiting_on on = {.kind = "channel", .select_case = -1};

		if (!sudog.bytes || object_get(rt, sudog, SUDOG_G) != g->address)
			break;
		on.address = object_get(rt, sudog, SUDOG_C);
		if (!on.address || (count && at == g->waiting))
			break;
		if (object_get(rt, sudog, SUDOG_IS_SELECT))
			on.operation = side_of(waiting, on.address, at);
		else
			on.operation = strstr(reason, "send") ? "send" : "receive";
		if (on.operation)
			on.select_case = select_case_of(&cases, at, *on.operation == 's');
		ret[count++] = on;
		at = object_get(rt, sudog, SUDOG_WAIT_LINK);
	}
	return count;
}

/** Which lock a semaphore word belongs to: the reason names the lock, the layout where the word is.
 */
static const struct {
	const char *reason, *kind, *operation;
	enum layout_id word, alternative; // the release has one of them
} locks[] = {
	{"sync.Mutex.Lock", "mutex", "lock", INTERNAL_MUTEX_SEMA, MUTEX_SEMA},
	{"sync.RWMutex.Lock", "rwmutex", "lock", RWMUTEX_WRITER_SEMA, RWMUTEX_WRITER_SEMA},
	{"sync.RWMutex.RLock", "rwmutex", "rlock", RWMUTEX_READER_SEMA, RWMUTEX_READER_SEMA},
	{"sync.WaitGroup.Wait", "waitgroup", "wait", WAITGROUP_SEMA, WAITGROUP_SEMA},
	{"sync.WaitGroup.Wait (durable)", "waitgroup", "wait", WAITGROUP_SEMA, WAITGROUP_SEMA},
};

static size_t find_lock(struct waiting *waiting, const struct goroutine *g, const char *reason,
	struct waiting_on *ret)
{
	const struct layout *layout = &waiting->rt->layout;
	const struct semaphore_waiter *sleeper = semaphores_find(&waiting->semaphores, g->address);
	uint64_t word = sleeper ? sleeper->word : 0;

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		enum layout_id id = locks[i].word;

		if (strcmp(reason, locks[i].reason))
			continue;
		if (!layout_has(layout, id))
			id = locks[i].alternative;
		*ret = (struct waiting_on){
			.kind = locks[i].kind, .operation = locks[i].operation, .select_case = -1};
		if (word && layout_has(layout, id))
			ret->address = word - layout_value(layout, id);
		return 1;
	}
	return 0;
}

size_t waiting_find(struct waiting *waiting, const struct goroutine *g, const char *reason,
	struct waiting_on *ret, size_t max)
{
	if (!reason || !max)
		return 0;
	if (!strncmp(reason, "chan ", 5) || !strncmp(reason, "select", 6))
		return find_channels(waiting, g, reason, ret, max);
	if (!strncmp(reason, "sleep", 5)) {
		*ret = (struct waiting_on){.kind = "timer",
			.address = g->timer,
			.operation = "sleep",
			.select_case = -1};
		return 1;
	}
	if (!strncmp(reason, "sync.Cond.Wait", 14)) {
		*ret = (struct waiting_on){.kind = "cond", .operation = "wait", .select_case = -1};
		return 1;
	}
	return find_lock(waiting, g, reason, ret);
}

size_t waiting_channels(const struct runtime *rt, const struct goroutine *g, const char *reason,
	target_addr *ret, size_t max)
{
	size_t count = 0;

	if (!reason || (strncmp(reason, "chan ", 5) && strncmp(reason, "select", 6)))
		return 0;
	for (target_addr at = g->waiting; at && count < max;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);
		target_addr channel;

		if (!sudog.bytes || object_get(rt, sudog, SUDOG_G) != g->address ||
			(count && at == g->waiting))
			break;
		channel = object_get(rt, sudog, SUDOG_C);
		if (!channel)
			break;
		ret[count++] = channel;
		at = object_get(rt, sudog, SUDOG_WAIT_LINK);
	}
	return count;
}
