// Which executable a core came from: its path and build ids, from the core's own notes and the
// first page of the mapped image (dumped because of coredump_filter bit 4).
#ifndef CORESNAP_ANALYZER_CORE_EXECUTABLE_H
#define CORESNAP_ANALYZER_CORE_EXECUTABLE_H

#include "analyzer/core/image.h"

/** Each member NULL (or 0) where the core does not say. */
struct core_executable {
	const char *path;        // NT_FILE's mapping that holds AT_PHDR or AT_ENTRY, else AT_EXECFN
	const char *go_build_id; // .note.go.buildid
	const char *gnu_build_id; // lower-case hex
	target_addr base;         // where the executable's first page is mapped
	target_addr entry;        // AT_ENTRY
};

/** Finds what is there; never fails. Strings live in the image's arena. */
struct core_executable core_executable_find(struct image *image, struct arena *arena);

/**
 * The build ids of whatever ELF file is mapped at `base`, its first byte, likewise: a library. Path
 * and entry stay empty.
 */
struct core_executable core_object_find(
	const struct image *image, struct arena *arena, target_addr base);

#endif
