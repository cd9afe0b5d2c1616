// The inner loop takes a word to its bit in three steps: page, span, bit. Each loads what lies
// anywhere in megabytes, so the steps of one word are done while those of the words before it are
// under way.
#include "analyzer/heap/mark.h"

#include <string.h>

#define WORDS_OF_ARENA (1u << (HEAP_ARENA_SHIFT - 3))
#define PAIRS_IN_BYTE 4 // runtime/mbitmap.go of 1.18: four pointer bits, four scan bits

static inline uint64_t load_word(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

enum cs_status mark_init(struct mark *mark, const struct heap *heap, struct arena *arena)
{
	uint64_t ring = 2;

	while (ring <= heap->span_count)
		ring *= 2;
	*mark = (struct mark){.heap = heap, .arena = arena, .ring_mask = (uint32_t)(ring - 1)};
	mark->seen = arena_array(arena, heap->word_count, sizeof(*mark->seen));
	mark->done = arena_array(arena, heap->word_count, sizeof(*mark->done));
	mark->queue = arena_array(arena, ring, sizeof(*mark->queue));
	mark->is_queued = arena_array(arena, heap->span_count, 1);
	mark->is_watched = arena_array(arena, heap->span_count, 1);
	if (!mark->seen || !mark->done || !mark->queue || !mark->is_queued || !mark->is_watched)
		return CS_NO_MEMORY;
	// A slot without an object is nothing that could be reached any more.
	if (heap->word_count) {
		memcpy(mark->seen, heap->free, heap->word_count * sizeof(*mark->seen));
		memcpy(mark->done, heap->free, heap->word_count * sizeof(*mark->done));
	}
	return CS_OK;
}

static void add_hit(struct mark *mark, struct heap_slot slot)
{
	struct heap_slot *grown = arena_grow(
		mark->arena, mark->hits, &mark->hit_capacity, mark->hit_count + 1, sizeof(*grown));

	if (!grown) {
		mark->is_out_of_memory = true;
		return;
	}
	mark->hits = grown;
	grown[mark->hit_count++] = slot;
}

/** Sets the bit of `slot`. False where it was set, or there is no object. */
static inline bool see(struct mark *mark, const struct heap_span *span, struct heap_slot slot)
{
	uint64_t *word = &mark->seen[span->first_word + slot.index / 64];
	uint64_t bit = 1ull << slot.index % 64;

	if (*word & bit)
		return false;
	*word |= bit;
	mark->objects++;
	mark->bytes += span->element_size;
	if (mark->is_watched[slot.span])
		add_hit(mark, slot);
	return true;
}

/** The last step: the slot's bit, and its span into the queue. */
static inline void reach(struct mark *mark, struct heap_slot slot)
{
	const struct heap_span *span = &mark->heap->spans[slot.span];

	if (!see(mark, span, slot) || span->shape == HEAP_NO_POINTERS || mark->is_queued[slot.span])
		return;
	mark->is_queued[slot.span] = 1;
	mark->queue[mark->tail++ & mark->ring_mask] = slot.span;
}

/** The second step, once the span is at hand: which slot. */
static inline void locate(struct mark *mark, uint64_t word, uint32_t number)
{
	struct mark_pending *pending = &mark->slots[mark->next_slot++ % MARK_AHEAD];
	const struct heap_span *span = &mark->heap->spans[number];
	struct heap_slot before = {pending->span, pending->index};
	bool is_used = pending->word;
	uint32_t index = heap_slot_index(span, word);

	pending->word = 0;
	if (index < span->count) {
		*pending = (struct mark_pending){word, number, index};
		__builtin_prefetch(&mark->seen[span->first_word + index / 64], 1);
	}
	if (is_used)
		reach(mark, before);
}

/** The first step: which span. */
static inline void visit(struct mark *mark, uint64_t word)
{
	uint32_t number = heap_span_number(mark->heap, word);
	struct mark_pending *pending, before;

	if (!number)
		return;
	pending = &mark->words[mark->next_word++ % MARK_AHEAD];
	before = *pending;
	__builtin_prefetch(&mark->heap->spans[number - 1]);
	*pending = (struct mark_pending){.word = word, .span = number - 1};
	if (before.word)
		locate(mark, before.word, before.span);
}

/** Brings every word in hand to its end. */
static void flush(struct mark *mark)
{
	for (uint32_t i = 0; i < MARK_AHEAD; i++) {
		struct mark_pending *pending = &mark->words[mark->next_word++ % MARK_AHEAD];

		if (pending->word)
			locate(mark, pending->word, pending->span);
		pending->word = 0;
	}
	for (uint32_t i = 0; i < MARK_AHEAD; i++) {
		struct mark_pending *pending = &mark->slots[mark->next_slot++ % MARK_AHEAD];

		if (pending->word)
			reach(mark, (struct heap_slot){pending->span, pending->index});
		pending->word = 0;
	}
}

/** The words at `at` whose bit is set. */
static inline void visit_bits(struct mark *mark, const uint8_t *at, uint64_t bits)
{
	for (; bits; bits &= bits - 1)
		visit(mark, load_word(at + (unsigned int)__builtin_ctzll(bits) * 8));
}

static void visit_all(struct mark *mark, const uint8_t *at, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		visit(mark, load_word(at + i * 8));
}

/** Bits `from` to `from + 63` of a map of `count` bits; those behind it are 0. */
static uint64_t load_bits(const uint8_t *bits, uint64_t from, uint64_t count)
{
	uint64_t left = count - from, word = 0;

	if (left >= 64)
		return load_word(bits + from / 8);
	memcpy(&word, bits + from / 8, (left + 7) / 8);
	return word & ((1ull << left) - 1);
}

/** `count` words at `at`, the first ones of which the map tells of. */
static void visit_map(struct mark *mark, const uint8_t *at, uint64_t count, const uint8_t *bits)
{
	for (uint64_t i = 0; i < count; i += 64)
		visit_bits(mark, at + i * 8, load_bits(bits, i, count));
}

/** Values of one type, one behind the other, in `count` words. */
static void visit_typed(struct mark *mark, const uint8_t *at, uint64_t count, target_addr type)
{
	struct mask mask = masks_find(mark->heap->masks, type);

	if (!mask.bits) {
		visit_all(mark, at, count);
		return;
	}
	for (uint64_t i = 0; mask.pointers && i < count; i += mask.words) {
		uint64_t left = count - i;

		visit_map(mark, at + i * 8, left < mask.pointers ? left : mask.pointers, mask.bits);
	}
}

/** Objects of at most 64 words, whose bits lie at the end of the span. */
static void visit_in_span(struct mark *mark, const struct heap_span *span, uint64_t offset)
{
	uint64_t first = offset / 8, count = span->element_size / 8, shift = first % 64;
	const uint8_t *map = span->bytes + span->map_offset + first / 64 * 8;
	uint64_t bits = load_word(map) >> shift;

	if (shift + count > 64)
		bits |= load_word(map + 8) << (64 - shift);
	if (count < 64)
		bits &= (1ull << count) - 1;
	visit_bits(mark, span->bytes + offset, bits);
}

static const struct heap_arena *arena_of(const struct mark *mark, target_addr address)
{
	return &mark->heap->arenas[(address >> HEAP_ARENA_SHIFT) - mark->heap->first_arena];
}

/** runtime/mbitmap.go heapBits.next of 1.20 and 1.21. */
static void visit_in_arena(struct mark *mark, const struct heap_span *span, uint64_t offset)
{
	const uint8_t *at = span->bytes + offset;
	target_addr address = span->start + offset;
	uint64_t left = span->element_size / 8;

	while (left) {
		const struct heap_arena *arena = arena_of(mark, address);
		uint64_t word = address / 8 % WORDS_OF_ARENA, valid = 64 - word % 64;
		uint64_t bits = load_word(arena->bits + word / 64 * 8) >> word % 64;
		bool is_last =
			left <= valid ||
			(arena->no_more && arena->no_more[word / 64 / 8] >> word / 64 % 8 & 1);

		if (left < valid)
			bits &= (1ull << left) - 1;
		visit_bits(mark, at, bits);
		if (is_last)
			return;
		address += valid * 8;
		at += valid * 8;
		left -= valid;
	}
}

/** runtime/mgcmark.go scanobject of 1.18 and 1.19. */
static void visit_pairs(struct mark *mark, const struct heap_span *span, uint64_t offset)
{
	for (uint64_t i = 0; i < span->element_size; i += 8) {
		target_addr address = span->start + offset + i;
		uint64_t word = address / 8 % WORDS_OF_ARENA;
		unsigned int pair =
			arena_of(mark, address)->bits[word / PAIRS_IN_BYTE] >> word % PAIRS_IN_BYTE;

		if (!(pair & 1u << PAIRS_IN_BYTE))
			return;
		if (pair & 1)
			visit(mark, load_word(span->bytes + offset + i));
	}
}

static void scan(struct mark *mark, const struct heap_span *span, uint32_t index)
{
	uint64_t offset = index * span->element_size, words = span->element_size / 8;
	const uint8_t *at = span->bytes + offset;

	switch ((enum heap_shape)span->shape) {
	case HEAP_NO_POINTERS:
		return;
	case HEAP_BITS_IN_SPAN:
		visit_in_span(mark, span, offset);
		return;
	case HEAP_TYPE_IN_OBJECT:
		visit_typed(mark, at + 8, words - 1, load_word(at));
		return;
	case HEAP_TYPE_OF_SPAN:
		if (span->type)
			visit_typed(mark, at, words, span->type);
		return;
	case HEAP_BITS_IN_ARENA:
		visit_in_arena(mark, span, offset);
		return;
	case HEAP_PAIRS_IN_ARENA:
		visit_pairs(mark, span, offset);
		return;
	case HEAP_ANY_WORD:
		visit_all(mark, at, words);
	}
}

/** Every slot of the span that was seen and is not done. */
static void scan_span(struct mark *mark, uint32_t number)
{
	const struct heap_span *span = &mark->heap->spans[number];

	for (uint32_t i = 0; i < (span->count + 63) / 64; i++) {
		uint64_t *seen = &mark->seen[span->first_word + i];
		uint64_t *done = &mark->done[span->first_word + i];

		while (*seen & ~*done) { // what is found in the span itself is done at once
			unsigned int bit = (unsigned int)__builtin_ctzll(*seen & ~*done);

			*done |= 1ull << bit;
			scan(mark, span, i * 64 + bit);
		}
	}
}

bool mark_step(struct mark *mark, uint32_t spans)
{
	for (; spans; spans--) {
		uint32_t number;

		if (mark->head == mark->tail)
			flush(mark);
		if (mark->head == mark->tail)
			return false;
		number = mark->queue[mark->head++ & mark->ring_mask];
		mark->is_queued[number] = 0;
		scan_span(mark, number);
	}
	return true;
}

void mark_run(struct mark *mark)
{
	while (mark_step(mark, UINT32_MAX))
		;
}

void mark_word(struct mark *mark, uint64_t word)
{
	visit(mark, word);
}

/** `count` words from number `first` of a block whose map is `bits`. */
static void visit_part(
	struct mark *mark, const uint8_t *at, uint64_t first, uint64_t count, const uint8_t *bits)
{
	for (uint64_t i = first, end = first + count; i < end;) {
		if (i % 8 == 0 && end - i >= 64) {
			visit_bits(mark, at + (i - first) * 8, load_word(bits + i / 8));
			i += 64;
			continue;
		}
		if (bits[i / 8] >> i % 8 & 1)
			visit(mark, load_word(at + (i - first) * 8));
		i++;
	}
}

bool mark_words(struct mark *mark, target_addr start, uint64_t count, const uint8_t *bits)
{
	const struct image *image = mark->heap->rt->image;

	for (uint64_t i = 0, part; i < count; i += part) {
		target_addr address = start + i * 8;
		struct image_view view;
		uint64_t word;

		if (!image_find(image, address, &view))
			return false;
		part = (view.end - address) / 8;
		part = part < count - i ? part : count - i;
		if (!part) { // a word that lies in two ranges
			part = 1;
			if (image_read_u64(image, address, &word) != CS_OK)
				return false;
			if (!bits || bits[i / 8] >> i % 8 & 1)
				visit(mark, word);
		} else if (bits) {
			visit_part(mark, view.bytes + (address - view.start), i, part, bits);
		} else {
			visit_all(mark, view.bytes + (address - view.start), part);
		}
	}
	return true;
}

void mark_contents(struct mark *mark, struct heap_slot slot)
{
	if (heap_is_allocated(mark->heap, slot))
		scan(mark, &mark->heap->spans[slot.span], slot.index);
}

void mark_except(struct mark *mark, struct heap_slot slot, const uint64_t *offsets, uint32_t count)
{
	const struct heap_span *span = &mark->heap->spans[slot.span];
	const uint8_t *at = span->bytes + slot.index * span->element_size;

	if (!see(mark, span, slot))
		return;
	mark->done[span->first_word + slot.index / 64] |= 1ull << slot.index % 64;
	if (span->shape == HEAP_NO_POINTERS)
		return;
	for (uint64_t i = 0; i < span->element_size; i += 8) {
		bool is_skipped = false;

		for (uint32_t k = 0; k < count; k++)
			is_skipped |= offsets[k] == i;
		if (!is_skipped)
			visit(mark, load_word(at + i));
	}
}

void mark_watch(struct mark *mark, struct heap_slot slot)
{
	mark->is_watched[slot.span] = 1;
}
