// allgs, allp, allm and sched by what they must look like: every word of the module's variables is
// tried. A g is known by its own address in sched.g, an m by its g0 whose m it is, a p by its
// index.
#include "analyzer/runtime/roots_internal.h"

#include "common/limits.h"

#include <string.h>

#define DEFAULT_MAX_THREADS 10000 // sched.maxmcount as schedinit sets it (runtime/proc.go)
#define RUN_QUEUE_SIZE 256        // p.runq is an array of so many in every release
#define WORD 8

bool roots_number(const struct roots *roots, target_addr address, uint64_t size, uint64_t *ret)
{
	uint64_t value = 0;

	if (!size || size > sizeof(value) ||
		image_read(roots->rt->image, address, &value, size) != CS_OK)
		return false;
	*ret = value;
	return true;
}

bool roots_field(const struct roots *roots, target_addr address, enum layout_id id, uint64_t *ret)
{
	const struct layout *layout = &roots->rt->layout;

	return layout_has(layout, id) && roots_number(roots, address + layout_value(layout, id),
						 layout_size(layout, id), ret);
}

static bool is_at_word(target_addr address)
{
	return address && address % WORD == 0;
}

static bool has_steps(struct roots *roots)
{
	if (roots->steps >= MAX_ROOT_STEPS)
		return false;
	roots->steps++;
	return true;
}

static bool is_goroutine(struct roots *roots, target_addr g)
{
	uint64_t self, low, high;

	return is_at_word(g) && has_steps(roots) && roots_field(roots, g, G_SCHED_G, &self) &&
	       self == g && roots_field(roots, g, G_STACK_LO, &low) &&
	       roots_field(roots, g, G_STACK_HI, &high) && low <= high &&
	       high - low <= MAX_STACK_SIZE;
}

static bool is_machine(struct roots *roots, target_addr m)
{
	uint64_t g0, back;

	return is_at_word(m) && has_steps(roots) && roots_field(roots, m, M_G0, &g0) &&
	       is_at_word(g0) && roots_field(roots, g0, G_M, &back) && back == m;
}

static bool is_processor(struct roots *roots, target_addr p, uint64_t index)
{
	uint64_t id, status, m, head, tail;

	return is_at_word(p) && has_steps(roots) && roots_field(roots, p, P_ID, &id) &&
	       id == index && roots_field(roots, p, P_STATUS, &status) && status <= 4 &&
	       roots_field(roots, p, P_RUNQ_HEAD, &head) &&
	       roots_field(roots, p, P_RUNQ_TAIL, &tail) &&
	       (uint32_t)(tail - head) <= RUN_QUEUE_SIZE && roots_field(roots, p, P_M, &m) &&
	       (!m || is_machine(roots, m));
}

/** The slice header at `address`, of 1 to `max` pointers. */
static bool load_slice(const struct roots *roots, target_addr address, uint64_t max,
	target_addr *data_ret, uint64_t *length_ret)
{
	uint64_t header[3];

	if (image_read(roots->rt->image, address, header, sizeof(header)) != CS_OK)
		return false;
	if (!is_at_word(header[0]) || !header[1] || header[1] > header[2] || header[1] > max)
		return false;
	*data_ret = header[0];
	*length_ret = header[1];
	return true;
}

/** Of a long list some elements, all over it, are proof enough. */
static uint64_t sample_step(uint64_t length)
{
	return length / MAX_ROOT_SAMPLES + 1;
}

uint64_t roots_goroutines_at(struct roots *roots, target_addr address)
{
	target_addr data;
	uint64_t length, g;

	if (!load_slice(roots, address, MAX_GOROUTINES, &data, &length))
		return 0;
	for (uint64_t i = 0; i < length; i += sample_step(length))
		if (!roots_number(roots, data + i * WORD, WORD, &g) || !is_goroutine(roots, g))
			return 0;
	return length;
}

uint64_t roots_highest_id(struct roots *roots, target_addr address)
{
	target_addr data;
	uint64_t length, g, id, highest = 0;

	if (!load_slice(roots, address, MAX_GOROUTINES, &data, &length))
		return 0;
	for (uint64_t i = 0; i < length; i += sample_step(length))
		if (roots_number(roots, data + i * WORD, WORD, &g) &&
			roots_field(roots, g, G_ID, &id) && id > highest)
			highest = id;
	return highest;
}

