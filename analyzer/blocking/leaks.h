// Goroutines that nobody can ever wake, proved: the search of Go's own goroutine leak profile
// (runtime/mgc.go findGoroutineLeaks, go1.26) done on a dead process of any release. Blocked
// goroutines are left out of the roots; one whose channel or lock is reached all the same may go
// on, and what its stack holds is a root from then on. Those that are left when nothing changes any
// more wait for what only they themselves can reach.
#ifndef CORESNAP_ANALYZER_BLOCKING_LEAKS_H
#define CORESNAP_ANALYZER_BLOCKING_LEAKS_H

#include "analyzer/blocking/blocking.h"
#include "analyzer/unwind/threads.h"

/** All is borrowed. */
struct leaks_input {
	const struct runtime *rt;
	const struct goroutines *goroutines;
	const struct thread_states *threads;
	struct frame_table *frames; // places are added
	struct arena *arena;        // of the result; what the proof itself takes is freed
};

/** Leaked goroutine `holder` could wake `waiter`, by what lies at `object`, if it could go on. */
struct leak_holding {
	size_t waiter, holder;
	target_addr object;
	bool is_only; // nobody else could
};

struct leaks {
	const char *why_not;   // why there is no verdict, in a few words; NULL: there is one
	size_t *list;          // indices of goroutines.list, in its order
	const char **evidence; // a sentence for each of them
	size_t count;
	struct leak_holding *holdings;
	size_t holding_count;
	size_t candidates;       // goroutines that wait for something of which a proof is possible
	uint64_t objects, bytes; // allocated: slots of the heap, and their bytes; 0: not looked at
	// Of them reached: all that live where somebody is leaked; else until nobody was left to
	// be.
	uint64_t reached_objects, reached_bytes;
};

/**
 * Searches. Nobody is called leaked where anything that could lead to his channel or lock cannot be
 * read: then why_not says what. CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status leaks_find(const struct leaks_input *input, struct leaks *ret);

/** leaks_find, into the verdicts of `blocking`; a reason for none is noted in rt->diag. */
CS_MUST_USE enum cs_status leaks_judge(const struct leaks_input *input, struct blocking *blocking);

#endif
