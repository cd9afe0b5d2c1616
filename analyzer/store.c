// A copy, or a reflink where the file system can: never a hard link to the file that was given. A
// build that writes into that file again would change the store with it.
#include "analyzer/store.h"

#include "analyzer/directory.h"
#include "analyzer/output.h"
#include "common/build_id.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHY_SIZE 256
#define DIRECTORY_MODE 0755

/** One name of the file in the making. */
struct target {
	char path[2 * MAX_PATH_LENGTH];
	char temporary[2 * MAX_PATH_LENGTH]; // beside it
	size_t parent_size;                  // bytes of the directory's path, in both
};

static bool fail(char *why, const char *path)
{
	snprintf(why, WHY_SIZE, "%.200s: %s", path, strerror(errno));
	return false;
}

static bool sync_parent(struct target *target, char *why)
{
	bool is_synced;
	int fd;

	target->path[target->parent_size] = '\0';
	fd = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_synced = fd >= 0 && !fsync(fd);
	if (!is_synced)
		fail(why, target->path);
	if (fd >= 0)
		close(fd);
	target->path[target->parent_size] = '/';
	return is_synced;
}

static bool target_init(struct target *target, const char *directory, const char *name, char *why)
{
	int written = snprintf(target->path, sizeof(target->path), "%s/%s", directory, name);

	if (written < 0 || (size_t)written >= sizeof(target->path) - 16) {
		errno = ENAMETOOLONG;
		return fail(why, directory);
	}
	target->parent_size = (size_t)(strrchr(target->path, '/') - target->path);
	memcpy(target->temporary, target->path, target->parent_size);
	strcpy(target->temporary + target->parent_size, "/.new.XXXXXX");
	return !directory_make_above(target->path, DIRECTORY_MODE) || fail(why, target->path);
}

/** A whole copy of `from` with the rights of the original, but for nobody to write. */
static bool fill(int from, int to)
{
	struct stat status;

	if (fstat(from, &status))
		return false;
	if (ioctl(to, FICLONE, from) && output_copy(from, to))
		return false;
	return !fchmod(to, status.st_mode & 0555) && !fsync(to);
}

static bool put_first(struct target *target, int from, char *why)
{
	int fd = mkostemp(target->temporary, O_CLOEXEC);
	bool is_put;

	if (fd < 0)
		return fail(why, target->temporary);
	is_put = fill(from, fd) && !rename(target->temporary, target->path);
	if (!is_put) {
		fail(why, target->path);
		unlink(target->temporary);
	}
	close(fd);
	return is_put;
}

/** Another name for `first`. Renaming one name of a file to another one of it does nothing. */
static bool put_again(struct target *target, const struct target *first, char *why)
{
	int fd = mkostemp(target->temporary, O_CLOEXEC);
	bool is_put;

	if (fd < 0)
		return fail(why, target->temporary);
	close(fd);
	is_put = !unlink(target->temporary) && !link(first->path, target->temporary) &&
		 !rename(target->temporary, target->path);
	if (!is_put)
		fail(why, target->path);
	unlink(target->temporary);
	return is_put;
}

static bool put(const char *directory, int fd, const struct store_names *names, char *why)
{
	struct target targets[STORE_NAMES];
	size_t count = 0;

	for (size_t i = 0; i < STORE_NAMES; i++) {
		struct target *target = &targets[count];

		if (!*names->rows[i])
			continue;
		if (!target_init(target, directory, names->rows[i], why) ||
			!(count ? put_again(target, &targets[0], why)
				: put_first(target, fd, why)) ||
			!sync_parent(target, why))
			return false;
		count++;
	}
	return true;
}

enum cs_status store_add(const char *directory, int fd, const struct channel_message *identity,
	struct store_names *ret, char why[WHY_SIZE])
{
	char *gnu = ret->rows[0], *go = ret->rows[1];
	size_t room = sizeof(ret->rows[0]) - sizeof(".debug");

	*ret = (struct store_names){0};
	if (!build_id_gnu_path(identity->gnu_build_id, gnu, room))
		*gnu = '\0';
	if (!build_id_go_path(identity->go_build_id, go, room))
		*go = '\0';
	if (!*gnu && !*go) {
		snprintf(why, WHY_SIZE, "has no build id that tells it from other builds");
		return CS_REFUSED;
	}
	for (size_t i = 0; i < STORE_NAMES; i++)
		if (*ret->rows[i] && identity->file == FILE_DEBUG)
			strcat(ret->rows[i], ".debug");
	return put(directory, fd, ret, why) ? CS_OK : CS_IO;
}
