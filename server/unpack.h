// Unpacks a zstd file into another, within limits on size and growth.
#ifndef CORESNAP_SERVER_UNPACK_H
#define CORESNAP_SERVER_UNPACK_H

#include "common/status.h"

#include <stdint.h>

/**
 * Reads `from` (any number of frames) to its end and writes what it holds to `to`. CS_LIMIT: that
 * would be more than `max_size` bytes, or grow past MAX_UNPACK_RATIO; CS_CORRUPT: not zstd, or cut
 * off; CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE enum cs_status unpack_zstd(int from, int to, uint64_t max_size, uint64_t *ret);

#endif
