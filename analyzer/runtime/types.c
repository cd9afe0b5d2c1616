// Descriptors, cached by address and read on demand:
//
//	abi.Type | what the kind adds (elem, fields …) | UncommonType (package path) | methods
//
// What the kinds add has been the same in every release from 1.18 to 1.27 (runtime/type.go, since
// 1.21 internal/abi/type.go), but for maps, whose fields are rows of layout.def.
#include "analyzer/runtime/types.h"

#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"
#include "common/u64map.h"

#include <inttypes.h>
#include <string.h>

#define KIND_MASK 31             // internal/abi/type.go KindMask; flag bits lie above it until 1.25
#define KIND_DIRECT (1u << 5)    // KindDirectIface, until 1.25
#define TFLAG_UNCOMMON (1u << 0) // an UncommonType follows
#define TFLAG_EXTRA_STAR (1u << 1) // the stored name has a * in front that is not the type's
#define TFLAG_NAMED (1u << 2)
#define TFLAG_DIRECT (1u << 5)  // TFlagDirectIface, 1.26
#define NAME_EMBEDDED (1u << 3) // in a field's name, since 1.19

/* Behind abi.Type; bytes from the descriptor's begin. */
#define DESCRIPTOR_SIZE 48
#define ELEMENT 48           // ArrayType, ChanType, PtrType, SliceType; MapType: Key
#define CHAN_DIRECTION 56    // ChanType.Dir: 1 receive, 2 send
#define MAP_ELEMENT 56       // MapType.Elem
#define ARRAY_LENGTH 64      // ArrayType.Len
#define INTERFACE_METHODS 56 // InterfaceType.Methods, a slice
#define STRUCT_FIELDS 56     // StructType.Fields, a slice
#define STRUCT_FIELD_SIZE 24 // {Name *byte, Typ *Type, Offset uintptr}
#define END_UNKNOWN UINT64_MAX

#define UNCOMMON_SIZE 16 // UncommonType: {PkgPath int32, Mcount, Xcount uint16, Moff uint32, _}
#define METHOD_SIZE 16   // Method: {Name, Mtyp, Ifn, Tfn int32}

/* internal/abi/iface.go ITab; runtime/runtime2.go itab until 1.21. */
#define ITAB_SIZE 24 // as far as it is read: Inter, Type, Hash

#define OLD_KEY_INDIRECT (1u << 0) // maptype.flags until 1.23, and with noswissmap
#define OLD_ELEM_INDIRECT (1u << 1)
#define MAP_KEY_INDIRECT (1u << 2) // internal/abi/map.go MapIndirectKey, 1.24
#define MAP_ELEM_INDIRECT (1u << 3)
#define MAP_SLOTS 8        // of a bucket, of a group
#define MAP_MAX_INLINE 128 // bytes of a key or element that is not behind a pointer

struct types {
	const struct runtime *rt; // borrowed
	struct arena *arena;      // borrowed
	struct u64map by_address; // descriptor to struct described
	struct u64map pointers;   // element to made-up pointer type
	struct type basic[GO_UNSAFE_POINTER + 1];
	uint32_t made_depth; // types made by reflect that are being named
};

/** A type with what only this source knows of it. */
struct described {
	struct type type; // the first member: a struct type of ours is one
	struct types *types;
	bool is_direct;
};

static struct described *described(const struct type *type)
{
	return (struct described *)type->source;
}

/** Where type data lies that holds `address`: its first byte; 0: in no module. */
static target_addr section_of(const struct runtime *rt, target_addr address)
{
	const struct module *module = modules_of_type(rt, address);

	return module ? module->types : 0;
}

/** An abi.Name: a flag byte, the length as a varint, the bytes. */
static const char *load_name(
	struct types *types, target_addr address, bool has_extra_star, uint8_t *flags_ret)
{
	const struct runtime *rt = types->rt;
	const uint8_t *text;
	uint8_t head[6];
	struct cursor c;
	uint64_t length;
	char *name;

	if (image_read(rt->image, address, head, sizeof(head)) != CS_OK)
		return NULL;
	c = cursor_over(head, sizeof(head));
	*flags_ret = cursor_u8(&c);
	length = cursor_uleb(&c);
	if (c.bad || length > MAX_TYPE_NAME)
		return NULL;
	address += c.offset;
	if (has_extra_star && length) {
		address++;
		length--;
	}
	text = image_view_bytes(rt->image, address, length);
	if (text || !length)
		return arena_copy(types->arena, text, length);
	name = arena_alloc(types->arena, length + 1);
	return name && image_read(rt->image, address, name, length) == CS_OK ? name : NULL;
}

