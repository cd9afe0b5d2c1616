// Fuzzes the snapshot reader: whatever the bytes, it ends, stays inside them, and what it accepts
// jansson accepts too, row by row.
#include "common/grouping/from_snapshot.h"
#include "common/json/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_row(const struct json_reader *r, const char *table, size_t row)
{
	json_error_t error;
	struct json_text text = jsonr_row_text(r, table, row);
	json_t *value = json_loadb(text.bytes, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	int64_t number;

	if (!value)
		abort();
	json_decref(value);
	json_decref(jsonr_row(r, table, row));
	jsonr_peek_i64(text, "id", &number);
}

/** What `coresnap explain` does with it. */
static void explain(const struct json_reader *r, struct arena *arena)
{
	struct grouping_snapshot snapshot;
	struct grouping grouping;

	if (grouping_read_snapshot(r, arena, &snapshot) == CS_OK &&
		grouping_make(arena, &snapshot.input, &grouping) == CS_REFUSED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const tables[] = {"frames", "stacks", "groups", "goroutines", "threads"};
	struct json_reader r;
	struct arena arena;

	arena_init(&arena, 64u << 20);
	if (jsonr_open(&r, &arena, (const char *)bytes, size) == CS_OK) {
		for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
			for (size_t i = 0; i < jsonr_count(&r, tables[t]); i++)
				check_row(&r, tables[t], i);
		json_decref(jsonr_member(&r, "crash"));
		explain(&r, &arena);
	}
	arena_deinit(&arena);
	return 0;
}
