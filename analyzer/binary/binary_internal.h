// What the files of binary.c share: the mapped executable.
#ifndef CORESNAP_ANALYZER_BINARY_BINARY_INTERNAL_H
#define CORESNAP_ANALYZER_BINARY_BINARY_INTERNAL_H

#include "analyzer/binary/binary.h"
#include "analyzer/core/mapping.h"

#include <gelf.h>
#include <libelf.h>

struct dwarf;

struct binary {
	struct arena *arena; // borrowed
	const char *name;    // owned by the arena; for messages
	struct mapping file; // owned
	Elf *elf;            // owned; works inside `file`
	size_t segment_count;
	struct dwarf *dwarf; // owned; NULL: not opened yet
	struct binary_info info;
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

/** Fills the build ids from the notes (PT_NOTE first, sections else). */
CS_MUST_USE enum cs_status build_id_read(struct binary *binary);

/**
 * Fills go_version, settings, modules and what they say from the build information
 * (cmd/go/internal/modload/build.go, runtime/debug/mod.go). CS_NOT_FOUND: there is none.
 */
CS_MUST_USE enum cs_status buildinfo_read(struct binary *binary);

#endif
