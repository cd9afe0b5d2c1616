// The streaming JSON writer: callers say begin, key, value, end; commas and escapes are its own
// affair. Nothing is kept but one buffer, so a snapshot of any size costs the same memory.
// The first failed write makes the writer `failed`; everything after it is dropped, and
// jsonw_finish tells.
#ifndef CORESNAP_COMMON_JSON_WRITER_H
#define CORESNAP_COMMON_JSON_WRITER_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Takes `size` bytes; returns false when they could not be taken, which ends the writing. */
typedef bool json_sink(void *context, const char *bytes, size_t size);

struct json_writer {
	json_sink *sink;
	void *context; // borrowed
	char *buffer;  // owned
	size_t used;
	bool comma;  // the next element wants a comma before it
	bool failed; // a write failed, or memory did
};

/** A writer into `sink`. Allocates its buffer (64 KiB). */
CS_MUST_USE enum cs_status jsonw_init(struct json_writer *w, json_sink *sink, void *context);

/** Frees the buffer. What was not flushed by jsonw_finish is lost. */
void jsonw_deinit(struct json_writer *w);

/** Writes out what is buffered; CS_IO if this or any earlier write failed. */
CS_MUST_USE enum cs_status jsonw_finish(struct json_writer *w);

/** Containers. Depth and pairing are the caller's. */
void jsonw_begin_object(struct json_writer *w);
void jsonw_end_object(struct json_writer *w);
void jsonw_begin_array(struct json_writer *w);
void jsonw_end_array(struct json_writer *w);

/** A line break between two elements, so that a table has a row a line. */
void jsonw_newline(struct json_writer *w);

/** The key of the next member. `key` needs no escape: it is one of our own names. */
void jsonw_key_sized(struct json_writer *w, const char *key, size_t size);

/** The key of the next member, from text of the target's: escaped like a string. */
void jsonw_text_key(struct json_writer *w, const char *key);

static inline void jsonw_key(struct json_writer *w, const char *key)
{
	jsonw_key_sized(w, key, strlen(key));
}

/** A value. NULL text becomes null. Bytes that are not UTF-8 are written as \xNN (backslash, x). */
void jsonw_string(struct json_writer *w, const char *text);
void jsonw_string_sized(struct json_writer *w, const char *bytes, size_t size);
/** Past INT64_MAX it is null: no reader takes such a number, and no true count is one. */
void jsonw_u64(struct json_writer *w, uint64_t value);
void jsonw_i64(struct json_writer *w, int64_t value);
void jsonw_bool(struct json_writer *w, bool value);
void jsonw_null(struct json_writer *w);
/** An address: the string "0xc000012345". */
void jsonw_address(struct json_writer *w, uint64_t address);
/** Bytes that are JSON already. */
void jsonw_raw(struct json_writer *w, const char *json, size_t size);

/** Member functions: key and value in one call. */
void jsonw_member_string(struct json_writer *w, const char *key, const char *text);
void jsonw_member_u64(struct json_writer *w, const char *key, uint64_t value);
void jsonw_member_i64(struct json_writer *w, const char *key, int64_t value);
void jsonw_member_bool(struct json_writer *w, const char *key, bool value);
void jsonw_member_null(struct json_writer *w, const char *key);
void jsonw_member_address(struct json_writer *w, const char *key, uint64_t address);

#endif
