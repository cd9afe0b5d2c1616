// The fetcher: a process that has the network and parses nothing. It asks the servers that
// DEBUGINFOD_URLS names for one file by GNU build id, keeps it in the cache that elfutils and gdb
// use too (libdebuginfod), and hands its descriptor over. Only the worker ever looks inside.
#ifndef CORESNAP_ANALYZER_FETCH_H
#define CORESNAP_ANALYZER_FETCH_H

#include "analyzer/channel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** One fetch in progress. `pid` 0: none. */
struct fetch {
	pid_t pid;
	int channel; // ours of the pair by which it answers: readable when it has, or is gone
};

/** Whether the environment names servers to ask. */
bool fetch_is_configured(void);

/**
 * Starts to fetch what `question` wants by its GNU build id, within `milliseconds` of wall time:
 * the fetcher gives up by itself then. CS_IO, with errno set: no process could be made.
 */
CS_MUST_USE enum cs_status fetch_start(
	const struct channel_message *question, int64_t milliseconds, struct fetch *ret);

/**
 * Takes the fetcher's answer, once its channel is readable: CHANNEL_FILE with a descriptor of the
 * caller's in `*fd_ret`, or CHANNEL_NONE with the reason. The fetcher is gone when this returns.
 */
void fetch_finish(struct fetch *fetch, struct channel_message *ret, int *fd_ret);

/** Ends the fetcher, whatever it is doing. Harmless where there is none. */
void fetch_stop(struct fetch *fetch);

#endif
