// Where a snapshot goes: whole or not at all. A file is written beside its place and renamed when
// it is complete and on disk; a stream gets its bytes at the end, from an unlinked file.
#ifndef CORESNAP_ANALYZER_OUTPUT_H
#define CORESNAP_ANALYZER_OUTPUT_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

struct output {
	int fd;          // owned: what is being written, mode 0600
	int stream;      // where it is copied at the end, or -1
	char *path;      // owned: the file's place; NULL: a stream
	char *temporary; // owned: its name until then; NULL: it has none
};

/**
 * Prepares `path`; NULL or "-" is standard output. A path that is there and is no regular file (a
 * device, a FIFO) is a stream. On failure `why` says what is wrong, without the path.
 */
CS_MUST_USE enum cs_status output_open(
	const char *path, struct output *ret, char *why, size_t why_size);

/** Drops what is not committed: no temporary file is left. */
void output_close(struct output *output);

/** Back to empty, for another attempt. CS_IO with errno set. */
CS_MUST_USE enum cs_status output_reset(struct output *output);

/**
 * Makes what was written visible: fsync and rename, or the copy into the stream. CS_IO with errno
 * set (EPIPE: nobody reads any more; SIGPIPE is the caller's affair).
 */
CS_MUST_USE enum cs_status output_commit(struct output *output);

/** Writes all `size` bytes to `fd`; false with errno set. */
bool output_write(int fd, const char *bytes, size_t size);

/** Writes all that the file `from` holds to `to`. CS_IO, with errno set. */
CS_MUST_USE enum cs_status output_copy(int from, int to);

#endif
