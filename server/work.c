// What ties store, catalog and workers together: jobs on objects, and a catalog that agrees with
// the store.
#include "server/server.h"

#include "server/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CATALOG "catalog.sqlite"

void server_log(const char *format, ...)
{
	va_list list;
	char *line;
	int size;

	va_start(list, format);
	size = vasprintf(&line, format, list);
	va_end(list);
	if (size < 0)
		return;
	fprintf(stderr, "coresnap-server: %s\n", line);
	free(line);
}

struct job server_job(const struct server *server, enum job_kind kind, const char *key,
	const struct object *object)
{
	struct job job = {.kind = kind,
		.is_zstd = object->is_zstd,
		.size = object->size,
		.max_size = server->max_object,
		.received_ns = object->stored_ns};

	snprintf(job.key, sizeof(job.key), "%s", key);
	return job;
}

enum cs_status server_work(struct server *server, const struct job *job,
	const struct object *object, struct answer *ret)
{
	int scratch = object->is_zstd ? store_scratch(&server->store) : -1;
	enum cs_status status;

	if (object->is_zstd && scratch < 0)
		return CS_LIMIT;
	status = worker_run(&server->nursery, job, object->fd, scratch, ret);
	if (scratch >= 0)
		close(scratch);
	return status;
}

enum cs_status server_unpack(
	struct server *server, const struct object *object, struct answer *ret, int *ret_scratch)
{
	struct job job = server_job(server, JOB_CHECK, "", object);
	int scratch = store_scratch(&server->store);
	enum cs_status status;

	*ret_scratch = -1;
	if (scratch < 0)
		return CS_LIMIT;
	status = worker_run(&server->nursery, &job, object->fd, scratch, ret);
	if (!status && ret->status == 200)
		*ret_scratch = scratch;
	else
		close(scratch);
	return status;
}

struct syncing {
	struct server *server;
	uint64_t added;
};

static bool is_gone(void *context, const char *key)
{
	struct server *server = context;
	struct object object;

	if (!key_is_valid(key) || store_find(&server->store, key, &object))
		return true;
	close(object.fd);
	return false;
}

static enum cs_status read_object(
	struct server *server, const char *key, struct object *object, struct arena *arena)
{
	struct job job = server_job(server, JOB_ROW, key, object);
	struct snapshot_row row;
	struct answer answer;
	enum cs_status status = server_work(server, &job, object, &answer);

	if (status)
		return status;
	if (answer.status == 200)
		status = row_load(answer.bytes, answer.size, arena, &row);
	else
		status = CS_CORRUPT;
	free(answer.bytes);
	if (status)
		return status;
	row.key = key;
	row.received_ns = object->stored_ns;
	row.size = object->size;
	return catalog_put(&server->catalog, &row);
}

static bool add_missing(void *context, const char *key)
{
	struct syncing *syncing = context;
	struct server *server = syncing->server;
	struct object object;
	struct arena arena;
	enum cs_status status;

	if (!key_is_valid(key) || !key_is_snapshot(key) || catalog_has(&server->catalog, key) ||
		store_find(&server->store, key, &object))
		return true;
	arena_init(&arena, 0);
	status = read_object(server, key, &object, &arena);
	if (status)
		server_log("%s: not listed: %s", key, status_text(status));
	else
		syncing->added++;
	arena_deinit(&arena);
	close(object.fd);
	return true;
}

enum cs_status server_sync_catalog(struct server *server, uint64_t *ret_added)
{
	struct syncing syncing = {.server = server};
	size_t removed;
	enum cs_status status = catalog_prune(&server->catalog, is_gone, server, &removed);

	if (!status)
		status = catalog_begin(&server->catalog);
	if (status)
		return status;
	status = store_each(&server->store, add_missing, &syncing);
	if (catalog_end(&server->catalog))
		return CS_IO;
	if (removed)
		server_log("%zu rows left the list: their objects are gone", removed);
	*ret_added = syncing.added;
	return status;
}

static const char *const catalog_files[] = {CATALOG, CATALOG "-wal", CATALOG "-shm"};

enum cs_status server_reset_catalog(struct server *server, bool keep)
{
	for (size_t i = 0; i < sizeof(catalog_files) / sizeof(catalog_files[0]); i++) {
		int at = server->store.data_fd;
		char aside[64];

		snprintf(aside, sizeof(aside), "%s.old", catalog_files[i]);
		if ((keep ? renameat(at, catalog_files[i], at, aside)
			  : unlinkat(at, catalog_files[i], 0)) &&
			errno != ENOENT)
			return CS_IO;
	}
	return CS_OK;
}

enum cs_status server_open_catalog(struct server *server, const char *data)
{
	char *path;
	enum cs_status status;

	if (asprintf(&path, "%s/%s", data, CATALOG) < 0)
		return CS_NO_MEMORY;
	status = catalog_open(&server->catalog, path);
	if (status == CS_CORRUPT) {
		server_log("the list %s is broken or of another version: moved to %s.old and made "
			   "again from the objects",
			path, CATALOG);
		status = server_reset_catalog(server, true);
		if (!status)
			status = catalog_open(&server->catalog, path);
	}
	free(path);
	return status;
}
