#include "analyzer/heap/span.h"

#include "common/checked.h"

// runtime/malloc.go, linux on 64 bits: arenas of 64 MiB in one level of table; the addresses are
// signed on amd64 (arenaBaseOffset), so that the table begins at the middle.
#define ARENA_SHIFT 26
#define ARENA_BITS 22
#define AMD64_BASE 0x800000000000
#define PAGE_SHIFT 13
#define PAGES_PER_ARENA (1u << (ARENA_SHIFT - PAGE_SHIFT))
#define SPAN_IN_USE 1 // mheap.go mSpanInUse; 2 are stacks and other memory of the runtime's own

target_addr span_arena(const struct runtime *rt, target_addr address)
{
	target_addr arenas = runtime_field_address(rt, VAR_MHEAP, MHEAP_ARENAS);
	uint64_t base = image_arch(rt->image) == ARCH_AMD64 ? AMD64_BASE : 0;
	uint64_t arena = (address + base) >> ARENA_SHIFT;
	target_addr table, heap_arena;

	if (!arenas || arena >> ARENA_BITS || image_read_u64(rt->image, arenas, &table) != CS_OK ||
		!table || image_read_u64(rt->image, table + arena * 8, &heap_arena) != CS_OK)
		return 0;
	return heap_arena;
}

/** The mspan that the heap's tables have for the page of `address`; 0: none. */
static target_addr find_mspan(const struct runtime *rt, target_addr address)
{
	uint64_t page = (address >> PAGE_SHIFT) % PAGES_PER_ARENA;
	target_addr heap_arena = span_arena(rt, address), mspan;

	if (!heap_arena || !layout_has(&rt->layout, HEAP_ARENA_SPANS) ||
		image_read_u64(rt->image,
			heap_arena + layout_value(&rt->layout, HEAP_ARENA_SPANS) + page * 8,
			&mspan) != CS_OK)
		return 0;
	return mspan;
}

bool span_find(const struct runtime *rt, target_addr address, struct span *ret)
{
	target_addr mspan = find_mspan(rt, address);
	struct object object;
	struct span span;
	uint64_t pages, used;

	if (!mspan)
		return false;
	object = object_load(rt, mspan, OBJECT_SPAN);
	if (!object.bytes || object_get(rt, object, SPAN_STATE) != SPAN_IN_USE)
		return false;
	span.start = object_get(rt, object, SPAN_START);
	span.element_size = object_get(rt, object, SPAN_ELEMENT_SIZE);
	span.count = object_get(rt, object, SPAN_COUNT);
	pages = object_get(rt, object, SPAN_PAGES);
	if (!span.element_size || !checked_mul(pages, 1u << PAGE_SHIFT, &span.size) ||
		!checked_mul(span.count, span.element_size, &used) || used > span.size ||
		address < span.start || address - span.start >= span.size)
		return false;
	*ret = span;
	return true;
}

target_addr span_object(const struct span *span, target_addr address)
{
	uint64_t index = (address - span->start) / span->element_size;

	return index < span->count ? span->start + index * span->element_size : address;
}
