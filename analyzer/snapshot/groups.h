// Goroutines with one stack, status and wait reason, counted: how a person sees 100,000 of them,
// and finds the one that does not look like the others.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_GROUPS_H
#define CORESNAP_ANALYZER_SNAPSHOT_GROUPS_H

#include "common/arena.h"
#include "common/limits.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct analysis;

struct group {
	uint32_t stack; // NO_STACK: those whose stack could not be walked
	uint16_t status;
	const char *reason; // NULL: not waiting
	uint64_t count;
	int64_t wait_max;    // longest best estimate, ns; -1: not known
	int64_t wait_median; // of those that are known, the lower one of two; -1: none is
	uint64_t unlike;     // so many were started by the same function and stand elsewhere, when
			 // these are few beside them; 0: they are not
	const size_t *members;               // indexes of goroutines, in allgs order; count of them
	size_t examples[MAX_GROUP_EXAMPLES]; // the first of them
	size_t example_count;
	bool is_system; // all of them
};

struct groups {
	struct group *list; // largest first; equal ones in order of their first goroutine
	size_t count;
};

/** Groups the goroutines that are shown. */
CS_MUST_USE enum cs_status groups_build(struct analysis *analysis);

/**
 * The order in which to show groups.list: as it is, or with `rarest` the smallest first, those that
 * are unlike others before the rest, the runtime's own last. NULL: out of memory.
 */
const uint32_t *groups_order(const struct groups *groups, bool rarest, struct arena *arena);

#endif
