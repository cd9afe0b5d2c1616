// Values of every kind: dispatch, scalars, strings, slices, arrays, structs, pointers. Maps,
// channels, interfaces and functions have files of their own. A cap limits the work: nothing is
// read that would not be shown.
#include "analyzer/values/reading.h"

#include "analyzer/heap/span.h"
#include "analyzer/values/liveness.h"
#include "analyzer/values/natural.h"
#include "common/checked.h"
#include "common/limits.h"

#include <string.h>

#define LONG_BYTES 32 // of a []byte, from which on writing it twice would cost
#define MAX_LENGTH (UINT64_C(1) << 47) // no object is larger than the address space

void value_reader_init(struct value_reader *reader, const struct runtime *rt, struct types *types,
	const struct value_limits *limits, const struct liveness *liveness)
{
	*reader = (struct value_reader){
		.rt = rt, .types = types, .limits = limits, .liveness = liveness};
}

void value_reader_begin(struct value_reader *reader, struct arena *scratch, uint64_t max_values)
{
	reader->arena = scratch;
	reader->nodes_left = max_values;
	u64map_init(&reader->seen, scratch);
}

static enum unavailable fetch_piece(const struct value_reader *reader, const struct piece *piece,
	uint64_t from, uint64_t size, uint8_t *ret)
{
	uint64_t skip = from - piece->offset;
	uint64_t bits;

	if (piece->unavailable)
		return piece->unavailable;
	if (piece->is_in_memory)
		return image_read(reader->rt->image, piece->address + skip, ret, size) == CS_OK
			       ? AVAILABLE
			       : UNAVAILABLE_NOT_IN_CORE;
	if (skip + size > sizeof(bits))
		return UNAVAILABLE_CORRUPT;
	bits = skip < 8 ? piece->bits >> (8 * skip) : 0;
	memcpy(ret, &bits, size);
	return AVAILABLE;
}

enum unavailable fetch(const struct value_reader *reader, const struct place *place,
	uint64_t offset, uint64_t size, void *ret)
{
	uint64_t at = offset, end = offset + size;

	if (place->address)
		return image_read(reader->rt->image, place->address + offset, ret, size) == CS_OK
			       ? AVAILABLE
			       : UNAVAILABLE_NOT_IN_CORE;
	for (uint32_t i = 0; i < place->piece_count && at < end; i++) {
		const struct piece *piece = &place->pieces[i];
		uint64_t piece_end = (uint64_t)piece->offset + piece->size, part;
		enum unavailable why;

		if (piece->offset > at || piece_end <= at)
			continue;
		part = (piece_end < end ? piece_end : end) - at;
		why = fetch_piece(reader, piece, at, part, (uint8_t *)ret + (at - offset));
		if (why)
			return why;
		at += part;
	}
	return at == end ? AVAILABLE : UNAVAILABLE_OPTIMIZED_OUT;
}

enum unavailable fetch_word(const struct value_reader *reader, const struct place *place,
	uint64_t offset, uint64_t *ret)
{
	return fetch(reader, place, offset, sizeof(*ret), ret);
}

/** The address of the word at `offset` of the place; 0: it lies in no memory. */
static target_addr slot_of(const struct place *place, uint64_t offset)
{
	if (place->address)
		return place->address + offset;
	for (uint32_t i = 0; i < place->piece_count; i++)
		if (place->pieces[i].offset == offset && place->pieces[i].is_in_memory)
			return place->pieces[i].address;
	return 0;
}

bool is_kept(const struct value_reader *reader, const struct place *place, uint64_t offset,
	target_addr pointer)
{
	if (place->is_live)
		return true;
	return reader->liveness &&
	       liveness_holds(reader->liveness, slot_of(place, offset), pointer);
}

struct value *value_make(struct value_reader *reader, struct type *type, const struct place *place)
{
	struct value *value = arena_alloc(reader->arena, sizeof(*value));

	if (!value)
		return NULL;
	reader->nodes_left--;
	value->type = type;
	value->address = place->address;
	return value;
}

void add_internal(struct value_reader *reader, struct value *value, const char *name,
	enum go_kind kind, uint64_t number)
{
	static const struct place nowhere;
	struct named_value *list;
	struct value *made;

