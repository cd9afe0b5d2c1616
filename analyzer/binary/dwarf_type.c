#include "analyzer/binary/dwarf_type.h"

#include "common/limits.h"

#include <ctype.h>
#include <dwarf.h>
#include <string.h>

#define WORD 8

/* A type with what only this source knows of it. */
struct entry_type {
	struct type type; // the first member: a struct type of ours is one
	struct dwarf_types *types;
	Dwarf_Off offset; // of the entry that has the kind
};

void dwarf_types_init(struct dwarf_types *types, struct dwarf *dwarf)
{
	*types = (struct dwarf_types){.dwarf = dwarf};
	u64map_init(&types->by_offset, dwarf->arena);
}

static bool is_path_character(char c)
{
	return isalnum((unsigned char)c) || strchr("_./-~%$@+", c) || (unsigned char)c >= 0x80;
}

/* Where the token at `name` ends, and where behind its last slash it begins. */
static const char *scan_path(const char *name, const char **last_ret)
{
	const char *at = name;

	*last_ret = name;
	for (; *at && is_path_character(*at); at++)
		if (*at == '/')
			*last_ret = at + 1;
	return at;
}

/* The size of "\302\267" and digits, which tell local types of one name apart; 0: none here. */
static size_t local_suffix(const char *at, const char *end)
{
	size_t digits;

	if (end - at < 3 || memcmp(at, "\xc2\xb7", 2))
		return 0;
	digits = strspn(at + 2, "0123456789");
	return digits ? digits + 2 : 0;
}

/* The bracket that closes the one at `open`; the end of the text where none does. */
static const char *matching_bracket(const char *open)
{
	int depth = 0;

	for (; *open; open++) {
		depth += (*open == '[') - (*open == ']');
		if (!depth)
			return open + 1;
	}
	return open;
}

const char *dwarf_type_name(struct arena *arena, const char *name)
{
	size_t size = strnlen(name, MAX_TYPE_NAME);
	char *ret = arena_copy(arena, name, size), *to = ret;

	if (!ret)
		return NULL;
	for (const char *at = name, *limit = name + size; at < limit && *at;) {
		const char *last, *end = scan_path(at, &last);

		if (end == at || *at == '.') { // of "...T"
			*to++ = *at++;
			continue;
		}
		if (end > limit)
			end = limit;
		while (last < end) {
			size_t suffix = local_suffix(last, end);

			last += suffix;
			if (!suffix)
				*to++ = *last++;
		}
		// Type arguments stay as they are; a map's key is no type argument.
		if (end < limit && *end == '[' && !(end - at == 3 && !memcmp(at, "map", 3))) {
			const char *close = matching_bracket(end);

			if (close > limit)
				close = limit;
			memcpy(to, end, (size_t)(close - end));
			to += close - end;
			end = close;
		}
		at = end;
	}
	*to = 0;
	return ret;
}

