// Timers that wait in the processors' heaps: runtime/time.go. Until Go 1.22 p.timers is a slice of
// timers, since 1.23 a struct with a heap of {timer, when}. A channel's timer (time.After, Ticker) is
// since 1.23 in a heap only while somebody waits for the channel.
#ifndef CORESNAP_ANALYZER_RUNTIME_TIMERS_H
#define CORESNAP_ANALYZER_RUNTIME_TIMERS_H

#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/machine.h"

struct timer {
	target_addr address;
	size_t processor;     // in whose heap it is: index in scheduler.processors
	int64_t when, period; // runtime clock, ns; period 0: once
	target_addr function; // code that runs when it fires; 0: unreadable
	target_addr argument; // the word that goes with it: a g, a channel, a func value, a pollDesc
};

/** Of one processor. */
struct processor_timers {
	uint64_t count;
	const struct timer *next; // the first to fire; NULL: none
};

struct timers {
	struct timer *list; // the next to fire first
	size_t count;       // stopped ones are not in it
	struct processor_timers *of_processor; // as many as the scheduler has
	struct u64map by_address;  // to the index in the list
	struct u64map by_argument; // likewise; of timers with one argument the next to fire
};

/** Reads every heap. What cannot be read is said in `diag`. */
CS_MUST_USE enum cs_status timers_load(
	const struct runtime *rt, const struct scheduler *scheduler, struct timers *ret);

/** The timer at `address`; NULL where it is in no heap. */
const struct timer *timers_find(const struct timers *timers, target_addr address);

/** The next timer to fire that was given `argument`: a channel's; NULL where there is none. */
const struct timer *timers_find_argument(const struct timers *timers, target_addr argument);

/**
 * When the sleeping goroutine `g` has asked to be woken (runtime clock); 0 where it does not sleep
 * or that cannot be read. A timer lies in the heap, or is not there any more: it fires just now.
 */
int64_t timers_wake_time(const struct runtime *rt, const struct goroutine *g);

#endif
