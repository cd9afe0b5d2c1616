// Builds shared libraries as bytes: functions with call frame information (.eh_frame), dynamic
// symbols, a build id; no code. For tests of C frames. Out of memory aborts.
#ifndef CORESNAP_TESTS_LIB_MKOBJECT_H
#define CORESNAP_TESTS_LIB_MKOBJECT_H

#include "tests/lib/mkelf.h"

#define MKOBJECT_TEXT 0x1000 // linked; the file's first byte is linked at 0
#define MKOBJECT_TEXT_SIZE 0x1000
#define MKOBJECT_BUILD_ID "\x0a\x1b\x2c\x3d"
#define MKOBJECT_BUILD_ID_TEXT "0a1b2c3d"

/** A function; `address` and `size` 0 end a list of them. */
struct mkobject_function {
	const char *name; // NULL: no symbol
	uint64_t address, size;
	const char *rules; // DWARF call frame instructions behind those of a function's first byte
	size_t rules_size;
	unsigned char binding; // STB_LOCAL, STB_GLOBAL …
	bool is_signal;        // a trampoline of the kernel's
	bool has_no_rules;     // not in .eh_frame
};

/** The library's builder, to be opened or finished by mkelf.h; mkelf_destroy frees it. */
struct mkelf *mkobject_create(uint16_t machine, const struct mkobject_function *functions);

#endif
