#include "analyzer/runtime/timers.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define WORD 8
#define ENTRY_SIZE 16 // time.go timerWhen

// time.go until Go 1.22, timer.status
enum { STATUS_WAITING = 1, STATUS_MODIFIED_EARLIER = 7, STATUS_MODIFIED_LATER = 8 };
// time.go since Go 1.23, bits of timer.state
enum { STATE_HEAPED = 1, STATE_MODIFIED = 2, STATE_ZOMBIE = 4 };

/** What is known so far. */
struct timers_load {
	const struct runtime *rt;
	struct timers *timers;
	size_t capacity;
	uint64_t budget; // entries of all heaps
};

/** One processor's heap: where its entries are, and how many bytes each has. */
struct timer_heap {
	target_addr data;
	uint64_t count, stride;
};

static bool find_heap(const struct runtime *rt, const struct processor *p, struct timer_heap *ret)
{
	const struct layout *layout = &rt->layout;
	bool is_struct = layout_has(layout, P_TIMERS_HEAP);
	target_addr slice = p->timers;

	if (is_struct)
		slice += layout_value(layout, P_TIMERS_HEAP) - layout_value(layout, P_TIMERS);
	ret->stride = is_struct ? ENTRY_SIZE : WORD;
	return runtime_slice(rt, slice, &ret->data, &ret->count) && ret->count <= MAX_TIMERS;
}

/** Whether the timer will fire, and when: it may have been changed where it lies. */
static bool is_pending(const struct runtime *rt, target_addr timer, int64_t *when)
{
	const struct layout *layout = &rt->layout;
	uint64_t state, value;

	if (layout_has(layout, TIMER_STATE)) {
		if (!runtime_read_at(rt, timer, TIMER_STATE, &state) ||
			!runtime_read_at(rt, timer, TIMER_WHEN, &value))
			return false;
		*when = (int64_t)value;
		return (state & STATE_HEAPED) && !(state & STATE_ZOMBIE) && value;
	}
	if (!runtime_read_at(rt, timer, TIMER_STATUS, &state))
		return false;
	if (state != STATUS_WAITING && state != STATUS_MODIFIED_EARLIER &&
		state != STATUS_MODIFIED_LATER)
		return false;
	if (!runtime_read_at(
		    rt, timer, state == STATUS_WAITING ? TIMER_WHEN : TIMER_NEXT_WHEN, &value))
		return false;
	*when = (int64_t)value;
	return true;
}

static void load_timer(const struct runtime *rt, target_addr address, struct timer *ret)
{
	uint64_t period = 0, function = 0;

	runtime_read_at(rt, address, TIMER_PERIOD, &period);
	ret->address = address;
	ret->period = (int64_t)period;
	// A func value points at a word that holds the code's address.
	if (runtime_read_at(rt, address, TIMER_FUNCTION, &function) && function &&
		image_read_u64(rt->image, function, &ret->function) != CS_OK)
		ret->function = 0;
	// An interface: its second word is the pointer that it holds.
	if (image_read_u64(rt->image,
		    address + layout_value(&rt->layout, TIMER_ARGUMENT) + WORD,
		    &ret->argument) != CS_OK)
		ret->argument = 0;
}

static enum cs_status add_timer(struct timers_load *load, target_addr address, size_t processor)
{
	struct timers *timers = load->timers;
	struct timer timer = {.processor = processor};
	struct timer *grown;

	if (!is_pending(load->rt, address, &timer.when) ||
		u64map_get(&timers->by_address, address, &(uint64_t){0}))
		return CS_OK;
	grown = arena_grow(load->rt->arena, timers->list, &load->capacity, timers->count + 1,
		sizeof(*grown));
	if (!grown || !u64map_put(&timers->by_address, address, 0))
		return CS_NO_MEMORY;
	timers->list = grown;
	load_timer(load->rt, address, &timer);
	grown[timers->count++] = timer;
	return CS_OK;
}

static enum cs_status add_heap(
	struct timers_load *load, const struct processor *p, size_t processor)
{
	struct timer_heap heap;
	const uint8_t *entries = NULL;

	if (find_heap(load->rt, p, &heap)) {
		if (!heap.count)
			return CS_OK;
		if (heap.count <= load->budget)
			entries = runtime_bytes(load->rt, heap.data, heap.count * heap.stride);
	}
	if (!entries) {
		diag_add(load->rt->diag, DIAG_WARNING, "unreadable-timers",
			"the timers of a processor are not in the core");
		return CS_OK;
	}
	load->budget -= heap.count;
	for (uint64_t i = 0; i < heap.count; i++) {
		target_addr address;
		enum cs_status status;

		memcpy(&address, entries + i * heap.stride, sizeof(address));
		status = add_timer(load, address, processor);
		if (status != CS_OK)
			return status;
	}
	return CS_OK;
}

static int compare(const void *left, const void *right)
{
	const struct timer *a = left, *b = right;

	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

/** Once they are in their order: by address, by argument, by processor. */
static bool index_timers(struct timers *timers)
{
	for (size_t i = timers->count; i-- > 0;) {
		const struct timer *timer = &timers->list[i];

		if (!u64map_put(&timers->by_address, timer->address, i) ||
			!u64map_put(&timers->by_argument, timer->argument, i))
			return false;
		timers->of_processor[timer->processor].count++;
		timers->of_processor[timer->processor].next = timer;
	}
	return true;
}

enum cs_status timers_load(
	const struct runtime *rt, const struct scheduler *scheduler, struct timers *ret)
{
	struct timers_load load = {.rt = rt, .timers = ret, .budget = MAX_TIMERS};
	size_t count = scheduler->processor_count;

	*ret = (struct timers){0};
	u64map_init(&ret->by_address, rt->arena);
	u64map_init(&ret->by_argument, rt->arena);
	ret->of_processor = arena_array(rt->arena, count, sizeof(*ret->of_processor));
	if (!ret->of_processor)
		return CS_NO_MEMORY;
	memset(ret->of_processor, 0, count * sizeof(*ret->of_processor));
	for (size_t i = 0; i < count; i++) {
		enum cs_status status = add_heap(&load, &scheduler->processors[i], i);

		if (status != CS_OK)
			return status;
	}
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare);
	return index_timers(ret) ? CS_OK : CS_NO_MEMORY;
}

const struct timer *timers_find(const struct timers *timers, target_addr address)
{
	uint64_t index;

	return u64map_get(&timers->by_address, address, &index) ? &timers->list[index] : NULL;
}

const struct timer *timers_find_argument(const struct timers *timers, target_addr argument)
{
	uint64_t index;

	return argument && u64map_get(&timers->by_argument, argument, &index)
		       ? &timers->list[index]
		       : NULL;
}

int64_t timers_wake_time(const struct runtime *rt, const struct goroutine *g)
{
	const char *reason = goroutine_wait_reason(rt, g);
	uint64_t when = 0;

	if (!reason || strcmp(reason, "sleep") || g->bubble)
		return 0;
	// Since 1.23 the timer is set only when the goroutine has parked: sleepWhen is set before.
	if (g->sleep_when > 0)
		return g->sleep_when;
	// Until 1.22 resetForSleep arms it with nextwhen, and `when` follows (time.go timeSleep).
	if (layout_has(&rt->layout, TIMER_NEXT_WHEN))
		runtime_read_at(rt, g->timer, TIMER_NEXT_WHEN, &when);
	else
		runtime_read_at(rt, g->timer, TIMER_WHEN, &when);
	return (int64_t)when;
}
