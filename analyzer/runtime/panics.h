// A goroutine's panics, and their values as the runtime prints them (runtime/panic.go printpanics,
// runtime/error.go printpanicval). At a crash preprintpanics has already replaced errors and
// Stringers by their text: their original type is no longer in _panic.arg.
#ifndef CORESNAP_ANALYZER_RUNTIME_PANICS_H
#define CORESNAP_ANALYZER_RUNTIME_PANICS_H

#include "analyzer/runtime/runtime.h"
#include "analyzer/runtime/types.h"

struct panic_value {
	struct type *type;     // of the value in the interface; NULL where nil or unreadable
	target_addr interface; // where the interface itself lies: _panic.arg; 0: not readable
	bool is_replaced; // it is a string, and so may stand for an error or Stringer (see above)
	target_addr data; // the interface's data word
	const char *text; // as printed behind "panic: "; NULL where unreadable
	size_t text_size; // it may hold NULs
	bool is_nil, is_recovered, is_goexit, is_repanicked;
};

struct panics {
	struct panic_value *list; // first panic first
	size_t count;
};

/** Follows g._panic (`newest`, 0: none). At most MAX_PANICS. */
struct panics panics_load(const struct runtime *rt, struct types *types, target_addr newest);

/**
 * The newest text that the runtime printed behind "fatal error: ", as printed, from
 * runtime.printBacklog (a ring of 512 bytes that is written until the crash begins); NULL where
 * there is none.
 */
const char *panics_fatal_error(const struct runtime *rt);

#endif