static struct type *lazy_type(struct types *types, target_addr descriptor);

/**
 * A type within another. One that no module has (reflect makes some) is an unknown one, and what it
 * is part of stays good.
 */
static struct type *part_type(struct types *types, target_addr descriptor)
{
	struct type *type = lazy_type(types, descriptor);

	return type ? type : types_unknown(types, NULL);
}

static struct type *type_at_word(struct types *types, target_addr address)
{
	uint64_t word;

	if (image_read_u64(types->rt->image, address, &word) != CS_OK)
		return NULL;
	return part_type(types, word);
}

/** Bytes of a descriptor of this kind, before its UncommonType. */
static uint64_t descriptor_size(const struct types *types, enum go_kind kind)
{
	const struct layout *layout = &types->rt->layout;

	switch ((int)kind) {
	case GO_ARRAY:
		return DESCRIPTOR_SIZE + 24;
	case GO_CHAN:
		return DESCRIPTOR_SIZE + 16;
	case GO_FUNC:
	case GO_POINTER:
	case GO_SLICE:
		return DESCRIPTOR_SIZE + 8;
	case GO_INTERFACE:
	case GO_STRUCT:
		return DESCRIPTOR_SIZE + 32;
	case GO_MAP: // Flags is the last field of every one of them
		return (layout_value(layout, MAP_TYPE_FLAGS) + 4 + 7) & ~UINT64_C(7);
	default:
		return DESCRIPTOR_SIZE;
	}
}

/** UncommonType.PkgPath; NULL where there is none. */
static const char *load_package(struct types *types, const struct type *type)
{
	target_addr section = section_of(types->rt, type->descriptor);
	uint32_t offset;
	uint8_t flags;
	const char *path;

	if (image_read_u32(types->rt->image, type->descriptor + descriptor_size(types, type->kind),
		    &offset) != CS_OK ||
		!offset)
		return NULL;
	path = load_name(types, section + offset, false, &flags);
	return path && path[0] ? path : NULL;
}

static bool load_field(
	struct types *types, const uint8_t *bytes, uint64_t struct_size, struct type_field *ret)
{
	uint64_t words[STRUCT_FIELD_SIZE / 8]; // name, type, offset
	uint8_t flags;

	memcpy(words, bytes, sizeof(words));
	ret->name = load_name(types, words[0], false, &flags);
	ret->type = part_type(types, words[1]);
	ret->offset = words[2];
	ret->is_embedded = flags & NAME_EMBEDDED;
	if (layout_has(&types->rt->layout, FIELD_OFFSET_EMBEDDED)) {
		ret->is_embedded = ret->offset & 1;
		ret->offset >>= 1;
	}
	return ret->name && ret->type && ret->offset <= struct_size;
}

static uint64_t align_up(uint64_t offset, uint64_t alignment)
{
	return alignment ? (offset + alignment - 1) / alignment * alignment : offset;
}

/**
 * Whether the field lies right behind those before, which end at `*end`, as the compiler lays them;
 * else its offset was read by another release's layout. `*end` becomes its own end.
 */
static bool is_next(const struct runtime *rt, const struct type_field *field, uint64_t *end)
{
	struct object type = object_load(rt, field->type->descriptor, OBJECT_TYPE);
	uint64_t before = *end;
	*end = END_UNKNOWN;
	if (!field->type->descriptor || !type.bytes)
		return true;
	return (before == END_UNKNOWN ||
		       align_up(before, object_get(rt, type, TYPE_ALIGN)) == field->offset) &&
	       checked_add(field->offset, object_get(rt, type, TYPE_SIZE), end);
}

