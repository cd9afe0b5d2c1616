// The table `channels`: every channel that a goroutine waits on, once, in the order of goroutines.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/json_values.h"
#include "analyzer/runtime/waiting.h"
#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

struct channel_rows {
	const struct analysis *analysis;
	struct value_reader reader;
	struct json_values values;
	struct arena scratch;
	struct u64map seen;
	uint64_t values_left; // in all rows; those behind it have no elements
};

static void write_unreadable(struct json_writer *w, target_addr address, const struct value *value)
{
	static const char *const keys[] = {"element_type", "length", "capacity", "closed",
		"send_index", "receive_index", "elements", "send_queue", "receive_queue",
		"send_queue_total", "receive_queue_total", NULL};

	jsonw_member_address(w, "address", address);
	json_members_null(w, keys);
	jsonw_member_string(w, "unavailable",
		unavailable_name(
			value && value->unavailable ? value->unavailable : UNAVAILABLE_BUDGET));
}

static void write_row(struct channel_rows *rows, target_addr address)
{
	struct json_writer *w = rows->values.w;
	uint64_t room =
		rows->values_left < MAX_CHANNEL_VALUES ? rows->values_left + 1 : MAX_CHANNEL_VALUES;
	struct value *value;

	arena_reset(&rows->scratch);
	value_reader_begin(&rows->reader, &rows->scratch, room);
	value = value_read_channel(&rows->reader, address);
	rows->values_left -= room - rows->reader.nodes_left > rows->values_left
				     ? rows->values_left
				     : room - rows->reader.nodes_left;
	jsonw_newline(w);
	jsonw_begin_object(w);
	if (value && value->channel)
		json_write_channel_members(&rows->values, value);
	else
		write_unreadable(w, address, value);
	jsonw_end_object(w);
}

static void write_channels_of(struct channel_rows *rows, size_t index)
{
	const struct runtime *rt = rows->analysis->rt;
	const struct goroutine *g = &rows->analysis->goroutines.list[index];
	target_addr channels[MAX_WAITING_ON_WRITTEN];
	size_t count = waiting_channels(
		rt, g, goroutine_wait_reason(rt, g), channels, MAX_WAITING_ON_WRITTEN);

	for (size_t i = 0; i < count; i++) {
		if (u64map_get(&rows->seen, channels[i], &(uint64_t){0}))
			continue;
		if (!u64map_put(&rows->seen, channels[i], 1))
			return;
		write_row(rows, channels[i]);
	}
}

void json_write_channels(struct json_writer *w, const struct analysis *analysis)
{
	struct channel_rows rows = {.analysis = analysis, .values_left = MAX_CHANNELS_VALUES};

	jsonw_newline(w);
	jsonw_key(w, "channels");
	jsonw_begin_array(w);
	if (analysis->rt) {
		arena_init(&rows.scratch, MAX_VALUES_MEMORY);
		u64map_init(&rows.seen, analysis->arena);
		json_values_init(&rows.values, w, analysis->arena, &rows.scratch);
		analysis_value_reader(analysis, &rows.reader);
		for (size_t i = 0; i < analysis->goroutines.count; i++)
			if (analysis->rows[i].is_shown)
				write_channels_of(&rows, i);
		arena_deinit(&rows.scratch);
	}
	jsonw_end_array(w);
}
