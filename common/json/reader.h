// The reader of snapshots: one pass over bytes that somebody else wrote, which are not copied and
// not changed, checks that they are JSON and notes where the top-level members and the rows of the
// big tables lie. A row is decoded, with jansson, when it is asked for, so that opening a snapshot
// of 100,000 goroutines costs a look at each byte and 16 bytes a row. What this pass accepts
// jansson accepts too. No input or output; the bytes must stay until the arena goes.
#ifndef CORESNAP_COMMON_JSON_READER_H
#define CORESNAP_COMMON_JSON_READER_H

#include "common/arena.h"
#include "common/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A piece of the document: the text of one value, without the space around it. */
struct json_text {
	const char *bytes; // borrowed from the document; NULL: there is none
	size_t size;
};

struct json_member;
struct json_table;

struct json_reader {
	const char *bytes; // borrowed
	size_t size;
	struct arena *arena;         // borrowed
	struct json_member *members; // owned by the arena
	size_t member_count;
	struct json_table *tables; // owned by the arena, one for each known table
	const char *fault;         // why jsonr_open failed: a sentence in static memory
	size_t fault_offset;       // and the byte at which
};

/**
 * Reads `size` bytes once. CS_OK: they are one JSON object, its strings UTF-8, no deeper than
 * MAX_JSON_DEPTH and without two top-level members of one name. CS_CORRUPT: they are not;
 * CS_LIMIT: a limit of ours was passed; CS_NO_MEMORY. `fault` and `fault_offset` then tell more.
 */
CS_MUST_USE enum cs_status jsonr_open(
	struct json_reader *r, struct arena *arena, const char *bytes, size_t size);

/**
 * The top-level member `name`, decoded: the caller's reference. NULL when it is absent, too large
 * to be decoded whole (MAX_JSON_DECODED), or has two equal keys in one object.
 */
json_t *jsonr_member(const struct json_reader *r, const char *name);

/** The text of the top-level member `name`. */
struct json_text jsonr_member_text(const struct json_reader *r, const char *name);

/**
 * How many rows `table` has. The tables are frames, stacks, groups, goroutines, threads, channels
 * and diagnostics; 0 for one that is absent or not an array.
 */
size_t jsonr_count(const struct json_reader *r, const char *table);

/** Row `row` of `table`, decoded: the caller's reference. NULL as jsonr_member, or past the end. */
json_t *jsonr_row(const struct json_reader *r, const char *table, size_t row);

/** The text of row `row` of `table`; no text past the end. */
struct json_text jsonr_row_text(const struct json_reader *r, const char *table, size_t row);

/**
 * The text of member `key` of the object `object`, which came from this reader: the way to look at
 * one member of every row without decoding the rows. Keys written with escapes are not found.
 */
struct json_text jsonr_peek(struct json_text object, const char *key);

/** Whether `object`'s member `key` is an integer, which goes to *ret. */
bool jsonr_peek_i64(struct json_text object, const char *key, int64_t *ret);

#endif