	// Lists of this kind are short: room for eight is made once.
	if (value->internal_count % 8 == 0) {
		list = arena_array(reader->arena, value->internal_count + 8, sizeof(*list));
		if (!list)
			return;
		if (value->internal_count)
			memcpy(list, value->internals, value->internal_count * sizeof(*list));
		value->internals = list;
	}
	if (!reader->nodes_left)
		return;
	made = value_make(reader, types_basic(reader->types, kind), &nowhere);
	if (!made)
		return;
	made->kind = kind == GO_BOOL ? VALUE_BOOL : kind >= GO_UINT ? VALUE_UINT : VALUE_INT;
	if (kind == GO_UNSAFE_POINTER) {
		made->kind = VALUE_UNSAFE_POINTER;
		made->has_pointer = true;
		made->pointer = number;
		made->is_nil = !number;
	}
	if (kind == GO_BOOL)
		made->scalar.boolean = number;
	else
		made->scalar.natural = number;
	value->internals[value->internal_count++] = (struct named_value){name, made};
}

struct seen {
	target_addr address;
	const struct type *type;
	uint64_t length;
	uint32_t depth;           // how many levels below it were read
	uint64_t nodes;           // left when it began; 0: it has ended
	const char *natural_text; // of the value, once it has ended
};

bool seen_begin(struct value_reader *reader, struct value *value, target_addr address,
	uint32_t depth, struct seen **ret)
{
	uint64_t key = u64_hash(address) ^ (uintptr_t)value->type, known;
	struct seen *seen = NULL;

	*ret = NULL;
	if (u64map_get(&reader->seen, key, &known)) {
		seen = (struct seen *)(uintptr_t)known;
		if (seen->address != address || seen->type != value->type ||
			seen->length != value->length)
			return true; // another thing with the same hash
		if (seen->nodes) {
			value->is_cycle = true;
			return false;
		}
		if (seen->depth >= depth) {
			value->same_as = address;
			value->natural_text = seen->natural_text;
			return false;
		}
	} else {
		seen = arena_alloc(reader->arena, sizeof(*seen));
		if (!seen || !u64map_put(&reader->seen, key, (uintptr_t)seen))
			return true;
	}
	*seen = (struct seen){.address = address,
		.type = value->type,
		.length = value->length,
		.depth = depth,
		.nodes = reader->nodes_left + 1};
	*ret = seen;
	return true;
}

void seen_end(struct value_reader *reader, struct seen *seen)
{
	if (!seen)
		return;
	seen->nodes = 0;
	if (!reader->nodes_left) // it may have been cut
		seen->depth = 0;
}

/** Whether a value of this kind has parts, so that writing it twice would cost. */
static bool has_parts(const struct type *type)
{
	return type->kind == GO_STRUCT || type->kind == GO_ARRAY || type->kind == GO_POINTER ||
	       type->kind == GO_INTERFACE;
}

struct value *value_follow(struct value_reader *reader, struct type *type, target_addr address,
	uint32_t depth, bool *cycle_ret)
{
	struct place place = place_at(address, true);
	struct value probe = {.type = type};
	struct seen *seen = NULL;
	struct value *value;

	*cycle_ret = false;
	if (!reader->nodes_left)
		return NULL;
	if (!type_load(type) || !has_parts(type))
		return value_read_below(reader, type, &place, depth);
	if (!seen_begin(reader, &probe, address, depth, &seen)) {
		*cycle_ret = probe.is_cycle;
		if (probe.is_cycle)
			return NULL;
		value = value_make(reader, type, &place);
		if (value) {
			value->kind = type->kind == GO_STRUCT    ? VALUE_STRUCT
				      : type->kind == GO_ARRAY   ? VALUE_ARRAY
				      : type->kind == GO_POINTER ? VALUE_POINTER
								 : VALUE_INTERFACE;
			value->same_as = address;
			value->natural_text = probe.natural_text;
		}
		return value;
	}
	value = value_read_below(reader, type, &place, depth);
	if (seen && value)
		seen->natural_text = value->natural_text;
	seen_end(reader, seen);
	return value;
}

