#include "analyzer/runtime/semaphores.h"

#include "common/limits.h"

#define SEMAPHORE_ROOTS 251 // sema.go semTabSize, in every release
#define SEMAPHORE_TREAP 8   // root.treap behind the lock, in every release

/** What is still to be looked at of the semaphore table's treaps. */
struct treap_walk {
	const struct runtime *rt;
	target_addr *stack;
	size_t depth, capacity;
	struct u64map seen; // sudogs: each stands in one place, whatever the links say
	uint64_t budget;    // sudogs: a goroutine waits for one semaphore at a time
};

static bool push(struct treap_walk *walk, struct arena *arena, target_addr sudog)
{
	target_addr *grown;

	if (!sudog)
		return true;
	grown = arena_grow(arena, walk->stack, &walk->capacity, walk->depth + 1, sizeof(*grown));
	if (!grown)
		return false;
	walk->stack = grown;
	grown[walk->depth++] = sudog;
	return true;
}

static bool add(struct semaphores *all, struct arena *arena, struct semaphore_waiter waiter)
{
	struct semaphore_waiter *grown =
		arena_grow(arena, all->list, &all->capacity, all->count + 1, sizeof(*grown));

	if (!grown)
		return false;
	all->list = grown;
	grown[all->count] = waiter;
	return u64map_put(&all->by_goroutine, waiter.goroutine, all->count++);
}

/** The waiters for one semaphore: the treap's node, and from it on by waitlink. */
static bool add_waiters(
	struct semaphores *all, struct treap_walk *walk, target_addr first, target_addr word)
{
	const struct runtime *rt = walk->rt;

	for (target_addr at = first; at && walk->budget;) {
		struct object waiter = object_load(rt, at, OBJECT_SUDOG);

		if (!waiter.bytes || u64map_get(&walk->seen, at, &(uint64_t){0}))
			break;
		walk->budget--;
		if (!u64map_put(&walk->seen, at, 1) ||
			!add(all, rt->arena,
				(struct semaphore_waiter){
					object_get(rt, waiter, SUDOG_G), at, word}))
			return false;
		at = object_get(rt, waiter, SUDOG_WAIT_LINK);
	}
	return true;
}

/** Every sudog below `root`: a tree by prev and next, and in each node a list of waiters. */
static bool add_semaphores(struct semaphores *all, struct treap_walk *walk, target_addr root)
{
	const struct runtime *rt = walk->rt;

	walk->depth = 0;
	if (!push(walk, rt->arena, root))
		return false;
	while (walk->depth && walk->budget) {
		target_addr address = walk->stack[--walk->depth];
		struct object sudog = object_load(rt, address, OBJECT_SUDOG);

		if (!sudog.bytes || u64map_get(&walk->seen, address, &(uint64_t){0}))
			continue;
		if (!add_waiters(all, walk, address, object_get(rt, sudog, SUDOG_ELEM)) ||
			!push(walk, rt->arena, object_get(rt, sudog, SUDOG_PREV)) ||
			!push(walk, rt->arena, object_get(rt, sudog, SUDOG_NEXT)))
			return false;
	}
	return true;
}

enum cs_status semaphores_load(const struct runtime *rt, size_t goroutines, struct semaphores *ret)
{
	struct treap_walk walk = {.rt = rt, .budget = goroutines};
	target_addr table = runtime_variable(rt, VAR_SEMTABLE);
	uint64_t stride = layout_size(&rt->layout, VAR_SEMTABLE) / SEMAPHORE_ROOTS;

	*ret = (struct semaphores){0};
	u64map_init(&ret->by_goroutine, rt->arena);
	u64map_init(&walk.seen, rt->arena);
	for (uint64_t i = 0; table && stride && i < SEMAPHORE_ROOTS; i++) {
		target_addr root;

		if (image_read_u64(rt->image, table + i * stride + SEMAPHORE_TREAP, &root) ==
				CS_OK &&
			!add_semaphores(ret, &walk, root))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}

const struct semaphore_waiter *semaphores_find(const struct semaphores *all, target_addr g)
{
	uint64_t index;

	return u64map_get(&all->by_goroutine, g, &index) ? &all->list[index] : NULL;
}
