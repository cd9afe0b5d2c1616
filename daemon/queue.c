#include "daemon/queue.h"

#include "common/limits.h"
#include "daemon/backoff.h"
#include "daemon/fault.h"
#include "daemon/fd.h"
#include "daemon/record.h"
#include "daemon/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A sidecar's time may come from a clock that was wrong: no entry waits longer than this after a
// start.
#define RESUME_MAX_NS (24 * BACKOFF_MAX_NS)

static void name_of(
	const struct queue_entry *entry, const char *suffix, char ret[static SPOOL_NAME_SIZE])
{
	snprintf(ret, SPOOL_NAME_SIZE, "%s%s", entry->id, suffix);
}

void queue_deinit(struct queue *queue)
{
	free(queue->entries);
	queue->entries = NULL;
	queue->count = queue->capacity = 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct queue_entry *)a)->id, ((const struct queue_entry *)b)->id);
}

static struct queue_entry *find(const struct queue *queue, size_t sorted, const char *id)
{
	struct queue_entry key = {0};

	memcpy(key.id, id, SNAPSHOT_ID_LENGTH);
	return sorted ? bsearch(&key, queue->entries, sorted, sizeof(key), compare) : NULL;
}

static void load_sidecar(const struct queue *queue, struct queue_entry *entry)
{
	char name[SPOOL_NAME_SIZE];
	json_t *record;
	json_int_t next, attempts;
	uint64_t wait_ns, now_ns = clock_wall_ns();

	name_of(entry, TRY_SUFFIX, name);
	record = record_read(queue->queue, name);
	next = json_integer_value(json_object_get(record, "next_try_ns"));
	attempts = json_integer_value(json_object_get(record, "attempts"));
	json_decref(record);
	if (attempts <= 0)
		return;
	entry->attempts = attempts > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)attempts;
	if (next <= 0 || (uint64_t)next <= now_ns)
		return;
	wait_ns = (uint64_t)next - now_ns;
	entry->due_ns = clock_boot_ns() + (wait_ns < RESUME_MAX_NS ? wait_ns : RESUME_MAX_NS);
}

static enum cs_status append(struct queue *queue, const char *id, int64_t since_ns)
{
	size_t capacity = queue->capacity ? queue->capacity * 2 : 64;
	struct queue_entry entry = {.since_ns = since_ns, .is_present = true}, *grown;

	if (queue->count == queue->capacity) {
		grown = reallocarray(queue->entries, capacity, sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		queue->entries = grown;
		queue->capacity = capacity;
	}
	memcpy(entry.id, id, SNAPSHOT_ID_LENGTH);
	load_sidecar(queue, &entry);
	queue->entries[queue->count++] = entry;
	return CS_OK;
}

// Takes one name of the directory, of which the first `sorted` entries are known and in order.
static enum cs_status take(struct queue *queue, const char *name, size_t sorted)
{
	char id[SNAPSHOT_ID_LENGTH + 1] = "";
	struct queue_entry *known;
	struct stamp stamp;
	struct stat st;

	if (strlen(name) != SNAPSHOT_ID_LENGTH + strlen(SNAPSHOT_SUFFIX) ||
		strcmp(name + SNAPSHOT_ID_LENGTH, SNAPSHOT_SUFFIX))
		return CS_OK;
	memcpy(id, name, SNAPSHOT_ID_LENGTH);
	if (!head_is_id(id))
		return CS_OK;
	known = find(queue, sorted, id);
	if (known) {
		known->is_present = true;
		return CS_OK;
	}
	if (queue->count >= MAX_QUEUE_ENTRIES ||
		fstatat(queue->queue, name, &st, AT_SYMLINK_NOFOLLOW))
		return CS_OK;
	stamp = stamp_of(&st);
	return append(queue, id, stamp.mtime_ns);
}

enum cs_status queue_refresh(struct queue *queue)
{
	int fd = openat(queue->queue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	size_t sorted = queue->count, kept = 0;
	enum cs_status status = CS_OK;
	struct dirent *entry;

	if (!stream) {
		fd_close(&fd);
		return CS_IO;
	}
	for (size_t i = 0; i < sorted; i++)
		queue->entries[i].is_present = false;
	while (!status && (entry = readdir(stream)))
		status = take(queue, entry->d_name, sorted);
	closedir(stream);
	for (size_t i = 0; i < queue->count; i++)
		if (queue->entries[i].is_present)
			queue->entries[kept++] = queue->entries[i];
	queue->count = kept;
	if (kept)
		qsort(queue->entries, kept, sizeof(*queue->entries), compare);
	return status;
}

struct queue_entry *queue_next(struct queue *queue, uint64_t now_ns, uint64_t *due_ret)
{
	struct queue_entry *next = NULL;

