// What image.c, open.c and notes.c share. Nothing outside analyzer/core includes it.
#ifndef CORESNAP_ANALYZER_CORE_PRIVATE_H
#define CORESNAP_ANALYZER_CORE_PRIVATE_H

#include "analyzer/core/image.h"
#include "analyzer/core/mapping.h"

struct image {
	struct arena *arena; // borrowed
	enum image_arch arch;
	struct image_notes notes;
	struct image_view *ranges; // [0, sealed) sorted and disjoint, then those added since
	size_t count, capacity, sealed;
	struct mapping file;
	uint64_t file_size, expected_size;
};

/** A note of a PT_NOTE segment. `name` is without its NUL and not terminated. */
struct elf_note {
	uint32_t type;
	const uint8_t *name, *bytes; // borrowed from the segment
	size_t name_size, size;
};

/**
 * Reads the note at *offset and moves behind it; false at the end, and where what is left is not a
 * whole note (a cut segment ends so). `alignment` is the segment's p_align; only 8 is not 4.
 */
bool elf_note_next(
	const void *segment, size_t size, uint64_t alignment, size_t *offset, struct elf_note *ret);

/** Whether the note has this name (without NUL) and type. */
bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type);

/** Takes over what one PT_NOTE segment says. Unknown, damaged and repeated notes are passed over.
 */
CS_MUST_USE enum cs_status notes_load(struct image *image, const void *segment, size_t size,
	uint64_t alignment, struct diag *diag);

/** After the last segment: drops threads that came twice, sorts the mappings. */
CS_MUST_USE enum cs_status notes_finish(struct image *image);

#endif
