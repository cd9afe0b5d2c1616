#include "analyzer/blocking/waits.h"

#include "analyzer/runtime/parked.h"
#include "common/limits.h"

#include <string.h>

/** Through which function of package sync a stack waits for a semaphore. */
enum wait_role {
	ROLE_UNKNOWN, // not looked up yet
	ROLE_OTHER,   // the runtime's own, or internal/poll's
	ROLE_MUTEX,
	ROLE_ONCE,
	ROLE_READ_LOCK,
	ROLE_WRITE_LOCK,       // until all readers are gone
	ROLE_WRITE_LOCK_MUTEX, // until another writer is
	ROLE_WAIT_GROUP,
};

/** What a role waits on: the semaphore's word is at `word` in it, or at `alternative`. */
static const struct {
	const char *kind, *operation;
	enum layout_id word, alternative;
	enum layout_id within; // the mutex's place in the object; LAYOUT_COUNT: at its start
} roles[] = {
	[ROLE_OTHER] = {"semaphore", "wait", LAYOUT_COUNT, LAYOUT_COUNT, LAYOUT_COUNT},
	[ROLE_MUTEX] = {"mutex", "lock", INTERNAL_MUTEX_SEMA, MUTEX_SEMA, LAYOUT_COUNT},
	[ROLE_ONCE] = {"once", "wait", INTERNAL_MUTEX_SEMA, MUTEX_SEMA, ONCE_MUTEX},
	[ROLE_READ_LOCK] = {"rwmutex", "rlock", RWMUTEX_READER_SEMA, RWMUTEX_READER_SEMA,
		LAYOUT_COUNT},
	[ROLE_WRITE_LOCK] = {"rwmutex", "lock", RWMUTEX_WRITER_SEMA, RWMUTEX_WRITER_SEMA,
		LAYOUT_COUNT},
	// The mutex between writers is a RWMutex's first member (sync/rwmutex.go).
	[ROLE_WRITE_LOCK_MUTEX] = {"rwmutex", "lock", INTERNAL_MUTEX_SEMA, MUTEX_SEMA,
		LAYOUT_COUNT},
	[ROLE_WAIT_GROUP] = {"waitgroup", "wait", WAITGROUP_SEMA, WAITGROUP_SEMA, LAYOUT_COUNT},
};

struct loader {
	const struct blocking_input *input;
	struct blocking *blocking;
	struct waiting waiting;
	struct parked parked;
	uint8_t *role_of_stack;
	struct u64map object_of; // address to its index
};

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/** What one function of package sync makes of the role so far, from the innermost outwards. */
static enum wait_role refine(enum wait_role role, const char *function)
{
	if (!strcmp(function, "sync.(*Mutex).Lock") || !strcmp(function, "sync.(*Mutex).lockSlow"))
		return role == ROLE_OTHER ? ROLE_MUTEX : role;
	if (!strcmp(function, "sync.(*Once).doSlow"))
		return role == ROLE_MUTEX ? ROLE_ONCE : role;
	if (!strcmp(function, "sync.(*RWMutex).Lock"))
		return role == ROLE_MUTEX ? ROLE_WRITE_LOCK_MUTEX : ROLE_WRITE_LOCK;
	if (!strcmp(function, "sync.(*RWMutex).RLock"))
		return ROLE_READ_LOCK;
	if (!strcmp(function, "sync.(*WaitGroup).Wait"))
		return ROLE_WAIT_GROUP;
	return role;
}

static enum wait_role read_role(const struct blocking_input *input, const struct stack *stack)
{
	enum wait_role role = ROLE_OTHER;

	for (uint32_t i = 0; i < stack->count; i++) {
		const struct code_place *place = &input->frames->places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const char *function =
				input->frames->frames[place->first_frame + k].function;

			if (!has_prefix(function, "runtime.") && !has_prefix(function, "sync.") &&
				!has_prefix(function, "internal/sync."))
				return role;
			role = refine(role, function);
		}
	}
	return role;
}

static enum wait_role role_of(struct loader *l, size_t index)
{
	uint32_t stack = l->input->stack_of[index];

	if (stack == NO_STACK)
		return ROLE_OTHER;
	if (!l->role_of_stack[stack])
		l->role_of_stack[stack] =
			(uint8_t)read_role(l->input, &l->input->stacks->stacks[stack]);
	return l->role_of_stack[stack];
}

static size_t find_semaphore(
	struct loader *l, size_t index, const char *reason, struct waiting_on *ret)
{
	const struct layout *layout = &l->input->rt->layout;
	const struct semaphore_waiter *sleeper =
		semaphores_find(&l->waiting.semaphores, l->input->goroutines->list[index].address);
	enum wait_role role = role_of(l, index);
	enum layout_id word = roles[role].word;

	// A semaphore of the runtime's own is in nobody's hands, unless the table has it.
	if (role == ROLE_OTHER && strcmp(reason, "semacquire"))
		return 0;
	if (word != LAYOUT_COUNT && !layout_has(layout, word))
		word = roles[role].alternative;
	*ret = (struct waiting_on){
		.select_case = -1, .kind = roles[role].kind, .operation = roles[role].operation};
	if (!sleeper || (word != LAYOUT_COUNT && !layout_has(layout, word)))
		return 1;
	ret->address = sleeper->word - (word == LAYOUT_COUNT ? 0 : layout_value(layout, word));
	if (roles[role].within != LAYOUT_COUNT && layout_has(layout, roles[role].within))
		ret->address -= layout_value(layout, roles[role].within);
	return 1;
}

