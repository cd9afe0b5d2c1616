#include "server/row.h"

#include "common/cursor.h"
#include "common/json/reader.h"
#include "common/limits.h"
#include "server/key.h"

#include <string.h>

#define SCHEMA "coresnap.snapshot/1"

const char *row_text_name(enum row_text text)
{
	static const char *const names[ROW_TEXT_COUNT] = {
		[ROW_ID] = "id",
		[ROW_CAPTURED_AT] = "captured_at",
		[ROW_TITLE] = "title",
		[ROW_KIND] = "kind",
		[ROW_HOST] = "host",
		[ROW_EXECUTABLE] = "executable",
		[ROW_GO_VERSION] = "go_version",
		[ROW_SIGNAL] = "signal",
		[ROW_FINGERPRINT] = "fingerprint",
	};

	return names[text];
}

/** A string up to MAX_ROW_TEXT, not cut inside a character, NULs made visible. */
static const char *text_of(struct arena *arena, const json_t *value)
{
	size_t size = json_string_length(value);
	const char *bytes = json_string_value(value);
	char *copy;

	if (!bytes)
		return "";
	if (size > MAX_ROW_TEXT) {
		size = MAX_ROW_TEXT;
		while (size && (bytes[size] & 0xc0) == 0x80)
			size--;
	}
	copy = arena_copy(arena, bytes, size);
	for (size_t i = 0; copy && i < size; i++)
		if (!copy[i])
			copy[i] = '?';
	return copy ? copy : "";
}

static const char *text_in(
	const struct json_reader *r, struct arena *arena, const char *member, const char *key)
{
	json_t *object = jsonr_member(r, member);
	const char *text = text_of(arena, key ? json_object_get(object, key) : object);

	json_decref(object);
	return text;
}

static const char *refusal(
	const struct json_reader *r, const struct snapshot_row *row, const char *schema)
{
	static const char *const wanted[] = {"crash", "process", "binary", "host"};

	if (strcmp(schema, SCHEMA) != 0)
		return "\"schema\" is not \"" SCHEMA "\"";
	if (!id_is_valid(row->texts[ROW_ID], strlen(row->texts[ROW_ID])))
		return "\"id\" is not an id";
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct json_text text = jsonr_member_text(r, wanted[i]);

		if (!text.bytes || text.bytes[0] != '{')
			return "\"crash\", \"process\", \"binary\" or \"host\" is missing";
	}
	if (!jsonr_member_text(r, "goroutines").bytes)
		return "\"goroutines\" is missing";
	return NULL;
}

static const char *signal_of(const struct json_reader *r, struct arena *arena)
{
	json_t *process = jsonr_member(r, "process");
	const char *text =
		text_of(arena, json_object_get(json_object_get(process, "signal"), "name"));

	json_decref(process);
	return text;
}

/** -1 where nothing was recovered: no total, and no row either. */
static int64_t goroutines_of(const struct json_reader *r)
{
	json_t *total = jsonr_member(r, "goroutines_total");
	size_t rows = jsonr_count(r, "goroutines");
	int64_t count = rows ? (int64_t)rows : -1;

	if (json_is_integer(total) && json_integer_value(total) >= 0)
		count = (int64_t)json_integer_value(total);
	json_decref(total);
	return count;
}

enum cs_status row_from_snapshot(const struct json_reader *r, struct arena *arena,
	struct snapshot_row *row, const char **ret)
{
	const char **texts = row->texts;
	const char *wrong;

	*row = (struct snapshot_row){.key = ""};
	texts[ROW_ID] = text_in(r, arena, "id", NULL);
	texts[ROW_CAPTURED_AT] = text_in(r, arena, "captured_at", NULL);
	texts[ROW_TITLE] = text_in(r, arena, "crash", "title");
	texts[ROW_KIND] = text_in(r, arena, "crash", "kind");
	texts[ROW_HOST] = text_in(r, arena, "host", "hostname");
	texts[ROW_EXECUTABLE] = text_in(r, arena, "process", "executable");
	texts[ROW_GO_VERSION] = text_in(r, arena, "binary", "go_version");
	texts[ROW_SIGNAL] = signal_of(r, arena);
	texts[ROW_FINGERPRINT] = text_in(r, arena, "crash", "fingerprint");
	row->goroutines = goroutines_of(r);
	wrong = refusal(r, row, text_in(r, arena, "schema", NULL));
	if (!wrong)
		return CS_OK;
	*ret = wrong;
	return CS_CORRUPT;
}

void row_write(const struct snapshot_row *row, struct text *out)
{
	for (int i = 0; i < ROW_TEXT_COUNT; i++) {
		uint32_t size = (uint32_t)strlen(row->texts[i]);

		text_add_sized(out, (const char *)&size, sizeof(size));
		text_add_sized(out, row->texts[i], size);
	}
	text_add_sized(out, (const char *)&row->goroutines, sizeof(row->goroutines));
}

enum cs_status row_load(
	const void *bytes, size_t size, struct arena *arena, struct snapshot_row *ret)
{
	struct cursor c = cursor_over(bytes, size);
	struct snapshot_row row = {.key = ""};

	for (int i = 0; i < ROW_TEXT_COUNT; i++) {
		uint32_t length = cursor_u32(&c);
		const uint8_t *text = cursor_take(&c, length);

		if (!text || length > MAX_ROW_TEXT || memchr(text, 0, length))
			return CS_CORRUPT;
		row.texts[i] = arena_copy(arena, text, length);
		if (!row.texts[i])
			return CS_NO_MEMORY;
	}
	row.goroutines = (int64_t)cursor_u64(&c);
	if (c.bad || cursor_left(&c) || row.goroutines < -1 ||
		!id_is_valid(row.texts[ROW_ID], strlen(row.texts[ROW_ID])))
		return CS_CORRUPT;
	*ret = row;
	return CS_OK;
}
