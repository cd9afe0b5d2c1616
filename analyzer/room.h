// Room for a compressed core: the unnamed file that the worker unpacks it into, and how much of the
// disk it may take. The supervisor's half; packed.h is the worker's.
#ifndef CORESNAP_ANALYZER_ROOM_H
#define CORESNAP_ANALYZER_ROOM_H

#include "analyzer/core/unpack.h"
#include "common/status.h"

/**
 * Whether the file `core` is compressed, by its first bytes. Then `*fd_ret` is a new unnamed file,
 * the caller's, in $TMPDIR or /var/tmp (a core has gigabytes: not memory, and /tmp often is), and
 * `ret` its limits: `max_size` bytes in all, and on the disk what leaves some of it free. Otherwise
 * *fd_ret is -1. CS_IO: no such file can be made, `why` says what to do.
 */
CS_MUST_USE enum cs_status room_open(int core, uint64_t max_size, struct unpack_limits *ret,
	int *fd_ret, char *why, size_t why_size);

#endif
