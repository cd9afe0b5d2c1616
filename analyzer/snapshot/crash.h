// What killed the program: decided by the runtime's own marks (m.dying, m.throwing, m.caughtsig),
// not by the order of threads, which changed in go1.22 (runtime/signal_unix.go isCrashThread).
#ifndef CORESNAP_ANALYZER_SNAPSHOT_CRASH_H
#define CORESNAP_ANALYZER_SNAPSHOT_CRASH_H

#include "analyzer/runtime/panics.h"
#include "common/grouping/grouping.h"
#include "common/limits.h"
#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

struct analysis;

enum crash_kind { CRASH_NONE, CRASH_PANIC, CRASH_FATAL_ERROR, CRASH_SIGNAL, CRASH_DEADLOCK };

/** The signal that began it: of a fatal signal, or of the fault that became a panic. */
struct crash_signal {
	uint32_t number; // 0: none
	int32_t code;
	bool has_address;
	target_addr address;
	const char *name; // the runtime's words, "SIGSEGV: segmentation violation"; NULL: not known
	target_addr pc;   // where it hit
	bool lacks_code;  // the core does not say
};

#define NO_GOROUTINE SIZE_MAX

struct crash {
	enum crash_kind kind;
	const char *message;   // redacted; NULL: not known
	size_t message_size;   // it may hold NULs
	struct panics panics;  // of the crashing goroutine; texts redacted
	size_t goroutine;      // index; NO_GOROUTINE
	uint32_t thread_id;    // 0: not known
	target_addr dying_m;   // 0: the runtime did not get as far
	int64_t machine_id;    // of dying_m
	bool is_runtime_throw; // the runtime itself is at fault: it shows all frames (gotraceback)
	bool is_on_goroutine;  // it died on the goroutine's own stack, not on g0
	bool is_kind_unknown;  // SIGABRT, which a panic ends with, and its thread is not readable
	struct crash_signal signal;
	size_t blamed;     // index of the goroutine to look at first; NO_GOROUTINE
	size_t others[MAX_BLAMED]; // and then
	size_t other_count;
	const char *title; // redacted
	struct grouping_keys keys;
};

/** "panic", "fatal error", "signal", "deadlock" or "none". */
const char *crash_kind_name(enum crash_kind kind);

/**
 * First step, before goroutines are walked: who died, on which goroutine and thread. Needs the
 * scheduler, the goroutines and the thread states.
 */
CS_MUST_USE enum cs_status crash_find(struct analysis *analysis);

/** Second step, after walking and grouping: whom to look at first, title, grouping keys. */
CS_MUST_USE enum cs_status crash_describe(struct analysis *analysis);

#endif
