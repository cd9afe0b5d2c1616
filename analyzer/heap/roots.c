// All kinds of queues and lists here lie outside the heap: they are walked, not marked.
#include "analyzer/heap/roots.h"

#include "common/limits.h"

#define FINALIZER_WORDS 5 // runtime/mfinal.go finalizer{fn, arg, nret, fint, ot}

static const char variables_missing[] = "the program's variables are not all in the core";
static const char specials_missing[] = "the list of finalizers is not readable";
static const char queues_missing[] = "the queue of finalizers is not readable";
static const char cleanups_missing[] = "the queue of cleanups is not readable";

/** One section of variables and its map. */
static bool mark_section(
	struct mark *mark, target_addr start, target_addr end, target_addr bits, uint64_t bit_count)
{
	const struct image *image = mark->heap->rt->image;
	uint64_t words = end > start ? (end - start) / 8 : 0;
	const uint8_t *map;

	if (bit_count > INT32_MAX)
		return false;
	if (words > bit_count) // the map ends with the last pointer
		words = bit_count;
	if (!words)
		return true;
	map = image_view_bytes(image, bits, (words + 7) / 8);
	return map && mark_words(mark, start, words, map);
}

static bool mark_variables(struct mark *mark)
{
	const struct runtime *rt = mark->heap->rt;

	for (size_t i = 0; i < rt->module_count; i++) {
		struct object module = object_load(rt, rt->modules[i].address, OBJECT_MODULE);

		if (!module.bytes ||
			!mark_section(mark, object_get(rt, module, MODULE_DATA),
				object_get(rt, module, MODULE_DATA_END),
				object_get(rt, module, MODULE_DATA_MASK),
				object_get(rt, module, MODULE_DATA_BITS)) ||
			!mark_section(mark, object_get(rt, module, MODULE_BSS),
				object_get(rt, module, MODULE_BSS_END),
				object_get(rt, module, MODULE_BSS_MASK),
				object_get(rt, module, MODULE_BSS_BITS)))
			return false;
	}
	return true;
}

/** A constant of this release's. */
static bool is_kind(const struct runtime *rt, uint64_t kind, enum layout_id id)
{
	return layout_has(&rt->layout, id) && kind == layout_value(&rt->layout, id);
}

static bool mark_field(struct mark *mark, target_addr special, enum layout_id id)
{
	const struct layout *layout = &mark->heap->rt->layout;

	return layout_has(layout, id) && mark_words(mark, special + layout_value(layout, id),
						 layout_size(layout, id) / 8, NULL);
}

/** mgcmark.go markrootSpans. What has a finalizer is not reached by it, but what it points to is.
 */
static bool mark_special(
	struct mark *mark, uint32_t span, struct object special, enum roots_weak weak)
{
	const struct runtime *rt = mark->heap->rt;
	uint64_t kind = object_get(rt, special, SPECIAL_KIND);
	target_addr address =
		mark->heap->spans[span].start + object_get(rt, special, SPECIAL_OFFSET);
	struct heap_slot slot;

	if (is_kind(rt, kind, SPECIAL_KIND_WEAK_HANDLE)) {
		if (weak == ROOTS_WITH_WEAK)
			mark_word(mark, address);
		return mark_field(mark, special.address, SPECIAL_WEAK_HANDLE);
	}
	if (is_kind(rt, kind, SPECIAL_KIND_CLEANUP))
		return mark_field(mark, special.address, SPECIAL_CLEANUP);
	if (!is_kind(rt, kind, SPECIAL_KIND_FINALIZER))
		return true;
	if (heap_find(mark->heap, address, &slot))
		mark_contents(mark, slot);
	return mark_field(mark, special.address, SPECIAL_FINALIZER);
}

static bool mark_specials(struct mark *mark, enum roots_weak weak)
{
	const struct runtime *rt = mark->heap->rt;
	uint64_t budget = MAX_SPECIALS;

	for (size_t i = 0; i < mark->heap->special_count; i++) {
		target_addr at = mark->heap->specials[i].first;

		while (at) {
			struct object special = object_load(rt, at, OBJECT_SPECIAL);

			if (!special.bytes || !budget-- ||
				!mark_special(mark, mark->heap->specials[i].span, special, weak))
				return false;
			at = object_get(rt, special, SPECIAL_NEXT);
		}
	}
	return true;
}

/** A list of blocks, each with a number of entries. */
struct block_list {
	target_addr first;
	enum layout_id next, count, list;
	uint64_t entry_words;
};

static bool mark_blocks(struct mark *mark, const struct block_list *blocks)
{
	const struct runtime *rt = mark->heap->rt;
	const struct layout *layout = &rt->layout;
	target_addr at = blocks->first;
	uint32_t count;

	if (!layout_has(layout, blocks->next) || !layout_has(layout, blocks->count) ||
		!layout_has(layout, blocks->list))
		return false;
	for (uint32_t i = 0; at; i++) {
		uint64_t words;

		if (i == MAX_FINALIZER_BLOCKS ||
			image_read_u32(rt->image, at + layout_value(layout, blocks->count),
				&count) != CS_OK)
			return false;
		words = count * blocks->entry_words;
		if (words > layout_size(layout, blocks->list) / 8 ||
			!mark_words(mark, at + layout_value(layout, blocks->list), words, NULL) ||
			image_read_u64(rt->image, at + layout_value(layout, blocks->next), &at) !=
				CS_OK)
			return false;
	}
	return true;
}

static bool mark_finalizer_queue(struct mark *mark)
{
	struct block_list blocks = {.next = FINALIZERS_NEXT_BLOCK,
		.count = FINALIZERS_IN_BLOCK,
		.list = FINALIZERS_LIST,
		.entry_words = FINALIZER_WORDS};

	return runtime_read_variable(mark->heap->rt, VAR_ALL_FINALIZERS, &blocks.first) &&
	       mark_blocks(mark, &blocks);
}

/** 1.25 and later; before, cleanups that are to run stand among the finalizers. */
static bool mark_cleanup_queue(struct mark *mark)
{
	const struct runtime *rt = mark->heap->rt;
	struct block_list blocks = {.next = CLEANUPS_NEXT,
		.count = CLEANUPS_COUNT,
		.list = CLEANUPS_LIST,
		.entry_words = layout_size(&rt->layout, SPECIAL_CLEANUP) / 8};

	if (!layout_has(&rt->layout, CLEANUPS_ALL))
		return true;
	return runtime_read_field(rt, VAR_CLEANUPS, CLEANUPS_ALL, &blocks.first) &&
	       mark_blocks(mark, &blocks);
}

const char *roots_mark(struct mark *mark, enum roots_weak weak)
{
	if (!mark_variables(mark))
		return variables_missing;
	if (!mark_specials(mark, weak))
		return specials_missing;
	if (!mark_finalizer_queue(mark))
		return queues_missing;
	return mark_cleanup_queue(mark) ? NULL : cleanups_missing;
}
