#include "daemon/spool.h"

#include "daemon/fault.h"
#include "daemon/fd.h"
#include "daemon/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int open_subdirectory(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) && errno != EEXIST)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static enum cs_status open_top(const char *path, int *ret)
{
	CLOSE_FD int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return CS_IO;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return CS_IO;
	if (st.st_uid != geteuid())
		return CS_MISMATCH;
	if ((st.st_mode & 077) && fchmod(fd, 0700))
		return CS_IO;
	*ret = fd_steal(&fd);
	return CS_OK;
}

enum cs_status spool_open(const char *path, struct spool *ret)
{
	struct spool spool = {.dir = -1,
		.lock = -1,
		.tmp = -1,
		.queue = -1,
		.failed = -1,
		.seen = -1,
		.waiting = -1};
	const struct {
		const char *name;
		int *fd;
	} parts[] = {{"tmp", &spool.tmp}, {"queue", &spool.queue}, {"failed", &spool.failed},
		{"seen", &spool.seen}, {"waiting", &spool.waiting}};
	enum cs_status status = open_top(path, &spool.dir);

	if (status)
		return status;
	spool.lock = openat(spool.dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool.lock < 0)
		status = CS_IO;
	else if (flock(spool.lock, LOCK_EX | LOCK_NB))
		status = errno == EWOULDBLOCK ? CS_REFUSED : CS_IO;
	for (size_t i = 0; !status && i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i].fd = open_subdirectory(spool.dir, parts[i].name);
		if (*parts[i].fd < 0)
			status = CS_IO;
	}
	if (!status && fsync(spool.dir))
		status = CS_IO;
	if (status)
		spool_close(&spool);
	else
		*ret = spool;
	return status;
}

void spool_close(struct spool *spool)
{
	int *fds[] = {&spool->tmp, &spool->queue, &spool->failed, &spool->seen, &spool->waiting,
		&spool->lock, &spool->dir};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fd_close(fds[i]);
		*fds[i] = -1;
	}
}

// A stream over the directory that leaves the descriptor itself alone.
static DIR *list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		fd_close(&fd);
	return stream;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

