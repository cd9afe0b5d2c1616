#include "analyzer/runtime/select_case.h"

#include "analyzer/core/arch.h"

#include <string.h>

#define CASE_SIZE 16 // scase: channel, element

/** What selectgo was given, and what its sudogs hold. */
struct selection {
	const struct runtime *rt;
	target_addr cases, order;
	uint64_t channels[MAX_NUMBERED_SELECT_CASES], elements[MAX_NUMBERED_SELECT_CASES]; // of the sudogs
	struct select_cases *known;
};

struct frame {
	target_addr pc, sp;
};

/** Moves to the caller of a frame of `function`; false where it is another's. */
static bool leave(const struct runtime *rt, const char *function, struct frame *at)
{
	const struct arch *arch = arch_of(rt->image);
	const struct pclntab *functions = modules_functions(rt, at->pc);
	struct pcln_func func;
	target_addr end, link;
	int32_t delta;

	if (!functions || !pclntab_find(functions, at->pc, &func) || strcmp(func.name, function) ||
		!pclntab_sp_delta(functions, &func, at->pc - 1, &delta) || delta < 0)
		return false;
	end = at->sp + (uint64_t)delta + arch->pushed_by_call;
	link = arch->has_link_register ? at->sp : end - sizeof(link);
	if (end <= at->sp || image_read_u64(rt->image, link, &at->pc) != CS_OK)
		return false;
	at->sp = end;
	return true;
}

/** The arguments of selectgo lie where it may keep them: they are believed if all else agrees. */
static bool load_arguments(struct selection *s, struct object g)
{
	const struct runtime *rt = s->rt;
	struct frame at = {object_get(rt, g, G_SCHED_PC), object_get(rt, g, G_SCHED_SP)};
	target_addr arguments;

	if (!leave(rt, "runtime.gopark", &at) || !leave(rt, "runtime.selectgo", &at))
		return false;
	arguments = at.sp + arch_of(rt->image)->minimum_frame;
	return image_read_u64(rt->image, arguments, &s->cases) == CS_OK &&
	       image_read_u64(rt->image, arguments + 8, &s->order) == CS_OK && s->cases && s->order;
}

static bool load_sudogs(struct selection *s, struct object g)
{
	const struct runtime *rt = s->rt;
	struct select_cases *known = s->known;

	for (target_addr at = object_get(rt, g, G_WAITING); at;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);

		if (!sudog.bytes || known->count == MAX_NUMBERED_SELECT_CASES ||
			object_get(rt, sudog, SUDOG_G) != g.address ||
			!object_get(rt, sudog, SUDOG_IS_SELECT))
			return false;
		s->channels[known->count] = object_get(rt, sudog, SUDOG_C);
		s->elements[known->count] = object_get(rt, sudog, SUDOG_ELEM);
		if (!s->channels[known->count])
			return false;
		known->sudogs[known->count++] = at;
		at = object_get(rt, sudog, SUDOG_WAIT_LINK);
	}
	return known->count;
}

static bool read_case(const struct selection *s, uint32_t number, uint64_t ret[2])
{
	return image_read(s->rt->image, s->cases + (uint64_t)number * CASE_SIZE, ret, CASE_SIZE) ==
	       CS_OK;
}

/** Whether the lock order behind `total` numbers names each sudog's own case. */
static bool fits(const struct selection *s, uint32_t total, uint32_t *numbers)
{
	uint16_t order[MAX_NUMBERED_SELECT_CASES];
	uint32_t count = s->known->count;
	uint64_t one[2];

	if (image_read(s->rt->image, s->order + (uint64_t)total * sizeof(*order), order,
		    count * sizeof(*order)) != CS_OK)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (order[i] >= total || !read_case(s, order[i], one) || one[0] != s->channels[i] ||
			one[1] != s->elements[i])
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (order[k] == order[i])
				return false;
		numbers[i] = order[i];
	}
	return true;
}

/** Whether the numbers that `total` cases leave over are all those of nil channels. */
static bool is_rest_nil(const struct selection *s, uint32_t total, const uint32_t *numbers)
{
	bool is_used[MAX_NUMBERED_SELECT_CASES] = {false};
	uint64_t one[2];

	for (uint32_t i = 0; i < s->known->count; i++)
		is_used[numbers[i]] = true;
	for (uint32_t i = 0; i < total; i++)
		if (!is_used[i] && (!read_case(s, i, one) || one[0]))
			return false;
	return true;
}

/** Whether case `number` may be one of this select: of no channel, or of one that is waited on. */
static bool is_possible(const struct selection *s, uint32_t number)
{
	uint64_t one[2];

	if (!read_case(s, number, one))
		return false;
	for (uint32_t i = 0; one[0] && i < s->known->count; i++)
		if (one[0] == s->channels[i])
			return true;
	return !one[0];
}

/**
 * The one number of cases that the arrays allow. What lies behind them may look like more cases of
 * nil channels: then there are two such numbers, and none is believed.
 */
static bool find_total(struct selection *s)
{
	uint32_t numbers[MAX_NUMBERED_SELECT_CASES], found = 0;

	for (uint32_t total = s->known->count; total <= MAX_NUMBERED_SELECT_CASES; total++) {
		if (!is_possible(s, total - 1))
			break;
		if (!fits(s, total, numbers) || !is_rest_nil(s, total, numbers))
			continue;
		if (found++)
			return false;
		s->known->total = total;
		memcpy(s->known->numbers, numbers, s->known->count * sizeof(*numbers));
	}
	return found == 1;
}

void select_cases_load(const struct runtime *rt, target_addr address, struct select_cases *ret)
{
	struct object g = object_load(rt, address, OBJECT_G);
	struct selection s = {.rt = rt, .known = ret};

	ret->count = ret->total = 0;
	if (!g.bytes || !load_sudogs(&s, g) || !load_arguments(&s, g) || !find_total(&s))
		ret->count = 0;
}

int64_t select_case_of(const struct select_cases *cases, target_addr sudog, bool is_send)
{
	for (uint32_t i = 0; i < cases->count; i++)
		if (cases->sudogs[i] == sudog)
			return is_send ? cases->numbers[i] : cases->total - 1 - cases->numbers[i];
	return -1;
}
