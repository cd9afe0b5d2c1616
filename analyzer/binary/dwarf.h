// The DWARF of a Go program, opened through libdw, and the sections that are decoded by hand.
// libdw 0.188 refuses the location of every Go variable ("not a location list value"), finds no
// scopes in code inlined over packages and needs .debug_aranges, which Go never writes. So libdw
// serves entries and attributes; ranges of units, scopes and locations are this layer's own.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_H
#define CORESNAP_ANALYZER_BINARY_DWARF_H

#include "analyzer/binary/binary.h"
#include "common/cursor.h"

#include <elfutils/libdw.h>

/** Go's own attributes (cmd/internal/dwarf/dwarf.go, go1.27). */
enum dwarf_go_attribute {
	DW_AT_GO_kind = 0x2900,
	DW_AT_GO_key = 0x2901,
	DW_AT_GO_elem = 0x2902,
	DW_AT_GO_embedded_field = 0x2903,
	DW_AT_GO_runtime_type = 0x2904, // offset from moduledata.types, in DW_FORM_addr
	DW_AT_GO_dict_index = 0x2906,
	DW_AT_GO_closure_offset = 0x2907,
};

/** A section's bytes, decompressed; {NULL, 0} where the file has none. */
struct dwarf_bytes {
	const uint8_t *bytes;
	size_t size;
};

struct dwarf {
	Dwarf *handle;           // borrowed from binary_debug
	Elf *elf;                // borrowed: the executable's, or its debug file's
	struct arena *arena;     // borrowed
	struct dwarf_bytes info; // borrowed from libelf
	struct dwarf_bytes locations, location_lists; // .debug_loc; .debug_loclists
	bool has_locations;                           // the two above are loaded
};

/**
 * What binary_debug gives, the executable's own DWARF or its debug file's, ready for this layer;
 * borrowed until binary_close. CS_NOT_FOUND: there is none. CS_CORRUPT: libdw cannot read it, said in
 * `diag`.
 */
CS_MUST_USE enum cs_status binary_dwarf(
	struct binary *binary, struct diag *diag, struct dwarf **ret);

/** Decompresses the sections of location lists, once. */
void dwarf_load_locations(struct dwarf *dwarf);

/**
 * The entry's own name; NULL where it has none. libdw 0.188 hands out a string in .debug_info
 * without looking for its end, which a damaged file may lack.
 */
const char *dwarf_entry_name(const struct dwarf *dwarf, Dwarf_Die *die);

/** The number in attribute `name`; false where the entry itself has none. */
bool dwarf_number(Dwarf_Die *die, unsigned int name, uint64_t *ret);

/** Whether the entry itself has flag `name`, and it is set. */
bool dwarf_flag(Dwarf_Die *die, unsigned int name);

/**
 * The offset of the entry's location list in its section; false where it has none. libdw answers
 * only where it has seen the section, which it never does here.
 */
bool dwarf_list_offset(const struct dwarf *dwarf, Dwarf_Die *die, uint64_t *ret);

/** The entry that attribute `name` refers to; false where it refers to none. */
bool dwarf_reference(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret);

/** The address with index `index` in the table of the unit of `die`; false: there is none. */
bool dwarf_indexed_address(Dwarf_Die *die, uint64_t index, uint64_t *ret);

/**
 * The address of a package variable: one DW_OP_addr, or DW_OP_addrx with an index into
 * .debug_addr. As linked.
 */
bool dwarf_variable_address(Dwarf_Die *die, uint64_t *ret);

#endif
