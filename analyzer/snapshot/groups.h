// Goroutines with one stack, status and wait reason, counted: how a person sees 100,000 of them.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_GROUPS_H
#define CORESNAP_ANALYZER_SNAPSHOT_GROUPS_H

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
	int64_t wait_max;                    // longest best estimate, ns; -1: not known
	size_t examples[MAX_GROUP_EXAMPLES]; // indexes of goroutines, the first in allgs order
	size_t example_count;
	bool is_system; // all of them
};

struct groups {
	struct group *list; // largest first; equal ones in order of their first goroutine
	size_t count;
};

/** Groups the goroutines that are shown. */
CS_MUST_USE enum cs_status groups_build(struct analysis *analysis);

#endif
