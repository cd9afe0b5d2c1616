// Writes values as SNAPSHOT.md (Value) has them, with secrets hidden before anything is written: by
// the name of the variable, field, map key or type that holds them, and by what they look like.
#ifndef CORESNAP_ANALYZER_EMIT_JSON_VALUES_H
#define CORESNAP_ANALYZER_EMIT_JSON_VALUES_H

#include "analyzer/values/value.h"
#include "common/json/writer.h"

/** What writing values needs; one for a whole document. */
struct json_values {
	struct json_writer *w;      // borrowed
	struct arena *scratch;      // borrowed; may be emptied between two values
	struct u64map name_classes; // hash of a name to its enum redact_class
	bool is_part;               // the value that is written next is a field, element or entry
};

/** `lasting` is for what is kept from value to value, and outlives it. */
void json_values_init(struct json_values *values, struct json_writer *w, struct arena *lasting,
	struct arena *scratch);

/**
 * Writes `value` as one object. `name` is that of the variable, argument or the like (NULL: none);
 * NULL for `value` writes null.
 */
void json_write_value(struct json_values *values, const struct value *value, const char *name);

/**
 * Writes a variable or argument of `function`, whose name speaks of what it is given too:
 * "setPassword". NULL for `function`: as json_write_value.
 */
void json_write_variable(struct json_values *values, const struct value *value, const char *name,
	const char *function);

/**
 * The members of json_write_value without the object's braces, so that the caller can add members
 * of its own.
 */
void json_write_value_members(
	struct json_values *values, const struct value *value, const char *name);

/** The members of a row of `channels`: of a channel that could be read (value->channel). */
void json_write_channel_members(struct json_values *values, const struct value *value);

#endif
