// Package-level variables by name, from the units of their packages.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_GLOBALS_H
#define CORESNAP_ANALYZER_BINARY_DWARF_GLOBALS_H

#include "analyzer/binary/dwarf_units.h"

struct dwarf_global {
	const char *name; // "main.state"; borrowed from libelf
	Dwarf_Die type;
	uint64_t address; // as linked
};

struct dwarf_globals {
	struct dwarf_global *list; // in the order of the file
	size_t count, capacity;
	bool is_cut; // there are more than MAX_GLOBALS
};

/**
 * Finds the variables whose name the shell pattern `pattern` matches ("main.state", "main.*"). Only
 * the units that can hold them are read. CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status dwarf_globals_find(
	const struct dwarf_units *units, const char *pattern, struct dwarf_globals *ret);

#endif
