// The debug information that belongs to an executable: its own, or that of its separate debug file
// (strip, objcopy --only-keep-debug, a distribution's -dbgsym package, debuginfod). Opened when a
// layer first asks for it, because most analyses never do. Who has the files is asked through a
// finder: this layer opens nothing.
#ifndef CORESNAP_ANALYZER_BINARY_DEBUG_H
#define CORESNAP_ANALYZER_BINARY_DEBUG_H

#include "common/diag.h"
#include "common/status.h"

#include <stdint.h>

struct binary;
struct Dwarf; // libdw's own type
struct Elf;   // libelf's own type

/** SNAPSHOT.md binary.debug_source. */
enum debug_source {
	DEBUG_NONE,
	DEBUG_EMBEDDED, // in the executable
	DEBUG_LINK,     // a file of the name that .gnu_debuglink gives
	DEBUG_BUILD_ID, // a file in a directory of build ids
	DEBUG_DEBUGINFOD,
};

/** A file that may be the debug file. */
struct debug_file {
	int fd;           // the finder's; need not stay open
	const char *name; // borrowed for the call; for messages
	enum debug_source source;
};

/** Where debug files come from. */
struct debug_finder {
	/**
	 * Hands out the next file for `binary`, in the order of places to look at; `link` is the
	 * name that its .gnu_debuglink gives, or NULL. CS_NOT_FOUND: there is none (any more).
	 */
	enum cs_status (*next)(void *context, const struct binary *binary, const char *link,
		struct debug_file *ret);
	/** Takes back the file that was handed out last, with its descriptor. */
	void (*release)(void *context, struct debug_file *file);
	void *context;
};

/** Sets who finds `binary`'s debug file; `finder` is borrowed as long as the binary is open. */
void binary_set_debug_finder(struct binary *binary, const struct debug_finder *finder);

/**
 * The DWARF of the executable or, where it has none, of its debug file: of that what
 * DEBUG_SECTIONS in debug.c names. The finder is asked once, at the first call; each file must
 * prove by build id, or by the debug link's CRC32, that it belongs to the executable, and one that
 * does not is named in `diag`. Borrowed until binary_close. CS_NOT_FOUND: there is none.
 * CS_CORRUPT: libdw cannot read it (said in `diag`).
 */
CS_MUST_USE enum cs_status binary_debug(
	struct binary *binary, struct diag *diag, struct Dwarf **ret);

/**
 * The ELF file that binary_debug's DWARF is in: its symbols are all that the linker wrote, too.
 * Borrowed until binary_close. CS_NOT_FOUND: there is none.
 */
CS_MUST_USE enum cs_status binary_debug_elf(
	struct binary *binary, struct diag *diag, struct Elf **ret);

/** Where binary_debug's DWARF is from; DEBUG_NONE where nobody asked and the executable has none.
 */
enum debug_source binary_debug_source(const struct binary *binary);

#endif
