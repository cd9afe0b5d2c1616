// The scalars that a type is made of, as the compiler takes it apart to hold it in registers.
#ifndef CORESNAP_ANALYZER_VALUES_LEAVES_H
#define CORESNAP_ANALYZER_VALUES_LEAVES_H

#include "analyzer/binary/dwarf_location.h"
#include "analyzer/binary/type.h"

struct leaf {
	uint64_t offset, size;
};

/**
 * Lists the scalars of `type` in order of offset: a string's two words, a slice's three, a struct's
 * fields'. Returns their number; 0 where there are more than `max`.
 */
uint32_t leaves_of(struct type *type, struct leaf *ret, uint32_t max);

/**
 * Go's location lists name a value's scalars one behind the other and leave the bytes between them
 * out (cmd/compile/internal/ssa/debug.go, go1.27): puts pieces of no place there, so that every
 * piece lies at the sum of those before it. False where the pieces are not those of `type`.
 */
bool leaves_pad(struct type *type, struct dwarf_location *location);

#endif
