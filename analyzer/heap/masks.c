// Mirrors runtime/type.go getGCMask and buildGCMask (go1.24 to go1.27). A program instead of bits
// (1.18 to 1.23 KindGCProg) is not run: of such a type every word may be a pointer.
#include "analyzer/heap/masks.h"

#include "analyzer/runtime/types.h"
#include "common/limits.h"
#include "common/u64map.h"

#define WORD 8

struct masks {
	const struct runtime *rt;
	struct arena *arena;
	struct types *types;
	struct u64map by_type; // to its index
	struct mask *list;
	size_t count, capacity;
	target_addr last_type; // asked for last
	struct mask last;
};

struct masks *masks_create(const struct runtime *rt, struct arena *arena)
{
	struct masks *masks = arena_alloc(arena, sizeof(*masks));

	if (!masks)
		return NULL;
	*masks = (struct masks){.rt = rt, .arena = arena, .types = types_create(rt, arena)};
	u64map_init(&masks->by_type, arena);
	return masks->types ? masks : NULL;
}

/** Bits that are being made. */
struct bits {
	uint8_t *bytes;
	uint64_t count;  // words
	uint64_t budget; // parts that may yet be looked at
};

static bool set_bit(struct bits *bits, uint64_t offset)
{
	if (offset % WORD || offset / WORD >= bits->count)
		return false;
	bits->bytes[offset / WORD / 8] |= (uint8_t)(1u << offset / WORD % 8);
	return true;
}

static bool add_type(struct bits *bits, struct type *type, uint64_t offset, unsigned int depth);

static bool add_parts(struct bits *bits, struct type *type, uint64_t offset, unsigned int depth)
{
	if (type->kind == GO_STRUCT) {
		for (uint32_t i = 0; i < type->field_count; i++)
			if (!add_type(bits, type->fields[i].type, offset + type->fields[i].offset,
				    depth))
				return false;
		return true;
	}
	if (!type_load(type->element))
		return false;
	if (!type_has_pointers(type->element))
		return true;
	for (uint64_t i = 0; i < type->length; i++)
		if (!add_type(bits, type->element, offset + i * type->element->size, depth))
			return false;
	return true;
}

/** Sets the bits of a value of `type` at `offset`. False: the type does not tell. */
static bool add_type(struct bits *bits, struct type *type, uint64_t offset, unsigned int depth)
{
	if (!bits->budget || !depth || !type_load(type))
		return false;
	bits->budget--;
	switch (type->kind) {
	case GO_ARRAY:
	case GO_STRUCT:
		return add_parts(bits, type, offset, depth - 1);
	case GO_CHAN:
	case GO_FUNC:
	case GO_MAP:
	case GO_POINTER:
	case GO_SLICE:
	case GO_STRING:
	case GO_UNSAFE_POINTER:
		return set_bit(bits, offset);
	case GO_INTERFACE:
		return set_bit(bits, offset) && set_bit(bits, offset + WORD);
	case GO_INVALID:
		return false;
	default:
		return true;
	}
}

/** The bits of the type's own parts; NULL where they do not fit together. */
static const uint8_t *make_bits(struct masks *masks, target_addr address, uint64_t words)
{
	struct type *type = types_at(masks->types, address);
	struct bits bits = {.count = words, .budget = MAX_MASK_PARTS};

	if (!type || words > MAX_MASK_WORDS)
		return NULL;
	bits.bytes = arena_array(masks->arena, (words + 7) / 8, 1);
	if (!bits.bytes || !add_type(&bits, type, 0, MAX_MASK_DEPTH))
		return NULL;
	return bits.bytes;
}

static bool has_flag(const struct runtime *rt, uint64_t flags, enum layout_id id)
{
	return layout_has(&rt->layout, id) && flags & layout_value(&rt->layout, id);
}

static const uint8_t *find_bits(struct masks *masks, struct object type, uint64_t words)
{
	const struct runtime *rt = masks->rt;
	target_addr address = object_get(rt, type, TYPE_POINTER_MASK);
	uint64_t flags = object_get(rt, type, TYPE_TFLAG);

	if (has_flag(rt, flags, TFLAG_MASK_ON_DEMAND)) {
		if (image_read_u64(rt->image, address, &address) != CS_OK)
			return NULL;
		if (!address)
			return make_bits(masks, type.address, words);
	} else if (has_flag(rt, object_get(rt, type, TYPE_KIND), KIND_GC_PROGRAM) &&
		   !has_flag(rt, flags, TFLAG_UNROLLED_MASK)) {
		return NULL;
	}
	return image_view_bytes(rt->image, address, (words + 7) / 8);
}

static struct mask load(struct masks *masks, target_addr address)
{
	const struct runtime *rt = masks->rt;
	struct object type = object_load(rt, address, OBJECT_TYPE);
	struct mask mask = {0};
	uint64_t size, pointers;

	if (!type.bytes)
		return mask;
	size = object_get(rt, type, TYPE_SIZE);
	pointers = object_get(rt, type, TYPE_POINTER_BYTES);
	if (!size || size > MAX_TYPE_SIZE || pointers > size || size % WORD || pointers % WORD)
		return mask;
	mask.words = size / WORD;
	mask.pointers = pointers / WORD;
	mask.bits = find_bits(masks, type, mask.pointers);
	return mask;
}

struct mask masks_find(struct masks *masks, target_addr type)
{
	struct mask *grown;
	uint64_t index;

	if (type == masks->last_type && masks->count)
		return masks->last;
	if (u64map_get(&masks->by_type, type, &index)) {
		masks->last_type = type;
		masks->last = masks->list[index];
		return masks->last;
	}
	grown = arena_grow(
		masks->arena, masks->list, &masks->capacity, masks->count + 1, sizeof(*grown));
	if (!grown || !u64map_put(&masks->by_type, type, masks->count))
		return (struct mask){0};
	masks->list = grown;
	masks->last_type = type;
	return masks->last = grown[masks->count++] = load(masks, type);
}
