// Maps: entries as they lie in memory, from whichever kind of map the release has.
//
//	hmap (runtime/map.go, until 1.23, and noswissmap): 2^B buckets of 8 cells, each with a chain
//	of overflow buckets. bucket: tophash[8] | keys | elems | overflow. While it grows, buckets
//	that have not been evacuated yet lie in oldbuckets; a cell's tophash says so for each.
//	Map (internal/runtime/maps, since 1.24): one group of 8 slots, or a directory of tables of
//	groups. group: control word, one byte a slot | slots. A byte's high bit: empty or deleted.
#include "analyzer/values/reading.h"

#include "common/limits.h"

#include <string.h>

#define SLOTS 8
#define MIN_TOP_HASH 5 // runtime/map.go minTopHash; below it: empty, or moved to the new buckets
#define CONTROL_FREE 0x80
#define MAX_BUCKET_BITS 40

struct map_walk {
	struct value_reader *reader;
	struct value *value;
	struct type *key, *element;
	struct map_slots slots;
	uint32_t depth;
	uint64_t wanted;      // entries still to be shown
	uint64_t left;        // entries still to be found
	uint64_t groups;      // that may still be looked at
	enum unavailable why; // the first that could not be read
	map_visitor *visit;   // NULL: entries become values
	void *context;        // for visit
};

/** Where the key or element whose slot lies at `address` lies itself; false: not readable. */
static bool find_part(
	const struct map_walk *walk, target_addr address, bool is_indirect, target_addr *ret)
{
	*ret = address;
	return !is_indirect || image_read_u64(walk->reader->rt->image, address, ret) == CS_OK;
}

static struct value *read_part(
	struct map_walk *walk, struct type *type, target_addr address, bool is_indirect)
{
	struct place place;
	target_addr part;

	if (!walk->reader->nodes_left || !find_part(walk, address, is_indirect, &part))
		return NULL;
	place = place_at(part, true);
	return value_read_below(walk->reader, type, &place, walk->depth - 1);
}

/** Adds slot `index` of the group or bucket at `group`; false: enough. */
static bool add_entry(struct map_walk *walk, target_addr group, unsigned int index)
{
	const struct map_slots *s = &walk->slots;
	target_addr key = group + s->key_offset + index * s->key_stride;
	target_addr element = group + s->elem_offset + index * s->elem_stride;
	struct value_entry entry;

	if (!walk->left)
		return false;
	walk->left--;
	if (!walk->wanted)
		return false;
	if (walk->visit)
		return find_part(walk, key, s->is_key_indirect, &key) &&
		       find_part(walk, element, s->is_elem_indirect, &element) &&
		       walk->visit(walk->context, key, element);
	entry.key = read_part(walk, walk->key, key, s->is_key_indirect);
	entry.value = read_part(walk, walk->element, element, s->is_elem_indirect);
	if (!entry.key || !entry.value) {
		walk->wanted = 0;
		return false;
	}
	walk->wanted--;
	walk->value->entries[walk->value->entry_count++] = entry;
	return true;
}

/** The 8 bytes that say which slots are full; false: enough looked at, or not readable. */
static bool load_marks(struct map_walk *walk, target_addr group, uint8_t marks[SLOTS])
{
	if (!walk->groups || !group)
		return false;
	walk->groups--;
	if (image_read(walk->reader->rt->image, group, marks, SLOTS) == CS_OK)
		return true;
	if (!walk->why)
		walk->why = UNAVAILABLE_NOT_IN_CORE;
	return false;
}

/** A bucket and those chained to it; false: enough. */
static bool read_bucket(struct map_walk *walk, target_addr bucket)
{
	uint8_t marks[SLOTS];

	while (bucket) {
		if (!load_marks(walk, bucket, marks))
			return walk->groups && !walk->why;
		for (unsigned int i = 0; i < SLOTS; i++)
			if (marks[i] >= MIN_TOP_HASH && !add_entry(walk, bucket, i))
				return false;
		if (image_read_u64(walk->reader->rt->image, bucket + walk->slots.size - 8,
			    &bucket) != CS_OK)
			return false;
	}
	return true;
}

