#include "analyzer/values/generics.h"

#include "common/limits.h"

#include <string.h>

#define WORD 8
#define REGISTER_AX 0       // DWARF's numbers of the first two arguments' registers
#define REGISTER_BX 3

/**
 * Which register carries the dictionary to a function of this name: the first, or behind a
 * receiver that is one pointer. False: it has none, or it comes in another way.
 */
static bool find_register(const char *function, uint32_t *ret)
{
	const char *close = strrchr(function, ']');

	if (!close)
		return false;
	if (!close[1]) { // main.Sum[go.shape.int]
		*ret = REGISTER_AX;
		return true;
	}
	// main.(*List[go.shape.int]).Push, and no function within it
	*ret = REGISTER_BX;
	return strstr(function, ".(*") && !strncmp(close, "]).", 3) && !strchr(close + 3, '.');
}

target_addr generic_dictionary(struct flow *flow, const struct frame_table *frames,
	const struct walk *walk, uint32_t frame)
{
	const struct code_place *place = &frames->places[walk->places[frame]];
	const struct frame *row;
	struct flow_value value;
	uint32_t number;

	if (!flow || !place->frame_count || frame + 1 >= walk->count || frame + 1 == walk->cut_at)
		return 0;
	row = &frames->frames[place->first_frame + place->frame_count - 1];
	if (image_arch(frames->rt->image) != ARCH_AMD64 || row->object || !row->function ||
		!find_register(row->function, &number) ||
		!flow_register(flow, walk, frame + 1, number, WORD, &value))
		return 0;
	return value.bits;
}

struct type *generic_type(struct types *types, const struct runtime *rt, target_addr dictionary,
	int64_t index, struct type *shape)
{
	struct type *type;
	uint64_t descriptor;

	if (!dictionary || dictionary % WORD || index < 0 || index >= MAX_DICTIONARY ||
		image_read_u64(rt->image, dictionary + (uint64_t)index * WORD, &descriptor) !=
			CS_OK ||
		!modules_of_type(rt, descriptor) || !type_load(shape))
		return shape;
	type = types_at(types, descriptor);
	return type && type->kind == shape->kind && type->size == shape->size ? type : shape;
}
