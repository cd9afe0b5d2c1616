// The argument words of a frame as Go's own traceback prints them, from the tables that every
// binary has: FUNCDATA_ArgInfo and FUNCDATA_ArgLiveInfo (runtime/traceback.go printArgs).
#ifndef CORESNAP_ANALYZER_UNWIND_ARGUMENTS_H
#define CORESNAP_ANALYZER_UNWIND_ARGUMENTS_H

#include "analyzer/unwind/frame_table.h"

#define ARGUMENTS_SIZE 1024 // more than the longest that the compiler's limits allow

/**
 * Writes "0x67, {0xc000012345, 0x9}?" for the physical frame at `place` whose stack pointer is
 * `sp`, NUL-terminated; "?" marks a word that may be stale. "" for a function without arguments or
 * tables. A word that cannot be read is "_".
 */
void arguments_format(const struct runtime *rt, const struct code_place *place, target_addr sp,
	char ret[static ARGUMENTS_SIZE]);

#endif
