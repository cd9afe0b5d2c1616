// Slot i is allocated where i < freeindex or allocBits[i] is set (runtime/mbitmap.go isFree); that
// holds for spans in an mcache too, whose freeindex moves with each object. Where a span's pointer
// bits lie depends on what the release's structs have, see find_shape.
#include "analyzer/heap/heap.h"

#include "analyzer/heap/span.h"
#include "common/checked.h"
#include "common/limits.h"

#include <string.h>

#define SPAN_IN_USE 1               // runtime/mheap.go mSpanInUse
#define MAX_BITS_IN_SPAN 512        // runtime/mbitmap.go heapBitsInSpan: bytes of an object
#define INLINE_MARKS 128            // runtime/mgcmark_greenteagc.go spanInlineMarkBits
#define MIN_INLINE_MARKED 16        // likewise gcUsesSpanInlineMarkBits
#define BITS_OF_ARENA (1u << 20)    // bytes of heapArena.bitmap, a bit for each word
#define PAIRS_OF_ARENA (1u << 21)   // likewise, two bits for each
#define NO_MORE_OF_ARENA (1u << 14) // bytes of heapArena.noMorePtrs
#define ARENA_MASK ((1ull << HEAP_ARENA_SHIFT) - 1)

static void complain(struct heap *heap, target_addr address, const char *why)
{
	if (heap->why)
		return;
	heap->why = why;
	heap->why_address = address;
}

/** What is read of one mspan before its arenas are known. */
static bool load_span(struct heap *heap, struct object object, struct heap_span *ret)
{
	const struct runtime *rt = heap->rt;
	uint64_t count = object_get(rt, object, SPAN_COUNT), used, end;
	uint64_t pages = object_get(rt, object, SPAN_PAGES);
	struct heap_span span = {.start = object_get(rt, object, SPAN_START),
		.element_size = object_get(rt, object, SPAN_ELEMENT_SIZE),
		.span_class = (uint8_t)object_get(rt, object, SPAN_CLASS),
		.type = object_get(rt, object, SPAN_LARGE_TYPE)};
	uint64_t size = pages << HEAP_PAGE_SHIFT;

	if (!pages || pages > MAX_HEAP_PAGES || span.start % HEAP_PAGE_SIZE || !count ||
		!span.element_size || span.element_size % HEAP_WORD ||
		!checked_mul(count, span.element_size, &used) || used > size ||
		!checked_add(span.start, size, &end) || (count > 1 && size > MAX_SMALL_SPAN))
		return false;
	span.page_count = (uint32_t)pages;
	span.count = (uint32_t)count;
	if (span.span_class >> 1)
		span.magic = (uint32_t)(UINT32_MAX / span.element_size + 1);
	else if (count > 1)
		return false;
	span.bytes = image_view_bytes(rt->image, span.start, size);
	*ret = span;
	return true;
}

/** The bytes of a span that lie in several ranges of the image, put together. */
static const uint8_t *join_bytes(struct heap *heap, const struct heap_span *span)
{
	uint64_t size = (uint64_t)span->page_count << HEAP_PAGE_SHIFT;
	struct image_view view;
	uint8_t *bytes;

	if (!image_find(heap->rt->image, span->start, &view) ||
		size > image_file_size(heap->rt->image))
		return NULL;
	bytes = arena_alloc(heap->arena, size);
	if (!bytes || image_read(heap->rt->image, span->start, bytes, size) != CS_OK)
		return NULL;
	return bytes;
}

