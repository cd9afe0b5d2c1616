#include "analyzer/emit/json_values.h"

#include "analyzer/emit/go_quote.h"
#include "common/redact/redact.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXACT_INTEGERS (INT64_C(1) << 53) // beyond it a JSON reader may round
#define NUMBER_SIZE 64
#define LONGEST_RUNE 4

void json_values_init(struct json_values *values, struct json_writer *w, struct arena *lasting,
	struct arena *scratch)
{
	*values = (struct json_values){.w = w, .scratch = scratch};
	u64map_init(&values->name_classes, lasting);
}

/** FNV-1a: names are short, and the map hashes once more. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/** The names of fields and types come again and again: each is judged once. */
static enum redact_class class_of(struct json_values *values, const char *name)
{
	enum redact_class class;
	uint64_t hash, known;

	if (!name)
		return REDACT_NOTHING;
	hash = hash_of(name);
	if (u64map_get(&values->name_classes, hash, &known))
		return (enum redact_class)known;
	class = redact_name(name, strlen(name));
	// Out of memory: it is judged again the next time.
	(void)u64map_put(&values->name_classes, hash, class);
	return class;
}

static enum redact_class stricter(enum redact_class a, enum redact_class b)
{
	return a > b ? a : b;
}

static const char *kind_name(enum value_kind kind)
{
	static const char *const names[] = {[VALUE_UNKNOWN] = "unknown",
		[VALUE_BOOL] = "bool",
		[VALUE_INT] = "int",
		[VALUE_UINT] = "uint",
		[VALUE_FLOAT] = "float",
		[VALUE_COMPLEX] = "complex",
		[VALUE_STRING] = "string",
		[VALUE_BYTES] = "bytes",
		[VALUE_SLICE] = "slice",
		[VALUE_ARRAY] = "array",
		[VALUE_MAP] = "map",
		[VALUE_CHAN] = "chan",
		[VALUE_STRUCT] = "struct",
		[VALUE_POINTER] = "pointer",
		[VALUE_INTERFACE] = "interface",
		[VALUE_FUNC] = "func",
		[VALUE_UNSAFE_POINTER] = "unsafe-pointer"};

	return names[kind];
}

