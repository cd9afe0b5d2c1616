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

/** What is asked for: the lowest `size` bytes of a symbol's value and `addend`. */
struct wanted {
	symbol base; // of the frame that is asked
	uint64_t addend;
	uint32_t size;
};

/** One question, followed through the frames. */
struct search {
	struct flow *flow;
	const struct walk *walk;
	struct {
		uint32_t frame;
		symbol base;
	} seen[MAX_FLOW_STEPS];
	uint32_t seen_count;
	uint64_t mask; // of the bytes that are asked for
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
	value.bits &= s->mask;
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

/**
 * Whether a register or slot that holds `has` tells what is wanted: *addend_ret is what to add to
 * it.
 */
static bool tells(
	const struct flow_site *site, symbol has, const struct wanted *wanted, uint64_t *addend_ret)
{
	struct flow_derived derived = flow_function_derived(site->function, has);

	if (has == wanted->base)
		derived = (struct flow_derived){.base = has, .size = sizeof(uint64_t)};
	*addend_ret = wanted->addend - derived.addend;
	return derived.base == wanted->base && derived.size >= wanted->size;
}

/** `held`, and what is to be added to it, in terms of what `held` is made of. */
static struct wanted wanted_of(
	const struct flow_site *site, symbol held, uint64_t addend, uint32_t size)
{
	struct flow_derived derived = flow_function_derived(site->function, held);

	if (derived.size < size)
		return (struct wanted){held, addend, size};
	return (struct wanted){derived.base, derived.addend + addend, size};
}

static bool read_slot(
	const struct search *s, const struct flow_slot *slot, target_addr address, uint64_t *ret)
{
	uint8_t bytes[sizeof(uint64_t)] = {0};

	if (image_read(s->flow->frames->rt->image, address, bytes, slot->size) != CS_OK)
		return false;
	*ret = 0;
	for (uint32_t i = 0; i < slot->size; i++)
		*ret |= (uint64_t)bytes[i] << (8 * i);
	return true;
}

static void search_slots(struct search *s, uint32_t frame, const struct flow_site *site,
	const struct wanted *wanted, enum evidence evidence)
{
	for (uint32_t i = 0; i < site->slot_count; i++) {
		const struct flow_slot *slot = &site->slots[i];
		target_addr address = cfa_of(s, frame) + (uint64_t)slot->offset;
		struct flow_value value = {.evidence = evidence};
		uint64_t addend;

		if (slot->size < wanted->size || !tells(site, slot->symbol, wanted, &addend) ||
			!read_slot(s, slot, address, &value.bits))
			continue;
		value.bits += addend;
		value.slot = addend ? 0 : address;
		found(s, value);
	}
}

static bool see(struct search *s, uint32_t frame, symbol base)
{
	for (uint32_t i = 0; i < s->seen_count; i++)
		if (s->seen[i].frame == frame && s->seen[i].base == base)
			return false;
	if (s->seen_count == MAX_FLOW_STEPS)
		return false;
	s->seen[s->seen_count].frame = frame;
	s->seen[s->seen_count++].base = base;
	return true;
}

static void search_frame(
	struct search *s, uint32_t frame, struct wanted wanted, enum evidence evidence);

/** Into the callee, for each register that carries the value there. */
static void search_callee(
	struct search *s, uint32_t frame, const struct flow_site *site, const struct wanted *wanted)
{
	uint64_t addend;

