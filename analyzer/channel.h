// What the worker and its supervisor say to each other over their socketpair: packets of one fixed
// size, so that a length check is all the parsing there is. The worker is not to be trusted: every
// text in a packet is cut at its end and nothing else is believed.
#ifndef CORESNAP_ANALYZER_CHANNEL_H
#define CORESNAP_ANALYZER_CHANNEL_H

#include "common/limits.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_kind {
	CHANNEL_ASK = 1, // worker: the file that `want` and the ids describe, please
	CHANNEL_FILE,    // supervisor: here is one; a descriptor comes with it
	CHANNEL_NONE,    // supervisor: cannot be had, `text` says why
	CHANNEL_RESULT,  // worker: the last word
};

/** What is asked for. `path` is a name as the core or the executable gives it. */
enum channel_want {
	WANT_EXECUTABLE, // `path`: absolute, where the core says
	WANT_LIBRARY,    // of C code, which the process had mapped; `path`: likewise
	WANT_DEBUG, // the executable's debug file; `path`: its .gnu_debuglink, without a directory
};

enum channel_outcome {
	OUTCOME_FAILED,  // nothing was written; `text` says why
	OUTCOME_DONE,    // the output is whole
	OUTCOME_MINIMAL, // the output is a minimal snapshot; `text` says why
};

enum channel_file { FILE_UNKNOWN, FILE_CORE, FILE_EXECUTABLE, FILE_DEBUG };

struct channel_message {
	uint32_t kind;    // enum channel_kind
	uint32_t outcome; // enum channel_outcome
	uint32_t file;    // enum channel_file
	int32_t signal;   // 0: none known
	uint32_t pid;     // 0: none known
	uint32_t want;    // enum channel_want
	uint32_t place;   // asked: the first place to look in; handed out: where it was found
	uint32_t source;  // handed out: enum debug_source
	char path[MAX_PATH_LENGTH]; // texts are empty where not known
	char go_version[128];
	char go_build_id[MAX_BUILD_ID_LENGTH];
	char gnu_build_id[MAX_BUILD_ID_LENGTH];
	char text[MAX_DIAGNOSTIC_LENGTH];
};

/** A connected pair for packets, both CLOEXEC. CS_IO with errno set. */
CS_MUST_USE enum cs_status channel_create(int ret[2]);

/** Sends `message`, with the descriptor `fd` unless it is -1. CS_IO where the other end is gone. */
CS_MUST_USE enum cs_status channel_send(int channel, const struct channel_message *message, int fd);

/**
 * Receives one packet; `*fd_ret` is a descriptor of the caller's, CLOEXEC, or -1. Texts end within
 * their arrays. CS_NOT_FOUND: the other end is closed. CS_CORRUPT: not one of our packets.
 */
CS_MUST_USE enum cs_status channel_receive(int channel, struct channel_message *ret, int *fd_ret);

/** Copies `text` (NULL: empty), cut to fit. */
void channel_set(char *to, size_t size, const char *text);

#endif
