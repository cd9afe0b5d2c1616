// Runs one worker process and watches over it: answers its questions for files, ends it when its
// time is over or when a person interrupts, and tells what became of it. The supervisor opens files
// and parses nothing; the worker parses and opens nothing.
#ifndef CORESNAP_ANALYZER_SUPERVISOR_H
#define CORESNAP_ANALYZER_SUPERVISOR_H

#include "analyzer/channel.h"
#include "analyzer/search.h"

#include <stddef.h>
#include <stdint.h>

#define SUPERVISOR_KEEP_MAX 4

struct supervisor_job {
	/** The worker's whole life, in a process of its own. It sends its last word by `channel`.
	 */
	void (*work)(void *context, int channel);
	void *context;                 // borrowed
	int keep[SUPERVISOR_KEEP_MAX]; // descriptors that the worker keeps; -1: none
	uint32_t seconds;              // of wall time; 0: it is over before it begins
	struct search search;          // where the files that it asks for may lie
};

enum supervisor_end {
	WORKER_REPORTED,    // with `message`
	WORKER_DIED,        // without a last word; `why` says how
	WORKER_INTERRUPTED, // by `signal`, which was meant for us
};

struct supervisor_report {
	enum supervisor_end end;
	int signal;
	char why[256];                  // "killed by SIGSYS (a forbidden system call)"
	struct channel_message message; // the worker's own words: escape them
};

/**
 * Runs `job` to its end; the worker is gone when this returns. SIGINT, SIGTERM and SIGHUP should be
 * blocked (supervisor_block_signals), or they end this process and, through the kernel, the worker.
 * CS_IO, with errno set: no process could be made.
 */
CS_MUST_USE enum cs_status supervisor_run(
	const struct supervisor_job *job, struct supervisor_report *ret);

/** Blocks the signals that interrupt, those that are not ignored, so that nothing is left behind.
 */
void supervisor_block_signals(void);

/** Takes them again, and ends by `signal` if that is not 0, as the shell expects. */
void supervisor_unblock_signals(int signal);

#endif
