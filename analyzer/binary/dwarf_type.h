// Types from the program's DWARF, as the Go linker writes them (cmd/link/internal/ld/dwarf.go),
// for what the program itself has no type descriptor of. Where it has one, the entry says so
// (DW_AT_go_runtime_type), and the descriptor's type is the one: one type, one object.
#ifndef CORESNAP_ANALYZER_BINARY_DWARF_TYPE_H
#define CORESNAP_ANALYZER_BINARY_DWARF_TYPE_H

#include "analyzer/binary/dwarf.h"
#include "analyzer/binary/type.h"
#include "common/u64map.h"

struct dwarf_types {
	struct dwarf *dwarf;     // borrowed
	struct u64map by_offset; // an entry's offset to its struct type
	/** The type whose descriptor lies `offset` bytes into the type data; NULL: none. May be
	 * NULL. */
	struct type *(*by_descriptor)(void *context, uint64_t offset);
	void *context; // borrowed
};

/** An empty cache; types live in dwarf->arena. */
void dwarf_types_init(struct dwarf_types *types, struct dwarf *dwarf);

/** The type that the entry `die` describes, loaded; NULL: out of memory. */
struct type *dwarf_types_get(struct dwarf_types *types, Dwarf_Die *die);

/**
 * How reflect names the type that the compiler's linker symbol and DWARF call `name`: packages by
 * their last element ("map[string]encoding/json.Number" is "map[string]json.Number"), but for type
 * arguments, which keep their paths. NULL: out of memory.
 */
const char *dwarf_type_name(struct arena *arena, const char *name);

#endif
