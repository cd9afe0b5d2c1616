#include "analyzer/room.h"

#include "common/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/** A file without a name, also where the file system knows no O_TMPFILE. */
static int open_unnamed(const char *directory)
{
	char path[MAX_PATH_LENGTH];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || errno != EOPNOTSUPP)
		return fd;
	if (snprintf(path, sizeof(path), "%s/.coresnap.XXXXXX", directory) >= (int)sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/** Bytes that may be written so that the disk does not run full for everybody else. */
static uint64_t find_room(int fd)
{
	struct statvfs disk;
	uint64_t keep = UNPACK_KEEP_FREE, free_size;

	if (fstatvfs(fd, &disk))
		return 0;
	free_size = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (keep > (uint64_t)disk.f_blocks * disk.f_frsize / 20)
		keep = (uint64_t)disk.f_blocks * disk.f_frsize / 20;
	return free_size > keep ? free_size - keep : 0;
}

enum cs_status room_open(int core, uint64_t max_size, struct unpack_limits *ret, int *fd_ret,
	char *why, size_t why_size)
{
	const char *directory = getenv("TMPDIR");
	uint8_t head[UNPACK_MAGIC_SIZE];
	ssize_t size = pread(core, head, sizeof(head), 0);
	int fd;

	*fd_ret = -1;
	if (size <= 0 || !unpack_format(head, (size_t)size))
		return CS_OK;
	if (!directory || !*directory)
		directory = "/var/tmp";
	fd = open_unnamed(directory);
	if (fd < 0) {
		snprintf(why, why_size,
			"no file to unpack it into can be made in %s: %s; TMPDIR may name another "
			"directory",
			directory, strerror(errno));
		return CS_IO;
	}
	*ret = (struct unpack_limits){.size = max_size, .written = find_room(fd)};
	*fd_ret = fd;
	return CS_OK;
}
