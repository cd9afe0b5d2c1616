#include "server/put.h"

#include "server/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void refuse(struct put *put, unsigned int status, const char *line)
{
	put->status = status;
	put->line = line;
	upload_abort(&put->server->store, &put->upload);
}

bool put_is_taken(struct server *server, const char *key)
{
	struct object object;

	if (store_find(&server->store, key, &object))
		return false;
	close(object.fd);
	return true;
}

static bool is_too_long(const struct put *put, const char *length)
{
	char *end;
	unsigned long long size;

	if (!length)
		return false;
	errno = 0;
	size = strtoull(length, &end, 10);
	return errno || *end || size > put->server->max_object;
}

void put_begin(struct put *put, struct server *server, const struct put_header *header)
{
	*put = (struct put){.server = server, .upload = {.fd = -1}};
	if (!key_is_valid(header->key)) {
		refuse(put, 400,
			"the key may hold A-Z a-z 0-9 . _ - and single slashes, and ends in "
			"NAME.json or NAME.ATTACHMENT");
		return;
	}
	snprintf(put->key, sizeof(put->key), "%s", header->key);
	put->is_new_only = header->is_new_only;
	put->is_zstd = header->encoding && !strcasecmp(header->encoding, "zstd");
	if (header->encoding && !put->is_zstd && strcasecmp(header->encoding, "identity") != 0)
		refuse(put, 415, "Content-Encoding is zstd or none");
	else if (put->is_new_only && put_is_taken(server, put->key))
		refuse(put, 412, "the object exists");
	else if (is_too_long(put, header->length))
		refuse(put, 413, "the object is larger than the limit");
	else if (upload_begin(&server->store, &put->upload))
		refuse(put, 507, "the object cannot be written");
}

void put_receive(struct put *put, const char *bytes, size_t size)
{
	if (put->status)
		return;
	if (size > put->server->max_object - put->upload.size)
		refuse(put, 413, "the object is larger than the limit");
	else if (upload_append(&put->upload, bytes, size))
		refuse(put, 507, "the object cannot be written");
}

static void refuse_unworked(struct put *put, enum cs_status status)
{
	if (status == CS_LIMIT)
		refuse(put, 503, "no room for this upload now");
	else
		refuse(put, 422,
			"the object cannot be read: the process that tried did not survive it");
}

/** A worker looks at it: 200 and a row, or a refusal. */
static bool inspect(struct put *put, struct arena *arena, struct snapshot_row *row)
{
	bool is_snapshot = key_is_snapshot(put->key);
	struct object object = {.is_zstd = put->is_zstd, .size = put->upload.size};
	struct answer answer;
	enum cs_status status;
	struct job job =
		server_job(put->server, is_snapshot ? JOB_ROW : JOB_CHECK, put->key, &object);

	if (!is_snapshot && !put->is_zstd)
		return true;
	object.fd = upload_reader(&put->server->store, &put->upload);
	if (object.fd < 0) {
		refuse(put, 507, "the object cannot be read back");
		return false;
	}
	status = server_work(put->server, &job, &object, &answer);
	close(object.fd);
	if (!status && answer.status == 200 && is_snapshot)
		status = row_load(answer.bytes, answer.size, arena, row);
	if (status) {
		refuse_unworked(put, status);
		return false;
	}
	if (answer.status != 200) {
		refuse(put, answer.status, "refused");
		put->worker_line = answer.bytes;
		return false;
	}
	free(answer.bytes);
	return true;
}

/** A file with the plain bytes of an object; -1. The caller closes it. */
static int plain_file(struct server *server, const struct object *object)
{
	struct answer answer;
	int scratch;

	if (!object->is_zstd)
		return dup(object->fd);
	if (server_unpack(server, object, &answer, &scratch))
		return -1;
	free(answer.bytes);
	return scratch;
}

static bool has_equal_content(struct put *put)
{
	struct object mine = {.is_zstd = put->is_zstd, .size = put->upload.size}, theirs;
	bool is_equal = false;

	if (store_find(&put->server->store, put->key, &theirs))
		return false;
	mine.fd = upload_reader(&put->server->store, &put->upload);
	if (mine.fd >= 0) {
		int a = plain_file(put->server, &mine);
		int b = plain_file(put->server, &theirs);

		is_equal = a >= 0 && b >= 0 && files_are_equal(a, b);
		if (a >= 0)
			close(a);
		if (b >= 0)
			close(b);
		close(mine.fd);
	}
	close(theirs.fd);
	return is_equal;
}

static void settle_taken(struct put *put)
{
	if (put->is_new_only)
		refuse(put, 412, "the object exists");
	else if (has_equal_content(put))
		refuse(put, 200, "the object is there already");
	else
		refuse(put, 409, "another object has this key");
}

static void list(struct put *put, const struct object *object, struct snapshot_row *row)
{
	row->key = put->key;
	row->received_ns = object->stored_ns;
	row->size = object->size;
	// The object is safe; the next start finds it without a row and adds it.
	if (catalog_put(&put->server->catalog, row))
		server_log("%s: stored, but the list could not be written", put->key);
}

void put_finish(struct put *put)
{
	struct snapshot_row row;
	struct object object;
	struct arena arena;

	if (put->status)
		return;
	arena_init(&arena, 0);
	if (inspect(put, &arena, &row)) {
		enum cs_status status = upload_commit(
			&put->server->store, &put->upload, put->key, put->is_zstd, &object);

		if (status == CS_REFUSED)
			settle_taken(put);
		else if (status == CS_MISMATCH)
			refuse(put, 409, "a part of this key is another object's name");
		else if (status)
			refuse(put, 507, "the object cannot be written");
		if (!status) {
			if (key_is_snapshot(put->key))
				list(put, &object, &row);
			put->status = 201;
			put->line = "stored";
		}
	}
	arena_deinit(&arena);
}

void put_end(struct put *put)
{
	upload_abort(&put->server->store, &put->upload);
	free(put->worker_line);
	put->worker_line = NULL;
}
