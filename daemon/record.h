// Small JSON files that belong to the daemon itself: what it has seen, what waits, why something
// was refused. Each is written whole or not at all (temporary name, fsync, rename).
#ifndef CORESNAP_DAEMON_RECORD_H
#define CORESNAP_DAEMON_RECORD_H

#include "common/status.h"

#include <jansson.h>

/**
 * Writes `record` as `name` in the directory `dir`, replacing what was there, and syncs the file
 * and the directory. Takes over the reference; NULL is CS_NO_MEMORY, so a json_pack can stand here.
 */
CS_MUST_USE enum cs_status record_write(int dir, const char *name, json_t *record);

/** The record, which the caller owns; NULL when it is absent, too large or not JSON. */
json_t *record_read(int dir, const char *name);

/** A JSON string of `text` whatever its bytes: those that are not UTF-8 become '?'. NULL is null.
 */
json_t *record_text(const char *text);

/** The string member `key`, borrowed from `record`; NULL when absent, null or no string. */
const char *record_string(const json_t *record, const char *key);

/** Writes `size` bytes to `fd`, however many calls that takes; CS_IO with errno set. */
CS_MUST_USE enum cs_status record_write_all(int fd, const void *bytes, size_t size);

#endif
