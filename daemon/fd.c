#include "daemon/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
	};
}

bool stamp_equals(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns;
}

void stamp_text(const struct stamp *stamp, char ret[static STAMP_TEXT_SIZE])
{
	snprintf(ret, STAMP_TEXT_SIZE, "%" PRIx64 "-%" PRIu64 "-%" PRId64 "-%" PRIu64,
		stamp->device, stamp->inode, stamp->mtime_ns, stamp->size);
}

enum cs_status fd_open_regular(
	int dir, const char *name, bool follows, struct stat *st_ret, int *ret)
{
	// A path descriptor opens nothing yet: the type is known before any driver or peer is.
	CLOSE_FD int path = openat(dir, name, O_PATH | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW));
	char self[64];
	int fd;

	if (path < 0)
		return errno == ENOENT || errno == ENOTDIR ? CS_NOT_FOUND : CS_IO;
	if (fstat(path, st_ret))
		return CS_IO;
	if (!S_ISREG(st_ret->st_mode))
		return CS_REFUSED;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return CS_IO;
	*ret = fd;
	return CS_OK;
}
