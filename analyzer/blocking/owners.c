#include "analyzer/blocking/owners.h"

#include "analyzer/blocking/lock_code.h"
#include "analyzer/blocking/waits.h"
#include "analyzer/heap/span.h"
#include "common/limits.h"

#include <string.h>

#define WORD 8
#define MUTEX_LOCKED 1
#define MAX_READERS (INT32_C(1) << 30) // rwmutexMaxReaders

struct finder {
	const struct blocking_input *input;
	struct blocking *blocking;
	struct lock_claims *claims;
	struct lock_code code;
	struct u64map object_of; // where the lock within an object lies, to its index
	struct walk *walk;       // scratch
};

static bool read_i32(const struct finder *f, target_addr lock, enum layout_id id, int32_t *ret)
{
	const struct runtime *rt = f->input->rt;
	uint32_t bits;

	if (!layout_has(&rt->layout, id) ||
		image_read_u32(rt->image, lock + layout_value(&rt->layout, id), &bits) != CS_OK)
		return false;
	*ret = (int32_t)bits;
	return true;
}

static bool is_mutex_locked(const struct finder *f, target_addr lock)
{
	int32_t state;

	return read_i32(f, lock, MUTEX_STATE, &state) && state & MUTEX_LOCKED;
}

/**
 * Whether what lies there can be a lock that somebody holds and nobody waits for: those that are
 * waited for are known already.
 */
static bool looks_held(const struct finder *f, target_addr lock, enum lock_mode mode)
{
	const struct layout *layout = &f->input->rt->layout;
	int32_t state, semaphore, readers, leaving;

	if (!read_i32(f, lock, MUTEX_STATE, &state) ||
		!read_i32(f, lock,
			layout_has(layout, INTERNAL_MUTEX_SEMA) ? INTERNAL_MUTEX_SEMA : MUTEX_SEMA,
			&semaphore) ||
		semaphore)
		return false;
	if (mode == LOCK_MUTEX)
		return state == MUTEX_LOCKED;
	if (!read_i32(f, lock, RWMUTEX_READER_COUNT, &readers) ||
		!read_i32(f, lock, RWMUTEX_READER_WAIT, &leaving) || leaving)
		return false;
	return mode == LOCK_WRITE ? state == MUTEX_LOCKED && readers == -MAX_READERS
				  : !state && readers > 0 && readers < MAX_READERS;
}

/** Reads what the object says of itself: locked, readers, counter. */
static void read_state(const struct finder *f, struct sync_object *object)
{
	const struct runtime *rt = f->input->rt;
	int32_t state, leaving;
	uint64_t counter;
	target_addr lock = object->address;

	if (!strcmp(object->kind, "once"))
		lock += layout_value(&rt->layout, ONCE_MUTEX);
	if (!strcmp(object->kind, "mutex") || !strcmp(object->kind, "once")) {
		object->has_state = read_i32(f, lock, MUTEX_STATE, &state);
		object->is_locked = is_mutex_locked(f, lock);
	} else if (!strcmp(object->kind, "rwmutex")) {
		if (!read_i32(f, lock, RWMUTEX_READER_COUNT, &state) ||
			!read_i32(f, lock, RWMUTEX_READER_WAIT, &leaving))
			return;
		object->has_state = true;
		// A writer that waits for `leaving` readers has announced itself only.
		object->readers = state < 0 ? leaving : state;
		object->is_locked = state < 0 && !leaving;
	} else if (!strcmp(object->kind, "waitgroup") && layout_has(&rt->layout, WAITGROUP_STATE) &&
		   image_read_u64(rt->image, lock + layout_value(&rt->layout, WAITGROUP_STATE),
			   &counter) == CS_OK) {
		object->has_state = true;
		object->counter = (int32_t)(counter >> 32);
	}
}

static bool list_objects(struct finder *f)
{
	struct blocking *b = f->blocking;

	for (size_t i = 0; i < b->object_count; i++) {
		struct sync_object *object = &b->objects[i];
		target_addr lock = object->address;

		read_state(f, object);
		if (!strcmp(object->kind, "once"))
			lock += layout_value(&f->input->rt->layout, ONCE_MUTEX);
		else if (strcmp(object->kind, "mutex") && strcmp(object->kind, "rwmutex"))
			continue;
		if (!u64map_put(&f->object_of, lock, i))
			return false;
	}
	return true;
}

