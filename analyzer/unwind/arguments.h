// The argument words of a frame as Go's own traceback prints them, from the tables that every
// binary has: FUNCDATA_ArgInfo and FUNCDATA_ArgLiveInfo (runtime/traceback.go printArgs).
#ifndef CORESNAP_ANALYZER_UNWIND_ARGUMENTS_H
#define CORESNAP_ANALYZER_UNWIND_ARGUMENTS_H

#include "analyzer/unwind/frame_table.h"

/** A word of an argument that lies where the caller left room for it, or passed it. */
struct argument_word {
	uint8_t offset, size; // from where the frame's arguments begin
	uint8_t item;         // which argument it is part of, from 0
	bool is_live;         // it surely holds its argument still
};

/** An argument takes at most this many words of those that the compiler lists. */
#define MAX_ARGUMENT_WORDS 32

/**
 * The words of a physical frame's arguments, receiver first, results not. At most `max`;
 * *is_whole_ret is false where the list leaves words or arguments out. Returns how many.
 */
size_t arguments_words(const struct runtime *rt, const struct code_place *place,
	struct argument_word *ret, size_t max, bool *is_whole_ret);

#define ARGUMENTS_SIZE 1024 // more than the longest that the compiler's limits allow

/**
 * Writes "0x67, {0xc000012345, 0x9}?" for the physical frame at `place` whose stack pointer is
 * `sp`, NUL-terminated; "?" marks a word that may be stale. "" for a function without arguments or
 * tables. A word that cannot be read is "_", as is one that
 * is eight characters of text: it may be a secret's.
 */
void arguments_format(const struct runtime *rt, const struct code_place *place, target_addr sp,
	char ret[static ARGUMENTS_SIZE]);

#endif