static bool load_fields(struct types *types, struct type *type)
{
	struct type_field *fields;
	const uint8_t *bytes;
	target_addr data;
	uint64_t count, end = 0;

	if (!runtime_slice(types->rt, type->descriptor + STRUCT_FIELDS, &data, &count) ||
		count > MAX_TYPE_FIELDS)
		return false;
	bytes = runtime_bytes(types->rt, data, count * STRUCT_FIELD_SIZE);
	fields = arena_array(types->arena, count, sizeof(*fields));
	if (count && (!bytes || !fields))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!load_field(types, bytes + i * STRUCT_FIELD_SIZE, type->size, &fields[i]) ||
			!is_next(types->rt, &fields[i], &end))
			return false;
	type->fields = fields;
	type->field_count = (uint32_t)count;
	return true;
}

static bool load_array(struct types *types, struct type *type)
{
	uint64_t total;

	type->element = type_at_word(types, type->descriptor + ELEMENT);
	if (!type->element || image_read_u64(types->rt->image, type->descriptor + ARRAY_LENGTH,
				      &type->length) != CS_OK)
		return false;
	// The element's size is not known yet, as its descriptor may be this one again.
	return checked_mul(type->length, 1, &total) && total <= MAX_TYPE_SIZE;
}

/** What the kind adds. */
static bool load_tail(struct types *types, struct type *type)
{
	uint64_t methods;

	switch ((int)type->kind) {
	case GO_ARRAY:
		return load_array(types, type);
	case GO_CHAN:
	case GO_POINTER:
	case GO_SLICE:
		type->element = type_at_word(types, type->descriptor + ELEMENT);
		return type->element;
	case GO_MAP:
		type->key = type_at_word(types, type->descriptor + ELEMENT);
		type->element = type_at_word(types, type->descriptor + MAP_ELEMENT);
		return type->key && type->element;
	case GO_STRUCT:
		return load_fields(types, type);
	case GO_INTERFACE:
		if (image_read_u64(types->rt->image, type->descriptor + INTERFACE_METHODS + 8,
			    &methods) != CS_OK)
			return false;
		type->has_methods = methods;
		return true;
	default:
		return true;
	}
}

/** A descriptor that contradicts its own kind is garbage. */
static bool is_sane(const struct type *type)
{
	uint64_t size;

	if (type->kind == GO_INVALID || type->kind > GO_UNSAFE_POINTER ||
		type->size > MAX_TYPE_SIZE)
		return false;
	size = go_kind_size(type->kind);
	return !size || type->size == size;
}

/**
 * The name of a type that package reflect made while the program ran (PointerTo, SliceOf …): its
 * descriptor is in the heap and its name in a table of reflect's, so it is put together as Go
 * would. NULL: it is none of these, or what it is made of is not known.
 */
static const char *made_name(struct types *types, const struct type *type)
{
	const char *element = type_load(type->element) ? type->element->name : NULL;
	uint64_t direction;

	switch ((int)type->kind) {
	case GO_POINTER:
		return element ? arena_format(types->arena, "*%s", element) : NULL;
	case GO_SLICE:
		return element ? arena_format(types->arena, "[]%s", element) : NULL;
	case GO_ARRAY:
		return element ? arena_format(
					 types->arena, "[%" PRIu64 "]%s", type->length, element)
			       : NULL;
	case GO_MAP:
		return element && type_load(type->key)
			       ? arena_format(types->arena, "map[%s]%s", type->key->name, element)
			       : NULL;
	case GO_CHAN:
		if (!element || image_read_u64(types->rt->image, type->descriptor + CHAN_DIRECTION,
					&direction) != CS_OK)
			return NULL;
		return arena_format(types->arena, "%s %s",
			direction == 1   ? "<-chan"
			: direction == 2 ? "chan<-"
					 : "chan",
			element);
	default:
		return NULL;
	}
}

static const char *name_of(
	struct types *types, struct type *type, struct object descriptor, uint64_t flags)
{
	uint32_t offset = (uint32_t)object_get(types->rt, descriptor, TYPE_STR);
	target_addr section = section_of(types->rt, type->descriptor);
	const char *name = NULL;
	uint8_t ignored;

	if (section)
		return load_name(types, section + offset, flags & TFLAG_EXTRA_STAR, &ignored);
	// reflect counts the names that it makes downwards from -1 (reflect/type.go addReflectOff).
	if (offset >> 31 && !(flags & (TFLAG_NAMED | TFLAG_UNCOMMON)) &&
		types->made_depth < MAX_STRUCT_DEPTH) {
		types->made_depth++;
		name = made_name(types, type);
		types->made_depth--;
	}
	return name;
}