static bool claim(struct finder *f, size_t object, size_t goroutine, enum lock_mode mode)
{
	struct lock_claims *claims = f->claims;
	struct lock_claim new = {object, goroutine, mode == LOCK_READ};
	struct lock_claim *grown;

	for (size_t i = claims->count; i-- > 0 && claims->list[i].goroutine == goroutine;)
		if (claims->list[i].object == object && claims->list[i].is_read == new.is_read)
			return true;
	if (claims->count >= MAX_BLOCKING_EDGES)
		return true;
	grown = arena_grow(f->input->arena, claims->list, &claims->capacity, claims->count + 1,
		sizeof(*grown));
	if (!grown)
		return false;
	claims->list = grown;
	grown[claims->count++] = new;
	return true;
}

/** Whether a lock of this mode can be the lock of that object. */
static bool is_of_mode(const struct sync_object *object, enum lock_mode mode)
{
	// A writer that waits for readers holds the mutex with which a RWMutex begins.
	return mode == LOCK_MUTEX || !strcmp(object->kind, "rwmutex");
}

/** The words of physical frame `i`, and behind it those that it may have put its arguments in. */
static const uint8_t *frame_words(
	const struct finder *f, size_t goroutine, uint32_t i, size_t *count)
{
	const struct goroutine *g = &f->input->goroutines->list[goroutine];
	const struct code_place *place = &f->input->frames->places[f->walk->places[i]];
	target_addr start = f->walk->sps[i], end = g->stack_hi;
	struct pcln_func func;

	*count = 0;
	if (i + 1 < f->walk->count && !(f->walk->cut_at && f->walk->cut_at == i + 1) &&
		modules_find_function(
			f->input->rt, f->input->frames->frames[place->first_frame].entry, &func) &&
		func.arguments_size >= 0)
		end = f->walk->sps[i + 1] + (uint64_t)func.arguments_size;
	if (end > g->stack_hi)
		end = g->stack_hi;
	if (start < g->stack_lo || start >= end || (end - start) / WORD > MAX_FRAME_WORDS)
		return NULL;
	*count = (end - start) / WORD;
	return runtime_bytes(f->input->rt, start, *count * WORD);
}

/** The object that goroutine `index` itself waits on, where it is one. */
static target_addr waits_for(const struct finder *f, size_t index)
{
	size_t count;
	const struct waiting_on *on = blocking_waits(f->blocking, index, &count);

	return count == 1 ? on->address : 0;
}

/** The locks that the pointers of a frame lead to, and which can be the one that it holds. */
struct candidates {
	target_addr list[MAX_LOCK_CANDIDATES];
	size_t count;
	bool is_full;
};

static void add_candidate(struct candidates *all, target_addr lock)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i] == lock)
			return;
	if (all->count < MAX_LOCK_CANDIDATES)
		all->list[all->count++] = lock;
	else
		all->is_full = true;
}

/** Whether a pointer to `word` leads to what lies at `lock`: in the heap that is one object. */
static bool is_within(const struct finder *f, target_addr word, target_addr lock)
{
	struct span span;

	return !span_find(f->input->rt, word, &span) ||
	       (lock >= span.start && lock - span.start < span.size &&
		       span_object(&span, word) == span_object(&span, lock));
}

static struct candidates find_candidates(
	const struct finder *f, size_t goroutine, uint32_t i, const struct held_lock *held)
{
	struct candidates all = {0};
	size_t count;
	const uint8_t *words = frame_words(f, goroutine, i, &count);

	for (size_t k = 0; words && k < count; k++) {
		target_addr word, lock;
		uint64_t object;

		memcpy(&word, words + k * WORD, WORD);
		lock = word + (uint64_t)held->offset;
		if (word < WORD || lock % 4)
			continue;
		if ((u64map_get(&f->object_of, lock, &object)
				    ? is_of_mode(&f->blocking->objects[object], held->mode)
				    : looks_held(f, lock, held->mode)) &&
			is_within(f, word, lock))
			add_candidate(&all, lock);
	}
	return all;
}

/** Whether `lock` is the lock of the object at `waited`. */
static bool is_waited_for(const struct finder *f, target_addr lock, target_addr waited)
{
	uint64_t object;

	return waited && u64map_get(&f->object_of, lock, &object) &&
	       f->blocking->objects[object].address == waited;
}

