// Builds the DWARF of a small program with functions, variables and locations, as a Go linker
// writes it, in version 4 or 5. See mkdwarf.c for what is in it.
#ifndef CORESNAP_TESTS_LIB_MKDWARF_H
#define CORESNAP_TESTS_LIB_MKDWARF_H

#include "tests/lib/mkelf.h"

#define MKDWARF_LOW 0x401000   // main.f, whose unit begins here
#define MKDWARF_HIGH 0x401100  // its end, and main.f.func1's begin
#define MKDWARF_END 0x401140   // of the unit
#define MKDWARF_STATE 0x512340 // main.state, an int

/** Adds the sections in DWARF `version`, 4 or 5; `odd` is the location of main.f's variable "odd".
 */
void mkdwarf_add(struct mkelf *elf, int version, const char *odd, size_t odd_size);

#endif
