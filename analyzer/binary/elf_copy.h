// Puts an ELF file together again from the memory that it was mapped to, for a library whose file
// is gone: coredump_filter may have had the kernel dump all of it.
#ifndef CORESNAP_ANALYZER_BINARY_ELF_COPY_H
#define CORESNAP_ANALYZER_BINARY_ELF_COPY_H

#include "analyzer/core/image.h"
#include "common/arena.h"

#include <stddef.h>

/**
 * A copy, in the arena, of the file whose first byte is mapped at `base`: its PT_LOADs as far as
 * they are readable, zeros elsewhere, and section headers for its dynamic symbols alone. NULL where
 * its headers or its call frame tables are not in the image, or when out of memory.
 */
void *elf_copy_from_image(
	const struct image *image, target_addr base, struct arena *arena, size_t *size_ret);

#endif