/** Claims what the frame holds: where its pointers allow one lock only. */
static bool claim_by_pointer(
	struct finder *f, size_t goroutine, uint32_t i, const struct held_lock *held)
{
	struct candidates all = find_candidates(f, goroutine, i, held);
	target_addr waited = waits_for(f, goroutine);
	size_t kept = 0;
	uint64_t object;

	// It may wait for the lock that it holds; but if it can hold another, then that.
	for (size_t k = 0; k < all.count; k++)
		if (all.count == 1 || !is_waited_for(f, all.list[k], waited))
			all.list[kept++] = all.list[k];
	if (kept != 1 || all.is_full || !u64map_get(&f->object_of, all.list[0], &object))
		return true;
	return claim(f, object, goroutine, held->mode);
}

static bool claim_of_frame(struct finder *f, size_t goroutine, uint32_t i, struct held_locks held)
{
	for (size_t k = 0; k < held.count; k++) {
		const struct held_lock *lock = &held.list[k];
		uint64_t object;

		if (!lock->is_variable) {
			if (!claim_by_pointer(f, goroutine, i, lock))
				return false;
		} else if (u64map_get(&f->object_of, lock->address, &object) &&
			   is_of_mode(&f->blocking->objects[object], lock->mode) &&
			   !claim(f, object, goroutine, lock->mode)) {
			return false;
		}
	}
	return true;
}

static bool has_held(struct finder *f, const struct stack *stack)
{
	for (uint32_t i = 0; i < stack->count; i++)
		if (lock_code_held(&f->code, stack->places[i]).count)
			return true;
	return false;
}

/** A writer that waits for readers has the mutex that keeps other writers out. */
static bool claim_announced(struct finder *f, size_t index)
{
	const struct semaphore_waiter *sleeper = semaphores_find(
		&f->blocking->semaphores, f->input->goroutines->list[index].address);
	const struct layout *layout = &f->input->rt->layout;
	size_t count;
	const struct waiting_on *on = blocking_waits(f->blocking, index, &count);
	uint64_t object;

	if (!sleeper || count != 1 || strcmp(on->kind, "rwmutex") ||
		!layout_has(layout, RWMUTEX_WRITER_SEMA) ||
		sleeper->word != on->address + layout_value(layout, RWMUTEX_WRITER_SEMA) ||
		!u64map_get(&f->object_of, on->address, &object))
		return true;
	return claim(f, object, index, LOCK_MUTEX);
}

static bool claim_of_goroutine(struct finder *f, size_t index)
{
	uint32_t stack = f->input->stack_of[index];

	if (!claim_announced(f, index))
		return false;
	if (stack == NO_STACK || !has_held(f, &f->input->stacks->stacks[stack]) ||
		!f->input->walk(f->input->context, index, f->walk))
		return true;
	for (uint32_t i = 0; i < f->walk->count; i++) {
		struct held_locks held = lock_code_held(&f->code, f->walk->places[i]);

		if (held.count && !claim_of_frame(f, index, i, held))
			return false;
	}
	return true;
}

/**
 * The one who claims an object; two contradict each other. While readers hold a RWMutex, a writer
 * has only announced itself.
 */
static void set_owners(struct finder *f)
{
	struct blocking *b = f->blocking;

	for (size_t i = 0; i < f->claims->count; i++) {
		const struct lock_claim *by = &f->claims->list[i];
		struct sync_object *object = &b->objects[by->object];

		if (object->readers > 0 && !by->is_read)
			continue;
		object->claim_count++;
		object->likely_owner = object->claim_count == 1 ? by->goroutine : NO_BLOCKER;
	}
}

enum cs_status owners_find(
	const struct blocking_input *input, struct blocking *blocking, struct lock_claims *ret)
{
	struct finder f = {.input = input, .blocking = blocking, .claims = ret};
	enum cs_status status;

	*ret = (struct lock_claims){0};
	u64map_init(&f.object_of, input->arena);
	if (!list_objects(&f))
		return CS_NO_MEMORY;
	if (!f.object_of.count)
		return CS_OK;
	status = lock_code_init(&f.code, input->frames);
	f.walk = arena_alloc(input->arena, sizeof(*f.walk));
	if (status != CS_OK || !f.walk)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < input->goroutines->count; i++)
		if (!claim_of_goroutine(&f, i))
			return CS_NO_MEMORY;
	set_owners(&f);
	return CS_OK;
}