/** The shortest decimal that reads back as `v`. */
static void format_float(double v, bool is_float32, char text[NUMBER_SIZE])
{
	if (isnan(v) || isinf(v)) {
		snprintf(text, NUMBER_SIZE, "%s", isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(text, NUMBER_SIZE, "%.*g", precision, v);
		if (is_float32 ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
			break;
	}
}

static void write_float(struct json_writer *w, double v, bool is_float32)
{
	char text[NUMBER_SIZE];

	format_float(v, is_float32, text);
	if (isnan(v) || isinf(v))
		jsonw_string(w, text);
	else
		jsonw_raw(w, text, strlen(text));
}

static void write_complex(struct json_writer *w, const struct value *value)
{
	bool is_float32 = value->type->kind == GO_COMPLEX64;
	char real[NUMBER_SIZE], imaginary[NUMBER_SIZE], text[2 * NUMBER_SIZE + 8];

	format_float(value->scalar.real[0], is_float32, real);
	format_float(value->scalar.real[1], is_float32, imaginary);
	snprintf(text, sizeof(text), "(%s%s%si)", real,
		imaginary[0] == '-' || imaginary[0] == '+' ? "" : "+", imaginary);
	jsonw_string(w, text);
}

static void write_number(struct json_writer *w, const struct value *value)
{
	char text[NUMBER_SIZE];
	bool is_exact;

	if (value->kind == VALUE_INT) {
		is_exact = value->scalar.integer <= EXACT_INTEGERS &&
			   value->scalar.integer >= -EXACT_INTEGERS;
		snprintf(text, sizeof(text), "%" PRId64, value->scalar.integer);
	} else {
		is_exact = value->scalar.natural <= EXACT_INTEGERS;
		snprintf(text, sizeof(text), "%" PRIu64, value->scalar.natural);
	}
	if (is_exact)
		jsonw_raw(w, text, strlen(text));
	else
		jsonw_string(w, text);
}

/** Without the rune that a cap has cut in two. */
static size_t whole_runes(const char *bytes, size_t size)
{
	for (size_t back = 1; back < LONGEST_RUNE && back <= size; back++) {
		unsigned char c = (unsigned char)bytes[size - back];

		if ((c & 0xc0) == 0x80)
			continue;
		return c >= 0xc0 && !utf8_length(bytes + size - back, back) ? size - back : size;
	}
	return size;
}

/** Whether a name of this class hides the text as a whole. */
static bool hides_text(enum redact_class class, const struct value *value)
{
	size_t size = value->scalar.text.size;

	if (class == REDACT_LONG)
		return value->length >= REDACT_LONG_SIZE;
	return class != REDACT_NOTHING && !redact_is_empty(value->scalar.text.bytes, size);
}

/*
 * The text without its secrets. One that is cut may end within a secret that only its whole length
 * tells: it is then shown up to there.
 */
static char *without_secrets(
	struct json_values *values, const struct value *value, size_t size, size_t *size_ret)
{
	const char *bytes = value->scalar.text.bytes;
	size_t seen = value->scalar.text.size + value->scalar.text.beyond, whole_size, same = 0;
	char *whole;

	if (!value->scalar.text.beyond)
		return redact_text(values->scratch, bytes, size, size_ret);
	whole = redact_text(values->scratch, bytes, seen, &whole_size);
	while (whole && same < size && same < whole_size && whole[same] == bytes[same])
		same++;
	if (!whole || same == size)
		return redact_text(values->scratch, bytes, size, size_ret);
	*size_ret = same + strlen(REDACTED);
	whole = arena_alloc(values->scratch, *size_ret);
	if (whole) {
		memcpy(whole, bytes, same);
		memcpy(whole + same, REDACTED, strlen(REDACTED));
	}
	return whole;
}

static void write_text(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	const char *bytes = value->scalar.text.bytes;
	size_t size = value->scalar.text.size, shown_size;
	bool is_hidden = hides_text(class, value);
	char *shown = NULL;

	if (!is_hidden && bytes) {
		if (value->is_truncated)
			size = whole_runes(bytes, size);
		shown = without_secrets(values, value, size, &shown_size);
	}
	if (!shown) { // hidden by its name, or no memory to look for secrets in it
		jsonw_member_bool(values->w, "redacted", true);
		return;
	}
	is_hidden = shown_size != size || memcmp(shown, bytes, size);
	if (!go_is_printable(shown, shown_size)) {
		char *quoted = go_quote(values->scratch, shown, shown_size, &shown_size);

		jsonw_key(values->w, "value");
		if (quoted)
			jsonw_string_sized(values->w, quoted, shown_size);
		else
			jsonw_null(values->w);
		jsonw_member_bool(values->w, "escaped", true);
	} else {
		jsonw_key(values->w, "value");
		jsonw_string_sized(values->w, shown, shown_size);
	}
	if (is_hidden)
		jsonw_member_bool(values->w, "redacted", true);
}

static void write_value(struct json_values *values, const struct value *value, const char *name,
	enum redact_class inherited);

static void write_scalar(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	struct json_writer *w = values->w;

	if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES) {
		write_text(values, value, class);
		return;
	}
	if (value->kind > VALUE_COMPLEX || value->kind == VALUE_UNKNOWN)
		return;
	if ((class == REDACT_ALL && value->kind != VALUE_BOOL) ||
		(value->kind <= VALUE_UINT && value->type->size == 8 &&
			redact_is_text_word(value->scalar.natural))) {
		jsonw_member_bool(w, "redacted", true);
		return;
	}
	jsonw_key(w, "value");
	if (value->kind == VALUE_BOOL)
		jsonw_bool(w, value->scalar.boolean);
	else if (value->kind == VALUE_FLOAT)
		write_float(w, value->scalar.real[0], value->type->kind == GO_FLOAT32);
	else if (value->kind == VALUE_COMPLEX)
		write_complex(w, value);
	else
		write_number(w, value);
}

static const char *text_of(struct json_values *values, const struct value *value)
{
	return value->kind == VALUE_STRING && value->scalar.text.bytes
		       ? arena_copy(
				 values->scratch, value->scalar.text.bytes, value->scalar.text.size)
		       : NULL;
}

/** A list of strings may be a command line: "--password", "x". */
static enum redact_class class_after(
	struct json_values *values, const struct value *flag, const struct value *value)
{
	const char *name, *text;

	if (flag->kind != VALUE_STRING || !flag->scalar.text.size ||
		flag->scalar.text.bytes[0] != '-')
		return REDACT_NOTHING;
	name = text_of(values, flag);
	text = text_of(values, value);
	return name && text && redact_argument_kept(name, text) < value->scalar.text.size
		       ? REDACT_TEXT
		       : REDACT_NOTHING;
}

static void write_elements(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	struct type *element = value->type->element;

	// Text in an array of bytes is written as numbers.
	if (class != REDACT_NOTHING && element && element->kind == GO_UINT8 && value->length) {
		jsonw_member_bool(values->w, "redacted", true);
		return;
	}
	jsonw_key(values->w, "elements");
	jsonw_begin_array(values->w);
	for (uint32_t i = 0; i < value->element_count; i++) {
		values->is_part = true;
		write_value(values, value->elements[i], NULL,
			stricter(class,
				i ? class_after(values, value->elements[i - 1], value->elements[i])
				  : REDACT_NOTHING));
	}
	jsonw_end_array(values->w);
}

/** What the key says of its value: a text is a name like a field's. */
static enum redact_class class_of_key(const struct value *key)
{
	if (key->kind == VALUE_INTERFACE && key->dynamic_value)
		key = key->dynamic_value;
	if (key->kind != VALUE_STRING || !key->scalar.text.bytes)
		return REDACT_NOTHING;
	return redact_name(key->scalar.text.bytes, key->scalar.text.size);
}

static void write_entries(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	jsonw_key(values->w, "entries");
	jsonw_begin_array(values->w);
	for (uint32_t i = 0; i < value->entry_count; i++) {
		const struct value_entry *entry = &value->entries[i];

		jsonw_begin_object(values->w);
		jsonw_key(values->w, "key");
		values->is_part = true;
		write_value(values, entry->key, NULL, class);
		jsonw_key(values->w, "value");
		values->is_part = true;
		write_value(values, entry->value, NULL, stricter(class, class_of_key(entry->key)));
		jsonw_end_object(values->w);
	}
	jsonw_end_array(values->w);
}

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strcasecmp(name, *list))
			return true;
	return false;
}

