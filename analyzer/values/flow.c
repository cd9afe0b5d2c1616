// Links the functions of a stack: a callee's registers at entry are its caller's at the call. From
// frame to frame the question is the same: which symbol is it there, and what holds that?
#include "analyzer/values/flow.h"

#include "analyzer/values/flow_function.h"
#include "common/limits.h"

struct flow {
	const struct frame_table *frames; // borrowed
	struct u64map functions; // entry to its struct flow_function; 0: cannot be followed
	struct u64map sites;     // place to its struct flow_site; 0: nothing known
	uint64_t budget;         // places that may still be looked at
};

/** One question, followed through the frames. */
struct search {
	struct flow *flow;
	const struct walk *walk;
	struct {
		uint32_t frame;
		symbol symbol;
	} seen[MAX_FLOW_STEPS];
	uint32_t seen_count;
	bool is_found, is_contradicted;
	struct flow_value value;
};

struct flow *flow_create(const struct frame_table *frames)
{
	struct arena *arena = frames->rt->arena;
	struct flow *flow = arena_alloc(arena, sizeof(*flow));

	if (!flow)
		return NULL;
	flow->frames = frames;
	flow->budget = MAX_FLOW_TOTAL;
	u64map_init(&flow->functions, arena);
	u64map_init(&flow->sites, arena);
	return flow;
}

static const struct code_place *place_of(
	const struct flow *flow, const struct walk *walk, uint32_t i)
{
	return &flow->frames->places[walk->places[i]];
}

static struct flow_function *function_of(struct flow *flow, const struct code_place *place)
{
	const struct frame *frame = &flow->frames->frames[place->first_frame];
	uint64_t known;
	struct flow_function *function;

	if (u64map_get(&flow->functions, frame->entry, &known))
		return (struct flow_function *)(uintptr_t)known;
	function = flow_function_create(flow->frames, place);
	u64map_put(&flow->functions, frame->entry, (uintptr_t)function);
	return function;
}

/** NULL where nothing is known there. */
static const struct flow_site *site_of(struct flow *flow, const struct walk *walk, uint32_t i)
{
	const struct code_place *place = place_of(flow, walk, i);
	struct flow_function *function;
	struct flow_site *site = NULL;
	uint64_t known;

	if (u64map_get(&flow->sites, walk->places[i], &known))
		return (const struct flow_site *)(uintptr_t)known;
	function = function_of(flow, place);
	if (function)
		site = arena_alloc(flow->frames->rt->arena, sizeof(*site));
	if (site && !flow_function_site(function, place, site))
		site = NULL;
	u64map_put(&flow->sites, walk->places[i], (uintptr_t)site);
	return site;
}

/**
 * Whether frame i + 1 called frame i as its code says. By a computed address a wrapper may lie
 * between that changes the receiver, which is in rax, and jumps on.
 */
static bool is_linked(struct flow *flow, const struct walk *walk, uint32_t i, uint32_t reg)
{
	const struct flow_site *caller;

	if (i + 1 >= walk->count || (walk->cut_at && walk->cut_at == i + 1) ||
		place_of(flow, walk, i)->role != ROLE_NORMAL)
		return false;
	caller = site_of(flow, walk, i + 1);
	if (!caller || !caller->is_call)
		return false;
	if (caller->target)
		return caller->target ==
		       flow->frames->frames[place_of(flow, walk, i)->first_frame].entry;
	return reg != AMD64_RAX && reg != AMD64_RDX;
}

static void found(struct search *s, struct flow_value value)
{
	if (!s->is_found) {
		s->value = value;
		s->is_found = true;
	} else if (s->value.bits != value.bits) {
		s->is_contradicted = true;
	} else if (!s->value.slot) {
		s->value.slot = value.slot;
	}
}

static target_addr cfa_of(const struct search *s, uint32_t frame)
{
	const struct code_place *place = place_of(s->flow, s->walk, frame);

	return s->walk->sps[frame] + (uint64_t)place->frame_size;
}

