// Marks what of a heap can be reached from words that one gives: bits beside the heap, which is not
// changed, so that marks from different roots can be made and compared. Like Go's own Green Tea
// collector (runtime/mgcmark_greenteagc.go, go1.26) it queues spans, not objects: the objects of a
// span that were found meanwhile are scanned together, memory is read in runs, and the queue never
// holds more than every span once, whatever the heap looks like.
#ifndef CORESNAP_ANALYZER_HEAP_MARK_H
#define CORESNAP_ANALYZER_HEAP_MARK_H

#include "analyzer/heap/heap.h"

#define MARK_AHEAD                                                                                 \
	16 // words in hand at each of two steps; 8 and 32 measured alike, 0 twice as slow

/** A word on its way to its bit: what the next step will load was asked for of memory already. */
struct mark_pending {
	uint64_t word;
	uint32_t span, index;
};

struct mark {
	const struct heap *heap; // borrowed
	struct arena *arena;     // borrowed
	uint64_t *seen;          // a bit for each slot: reached; also where there is no object
	uint64_t *done;          // likewise: its words were looked at
	uint32_t *queue;         // a ring of spans that have slots seen and not done
	uint32_t head, tail, ring_mask;
	uint8_t *is_queued, *is_watched;                          // for each span
	struct mark_pending words[MARK_AHEAD], slots[MARK_AHEAD]; // rings
	uint32_t next_word, next_slot;
	struct heap_slot *hits; // slots of watched spans, in the order of their marking
	size_t hit_count, hit_capacity;
	uint64_t objects, bytes; // reached
	bool is_out_of_memory;   // hits are missing
};

/** A mark in which nothing is reached. CS_NO_MEMORY is the only failure. */
CS_MUST_USE enum cs_status mark_init(
	struct mark *mark, const struct heap *heap, struct arena *arena);

/** `word` is a root: what it points to, or into, is reached. Any number will do. */
void mark_word(struct mark *mark, uint64_t word);

/**
 * `count` words at `start` are roots, those whose bit is set in `bits`, which has a bit for each;
 * all of them where `bits` is NULL. False where they are not all readable; those that are count.
 */
bool mark_words(struct mark *mark, target_addr start, uint64_t count, const uint8_t *bits);

/** What the object in `slot` points to is reached, though it itself may not be. */
void mark_contents(struct mark *mark, struct heap_slot slot);

/**
 * The object in `slot` is reached, and what it points to but for `count` words at `offsets` of it
 * (bytes). To be called before anything else leads there.
 */
void mark_except(struct mark *mark, struct heap_slot slot, const uint64_t *offsets, uint32_t count);

/** Follows all pointers of what is reached until nothing new is found. */
void mark_run(struct mark *mark);

/** The same for the next `spans` of the queue at most; false where nothing is left to be done. */
bool mark_step(struct mark *mark, uint32_t spans);

/** From now on the objects of the span of `slot` are listed in `hits` when they are reached. */
void mark_watch(struct mark *mark, struct heap_slot slot);

/** Whether the object in `slot` is reached. False where there is no object. */
static inline bool mark_has(const struct mark *mark, struct heap_slot slot)
{
	const struct heap_span *span = &mark->heap->spans[slot.span];

	return heap_is_allocated(mark->heap, slot) &&
	       mark->seen[span->first_word + slot.index / 64] >> slot.index % 64 & 1;
}

#endif
