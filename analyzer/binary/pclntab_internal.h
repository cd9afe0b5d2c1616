// What pclntab.c and inline.c share: the regions of a loaded table, each a run of readable bytes.
#ifndef CORESNAP_ANALYZER_BINARY_PCLNTAB_INTERNAL_H
#define CORESNAP_ANALYZER_BINARY_PCLNTAB_INTERNAL_H

#include "analyzer/binary/pclntab.h"

/** A part of the table: bytes borrowed from the image. */
struct pcln_region {
	const uint8_t *bytes;
	size_t size;
};

struct pclntab {
	const struct image *image; // borrowed: the inline tree lies outside the table
	target_addr text, gofunc;
	uint32_t count;       // functions; ftab has one row more, the end
	uint32_t quantum;     // bytes per unit of pc deltas: 1 on amd64, 4 on arm64
	bool has_start_lines; // 1.20+: _func.startLine, and the 16-byte inlinedCall
	struct pcln_region names, units, files, pctab, functions;
};

/** The string at `offset` of `region`; NULL where it does not end inside it. */
const char *pcln_string(const struct pcln_region *region, uint64_t offset);

/**
 * The value at `pc` of the pc-value table at `offset` of pctab (runtime.pcvalue); false where the
 * table is absent, does not reach `pc` or is damaged.
 */
bool pcln_value(const struct pclntab *table, const struct pcln_func *func, uint32_t offset,
	target_addr pc, int32_t *ret);

#endif
