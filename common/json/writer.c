#include "common/json/writer.h"

#include "common/utf8.h"

#include <stdlib.h>

#define BUFFER_SIZE 65536
#define LONGEST_KEY 256
#define SMALLEST_ROOM 64 // what room() is asked for at the most by fixed-size pieces

enum cs_status jsonw_init(struct json_writer *w, json_sink *sink, void *context)
{
	*w = (struct json_writer){.sink = sink, .context = context, .buffer = malloc(BUFFER_SIZE)};
	return w->buffer ? CS_OK : CS_NO_MEMORY;
}

void jsonw_deinit(struct json_writer *w)
{
	free(w->buffer);
	w->buffer = NULL;
}

static void flush(struct json_writer *w)
{
	if (w->used && !w->failed && !w->sink(w->context, w->buffer, w->used))
		w->failed = true;
	w->used = 0;
}

enum cs_status jsonw_finish(struct json_writer *w)
{
	flush(w);
	return w->failed ? CS_IO : CS_OK;
}

/** A place for `size` more bytes, far fewer than the buffer has. */
static char *room(struct json_writer *w, size_t size)
{
	if (size > BUFFER_SIZE - w->used)
		flush(w);
	return w->buffer + w->used;
}

static void put(struct json_writer *w, const char *bytes, size_t size)
{
	while (size) {
		size_t part = BUFFER_SIZE - w->used;

		if (part > size)
			part = size;
		memcpy(w->buffer + w->used, bytes, part);
		w->used += part;
		bytes += part;
		size -= part;
		if (size)
			flush(w);
	}
}

static void put_char(struct json_writer *w, char c)
{
	*room(w, 1) = c;
	w->used++;
}

static void separate(struct json_writer *w)
{
	if (w->comma)
		put_char(w, ',');
	w->comma = true;
}

static void begin(struct json_writer *w, char bracket)
{
	separate(w);
	put_char(w, bracket);
	w->comma = false;
}

static void end(struct json_writer *w, char bracket)
{
	put_char(w, bracket);
	w->comma = true;
}

void jsonw_begin_object(struct json_writer *w)
{
	begin(w, '{');
}

void jsonw_end_object(struct json_writer *w)
{
	end(w, '}');
}

void jsonw_begin_array(struct json_writer *w)
{
	begin(w, '[');
}

void jsonw_end_array(struct json_writer *w)
{
	end(w, ']');
}

void jsonw_newline(struct json_writer *w)
{
	if (w->comma) {
		put_char(w, ',');
		w->comma = false;
	}
	put_char(w, '\n');
}

void jsonw_key_sized(struct json_writer *w, const char *key, size_t size)
{
	char *at;

	if (size > LONGEST_KEY) { // none of ours is
		jsonw_string_sized(w, key, size);
		put_char(w, ':');
		w->comma = false;
		return;
	}
	at = room(w, size + 4);
	if (w->comma)
		*at++ = ',';
	*at++ = '"';
	memcpy(at, key, size);
	at += size;
	*at++ = '"';
	*at++ = ':';
	w->used = (size_t)(at - w->buffer);
	w->comma = false;
}

static void put_escape(struct json_writer *w, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char *at = room(w, SMALLEST_ROOM);
	size_t n = 0;

	at[n++] = '\\';
	if (c == '"' || c == '\\') {
		at[n++] = (char)c;
	} else if (c == '\n') {
		at[n++] = 'n';
	} else if (c == '\t') {
		at[n++] = 't';
	} else if (c == '\r') {
		at[n++] = 'r';
	} else if (c < 0x80) {
		memcpy(at + n, "u00", 3);
		n += 3;
		at[n++] = hex[c >> 4];
		at[n++] = hex[c & 15];
	} else { // a byte that is not UTF-8: the text \xNN
		at[n++] = '\\';
		at[n++] = 'x';
		at[n++] = hex[c >> 4];
		at[n++] = hex[c & 15];
	}
	w->used += n;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void jsonw_string_sized(struct json_writer *w, const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t i = 0;

	separate(w);
	put_char(w, '"');
	while (i < size) {
		size_t plain = i;

		while (plain < size && is_plain(s[plain]))
			plain++;
		put(w, bytes + i, plain - i);
		i = plain;
		if (i == size)
			break;
		size_t length = s[i] < 0x80 ? 0 : utf8_length(bytes + i, size - i);

		if (length) {
			put(w, bytes + i, length);
			i += length;
		} else {
			put_escape(w, s[i++]);
		}
	}
	put_char(w, '"');
}

void jsonw_string(struct json_writer *w, const char *text)
{
	if (text)
		jsonw_string_sized(w, text, strlen(text));
	else
		jsonw_null(w);
}

void jsonw_text_key(struct json_writer *w, const char *key)
{
	jsonw_string_sized(w, key, strlen(key));
	put_char(w, ':');
	w->comma = false;
}

static void put_number(struct json_writer *w, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	separate(w);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(w, digits + at, sizeof(digits) - at);
}

void jsonw_u64(struct json_writer *w, uint64_t value)
{
	if (value > INT64_MAX)
		jsonw_null(w);
	else
		put_number(w, value);
}

void jsonw_i64(struct json_writer *w, int64_t value)
{
	if (value >= 0) {
		put_number(w, (uint64_t)value);
		return;
	}
	separate(w);
	put_char(w, '-');
	w->comma = false;
	put_number(w, -(uint64_t)value);
}

void jsonw_bool(struct json_writer *w, bool value)
{
	separate(w);
	if (value)
		put(w, "true", 4);
	else
		put(w, "false", 5);
}

void jsonw_null(struct json_writer *w)
{
	separate(w);
	put(w, "null", 4);
}

void jsonw_address(struct json_writer *w, uint64_t address)
{
	static const char hex[] = "0123456789abcdef";
	char digits[16];
	size_t at = sizeof(digits);

	separate(w);
	do {
		digits[--at] = hex[address & 15];
		address >>= 4;
	} while (address);
	put(w, "\"0x", 3);
	put(w, digits + at, sizeof(digits) - at);
	put_char(w, '"');
}

void jsonw_raw(struct json_writer *w, const char *json, size_t size)
{
	separate(w);
	put(w, json, size);
}

void jsonw_member_string(struct json_writer *w, const char *key, const char *text)
{
	jsonw_key(w, key);
	jsonw_string(w, text);
}

void jsonw_member_u64(struct json_writer *w, const char *key, uint64_t value)
{
	jsonw_key(w, key);
	jsonw_u64(w, value);
}

void jsonw_member_i64(struct json_writer *w, const char *key, int64_t value)
{
	jsonw_key(w, key);
	jsonw_i64(w, value);
}

void jsonw_member_bool(struct json_writer *w, const char *key, bool value)
{
	jsonw_key(w, key);
	jsonw_bool(w, value);
}

void jsonw_member_null(struct json_writer *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_null(w);
}

void jsonw_member_address(struct json_writer *w, const char *key, uint64_t address)
{
	jsonw_key(w, key);
	jsonw_address(w, address);
}
