// Goroutines as the runtime's g structs have them (runtime/runtime2.go), read from runtime.allgs.
#ifndef CORESNAP_ANALYZER_RUNTIME_GOROUTINE_H
#define CORESNAP_ANALYZER_RUNTIME_GOROUTINE_H

#include "analyzer/runtime/runtime.h"
#include "common/u64map.h"

/** g.atomicstatus without its scan bit; the runtime's own numbers, go1.27 runtime/runtime2.go. */
enum goroutine_status {
	GOROUTINE_IDLE = 0,
	GOROUTINE_RUNNABLE = 1,
	GOROUTINE_RUNNING = 2,
	GOROUTINE_SYSCALL = 3,
	GOROUTINE_WAITING = 4,
	GOROUTINE_DEAD = 6,
	GOROUTINE_COPYSTACK = 8,
	GOROUTINE_PREEMPTED = 9,
	GOROUTINE_LEAKED = 10,     // 1.26
	GOROUTINE_DEAD_EXTRA = 11, // 1.26: a spare g for cgo callbacks
};

#define GOROUTINE_SCAN_BIT 0x1000

struct goroutine {
	target_addr address;
	uint64_t index;         // in runtime.allgs, which only ever grows
	uint64_t id, parent_id; // parent 0: none or not known
	uint16_t status;        // enum goroutine_status, or a number that this release adds
	uint8_t wait_reason;
	bool is_system; // runtime/traceback.go isSystemGoroutine
	bool is_frozen; // was running; the crash's freezetheworld made it look runnable
	target_addr stack_lo, stack_hi;
	target_addr sched_pc, sched_sp, sched_lr;
	target_addr syscall_pc, syscall_sp;
	target_addr go_pc, start_pc;
	target_addr m, locked_m;
	target_addr panic, waiting, labels, timer;
	target_addr queue_link; // schedlink: the next in a run queue
	int64_t wait_since;     // runtime clock; 0 where no GC has marked it since it waits
	int64_t tracking_stamp; // runtime clock; 0 where not tracked
	bool is_tracked;        // tracking_stamp is of what it does now, one goroutine in eight
	int64_t sleep_when;     // runtime clock: of its newest time.Sleep, since 1.23; 0: none
	target_addr bubble;     // of testing/synctest, whose clock is not the runtime's; 0: none
	uint32_t sig;
	uint64_t sig_code0, sig_code1;
	target_addr sig_pc;
};

struct goroutines {
	struct goroutine *list; // in allgs order, without dead and unused ones
	size_t count;
	struct u64map by_address;  // g's address to its index
	struct u64map start_kinds; // start pc to what kind of goroutine begins there
};

/**
 * Reads every goroutine that is alive in the way of the runtime's own traceback (not idle, dead, or
 * a spare). A g that cannot be read or contradicts itself is left out and counted in `diag`. Fails
 * only where runtime.allgs itself is unreadable.
 */
CS_MUST_USE enum cs_status goroutines_load(const struct runtime *rt, struct goroutines *ret);

/** Reads one g struct; false where it is not readable or not a g. */
bool goroutine_load(const struct runtime *rt, target_addr address, struct goroutine *ret);

/** The goroutine whose g lies at `address`; NULL where it is none of the list. */
struct goroutine *goroutines_find(const struct goroutines *all, target_addr address);

/** "waiting", "running", …: SNAPSHOT.md's names; "unknown" for a number that no release has. */
const char *goroutine_status_name(unsigned int status);

/**
 * The wait reason as the runtime words it; NULL unless the goroutine waits (or is leaked, 1.26) for
 * a known reason.
 */
const char *goroutine_wait_reason(const struct runtime *rt, const struct goroutine *g);

#endif
