// Source lines and inlined functions of C code, from the DWARF of the file that it is in, where
// that has any. Only the unit that holds an address is read, found by .debug_aranges, which C
// compilers write.
#ifndef CORESNAP_ANALYZER_BINARY_ELF_LINES_H
#define CORESNAP_ANALYZER_BINARY_ELF_LINES_H

#include "common/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;
struct elf_lines;

/** Strings are owned by the arena; NULL and 0 where the file does not say. */
struct elf_line {
	const char *function, *file;
	int32_t line;
	bool is_inlined; // into the next one
};

/** NULL where the file has no DWARF of its own, or when out of memory. */
struct elf_lines *elf_lines_open(struct Elf *elf, struct arena *arena);

/** NULL is fine. The struct goes with its arena. */
void elf_lines_close(struct elf_lines *lines);

/**
 * The functions at the linked `address`, innermost first; the last is the one that is no inlined
 * one. Returns how many, at most `max`; 0: nothing is known of this address.
 */
size_t elf_lines_find(struct elf_lines *lines, uint64_t address, struct elf_line *ret, size_t max);

#endif