static bool load_described(struct type *type)
{
	struct types *types = described(type)->types;
	const struct runtime *rt = types->rt;
	struct object descriptor = object_load(rt, type->descriptor, OBJECT_TYPE);
	uint64_t kind, flags;

	if (!descriptor.bytes)
		return false;
	kind = object_get(rt, descriptor, TYPE_KIND);
	flags = object_get(rt, descriptor, TYPE_TFLAG);
	type->kind = (enum go_kind)(kind & KIND_MASK);
	type->size = object_get(rt, descriptor, TYPE_SIZE);
	type->alignment = object_get(rt, descriptor, TYPE_ALIGN);
	type->is_named = flags & TFLAG_NAMED;
	described(type)->is_direct = kind & KIND_DIRECT || flags & TFLAG_DIRECT;
	if (!is_sane(type) || !load_tail(types, type))
		return false;
	type->name = name_of(types, type, descriptor, flags);
	if (!type->name)
		return false;
	if (flags & TFLAG_UNCOMMON && type->is_named)
		type->package = load_package(types, type);
	return true;
}

/** The one object for the descriptor, not read yet; NULL: it cannot be one, or out of memory. */
static struct type *lazy_type(struct types *types, target_addr descriptor)
{
	struct described *fresh;
	uint64_t known;

	if (u64map_get(&types->by_address, descriptor, &known))
		return &((struct described *)(uintptr_t)known)->type;
	if (descriptor % 8 ||
		(!section_of(types->rt, descriptor) &&
			!image_view_bytes(types->rt->image, descriptor, DESCRIPTOR_SIZE)))
		return NULL;
	fresh = arena_alloc(types->arena, sizeof(*fresh));
	if (!fresh || !u64map_put(&types->by_address, descriptor, (uintptr_t)fresh))
		return NULL;
	fresh->types = types;
	fresh->type =
		(struct type){.descriptor = descriptor, .source = fresh, .load = load_described};
	return &fresh->type;
}

struct types *types_create(const struct runtime *rt, struct arena *arena)
{
	struct types *types = arena_alloc(arena, sizeof(*types));

	if (!types)
		return NULL;
	*types = (struct types){.rt = rt, .arena = arena};
	u64map_init(&types->by_address, arena);
	u64map_init(&types->pointers, arena);
	return types;
}

struct type *types_at(struct types *types, target_addr descriptor)
{
	struct type *type = lazy_type(types, descriptor);

	return type_load(type) ? type : NULL;
}

struct type *types_of_itab(struct types *types, target_addr itab, struct type **interface_ret)
{
	const struct runtime *rt = types->rt;
	struct type *interface, *type;
	struct object descriptor;
	uint64_t words[ITAB_SIZE / 8];

	if (image_read(rt->image, itab, words, sizeof(words)) != CS_OK)
		return NULL;
	interface = types_at(types, words[0]);
	type = types_at(types, words[1]);
	if (!interface || !type || interface->kind != GO_INTERFACE)
		return NULL;
	// One that the running program made has no hash (runtime/iface.go getitab, go1.18 to 1.27).
	descriptor = object_load(rt, words[1], OBJECT_TYPE);
	if (!descriptor.bytes ||
		((uint32_t)words[2] && object_get(rt, descriptor, TYPE_HASH) != (uint32_t)words[2]))
		return NULL;
	if (interface_ret)
		*interface_ret = interface;
	return type;
}

bool types_is_direct(const struct type *type)
{
	return type->source && described(type)->is_direct;
}

