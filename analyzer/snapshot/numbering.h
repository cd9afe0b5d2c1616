// The order of table rows in the document: stacks as goroutines first use them, frames as those
// stacks first use them, then what only threads, creations and queues refer to. Rows that nothing
// refers to (cut out, or of the runtime's own dying) have no number and are not written.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_NUMBERING_H
#define CORESNAP_ANALYZER_SNAPSHOT_NUMBERING_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

struct analysis;

#define NO_NUMBER UINT32_MAX

/** One table: number to index and back. */
struct row_numbers {
	uint32_t *order;  // order[number] is an index; `count` of them
	uint32_t *number; // number[index], or NO_NUMBER
	uint32_t count;
};

struct numbering {
	struct row_numbers stacks, frames;
};

/** Numbers all rows that the document will refer to. Last step of an analysis. */
CS_MUST_USE enum cs_status numbering_build(struct analysis *analysis);

/** The number of row `index`; NO_NUMBER for the tables' own "none" (UINT32_MAX), too. */
static inline uint32_t row_number(const struct row_numbers *rows, uint32_t index)
{
	return index == UINT32_MAX ? NO_NUMBER : rows->number[index];
}

#endif
