#include "server/store.h"

#include "common/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX "+zstd"
#define PATH_SIZE (MAX_OBJECT_KEY + sizeof(SUFFIX))
#define MAX_KEY_DEPTH (MAX_OBJECT_KEY / 2 + 1)

static int open_directory(int at, const char *name)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool is_dot_name(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/** What an earlier run left in tmp/ was never promised to anybody. */
static void empty_directory(int fd)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!is_dot_name(entry->d_name))
			unlinkat(fd, entry->d_name, 0);
	closedir(dir);
}

static const char *open_parts(struct store *store, const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return "cannot make the data directory";
	store->data_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->data_fd < 0)
		return "cannot open the data directory";
	if (fchmod(store->data_fd, 0700))
		return "cannot make the data directory private (is it another user's?)";
	store->lock_fd = openat(store->data_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		return "cannot make the lock file in the data directory";
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB))
		return "another coresnap-server uses the data directory";
	store->tmp_fd = open_directory(store->data_fd, "tmp");
	store->objects_fd = open_directory(store->data_fd, "objects");
	if (store->tmp_fd < 0 || store->objects_fd < 0)
		return "cannot make tmp/ and objects/ in the data directory";
	empty_directory(store->tmp_fd);
	return fsync(store->data_fd) ? "cannot sync the data directory" : NULL;
}