bool types_has_method(struct types *types, const struct type *type, const char *name)
{
	const struct runtime *rt = types->rt;
	target_addr section = section_of(rt, type->descriptor), uncommon, method;
	struct object descriptor = object_load(rt, type->descriptor, OBJECT_TYPE);
	uint8_t head[UNCOMMON_SIZE];
	struct cursor c;
	uint16_t count;
	uint32_t offset;

	if (!section || !descriptor.bytes ||
		!(object_get(rt, descriptor, TYPE_TFLAG) & TFLAG_UNCOMMON))
		return false;
	uncommon = type->descriptor + descriptor_size(types, type->kind);
	if (image_read(rt->image, uncommon, head, sizeof(head)) != CS_OK)
		return false;
	c = cursor_over(head, sizeof(head));
	cursor_seek(&c, 6);                 // PkgPath, Mcount
	count = cursor_u16(&c);             // Xcount: exported ones come first
	method = uncommon + cursor_u32(&c); // Moff
	for (uint32_t i = 0; i < count; i++) {
		const char *found;
		uint8_t flags;

		if (image_read_u32(rt->image, method + (uint64_t)i * METHOD_SIZE, &offset) != CS_OK)
			return false;
		found = load_name(types, section + offset, false, &flags);
		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}

static struct type *make(
	struct types *types, enum go_kind kind, const char *prefix, const char *name)
{
	struct type *type = arena_alloc(types->arena, sizeof(*type));

	if (!type)
		return NULL;
	*type = (struct type){
		.kind = kind, .size = go_kind_size(kind), .alignment = 8, .is_loaded = true};
	type->name = arena_format(types->arena, "%s%s", prefix, name ? name : "?");
	return type->name ? type : NULL;
}

/** The program's own descriptor of *element; NULL where it has none. */
static struct type *described_pointer(struct types *types, const struct type *element)
{
	target_addr section = section_of(types->rt, element->descriptor);
	struct object descriptor = object_load(types->rt, element->descriptor, OBJECT_TYPE);
	uint64_t offset = section && descriptor.bytes
				  ? object_get(types->rt, descriptor, TYPE_POINTER_TO)
				  : 0;
	struct type *type = offset ? types_at(types, section + (uint32_t)offset) : NULL;

	return type && type->kind == GO_POINTER && type->element == element ? type : NULL;
}

struct type *types_pointer_to(struct types *types, struct type *element)
{
	struct type *type = described_pointer(types, element);
	uint64_t known;

	if (type)
		return type;

	if (u64map_get(&types->pointers, (uintptr_t)element, &known))
		return (struct type *)(uintptr_t)known;
	type = make(types, GO_POINTER, "*", element->name);
	if (!type || !u64map_put(&types->pointers, (uintptr_t)element, (uintptr_t)type))
		return NULL;
	type->element = element;
	return type;
}

struct type *types_channel_of(struct types *types, struct type *element)
{
	struct type *type = make(types, GO_CHAN, "chan ", element->name);

	if (type)
		type->element = element;
	return type;
}

struct type *types_slice_of(struct types *types, struct type *element)
{
	struct type *type = make(types, GO_SLICE, "[]", element->name);

	if (type)
		type->element = element;
	return type;
}

struct type *types_basic(struct types *types, enum go_kind kind)
{
	static const char *const names[] = {"invalid", "bool", "int", "int8", "int16", "int32",
		"int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "float32",
		"float64", "complex64", "complex128", "array", "chan", "func()", "interface {}",
		"map", "pointer", "slice", "string", "struct {}", "unsafe.Pointer"};
	struct type *type = &types->basic[kind];

	if (!type->is_loaded)
		*type = (struct type){.kind = kind,
			.name = names[kind],
			.size = go_kind_size(kind),
			.alignment = go_kind_size(kind) < 8 ? go_kind_size(kind) : 8,
			.is_named = true,
			.is_loaded = true};
	return type;
}

struct type *types_unknown(struct types *types, const char *name)
{
	return make(types, GO_INVALID, "", name);
}

static uint64_t alignment_of(const struct type *type, bool is_indirect)
{
	return is_indirect ? 8 : type->alignment ? type->alignment : 1;
}

/** The slots as the compiler lays them out: reflectdata/map.go MapGroupType, MapBucketType. */
static bool compute_slots(struct types *types, const struct type *type, struct map_slots *ret)
{
	const struct layout *layout = &types->rt->layout;
	struct map_slots s = {.key_offset = 8,
		.is_key_indirect = type->key->size > MAP_MAX_INLINE,
		.is_elem_indirect = type->element->size > MAP_MAX_INLINE};
	uint64_t key_size = s.is_key_indirect ? 8 : type->key->size;
	uint64_t elem_size = s.is_elem_indirect ? 8 : type->element->size;
	uint64_t key_alignment = alignment_of(type->key, s.is_key_indirect);
	uint64_t elem_alignment = alignment_of(type->element, s.is_elem_indirect);

	if (!layout_has(layout, GROUP_SIZE)) {
		s.key_stride = key_size;
		s.elem_offset = 8 + MAP_SLOTS * key_size;
		s.elem_stride = elem_size;
		s.size = align_up(s.elem_offset + MAP_SLOTS * elem_size, 8) + 8;
		*ret = s;
		return true;
	}
	if (types->rt->version && strstr(types->rt->version, "mapsplitgroup"))
		return false; // an experiment: all keys, then all elements
	s.elem_offset = align_up(key_size, elem_alignment);
	s.key_stride = s.elem_offset + elem_size;
	if (!elem_size && key_size) // so that its address is not that of the next slot
		s.key_stride++;
	s.key_stride = align_up(
		s.key_stride, key_alignment > elem_alignment ? key_alignment : elem_alignment);
	s.elem_stride = s.key_stride;
	s.elem_offset += 8;
	s.size = 8 + (s.key_stride ? align_up(MAP_SLOTS * s.key_stride, 8) : 8);
	*ret = s;
	return true;
}

static uint64_t map_number(struct types *types, const struct type *type, enum layout_id id)
{
	const struct layout *layout = &types->rt->layout;
	uint64_t number = 0, size = layout_size(layout, id);

	if (!layout_has(layout, id) || size > sizeof(number) ||
		image_read(types->rt->image, type->descriptor + layout_value(layout, id), &number,
			size) != CS_OK)
		return 0;
	return number;
}

static void load_bucket_slots(struct types *types, const struct type *type, struct map_slots *ret)
{
	uint64_t flags = map_number(types, type, MAP_TYPE_FLAGS);

	ret->key_offset = 8;
	ret->key_stride = map_number(types, type, BUCKET_KEY_SIZE);
	ret->elem_offset = 8 + MAP_SLOTS * ret->key_stride;
	ret->elem_stride = map_number(types, type, BUCKET_ELEM_SIZE);
	ret->size = map_number(types, type, BUCKET_SIZE);
	ret->is_key_indirect = flags & OLD_KEY_INDIRECT;
	ret->is_elem_indirect = flags & OLD_ELEM_INDIRECT;
}

static void load_group_slots(struct types *types, const struct type *type, struct map_slots *ret)
{
	uint64_t flags = map_number(types, type, MAP_TYPE_FLAGS);

	ret->size = map_number(types, type, GROUP_SIZE);
	ret->is_key_indirect = flags & MAP_KEY_INDIRECT;
	ret->is_elem_indirect = flags & MAP_ELEM_INDIRECT;
	if (layout_has(&types->rt->layout, GROUP_KEY_STRIDE)) {
		ret->key_offset = map_number(types, type, GROUP_KEYS_OFFSET);
		ret->key_stride = map_number(types, type, GROUP_KEY_STRIDE);
		ret->elem_offset = map_number(types, type, GROUP_ELEMS_OFFSET);
		ret->elem_stride = map_number(types, type, GROUP_ELEM_STRIDE);
		return;
	}
	ret->key_offset = 8;
	ret->key_stride = ret->elem_stride = map_number(types, type, GROUP_SLOT_SIZE);
	ret->elem_offset = 8 + map_number(types, type, GROUP_ELEM_OFFSET);
}

/** Whether the last slot's key and element lie within the group. */
static bool fits(const struct map_slots *s, const struct type *type)
{
	uint64_t key = s->is_key_indirect ? 8 : type->key->size;
	uint64_t elem = s->is_elem_indirect ? 8 : type->element->size;
	uint64_t max = MAX_TYPE_FIELDS;

	return s->size <= max && s->key_offset >= 8 && s->key_offset <= max &&
	       s->key_stride <= max && s->elem_offset <= max && s->elem_stride <= max &&
	       key <= max && elem <= max &&
	       s->key_offset + (MAP_SLOTS - 1) * s->key_stride + key <= s->size &&
	       s->elem_offset + (MAP_SLOTS - 1) * s->elem_stride + elem <= s->size;
}

bool types_map_slots(struct types *types, struct type *type, struct map_slots *ret)
{
	struct map_slots slots = {0};

	if (!type->descriptor) {
		if (!compute_slots(types, type, &slots))
			return false;
	} else if (layout_has(&types->rt->layout, GROUP_SIZE)) {
		load_group_slots(types, type, &slots);
	} else {
		load_bucket_slots(types, type, &slots);
	}
	if (!fits(&slots, type))
		return false;
	*ret = slots;
	return true;
}
