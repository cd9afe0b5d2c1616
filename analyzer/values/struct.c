// Structs, and the few whose fields alone do not say what they hold: an atomic.Pointer, a protobuf
// message. Other well-known ones are content.c's.
#include "analyzer/values/natural.h"
#include "analyzer/values/reading.h"

#include <string.h>

bool atomic_pointer_target(const struct value_reader *reader, const struct type *type,
	const struct place *place, struct type **type_ret, target_addr *ret)
{
	static const char name[] = "atomic.Pointer[";
	const struct type_field *last;
	struct type *array;

	if (type->kind != GO_STRUCT || type->field_count < 2 || !type->package ||
		strcmp(type->package, "sync/atomic") || strncmp(type->name, name, sizeof(name) - 1))
		return false;
	last = &type->fields[type->field_count - 1];
	array = type->fields[0].type;
	if (!type_load(last->type) || last->type->kind != GO_UNSAFE_POINTER || !type_load(array) ||
		array->kind != GO_ARRAY || array->length || !type_load(array->element) ||
		array->element->kind != GO_POINTER || !type_load(array->element->element) ||
		fetch_word(reader, place, last->offset, ret) || !*ret ||
		!is_kept(reader, place, last->offset, *ret))
		return false;
	*type_ret = array->element->element;
	return true;
}

static void read_atomic_pointer(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	struct type *type;
	target_addr pointer;
	bool is_cycle;

	if (depth && atomic_pointer_target(reader, value->type, place, &type, &pointer))
		value->target = value_follow(reader, type, pointer, depth - 1, &is_cycle);
}

/**
 * A message as protoc-gen-go writes it: `state` first, by whose type it is known. How it is kept is
 * no part of what it says, and leads to all that is known of all messages.
 */
static bool is_message(const struct type *type)
{
	const struct type *state = type->field_count ? type->fields[0].type : NULL;

	return type->field_count && !strcmp(type->fields[0].name, "state") &&
	       type_load(type->fields[0].type) && state->package &&
	       !strcmp(state->package, "google.golang.org/protobuf/internal/impl");
}

static void read_message(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	const struct type *type = value->type;
	struct type_field *shown =
		arena_array(reader->arena, type->field_count, sizeof(*type->fields));
	uint32_t count = 0;

	for (uint32_t i = 0; shown && i < type->field_count; i++)
		if (strcmp(type->fields[i].name, "state") &&
			strcmp(type->fields[i].name, "sizeCache") &&
			strcmp(type->fields[i].name, "unknownFields"))
			shown[count++] = type->fields[i];
	read_fields(reader, value, shown, count, place, depth);
}

void read_struct(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	const struct type *type = value->type;

	if (is_message(type)) {
		read_message(reader, value, place, depth);
		return;
	}
	read_fields(reader, value, type->fields, type->field_count, place, depth);
	read_atomic_pointer(reader, value, place, depth);
	natural_content_read(reader, value, place, depth);
}
