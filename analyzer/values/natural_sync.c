// Locks, counters and atomic values in words (sync/mutex.go, rwmutex.go, waitgroup.go, once.go;
// internal/sync/mutex.go since go1.24).
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>

#define MUTEX_LOCKED 1
#define MUTEX_STARVING 4
#define MUTEX_WAITER_SHIFT 3
#define MAX_READERS (INT64_C(1) << 30) // rwmutexMaxReaders
#define WAITERS_MASK 0x7fffffff        // of WaitGroup.state; 1.25 has a flag above them

/** Mutex.state, since 1.24 within the struct that it wraps. */
static bool mutex_state(struct natural *n, struct type *type, const struct place *place,
	const char *wrapped, const char *own, int64_t *ret)
{
	return natural_number(n, type, place, wrapped, ret) ||
	       natural_number(n, type, place, own, ret);
}

bool natural_mutex(struct natural *n, struct type *type, const struct place *place)
{
	int64_t state, waiters;

	if (!mutex_state(n, type, place, "mu.state", "state", &state))
		return false;
	waiters = (int64_t)((uint32_t)state >> MUTEX_WAITER_SHIFT);
	if (!natural_puts(n, state & MUTEX_LOCKED ? "locked" : "unlocked"))
		return false;
	if (waiters && !natural_format(n, ", %" PRId64 " waiting", waiters))
		return false;
	return !(state & MUTEX_STARVING) || natural_puts(n, ", starving");
}

bool natural_rwmutex(struct natural *n, struct type *type, const struct place *place)
{
	int64_t readers, leaving;

	if (!natural_number(n, type, place, "readerCount", &readers) ||
		!natural_number(n, type, place, "readerWait", &leaving))
		return false;
	if (readers > 0)
		return natural_format(n, "read-locked by %" PRId64, readers);
	if (!readers)
		return natural_puts(n, "unlocked");
	readers += MAX_READERS; // those that have come since a writer announced itself, too
	if (leaving > 0)
		return natural_format(n, "read-locked by %" PRId64 ", a writer waiting", leaving);
	if (!natural_puts(n, "write-locked"))
		return false;
	return readers <= 0 || natural_format(n, ", %" PRId64 " readers waiting", readers);
}

bool natural_waitgroup(struct natural *n, struct type *type, const struct place *place)
{
	int64_t state, waiters;

	if (!natural_number(n, type, place, "state", &state) &&
		!natural_number(n, type, place, "state1", &state)) // until 1.19
		return false;
	waiters = state & WAITERS_MASK;
	if (!natural_format(n, "counter %" PRId64, state >> 32))
		return false;
	return !waiters || natural_format(n, ", %" PRId64 " waiting", waiters);
}

bool natural_once(struct natural *n, struct type *type, const struct place *place)
{
	int64_t done;

	return natural_number(n, type, place, "done", &done) &&
	       natural_puts(n, done ? "done" : "not done");
}

bool natural_cond(struct natural *n, struct type *type, const struct place *place)
{
	int64_t wait, notify; // tickets given out, and the next to be woken (runtime/sema.go)

	return natural_number(n, type, place, "notify.wait", &wait) &&
	       natural_number(n, type, place, "notify.notify", &notify) &&
	       natural_format(n, "%u waiting", (uint32_t)wait - (uint32_t)notify);
}

bool natural_atomic(struct natural *n, struct type *type, const struct place *place)
{
	struct place at;
	int64_t number;

	if (!natural_find(n, type, place, "v", &type, &at) ||
		!natural_number(n, type, &at, "", &number))
		return false;
	return type->kind >= GO_UINT ? natural_format(n, "%" PRIu64, (uint64_t)number)
				     : natural_format(n, "%" PRId64, number);
}

bool natural_atomic_bool(struct natural *n, struct type *type, const struct place *place)
{
	int64_t number;

	return natural_number(n, type, place, "v", &number) &&
	       natural_puts(n, number ? "true" : "false");
}

#define POOL_LOCAL_SIZE 128 // poolLocal, padded, in every release (sync/pool.go)
#define POOL_SHARED_TAIL 24 // behind private and shared.head
#define CHAIN_NEXT 32       // poolChainElt: poolDequeue {headTail, vals}, next (poolqueue.go)
#define MAX_POOL_LISTS 65536

/** How many objects the lists of one processor hold. */
static bool count_local(struct natural *n, target_addr local, uint64_t *budget, uint64_t *count)
{
	const struct image *image = n->reader->rt->image;
	uint64_t own, head_tail;
	target_addr list;

	if (image_read_u64(image, local, &own) != CS_OK ||
		image_read_u64(image, local + POOL_SHARED_TAIL, &list) != CS_OK)
		return false;
	*count += own != 0;
	while (list && *budget) {
		--*budget;
		if (image_read_u64(image, list, &head_tail) != CS_OK ||
			image_read_u64(image, list + CHAIN_NEXT, &list) != CS_OK)
			return false;
		*count += (uint32_t)((uint32_t)(head_tail >> 32) - (uint32_t)head_tail);
	}
	return !list;
}

static bool count_pool(struct natural *n, struct type *type, const struct place *place,
	const char *locals, const char *size, uint64_t *count)
{
	uint64_t budget = MAX_POOL_LISTS;
	struct type *word;
	struct place at;
	target_addr local;
	int64_t total;

	if (!natural_find(n, type, place, locals, &word, &at) || word->kind != GO_UNSAFE_POINTER ||
		fetch_word(n->reader, &at, 0, &local) ||
		!natural_number(n, type, place, size, &total) || total < 0 ||
		total > MAX_PROCESSORS)
		return false;
	for (int64_t i = 0; local && i < total; i++)
		if (!count_local(n, local + (uint64_t)i * POOL_LOCAL_SIZE, &budget, count))
			return false;
	return true;
}

/** What was put into it and not been taken, nor lost at a collection. */
bool natural_pool(struct natural *n, struct type *type, const struct place *place)
{
	uint64_t count = 0;

	return count_pool(n, type, place, "local", "localSize", &count) &&
	       count_pool(n, type, place, "victim", "victimSize", &count) &&
	       natural_format(n, "%" PRIu64 " kept", count);
}