static void read_number(struct value_reader *reader, struct value *value, const struct place *place)
{
	uint8_t bytes[16] = {0};
	uint64_t size = value->type->size;
	uint64_t natural;
	float single[2];
	enum unavailable why;

	if (size > sizeof(bytes)) {
		fail(value, UNAVAILABLE_CORRUPT);
		return;
	}
	why = fetch(reader, place, 0, size, bytes);
	if (why) {
		fail(value, why);
		return;
	}
	memcpy(&natural, bytes, sizeof(natural));
	switch (value->kind) {
	case VALUE_BOOL:
		value->scalar.boolean = bytes[0];
		if (bytes[0] > 1)
			fail(value, UNAVAILABLE_CORRUPT);
		break;
	case VALUE_INT:
		if (size && size < 8) { // sign-extend
			unsigned int shift = (unsigned int)(64 - 8 * size);

			natural = (uint64_t)((int64_t)(natural << shift) >> shift);
		}
		value->scalar.integer = (int64_t)natural;
		break;
	case VALUE_UINT:
		value->scalar.natural = natural;
		break;
	default: // float, complex
		if (value->type->kind == GO_FLOAT32 || value->type->kind == GO_COMPLEX64) {
			memcpy(single, bytes, sizeof(single));
			value->scalar.real[0] = (double)single[0];
			value->scalar.real[1] = (double)single[1];
		} else {
			memcpy(value->scalar.real, bytes, sizeof(value->scalar.real));
		}
	}
}

/** Reads the words {pointer, length} of a string, or of a slice with its capacity behind. */
static enum unavailable read_header(struct value_reader *reader, struct value *value,
	const struct place *place, bool has_capacity)
{
	uint64_t capacity = 0;
	enum unavailable pointer = fetch_word(reader, place, 0, &value->pointer);
	enum unavailable length = fetch_word(reader, place, 8, &value->length);

	value->has_pointer = !pointer;
	value->has_length = !length;
	if (pointer || length)
		return pointer ? pointer : length;
	// Of a slice that is only read nothing needs the capacity: its elements are there without.
	if (has_capacity && fetch_word(reader, place, 16, &capacity)) {
		capacity = value->length;
		value->lacks_capacity = true;
	}
	value->capacity = capacity;
	if (value->length > MAX_LENGTH || (has_capacity && value->length > capacity) ||
		capacity > MAX_LENGTH || (value->length && !value->pointer)) {
		value->has_pointer = value->has_length = false;
		return UNAVAILABLE_CORRUPT;
	}
	return AVAILABLE;
}

/** The bytes of a string or []byte, as many as the cap lets in. */
static void read_text(struct value_reader *reader, struct value *value, const struct place *place)
{
	uint64_t size = value->length, beyond = 0;
	const char *bytes;

	if (size > reader->limits->max_string) {
		size = reader->limits->max_string;
		beyond = value->length - size < TEXT_BEYOND ? value->length - size : TEXT_BEYOND;
		value->is_truncated = true;
	}
	value->scalar.text.bytes = "";
	if (!value->length)
		return;
	if (!is_kept(reader, place, 0, value->pointer)) {
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
		return;
	}
	bytes = image_view_bytes(reader->rt->image, value->pointer, size + beyond);
	if (!bytes) {
		char *copy = arena_alloc(reader->arena, size);

		beyond = 0;
		if (!copy || image_read(reader->rt->image, value->pointer, copy, size) != CS_OK) {
			fail(value, copy ? UNAVAILABLE_NOT_IN_CORE : UNAVAILABLE_BUDGET);
			return;
		}
		bytes = copy;
	}
	value->scalar.text.bytes = bytes;
	value->scalar.text.size = size;
	value->scalar.text.beyond = beyond;
}

static void read_string(struct value_reader *reader, struct value *value, const struct place *place)
{
	enum unavailable why = read_header(reader, value, place, false);

	if (why)
		fail(value, why);
	else
		read_text(reader, value, place);
}

bool read_word(struct value_reader *reader, struct value *value, const struct place *place)
{
	enum unavailable why = fetch_word(reader, place, 0, &value->pointer);

	if (why) {
		fail(value, why);
		return false;
	}
	value->has_pointer = true;
	value->is_nil = !value->pointer;
	return value->pointer;
}

uint64_t begin_elements(
	struct value_reader *reader, struct value *value, uint64_t count, uint32_t depth)
{
	uint64_t shown = depth ? count : 0;

	if (shown > reader->limits->max_elements)
		shown = reader->limits->max_elements;
	if (shown > reader->nodes_left)
		shown = reader->nodes_left;
	value->elements = arena_array(reader->arena, shown, sizeof(*value->elements));
	return value->elements ? shown : 0;
}

