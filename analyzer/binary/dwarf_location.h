// Where a variable lies at a pc, in terms of the frame: DWARF location expressions and lists
// (versions 4 and 5) as the Go compiler writes them (cmd/compile/internal/ssa/debug.go,
// cmd/compile/internal/dwarfgen), decoded by hand because libdw 0.188 refuses them.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_LOCATION_H
#define CORESNAP_ANALYZER_BINARY_DWARF_LOCATION_H

#include "analyzer/binary/dwarf_units.h"
#include "common/limits.h"

enum dwarf_piece_kind {
	DWARF_PIECE_NONE,            // this part has no place: optimized out
	DWARF_PIECE_FRAME,           // in memory at CFA + number
	DWARF_PIECE_ADDRESS,         // in memory at a linked address: number
	DWARF_PIECE_REGISTER_MEMORY, // in memory at a register + number
	DWARF_PIECE_REGISTER,        // a register holds it
	DWARF_PIECE_CONSTANT,        // number is it
	DWARF_PIECE_FRAME_ADDRESS,   // CFA + number is it
	DWARF_PIECE_BYTES,           // `bytes`, as many as the piece has
};

struct dwarf_piece {
	enum dwarf_piece_kind kind;
	uint32_t size; // bytes; 0: the rest of the value
	int64_t number;
	uint32_t register_number; // DWARF's
	const uint8_t *bytes;     // borrowed from libelf
};

struct dwarf_location {
	struct dwarf_piece pieces[MAX_DWARF_PIECES];
	uint32_t count; // 0: nothing of it is anywhere
	bool is_listed; // by a list, whose row holds at the pc; false: it holds in all of the scope
	bool is_unread; // says something that cannot be evaluated; then count is 0
};

/**
 * Where the variable `die` lies at the linked address `pc`, which for a frame that called another
 * one is an address inside the call: the registers at what follows it are the callee's results.
 */
void dwarf_location_at(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	uint64_t pc, struct dwarf_location *ret);

/**
 * Whether some row of the variable's list says that one register holds all of it. Then all of its
 * rows are about one word, however large its type: the others are gone, and which it is nobody
 * says (seen of captured strings, go1.26).
 */
bool dwarf_location_is_word(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die);

/**
 * Since which address without a gap up to `pc` the rows of the variable's list have `piece`; 0
 * where it has no list, or that of `pc` does not have it.
 */
uint64_t dwarf_location_since(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	uint64_t pc, const struct dwarf_piece *piece);

/** A row of a location list: `location` holds in [low, high), linked addresses. */
typedef bool (*dwarf_row_visitor)(
	void *context, uint64_t low, uint64_t high, const struct dwarf_location *location);

/** Calls `visit` for each row of the variable's list, until it is false. Without a list: never. */
void dwarf_location_each(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	dwarf_row_visitor visit, void *context);

/** Whether both are one place. */
static inline bool dwarf_piece_equals(const struct dwarf_piece *a, const struct dwarf_piece *b)
{
	return a->kind == b->kind && a->number == b->number && a->size == b->size &&
	       a->register_number == b->register_number;
}

/** Whether the frame base of `function` is its CFA, as it is for all of Go's. */
bool dwarf_location_base_is_cfa(Dwarf_Die *function);

#endif