	if (!frame || !site->is_call)
		return;
	for (uint32_t reg = 0; reg < AMD64_REGISTERS; reg++)
		if (reg != AMD64_RSP && reg != AMD64_RBP &&
			tells(site, site->registers[reg], wanted, &addend) &&
			is_linked(s->flow, s->walk, frame - 1, reg))
			search_frame(s, frame - 1,
				(struct wanted){symbol_entry(reg), addend, wanted->size},
				EVIDENCE_CALLEE);
}

static void search_caller(struct search *s, uint32_t frame, const struct wanted *wanted)
{
	uint64_t reg = symbol_payload(wanted->base);
	const struct flow_site *caller;

	if (symbol_kind(wanted->base) != SYMBOL_ENTRY || reg >= AMD64_REGISTERS ||
		reg == AMD64_RSP || reg == AMD64_RBP ||
		!is_linked(s->flow, s->walk, frame, (uint32_t)reg))
		return;
	caller = site_of(s->flow, s->walk, frame + 1);
	search_frame(s, frame + 1,
		wanted_of(caller, caller->registers[reg], wanted->addend, wanted->size),
		EVIDENCE_CALLER);
}

/** Everything that holds what is wanted in this frame, and what it is in its neighbours. */
static void search_frame(
	struct search *s, uint32_t frame, struct wanted wanted, enum evidence evidence)
{
	const struct flow_site *site = site_of(s->flow, s->walk, frame);
	enum symbol_kind kind = symbol_kind(wanted.base);

	if (!site || kind == SYMBOL_NONE || !see(s, frame, wanted.base))
		return;
	s->flow->budget -= site->slot_count < s->flow->budget ? site->slot_count : s->flow->budget;
	if (kind == SYMBOL_CONSTANT)
		found(s, (struct flow_value){
				 .bits = flow_function_constant(site->function, wanted.base) +
					 wanted.addend,
				 .evidence = evidence});
	if (kind == SYMBOL_FRAME)
		found(s, (struct flow_value){.bits = cfa_of(s, frame) +
						     (uint64_t)symbol_offset(wanted.base) +
						     wanted.addend,
				 .evidence = evidence});
	search_slots(s, frame, site, &wanted, evidence);
	search_callee(s, frame, site, &wanted);
	search_caller(s, frame, &wanted);
}

/** What symbol `held` of physical frame `frame` is: its lowest `size` bytes. */
static bool search_symbol(struct flow *flow, const struct walk *walk, uint32_t frame,
	const struct flow_site *site, symbol held, uint32_t size, struct flow_value *ret)
{
	struct search search = {.flow = flow,
		.walk = walk,
		.mask = size < sizeof(uint64_t) ? (UINT64_C(1) << (8 * size)) - 1 : UINT64_MAX};

	search_frame(&search, frame, wanted_of(site, held, 0, size), EVIDENCE_SPILL);
	if (search.is_contradicted) {
		diag_add(flow->frames->rt->diag, DIAG_WARNING, "contradiction",
			"two frames of a stack disagree on a variable: it is not shown");
		return false;
	}
	if (search.is_found)
		*ret = search.value;
	return search.is_found;
}

/** Where physical frame `frame` is called from; NULL: nothing is known there. */
static const struct flow_site *call_site(struct flow *flow, const struct walk *walk, uint32_t frame)
{
	const struct flow_site *site =
		flow && frame < walk->count && flow->budget ? site_of(flow, walk, frame) : NULL;

	return site && site->is_call ? site : NULL;
}

symbol flow_find(
	struct flow *flow, const struct walk *walk, uint32_t frame, const struct flow_part *part)
{
	const struct flow_site *site = call_site(flow, walk, frame);

	return site ? flow_function_track(site->function, site, part) : 0;
}

bool flow_reads_only(
	struct flow *flow, const struct walk *walk, uint32_t frame, int64_t first, int64_t second)
{
	const struct flow_site *site = call_site(flow, walk, frame);

	return site && flow_function_reads(site->function, site, first) &&
	       !flow_function_reads(site->function, site, second);
}

bool flow_symbol(struct flow *flow, const struct walk *walk, uint32_t frame, symbol held,
	uint32_t size, struct flow_value *ret)
{
	const struct flow_site *site = call_site(flow, walk, frame);

	return site && size && size <= sizeof(uint64_t) &&
	       search_symbol(flow, walk, frame, site, held, size, ret);
}

bool flow_register(struct flow *flow, const struct walk *walk, uint32_t frame, uint32_t reg,
	uint32_t size, struct flow_value *ret)
{
	const struct flow_site *site = call_site(flow, walk, frame);

	return site && reg < AMD64_REGISTERS &&
	       flow_symbol(flow, walk, frame, site->registers[reg], size, ret);
}
