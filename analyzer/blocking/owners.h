// Who holds the locks that others wait for: likely, because a frame of theirs has taken a lock and
// not given it back (lock_code.h), and has a pointer to this one. Never proved: Go does not record
// who locked a mutex.
#ifndef CORESNAP_ANALYZER_BLOCKING_OWNERS_H
#define CORESNAP_ANALYZER_BLOCKING_OWNERS_H

#include "analyzer/blocking/blocking.h"

/** `goroutine` holds the object at `object` of blocking.objects. */
struct lock_claim {
	size_t object, goroutine;
	bool is_read;
};

struct lock_claims {
	struct lock_claim *list; // no two are equal
	size_t count, capacity;
};

/**
 * Reads the state of the objects, sets their likely owners, and lists everybody who seems to hold
 * one. CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status owners_find(
	const struct blocking_input *input, struct blocking *blocking, struct lock_claims *ret);

#endif
