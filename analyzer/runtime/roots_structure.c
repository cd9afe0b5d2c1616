// allgs, allp, allm and sched by what they must look like: every word of the module's variables is
// tried. A g is known by its own address in sched.g, an m by its g0 whose m it is, a p by its index.
#include "analyzer/runtime/roots_internal.h"

#include "common/limits.h"

#define DEFAULT_MAX_THREADS 10000 // sched.maxmcount as schedinit sets it (runtime/proc.go)
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
	uint64_t id, status;

	return is_at_word(p) && has_steps(roots) && roots_field(roots, p, P_ID, &id) &&
		id == index && roots_field(roots, p, P_STATUS, &status) && status <= 4;
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

uint64_t roots_goroutines_at(struct roots *roots, target_addr address)
{
	target_addr data;
	uint64_t length, g;

	if (!load_slice(roots, address, MAX_GOROUTINES, &data, &length))
		return 0;
	for (uint64_t i = 0; i < length; i++)
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
	for (uint64_t i = 0; i < length; i++)
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

	return roots_field(roots, address, SCHED_MAX_M, &limit) && limit > 0 && limit <= INT32_MAX &&
		roots_field(roots, address, SCHED_MNEXT, &mnext) && mnext > 0 && mnext < INT32_MAX &&
		mnext >= roots->chain_length &&
		roots_field(roots, address, SCHED_GOIDGEN, &goidgen) && goidgen > 0 &&
		goidgen >= roots->goroutine_id && goidgen < UINT64_C(1) << 48;
}

static uint64_t sched_score(struct roots *roots, target_addr address)
{
	uint64_t limit;

	return roots_field(roots, address, SCHED_MAX_M, &limit) && limit == DEFAULT_MAX_THREADS &&
		roots_is_sched(roots, address);
}

static const struct {
	enum layout_id id;
	uint64_t (*score)(struct roots *roots, target_addr address);
	bool has_copies; // the lowest of equals is the variable: the others lie in m0
} searches[] = {
	{VAR_ALLGS, roots_goroutines_at, false},
	{VAR_ALLP, roots_processors_at, true},
	{VAR_ALLM, roots_machines_at, true},
	{VAR_SCHED, sched_score, false},
};

target_addr roots_scan(struct roots *roots, enum layout_id id)
{
	target_addr best = 0;
	uint64_t best_score = 0;
	bool is_tie = false;
	size_t search = 0;

	while (searches[search].id != id)
		if (++search == sizeof(searches) / sizeof(searches[0]))
			return 0;
	for (size_t i = 0; i < ROOT_RANGES; i++) {
		target_addr start = (roots->ranges[i].start + WORD - 1) & ~(target_addr)(WORD - 1);

		for (target_addr at = start; at < roots->ranges[i].end; at += WORD) {
			uint64_t score = searches[search].score(roots, at);

			if (!score || score < best_score)
				continue;
			if (score > best_score) {
				best = at;
				best_score = score;
				is_tie = false;
			} else {
				is_tie = true;
				if (at < best)
					best = at;
			}
		}
	}
	return is_tie && !searches[search].has_copies ? 0 : best;
}