static uint8_t find_shape(
	const struct heap *heap, struct object object, const struct heap_span *span)
{
	const struct layout *layout = &heap->rt->layout;

	if (span->span_class & 1)
		return HEAP_NO_POINTERS;
	if (object_get(heap->rt, object, SPAN_IS_USER_ARENA))
		return HEAP_ANY_WORD;
	if (layout_has(layout, HEAP_ARENA_BITMAP)) {
		if (layout_size(layout, HEAP_ARENA_BITMAP) == PAIRS_OF_ARENA)
			return HEAP_PAIRS_IN_ARENA;
		return layout_size(layout, HEAP_ARENA_BITMAP) == BITS_OF_ARENA ? HEAP_BITS_IN_ARENA
									       : HEAP_ANY_WORD;
	}
	if (!layout_has(layout, SPAN_LARGE_TYPE))
		return HEAP_ANY_WORD;
	if (!(span->span_class >> 1))
		return HEAP_TYPE_OF_SPAN;
	return span->element_size <= MAX_BITS_IN_SPAN ? HEAP_BITS_IN_SPAN : HEAP_TYPE_IN_OBJECT;
}

static bool add_specials(struct heap *heap, target_addr first)
{
	struct heap_specials *grown;

	if (!first)
		return true;
	grown = arena_grow(heap->arena, heap->specials, &heap->special_capacity,
		heap->special_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	heap->specials = grown;
	grown[heap->special_count++] = (struct heap_specials){heap->span_count - 1, first};
	return true;
}

/** One row of allspans. False: out of memory. */
static bool add_span(struct heap *heap, target_addr mspan)
{
	struct object object = object_load(heap->rt, mspan, OBJECT_SPAN);
	struct heap_span *span = &heap->spans[heap->span_count];

	if (!object.bytes) {
		complain(heap, mspan, "a span of the heap is not readable");
		return true;
	}
	if (object_get(heap->rt, object, SPAN_STATE) != SPAN_IN_USE)
		return true;
	if (!load_span(heap, object, span)) {
		complain(heap, mspan, "a span of the heap contradicts itself");
		return true;
	}
	if (!span->bytes)
		span->bytes = join_bytes(heap, span);
	if (!span->bytes) {
		complain(heap, span->start, "a part of the heap is not in the core");
		return true;
	}
	span->shape = find_shape(heap, object, span);
	heap->span_count++;
	return add_specials(heap, object_get(heap->rt, object, SPAN_SPECIALS));
}

/** Sets the bits of the slots that hold no object. False: the span's own are not readable. */
static bool load_free(struct heap *heap, struct heap_span *span, struct object object)
{
	uint64_t *words = &heap->free[span->first_word];
	uint64_t free_index = object_get(heap->rt, object, SPAN_FREE_INDEX);
	const uint8_t *bits = image_view_bytes(heap->rt->image,
		object_get(heap->rt, object, SPAN_ALLOC_BITS), (span->count + 7) / 8);
	uint64_t taken = 0;

	if (!bits || free_index > span->count)
		return false;
	for (uint32_t i = 0; i < (span->count + 63) / 64; i++) {
		uint32_t left = span->count - i * 64;
		uint64_t word = 0;

		memcpy(&word, bits + i * 8, left >= 64 ? 8 : (left + 7) / 8);
		if (free_index > i * 64)
			word |= free_index - i * 64 >= 64 ? UINT64_MAX
							  : (1ull << (free_index - i * 64)) - 1;
		if (left < 64)
			word &= (1ull << left) - 1;
		taken += (uint64_t)__builtin_popcountll(word);
		words[i] = ~word;
	}
	heap->objects += taken;
	heap->bytes += taken * span->element_size;
	return true;
}

/** Makes the tables of arenas as wide as the spans reach. */
static enum cs_status make_arenas(struct heap *heap)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (uint32_t i = 0; i < heap->span_count; i++) {
		const struct heap_span *span = &heap->spans[i];
		uint64_t end = span->start + ((uint64_t)span->page_count << HEAP_PAGE_SHIFT) - 1;

		if (span->start >> HEAP_ARENA_SHIFT < first)
			first = span->start >> HEAP_ARENA_SHIFT;
		if (end >> HEAP_ARENA_SHIFT > last)
			last = end >> HEAP_ARENA_SHIFT;
	}
	if (!heap->span_count)
		return CS_OK;
	if (last - first >= MAX_HEAP_ARENAS)
		return CS_CORRUPT;
	heap->arenas = arena_array(heap->arena, last - first + 1, sizeof(*heap->arenas));
	if (!heap->arenas)
		return CS_NO_MEMORY;
	heap->first_arena = first;
	heap->arena_count = last - first + 1;
	return CS_OK;
}

