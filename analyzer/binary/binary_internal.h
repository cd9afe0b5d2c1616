// What the files of binary.c share: the mapped executable.
#ifndef CORESNAP_ANALYZER_BINARY_BINARY_INTERNAL_H
#define CORESNAP_ANALYZER_BINARY_BINARY_INTERNAL_H

#include "analyzer/binary/binary.h"
#include "analyzer/binary/debug.h"
#include "analyzer/core/mapping.h"

#include <gelf.h>
#include <libelf.h>

struct dwarf;

/** The DWARF that binary_debug hands out, and the file that it is in. */
struct debug {
	const struct debug_finder *finder; // borrowed; NULL: no debug files
	struct binary *file;               // owned: the debug file; NULL: none, or not opened yet
	struct Dwarf *dwarf;               // owned; works inside `file` or the executable
	enum debug_source source;          // of `file`
	bool is_tried;                     // the search for `file`
	enum cs_status status;             // of opening `dwarf`
};

struct binary {
	struct arena *arena; // borrowed
	const char *name;    // owned by the arena; for messages
	struct mapping file; // owned
	Elf *elf;            // owned; works inside `file`
	size_t segment_count;
	struct dwarf *dwarf; // in the arena; NULL: not asked for yet
	struct binary_info info;
	struct debug debug;
};

/** A run of the file's bytes and the address where it is linked. */
struct binary_bytes {
	const uint8_t *bytes; // borrowed
	size_t size;
	uint64_t address;
};

/** The file bytes of the section `name`; false where there is none or it has none in the file. */
bool binary_section_bytes(const struct binary *binary, const char *name, struct binary_bytes *ret);

/** The file bytes of program header `index` if it is of `type`, uncut ones only. */
bool binary_segment_bytes(const struct binary *binary, size_t index, uint32_t type,
	struct binary_bytes *ret, uint32_t *flags_ret);

/**
 * Opens a debug file, of which `info` tells arch, build ids and has_dwarf: its program headers are
 * the executable's, whose bytes it has not. What cannot be read is named in `diag`, as a warning.
 */
CS_MUST_USE enum cs_status binary_open_debug(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct binary **ret);

/** Closes the DWARF and the debug file. */
void debug_close(struct debug *debug);

/** Fills the build ids from the note sections alone. */
CS_MUST_USE enum cs_status build_id_read_sections(struct binary *binary);

/** Fills the build ids from the notes (PT_NOTE first, sections else). */
CS_MUST_USE enum cs_status build_id_read(struct binary *binary);

/**
 * Fills go_version, settings, modules and what they say from the build information
 * (cmd/go/internal/modload/build.go, runtime/debug/mod.go). CS_NOT_FOUND: there is none.
 */
CS_MUST_USE enum cs_status buildinfo_read(struct binary *binary);

/** The same from these bytes alone. */
CS_MUST_USE enum cs_status buildinfo_read_from(
	struct binary *binary, const struct binary_bytes *in);

/** The rest of opening, once binary->file has the bytes. */
CS_MUST_USE enum cs_status binary_finish_open(struct binary *binary, struct diag *diag);

#endif
