// Which words of a value are pointers, by its type descriptor: the bits that the compiler wrote
// (internal/abi/type.go Type.GCData), those that the runtime unrolled when it first needed them
// (1.24 TFlagGCMaskOnDemand), or, where it had not yet, the same made from the type's parts.
#ifndef CORESNAP_ANALYZER_HEAP_MASKS_H
#define CORESNAP_ANALYZER_HEAP_MASKS_H

#include "analyzer/runtime/runtime.h"

/** A type's words: `pointers` bits, the rest up to `words` has none. */
struct mask {
	const uint8_t *bits; // borrowed from the image, or in the arena; NULL: not known
	uint64_t pointers;   // words that the bits tell of
	uint64_t words;      // of one value
};

struct masks;

/** An empty cache; all of it lives in `arena`. NULL: out of memory. */
struct masks *masks_create(const struct runtime *rt, struct arena *arena);

/** The mask of the type whose descriptor lies at `type`: `bits` is NULL where it is not known. */
struct mask masks_find(struct masks *masks, target_addr type);

#endif