const char *store_open(struct store *store, const char *path)
{
	const char *wrong;

	*store = (struct store){.data_fd = -1, .tmp_fd = -1, .objects_fd = -1, .lock_fd = -1};
	pthread_mutex_init(&store->commit, NULL);
	wrong = open_parts(store, path);
	if (wrong) {
		int saved = errno;

		store_close(store);
		errno = saved;
	}
	return wrong;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void store_close(struct store *store)
{
	close_if_open(store->data_fd);
	close_if_open(store->tmp_fd);
	close_if_open(store->objects_fd);
	close_if_open(store->lock_fd);
	pthread_mutex_destroy(&store->commit);
}

enum cs_status upload_begin(struct store *store, struct upload *upload)
{
	uint64_t number = __atomic_add_fetch(&store->next_name, 1, __ATOMIC_RELAXED);

	*upload = (struct upload){.fd = -1};
	snprintf(upload->name, sizeof(upload->name), "upload-%llu", (unsigned long long)number);
	upload->fd =
		openat(store->tmp_fd, upload->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return upload->fd < 0 ? CS_IO : CS_OK;
}

enum cs_status upload_append(struct upload *upload, const char *bytes, size_t size)
{
	while (size) {
		ssize_t part = write(upload->fd, bytes, size);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return CS_IO;
		bytes += part;
		size -= (size_t)part;
		upload->size += (uint64_t)part;
	}
	return CS_OK;
}

int upload_reader(const struct store *store, const struct upload *upload)
{
	return openat(store->tmp_fd, upload->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void forget(struct upload *upload)
{
	close_if_open(upload->fd);
	upload->fd = -1;
}

void upload_abort(struct store *store, struct upload *upload)
{
	if (upload->fd < 0)
		return;
	unlinkat(store->tmp_fd, upload->name, 0);
	forget(upload);
}

/** Makes the directories above `path`, and syncs the ones that got a new entry. */
static enum cs_status make_parents(const struct store *store, const char *path)
{
	int at = dup(store->objects_fd);
	enum cs_status status = at < 0 ? CS_IO : CS_OK;
	char part[MAX_OBJECT_KEY_PART + 1];

	for (size_t size; !status && path[size = strcspn(path, "/")]; path += size + 1) {
		int next;

		memcpy(part, path, size);
		part[size] = 0;
		if (!mkdirat(at, part, 0700) && fsync(at))
			status = CS_IO;
		next = openat(at, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (next < 0)
			status = errno == ENOTDIR ? CS_MISMATCH : CS_IO;
		close(at);
		at = next;
	}
	close_if_open(at);
	return status;
}

static enum cs_status sync_parent(const struct store *store, const char *path)
{
	char parent[PATH_SIZE];
	char *slash;
	int fd, failed;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash)
		return fsync(store->objects_fd) ? CS_IO : CS_OK;
	*slash = 0;
	fd = openat(store->objects_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CS_IO;
	failed = fsync(fd);
	close(fd);
	return failed ? CS_IO : CS_OK;
}

static int64_t modified_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/** With the commit lock held: the name is free, or this says what takes it. */
static enum cs_status place(
	struct store *store, struct upload *upload, const char *key, const char *path)
{
	struct object there;
	struct stat st;
	enum cs_status status = store_find(store, key, &there);

	if (!status) {
		close(there.fd);
		return sync_parent(store, path) ? CS_IO : CS_REFUSED;
	}
	if (status != CS_NOT_FOUND)
		return status;
	if (!fstatat(store->objects_fd, key, &st, AT_SYMLINK_NOFOLLOW))
		return CS_MISMATCH;
	status = make_parents(store, path);
	if (status)
		return status;
	if (renameat(store->tmp_fd, upload->name, store->objects_fd, path))
		return errno == EISDIR || errno == ENOTDIR ? CS_MISMATCH : CS_IO;
	return sync_parent(store, path);
}

enum cs_status upload_commit(struct store *store, struct upload *upload, const char *key,
	bool is_zstd, struct object *ret)
{
	char path[PATH_SIZE];
	enum cs_status status;
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", key, is_zstd ? SUFFIX : "");
	// The file's time is the time of receipt, in the catalog too.
	if (futimens(upload->fd, NULL) || fsync(upload->fd) || fstat(upload->fd, &st))
		return CS_IO;
	pthread_mutex_lock(&store->commit);
	status = place(store, upload, key, path);
	pthread_mutex_unlock(&store->commit);
	if (status)
		return status;
	*ret = (struct object){.fd = -1,
		.is_zstd = is_zstd,
		.size = (uint64_t)st.st_size,
		.stored_ns = modified_ns(&st)};
	forget(upload);
	return CS_OK;
}

enum cs_status store_find(const struct store *store, const char *key, struct object *ret)
{
	char path[PATH_SIZE];

	for (int is_zstd = 0; is_zstd < 2; is_zstd++) {
		struct stat st;
		int fd;

		snprintf(path, sizeof(path), "%s%s", key, is_zstd ? SUFFIX : "");
		fd = openat(
			store->objects_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0) {
			if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
				return CS_IO;
			continue;
		}
		if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
			*ret = (struct object){.fd = fd,
				.is_zstd = is_zstd,
				.size = (uint64_t)st.st_size,
				.stored_ns = modified_ns(&st)};
			return CS_OK;
		}
		close(fd);
	}
	return CS_NOT_FOUND;
}

int store_scratch(struct store *store)
{
	char name[32];
	int fd = openat(store->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	snprintf(name, sizeof(name), "scratch-%llu",
		(unsigned long long)__atomic_add_fetch(&store->next_name, 1, __ATOMIC_RELAXED));
	fd = openat(store->tmp_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(store->tmp_fd, name, 0);
	return fd;
}

/* A walk keeps one open directory a level; a level is a part of a key, so they are bounded. */
struct walk {
	bool (*each)(void *context, const char *key);
	void *context;
	char path[PATH_SIZE];
	bool is_over;
};

static void visit_directory(struct walk *walk, int fd, size_t used, unsigned int depth);

static void visit(struct walk *walk, int at, const char *name, size_t used, unsigned int depth)
{
	size_t size = strlen(name);
	struct stat st;

	if (is_dot_name(name) || used + size + 2 > sizeof(walk->path) ||
		fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	memcpy(walk->path + used, name, size + 1);
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

		walk->path[used + size] = '/';
		if (fd >= 0)
			visit_directory(walk, fd, used + size + 1, depth + 1);
	} else if (S_ISREG(st.st_mode)) {
		char *plus = strchr(walk->path, '+');

		if (plus)
			*plus = 0;
		walk->is_over = !walk->each(walk->context, walk->path);
	}
}

static void visit_directory(struct walk *walk, int fd, size_t used, unsigned int depth)
{
	DIR *dir = depth > MAX_KEY_DEPTH ? NULL : fdopendir(fd);

	if (!dir) {
		close(fd);
		return;
	}
	for (struct dirent *entry; !walk->is_over && (entry = readdir(dir));)
		visit(walk, dirfd(dir), entry->d_name, used, depth);
	closedir(dir);
}

enum cs_status store_each(
	const struct store *store, bool (*each)(void *context, const char *key), void *context)
{
	struct walk walk = {.each = each, .context = context};
	int fd = openat(store->objects_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return CS_IO;
	visit_directory(&walk, fd, 0, 0);
	return CS_OK;
}

bool files_are_equal(int a, int b)
{
	enum { CHUNK = 65536 };
	char *chunks = malloc(2 * CHUNK);
	bool is_equal = chunks != NULL;
	off_t at = 0;

	while (is_equal) {
		ssize_t got = pread(a, chunks, CHUNK, at);
		ssize_t other = pread(b, chunks + CHUNK, CHUNK, at);

		is_equal = got >= 0 && got == other && !memcmp(chunks, chunks + CHUNK, (size_t)got);
		if (got <= 0)
			break;
		at += got;
	}
	free(chunks);
	return is_equal;
}