static size_t find_descriptor(struct loader *l, const struct goroutine *g, struct waiting_on *ret)
{
	struct poll_wait poll;

	*ret = (struct waiting_on){.select_case = -1, .kind = "descriptor"};
	if (parked_poll(l->input->rt, g, &poll)) {
		ret->address = poll.address;
		ret->operation = poll.is_write ? "write" : "read";
		ret->descriptor = poll.descriptor;
		ret->deadline = poll.deadline;
	}
	return 1;
}

static size_t find_bubble(struct loader *l, const struct goroutine *g, struct waiting_on *ret)
{
	const struct layout *layout = &l->input->rt->layout;
	enum layout_id id = layout_has(layout, G_BUBBLE) ? G_BUBBLE : G_SYNC_GROUP;

	*ret = (struct waiting_on){.select_case = -1, .kind = "bubble", .operation = "wait"};
	if (layout_has(layout, id) &&
		image_read_u64(l->input->rt->image, g->address + layout_value(layout, id),
			&ret->address) != CS_OK)
		ret->address = 0;
	return 1;
}

static size_t find_waits(struct loader *l, size_t index, struct waiting_on *ret)
{
	const struct goroutine *g = &l->input->goroutines->list[index];
	const char *reason = goroutine_wait_reason(l->input->rt, g);
	size_t count;

	if (!reason)
		return 0;
	if (!strcmp(reason, "IO wait"))
		return find_descriptor(l, g, ret);
	if (has_prefix(reason, "synctest."))
		return find_bubble(l, g, ret);
	if (!strcmp(reason, "coroutine")) {
		*ret = (struct waiting_on){.select_case = -1,
			.kind = "coroutine",
			.operation = "wait",
			.address = parked_coroutine(l->input->rt, g)};
		return 1;
	}
	if (has_prefix(reason, "sync.Mutex") || has_prefix(reason, "sync.RWMutex") ||
		has_prefix(reason, "sync.WaitGroup") || !strcmp(reason, "semacquire")) {
		count = find_semaphore(l, index, reason, ret);
		if (count)
			return count;
	}
	count = waiting_find(&l->waiting, g, reason, ret, MAX_WAITING_ON_WRITTEN);
	if (count && !strcmp(ret->kind, "cond"))
		ret->address = parked_cond(&l->parked, g);
	if (!count && strstr(reason, "(nil chan)")) {
		*ret = (struct waiting_on){.select_case = -1,
			.kind = "channel",
			.operation = strstr(reason, "send") ? "send" : "receive"};
		return 1;
	}
	return count;
}

static bool is_sync(const struct waiting_on *on)
{
	return on->address && strcmp(on->kind, "channel") && strcmp(on->kind, "timer") &&
	       strcmp(on->kind, "descriptor") && strcmp(on->kind, "coroutine") &&
	       strcmp(on->kind, "bubble");
}

/** Notes that `waiter` waits on the object: its row, made where there was none. */
static bool add_object(struct loader *l, const struct waiting_on *on, size_t waiter)
{
	struct blocking *b = l->blocking;
	struct sync_object *object;
	uint64_t known;
	size_t *grown;

	if (!u64map_get(&l->object_of, on->address, &known)) {
		object = arena_grow(b->arena, b->objects, &b->object_capacity, b->object_count + 1,
			sizeof(*object));
		known = b->object_count;
		if (!object || !u64map_put(&l->object_of, on->address, known))
			return false;
		b->objects = object;
		object[b->object_count++] = (struct sync_object){
			.address = on->address, .kind = on->kind, .likely_owner = NO_BLOCKER};
	}
	object = &b->objects[known];
	grown = arena_grow(b->arena, object->waiters, &object->waiter_capacity,
		object->waiter_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	object->waiters = grown;
	grown[object->waiter_count++] = waiter;
	return true;
}

static bool add_waits(struct loader *l, size_t index, const struct waiting_on *list, size_t count)
{
	struct blocking *b = l->blocking;
	struct waiting_on *grown;

	b->wait_of[index] = (struct blocking_wait){(uint32_t)b->wait_count, (uint32_t)count};
	if (!count)
		return true;
	grown = arena_grow(
		b->arena, b->waits, &b->wait_capacity, b->wait_count + count, sizeof(*grown));
	if (!grown)
		return false;
	b->waits = grown;
	memcpy(grown + b->wait_count, list, count * sizeof(*list));
	b->wait_count += count;
	return !is_sync(list) || add_object(l, list, index);
}

enum cs_status waits_load(const struct blocking_input *input, struct blocking *blocking)
{
	struct loader l = {.input = input, .blocking = blocking};
	size_t count = input->goroutines->count;
	struct waiting_on list[MAX_WAITING_ON_WRITTEN];
	enum cs_status status = waiting_init(&l.waiting, input->rt, count);

	if (status != CS_OK)
		return status;
	parked_init(&l.parked, input->rt, count);
	u64map_init(&l.object_of, input->arena);
	l.role_of_stack = arena_array(input->arena, input->stacks->count, 1);
	blocking->wait_of = arena_array(input->arena, count, sizeof(*blocking->wait_of));
	if (!l.role_of_stack || !blocking->wait_of)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		size_t found = blocking->wait_count < MAX_WAITS ? find_waits(&l, i, list) : 0;

		if (!add_waits(&l, i, list, found))
			return CS_NO_MEMORY;
	}
	blocking->semaphores = l.waiting.semaphores;
	return CS_OK;
}

const struct waiting_on *blocking_waits(
	const struct blocking *blocking, size_t index, size_t *count_ret)
{
	*count_ret = blocking->wait_of[index].count;
	return blocking->waits + blocking->wait_of[index].first;
}
