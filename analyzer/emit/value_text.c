#include "analyzer/emit/value_text.h"

#include "analyzer/emit/go_quote.h"
#include "analyzer/snapshot/values.h"
#include "common/limits.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 1024  // bytes of one value
#define MAX_LEVELS 4   // of a value that are written out
#define LARGEST_JSON (4u << 20)

/** A line in the making; what does not fit is cut. */
struct line {
	struct arena *scratch; // borrowed
	size_t used, max;
	bool is_cut;
	char text[MAX_LINE];
};

static bool take(void *context, const char *bytes, size_t size)
{
	struct value_text *text = context;
	char *grown;

	if (size > LARGEST_JSON - text->json_size)
		return false;
	if (text->json_size + size > text->json_capacity) {
		text->json_capacity = 2 * (text->json_size + size);
		grown = realloc(text->json, text->json_capacity);
		if (!grown)
			return false;
		text->json = grown;
	}
	memcpy(text->json + text->json_size, bytes, size);
	text->json_size += size;
	return true;
}

enum cs_status value_text_init(
	struct value_text *ret, const struct analysis *analysis, struct printer *printer)
{
	enum cs_status status;

	*ret = (struct value_text){.analysis = analysis, .printer = printer};
	// The keys are our own: no random seed is needed, for which jansson would open a file.
	json_object_seed(1);
	status = jsonw_init(&ret->writer, take, ret);
	if (status != CS_OK)
		return status;
	arena_init(&ret->scratch, MAX_GOROUTINE_VALUES_SIZE);
	json_values_init(&ret->values, &ret->writer, analysis->arena, &ret->scratch);
	return CS_OK;
}

void value_text_deinit(struct value_text *text)
{
	jsonw_deinit(&text->writer);
	arena_deinit(&text->scratch);
	free(text->json);
}

void value_text_begin(struct value_text *text, size_t index, const struct walk *walk)
{
	arena_reset(&text->scratch);
	text->variable_count = analysis_variables(
		text->analysis, index, walk, &text->scratch, &text->variables);
}

static void put_sized(struct line *line, const char *bytes, size_t size)
{
	if (line->is_cut)
		return;
	if (size > line->max - line->used) {
		size = line->max - line->used;
		while (size && ((unsigned char)bytes[size] & 0xc0) == 0x80)
			size--; // no part of a rune
		line->is_cut = true;
	}
	memcpy(line->text + line->used, bytes, size);
	line->used += size;
}

static void put(struct line *line, const char *text)
{
	put_sized(line, text, strlen(text));
}

static const char *string_of(const json_t *value, const char *key)
{
	const char *text = json_string_value(json_object_get(value, key));

	return text ? text : "";
}

static bool is_set(const json_t *value, const char *key)
{
	return json_is_true(json_object_get(value, key));
}

static json_int_t number_of(const json_t *value, const char *key)
{
	return json_integer_value(json_object_get(value, key));
}

static void put_quoted(struct line *line, const char *text)
{
	size_t size;
	char *quoted = go_quote(line->scratch, text, strlen(text), &size);

	if (quoted)
		put_sized(line, quoted, size);
}

