// Which variables are in scope at a pc, for each logical frame there. Walked here, because
// dwarf_getscopes of libdw 0.188 finds nothing in code that was inlined from another package: its
// abstract function lies in another unit.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_SCOPE_H
#define CORESNAP_ANALYZER_BINARY_DWARF_SCOPE_H

#include "analyzer/binary/dwarf_location.h"

struct dwarf_variable {
	const char *name; // without the "&" of an escaped one; borrowed from libelf
	Dwarf_Die die;    // has its location
	Dwarf_Die type;   // of an escaped one: the pointer to it
	uint32_t line;    // where it is declared; 0: not known
	uint32_t depth;   // of blocks around it in its function: the deepest of a name hides others
	int64_t closure_offset; // within the closure that captured it; -1: none
	int64_t dict_index;     // of its type in the generic function's dictionary; -1: none
	bool is_argument, is_result;
	bool is_escaped;  // "&x": the location holds a pointer to the variable
	bool is_shadowed; // another one of this name hides it here
	bool is_shared;   // its memory is another variable's as well, at other times
};

/** The variables of one logical frame. */
struct dwarf_scope {
	const char *function; // as DWARF has it: generics with their shapes
	struct dwarf_variable *variables;
	uint32_t count, capacity;
};

struct dwarf_scopes {
	struct dwarf_scope list[MAX_INLINE_DEPTH]; // outermost first
	uint32_t count;
	const struct dwarf_unit *unit; // of the function whose code it is
	Dwarf_Die function;
};

/**
 * Finds the scopes at the linked address `pc` (inside the call, for a frame that called another).
 * Lists live in the arena of `units`. False where no Go function with DWARF lies there, or where
 * its frame base is not what Go's are.
 */
bool dwarf_scopes_at(struct dwarf_units *units, uint64_t pc, struct dwarf_scopes *ret);

#endif
