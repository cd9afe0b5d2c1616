#include "analyzer/runtime/parked.h"

#include "common/limits.h"

#define WORD 8
#define LOWEST_POINTER 4096

/** The words of a parked goroutine's stack from its stack pointer on, at most MAX_PARKED_WORDS. */
struct stack_words {
	const uint8_t *bytes;
	size_t count, next;
};

static struct stack_words words_of(const struct runtime *rt, const struct goroutine *g)
{
	struct stack_words words = {0};

	if (g->sched_sp < g->stack_lo || g->sched_sp >= g->stack_hi)
		return words;
	words.count = (g->stack_hi - g->sched_sp) / WORD;
	if (words.count > MAX_PARKED_WORDS)
		words.count = MAX_PARKED_WORDS;
	words.bytes = runtime_bytes(rt, g->sched_sp, words.count * WORD);
	return words;
}

/** The next word that may be a pointer; false at the end. */
static bool next_pointer(struct stack_words *words, target_addr *ret)
{
	while (words->bytes && words->next < words->count) {
		target_addr word;

		__builtin_memcpy(&word, words->bytes + words->next++ * WORD, WORD);
		if (word >= LOWEST_POINTER && word % WORD == 0) {
			*ret = word;
			return true;
		}
	}
	return false;
}

static bool read_word(
	const struct runtime *rt, target_addr address, enum layout_id id, uint64_t *ret)
{
	return image_read_u64(rt->image, address + layout_value(&rt->layout, id), ret) == CS_OK;
}

void parked_init(struct parked *parked, const struct runtime *rt, size_t goroutines)
{
	*parked = (struct parked){.rt = rt, .steps = 2 * (uint64_t)goroutines};
	u64map_init(&parked->conds, rt->arena);
	u64map_init(&parked->lists, rt->arena);
}

/** The g of a sudog; 0 where there is none at `address`. A g names itself (runtime2.go sched.g). */
static target_addr sudog_owner(const struct runtime *rt, target_addr address)
{
	struct object sudog = object_load(rt, address, OBJECT_SUDOG);
	target_addr g = sudog.bytes ? object_get(rt, sudog, SUDOG_G) : 0;
	uint64_t self;

	return g && read_word(rt, g, G_SCHED_G, &self) && self == g ? g : 0;
}

/** Notes everybody in the list of the Cond that may lie at `cond`; each is looked at once. */
static void walk_cond(struct parked *parked, target_addr cond)
{
	const struct runtime *rt = parked->rt;
	target_addr list = cond + layout_value(&rt->layout, COND_NOTIFY), at;

	if (u64map_get(&parked->lists, cond, &(uint64_t){0}) ||
		!u64map_put(&parked->lists, cond, 1) || !read_word(rt, list, NOTIFY_HEAD, &at))
		return;
	while (at && parked->steps) {
		target_addr g = sudog_owner(rt, at);

		if (!g || u64map_get(&parked->conds, g, &(uint64_t){0}) ||
			!u64map_put(&parked->conds, g, cond))
			return;
		parked->steps--;
		if (!read_word(rt, at, SUDOG_NEXT, &at))
			return;
	}
}

/** Since go1.26 the sudog is in g.waiting, and its elem is the list. */
static target_addr cond_of_sudog(const struct runtime *rt, const struct goroutine *g)
{
	struct object sudog = object_load(rt, g->waiting, OBJECT_SUDOG);

	if (!sudog.bytes || object_get(rt, sudog, SUDOG_G) != g->address ||
		!object_get(rt, sudog, SUDOG_ELEM))
		return 0;
	return object_get(rt, sudog, SUDOG_ELEM) - layout_value(&rt->layout, COND_NOTIFY);
}

target_addr parked_cond(struct parked *parked, const struct goroutine *g)
{
	const struct runtime *rt = parked->rt;
	struct stack_words words;
	target_addr at, cond;

	if (!layout_has(&rt->layout, COND_NOTIFY) || !layout_has(&rt->layout, NOTIFY_HEAD))
		return 0;
	if (g->waiting)
		return cond_of_sudog(rt, g);
	if (u64map_get(&parked->conds, g->address, &cond))
		return cond;
	words = words_of(rt, g);
	while (next_pointer(&words, &at)) {
		walk_cond(parked, at);
		if (u64map_get(&parked->conds, g->address, &cond))
			return cond;
	}
	return 0;
}

bool parked_poll(const struct runtime *rt, const struct goroutine *g, struct poll_wait *ret)
{
	const struct layout *layout = &rt->layout;
	struct stack_words words = words_of(rt, g);
	target_addr at;

	if (!layout_has(layout, NETPOLL_READER) || !layout_has(layout, NETPOLL_WRITER))
		return false;
	while (next_pointer(&words, &at)) {
		uint64_t reader, writer, deadline = 0, descriptor = 0;
		bool is_write;

		if (!read_word(rt, at, NETPOLL_READER, &reader) ||
			!read_word(rt, at, NETPOLL_WRITER, &writer) ||
			(reader != g->address && writer != g->address))
			continue;
		is_write = writer == g->address;
		if (!read_word(rt, at, NETPOLL_FD, &descriptor) || descriptor > INT32_MAX ||
			!read_word(rt, at,
				is_write ? NETPOLL_WRITE_DEADLINE : NETPOLL_READ_DEADLINE,
				&deadline))
			continue;
		*ret = (struct poll_wait){at, descriptor, is_write, (int64_t)deadline};
		return true;
	}
	return false;
}

target_addr parked_coroutine(const struct runtime *rt, const struct goroutine *g)
{
	struct stack_words words = words_of(rt, g);
	target_addr at;
	uint64_t owner;

	if (!layout_has(&rt->layout, CORO_G))
		return 0;
	while (next_pointer(&words, &at))
		// What lies on the stack is no coroutine, but may well hold the g.
		if ((at < g->stack_lo || at >= g->stack_hi) && read_word(rt, at, CORO_G, &owner) &&
			owner == g->address)
			return at;
	return 0;
}