	*due_ret = UINT64_MAX;
	for (size_t i = 0; i < queue->count; i++) {
		struct queue_entry *entry = &queue->entries[i];

		if (entry->due_ns < *due_ret)
			*due_ret = entry->due_ns;
		// One that failed stands behind all that did not.
		if (entry->due_ns <= now_ns && (!next || entry->due_ns < next->due_ns ||
						       (entry->due_ns == next->due_ns &&
							       entry->since_ns < next->since_ns)))
			next = entry;
	}
	return next;
}

enum cs_status queue_open(
	const struct queue *queue, const struct queue_entry *entry, uint64_t *size_ret, int *ret)
{
	char name[SPOOL_NAME_SIZE];
	struct stat st;
	enum cs_status status;

	name_of(entry, SNAPSHOT_SUFFIX, name);
	status = fd_open_regular(queue->queue, name, false, &st, ret);
	if (!status)
		*size_ret = (uint64_t)st.st_size;
	return status;
}

// Keeps the order, which find() needs.
static void forget(struct queue *queue, struct queue_entry *entry)
{
	size_t index = (size_t)(entry - queue->entries);

	queue->count--;
	memmove(entry, entry + 1, (queue->count - index) * sizeof(*entry));
}

static void drop_sidecar(const struct queue *queue, const struct queue_entry *entry)
{
	char name[SPOOL_NAME_SIZE];

	name_of(entry, TRY_SUFFIX, name);
	unlinkat(queue->queue, name, 0);
}

enum cs_status queue_confirm(struct queue *queue, struct queue_entry *entry)
{
	char name[SPOOL_NAME_SIZE];

	fault_point("confirmed");
	name_of(entry, SNAPSHOT_SUFFIX, name);
	if (unlinkat(queue->queue, name, 0))
		return CS_IO;
	fault_point("unlinked");
	drop_sidecar(queue, entry);
	forget(queue, entry);
	return fsync(queue->queue) ? CS_IO : CS_OK;
}

enum cs_status queue_park(
	struct queue *queue, struct queue_entry *entry, long http_status, const char *reason)
{
	char name[SPOOL_NAME_SIZE], when[32];
	time_t now = time(NULL);
	struct tm utc;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	// The reason first: a snapshot in failed/ always has one, a reason alone is cleaned away.
	name_of(entry, REASON_SUFFIX, name);
	if (record_write(queue->failed, name,
		    json_pack("{s:I, s:o, s:s, s:i}", "status", (json_int_t)http_status, "reason",
			    record_text(reason), "time", when, "attempts",
			    (int)entry->attempts + 1)))
		return CS_IO;
	fault_point("reasoned");
	name_of(entry, SNAPSHOT_SUFFIX, name);
	if (renameat(queue->queue, name, queue->failed, name))
		return CS_IO;
	fault_point("parked");
	drop_sidecar(queue, entry);
	forget(queue, entry);
	return fsync(queue->failed) || fsync(queue->queue) ? CS_IO : CS_OK;
}

enum cs_status queue_retry(
	struct queue *queue, struct queue_entry *entry, uint64_t delay_ns, const char *error)
{
	char name[SPOOL_NAME_SIZE];

	entry->attempts++;
	entry->due_ns = clock_boot_ns() + delay_ns;
	name_of(entry, TRY_SUFFIX, name);
	return record_write(queue->queue, name,
		json_pack("{s:i, s:I, s:o}", "attempts", (int)entry->attempts, "next_try_ns",
			(json_int_t)(clock_wall_ns() + delay_ns), "last_error",
			record_text(error)));
}
