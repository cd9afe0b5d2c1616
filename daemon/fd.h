// File descriptors that close themselves, and files that are opened without being fooled.
#ifndef CORESNAP_DAEMON_FD_H
#define CORESNAP_DAEMON_FD_H

#include "common/status.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/** Closes *fd unless it is negative; errno survives. For CLOSE_FD. */
void fd_close(int *fd);

#define CLOSE_FD __attribute__((cleanup(fd_close)))

/** Hands the descriptor over: returns it and leaves -1 behind. */
static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/** What makes a file the same file with the same bytes, as far as the kernel tells. */
struct stamp {
	uint64_t device, inode, size;
	int64_t mtime_ns;
};

#define STAMP_TEXT_SIZE 96

/** The stamp of a stat result. */
struct stamp stamp_of(const struct stat *st);

bool stamp_equals(const struct stamp *a, const struct stamp *b);

/** Four numbers with dashes between them: a file name. */
void stamp_text(const struct stamp *stamp, char ret[static STAMP_TEXT_SIZE]);

/**
 * Opens `name` (in the directory `dir`, or AT_FDCWD) for reading if it is a regular file, without
 * the side effects that opening a FIFO, a device or a terminal has. Links in the last component are
 * followed only if `follows`. CS_REFUSED: something else than a regular file lies there;
 * CS_NOT_FOUND: nothing does; CS_IO otherwise, errno tells.
 */
CS_MUST_USE enum cs_status fd_open_regular(
	int dir, const char *name, bool follows, struct stat *st_ret, int *ret);

#endif
