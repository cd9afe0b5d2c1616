// A Go heap in the memory of tests/lib/mkruntime.h: spans, slots, specials, as mheap_.allspans has
// them. To be made before mkruntime_open.
#ifndef CORESNAP_TESTS_LIB_MKHEAP_H
#define CORESNAP_TESTS_LIB_MKHEAP_H

#include "tests/lib/mkruntime.h"

#define MKHEAP_PAGE 8192
#define MKHEAP_MAX_SPANS 16

struct mkheap_span {
	uint64_t element_size, count;
	uint64_t span_class; // twice the size class, and 1 for noscan
	uint64_t pages;      // 0: one
	target_addr type;    // of a large object
};

struct mkheap {
	struct mkruntime *m;
	target_addr list; // allspans
	target_addr mspans[MKHEAP_MAX_SPANS];
	uint64_t count;
};

/** An empty heap. */
void mkheap_init(struct mkheap *heap, struct mkruntime *m);

/** Adds a span of which each slot has an object; returns where its pages begin. */
target_addr mkheap_add(struct mkheap *heap, struct mkheap_span span);

/** Takes the object out of slot `index` of the span that was added as number `span`. */
void mkheap_free(struct mkheap *heap, uint64_t span, uint64_t index);

/** Sets the bit that word `word` of a one-page span is a pointer; `end`: bytes behind the bits. */
void mkheap_pointer(struct mkheap *heap, target_addr start, uint64_t word, uint64_t end);

#endif
