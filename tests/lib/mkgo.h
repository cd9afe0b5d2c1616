// Builds what a Go linker puts into an executable, as bytes: build information, and DWARF that
// describes a small runtime. The values are the constants below; out of memory aborts.
#ifndef CORESNAP_TESTS_LIB_MKGO_H
#define CORESNAP_TESTS_LIB_MKGO_H

#include "tests/lib/mkelf.h"

#define MKGO_TEXT 0x401000
#define MKGO_DATA 0x500000
#define MKGO_ALLGS 0x512340 // runtime.allgs, a slice
#define MKGO_WORK 0x512400  // runtime.work, of an anonymous struct type; DW_OP_addrx in DWARF 5

/**
 * The blob of .go.buildinfo in the layout since Go 1.18: `version`, and `modules`, which is framed
 * here. The result is malloc's, *size_ret bytes.
 */
uint8_t *mkgo_buildinfo(const char *version, const char *modules, size_t *size_ret);

/** Adds the blob as a writable segment at MKGO_DATA, and as a section if `has_section`. */
void mkgo_add_buildinfo(
	struct mkelf *elf, const char *version, const char *modules, bool has_section);

/** Adds .debug_info, .debug_abbrev and .debug_addr in DWARF `version`, 4 or 5. */
void mkgo_add_dwarf(struct mkelf *elf, int version);

#endif