/**
 * Fields, captured variables, internals. `class` is what is known of all of them, `content` of
 * those that are called "value".
 */
static void write_named(struct json_values *values, const char *key, const struct named_value *list,
	uint32_t count, enum redact_class class, enum redact_class content)
{
	static const char *const contents[] = {"value", "val", "v", NULL};

	jsonw_key(values->w, key);
	jsonw_begin_array(values->w);
	for (uint32_t i = 0; i < count; i++) {
		enum redact_class own = class;

		if (content && is_one_of(list[i].name, contents))
			own = stricter(class, content);
		jsonw_begin_object(values->w);
		jsonw_key(values->w, "name");
		jsonw_string(values->w, list[i].name);
		jsonw_key(values->w, "value");
		values->is_part = true;
		write_value(values, list[i].value, list[i].name, own);
		jsonw_end_object(values->w);
	}
	jsonw_end_array(values->w);
}

/** What a struct's own key says of its value: {key: "password", value: …}, {Name: …, Value: …}. */
static enum redact_class class_of_pair(const struct value *value)
{
	static const char *const keys[] = {"key", "k", "name", NULL};

	for (uint32_t i = 0; i < value->field_count; i++)
		if (is_one_of(value->fields[i].name, keys))
			return class_of_key(value->fields[i].value);
	return REDACT_NOTHING;
}

/** A box around one value that has no name of its own: what sync and sync/atomic make. */
static bool is_box(const struct type *type)
{
	return type->package &&
	       (!strcmp(type->package, "sync/atomic") || !strcmp(type->package, "sync") ||
		       !strcmp(type->package, "internal/sync"));
}

