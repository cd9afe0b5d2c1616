// How a worker asks its supervisor for files: executables and debug files, place after place until
// one proves to be right. Parses nothing itself; what it hands on is opened by analyzer/binary.
#ifndef CORESNAP_ANALYZER_ASK_H
#define CORESNAP_ANALYZER_ASK_H

#include "analyzer/binary/debug.h"
#include "analyzer/channel.h"
#include "analyzer/core/executable.h"

/**
 * Sends the question in `message` and receives the answer there. Returns a descriptor of the
 * caller's, or -1 where there is no (other) file. Ends the process where nobody answers any more.
 */
int ask_file(int channel, struct channel_message *message);

/** The question for the executable of a core, from place number `place` on. */
void ask_for_executable(
	const struct core_executable *executable, uint32_t place, struct channel_message *ret);

/**
 * The shared library at `path`, as struct file_source wants it; `context` is the channel's
 * descriptor, an int.
 */
int ask_library(void *context, const char *path, char *why, size_t size);

/** The debug files of one executable, asked for one after the other. */
struct ask_debug {
	int channel;
	struct diag *diag; // gets what went wrong with debuginfod; borrowed
	struct debug_finder finder;
	struct channel_message message; // the last answer
	uint32_t place;                 // the next to look at
};

/** Makes `ask` a finder for binary_set_debug_finder; it must stay where it is. */
void ask_debug_init(struct ask_debug *ask, int channel, struct diag *diag);

#endif
