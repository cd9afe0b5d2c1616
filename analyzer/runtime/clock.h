// The runtime's clock (nanotime, CLOCK_MONOTONIC) at the crash, and how long goroutines waited.
// There is no field that holds "now". Every stamp that the runtime took is at or before the crash,
// so the newest of them is a lower bound, and a good one: sysmon and the scheduler stamp all the
// time.
#ifndef CORESNAP_ANALYZER_RUNTIME_CLOCK_H
#define CORESNAP_ANALYZER_RUNTIME_CLOCK_H

#include "analyzer/runtime/gc.h"
#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/machine.h"
#include "analyzer/runtime/timers.h"

struct clock {
	int64_t now;                      // nanotime, at the latest stamp; 0 where there is none
	int64_t previous_ends[GC_PAUSES]; // nanotime of the ends of GC cycles, newest first
	uint32_t previous_count;
};

/** How long a goroutine has waited, in ns; -1 where nothing is known. */
struct wait_time {
	int64_t best, min, max;
	bool is_from_gc; // g.waitsince, which a GC sets when it scans a waiting goroutine
	bool is_exact;   // a stamp that the scheduler or sysmon took when it began
};

/** Derives "now" from every stamp there is. */
struct clock clock_load(const struct runtime *rt, const struct scheduler *scheduler,
	const struct goroutines *all, const struct gc_state *gc);

/** The same from what timers say: a ticker has fired, or was made, one period before it will fire. */
void clock_see_timers(struct clock *clock, const struct timers *timers);

/**
 * For a goroutine that is waiting or in a system call; all -1 otherwise. The first GC cycle whose
 * scan finds it waiting stamps g.waitsince with work.tstart, which then still holds the mark
 * termination of the cycle before (mgcmark.go markroot, mgc.go gcMark): it began to wait somewhere
 * between the two. `best` counts from the stamp, as the runtime's own traceback does, which may be
 * a cycle too much; `min` from the end of the cycle that found it. Where no GC has, nothing is
 * known.
 */
struct wait_time clock_wait(const struct clock *clock, const struct goroutine *g);

#endif
