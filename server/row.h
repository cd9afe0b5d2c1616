// What the list says of one snapshot. A worker takes it out of the snapshot and sends it as bytes;
// the server, which trusts no worker, checks each length when it takes them in.
#ifndef CORESNAP_SERVER_ROW_H
#define CORESNAP_SERVER_ROW_H

#include "common/arena.h"
#include "common/status.h"
#include "server/text.h"

#include <stddef.h>
#include <stdint.h>

struct json_reader;

enum row_text {
	ROW_ID,
	ROW_CAPTURED_AT,
	ROW_TITLE,
	ROW_KIND,
	ROW_HOST,
	ROW_EXECUTABLE,
	ROW_GO_VERSION,
	ROW_SIGNAL,
	ROW_FINGERPRINT,
	ROW_TEXT_COUNT
};

struct snapshot_row {
	const char *texts[ROW_TEXT_COUNT]; // owned by the arena; "" where the snapshot has null
	int64_t goroutines;                // -1: not known
	// What the server knows by itself:
	const char *key;     // owned by the arena
	int64_t received_ns; // since 1970
	uint64_t size;       // bytes stored
};

/** The name of a text column, in the database and in /api/snapshots. */
const char *row_text_name(enum row_text text);

/**
 * Takes the row out of a snapshot. CS_CORRUPT: it is not one that we know, and *ret says why in one
 * sentence; its texts then mean nothing.
 */
CS_MUST_USE enum cs_status row_from_snapshot(const struct json_reader *r, struct arena *arena,
	struct snapshot_row *row, const char **ret);

/** Appends the row's texts and number, as row_load takes them. */
void row_write(const struct snapshot_row *row, struct text *out);

/** Takes in what row_write made; CS_CORRUPT. */
CS_MUST_USE enum cs_status row_load(
	const void *bytes, size_t size, struct arena *arena, struct snapshot_row *ret);

#endif
