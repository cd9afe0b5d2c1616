// The whole heap as tables of our own: every span in use, which of its slots hold objects, and how
// the words of an object are told apart. Made once from mheap_.allspans (runtime/mheap.go, go1.18
// to go1.27); constant afterwards, so that any number of marks (mark.h) can run over it.
//
//	address ─▶ arena of 64 MiB ─▶ page of 8 KiB ─▶ span ─▶ slot, by a multiplication
#ifndef CORESNAP_ANALYZER_HEAP_HEAP_H
#define CORESNAP_ANALYZER_HEAP_HEAP_H

#include "analyzer/heap/masks.h"
#include "analyzer/runtime/runtime.h"

#define HEAP_ARENA_SHIFT 26 // runtime/malloc.go: on linux, 64 bits
#define HEAP_PAGE_SHIFT 13
#define HEAP_PAGE_SIZE (1u << HEAP_PAGE_SHIFT)
#define HEAP_PAGES_OF_ARENA (1u << (HEAP_ARENA_SHIFT - HEAP_PAGE_SHIFT))
#define HEAP_WORD 8
#define HEAP_CACHE_LINE 64

/** Where it is written which words of an object are pointers (runtime/mbitmap.go). */
enum heap_shape {
	HEAP_NO_POINTERS,    // "noscan"
	HEAP_BITS_IN_SPAN,   // a bit for each word, at the span's end: up to 512 bytes, since 1.22
	HEAP_TYPE_IN_OBJECT, // the first word is the type: above that, since 1.22
	HEAP_TYPE_OF_SPAN,   // the span has one object, and its type: large ones, since 1.22
	HEAP_BITS_IN_ARENA,  // a bit for each word, beside the arena's spans: 1.20, 1.21
	HEAP_PAIRS_IN_ARENA, // "is a pointer" and "more follow" for each word: 1.18, 1.19
	HEAP_ANY_WORD,       // not known: each may be one (user arenas)
};

/** A run of pages with objects of one size: a line of the processor's cache, see mark.c. */
struct heap_span {
	target_addr start;
	uint64_t element_size; // bytes of a slot
	uint32_t magic;        // slot = offset * magic >> 32
	uint32_t count;        // slots
	uint32_t first_word;   // of its slots' bits, in words of 64
	uint8_t shape;         // enum heap_shape
	uint8_t span_class;    // runtime/mheap.go spanClass: twice the size class, and 1 for noscan
	uint16_t map_offset;   // HEAP_BITS_IN_SPAN: where the bits begin, in bytes
	const uint8_t *bytes;  // of its pages; borrowed from the image
	target_addr type;      // HEAP_TYPE_OF_SPAN: of its object; 0: that has no pointers
	uint32_t page_count;
	uint32_t unused[3];
};

_Static_assert(sizeof(struct heap_span) == HEAP_CACHE_LINE, "one span, one line");

struct heap_arena {
	uint32_t *pages;               // each page's span, 1 for the first; 0: none
	const uint8_t *bits, *no_more; // until 1.21; NULL: not readable, or not of this release
};

/** A span's list of what is attached to its objects: finalizers, cleanups, weak pointers. */
struct heap_specials {
	uint32_t span;
	target_addr first;
};

struct heap {
	const struct runtime *rt; // borrowed
	struct arena *arena;      // borrowed
	struct heap_span *spans;  // in the order of allspans
	uint32_t span_count;
	struct heap_arena *arenas; // of consecutive arenas
	uint64_t first_arena, arena_count;
	uint64_t *free; // a bit for each slot: no object in it; also set behind a span's last slot
	uint32_t word_count;
	struct masks *masks; // a cache
	struct heap_specials *specials;
	size_t special_count, special_capacity;
	uint64_t objects, bytes; // allocated: slots, and their bytes
	bool has_inline_marks;   // Green Tea: mark bits lie in the spans (mgcmark_greenteagc.go)
	const char *why;         // why something of it is missing: then no proof holds. NULL: whole
	target_addr why_address; // where; 0: nowhere in particular
};

/** An object's slot. */
struct heap_slot {
	uint32_t span, index;
};

/**
 * Reads every span. What is missing or contradicts itself is said in ret->why, and the rest is
 * there. CS_NO_MEMORY; CS_FAULT where mheap_.allspans itself is not readable.
 */
CS_MUST_USE enum cs_status heap_load(
	const struct runtime *rt, struct arena *arena, struct heap *ret);

/** The number of the span that holds `address`, 1 for the first; 0: none does. */
static inline uint32_t heap_span_number(const struct heap *heap, target_addr address)
{
	uint64_t arena = (address >> HEAP_ARENA_SHIFT) - heap->first_arena;

	if (arena >= heap->arena_count || !heap->arenas[arena].pages)
		return 0;
	return heap->arenas[arena].pages[(address >> HEAP_PAGE_SHIFT) % HEAP_PAGES_OF_ARENA];
}

/** Which of the span's slots holds `address`, of its own; not less than span->count: none. */
static inline uint32_t heap_slot_index(const struct heap_span *span, target_addr address)
{
	return span->magic ? (uint32_t)((address - span->start) * span->magic >> 32) : 0;
}

/** The slot that holds `address`, free or not; false where no object can lie there. */
static inline bool heap_find(const struct heap *heap, target_addr address, struct heap_slot *ret)
{
	uint32_t number = heap_span_number(heap, address), index;

	if (!number)
		return false;
	index = heap_slot_index(&heap->spans[number - 1], address);
	if (index >= heap->spans[number - 1].count)
		return false;
	ret->span = number - 1;
	ret->index = index;
	return true;
}

/** Whether there is an object in `slot`. */
static inline bool heap_is_allocated(const struct heap *heap, struct heap_slot slot)
{
	const struct heap_span *span = &heap->spans[slot.span];

	return !(heap->free[span->first_word + slot.index / 64] >> slot.index % 64 & 1);
}

/** Where the object in `slot` begins. */
static inline target_addr heap_address(const struct heap *heap, struct heap_slot slot)
{
	const struct heap_span *span = &heap->spans[slot.span];

	return span->start + slot.index * span->element_size;
}

#endif
