// The search for leaked goroutines, between its parts.
#ifndef CORESNAP_ANALYZER_BLOCKING_LEAKS_INTERNAL_H
#define CORESNAP_ANALYZER_BLOCKING_LEAKS_INTERNAL_H

#include "analyzer/blocking/awaited.h"
#include "analyzer/blocking/leaks.h"
#include "analyzer/heap/mark.h"

struct leak_search {
	const struct leaks_input *input; // borrowed
	struct arena scratch;            // freed at the end
	struct heap heap;
	struct mark mark;
	struct stack_roots stacks;
	struct awaiting awaiting;
	bool *is_runnable;       // for each goroutine: it may go on
	struct u64map by_object; // an object of the heap to the first row of awaiting.list for it
	uint32_t *next_row;      // of the same object, and whose each is
	size_t *owner_of_row;
	size_t *woken; // goroutines that may go on, whose stacks were not looked at
	size_t woken_count;
	size_t left; // candidates that are not runnable yet
	const char *why_not;
};

#define NO_ROW UINT32_MAX

/**
 * Writes a sentence for each of `list`, and marks what their stacks hold. False: out of memory.
 */
bool leaks_explain(struct leak_search *search, struct leaks *ret);

#endif
