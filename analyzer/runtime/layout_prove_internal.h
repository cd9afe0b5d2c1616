// Between the two halves of the proof: layout_prove.c (do the objects hang together at all) and
// layout_prove_fields.c (does each field hold what it must).
#ifndef CORESNAP_ANALYZER_RUNTIME_LAYOUT_PROVE_INTERNAL_H
#define CORESNAP_ANALYZER_RUNTIME_LAYOUT_PROVE_INTERNAL_H

#include "analyzer/runtime/runtime.h"

#define PROVE_SAMPLES 64 // objects of one kind that are looked at

/** How many objects of one kind were looked at, and how many hang together. */
struct score {
	size_t seen, good;
};

/** Element `i` of an array of pointers; 0 where it cannot be read. */
target_addr prove_element(const struct runtime *rt, target_addr array, uint64_t i);

/** The name of a struct of which a field holds what it cannot; NULL where there is none. */
const char *prove_fields(const struct runtime *rt);

#endif
