#include "analyzer/runtime/panics.h"

#include "common/limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG_MAX 65536
#define NUMBER_SIZE 64 // characters that any printed number fits in

/** go1.26 prints the shortest decimal that reads back, strconv's 'g' with exponent -1. */
static void format_shortest(double v, bool is_float32, char *ret)
{
	char *exponent;

	if (isnan(v) || isinf(v)) {
		snprintf(ret, NUMBER_SIZE, "%s", isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int precision = 0; precision <= 17; precision++) {
		snprintf(ret, NUMBER_SIZE, "%.*e", precision, v);
		if (is_float32 ? strtof(ret, NULL) == (float)v : strtod(ret, NULL) == v)
			break;
	}
	// internal/strconv ftoa.go %g: %e where the exponent is below -4 or at least 6, if
	// shortest.
	exponent = strchr(ret, 'e');
	if (exponent && atoi(exponent + 1) >= -4 && atoi(exponent + 1) < 6) {
		int decimals = (int)(exponent - strchr(ret, '.')) - 1;
		int digits = strchr(ret, '.') ? decimals : 0;
		int keep = digits - atoi(exponent + 1);

		snprintf(ret, NUMBER_SIZE, "%.*f", keep > 0 ? keep : 0, v);
	}
}

/** Until go1.25: +d.dddddde+ddd (runtime/print.go printfloat). */
static void format_fixed(double v, char *ret)
{
	char digits[NUMBER_SIZE];
	int exponent;

	if (isnan(v) || isinf(v)) {
		snprintf(ret, NUMBER_SIZE, "%s", isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	snprintf(digits, sizeof(digits), "%.6e", v);
	exponent = atoi(strchr(digits, 'e') + 1);
	*strchr(digits, 'e') = 0;
	snprintf(ret, NUMBER_SIZE, "%s%.20se%c%03d", signbit(v) ? "" : "+", digits,
		exponent < 0 ? '-' : '+', abs(exponent));
}

static void format_float(const struct runtime *rt, double v, bool is_float32, char *ret)
{
	struct pcln_func func;

	// printfloat became printfloat64 and printfloat32 together with the new form (1.26).
	if (pclntab_find_name(rt->functions, "runtime.printfloat", &func))
		format_fixed(v, ret);
	else
		format_shortest(v, is_float32, ret);
}

static double load_float(const uint8_t *bytes, bool is_float32)
{
	float single;
	double v;

	if (is_float32) {
		memcpy(&single, bytes, sizeof(single));
		return (double)single;
	}
	memcpy(&v, bytes, sizeof(v));
	return v;
}

static const char *format_complex(const struct runtime *rt, const uint8_t *bytes, bool is_64)
{
	char real[NUMBER_SIZE], imaginary[NUMBER_SIZE];

	format_float(rt, load_float(bytes, is_64), is_64, real);
	format_float(rt, load_float(bytes + (is_64 ? 4 : 8), is_64), is_64, imaginary);
	return arena_format(rt->arena, "(%s%s%si)", real,
		imaginary[0] == '-' || imaginary[0] == '+' ? "" : "+", imaginary);
}

static const char *format_number(
	const struct runtime *rt, enum go_kind kind, const uint8_t *bytes, uint64_t size)
{
	char text[NUMBER_SIZE];
	int64_t number = 0;

	if (kind == GO_BOOL)
		return *bytes ? "true" : "false";
	if (kind == GO_FLOAT32 || kind == GO_FLOAT64) {
		format_float(rt, load_float(bytes, kind == GO_FLOAT32), kind == GO_FLOAT32, text);
		return arena_string(rt->arena, text);
	}
	if (kind == GO_COMPLEX64 || kind == GO_COMPLEX128)
		return format_complex(rt, bytes, kind == GO_COMPLEX64);
	memcpy(&number, bytes, size < sizeof(number) ? size : sizeof(number));
	if (kind >= GO_UINT)
		return arena_format(rt->arena, "%" PRIu64, (uint64_t)number);
	if (size < sizeof(number)) { // sign-extend
		int shift = (int)(64 - 8 * size);

		number = (int64_t)((uint64_t)number << shift) >> shift;
	}
	return arena_format(rt->arena, "%" PRId64, number);
}

/** error.go printindented (1.23): a tab behind each line break; earlier releases print it raw. */
static const char *indent(const struct runtime *rt, const char *text, size_t *size)
{
	struct pcln_func func;
	size_t lines = 0;
	char *indented, *to;

	for (size_t i = 0; i < *size; i++)
		lines += text[i] == '\n';
	if (!lines || !pclntab_find_name(rt->functions, "runtime.printindented", &func))
		return text;
	indented = to = arena_alloc(rt->arena, *size + lines + 1);
	if (!indented)
		return NULL;
	for (size_t i = 0; i < *size; i++) {
		*to++ = text[i];
		if (text[i] == '\n')
			*to++ = '\t';
	}
	*size += lines;
	return indented;
}

static const char *format_string(const struct runtime *rt, target_addr address, size_t *size_ret)
{
	uint64_t header[2];
	const char *text;

	if (image_read(rt->image, address, header, sizeof(header)) != CS_OK)
		return NULL;
	text = runtime_bytes_string(rt, header[0], header[1], MAX_MESSAGE_LENGTH);
	*size_ret = header[1] < MAX_MESSAGE_LENGTH ? header[1] : MAX_MESSAGE_LENGTH;
	return text ? indent(rt, text, size_ret) : NULL;
}

/** A number by itself, without its type's name. */
static const char *format_basic(const struct runtime *rt, const struct panic_value *value)
{
	const struct type *type = value->type;
	const uint8_t *bytes;

	// A descriptor that contradicts its own kind is garbage, and would be read past its size.
	if (type->kind < GO_BOOL || type->kind > GO_COMPLEX128 ||
		type->size != go_kind_size(type->kind))
		return NULL;
	bytes = runtime_bytes(rt, value->data, type->size);
	return bytes ? format_number(rt, type->kind, bytes, type->size) : NULL;
}

/** Whether a type is predeclared: its name has no package. */
static bool is_predeclared(const struct type *type)
{
	return !strchr(type->name, '.');
}

static const char *format_number_value(const struct runtime *rt, const struct panic_value *value)
{
	const struct type *type = value->type;
	const char *text = format_basic(rt, value);

	if (!text || is_predeclared(type))
		return text;
	return arena_format(rt->arena,
		type->kind == GO_COMPLEX64 || type->kind == GO_COMPLEX128 ? "%s%s" : "%s(%s)",
		type->name, text);
}

/** error.go printpanicval and printanycustomtype. */
static const char *format_value(
	const struct runtime *rt, const struct panic_value *value, size_t *size_ret)
{
	const struct type *type = value->type;
	const char *text;

	if (type->kind == GO_STRING) {
		text = format_string(rt, value->data, size_ret);
		if (!text || is_predeclared(type))
			return text;
		text = arena_format(rt->arena, "%s(\"%s\")", type->name, text);
	} else if (type->kind <= GO_COMPLEX128) {
		text = format_number_value(rt, value);
	} else {
		text = arena_format(rt->arena, "(%s) 0x%" PRIx64, type->name, value->data);
	}
	*size_ret = text ? strlen(text) : 0;
	return text;
}

static void load_value(
	const struct runtime *rt, struct types *types, struct object panic, struct panic_value *ret)
{
	target_addr arg = panic.address + layout_value(&rt->layout, PANIC_ARG);
	uint64_t eface[2]; // {type, data}

	*ret = (struct panic_value){0};
	if (!panic.bytes) // it was there when the chain was followed: out of memory
		return;
	*ret = (struct panic_value){
		.is_recovered = object_get(rt, panic, PANIC_RECOVERED),
		.is_goexit = object_get(rt, panic, PANIC_GOEXIT),
		.is_repanicked = object_get(rt, panic, PANIC_REPANICKED),
	};
	if (image_read(rt->image, arg, eface, sizeof(eface)) != CS_OK)
		return;
	ret->interface = arg;
	ret->data = eface[1];
	ret->is_nil = !eface[0];
	if (ret->is_nil)
		ret->text = "nil";
	else
		ret->type = types_at(types, eface[0]);
	if (ret->type)
		ret->text = format_value(rt, ret, &ret->text_size);
	ret->is_replaced = ret->type && ret->type->kind == GO_STRING && is_predeclared(ret->type);
	if (ret->is_nil)
		ret->text_size = strlen(ret->text);
}

static bool is_among(const target_addr *chain, size_t count, target_addr address)
{
	for (size_t i = 0; i < count; i++)
		if (chain[i] == address)
			return true;
	return false;
}

struct panics panics_load(const struct runtime *rt, struct types *types, target_addr newest)
{
	struct panics panics = {0};
	target_addr chain[MAX_PANICS];
	size_t count = 0;

	for (target_addr at = newest; at && count < MAX_PANICS;) {
		struct object panic = object_load(rt, at, OBJECT_PANIC);

		if (!panic.bytes || is_among(chain, count, at))
			break;
		chain[count++] = at;
		at = object_get(rt, panic, PANIC_LINK);
	}
	panics.list = arena_array(rt->arena, count, sizeof(*panics.list));
	if (!panics.list)
		return panics;
	while (count) // the runtime links newest to oldest and prints oldest first
		load_value(rt, types, object_load(rt, chain[--count], OBJECT_PANIC),
			&panics.list[panics.count++]);
	return panics;
}

/** The ring's bytes, oldest first, as one string; NULL where it is not there. */
static char *load_backlog(const struct runtime *rt)
{
	uint64_t size = layout_size(&rt->layout, VAR_PRINT_BACKLOG);
	uint64_t index;
	char *text;

	if (!size || size > BACKLOG_MAX ||
		!runtime_read_variable(rt, VAR_PRINT_BACKLOG_INDEX, &index) || index > size)
		return NULL;
	text = arena_alloc(rt->arena, size + 1);
	if (!text)
		return NULL;
	if (image_read(rt->image, runtime_variable(rt, VAR_PRINT_BACKLOG) + index, text,
		    size - index) != CS_OK ||
		image_read(rt->image, runtime_variable(rt, VAR_PRINT_BACKLOG), text + size - index,
			index) != CS_OK)
		return NULL;
	return text;
}

const char *panics_fatal_error(const struct runtime *rt)
{
	static const char prefix[] = "fatal error: ";
	uint64_t size = layout_size(&rt->layout, VAR_PRINT_BACKLOG);
	char *ring = load_backlog(rt);
	const char *last = NULL;
	char *message, *to;

	if (!ring)
		return NULL;
	for (uint64_t i = 0; i + sizeof(prefix) - 1 <= size; i++)
		if (!memcmp(ring + i, prefix, sizeof(prefix) - 1))
			last = ring + i + sizeof(prefix) - 1;
	if (!last)
		return NULL;
	message = to = arena_string(rt->arena, last);
	// Lines of the text itself are indented by a tab (printindented); the first that is not
	// ends it.
	for (const char *from = last; message && *from; from++) {
		if (*from == '\n' && from[1] != '\t')
			break;
		*to++ = *from;
	}
	if (message)
		*to = 0;
	return message;
}
