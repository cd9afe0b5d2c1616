// The flow of values through one function: which registers and stack words provably hold the same
// value at a call. A symbol stands for one value; two places with one symbol hold equal words.
#ifndef CORESNAP_ANALYZER_VALUES_FLOW_FUNCTION_H
#define CORESNAP_ANALYZER_VALUES_FLOW_FUNCTION_H

#include "analyzer/binary/instruction.h"
#include "analyzer/unwind/frame_table.h"

/**
 * What a symbol is: the top byte, symbol_kind; the rest tells it from others of its kind. Symbols
 * are those of one function.
 */
typedef uint64_t symbol;

enum symbol_kind {
	SYMBOL_NONE,     // not known; equal to nothing
	SYMBOL_ENTRY,    // what a location held when the function was entered: symbol_payload is it
	SYMBOL_CONSTANT, // flow_function_constant tells the value
	SYMBOL_FRAME,    // an address in the frame: the CFA and a signed offset
	SYMBOL_FRESH,    // made by one instruction in one register
	SYMBOL_PHI,      // one of several, by the way that was taken to a block
	SYMBOL_DERIVED,  // flow_function_derived tells from which other one, and how
};

static inline enum symbol_kind symbol_kind(symbol s)
{
	return (enum symbol_kind)(s >> 56);
}

static inline uint64_t symbol_payload(symbol s)
{
	return s & 0x00ffffffffffffff;
}

/** The offset from the CFA of a SYMBOL_FRAME. */
static inline int64_t symbol_offset(symbol s)
{
	return (int64_t)(s << 8) >> 8;
}

/** The symbol of register `reg` at entry. */
static inline symbol symbol_entry(uint32_t reg)
{
	return (symbol)SYMBOL_ENTRY << 56 | reg;
}

struct flow_function;

/** A word of the stack, or less: its address is the CFA and `offset`. */
struct flow_slot {
	int64_t offset;
	uint32_t size;
	symbol symbol; // what it holds, or its lowest bytes, once the call is under way
};

/** Another symbol's value and `addend`, and of that the lowest `size` bytes, made a word again. */
struct flow_derived {
	symbol base; // never SYMBOL_DERIVED
	uint64_t addend;
	uint32_t size;
	bool is_signed; // how they were made a word
};

/** What is known at one call, or at one instruction at which a signal stopped the function. */
struct flow_site {
	struct flow_function *function;
	symbol registers[AMD64_REGISTERS]; // before it
	struct flow_slot *slots;
	uint32_t slot_count;
	target_addr target;   // what it calls; 0: not by name
	uint32_t instruction; // its index in the function
	bool is_call;
};

/**
 * Analyses the function that `place` is in. NULL where it cannot be followed: assembly, a jump to a
 * computed place, too large, or undecodable.
 */
struct flow_function *flow_function_create(
	const struct frame_table *frames, const struct code_place *place);

/** Where it begins: what its callers call. */
target_addr flow_function_entry(const struct flow_function *function);

/**
 * What is known at `place`, of this function: at the call that returns to its pc, or where it was
 * stopped. False where no call ends there and no instruction begins, or it is not reached.
 */
bool flow_function_site(
	struct flow_function *function, const struct code_place *place, struct flow_site *ret);

uint64_t flow_function_constant(const struct flow_function *function, symbol s);

/** What `s` is made of; any but a SYMBOL_DERIVED is made of itself. */
struct flow_derived flow_function_derived(const struct flow_function *function, symbol s);

#endif
