// Reads runtime/symtab.go's stackmap {n, nbit int32, bytes} and runtime/stack.go's
// stackObjectRecord; go1.18 to go1.27 have the same ones.
#include "analyzer/unwind/stack_map.h"

#include "analyzer/core/arch.h"
#include "common/limits.h"

#include <string.h>

#define WORD 8
#define STACK_MAP_HEADER 8
#define OBJECTS_HEADER 8      // the number of records
#define OBJECT_RECORD_SIZE 16 // off, size, ptrBytes int32; gcdataoff uint32

/** Bitmap `index` of the stackmap at `address`: `ret` keeps its start. False: damaged. */
static bool load_bits(
	const struct runtime *rt, target_addr address, uint32_t index, struct pointer_words *ret)
{
	uint32_t maps, bits, stride;

	ret->count = 0;
	if (!address)
		return true;
	if (image_read_u32(rt->image, address, &maps) != CS_OK ||
		image_read_u32(rt->image, address + 4, &bits) != CS_OK || maps > INT32_MAX ||
		bits > MAX_STACK_MAP_WORDS)
		return false;
	if (!bits)
		return true;
	if (index >= maps)
		return false;
	stride = (bits + 7) / 8;
	ret->bits =
		runtime_bytes(rt, address + STACK_MAP_HEADER + (uint64_t)index * stride, stride);
	ret->count = ret->bits ? bits : 0;
	return ret->bits;
}

/**
 * traceback.go: behind the return address, or where it would lie, the arguments begin; below it, where
 * the function has a frame, lies the saved frame pointer.
 */
static void find_bases(const struct runtime *rt, const struct code_place *place, target_addr sp,
	struct stack_map *map)
{
	const struct arch *arch = arch_of(rt->image);
	target_addr end = sp + (uint64_t)place->frame_size;

	map->varp = end - arch->pushed_by_call;
	map->argp = end + arch->minimum_frame;
	if (map->varp > sp)
		map->varp -= WORD;
}

static void load_objects(
	const struct runtime *rt, const struct code_place *place, struct stack_map *map)
{
	uint64_t count;

	if (!place->stack_objects ||
		image_read_u64(rt->image, place->stack_objects, &count) != CS_OK ||
		count > MAX_STACK_OBJECTS)
		return;
	map->objects = place->stack_objects + OBJECTS_HEADER;
	map->object_count = (uint32_t)count;
}

bool stack_map_load(const struct runtime *rt, const struct code_place *place, target_addr sp,
	struct stack_map *ret)
{
	struct stack_map map = {0};

	if (place->map_index == NO_STACK_MAP || !place->has_frame_size)
		return false;
	find_bases(rt, place, sp, &map);
	if (map.varp > sp &&
		!load_bits(rt, place->local_maps, (uint32_t)place->map_index, &map.locals))
		return false;
	if (!load_bits(rt, place->argument_maps, (uint32_t)place->map_index, &map.arguments))
		return false;
	map.locals.start = map.varp - (uint64_t)map.locals.count * WORD;
	map.arguments.start = map.argp;
	map.rodata = place->rodata;
	load_objects(rt, place, &map);
	*ret = map;
	return true;
}

/** Every bitmap of the stackmap at `address` in one. */
static bool load_any_bits(const struct runtime *rt, target_addr address, struct pointer_words *ret)
{
	struct pointer_words one = {0};
	uint32_t maps;
	uint8_t *bits;

	if (!address)
		return true;
	if (!load_bits(rt, address, 0, &one))
		return false;
	if (!one.count)
		return true;
	bits = arena_array(rt->arena, (one.count + 7) / 8, 1);
	if (!bits || image_read_u32(rt->image, address, &maps) != CS_OK || maps > MAX_STACK_MAPS)
		return false;
	for (uint32_t i = 0; i < maps; i++) {
		if (!load_bits(rt, address, i, &one))
			return false;
		for (uint32_t k = 0; k < (one.count + 7) / 8; k++)
			bits[k] |= one.bits[k];
	}
	*ret = (struct pointer_words){.bits = bits, .count = one.count};
	return true;
}

bool stack_map_load_any(const struct runtime *rt, const struct code_place *place, target_addr sp,
	struct stack_map *ret)
{
	struct stack_map map = {.rodata = place->rodata};

	if (!place->has_frame_size)
		return false;
	find_bases(rt, place, sp, &map);
	if (!load_any_bits(rt, place->local_maps, &map.locals))
		return false;
	map.locals.start = map.varp - (uint64_t)map.locals.count * WORD;
	map.arguments.start = map.argp;
	load_objects(rt, place, &map);
	*ret = map;
	return true;
}

bool stack_map_object(const struct runtime *rt, const struct stack_map *map, uint32_t index,
	struct stack_object *ret)
{
	int32_t record[OBJECT_RECORD_SIZE / sizeof(int32_t)];
	struct stack_object object = {0};

	if (index >= map->object_count ||
		image_read(rt->image, map->objects + (uint64_t)index * OBJECT_RECORD_SIZE, record,
			sizeof(record)) != CS_OK ||
		record[1] < 0)
		return false;
	object.start = (record[0] < 0 ? map->varp : map->argp) + (uint64_t)(int64_t)record[0];
	object.size = (uint32_t)record[1];
	object.pointers.start = object.start;
	// Until 1.23 a negative size means a program instead of a mask: then its words are unknown.
	if (map->rodata && record[2] > 0 && (uint32_t)record[2] / WORD <= MAX_STACK_MAP_WORDS) {
		uint32_t words = (uint32_t)record[2] / WORD;

		object.pointers.bits =
			runtime_bytes(rt, map->rodata + (uint32_t)record[3], (words + 7) / 8);
		object.pointers.count = object.pointers.bits ? words : 0;
	}
	*ret = object;
	return true;
}
