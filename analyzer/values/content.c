// What some well-known structs hold, where their fields would show how and not what: sync.Map's
// entries, a list's elements, the value that a reflect.Value stands for.
//
//	sync.Map until 1.23 (sync/map.go): read.m and, where it is not nil, dirty: map[any]*entry.
//	dirty then has every entry that is not deleted. entry.p points to the value; nil: deleted.
//	Since 1.24 (internal/sync/hashtriemap.go): a trie of nodes; a leaf is an entry {isEntry,
//	overflow, key, value}, which no type tells of.
#include "analyzer/values/natural_internal.h"

#include <inttypes.h>
#include <string.h>

#define TRIE_OVERFLOW 8
#define TRIE_KEY 16
#define TRIE_VALUE 32
#define TRIE_CHILDREN 16
#define TRIE_DEPTH 20 // four bits of a hash each, and one more
#define FLAG_INDIRECT (1 << 7) // reflect/value.go flag
#define FLAG_METHOD (1 << 9)

struct entries {
	struct value_reader *reader;
	struct value *value;
	struct type *any;
	uint64_t wanted; // that may still be shown
	uint64_t count;  // found
	uint64_t budget; // nodes that may still be looked at
	uint32_t depth;
};

/** The interfaces at two addresses, as an entry. */
static void add_entry(struct entries *e, target_addr key, target_addr element)
{
	struct place place = place_at(key, true);
	struct value_entry entry;

	e->count++;
	if (!e->wanted || e->reader->nodes_left < 2) {
		e->wanted = 0;
		return;
	}
	entry.key = value_read_below(e->reader, e->any, &place, e->depth - 1);
	place = place_at(element, true);
	entry.value = entry.key && e->reader->nodes_left
			      ? value_read_below(e->reader, e->any, &place, e->depth - 1)
			      : NULL;
	if (!entry.value) {
		e->wanted = 0;
		return;
	}
	e->wanted--;
	e->value->entries[e->value->entry_count++] = entry;
}

/** An entry of read.m or dirty: a key, and a pointer to an entry whose p points to its value. */
static bool visit_old_entry(void *context, target_addr key, target_addr slot)
{
	struct entries *e = context;
	const struct image *image = e->reader->rt->image;
	target_addr entry, value;

	if (image_read_u64(image, slot, &entry) != CS_OK || !entry ||
		image_read_u64(image, entry, &value) != CS_OK)
		return false;
	if (value)
		add_entry(e, key, value);
	return true;
}

/** The struct readOnly that `read` holds: an atomic.Value's, since 1.19 an atomic.Pointer's. */
static bool find_read_only(struct natural *n, struct type *type, const struct place *place,
	struct type **type_ret, struct place *place_ret)
{
	struct piece scratch;
	struct type *read;
	struct place at;

	if (!natural_find(n, type, place, "read", &read, &at))
		return false;
	if (atomic_pointer_target(n->reader, read, &at, type_ret, &place_ret->address)) {
		*place_ret = place_at(place_ret->address, true);
		return true;
	}
	return natural_find(n, read, &at, "v", &read, &at) && read->kind == GO_INTERFACE &&
	       natural_dynamic(n, read, &at, type_ret, place_ret, &scratch) &&
	       place_ret->address;
}

/** The map type and header address at `path`; *header is 0 for nil. */
static bool find_map(struct natural *n, struct type *type, const struct place *place,
	const char *path, struct type **type_ret, target_addr *header)
{
	struct place at;

	return natural_find(n, type, place, path, type_ret, &at) &&
	       (*type_ret)->kind == GO_MAP && !fetch_word(n->reader, &at, 0, header);
}

static bool read_old_map(
	struct natural *n, struct entries *e, struct type *type, const struct place *place)
{
	struct type *map, *read_only;
	target_addr header;
	struct place at;
	int64_t unused;

	if (!find_map(n, type, place, "dirty", &map, &header))
		return false;
	if (!header) {
		if (!natural_number(n, type, place, "misses", &unused))
			return false;
		if (!find_read_only(n, type, place, &read_only, &at))
			return true; // nothing was ever stored
		if (!find_map(n, read_only, &at, "m", &map, &header))
			return false;
	}
	return !header || map_each(n->reader, map, header, visit_old_entry, e);
}

/** Adds a leaf and those with the same hash. */
static bool read_leaf(struct entries *e, target_addr leaf)
{
	for (; leaf; e->budget--) {
		if (!e->budget)
			return false;
		add_entry(e, leaf + TRIE_KEY, leaf + TRIE_VALUE);
		if (image_read_u64(e->reader->rt->image, leaf + TRIE_OVERFLOW, &leaf) != CS_OK)
			return false;
	}
	return true;
}

static bool read_trie(struct entries *e, target_addr node, uint64_t children, uint32_t depth)
{
	const struct image *image = e->reader->rt->image;
	uint64_t words[TRIE_CHILDREN];
	uint8_t is_leaf;

	if (!e->budget || !depth || image_read(image, node, &is_leaf, 1) != CS_OK)
		return false;
	e->budget--;
	if (is_leaf)
		return is_leaf == 1 && read_leaf(e, node);
	if (image_read(image, node + children, words, sizeof(words)) != CS_OK)
		return false;
	for (uint32_t i = 0; i < TRIE_CHILDREN; i++)
		if (words[i] && !read_trie(e, words[i], children, depth - 1))
			return false;
	return true;
}

static bool read_new_map(
	struct natural *n, struct entries *e, struct type *type, const struct place *place)
{
	const struct type_field *children;
	struct type *root, *indirect;
	target_addr node;
	struct place at;
	uint64_t word;

