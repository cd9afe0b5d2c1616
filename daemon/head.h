// Reads the few facts of a snapshot that the daemon needs, while its bytes pass by: the id, and
// what one line of log says. A scanner of strings and depth, without memory of its own; it is used
// in the packer process only, under a seccomp filter that knows read and write.
#ifndef CORESNAP_DAEMON_HEAD_H
#define CORESNAP_DAEMON_HEAD_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_DEPTH 3     // keys are followed this deep: process.signal.name
#define HEAD_KEY_SIZE 24 // longer keys are none of ours
#define HEAD_VALUE_SIZE 256

#define SNAPSHOT_ID_LENGTH 32

/* The facts, in the order in which they are reported. */
enum head_fact {
	HEAD_ID,
	HEAD_PID,
	HEAD_EXECUTABLE,
	HEAD_SIGNAL,
	HEAD_GO_VERSION,
	HEAD_TITLE,
	HEAD_GOROUTINES,
	HEAD_FACTS
};

struct head {
	char facts[HEAD_FACTS][HEAD_VALUE_SIZE]; // "" for null or absent; cut where longer
	/* The scanner's state. */
	char keys[HEAD_DEPTH][HEAD_KEY_SIZE]; // the key before the current value, per depth
	char token[HEAD_VALUE_SIZE];          // of the string or scalar being read
	size_t token_size;                    // its true length, which may exceed the array's
	uint32_t depth;
	bool in_string, is_escaped, in_scalar, has_string;
	bool is_done,
		is_broken; // the outermost object closed; bytes came after it, or brackets differ
};

/** A scanner that has seen nothing. */
void head_init(struct head *head);

/** Takes the next `size` bytes of the snapshot. */
void head_feed(struct head *head, const char *bytes, size_t size);

/** CS_OK when one whole object with a valid id went by; CS_CORRUPT otherwise. */
CS_MUST_USE enum cs_status head_finish(const struct head *head);

/** Whether `id` is 32 lower-case hexadecimal digits and nothing else: safe as a file name. */
bool head_is_id(const char *id);

#endif
