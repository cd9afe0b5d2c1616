// What each thread of the program was doing, in one word, and since when; and how long each goroutine
// has waited.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_ACTIVITY_H
#define CORESNAP_ANALYZER_SNAPSHOT_ACTIVITY_H

#include "analyzer/runtime/machine.h"
#include "analyzer/unwind/threads.h"

#include <stdint.h>

struct analysis;

struct activity {
	/*
	 * "running" Go code; "c": in C code; "syscall": in a system call; "spinning": looks for work
	 * with none found yet; "scheduling": has a processor and no goroutine; "polling": waits in
	 * netpoll; "parked": waits to be given something to do; "locked": waits until the goroutine
	 * that is locked to it may run; "stopping": waits until the world stops; "stopped": the crash's freeze, or another stop of the world,
	 * holds it; "monitor": sysmon; "dying": it crashed; "foreign": not one of Go's; "other".
	 */
	const char *state;
	int64_t since; // runtime clock, at the latest; 0: not known
};

/** Of the thread with this state; its machine may be NULL. */
struct activity activity_of(const struct analysis *analysis, const struct thread_state *state);

/** Whether goroutine `index` is about to stop the world and waits until everybody has. */
bool activity_stops_world(const struct analysis *analysis, size_t index);

#endif
