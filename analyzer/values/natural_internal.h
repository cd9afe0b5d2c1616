// What forms are made with; only natural*.c include it.
#ifndef CORESNAP_ANALYZER_VALUES_NATURAL_INTERNAL_H
#define CORESNAP_ANALYZER_VALUES_NATURAL_INTERNAL_H

#include "analyzer/values/reading.h"
#include "common/limits.h"

/** A text in the making. A piece that does not fit makes the whole fail. */
struct natural {
	struct value_reader *reader; // borrowed
	uint32_t depth;              // forms within forms that may still be
	size_t used;
	char text[MAX_NATURAL_TEXT];
};

/** A form that is more than a pattern: appends to `n`; false: it cannot be told. */
typedef bool natural_form(struct natural *n, struct type *type, const struct place *place);

bool natural_put(struct natural *n, const char *bytes, size_t size);
bool natural_puts(struct natural *n, const char *text);
bool natural_format(struct natural *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The field of a struct called by the `size` bytes at `name`; NULL: it has none. */
const struct type_field *type_field_named(const struct type *type, const char *name, size_t size);

/**
 * Goes from a struct to its field at `path` ("a.b"), through pointers on the way. False: no such
 * field, or not readable.
 */
bool natural_find(struct natural *n, struct type *type, const struct place *place, const char *path,
	struct type **type_ret, struct place *place_ret);

/** The integer or bool at `path` ("": the value itself), also within an atomic type. */
bool natural_number(struct natural *n, struct type *type, const struct place *place,
	const char *path, int64_t *ret);

/** The bytes of the string or []byte at `path`: at most MAX_NATURAL_TEXT of them. */
bool natural_bytes(struct natural *n, struct type *type, const struct place *place,
	const char *path, const uint8_t **bytes_ret, size_t *size_ret);

/** The {pointer, length} of the string or slice at `path`, which is kept alive. */
bool natural_header(struct natural *n, struct type *type, const struct place *place,
	const char *path, target_addr *pointer_ret, uint64_t *length_ret);

/** What a pointer points to, if it is kept; anything else stays. */
bool natural_through_pointer(struct natural *n, struct type **type, struct place *place);

/** The natural form of what an interface holds, behind a pointer as well; NULL: none. */
const char *natural_text_behind(
	struct value_reader *reader, struct type *type, const struct place *place);

/** Appends what the field at `path` is: text, number, or by its own form. */
bool natural_append(
	struct natural *n, struct type *type, const struct place *place, const char *path);

/** What an interface holds: its dynamic type and where that lies. False: nil, or not readable. */
bool natural_dynamic(struct natural *n, struct type *type, const struct place *place,
	struct type **type_ret, struct place *place_ret, struct piece *scratch);

/** Appends a duration of `ns` as time.Duration's String writes it. */
bool natural_put_duration(struct natural *n, int64_t ns);

/** Appends a time.Time without its monotonic part, in UTC where its zone is not known. */
bool natural_put_wall(struct natural *n, struct type *type, const struct place *place);

/** The monotonic part of a time.Time: nanoseconds since the process began. False: it has none. */
bool natural_monotonic(
	struct natural *n, struct type *type, const struct place *place, int64_t *ret);

natural_form natural_duration, natural_month, natural_weekday, natural_time,
	natural_location, natural_timer; // natural_time.c
natural_form natural_ip, natural_mask, natural_network, natural_hardware, natural_endpoint,
	natural_netip, natural_netip_port, natural_netip_prefix, natural_descriptor,
	natural_url, natural_uuid,
	natural_op_error; // natural_net.c
natural_form natural_mutex, natural_rwmutex, natural_waitgroup, natural_once, natural_cond,
	natural_atomic,
	natural_atomic_bool, natural_pool; // natural_sync.c
natural_form natural_integer, natural_ratio, natural_buffer, natural_builder, natural_raw, natural_type_name,
	natural_errno, natural_joined, natural_mode, natural_signal,
	natural_lookup_error; // natural_misc.c
natural_form natural_cancel_context, natural_after_context, natural_value_context,
	natural_timer_context; // natural_context.c
natural_form natural_entries, natural_list, natural_reflected; // content.c

/** What a struct of a well-known type holds, as entries, elements or one value: content.c. */
typedef void natural_content(struct value_reader *reader, struct value *value,
	const struct place *place, uint32_t depth);

natural_content content_map, content_list, content_reflected;

#endif
