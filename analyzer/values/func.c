// Functions: a func value points to {entry, what was captured …} (runtime/runtime2.go funcval).
#include "analyzer/values/reading.h"

static const char *function_at(const struct value_reader *reader, target_addr entry)
{
	struct pcln_func func;

	if (!modules_find_function(reader->rt, entry, &func) || func.entry != entry)
		return NULL;
	return func.name;
}

/** Shows the variables that were captured by reference, not the pointers to them. */
static void see_through(struct value *value, uint64_t references)
{
	for (uint32_t i = 0; i < value->field_count && i < 64; i++) {
		struct value *target = value->fields[i].value->target;

		if (references >> i & 1 && target)
			value->fields[i].value = target;
	}
}

void read_func(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	struct closure_layout layout = {0};
	struct place object;
	uint64_t entry;
	enum unavailable why;

	if (!read_word(reader, value, place))
		return;
	if (!is_kept(reader, place, 0, value->pointer)) {
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
		return;
	}
	object = place_at(value->pointer, true);
	why = fetch_word(reader, &object, 0, &entry);
	if (!why) {
		value->function = function_at(reader, entry);
		why = value->function ? AVAILABLE : UNAVAILABLE_CORRUPT;
	}
	if (why) {
		fail(value, why);
		return;
	}
	if (reader->closure_layout)
		layout = reader->closure_layout(reader->closure_context, entry);
	if (!layout.count)
		return;
	read_fields(reader, value, layout.fields, layout.count, &object, depth);
	see_through(value, layout.references);
}
