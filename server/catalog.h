// The catalog: a SQLite file with a row for each snapshot in the store, from which lists and
// lookups are answered. It can be made from the store at any time. Thread-safe: writers have one
// connection, readers another, so that a long search does not hold up an upload.
#ifndef CORESNAP_SERVER_CATALOG_H
#define CORESNAP_SERVER_CATALOG_H

#include "common/arena.h"
#include "common/status.h"
#include "server/row.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

struct catalog {
	struct sqlite3 *writer, *reader; // owned
	pthread_mutex_t write_lock, read_lock;
};

/** Opens or makes the file `path`. CS_CORRUPT: it is not a catalog of this version. */
CS_MUST_USE enum cs_status catalog_open(struct catalog *catalog, const char *path);
void catalog_close(struct catalog *catalog);

/** Puts a row, in place of one with its key. */
CS_MUST_USE enum cs_status catalog_put(struct catalog *catalog, const struct snapshot_row *row);

/** Whether a row with this key is there. */
bool catalog_has(struct catalog *catalog, const char *key);

/** Removes the row of each key for which `is_gone` says so; *ret: how many. */
CS_MUST_USE enum cs_status catalog_prune(struct catalog *catalog,
	bool (*is_gone)(void *context, const char *key), void *context, size_t *ret);

/** Begin and end of many puts at once; catalog_end syncs. Between them only one thread writes. */
CS_MUST_USE enum cs_status catalog_begin(struct catalog *catalog);
CS_MUST_USE enum cs_status catalog_end(struct catalog *catalog);

/** The key of the newest snapshot with this id, from the arena; NULL when there is none. */
const char *catalog_find(struct catalog *catalog, const char *id, struct arena *arena);

struct catalog_query {
	const char *search; // a substring of any text column, without case; NULL: all
	int64_t after_ns;   // only what comes after this row in the list (older); 0: from the top
	const char *after_key; // ...and this key, where the time is the same
	size_t limit;          // rows at the most
};

/** Rows, newest first, in the arena. *ret_count may be limit + 1: there are more. */
CS_MUST_USE enum cs_status catalog_list(struct catalog *catalog, const struct catalog_query *query,
	struct arena *arena, struct snapshot_row **ret, size_t *ret_count);

/** How many rows there are. */
uint64_t catalog_count(struct catalog *catalog);

#endif
