#include "analyzer/values/leaves.h"

#include "common/limits.h"

#include <string.h>

#define WORD 8

struct list {
	struct leaf *leaves;
	uint32_t count, max;
	uint32_t budget; // types that may still be looked at
	bool is_over;
};

static void add(struct list *list, uint64_t offset, uint64_t size)
{
	if (list->count == list->max)
		list->is_over = true;
	else if (size)
		list->leaves[list->count++] = (struct leaf){offset, size};
}

static void add_words(struct list *list, uint64_t offset, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add(list, offset + (uint64_t)i * WORD, WORD);
}

static void add_type(struct list *list, struct type *type, uint64_t offset, uint32_t depth)
{
	if (list->is_over || !depth || !list->budget || !type_load(type)) {
		list->is_over = true;
		return;
	}
	list->budget--;
	switch ((int)type->kind) {
	case GO_STRING:
	case GO_INTERFACE:
		add_words(list, offset, 2);
		break;
	case GO_SLICE:
		add_words(list, offset, 3);
		break;
	case GO_COMPLEX64:
	case GO_COMPLEX128:
		add(list, offset, type->size / 2);
		add(list, offset + type->size / 2, type->size / 2);
		break;
	case GO_STRUCT:
		for (uint32_t i = 0; i < type->field_count && !list->is_over; i++)
			add_type(list, type->fields[i].type, offset + type->fields[i].offset,
				depth - 1);
		break;
	case GO_ARRAY:
		for (uint64_t i = 0; i < type->length && !list->is_over; i++)
			add_type(list, type->element, offset + i * type->element->size, depth - 1);
		break;
	default:
		add(list, offset, type->size);
	}
}

uint32_t leaves_of(struct type *type, struct leaf *ret, uint32_t max)
{
	struct list list = {.leaves = ret, .max = max, .budget = MAX_TYPE_PARTS};

	add_type(&list, type, 0, MAX_STRUCT_DEPTH);
	return list.is_over ? 0 : list.count;
}

static uint64_t total_size(const struct dwarf_location *location)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < location->count; i++)
		total += location->pieces[i].size;
	return total;
}

bool leaves_pad(struct type *type, struct dwarf_location *location)
{
	struct leaf leaves[MAX_DWARF_PIECES];
	struct dwarf_piece padded[MAX_DWARF_PIECES];
	uint32_t count, to = 0;
	uint64_t at = 0;

	// One piece is the whole; as many bytes as the type has leave none between them.
	if (location->count < 2 || total_size(location) == type->size)
		return true;
	count = leaves_of(type, leaves, MAX_DWARF_PIECES);
	if (count != location->count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t gap = leaves[i].offset - at;

		if (leaves[i].offset < at || leaves[i].size != location->pieces[i].size ||
			to + 2 > MAX_DWARF_PIECES || gap > UINT32_MAX)
			return false;
		if (gap)
			padded[to++] = (struct dwarf_piece){
				.kind = DWARF_PIECE_NONE, .size = (uint32_t)gap};
		padded[to++] = location->pieces[i];
		at = leaves[i].offset + leaves[i].size;
	}
	memcpy(location->pieces, padded, to * sizeof(*padded));
	location->count = to;
	return true;
}
