// Interfaces (runtime/runtime2.go eface, iface): {type or itab, data}. The data word is the value
// itself where the type is one pointer, else it points to the value.
#include "analyzer/values/natural_errors.h"
#include "analyzer/values/reading.h"

static struct type *dynamic_type(
	const struct value_reader *reader, const struct type *type, target_addr word)
{
	return type->has_methods ? types_of_itab(reader->types, word, NULL)
				 : types_at(reader->types, word);
}

static void read_dynamic(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	struct type *type = value->dynamic_type;

	if (types_is_direct(type)) {
		struct piece scratch[2];
		struct place data;

		if (reader->nodes_left && place_part(place, 8, 8, scratch, 2, &data)) {
			value->dynamic_value = value_read_below(reader, type, &data, depth - 1);
			natural_read_wrapped(reader, value, type, &data);
		}
	} else if (!is_kept(reader, place, 8, value->pointer)) {
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
		return;
	} else {
		struct place data = place_at(value->pointer, true);

		value->dynamic_value =
			value_follow(reader, type, value->pointer, depth - 1, &value->is_cycle);
		natural_read_wrapped(reader, value, type, &data);
	}
	if (!value->dynamic_value && !value->is_cycle)
		value->is_truncated = true;
	take_text(value, value->dynamic_value);
}

void read_interface(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	uint64_t word;
	enum unavailable why = fetch_word(reader, place, 0, &word);
	enum unavailable data = fetch_word(reader, place, 8, &value->pointer);

	value->has_pointer = !data;
	if (why) {
		fail(value, why);
		return;
	}
	if (!word) {
		value->is_nil = true;
		value->has_pointer = false;
		return;
	}
	value->dynamic_type = dynamic_type(reader, value->type, word);
	if (!value->dynamic_type || data) {
		fail(value, value->dynamic_type ? data : UNAVAILABLE_CORRUPT);
		return;
	}
	if (!depth)
		value->is_truncated = true;
	else
		read_dynamic(reader, value, place, depth);
}