static void load_arena_bits(struct heap *heap, target_addr address, struct heap_arena *arena)
{
	const struct runtime *rt = heap->rt;
	const struct layout *layout = &rt->layout;
	target_addr at;

	if (!layout_has(layout, HEAP_ARENA_BITMAP))
		return;
	at = span_arena(rt, address);
	if (!at)
		return;
	arena->bits = image_view_bytes(rt->image, at + layout_value(layout, HEAP_ARENA_BITMAP),
		layout_size(layout, HEAP_ARENA_BITMAP));
	if (layout_size(layout, HEAP_ARENA_NO_MORE) == NO_MORE_OF_ARENA)
		arena->no_more = image_view_bytes(
			rt->image, at + layout_value(layout, HEAP_ARENA_NO_MORE), NO_MORE_OF_ARENA);
}

static bool uses_arena_bits(const struct heap_span *span)
{
	return span->shape == HEAP_BITS_IN_ARENA || span->shape == HEAP_PAIRS_IN_ARENA;
}

/** Enters the pages of span `number`. */
static enum cs_status enter_pages(struct heap *heap, uint32_t number)
{
	const struct heap_span *span = &heap->spans[number];
	target_addr address = span->start;

	for (uint32_t i = 0; i < span->page_count; i++, address += HEAP_PAGE_SIZE) {
		struct heap_arena *arena =
			&heap->arenas[(address >> HEAP_ARENA_SHIFT) - heap->first_arena];
		uint32_t *page;

		if (!arena->pages) {
			arena->pages = arena_array(
				heap->arena, HEAP_PAGES_OF_ARENA, sizeof(*arena->pages));
			if (!arena->pages)
				return CS_NO_MEMORY;
			load_arena_bits(heap, address, arena);
		}
		page = &arena->pages[(address & ARENA_MASK) >> HEAP_PAGE_SHIFT];
		if (*page)
			return CS_CORRUPT; // two spans at one place
		*page = number + 1;
		if (uses_arena_bits(span) && !arena->bits)
			return CS_FAULT;
	}
	return CS_OK;
}

static enum cs_status enter_spans(struct heap *heap)
{
	enum cs_status status = make_arenas(heap);
	uint64_t pages = 0;

	for (uint32_t i = 0; i < heap->span_count && status == CS_OK; i++) {
		pages += heap->spans[i].page_count;
		if (pages > MAX_HEAP_PAGES)
			status = CS_LIMIT;
		else
			status = enter_pages(heap, i);
	}
	if (status == CS_NO_MEMORY)
		return status;
	if (status != CS_OK)
		complain(heap, 0, "the spans of the heap contradict each other");
	return CS_OK;
}

static bool can_be_inline_marked(const struct heap_span *span)
{
	return span->element_size >= MIN_INLINE_MARKED && span->element_size <= MAX_BITS_IN_SPAN &&
	       span->span_class >> 1 && span->page_count == 1;
}

/** Green Tea ends each such span with its class; others end with bits or objects. */
static void find_inline_marks(struct heap *heap)
{
	uint64_t with = 0, without = 0;

	if (!layout_has(&heap->rt->layout, HEAP_ARENA_INLINE_MARKS))
		return;
	for (uint32_t i = 0; i < heap->span_count; i++) {
		const struct heap_span *span = &heap->spans[i];

		if (!can_be_inline_marked(span))
			continue;
		if (span->bytes[HEAP_PAGE_SIZE - 1] == span->span_class &&
			span->count * span->element_size <= HEAP_PAGE_SIZE - INLINE_MARKS)
			with++;
		else
			without++;
	}
	heap->has_inline_marks = with && !without;
	if (with > without && without)
		complain(heap, 0, "the ends of the heap's spans contradict each other");
}

