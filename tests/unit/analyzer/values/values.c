#include "tests/unit/analyzer/values/values.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values *values_create(void)
{
	struct values *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->m = mkruntime_create(0);
	v->limits = (struct value_limits){256, 64, 6, 64, 64};
	v->t_int = mkruntime_type(v->m, "int", GO_INT, 8);
	v->t_int8 = mkruntime_type(v->m, "int8", GO_INT8, 1);
	v->t_uint8 = mkruntime_type(v->m, "uint8", GO_UINT8, 1);
	v->t_string = mkruntime_type(v->m, "string", GO_STRING, 16);
	v->t_any = mktypes_interface(v->m, "interface {}", 0);
	return v;
}

void values_destroy(struct values *v)
{
	arena_deinit(&v->scratch);
	mkruntime_destroy(v->m);
	free(v);
}

void values_open(struct values *v, uint64_t max)
{
	ck_assert_int_eq(mkruntime_open(v->m), CS_OK);
	arena_init(&v->scratch, 0);
	value_reader_init(&v->reader, v->m->rt, v->m->types, &v->limits, NULL);
	value_reader_begin(&v->reader, &v->scratch, max);
}

struct value *values_read(struct values *v, target_addr descriptor, target_addr address)
{
	struct place place = place_at(address, true);
	struct type *type = types_at(v->m->types, descriptor);

	ck_assert_ptr_nonnull(type);
	return value_read(&v->reader, type, &place);
}

static const char *join(struct values *v, const char *before, const struct value *value)
{
	return arena_format(&v->scratch, "%s%s%s", before,
		before[0] && !strchr("[{&:<", before[strlen(before) - 1]) ? " " : "",
		values_text(v, value));
}

static const char *list_text(struct values *v, const struct value *value)
{
	const char *text = "[";

	for (uint32_t i = 0; i < value->element_count; i++)
		text = join(v, text, value->elements[i]);
	return arena_format(&v->scratch, "%s%s]", text, value->is_truncated ? " …" : "");
}

static const char *map_text(struct values *v, const struct value *value)
{
	const char *text = "map[";

	for (uint32_t i = 0; i < value->entry_count; i++) {
		text = arena_format(&v->scratch, "%s:", join(v, text, value->entries[i].key));
		text = join(v, text, value->entries[i].value);
	}
	return arena_format(&v->scratch, "%s%s]", text, value->is_truncated ? " …" : "");
}

static const char *struct_text(struct values *v, const struct value *value)
{
	const char *text = "{";

	for (uint32_t i = 0; i < value->field_count; i++)
		text = arena_format(&v->scratch, "%s%s%s:%s", text, i ? " " : "",
			value->fields[i].name, values_text(v, value->fields[i].value));
	return arena_format(&v->scratch, "%s%s}", text, value->is_truncated ? " …" : "");
}

static const char *queue_text(
	struct values *v, const char *text, const struct value_waiter *queue, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		text = arena_format(&v->scratch, "%s %" PRIu64 "%s%s", text, queue[i].goroutine,
			queue[i].value ? "=" : "",
			queue[i].value ? values_text(v, queue[i].value) : "");
	return text;
}

static const char *channel_text(struct values *v, const struct value *value)
{
	const struct value_channel *c = value->channel;
	const char *text;

	text = arena_format(&v->scratch, "chan %" PRIu64 "/%" PRIu64 "%s%s", value->length,
		value->capacity, c->is_closed ? " closed" : "", list_text(v, value));
	text = queue_text(
		v, arena_format(&v->scratch, "%s send", text), c->send_queue, c->send_queue_count);
	return queue_text(v, arena_format(&v->scratch, "%s receive", text), c->receive_queue,
		c->receive_queue_count);
}

static const char *parts_text(struct values *v, const struct value *value)
{
	switch (value->kind) {
	case VALUE_SLICE:
	case VALUE_ARRAY:
		return list_text(v, value);
	case VALUE_MAP:
		return map_text(v, value);
	case VALUE_STRUCT:
		return struct_text(v, value);
	case VALUE_CHAN:
		return channel_text(v, value);
	case VALUE_POINTER:
		return value->target ? join(v, "&", value->target) : "&…";
	case VALUE_INTERFACE:
		return arena_format(&v->scratch, "%s(%s)", value->dynamic_type->name,
			value->dynamic_value ? values_text(v, value->dynamic_value) : "…");
	case VALUE_FUNC:
		return arena_format(&v->scratch, "func %s", value->function);
	default:
		return arena_format(&v->scratch, "0x%" PRIx64, value->pointer);
	}
}

const char *values_text(struct values *v, const struct value *value)
{
	struct arena *arena = &v->scratch;

	if (value->unavailable)
		return arena_format(arena, "!%s", unavailable_name(value->unavailable));
	if (value->is_nil)
		return "nil";
	if (value->is_cycle)
		return "cycle";
	if (value->same_as)
		return "same";
	switch (value->kind) {
	case VALUE_BOOL:
		return value->scalar.boolean ? "true" : "false";
	case VALUE_INT:
		return arena_format(arena, "%" PRId64, value->scalar.integer);
	case VALUE_UINT:
		return arena_format(arena, "%" PRIu64, value->scalar.natural);
	case VALUE_FLOAT:
		return arena_format(arena, "%g", value->scalar.real[0]);
	case VALUE_COMPLEX:
		return arena_format(
			arena, "(%g%+gi)", value->scalar.real[0], value->scalar.real[1]);
	case VALUE_STRING:
	case VALUE_BYTES:
		return arena_format(arena, "\"%.*s\"%s", (int)value->scalar.text.size,
			value->scalar.text.bytes, value->is_truncated ? "…" : "");
	default:
		return parts_text(v, value);
	}
}

void values_expect(
	struct values *v, target_addr descriptor, target_addr address, const char *expected)
{
	value_reader_begin(&v->reader, &v->scratch, 10000);
	ck_assert_str_eq(values_text(v, values_read(v, descriptor, address)), expected);
}
