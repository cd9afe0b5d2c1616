// Which locks a function holds at a place in its code: those that every way from its beginning to
// there has taken and none has given back. The function table tells where sync.(*Mutex).Lock and
// its like were inlined or are called, the code which word they take. For amd64.
#ifndef CORESNAP_ANALYZER_BLOCKING_LOCK_CODE_H
#define CORESNAP_ANALYZER_BLOCKING_LOCK_CODE_H

#include "analyzer/unwind/frame_table.h"

enum lock_mode {
	LOCK_MUTEX, // sync.Mutex, also one within a RWMutex or Once
	LOCK_WRITE, // sync.RWMutex
	LOCK_READ,
};

/** A lock that is held: where its first byte lies. */
struct held_lock {
	enum lock_mode mode;
	bool is_variable;    // at `address`; else at some pointer of the frame and `offset`
	target_addr address; // a package variable's
	int64_t offset;
};

struct held_locks {
	const struct held_lock *list;
	size_t count;
};

struct lock_scratch;

struct lock_code {
	const struct frame_table *frames; // borrowed
	struct u64map targets;            // entry of a function to what calling it does to a lock
	struct u64map functions;          // entry to whether it has to do with locks at all
	struct u64map places;             // place to its struct held_locks; 0: none
	uint64_t budget;                  // bytes of code that may still be looked at
	struct lock_scratch *scratch;     // for one function; made when the first is looked at
};

/** CS_NO_MEMORY is the only failure. Nothing is held on other architectures. */
CS_MUST_USE enum cs_status lock_code_init(struct lock_code *code, const struct frame_table *frames);

/** The locks that are held at `place`, an index of frames->places. */
struct held_locks lock_code_held(struct lock_code *code, uint32_t place);

#endif
