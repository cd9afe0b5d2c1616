// Which run of the heap an address lies in, and in which of its objects (runtime/mheap.go spanOf,
// spanOfHeap).
#ifndef CORESNAP_ANALYZER_HEAP_SPAN_H
#define CORESNAP_ANALYZER_HEAP_SPAN_H

#include "analyzer/runtime/runtime.h"

/** A run of pages with objects of one size. */
struct span {
	target_addr start;
	uint64_t size;         // bytes of its pages
	uint64_t element_size; // bytes of an object
	uint64_t count;        // objects
};

/**
 * The span in use for objects of the heap that holds `address`; false for stacks, free memory and
 * what is not the heap's, and where the heap's tables are not readable.
 */
bool span_find(const struct runtime *rt, target_addr address, struct span *ret);

/** The runtime.heapArena of `address` (mheap_.arenas); 0: none. */
target_addr span_arena(const struct runtime *rt, target_addr address);

/** Where the object that holds `address` begins; `address` itself in the span's unused tail. */
target_addr span_object(const struct span *span, target_addr address);

#endif
