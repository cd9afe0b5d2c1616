// A compressed core becomes a plain one: streamed from one descriptor into another, sparse, within
// limits, and only as far as it is asked for. zstd, xz, gzip and lz4, known by their magic bytes,
// as systemd-coredump and people write them. Runs inside the sandbox: the bytes are hostile.
#ifndef CORESNAP_ANALYZER_CORE_UNPACK_H
#define CORESNAP_ANALYZER_CORE_UNPACK_H

#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_MAGIC_SIZE 6 // bytes of a file that tell its format

/** "zstd", "xz", "gzip" or "lz4" by a file's first bytes; NULL where they are another's. */
const char *unpack_format(const void *head, size_t size);

struct unpack_limits {
	uint64_t size;    // bytes unpacked, holes too
	uint64_t written; // bytes that take room on the disk
};

/** How far it has come. All but the first are for good. */
enum unpack_end {
	UNPACK_GOES_ON,   // what was asked for is there, and there may be more
	UNPACK_WHOLE,     // everything was unpacked
	UNPACK_CUT,       // the compressed file ends too early
	UNPACK_DAMAGED,   // its bytes contradict each other
	UNPACK_TOO_LARGE, // limits.size was reached
	UNPACK_NO_ROOM,   // limits.written was reached, or the disk is full
	UNPACK_NO_MEMORY, // of the machine's, or it asks for more than MAX_UNPACK_MEMORY
	UNPACK_FAILED,    // reading or writing failed; errno is set
};

struct unpacker;

/**
 * Prepares to unpack the file `from` into the empty regular file `to` (both the caller's, both with
 * a position of no meaning). NULL: out of memory, or not one of the formats.
 */
struct unpacker *unpack_create(
	int from, int to, const struct unpack_limits *limits, struct arena *arena);

/** Frees the libraries' memory; what is in `to` stays. NULL is fine. */
void unpack_destroy(struct unpacker *unpacker);

/**
 * Unpacks until at least `size` bytes are in `to`, or to the end. What was unpacked is in `to` with
 * every return: zeros as holes, st_size as unpack_size says.
 */
enum unpack_end unpack_advance(struct unpacker *unpacker, uint64_t size);

/** Bytes unpacked so far, holes too. */
uint64_t unpack_size(const struct unpacker *unpacker);

#endif
