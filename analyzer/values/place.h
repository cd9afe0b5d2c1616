// Where a value lies: in memory, or in pieces of memory, register contents and constants. Pieces
// that are not known say why, so that one lost register hides a field and not its struct.
#ifndef CORESNAP_ANALYZER_VALUES_PLACE_H
#define CORESNAP_ANALYZER_VALUES_PLACE_H

#include "analyzer/core/image.h"

/** Why a part of a value cannot be shown; SNAPSHOT.md's words by unavailable_name(). */
enum unavailable {
	AVAILABLE,
	UNAVAILABLE_OPTIMIZED_OUT,    // "optimized out"
	UNAVAILABLE_NOT_ASSIGNED,     // "not assigned yet"
	UNAVAILABLE_CLOBBERED,        // "clobbered": it was in a register that a call destroyed
	UNAVAILABLE_NOT_KEPT_ALIVE,   // "not kept alive": the pointer is true, its object may be reused
	UNAVAILABLE_NOT_IN_CORE,      // "not in core"
	UNAVAILABLE_CORRUPT,          // "corrupt"
	UNAVAILABLE_BUDGET,           // "budget"
};

/** How a value was proved where DWARF alone has nothing. */
enum evidence {
	EVIDENCE_NONE,
	EVIDENCE_LIVE_ARGUMENT, // "live argument": FUNCDATA_ArgLiveInfo
	EVIDENCE_SPILL,         // "spill"
	EVIDENCE_CALLEE,        // "callee"
	EVIDENCE_CALLER,        // "caller"
	EVIDENCE_RUNTIME,       // "runtime": a runtime function's argument, a sudog, saved registers
};

/** `size` bytes at `offset` of the value. */
struct piece {
	uint32_t offset, size;
	enum unavailable unavailable; // not AVAILABLE: nothing below counts
	bool is_in_memory;
	target_addr address; // in memory
	uint64_t bits;       // otherwise its bytes, little-endian: size is 8 at most
};

/** Pieces are sorted, do not overlap, and cover the value. Borrowed by whoever reads. */
struct place {
	target_addr address;        // the whole value lies here; 0: see pieces
	const struct piece *pieces; // where address is 0
	uint32_t piece_count;
	enum evidence evidence;
	/**
	 * Whether what the value points to is known to be kept by it: the place is a global, a live
	 * slot by the stack maps, a sudog, or within an object that is live itself. Otherwise a
	 * pointee is shown only where liveness proves it in another way.
	 */
	bool is_live;
};

/** A place in memory. */
struct place place_at(target_addr address, bool is_live);

/** The part [offset, offset + size) of `place`, its pieces in `scratch` of `max`; false: does not fit. */
bool place_part(const struct place *place, uint64_t offset, uint64_t size, struct piece *scratch,
	uint32_t max, struct place *ret);

/** SNAPSHOT.md's words; NULL for AVAILABLE and EVIDENCE_NONE. */
const char *unavailable_name(enum unavailable unavailable);
const char *evidence_name(enum evidence evidence);

#endif
