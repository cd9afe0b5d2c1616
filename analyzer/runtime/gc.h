// The garbage collector's counters: runtime/mstats.go, mgcpacer.go, mgc.go.
#ifndef CORESNAP_ANALYZER_RUNTIME_GC_H
#define CORESNAP_ANALYZER_RUNTIME_GC_H

#include "analyzer/runtime/runtime.h"

#define GC_PAUSES 256 // memstats.pause_ns and pause_end are rings of that many

struct gc_state {
	bool is_known;  // the counters below could be read
	uint32_t phase; // runtime.gcphase: 0 off, 1 mark, 2 mark termination
	uint64_t cycles, forced_cycles;
	uint64_t heap_live, heap_marked; // bytes
	uint64_t heap_goal; // bytes, as the pacer computes it (mgcpacer.go heapGoalInternal)
	bool is_limited;    // heap_goal follows from GOMEMLIMIT
	uint64_t trigger;   // heap_live at which the next cycle begins, in bytes
	uint64_t triggered; // heap_live at which the running cycle began; UINT64_MAX: none runs
	uint64_t heap_minimum; // bytes below which no cycle begins
	int64_t percent;                                     // GOGC; negative: off
	int64_t memory_limit;                                // GOMEMLIMIT; INT64_MAX: none
	// What the collector has scanned or will: bytes of the heap, of stacks and of variables.
	uint64_t heap_scan, stack_scan, globals_scan;
	// Assists: bytes of scanning that workers have done ahead and goroutines may take, what each
	// allocated byte costs while the collector marks, and the time that goroutines spent.
	int64_t scan_credit, assist_time_ns;
	double assist_ratio;
	// Marking: roots done and to do, workers, those that have nothing to do, bytes marked.
	uint64_t roots_done, roots, workers, idle_workers, bytes_marked;
	// Sweeping: pages swept in this cycle, pages in use.
	uint64_t pages_swept, pages_in_use;
	uint64_t pause_total_ns;
	uint64_t pauses_ns[GC_PAUSES]; // newest first
	uint32_t pause_count;
	// Runtime clock (nanotime), 0 where there was no cycle.
	int64_t last_start, last_mark_start, last_mark_end, last_end;
	int64_t last_end_unix;        // the same moment as last_end on the wall clock
	int64_t ends_unix[GC_PAUSES]; // wall clock, newest first
};

/** Reads it all; what cannot be read is 0 and said in `diag`. */
struct gc_state gc_load(const struct runtime *rt);

/** "off", "mark", "mark termination", or "unknown". */
const char *gc_phase_name(uint32_t phase);

#endif
