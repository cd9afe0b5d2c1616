// A compressed core on its way to image_open: how much of it is wanted, and what became of it. The
// worker's half; room.h is the supervisor's.
#ifndef CORESNAP_ANALYZER_PACKED_H
#define CORESNAP_ANALYZER_PACKED_H

#include "analyzer/core/unpack.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

struct packed {
	int from, to;     // the compressed core; the file that takes the plain one
	const char *name; // of the core, for messages
	struct unpack_limits limits;
	uint32_t seconds; // 0: no limit of its own. Else it ends with what is there by then
	bool only_head;   // no further than the notes and the executable's first page
};

/**
 * Unpacks what is wanted. The file `to` then holds the core, or its beginning where the compressed
 * one is cut or damaged or room or time ran out: `diag` says so, and image_open will say how much
 * is missing. Fails, with the line in `diag`, where it would be larger than limits.size or nothing
 * could be unpacked at all.
 */
CS_MUST_USE enum cs_status packed_unpack(
	const struct packed *packed, struct arena *arena, struct diag *diag);

#endif