static bool read_buckets(struct map_walk *walk, target_addr buckets, uint64_t count)
{
	for (uint64_t i = 0; buckets && i < count; i++)
		if (!read_bucket(walk, buckets + i * walk->slots.size))
			return false;
	return true;
}

static void add_hmap_internals(struct map_walk *walk, struct object hmap)
{
	static const struct {
		const char *name;
		enum go_kind kind;
		enum layout_id id;
	} rows[] = {{"count", GO_INT, HMAP_COUNT}, {"flags", GO_UINT8, HMAP_FLAGS},
		{"B", GO_UINT8, HMAP_B}, {"noverflow", GO_UINT16, HMAP_OVERFLOW},
		{"buckets", GO_UNSAFE_POINTER, HMAP_BUCKETS},
		{"oldbuckets", GO_UNSAFE_POINTER, HMAP_OLD_BUCKETS},
		{"nevacuate", GO_UINTPTR, HMAP_EVACUATED}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (layout_has(&walk->reader->rt->layout, rows[i].id))
			add_internal(walk->reader, walk->value, rows[i].name, rows[i].kind,
				object_get(walk->reader->rt, hmap, rows[i].id));
}

#define FLAG_SAME_SIZE_GROW 8 // runtime/map.go sameSizeGrow

static void read_hmap(struct map_walk *walk, struct object hmap)
{
	const struct runtime *rt = walk->reader->rt;
	uint64_t bits = object_get(rt, hmap, HMAP_B);
	uint64_t old_bits = bits;

	if (bits > MAX_BUCKET_BITS) {
		walk->why = UNAVAILABLE_CORRUPT;
		return;
	}
	if (!(object_get(rt, hmap, HMAP_FLAGS) & FLAG_SAME_SIZE_GROW) && bits)
		old_bits--;
	// An entry is in one of the two: what has moved is marked so in the old one.
	if (read_buckets(walk, object_get(rt, hmap, HMAP_OLD_BUCKETS), UINT64_C(1) << old_bits))
		read_buckets(walk, object_get(rt, hmap, HMAP_BUCKETS), UINT64_C(1) << bits);
}

static bool read_group(struct map_walk *walk, target_addr group)
{
	uint8_t marks[SLOTS];

	if (!load_marks(walk, group, marks))
		return walk->groups && !walk->why;
	for (unsigned int i = 0; i < SLOTS; i++)
		if (!(marks[i] & CONTROL_FREE) && !add_entry(walk, group, i))
			return false;
	return true;
}

static bool read_table(struct map_walk *walk, target_addr address)
{
	const struct runtime *rt = walk->reader->rt;
	struct object table = object_load(rt, address, OBJECT_TABLE);
	target_addr groups;
	uint64_t mask;

	if (!table.bytes) {
		walk->why = UNAVAILABLE_NOT_IN_CORE;
		return false;
	}
	groups = object_get(rt, table, TABLE_GROUPS);
	mask = object_get(rt, table, TABLE_LENGTH_MASK);
	if (mask & (mask + 1)) { // not one less than a power of two
		walk->why = UNAVAILABLE_CORRUPT;
		return false;
	}
	for (uint64_t i = 0; i <= mask; i++)
		if (!read_group(walk, groups + i * walk->slots.size))
			return false;
	return true;
}

static void add_map_internals(struct map_walk *walk, struct object map)
{
	static const struct {
		const char *name;
		enum go_kind kind;
		enum layout_id id;
	} rows[] = {{"used", GO_UINT64, MAP_USED}, {"dirPtr", GO_UNSAFE_POINTER, MAP_DIRECTORY},
		{"dirLen", GO_INT, MAP_DIRECTORY_LENGTH},
		{"globalDepth", GO_UINT8, MAP_GLOBAL_DEPTH}, {"writing", GO_UINT8, MAP_WRITING}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (layout_has(&walk->reader->rt->layout, rows[i].id))
			add_internal(walk->reader, walk->value, rows[i].name, rows[i].kind,
				object_get(walk->reader->rt, map, rows[i].id));
}

static void read_swiss(struct map_walk *walk, struct object map)
{
	const struct runtime *rt = walk->reader->rt;
	target_addr directory = object_get(rt, map, MAP_DIRECTORY), previous = 0, table;
	uint64_t length = object_get(rt, map, MAP_DIRECTORY_LENGTH);

	if (!length) { // small: the directory is the one group
		read_group(walk, directory);
		return;
	}
	if (length & (length - 1)) {
		walk->why = UNAVAILABLE_CORRUPT;
		return;
	}
	for (uint64_t i = 0; i < length && i < MAX_MAP_TABLES; i++) {
		if (image_read_u64(rt->image, directory + 8 * i, &table) != CS_OK) {
			walk->why = UNAVAILABLE_NOT_IN_CORE;
			return;
		}
		// A table that has not split as often as others stands in several places in a row.
		if (table != previous && !read_table(walk, table))
			return;
		previous = table;
	}
}

static void read_entries(struct map_walk *walk, struct object map, bool is_swiss)
{
	struct value *value = walk->value;
	struct value_reader *reader = walk->reader;
	uint64_t shown = value->length;

	if (shown > reader->limits->max_elements)
		shown = reader->limits->max_elements;
	if (shown > reader->nodes_left)
		shown = reader->nodes_left;
	if (!walk->depth)
		shown = 0;
	value->entries = arena_array(reader->arena, shown, sizeof(*value->entries));
	walk->wanted = value->entries ? shown : 0;
	walk->left = value->length;
	if (walk->wanted && is_swiss)
		read_swiss(walk, map);
	else if (walk->wanted)
		read_hmap(walk, map);
	if (!value->entry_count && walk->why)
		fail(value, walk->why);
	if (value->entry_count < value->length)
		value->is_truncated = true;
}

static void read_at(struct value_reader *reader, struct value *value, uint32_t depth)
{
	const struct runtime *rt = reader->rt;
	bool is_swiss = layout_has(&rt->layout, MAP_USED);
	struct object map = object_load(rt, value->pointer, is_swiss ? OBJECT_MAP : OBJECT_HMAP);
	struct map_walk walk = {.reader = reader,
		.value = value,
		.key = value->type->key,
		.element = value->type->element,
		.depth = depth,
		.groups = MAX_MAP_GROUPS_READ};
	struct seen *seen = NULL;

	if (!map.bytes) {
		fail(value, UNAVAILABLE_NOT_IN_CORE);
		return;
	}
	value->length = object_get(rt, map, is_swiss ? MAP_USED : HMAP_COUNT);
	if (!type_load(walk.key) || !type_load(walk.element) || value->length >> 47 ||
		!types_map_slots(reader->types, value->type, &walk.slots)) {
		fail(value, UNAVAILABLE_CORRUPT);
		return;
	}
	value->has_length = true;
	if (depth && value->length && !seen_begin(reader, value, value->pointer, depth, &seen))
		return;
	if (has_internals(reader, depth) && is_swiss)
		add_map_internals(&walk, map);
	else if (has_internals(reader, depth))
		add_hmap_internals(&walk, map);
	read_entries(&walk, map, is_swiss);
	seen_end(reader, seen);
}

void read_map(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	bool is_there = read_word(reader, value, place);

	value->has_length = value->is_nil;
	if (!is_there)
		return;
	if (!is_kept(reader, place, 0, value->pointer))
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
	else
		read_at(reader, value, depth);
}

bool map_each(struct value_reader *reader, struct type *type, target_addr address,
	map_visitor *visit, void *context)
{
	bool is_swiss = layout_has(&reader->rt->layout, MAP_USED);
	struct object map = object_load(reader->rt, address, is_swiss ? OBJECT_MAP : OBJECT_HMAP);
	struct map_walk walk = {.reader = reader,
		.key = type->key,
		.element = type->element,
		.wanted = UINT64_MAX,
		.groups = MAX_MAP_GROUPS_READ,
		.visit = visit,
		.context = context};

	if (!map.bytes || !type_load(walk.key) || !type_load(walk.element) ||
		!types_map_slots(reader->types, type, &walk.slots))
		return false;
	walk.left = object_get(reader->rt, map, is_swiss ? MAP_USED : HMAP_COUNT);
	if (!walk.left)
		return true;
	if (is_swiss)
		read_swiss(&walk, map);
	else
		read_hmap(&walk, map);
	return !walk.left && !walk.why;
}