static void search_slots(struct search *s, uint32_t frame, const struct flow_site *site,
	symbol wanted, enum evidence evidence)
{
	for (uint32_t i = 0; i < site->slot_count; i++) {
		const struct flow_slot *slot = &site->slots[i];
		struct flow_value value = {.evidence = evidence};

		if (slot->symbol != wanted)
			continue;
		value.slot = cfa_of(s, frame) + (uint64_t)slot->offset;
		if (image_read_u64(s->flow->frames->rt->image, value.slot, &value.bits) == CS_OK)
			found(s, value);
	}
}

static bool see(struct search *s, uint32_t frame, symbol wanted)
{
	for (uint32_t i = 0; i < s->seen_count; i++)
		if (s->seen[i].frame == frame && s->seen[i].symbol == wanted)
			return false;
	if (s->seen_count == MAX_FLOW_STEPS)
		return false;
	s->seen[s->seen_count].frame = frame;
	s->seen[s->seen_count++].symbol = wanted;
	return true;
}

static void search_frame(struct search *s, uint32_t frame, symbol wanted, enum evidence evidence);

/** Into the callee, for each register that carries the value there. */
static void search_callee(
	struct search *s, uint32_t frame, const struct flow_site *site, symbol wanted)
{
	if (!frame || !site->is_call)
		return;
	for (uint32_t reg = 0; reg < AMD64_REGISTERS; reg++)
		if (site->registers[reg] == wanted && reg != AMD64_RSP && reg != AMD64_RBP &&
			is_linked(s->flow, s->walk, frame - 1, reg))
			search_frame(s, frame - 1, symbol_entry(reg), EVIDENCE_CALLEE);
}

static void search_caller(struct search *s, uint32_t frame, symbol wanted)
{
	uint64_t reg = symbol_payload(wanted);
	const struct flow_site *caller;

	if (symbol_kind(wanted) != SYMBOL_ENTRY || reg >= AMD64_REGISTERS || reg == AMD64_RSP ||
		reg == AMD64_RBP || !is_linked(s->flow, s->walk, frame, (uint32_t)reg))
		return;
	caller = site_of(s->flow, s->walk, frame + 1);
	search_frame(s, frame + 1, caller->registers[reg], EVIDENCE_CALLER);
}

/** Everything that holds `wanted` in this frame, and what it is in its neighbours. */
static void search_frame(struct search *s, uint32_t frame, symbol wanted, enum evidence evidence)
{
	const struct flow_site *site = site_of(s->flow, s->walk, frame);

	if (!site || symbol_kind(wanted) == SYMBOL_NONE || !see(s, frame, wanted))
		return;
	s->flow->budget -= site->slot_count < s->flow->budget ? site->slot_count : s->flow->budget;
	if (symbol_kind(wanted) == SYMBOL_CONSTANT)
		found(s, (struct flow_value){.bits = flow_function_constant(site->function, wanted),
				 .evidence = evidence});
	if (symbol_kind(wanted) == SYMBOL_FRAME)
		found(s, (struct flow_value){
				 .bits = cfa_of(s, frame) + (uint64_t)symbol_offset(wanted),
				 .evidence = evidence});
	search_slots(s, frame, site, wanted, evidence);
	search_callee(s, frame, site, wanted);
	search_caller(s, frame, wanted);
}

bool flow_register(struct flow *flow, const struct walk *walk, uint32_t frame, uint32_t reg,
	struct flow_value *ret)
{
	struct search search = {.flow = flow, .walk = walk};
	const struct flow_site *site;

	if (!flow || frame >= walk->count || reg >= AMD64_REGISTERS || !flow->budget)
		return false;
	site = site_of(flow, walk, frame);
	if (!site || !site->is_call)
		return false;
	search_frame(&search, frame, site->registers[reg], EVIDENCE_SPILL);
	if (search.is_contradicted) {
		diag_add(flow->frames->rt->diag, DIAG_WARNING, "contradiction",
			"two frames of a stack disagree on a variable: it is not shown");
		return false;
	}
	if (!search.is_found)
		return false;
	*ret = search.value;
	return true;
}
