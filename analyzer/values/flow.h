// Registers that a call has overwritten, found again: in a word that the function itself spilled
// the same value to, in a callee that got it as an argument and kept it, in the caller that passed
// it, or in its code as a constant. Only what holds on every path to the call is believed, and what
// two frames know must agree.
#ifndef CORESNAP_ANALYZER_VALUES_FLOW_H
#define CORESNAP_ANALYZER_VALUES_FLOW_H

#include "analyzer/unwind/walk.h"
#include "analyzer/values/flow_track.h"
#include "analyzer/values/place.h"

struct flow;

/** What a register held. */
struct flow_value {
	uint64_t bits;    // as many as were asked for, the others zero
	target_addr slot; // the bytes that still hold it; 0: none do
	enum evidence evidence;
};

/** Remembers functions and calls that were analysed. NULL: out of memory. */
struct flow *flow_create(const struct frame_table *frames);

/**
 * What the lowest `size` bytes of register `reg` (its DWARF number, amd64) held when physical frame
 * `frame` of the walk made the call that it is in. False where nothing proves it; a contradiction
 * is counted in diagnostics.
 */
bool flow_register(struct flow *flow, const struct walk *walk, uint32_t frame, uint32_t reg,
	uint32_t size, struct flow_value *ret);

/**
 * What the flow calls a part of a variable that physical frame `frame` has lost: the same for all
 * that stand at its pc. SYMBOL_NONE: nothing proves what it is.
 */
symbol flow_find(
	struct flow *flow, const struct walk *walk, uint32_t frame, const struct flow_part *part);

/**
 * Whether the function goes on to read the word at `first` from the CFA once the call has returned,
 * but never that at `second`.
 */
bool flow_reads_only(
	struct flow *flow, const struct walk *walk, uint32_t frame, int64_t first, int64_t second);

/** As flow_register, of what flow_find gave for this pc. */
bool flow_symbol(struct flow *flow, const struct walk *walk, uint32_t frame, symbol held,
	uint32_t size, struct flow_value *ret);

#endif
