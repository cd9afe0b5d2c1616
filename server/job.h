// What a worker is asked to do with one object, and the work itself: the only part of the server
// that reads the bytes of a snapshot. It runs in a process of its own, behind the sandbox's walls.
#ifndef CORESNAP_SERVER_JOB_H
#define CORESNAP_SERVER_JOB_H

#include "common/limits.h"
#include "server/text.h"

#include <stdbool.h>
#include <stdint.h>

enum job_kind {
	JOB_CHECK,     // an attachment: can it be unpacked? No answer but the status
	JOB_ROW,       // a snapshot: is it one? The answer is its row (row_write)
	JOB_SNAPSHOT,  // the page of the snapshot
	JOB_SUMMARY,   // the same for a terminal
	JOB_GOROUTINE, // the page of goroutine `number`
	JOB_GROUP,     // the page of group `number`, rows from `skip` on
};

struct job {
	enum job_kind kind;
	bool is_zstd;        // the object is compressed: unpack it into the scratch file first
	uint64_t size;       // bytes of the object
	uint64_t max_size;   // bytes that it may have, unpacked
	uint64_t number;     // which goroutine or group
	uint64_t skip;       // rows of a list that were shown on the pages before
	int64_t received_ns; // when the object was stored
	char key[MAX_OBJECT_KEY + 1];
};

/**
 * Does the job on the file `object`, and `scratch`, where a compressed one is unpacked (else -1).
 * Returns an HTTP status: 200 with the answer in `out`; anything else with one line in `out`.
 */
unsigned int job_run(const struct job *job, int object, int scratch, struct text *out);

#endif