	if (!natural_find(n, type, place, "m.root", &root, &at) ||
		fetch_word(n->reader, &at, 0, &word))
		return false;
	if (!word)
		return true;
	if (!atomic_pointer_target(n->reader, root, &at, &indirect, &node) ||
		indirect->kind != GO_STRUCT)
		return false;
	children = type_field_named(indirect, "children", 8);
	return children && type_load(children->type) &&
	       children->type->size == TRIE_CHILDREN * sizeof(uint64_t) &&
	       read_trie(e, node, children->offset, TRIE_DEPTH);
}

/** Reads the whole map into `e`; false where not all of it could be seen. */
static bool read_map_of_either_kind(struct entries *e, struct type *type, const struct place *place)
{
	struct natural n = {.reader = e->reader};
	struct type *map;
	struct place at;

	return natural_find(&n, type, place, "dirty", &map, &at) ? read_old_map(&n, e, type, place)
								 : read_new_map(&n, e, type, place);
}

bool natural_entries(struct natural *n, struct type *type, const struct place *place)
{
	struct entries e = {.reader = n->reader, .budget = MAX_MAP_GROUPS_READ};

	return read_map_of_either_kind(&e, type, place) &&
	       natural_format(n, "%" PRIu64 " entries", e.count);
}

void content_map(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth)
{
	struct entries e = {.reader = reader,
		.value = value,
		.any = types_basic(reader->types, GO_INTERFACE),
		.budget = MAX_MAP_GROUPS_READ,
		.depth = depth};

	value->entries =
		arena_array(reader->arena, reader->limits->max_elements, sizeof(*value->entries));
	e.wanted = value->entries ? reader->limits->max_elements : 0;
	value->has_length = read_map_of_either_kind(&e, value->type, place);
	value->length = e.count;
	if (!value->has_length || value->entry_count < e.count)
		value->is_truncated = true;
	value->has_content = true;
}

/** The values of list.Element, from root.next on until the ring closes. */
void content_list(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth)
{
	struct natural n = {.reader = reader};
	const struct type_field *next, *held;
	struct type *element;
	struct place root;
	target_addr at;
	int64_t length;
	uint64_t shown;

	if (!place->address || !natural_number(&n, value->type, place, "len", &length) ||
		length < 0 || !natural_find(&n, value->type, place, "root", &element, &root))
		return;
	next = type_field_named(element, "next", 4);
	held = type_field_named(element, "Value", 5);
	if (!next || !held || !type_load(held->type) ||
		fetch_word(reader, &root, next->offset, &at))
		return;
	value->length = (uint64_t)length;
	value->has_length = value->has_content = true;
	shown = begin_elements(reader, value, (uint64_t)length, depth);
	for (uint64_t i = 0; i < shown && at && at != root.address && reader->nodes_left; i++) {
		struct place one = place_at(at + held->offset, true);
		struct value *read = value_read_below(reader, held->type, &one, depth - 1);

		if (!read || image_read_u64(reader->rt->image, at + next->offset, &at) != CS_OK)
			break;
		value->elements[value->element_count++] = read;
	}
	if (value->element_count < value->length)
		value->is_truncated = true;
}

bool natural_list(struct natural *n, struct type *type, const struct place *place)
{
	return natural_append(n, type, place, "len") && natural_puts(n, " elements");
}

/** What a reflect.Value stands for; false: nothing, or a method. */
static bool find_reflected(struct natural *n, struct type *type, const struct place *place,
	struct type **type_ret, struct place *place_ret, struct piece *scratch)
{
	struct type *field;
	target_addr descriptor, pointer;
	struct place at;
	int64_t flag;

	if (!natural_number(n, type, place, "flag", &flag) || !flag || flag & FLAG_METHOD ||
		(!natural_find(n, type, place, "typ_", &field, &at) && // 1.21
			!natural_find(n, type, place, "typ", &field, &at)) ||
		fetch_word(n->reader, &at, 0, &descriptor) ||
		!natural_find(n, type, place, "ptr", &field, &at) ||
		fetch_word(n->reader, &at, 0, &pointer))
		return false;
	*type_ret = types_at(n->reader->types, descriptor);
	*place_ret = place_at(pointer, true);
	if (!*type_ret || !is_kept(n->reader, &at, 0, pointer))
		return false;
	if (flag & FLAG_INDIRECT)
		return true;
	*scratch = (struct piece){.size = sizeof(pointer), .bits = pointer};
	*place_ret = (struct place){.pieces = scratch, .piece_count = 1, .is_live = true};
	return true;
}

void content_reflected(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth)
{
	struct natural n = {.reader = reader};
	struct piece scratch;
	struct place at;

	if (!find_reflected(&n, value->type, place, &value->dynamic_type, &at, &scratch)) {
		value->dynamic_type = NULL;
		return;
	}
	value->has_content = true;
	if (reader->nodes_left)
		value->dynamic_value =
			value_read_below(reader, value->dynamic_type, &at, depth - 1);
}

/** reflect.Value.String: a string itself, of all else its type. */
bool natural_reflected(struct natural *n, struct type *type, const struct place *place)
{
	struct piece scratch;
	struct type *held;
	struct place at;
	int64_t flag;

	if (natural_number(n, type, place, "flag", &flag) && !flag)
		return natural_puts(n, "<invalid Value>");
	if (!find_reflected(n, type, place, &held, &at, &scratch) || !held->name)
		return false;
	if (held->kind == GO_STRING)
		return natural_append(n, held, &at, "");
	return natural_puts(n, "<") && natural_puts(n, held->name) && natural_puts(n, " Value>");
}