void read_elements(struct value_reader *reader, struct value *value, struct type *type,
	const struct place *place, uint64_t count, uint32_t depth)
{
	struct piece scratch[MAX_PIECES];
	uint64_t shown = begin_elements(reader, value, count, depth);

	for (uint64_t i = 0; i < shown && reader->nodes_left; i++) {
		struct value *element = NULL;
		struct place part;

		if (place_part(place, i * type->size, type->size, scratch, MAX_PIECES, &part))
			element = value_read_below(reader, type, &part, depth - 1);
		if (!element)
			break;
		value->elements[value->element_count++] = element;
	}
	if (value->element_count < count)
		value->is_truncated = true;
}

/** A buffer goes from function to function: it is written in the first. */
static void read_bytes(struct value_reader *reader, struct value *value, const struct place *place)
{
	struct seen *seen = NULL;

	if (value->length >= LONG_BYTES && is_kept(reader, place, 0, value->pointer) &&
		!seen_begin(reader, value, value->pointer, 1, &seen))
		return;
	read_text(reader, value, place);
	seen_end(reader, seen);
}

/** Whether as much as this lies in the one object of the heap that `pointer` is into, if it is. */
static bool fits_object(const struct value_reader *reader, target_addr pointer, uint64_t size)
{
	struct span span;

	if (!size || !span_find(reader->rt, pointer, &span))
		return true;
	return pointer - span_object(&span, pointer) + size <= span.element_size;
}

static void read_slice(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	enum unavailable why = read_header(reader, value, place, true);
	struct type *element = value->type->element;
	struct place data;
	struct seen *seen;
	uint64_t total;

	if (!type_load(element) || !checked_mul(value->capacity, element->size, &total) ||
		total > MAX_LENGTH ||
		(value->lacks_capacity && !fits_object(reader, value->pointer, total)))
		why = why ? why : UNAVAILABLE_CORRUPT;
	if (element && element->kind == GO_UINT8)
		value->kind = VALUE_BYTES;
	if (why) {
		fail(value, why);
		return;
	}
	value->is_nil = !value->pointer;
	if (value->kind == VALUE_BYTES) {
		read_bytes(reader, value, place);
		return;
	}
	if (!value->length)
		return;
	if (!is_kept(reader, place, 0, value->pointer)) {
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
		return;
	}
	data = place_at(value->pointer, true);
	if (element->size && !image_view_bytes(reader->rt->image, value->pointer, 1)) {
		fail(value, UNAVAILABLE_NOT_IN_CORE);
		return;
	}
	if (depth && !seen_begin(reader, value, value->pointer, depth, &seen))
		return;
	read_elements(reader, value, element, &data, value->length, depth);
	if (depth)
		seen_end(reader, seen);
}

static void read_array(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	struct type *element = value->type->element;
	uint64_t total;

	value->length = value->type->length;
	value->has_length = true;
	if (!type_load(element) || !checked_mul(value->length, element->size, &total) ||
		total > MAX_LENGTH)
		fail(value, UNAVAILABLE_CORRUPT);
	else
		read_elements(reader, value, element, place, value->length, depth);
}

void read_fields(struct value_reader *reader, struct value *value, const struct type_field *fields,
	uint32_t count, const struct place *place, uint32_t depth)
{
	struct piece scratch[MAX_PIECES];
	uint64_t shown = count;

	if (shown > reader->limits->max_fields)
		shown = reader->limits->max_fields;
	if (!depth)
		shown = 0;
	if (shown > reader->nodes_left)
		shown = reader->nodes_left;
	value->fields = arena_array(reader->arena, shown, sizeof(*value->fields));
	for (uint32_t i = 0; value->fields && i < shown && reader->nodes_left; i++) {
		struct type *type = fields[i].type;
		uint64_t size = type_load(type) ? type->size : 0;
		struct value *field = NULL;
		struct place part;

		if (place_part(place, fields[i].offset, size, scratch, MAX_PIECES, &part))
			field = value_read_below(reader, type, &part, depth - 1);
		if (!field)
			break;
		value->fields[value->field_count++] = (struct named_value){fields[i].name, field};
	}
	if (value->field_count < count)
		value->is_truncated = true;
}

void take_text(struct value *value, struct value *inner)
{
	if (!inner)
		return;
	value->natural_text = inner->natural_text;
	inner->natural_text = NULL;
}