/* "map[", "[]", "*", "func(" and the like: a type that has no name of its own. */
static bool is_composite(const char *name)
{
	static const char *const begins[] = {
		"map[", "chan ", "<-chan ", "func(", "struct {", "interface {"};

	if (*name == '*' || *name == '[' || *name == '(' || !*name)
		return true;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* "encoding/json" of "encoding/json.Number"; NULL for predeclared types. */
static const char *package_of(struct arena *arena, const char *name)
{
	size_t size = strcspn(name, "[");
	const char *slash = memrchr(name, '/', size);
	const char *begin = slash ? slash : name;
	const char *dot = memchr(begin, '.', size - (size_t)(begin - name));

	return dot ? arena_copy(arena, name, (size_t)(dot - name)) : NULL;
}

/* Kinds of entries whose kind is not written. */
static enum go_kind kind_of_tag(int tag)
{
	switch (tag) {
	case DW_TAG_pointer_type:
		return GO_UNSAFE_POINTER; // without an element it is one: "unsafe.Pointer"
	case DW_TAG_subroutine_type:
		return GO_FUNC;
	case DW_TAG_structure_type:
		return GO_STRUCT; // the runtime's own, made by the linker: "hchan<int>"
	case DW_TAG_array_type:
		return GO_ARRAY;
	default:
		return GO_INVALID;
	}
}

static enum go_kind kind_of(Dwarf_Die *die)
{
	enum go_kind kind = kind_of_tag(dwarf_tag(die));
	uint64_t number;
	Dwarf_Die to;

	if (dwarf_number(die, DW_AT_GO_kind, &number))
		return (number & 31) <= GO_UNSAFE_POINTER ? (enum go_kind)(number & 31)
							  : GO_INVALID;
	if (kind == GO_UNSAFE_POINTER && dwarf_reference(die, DW_AT_type, &to))
		return GO_POINTER;
	return kind;
}

/* Follows typedefs to the entry with the kind; maps, channels and interfaces are typedefs too. */
static bool resolve(Dwarf_Die *die)
{
	uint64_t kind;

	for (int i = 0; i < MAX_STRUCT_DEPTH; i++) {
		if (dwarf_tag(die) != DW_TAG_typedef || dwarf_number(die, DW_AT_GO_kind, &kind))
			return true;
		if (!dwarf_reference(die, DW_AT_type, die))
			return false;
	}
	return false;
}

static bool load(struct type *type);

static struct type *invalid_type(struct dwarf_types *types, const char *name)
{
	struct type *type = arena_alloc(types->dwarf->arena, sizeof(*type));

	if (type)
		*type = (struct type){.name = name, .is_loaded = true};
	return type;
}

/* The type whose descriptor the entry names; offset 0 says that the linker left it out. */
static struct type *by_descriptor(struct dwarf_types *types, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr offset;

	if (!types->by_descriptor || !dwarf_attr(die, DW_AT_GO_runtime_type, &attribute) ||
		dwarf_formaddr(&attribute, &offset) || !offset)
		return NULL;
	return types->by_descriptor(types->context, offset);
}

/* The type of an entry, not loaded. */
static struct type *lazy_type(struct dwarf_types *types, Dwarf_Die die)
{
	struct entry_type *made;
	struct type *type;
	uint64_t known;

	if (!resolve(&die))
		return invalid_type(types, "?");
	if (u64map_get(&types->by_offset, dwarf_dieoffset(&die), &known))
		return (struct type *)(uintptr_t)known;
	type = by_descriptor(types, &die);
	if (!type) {
		made = arena_alloc(types->dwarf->arena, sizeof(*made));
		if (!made)
			return NULL;
		*made = (struct entry_type){.types = types, .offset = dwarf_dieoffset(&die)};
		made->type.load = load;
		made->type.source = made;
		type = &made->type;
	}
	if (!u64map_put(&types->by_offset, dwarf_dieoffset(&die), (uintptr_t)type))
		return NULL;
	return type;
}

static struct type *referred(struct dwarf_types *types, Dwarf_Die *die, unsigned int attribute)
{
	Dwarf_Die to;

	return dwarf_reference(die, attribute, &to) ? lazy_type(types, to) : NULL;
}

/* Its package, name, whether it is a defined type. */
static bool load_name(struct dwarf_types *types, Dwarf_Die *die, struct type *type)
{
	struct arena *arena = types->dwarf->arena;
	const char *name = dwarf_entry_name(types->dwarf, die);

	if (!name)
		name = type->kind == GO_UNSAFE_POINTER ? "unsafe.Pointer" : "?";
	type->is_named = !is_composite(name);
	if (type->is_named)
		type->package = package_of(arena, name);
	type->name = dwarf_type_name(arena, name);
	return type->name;
}

static bool load_field(struct dwarf_types *types, Dwarf_Die *member, struct type_field *ret)
{
	const char *name = dwarf_entry_name(types->dwarf, member);

	if (!name || !dwarf_number(member, DW_AT_data_member_location, &ret->offset))
		return false;
	ret->name = name;
	ret->is_embedded = dwarf_flag(member, DW_AT_GO_embedded_field);
	ret->type = referred(types, member, DW_AT_type);
	return ret->type;
}

static bool load_struct(struct dwarf_types *types, Dwarf_Die *die, struct type *type)
{
	struct type_field *fields = NULL;
	size_t capacity = 0;
	Dwarf_Die member;

	if (dwarf_child(die, &member) != 0)
		return true;
	do {
		struct type_field field, *grown;

		if (dwarf_tag(&member) != DW_TAG_member)
			continue;
		if (type->field_count == MAX_TYPE_FIELDS || !load_field(types, &member, &field) ||
			field.offset > type->size)
			return false;
		grown = arena_grow(types->dwarf->arena, fields, &capacity, type->field_count + 1,
			sizeof(*grown));
		if (!grown)
			return false;
		fields = grown;
		fields[type->field_count++] = field;
	} while (dwarf_siblingof(&member, &member) == 0);
	type->fields = fields;
	return true;
}

static bool load_array(struct dwarf_types *types, Dwarf_Die *die, struct type *type)
{
	Dwarf_Die range;

	type->element = referred(types, die, DW_AT_type);
	if (!type->element || dwarf_child(die, &range) != 0)
		return false;
	do {
		if (dwarf_number(&range, DW_AT_count, &type->length))
			return true;
	} while (dwarf_siblingof(&range, &range) == 0);
	return false;
}

/* An interface is a typedef of the runtime's two words: an itab first, or a type. */
static bool load_interface(struct dwarf_types *types, Dwarf_Die *die, struct type *type)
{
	Dwarf_Die words;
	const char *name;

	if (!dwarf_reference(die, DW_AT_type, &words))
		return false;
	name = dwarf_entry_name(types->dwarf, &words);
	type->size = 2 * WORD;
	type->has_methods = name && !strcmp(name, "runtime.iface");
	return type->has_methods || (name && !strcmp(name, "runtime.eface"));
}

static bool load_kind(struct dwarf_types *types, Dwarf_Die *die, struct type *type)
{
	switch (type->kind) {
	case GO_ARRAY:
		return load_array(types, die, type);
	case GO_STRUCT:
		return load_struct(types, die, type);
	case GO_INTERFACE:
		return load_interface(types, die, type);
	case GO_CHAN:
		type->element = referred(types, die, DW_AT_GO_elem);
		return type->element;
	case GO_MAP:
		type->key = referred(types, die, DW_AT_GO_key);
		type->element = referred(types, die, DW_AT_GO_elem);
		return type->key && type->element;
	case GO_SLICE:
		type->element = referred(types, die, DW_AT_GO_elem);
		return type->element && type->size == 3 * WORD;
	case GO_POINTER:
		type->element = referred(types, die, DW_AT_type);
		return type->element;
	case GO_STRING:
		return type->size == 2 * WORD;
	default:
		return true;
	}
}

/* A value is read by its kind: a size that contradicts it would be read past. */
static bool is_size_right(const struct type *type)
{
	uint64_t size = go_kind_size(type->kind);

	return type->kind != GO_INVALID && (!size || type->size == size);
}

/*
 * Aligned as cmd/compile/internal/types/size.go does. By the entries, not by loading the types
 * within, which a hostile file can nest without end.
 */
static uint64_t alignment_of(Dwarf_Die die, uint32_t depth, uint32_t *budget)
{
	uint64_t alignment = 1, size = WORD;
	enum go_kind kind;
	Dwarf_Die part;

	if (!depth || !*budget || !resolve(&die))
		return 1;
	--*budget;
	kind = kind_of(&die);
	if (kind == GO_ARRAY)
		return dwarf_reference(&die, DW_AT_type, &part)
			       ? alignment_of(part, depth - 1, budget)
			       : 1;
	if (kind != GO_STRUCT) {
		dwarf_number(&die, DW_AT_byte_size, &size);
		if (kind == GO_COMPLEX64)
			return 4;
		return size && size < WORD ? size : WORD;
	}
	if (dwarf_child(&die, &part) != 0)
		return 1;
	do {
		Dwarf_Die field;
		uint64_t its;

		if (!dwarf_reference(&part, DW_AT_type, &field))
			continue;
		its = alignment_of(field, depth - 1, budget);
		alignment = its > alignment ? its : alignment;
	} while (alignment < WORD && dwarf_siblingof(&part, &part) == 0);
	return alignment;
}

static bool load(struct type *type)
{
	struct entry_type *entry = type->source;
	struct dwarf_types *types = entry->types;
	uint32_t budget = MAX_TYPE_PARTS;
	Dwarf_Die die;

	if (!dwarf_offdie(types->dwarf->handle, entry->offset, &die))
		return false;
	type->kind = kind_of(&die);
	if (!load_name(types, &die, type))
		return false;
	// Pointers, maps, channels and functions have no size written: they are one word.
	if (!dwarf_number(&die, DW_AT_byte_size, &type->size))
		type->size = WORD;
	if (type->size > MAX_TYPE_SIZE || !load_kind(types, &die, type) || !is_size_right(type))
		return false;
	type->alignment = alignment_of(die, MAX_STRUCT_DEPTH, &budget);
	return true;
}

struct type *dwarf_types_get(struct dwarf_types *types, Dwarf_Die *die)
{
	struct type *type = lazy_type(types, *die);

	if (type)
		type_load(type);
	return type;
}