static void find_map_offsets(struct heap *heap)
{
	for (uint32_t i = 0; i < heap->span_count; i++) {
		struct heap_span *span = &heap->spans[i];
		uint32_t size = span->page_count << HEAP_PAGE_SHIFT, end = size;

		if (span->shape != HEAP_BITS_IN_SPAN)
			continue;
		if (heap->has_inline_marks && can_be_inline_marked(span))
			end -= INLINE_MARKS;
		end -= size / HEAP_WORD / 8;
		if (span->page_count > 1 || span->count * span->element_size > end) {
			complain(heap, span->start, "objects overlap the bits of their span");
			span->shape = HEAP_ANY_WORD;
		}
		span->map_offset = (uint16_t)end;
	}
}

/** The slots of all spans, once they are known: `mspans` has where each was read. */
static bool load_slots(struct heap *heap, const target_addr *mspans)
{
	uint64_t words = 0;

	for (uint32_t i = 0; i < heap->span_count; i++) {
		heap->spans[i].first_word = (uint32_t)words;
		words += (heap->spans[i].count + 63) / 64;
	}
	if (words > UINT32_MAX)
		return false;
	heap->free = arena_array(heap->arena, words, sizeof(*heap->free));
	if (!heap->free)
		return false;
	heap->word_count = (uint32_t)words;
	for (uint32_t i = 0; i < heap->span_count; i++) {
		struct heap_span *span = &heap->spans[i];
		struct object object = object_load(heap->rt, mspans[i], OBJECT_SPAN);

		if (object.bytes && load_free(heap, span, object))
			continue;
		complain(heap, mspans[i], "the bits of a span's objects are not readable");
		memset(&heap->free[span->first_word], 0xff, (span->count + 63) / 64 * 8);
	}
	return true;
}

static enum cs_status load_spans(struct heap *heap, target_addr list, uint64_t count)
{
	target_addr *mspans = arena_array(heap->arena, count, sizeof(*mspans));
	uint8_t *spans = arena_array(heap->arena, count + 1, sizeof(*heap->spans));

	if (!mspans || !spans)
		return CS_NO_MEMORY;
	heap->spans = (struct heap_span *)(void *)(spans + -(uintptr_t)spans % HEAP_CACHE_LINE);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t before = heap->span_count;
		target_addr mspan;

		if (image_read_u64(heap->rt->image, list + i * sizeof(mspan), &mspan) != CS_OK)
			complain(heap, list, "the list of the heap's spans is not whole");
		else if (!add_span(heap, mspan))
			return CS_NO_MEMORY;
		if (heap->span_count > before)
			mspans[before] = mspan;
	}
	return load_slots(heap, mspans) ? CS_OK : CS_NO_MEMORY;
}

enum cs_status heap_load(const struct runtime *rt, struct arena *arena, struct heap *ret)
{
	target_addr list, last;
	uint64_t count;
	enum cs_status status;

	*ret = (struct heap){.rt = rt, .arena = arena, .masks = masks_create(rt, arena)};
	if (!ret->masks)
		return CS_NO_MEMORY;
	if (!runtime_slice(
		    rt, runtime_field_address(rt, VAR_MHEAP, MHEAP_ALL_SPANS), &list, &count))
		return CS_FAULT;
	if (count > MAX_HEAP_SPANS ||
		(count && image_read_u64(rt->image, list + (count - 1) * HEAP_WORD, &last) !=
				  CS_OK)) {
		complain(ret, list, "the list of the heap's spans is not whole");
		count = 0;
	}
	status = load_spans(ret, list, count);
	if (status == CS_OK)
		status = enter_spans(ret);
	if (status != CS_OK)
		return status;
	find_inline_marks(ret);
	find_map_offsets(ret);
	return CS_OK;
}