static void put_scalar(struct line *line, const json_t *value)
{
	char text[64] = "";

	if (json_is_string(value))
		put(line, json_string_value(value));
	else if (json_is_boolean(value))
		put(line, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(text, sizeof(text), "%.17g", json_real_value(value));
	put(line, text);
}

static void put_value(struct line *line, const json_t *value, int levels);

/** The brace behind the members of `list`, and the true length where not all are there. */
static void put_end(struct line *line, const json_t *value, const json_t *list)
{
	char length[48];

	if (is_set(value, "truncated")) {
		snprintf(length, sizeof(length), "%s… %" JSON_INTEGER_FORMAT " in all",
			json_array_size(list) ? ", " : "", number_of(value, "length"));
		put(line, length);
	}
	put(line, "}");
}

/** `[]int{1, 2, …}`, with the true length where not all are there. */
static void put_list(struct line *line, const json_t *value, int levels)
{
	const json_t *list = json_object_get(value, "elements");
	size_t i;
	json_t *one;

	put(line, string_of(value, "type"));
	put(line, "{");
	json_array_foreach(list, i, one)
	{
		put(line, i ? ", " : "");
		put_value(line, one, levels - 1);
	}
	put_end(line, value, list);
}

static void put_entries(struct line *line, const json_t *value, int levels)
{
	const json_t *list = json_object_get(value, "entries");
	size_t i;
	json_t *one;

	put(line, string_of(value, "type"));
	put(line, "{");
	json_array_foreach(list, i, one)
	{
		put(line, i ? ", " : "");
		put_value(line, json_object_get(one, "key"), levels - 1);
		put(line, ": ");
		put_value(line, json_object_get(one, "value"), levels - 1);
	}
	put_end(line, value, list);
}

static void put_fields(struct line *line, const json_t *value, int levels)
{
	const json_t *list = json_object_get(value, "fields");
	size_t i;
	json_t *one;

	put(line, "{");
	json_array_foreach(list, i, one)
	{
		put(line, i ? ", " : "");
		put(line, string_of(one, "name"));
		put(line, ": ");
		put_value(line, json_object_get(one, "value"), levels - 1);
	}
	if (is_set(value, "truncated"))
		put(line, json_array_size(list) ? ", …" : "…");
	put(line, "}");
}

static void put_address(struct line *line, const json_t *value)
{
	put(line, "(");
	put(line, string_of(value, "type"));
	put(line, ")(");
	put(line, string_of(value, "pointer"));
	put(line, ")");
}

static void put_channel(struct line *line, const json_t *value)
{
	char text[80];

	put_address(line, value);
	snprintf(text, sizeof(text), " %" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "%s",
		number_of(value, "length"), number_of(value, "capacity"),
		is_set(value, "closed") ? ", closed" : "");
	put(line, text);
}

static void put_text(struct line *line, const json_t *value)
{
	const char *text = string_of(value, "value");
	char length[48];

	if (strcmp(string_of(value, "type"), "string")) {
		put(line, string_of(value, "type"));
		put(line, "(");
	}
	if (is_set(value, "escaped"))
		put(line, text);
	else
		put_quoted(line, text);
	if (is_set(value, "truncated")) {
		snprintf(length, sizeof(length), "… %" JSON_INTEGER_FORMAT " bytes",
			number_of(value, "length"));
		put(line, length);
	}
	if (strcmp(string_of(value, "type"), "string"))
		put(line, ")");
}

/** Without its parts: nil, hidden, not there, or somewhere above. False: it has some. */
static bool put_short(struct line *line, const json_t *value)
{
	const char *why = string_of(value, "unavailable");

	if (is_set(value, "nil")) {
		put(line, "nil");
	} else if (*why) {
		if (json_object_get(value, "pointer"))
			put_address(line, value);
		put(line, json_object_get(value, "pointer") ? " <" : "<");
		put(line, why);
		put(line, ">");
	} else if (is_set(value, "redacted") && !json_object_get(value, "value")) {
		put(line, string_of(value, "type"));
		put(line, "(<redacted>)");
	} else if (json_object_get(value, "text")) {
		const char *dynamic = string_of(value, "dynamic_type");

		put(line, *dynamic ? dynamic : string_of(value, "type"));
		put(line, "(");
		put(line, string_of(value, "text"));
		put(line, ")");
	} else if (json_object_get(value, "same_as") || is_set(value, "cycle")) {
		put_address(line, value);
	} else {
		return false;
	}
	return true;
}

/** Whether numbers of this type need its name to be told from others. */
static bool is_named(const char *type)
{
	return strchr(type, '.');
}

static void put_number(struct line *line, const json_t *value)
{
	const char *type = string_of(value, "type");

	if (is_named(type)) {
		put(line, type);
		put(line, "(");
	}
	put_scalar(line, json_object_get(value, "value"));
	put(line, is_named(type) ? ")" : "");
}

/** What a pointer, an interface holds. */
static void put_held(struct line *line, const json_t *value, const char *key, int levels)
{
	const json_t *held = json_object_get(value, key);

	// What is written elsewhere is known by the address that it has here.
	if (!held || levels <= 0 || json_object_get(held, "same_as")) {
		put_address(line, value);
		return;
	}
	if (!strcmp(key, "target"))
		put(line, "&");
	put_value(line, held, levels - 1);
}

static void put_value(struct line *line, const json_t *value, int levels)
{
	const char *kind = string_of(value, "kind");

	if (line->is_cut || put_short(line, value))
		return;
	if (!strcmp(kind, "string") || !strcmp(kind, "bytes"))
		put_text(line, value);
	else if (!strcmp(kind, "slice") || !strcmp(kind, "array"))
		put_list(line, value, levels);
	else if (!strcmp(kind, "map"))
		put_entries(line, value, levels);
	else if (!strcmp(kind, "struct"))
		put(line, string_of(value, "type")), put_fields(line, value, levels);
	else if (!strcmp(kind, "pointer"))
		put_held(line, value, "target", levels);
	else if (!strcmp(kind, "interface"))
		put_held(line, value, "dynamic_value", levels);
	else if (!strcmp(kind, "chan"))
		put_channel(line, value);
	else if (!strcmp(kind, "func"))
		put(line, string_of(value, "function"));
	else if (!strcmp(kind, "unsafe-pointer"))
		put_address(line, value);
	else
		put_number(line, value);
}

/** The variable's Value, decoded; NULL: no memory. */
static json_t *decode(
	struct value_text *text, const struct variable *variable, const char *function)
{
	text->json_size = 0;
	text->writer.comma = false;
	json_write_variable(&text->values, variable->value, variable->name, function);
	if (jsonw_finish(&text->writer) != CS_OK)
		return NULL;
	return json_loadb(text->json, text->json_size, JSON_ALLOW_NUL, NULL);
}

static void print_variable(struct value_text *text, const struct variable *variable,
	const char *function, const struct value_text_style *style)
{
	struct line line = {.scratch = &text->scratch,
		.max = style->max < MAX_LINE ? style->max : MAX_LINE};
	json_t *value = decode(text, variable, function);

	if (!value)
		return;
	put_value(&line, value, MAX_LEVELS);
	for (size_t i = 0; i < line.used; i++)
		if (line.text[i] == '\n' || line.text[i] == '\t' || line.text[i] == '\r')
			line.text[i] = ' ';
	printer_format(text->printer, "%s", style->indent);
	printer_text(text->printer, variable->name);
	printer_format(text->printer, " = ");
	printer_sized(text->printer, line.text, line.used);
	printer_format(text->printer, line.is_cut ? "…\n" : "\n");
	json_decref(value);
}

void value_text_print(struct value_text *text, uint32_t frame, const char *function,
	const struct value_text_style *style)
{
	size_t printed = 0;

	for (size_t i = 0; i < text->variable_count && printed < style->max_lines; i++) {
		if (text->variables[i].frame != frame)
			continue;
		print_variable(text, &text->variables[i], function, style);
		printed++;
	}
}