uint64_t roots_processors_at(struct roots *roots, target_addr address)
{
	target_addr data;
	uint64_t length, p;

	if (!load_slice(roots, address, MAX_PROCESSORS, &data, &length))
		return 0;
	for (uint64_t i = 0; i < length; i++)
		if (!roots_number(roots, data + i * WORD, WORD, &p) || !is_processor(roots, p, i))
			return 0;
	return length;
}

uint64_t roots_machines_at(struct roots *roots, target_addr address)
{
	uint64_t m, length = 0;

	if (!roots_number(roots, address, WORD, &m))
		return 0;
	while (m) {
		// A list that ends in something else, or never, is not allm.
		if (length == MAX_RUNTIME_THREADS || !is_machine(roots, m) ||
			!roots_field(roots, m, M_ALL_LINK, &m))
			return 0;
		length++;
	}
	return length;
}

bool roots_is_sched(struct roots *roots, target_addr address)
{
	uint64_t goidgen, mnext, limit;

	return roots_field(roots, address, SCHED_MAX_M, &limit) && limit > 0 &&
	       limit <= INT32_MAX && roots_field(roots, address, SCHED_MNEXT, &mnext) &&
	       mnext > 0 && mnext < INT32_MAX && mnext >= roots->chain_length &&
	       roots_field(roots, address, SCHED_GOIDGEN, &goidgen) && goidgen > 0 &&
	       goidgen >= roots->goroutine_id && goidgen < UINT64_C(1) << 48;
}

static uint64_t sched_score(struct roots *roots, target_addr address)
{
	uint64_t limit;

	return roots_field(roots, address, SCHED_MAX_M, &limit) && limit == DEFAULT_MAX_THREADS &&
	       roots_is_sched(roots, address);
}

static const struct search {
	enum layout_id id;
	uint64_t (*score)(struct roots *roots, target_addr address);
	bool is_pointer; // its first word is one
	bool has_copies; // the lowest of equals is the variable: the others lie in m0
} searches[] = {
	{VAR_ALLGS, roots_goroutines_at, true, false},
	{VAR_ALLP, roots_processors_at, true, true},
	{VAR_ALLM, roots_machines_at, true, true},
	{VAR_SCHED, sched_score, false, false},
};

struct best {
	target_addr address;
	uint64_t score;
	bool is_tie;
};

static void try_at(
	struct roots *roots, const struct search *search, target_addr at, struct best *best)
{
	uint64_t score = has_steps(roots) ? search->score(roots, at) : 0;

	if (!score || score < best->score)
		return;
	best->is_tie = score == best->score;
	if (!best->is_tie)
		*best = (struct best){.address = at, .score = score};
}

static void scan_view(struct roots *roots, const struct search *search,
	const struct image_view *view, target_addr end, struct best *best)
{
	target_addr at = (view->start + WORD - 1) & ~(target_addr)(WORD - 1);

	for (; at < end && end - at >= WORD; at += WORD) {
		uint64_t word;

		// Most variables are no pointers; to see that no lookup is needed.
		memcpy(&word, view->bytes + (at - view->start), sizeof(word));
		if (!search->is_pointer || is_at_word(word))
			try_at(roots, search, at, best);
	}
}

target_addr roots_scan(struct roots *roots, enum layout_id id)
{
	const struct search *search = searches;
	struct best best = {0};

	while (search->id != id)
		if (++search == searches + sizeof(searches) / sizeof(searches[0]))
			return 0;
	for (size_t i = ROOT_DATA; i <= ROOT_BSS; i++) {
		target_addr at = roots->ranges[i].start, end = roots->ranges[i].end;
		struct image_view view;

		// What is not in the core at all has no neighbour that is worth a search.
		for (; at < end && image_find(roots->rt->image, at, &view); at = view.end) {
			view.bytes += at - view.start;
			view.start = at;
			scan_view(roots, search, &view, view.end < end ? view.end : end, &best);
		}
	}
	return best.is_tie && !search->has_copies ? 0 : best.address;
}