// Whether `name` is a sidecar with `suffix` whose snapshot is not there.
static bool is_orphan(int dir, const char *name, const char *suffix)
{
	char snapshot[SPOOL_NAME_SIZE];
	size_t length = strlen(name), end = strlen(suffix);

	if (length <= end || strcmp(name + length - end, suffix) || !strncmp(name, "core-", 5))
		return false;
	snprintf(snapshot, sizeof(snapshot), "%.*s" SNAPSHOT_SUFFIX, (int)(length - end), name);
	return faccessat(dir, snapshot, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static enum cs_status clean(int dir, bool (*is_rubbish)(int dir, const char *name))
{
	DIR *stream = list(dir);
	struct dirent *entry;

	if (!stream)
		return CS_IO;
	while ((entry = readdir(stream)))
		if (!is_dots(entry->d_name) && is_rubbish(dir, entry->d_name))
			unlinkat(dir, entry->d_name, 0);
	closedir(stream);
	return fsync(dir) ? CS_IO : CS_OK;
}

static bool is_anything(int dir, const char *name)
{
	(void)dir;
	(void)name;
	return true;
}

// A name with a dot in front is a record that was being written when its writer was killed.
static bool is_left_in_queue(int dir, const char *name)
{
	return *name == '.' || is_orphan(dir, name, TRY_SUFFIX);
}

static bool is_left_in_failed(int dir, const char *name)
{
	return *name == '.' || is_orphan(dir, name, REASON_SUFFIX);
}

static bool is_half_written(int dir, const char *name)
{
	(void)dir;
	return *name == '.';
}

enum cs_status spool_recover(struct spool *spool)
{
	if (clean(spool->tmp, is_anything) || clean(spool->queue, is_left_in_queue) ||
		clean(spool->failed, is_left_in_failed) || clean(spool->seen, is_half_written) ||
		clean(spool->waiting, is_half_written))
		return CS_IO;
	return CS_OK;
}

int spool_create(struct spool *spool, const char *name)
{
	spool_discard(spool, name);
	return openat(spool->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void spool_discard(struct spool *spool, const char *name)
{
	unlinkat(spool->tmp, name, 0);
}

enum cs_status spool_enqueue(struct spool *spool, const char *name, int fd, const char *id)
{
	char entry[SPOOL_NAME_SIZE];

	snprintf(entry, sizeof(entry), "%s" SNAPSHOT_SUFFIX, id);
	fault_point("analyzed");
	if (faccessat(spool->queue, entry, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		faccessat(spool->failed, entry, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		spool_discard(spool, name);
		return CS_OK;
	}
	if (fsync(fd))
		return CS_IO;
	fault_point("synced");
	if (renameat(spool->tmp, name, spool->queue, entry))
		return CS_IO;
	fault_point("renamed");
	if (fsync(spool->queue) || fsync(spool->tmp))
		return CS_IO;
	fault_point("queued");
	return CS_OK;
}

enum cs_status spool_park_core(struct spool *spool, const char *stamp, json_t *reason)
{
	char name[SPOOL_NAME_SIZE];

	snprintf(name, sizeof(name), "core-%s" REASON_SUFFIX, stamp);
	return record_write(spool->failed, name, reason);
}

void spool_unpark_core(struct spool *spool, const char *stamp)
{
	char name[SPOOL_NAME_SIZE];

	snprintf(name, sizeof(name), "core-%s" REASON_SUFFIX, stamp);
	unlinkat(spool->failed, name, 0);
}

static uint64_t usage(int dir)
{
	DIR *stream = list(dir);
	struct dirent *entry;
	struct stat st;
	uint64_t total = 0;

	if (!stream)
		return 0;
	while ((entry = readdir(stream)))
		if (!is_dots(entry->d_name) &&
			fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			total += (uint64_t)st.st_blocks * 512;
	closedir(stream);
	return total;
}

uint64_t spool_usage(const struct spool *spool)
{
	return usage(spool->tmp) + usage(spool->queue) + usage(spool->failed);
}

static uint64_t room_now(const struct spool *spool)
{
	uint64_t used = spool_usage(spool), free_bytes, room;
	struct statvfs fs;

	if (used >= spool->max_size || fstatvfs(spool->dir, &fs))
		return 0;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes <= spool->keep_free)
		return 0;
	room = spool->max_size - used;
	if (room > free_bytes - spool->keep_free)
		room = free_bytes - spool->keep_free;
	return room;
}

// Whether a name in failed/ may be dropped for room: a refused snapshot, or the record of a core.
static bool is_evictable(const char *name)
{
	size_t length = strlen(name), end = strlen(SNAPSHOT_SUFFIX);

	if (length >= SPOOL_NAME_SIZE)
		return false;
	return !strncmp(name, "core-", 5) ||
	       (length > end && !strcmp(name + length - end, SNAPSHOT_SUFFIX));
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

// Drops what was parked longest ago. False: there is nothing.
static bool evict_one(struct spool *spool)
{
	DIR *stream = list(spool->failed);
	char oldest[SPOOL_NAME_SIZE] = "", reason[SPOOL_NAME_SIZE];
	struct timespec since = {0};
	struct dirent *entry;
	struct stat st;

	if (!stream)
		return false;
	while ((entry = readdir(stream))) {
		// ctime: the rename into failed/ set it.
		if (!is_evictable(entry->d_name) ||
			fstatat(spool->failed, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			(*oldest && !is_before(&st.st_ctim, &since)))
			continue;
		memcpy(oldest, entry->d_name, strlen(entry->d_name) + 1); // is_evictable: it fits
		since = st.st_ctim;
	}
	closedir(stream);
	if (!*oldest || unlinkat(spool->failed, oldest, 0))
		return false;
	if (strncmp(oldest, "core-", 5)) {
		snprintf(reason, sizeof(reason), "%.*s" REASON_SUFFIX,
			(int)(strlen(oldest) - strlen(SNAPSHOT_SUFFIX)), oldest);
		unlinkat(spool->failed, reason, 0);
	}
	return true;
}

uint64_t spool_room(struct spool *spool, uint64_t wanted, uint32_t *evicted_ret)
{
	uint64_t room = room_now(spool);
	uint32_t evicted = 0;

	while (room < wanted && evict_one(spool)) {
		evicted++;
		room = room_now(spool);
	}
	*evicted_ret = evicted;
	return room < wanted ? 0 : room;
}

bool spool_is_empty(const struct spool *spool)
{
	return usage(spool->tmp) + usage(spool->queue) == 0;
}
