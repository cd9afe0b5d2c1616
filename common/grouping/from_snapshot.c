#include "common/grouping/from_snapshot.h"

#include "common/grouping/function_name.h"
#include "common/limits.h"

#include <stdio.h>
#include <string.h>

static void release(json_t **value)
{
	json_decref(*value);
}

#define HELD __attribute__((cleanup(release)))

/** A copy of a string member; "" where it is none. NULL: out of memory. */
static const char *copy(struct arena *arena, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return arena_string(arena, text ? text : "");
}

static const char *copy_or_null(struct arena *arena, const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key)) ? copy(arena, object, key) : NULL;
}

static int64_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void read_keys(const json_t *crash, struct grouping_snapshot *ret)
{
	const json_t *grouping = json_object_get(crash, "grouping");
	const struct {
		const char *name;
		char *key;
	} rows[] = {{"coarse", ret->keys.coarse}, {"default", ret->keys.standard},
		{"fine", ret->keys.fine}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = json_string_value(json_object_get(grouping, rows[i].name));

		if (!text)
			return;
		snprintf(rows[i].key, GROUPING_KEY_SIZE, "%s", text);
	}
	ret->version = integer(grouping, "version");
}

/** How many panics at the end only raise again what a deferred function recovered. */
static unsigned int count_reraised(const json_t *values)
{
	unsigned int count = 0;

	for (size_t i = json_array_size(values); i-- > 1; count++) {
		const json_t *before = json_array_get(values, i - 1);

		if (!json_is_true(json_object_get(before, "recovered")) &&
			!json_is_true(json_object_get(before, "repanicked")))
			break;
	}
	return count;
}

static const char *signal_detail(struct arena *arena, const json_t *crash)
{
	const json_t *signal = json_object_get(crash, "signal");

	if (!integer(signal, "number"))
		return NULL;
	return arena_format(arena, "%u/%d", (unsigned int)integer(signal, "number"),
		(int)integer(signal, "code"));
}

static enum cs_status read_crash(
	const struct json_reader *r, struct arena *arena, struct grouping_snapshot *ret)
{
	HELD json_t *crash = jsonr_member(r, "crash");
	HELD json_t *binary = jsonr_member(r, "binary");
	const json_t *blamed = json_array_get(json_object_get(crash, "blamed"), 0);
	struct grouping_input *input = &ret->input;

	if (!json_is_object(crash))
		return CS_CORRUPT;
	input->kind = copy(arena, crash, "kind");
	if (!input->kind)
		return CS_NO_MEMORY;
	input->message = copy_or_null(arena, crash, "message");
	if (!strcmp(input->kind, "signal"))
		input->detail = signal_detail(arena, crash);
	if (!strcmp(input->kind, "panic"))
		input->reraised = count_reraised(json_object_get(crash, "values"));
	ret->title = copy_or_null(arena, crash, "title");
	ret->main_path = copy_or_null(arena, json_object_get(binary, "main"), "path");
	ret->has_blamed = json_is_integer(blamed);
	ret->blamed = json_integer_value(blamed);
	ret->has_crashed = json_is_integer(json_object_get(crash, "goroutine"));
	ret->crashed = integer(crash, "goroutine");
	read_keys(crash, ret);
	return CS_OK;
}

/** The stack of goroutine `id`, decoded; NULL where there is none. */
static json_t *find_stack(const struct json_reader *r, int64_t id)
{
	size_t count = jsonr_count(r, "goroutines");
	int64_t found, stack;

	for (size_t i = 0; i < count; i++) {
		struct json_text row = jsonr_row_text(r, "goroutines", i);

		if (jsonr_peek_i64(row, "id", &found) && found == id)
			return jsonr_peek_i64(row, "stack", &stack) && stack >= 0
				       ? jsonr_row(r, "stacks", (size_t)stack)
				       : NULL;
	}
	return NULL;
}

static enum cs_status read_frame(const struct json_reader *r, struct arena *arena,
	const json_t *index, struct grouping_frame *ret)
{
	HELD json_t *row = json_is_integer(index) && json_integer_value(index) >= 0
				   ? jsonr_row(r, "frames", (size_t)json_integer_value(index))
				   : NULL;
	const char *kind = json_string_value(json_object_get(row, "kind"));
	int64_t relative;
	bool is_far =
		__builtin_sub_overflow(integer(row, "line"), integer(row, "start_line"), &relative);

	if (!json_is_object(row))
		return CS_CORRUPT;
	*ret = (struct grouping_frame){.function = copy(arena, row, "function"),
		.package = copy(arena, row, "package"),
		.key = copy(arena, row, "key"),
		.declared = "",
		.in_app = json_is_true(json_object_get(row, "in_app")),
		.is_c = kind && !strcmp(kind, "c"),
		.relative_line = is_far || relative != (int32_t)relative ? 0 : (int32_t)relative};
	return ret->function && ret->package && ret->key ? CS_OK : CS_NO_MEMORY;
}

enum cs_status grouping_read_snapshot(
	const struct json_reader *r, struct arena *arena, struct grouping_snapshot *ret)
{
	struct grouping_snapshot snapshot = {.version = 0};
	enum cs_status status = read_crash(r, arena, &snapshot);
	HELD json_t *stack =
		status == CS_OK && snapshot.has_blamed ? find_stack(r, snapshot.blamed) : NULL;
	size_t count = json_array_size(stack);
	struct grouping_frame *frames;

	if (count > MAX_GROUPING_FRAMES)
		count = MAX_GROUPING_FRAMES;
	frames = arena_array(arena, count + 1, sizeof(*frames));
	if (!frames)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count && status == CS_OK; i++)
		status = read_frame(r, arena, json_array_get(stack, i), &frames[i]);
	if (status)
		return status;
	snapshot.input.frames = frames;
	snapshot.input.count = count;
	*ret = snapshot;
	return CS_OK;
}