static void read_pointer(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	struct type *element = value->type->element;

	if (!read_word(reader, value, place) || value->kind == VALUE_UNSAFE_POINTER ||
		!type_load(element))
		return;
	if (!is_kept(reader, place, 0, value->pointer)) {
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
		return;
	}
	if (element->size && !image_view_bytes(reader->rt->image, value->pointer, 1)) {
		fail(value, UNAVAILABLE_NOT_IN_CORE);
		return;
	}
	if (!depth) {
		value->is_truncated = true;
		return;
	}
	value->target = value_follow(reader, element, value->pointer, depth - 1, &value->is_cycle);
	if (!value->target && !value->is_cycle)
		value->is_truncated = true;
	take_text(value, value->target);
}

static enum value_kind kind_of(const struct type *type)
{
	static const uint8_t kinds[] = {[GO_INVALID] = VALUE_UNKNOWN,
		[GO_BOOL] = VALUE_BOOL,
		[GO_INT] = VALUE_INT,
		[GO_INT8] = VALUE_INT,
		[GO_INT16] = VALUE_INT,
		[GO_INT32] = VALUE_INT,
		[GO_INT64] = VALUE_INT,
		[GO_UINT] = VALUE_UINT,
		[GO_UINT8] = VALUE_UINT,
		[GO_UINT16] = VALUE_UINT,
		[GO_UINT32] = VALUE_UINT,
		[GO_UINT64] = VALUE_UINT,
		[GO_UINTPTR] = VALUE_UINT,
		[GO_FLOAT32] = VALUE_FLOAT,
		[GO_FLOAT64] = VALUE_FLOAT,
		[GO_COMPLEX64] = VALUE_COMPLEX,
		[GO_COMPLEX128] = VALUE_COMPLEX,
		[GO_ARRAY] = VALUE_ARRAY,
		[GO_CHAN] = VALUE_CHAN,
		[GO_FUNC] = VALUE_FUNC,
		[GO_INTERFACE] = VALUE_INTERFACE,
		[GO_MAP] = VALUE_MAP,
		[GO_POINTER] = VALUE_POINTER,
		[GO_SLICE] = VALUE_SLICE,
		[GO_STRING] = VALUE_STRING,
		[GO_STRUCT] = VALUE_STRUCT,
		[GO_UNSAFE_POINTER] = VALUE_UNSAFE_POINTER};

	return (enum value_kind)kinds[type->kind];
}

static void read_kind(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	switch (value->kind) {
	case VALUE_UNKNOWN:
		fail(value, UNAVAILABLE_CORRUPT);
		break;
	case VALUE_STRING:
		read_string(reader, value, place);
		break;
	case VALUE_SLICE:
		read_slice(reader, value, place, depth);
		break;
	case VALUE_ARRAY:
		read_array(reader, value, place, depth);
		break;
	case VALUE_STRUCT:
		read_struct(reader, value, place, depth);
		break;
	case VALUE_POINTER:
	case VALUE_UNSAFE_POINTER:
		read_pointer(reader, value, place, depth);
		break;
	case VALUE_MAP:
		read_map(reader, value, place, depth);
		break;
	case VALUE_CHAN:
		read_channel(reader, value, place, depth);
		break;
	case VALUE_INTERFACE:
		read_interface(reader, value, place, depth);
		break;
	case VALUE_FUNC:
		read_func(reader, value, place, depth);
		break;
	default:
		read_number(reader, value, place);
	}
}

struct value *value_read_below(
	struct value_reader *reader, struct type *type, const struct place *place, uint32_t depth)
{
	struct value *value = value_make(reader, type, place);

	if (!value)
		return NULL;
	type_load(type);
	value->kind = kind_of(type);
	read_kind(reader, value, place, depth);
	if (!value->unavailable && !value->is_nil && !value->natural_text)
		value->natural_text = natural_text(reader, type, place);
	return value;
}

struct value *value_read(struct value_reader *reader, struct type *type, const struct place *place)
{
	struct seen *seen = NULL;
	struct value *value;

	if (!reader->nodes_left) {
		reader->nodes_left = 1;
		value = value_make(reader, type, place);
		if (value)
			fail(value, UNAVAILABLE_BUDGET);
		return value;
	}
	if (place->address && type_load(type) && has_parts(type)) {
		struct value probe = {.type = type};

		// What points back to the variable itself is a cycle too. It is written even where
		// it was before: it has a name here.
		if (!seen_begin(reader, &probe, place->address, reader->limits->max_depth, &seen))
			seen = NULL;
	}
	value = value_read_below(reader, type, place, reader->limits->max_depth);
	seen_end(reader, seen);
	if (value)
		value->evidence = place->evidence;
	return value;
}
