// The id of a crash: the same from a core, a mini core or in place, however often it is analysed.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_IDENTITY_H
#define CORESNAP_ANALYZER_SNAPSHOT_IDENTITY_H

#include "analyzer/core/image.h"
#include "common/status.h"

#include <stddef.h>

/**
 * Writes 32 hex digits and a NUL: SHA-256, cut to 16 bytes, over AT_RANDOM's 16 bytes (where the
 * image has them), every thread's id and registers in the core's order, and `go_build_id` (NULL:
 * none). CS_UNSUPPORTED where libcrypto has no SHA-256.
 */
CS_MUST_USE enum cs_status identity_compute(
	struct image *image, const char *go_build_id, char *ret, size_t size);

#endif