/** A struct's fields have names of their own: only what hides everything goes on into them. */
static void write_fields(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	if (class != REDACT_ALL && !is_box(value->type))
		class = REDACT_NOTHING;
	write_named(
		values, "fields", value->fields, value->field_count, class, class_of_pair(value));
}

static void write_queue(struct json_values *values, const char *key,
	const struct value_waiter *queue, uint32_t count, enum redact_class class)
{
	struct json_writer *w = values->w;

	jsonw_key(w, key);
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < count; i++) {
		jsonw_begin_object(w);
		jsonw_member_u64(w, "goroutine", queue[i].goroutine);
		if (queue[i].select_case >= 0)
			jsonw_member_u64(w, "select_case", (uint64_t)queue[i].select_case);
		if (queue[i].value) {
			jsonw_key(w, "value");
			write_value(values, queue[i].value, NULL, class);
		}
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_channel(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	const struct value_channel *channel = value->channel;
	struct json_writer *w = values->w;

	jsonw_member_bool(w, "closed", channel->is_closed);
	jsonw_member_u64(w, "send_index", channel->send_index);
	jsonw_member_u64(w, "receive_index", channel->receive_index);
	write_elements(values, value, class);
	write_queue(values, "send_queue", channel->send_queue, channel->send_queue_count, class);
	write_queue(values, "receive_queue", channel->receive_queue, channel->receive_queue_count,
		REDACT_NOTHING);
	jsonw_member_u64(w, "send_queue_total", channel->send_queue_total);
	jsonw_member_u64(w, "receive_queue_total", channel->receive_queue_total);
}

/** The errors that an error wraps. */
static void write_wrapped(struct json_values *values, const struct value *value)
{
	struct json_writer *w = values->w;

	jsonw_key(w, "wraps");
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < value->wrap_count; i++) {
		const char *text = value->wraps[i].text;

		if (text)
			text = redact_text(values->scratch, text, strlen(text), NULL);
		jsonw_begin_object(w);
		jsonw_member_string(w, "type", value->wraps[i].type);
		jsonw_member_string(w, "text", text);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_interface(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	if (value->dynamic_type)
		jsonw_member_string(values->w, "dynamic_type", value->dynamic_type->name);
	if (value->dynamic_value) {
		jsonw_key(values->w, "dynamic_value");
		write_value(values, value->dynamic_value, NULL, class);
	}
	if (value->wrap_count && class != REDACT_ALL)
		write_wrapped(values, value);
}

/** Of a pointer; of an atomic.Pointer[T], whose own word has no type. */
static void write_target(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	if (!value->target)
		return;
	jsonw_key(values->w, "target");
	write_value(values, value->target, NULL, class);
}

/** What a well-known struct holds: sync.Map, list.List, reflect.Value. */
static void write_content(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	if (!value->has_content)
		return;
	if (value->entries)
		write_entries(values, value, class);
	if (value->elements)
		write_elements(values, value, class);
	if (value->dynamic_type)
		write_interface(values, value, class);
}

static void write_parts(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	if (value->same_as || value->is_cycle)
		return;
	switch (value->kind) {
	case VALUE_SLICE:
	case VALUE_ARRAY:
		if (!value->is_nil)
			write_elements(values, value, class);
		break;
	case VALUE_MAP:
		if (!value->is_nil)
			write_entries(values, value, class);
		break;
	case VALUE_STRUCT:
		if (value->field_count || !value->is_truncated)
			write_fields(values, value, class);
		write_content(values, value, class);
		write_target(values, value, class);
		break;
	case VALUE_FUNC:
		if (value->function)
			jsonw_member_string(values->w, "function", value->function);
		if (value->field_count)
			write_named(values, "fields", value->fields, value->field_count, class,
				REDACT_NOTHING);
		break;
	case VALUE_INTERFACE:
		write_interface(values, value, class);
		break;
	case VALUE_POINTER:
		write_target(values, value, class);
		break;
	case VALUE_CHAN:
		if (value->channel)
			write_channel(values, value, class);
		break;
	default:
		break;
	}
}

/** What others point to or wait for is a whole: a word within it is found by its name. */
static bool has_place(const struct value *value, bool is_part)
{
	return !is_part || value->kind == VALUE_STRUCT || value->kind == VALUE_ARRAY;
}

static void write_head(struct json_writer *w, const struct value *value, bool is_part)
{
	jsonw_member_string(w, "type", value->type->name);
	jsonw_member_string(w, "kind", kind_name(value->kind));
	if (has_place(value, is_part)) {
		jsonw_key(w, "address");
		if (value->address)
			jsonw_address(w, value->address);
		else
			jsonw_null(w);
	}
	if (value->is_nil)
		jsonw_member_bool(w, "nil", true);
	else if (value->has_pointer)
		jsonw_member_address(w, "pointer", value->pointer);
}

static void write_length(struct json_writer *w, const struct value *value)
{
	if (!value->has_length)
		return;
	jsonw_member_u64(w, "length", value->length);
	if (value->kind != VALUE_SLICE && value->kind != VALUE_BYTES && value->kind != VALUE_CHAN)
		return;
	jsonw_key(w, "capacity");
	if (value->lacks_capacity)
		jsonw_null(w);
	else
		jsonw_u64(w, value->capacity);
}

static void write_natural(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	const char *text = value->natural_text;

	if (!text || class == REDACT_ALL)
		return;
	text = redact_text(values->scratch, text, strlen(text), NULL);
	if (text)
		jsonw_member_string(values->w, "text", text);
}

static void write_tail(
	struct json_values *values, const struct value *value, enum redact_class class)
{
	struct json_writer *w = values->w;

	write_natural(values, value, class);
	if (value->internal_count && !value->same_as && !value->is_cycle)
		write_named(values, "internals", value->internals, value->internal_count,
			REDACT_NOTHING, REDACT_NOTHING);
	if (value->is_cycle)
		jsonw_member_bool(w, "cycle", true);
	if (value->same_as)
		jsonw_member_address(w, "same_as", value->same_as);
	if (value->is_truncated)
		jsonw_member_bool(w, "truncated", true);
	if (value->evidence)
		jsonw_member_string(w, "evidence", evidence_name(value->evidence));
	if (value->unavailable)
		jsonw_member_string(w, "unavailable", unavailable_name(value->unavailable));
}

static void write_members(struct json_values *values, const struct value *value, const char *name,
	enum redact_class class)
{
	bool is_part = values->is_part;

	values->is_part = false;
	class = stricter(class, class_of(values, name));
	class = stricter(class, class_of(values, value->type->name));
	if (value->is_redacted)
		class = REDACT_ALL;
	write_head(values->w, value, is_part);
	if (!value->unavailable && !value->is_nil && !value->same_as)
		write_scalar(values, value, class);
	write_length(values->w, value);
	write_parts(values, value, class);
	write_tail(values, value, class);
}

static void write_value(struct json_values *values, const struct value *value, const char *name,
	enum redact_class inherited)
{
	if (!value) {
		jsonw_null(values->w);
		return;
	}
	jsonw_begin_object(values->w);
	write_members(values, value, name, inherited);
	jsonw_end_object(values->w);
}

void json_write_value(struct json_values *values, const struct value *value, const char *name)
{
	write_value(values, value, name, REDACT_NOTHING);
}

void json_write_variable(struct json_values *values, const struct value *value, const char *name,
	const char *function)
{
	enum redact_class class = class_of(values, function);

	// What else the function is given may be a number or a user's name.
	write_value(values, value, name, class == REDACT_ALL ? REDACT_TEXT : class);
}

void json_write_value_members(
	struct json_values *values, const struct value *value, const char *name)
{
	write_members(values, value, name, REDACT_NOTHING);
}

void json_write_channel_members(struct json_values *values, const struct value *value)
{
	struct json_writer *w = values->w;

	jsonw_member_address(w, "address", value->pointer);
	jsonw_member_string(w, "element_type", value->type->element->name);
	jsonw_member_u64(w, "length", value->length);
	jsonw_member_u64(w, "capacity", value->capacity);
	write_channel(values, value, REDACT_NOTHING);
	write_tail(values, value, REDACT_NOTHING);
}
