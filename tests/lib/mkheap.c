#include "tests/lib/mkheap.h"

#include <stdlib.h>

#define BITS_SIZE 128 // of a span's slots: as many as a page has words

void mkheap_init(struct mkheap *heap, struct mkruntime *m)
{
	*heap = (struct mkheap){.m = m, .list = mkruntime_alloc(m, MKHEAP_MAX_SPANS * 8)};
}

target_addr mkheap_add(struct mkheap *heap, struct mkheap_span span)
{
	struct mkruntime *m = heap->m;
	uint64_t pages = span.pages ? span.pages : 1;
	target_addr memory = mkruntime_alloc(m, (pages + 1) * MKHEAP_PAGE);
	target_addr start = (memory + MKHEAP_PAGE - 1) / MKHEAP_PAGE * MKHEAP_PAGE;
	target_addr mspan = mkruntime_object(m, SPAN_START);
	target_addr all =
		mkruntime_variable(m, VAR_MHEAP) + layout_value(&m->layout, MHEAP_ALL_SPANS);

	if (heap->count == MKHEAP_MAX_SPANS)
		abort();
	mkruntime_set(m, mspan, SPAN_START, start);
	mkruntime_set(m, mspan, SPAN_PAGES, pages);
	mkruntime_set(m, mspan, SPAN_COUNT, span.count);
	mkruntime_set(m, mspan, SPAN_STATE, 1);
	mkruntime_set(m, mspan, SPAN_ELEMENT_SIZE, span.element_size);
	mkruntime_set(m, mspan, SPAN_CLASS, span.span_class);
	mkruntime_set(m, mspan, SPAN_FREE_INDEX, span.count);
	mkruntime_set(m, mspan, SPAN_ALLOC_BITS, mkruntime_alloc(m, BITS_SIZE));
	mkruntime_set(m, mspan, SPAN_LARGE_TYPE, span.type);
	heap->mspans[heap->count] = mspan;
	mkruntime_word(m, heap->list + 8 * heap->count++, mspan);
	mkruntime_slice(m, all, heap->list, heap->count);
	return start;
}

void mkheap_free(struct mkheap *heap, uint64_t span, uint64_t index)
{
	struct mkruntime *m = heap->m;
	const struct layout *layout = &m->layout;
	uint64_t *count = mkruntime_at(m, heap->mspans[span] + layout_value(layout, SPAN_COUNT));
	target_addr *bits =
		mkruntime_at(m, heap->mspans[span] + layout_value(layout, SPAN_ALLOC_BITS));

	// The slots before it are told by the index, those behind it by bits.
	mkruntime_set(m, heap->mspans[span], SPAN_FREE_INDEX, index);
	for (uint64_t i = index + 1; i < *count; i++)
		((uint8_t *)mkruntime_at(m, *bits + i / 8))[0] |= (uint8_t)(1u << i % 8);
}

void mkheap_pointer(struct mkheap *heap, target_addr start, uint64_t word, uint64_t end)
{
	target_addr bits = start + MKHEAP_PAGE - end - MKHEAP_PAGE / 64;

	((uint8_t *)mkruntime_at(heap->m, bits + word / 8))[0] |= (uint8_t)(1u << word % 8);
}
