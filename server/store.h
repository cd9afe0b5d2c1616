// The objects: files below DATA/objects, named as their keys, which appear there whole and synced
// or not at all. An object that came compressed stays so, under its key and "+zstd" ('+' is in no
// key). Objects are the truth; the catalog can be made from them. Thread-safe once it is open.
#ifndef CORESNAP_SERVER_STORE_H
#define CORESNAP_SERVER_STORE_H

#include "common/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct store {
	int data_fd, tmp_fd, objects_fd; // owned
	int lock_fd;                     // owned: held while this process serves the directory
	pthread_mutex_t commit;          // one object appears at a time
	uint64_t next_name;
};

/** An upload under way: a file in DATA/tmp that only we know. */
struct upload {
	int fd; // owned; -1: none
	char name[32];
	uint64_t size;
};

struct object {
	int fd; // owned, read-only
	bool is_zstd;
	uint64_t size;     // bytes of the file
	int64_t stored_ns; // when it was stored: the file's modification time
};

/**
 * Opens or makes the directory `path` with mode 0700, takes its lock and empties its tmp/.
 * Returns NULL, or one line that says what is wrong, in static memory; errno tells why.
 */
const char *store_open(struct store *store, const char *path);
void store_close(struct store *store);

/** Begins an upload. CS_IO: the file could not be made. */
CS_MUST_USE enum cs_status upload_begin(struct store *store, struct upload *upload);

/** Appends bytes; CS_IO: they could not be written (a full disk). */
CS_MUST_USE enum cs_status upload_append(struct upload *upload, const char *bytes, size_t size);

/** The upload's bytes so far, opened for reading only; -1 and errno. The caller closes it. */
int upload_reader(const struct store *store, const struct upload *upload);

/** Forgets an upload; nothing of it is left. Does nothing to one that was committed. */
void upload_abort(struct store *store, struct upload *upload);

/**
 * Syncs the upload and gives it its name. CS_OK: it is on disk; *ret tells its size and time (no
 * descriptor). CS_REFUSED: an object of this key is there already. CS_MISMATCH: a directory is, or
 * a part of the key is an object. CS_IO: the disk refused. Only CS_OK ends the upload.
 */
CS_MUST_USE enum cs_status upload_commit(struct store *store, struct upload *upload,
	const char *key, bool is_zstd, struct object *ret);

/** Opens the object `key`; CS_NOT_FOUND. The caller closes ret->fd. */
CS_MUST_USE enum cs_status store_find(
	const struct store *store, const char *key, struct object *ret);

/** An unnamed file in tmp/ for a worker to write into; -1 and errno. The caller closes it. */
int store_scratch(struct store *store);

/** Calls `each` with the key of every object, in no order; false from it ends the walk. */
CS_MUST_USE enum cs_status store_each(
	const struct store *store, bool (*each)(void *context, const char *key), void *context);

/** Whether two files hold the same bytes. */
bool files_are_equal(int a, int b);

#endif
