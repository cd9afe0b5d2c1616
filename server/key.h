// The names that objects may have, and the ids of snapshots.
#ifndef CORESNAP_SERVER_KEY_H
#define CORESNAP_SERVER_KEY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Whether `key` may name an object: [A-Za-z0-9._/-], at most MAX_OBJECT_KEY bytes; no part between
 * slashes is empty, longer than MAX_OBJECT_KEY_PART or starts with a dot; the last part has a dot
 * in it, so that no object can stand where a page is.
 */
bool key_is_valid(const char *key);

/** Whether a valid key names a snapshot, not an attachment: it ends in ".json". */
bool key_is_snapshot(const char *key);

/** Whether `id` may be a snapshot's id: 1 to MAX_SNAPSHOT_ID of [A-Za-z0-9_-]. */
bool id_is_valid(const char *id, size_t size);

#endif
