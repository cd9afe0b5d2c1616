// What the parts of the flow analysis share: the function's code as blocks (flow_code.c), the
// effect of an instruction on a state (flow_step.c), and the states themselves (flow_function.c).
#ifndef CORESNAP_ANALYZER_VALUES_FLOW_INTERNAL_H
#define CORESNAP_ANALYZER_VALUES_FLOW_INTERNAL_H

#include "analyzer/values/flow_function.h"
#include "common/u64map.h"

#define FLOW_WORD 8
#define NO_INSTRUCTION UINT32_MAX
#define NO_BLOCK UINT32_MAX

struct flow_block {
	uint32_t first, count;  // instructions
	uint32_t successors[2]; // NO_BLOCK: none
	uint32_t *predecessors; // in the order of the walk, as far as they are reached
	uint32_t predecessor_count;
	bool is_entry;   // reached from outside with the entry's values
	bool is_landing; // reached after a recovered panic: nothing is known
	bool is_reached;
};

struct flow_function {
	const struct frame_table *frames; // borrowed
	struct arena *arena;              // borrowed
	struct pcln_func func;
	struct instruction *instructions;
	int32_t *deltas; // how far sp was moved before each instruction
	uint32_t instruction_count;
	int64_t *slots; // keys of words and parts of words, sorted: flow_slot_key
	uint32_t slot_count, place_count;
	struct flow_block *blocks;
	uint32_t block_count;
	symbol *states; // at the entry of each block: place_count each
	uint64_t *constants;
	size_t constant_count, constant_capacity;
	struct u64map constant_index;
	struct flow_derived *derived;
	size_t derived_count, derived_capacity;
	struct u64map derived_index;
	int64_t *exposed; // offsets whose address was taken
	uint32_t exposed_count;
	int64_t lowest_local; // what lies below, as far as sp, may be some callee's
	bool *is_exposed; // for each slot: others may change it, so what it holds is never known
};

/** Decodes the function and finds its words and blocks. False where it cannot be followed. */
bool flow_code_load(struct flow_function *f);

/** Where a slot is, counted from the CFA, and how large, as one number. */
static inline int64_t flow_slot_key(int64_t offset, uint32_t size)
{
	return offset * (2 * FLOW_WORD) + size;
}

static inline int64_t flow_slot_offset(int64_t key)
{
	return key >> 4;
}

static inline uint32_t flow_slot_size(int64_t key)
{
	return (uint32_t)(key & (2 * FLOW_WORD - 1));
}

/** The index of the slot with this key, or of the first above it. */
uint32_t flow_slot_index(const struct flow_function *f, int64_t key);

/**
 * The offset from the CFA of what a memory operand of instruction `i` names, where rsp is its base.
 */
bool flow_stack_offset(
	const struct flow_function *f, uint32_t i, const struct operand *op, int64_t *ret);

/** Changes `state`, a symbol for each register and word, as instruction `i` does. */
void flow_step(struct flow_function *f, symbol *state, uint32_t i);

symbol symbol_make(enum symbol_kind kind, uint64_t payload);

#endif
