// Descriptors that the runtime polls: runtime/netpoll.go pollDesc. They lie in memory that is never
// given back, in chunks that runtime.persistentChunks links (runtime/malloc.go persistentalloc1), and
// each holds its own address, by which it is known.
#ifndef CORESNAP_ANALYZER_RUNTIME_NETPOLL_H
#define CORESNAP_ANALYZER_RUNTIME_NETPOLL_H

#include "analyzer/runtime/runtime.h"
#include "common/u64map.h"

/** What one direction of a descriptor is at. */
struct poll_side {
	target_addr waiter; // the g that waits; 0: none
	bool is_ready;      // something happened that nobody has taken up yet
	int64_t deadline;   // runtime clock; 0: none; negative: passed
};

struct poll_descriptor {
	target_addr address;
	int64_t fd;
	bool is_closing;
	struct poll_side read, write;
};

struct poll_descriptors {
	struct poll_descriptor *list; // those in use, by file descriptor
	size_t count;
	struct u64map by_waiter; // g to the index of the descriptor that it waits for
};

/** Finds all of them. What cannot be read is said in `diag`. */
CS_MUST_USE enum cs_status poll_descriptors_load(
	const struct runtime *rt, struct poll_descriptors *ret);

/** The descriptor that g waits for; NULL where there is none. */
const struct poll_descriptor *poll_descriptor_of(
	const struct poll_descriptors *descriptors, target_addr g);

#endif
