// The grouping key of each frame. Names alone do not tell where a closure is from that the compiler
// has inlined (cmd/compile/internal/ir/func.go closureName): up to go1.20 it is named after the
// function that it was inlined into, from go1.21 to go1.26 after that function's package. Its own
// file and line say, held against the inline tree of the function that creates it.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_FRAME_KEYS_H
#define CORESNAP_ANALYZER_SNAPSHOT_FRAME_KEYS_H

#include "common/arena.h"
#include "common/u64map.h"

#include <stdbool.h>
#include <stdint.h>

struct analysis;
struct frame;
struct pclntab;

struct frame_key {
	const char *package;  // import path; "" of C
	const char *declared; // the function without its package
	const char *key;
	bool in_app;
};

/** What is known already; the analysis has one. */
struct frame_keys {
	struct u64map by_frame;        // index to the address of its struct frame_key
	uint64_t steps_left;           // of line tables, for all
	const struct pclntab *indexed; // whose files by_directory knows; NULL: none yet
	struct u64map by_directory;    // hash of a source directory to the address of a name in it
};

void frame_keys_init(struct frame_keys *keys, struct arena *arena);

/** The key of frames.frames[index]; NULL when out of memory. */
const struct frame_key *frame_key_of(const struct analysis *analysis, uint32_t index);

#endif
