// The errors that an error wraps, in the order in which errors.Is looks at them. Go asks each
// error's Unwrap; what that returns is told by what it is made of: package fmt's and errors' own
// types, and any struct with one field of type error whose method set has Unwrap.
#include "analyzer/values/natural_errors.h"

#include "analyzer/values/natural.h"
#include "analyzer/values/natural_internal.h"

#include <string.h>

struct chain {
	struct natural n;
	struct value_wrapped *list;
	uint32_t count;
};

static bool add_error(
	struct chain *chain, struct type *type, const struct place *place, uint32_t depth);

static bool add_list(
	struct chain *chain, struct type *type, const struct place *place, uint32_t depth)
{
	struct type *error;
	target_addr data;
	uint64_t count;

	if (!type_load(type->element) || type->element->kind != GO_INTERFACE ||
		!natural_header(&chain->n, type, place, "", &data, &count))
		return false;
	error = type->element;
	for (uint64_t i = 0; i < count && chain->count < MAX_WRAPPED_ERRORS; i++) {
		struct place at = place_at(data + i * error->size, true);

		if (!add_error(chain, error, &at, depth))
			return false;
	}
	return true;
}

static bool is_error(const struct type *type)
{
	return type->kind == GO_INTERFACE && type->name && !strcmp(type->name, "error");
}

/** The one field of type error; NULL: there is none, or more than one. */
static const struct type_field *find_only_error(const struct type *type)
{
	const struct type_field *found = NULL;

	for (uint32_t i = 0; i < type->field_count; i++) {
		if (!type_load(type->fields[i].type) || !is_error(type->fields[i].type))
			continue;
		if (found)
			return NULL;
		found = &type->fields[i];
	}
	return found;
}

/** What an error of `type` wraps, without itself. */
static void add_wrapped(
	struct chain *chain, struct type *type, const struct place *place, uint32_t depth)
{
	const struct type_field *field;
	struct type *list, *held = type;
	struct place at = *place, part;

	if (!depth || !types_has_method(chain->n.reader->types, type, "Unwrap") ||
		!natural_find(&chain->n, type, place, "", &held, &at))
		return;
	if (held->kind == GO_POINTER &&
		!natural_through_pointer(&chain->n, &held, &at))
		return;
	if (held->kind != GO_STRUCT)
		return;
	if (natural_find(&chain->n, held, &at, "errs", &list, &part) && list->kind == GO_SLICE) {
		add_list(chain, list, &part, depth - 1);
		return;
	}
	field = find_only_error(held);
	if (field && natural_find(&chain->n, held, &at, field->name, &list, &part))
		add_error(chain, list, &part, depth - 1);
}

/** The error in the interface at `place`, and those that it wraps; false: not readable. */
static bool add_error(
	struct chain *chain, struct type *type, const struct place *place, uint32_t depth)
{
	struct piece scratch;
	struct place at;
	uint64_t word;

	if (fetch_word(chain->n.reader, place, 0, &word))
		return false;
	if (!word || chain->count == MAX_WRAPPED_ERRORS)
		return true;
	if (!natural_dynamic(&chain->n, type, place, &type, &at, &scratch))
		return false;
	chain->list[chain->count++] = (struct value_wrapped){
		.type = type->name, .text = natural_text_behind(chain->n.reader, type, &at)};
	add_wrapped(chain, type, &at, depth);
	return true;
}

void natural_read_wrapped(struct value_reader *reader, struct value *value, struct type *type,
	const struct place *place)
{
	struct chain chain = {.n = {.reader = reader}};

	if (!types_has_method(reader->types, type, "Unwrap") ||
		!types_has_method(reader->types, type, "Error"))
		return;
	chain.list = arena_array(reader->arena, MAX_WRAPPED_ERRORS, sizeof(*chain.list));
	if (!chain.list)
		return;
	add_wrapped(&chain, type, place, MAX_WRAPPED_ERRORS);
	value->wraps = chain.list;
	value->wrap_count = chain.count;
}
