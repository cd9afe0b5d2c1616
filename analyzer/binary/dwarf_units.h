// From a pc to the function's DWARF entry. Go writes no .debug_aranges (any release), so the ranges
// of all units are gathered once, from their root entries; the functions of a unit are listed when
// a pc first falls into it.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_UNITS_H
#define CORESNAP_ANALYZER_BINARY_DWARF_UNITS_H

#include "analyzer/binary/dwarf.h"

struct dwarf_function {
	uint64_t low, high; // linked addresses
	Dwarf_Off offset;   // of its entry
};

/** A unit of Go code. */
struct dwarf_unit {
	Dwarf_Die root;
	const char *name;                 // import path; borrowed from libelf
	uint64_t base;                    // DW_AT_low_pc: what location lists are relative to
	struct dwarf_function *functions; // sorted by low, once it is indexed
	size_t function_count;
	bool is_indexed;
};

struct dwarf_unit_range {
	uint64_t low, high;
	uint32_t unit;
};

struct dwarf_units {
	struct dwarf *dwarf; // borrowed
	struct dwarf_unit *list;
	size_t count, capacity;
	struct dwarf_unit_range *ranges; // sorted by low
	size_t range_count, range_capacity;
};

/** Gathers the units. CS_NO_MEMORY is the only failure; damage leaves units out. */
CS_MUST_USE enum cs_status dwarf_units_load(struct dwarf *dwarf, struct dwarf_units *ret);

/** The function whose code holds the linked address `pc`: its entry and its unit; false: none. */
bool dwarf_units_find(struct dwarf_units *units, uint64_t pc, Dwarf_Die *function_ret,
	const struct dwarf_unit **unit_ret);

#endif
