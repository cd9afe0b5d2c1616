// The scheduler's threads (m), processors (p) and queues, runtime/runtime2.go and runtime/proc.go.
#ifndef CORESNAP_ANALYZER_RUNTIME_MACHINE_H
#define CORESNAP_ANALYZER_RUNTIME_MACHINE_H

#include "analyzer/runtime/goroutine.h"
#include "analyzer/runtime/runtime.h"

#define MAX_UNSTOPPED 8 // threads that are named

/** A runtime.m. */
struct machine {
	target_addr address;
	int64_t id;
	uint64_t thread_id; // kernel thread id (procid); 0 for one that has no thread yet
	target_addr g0, gsignal, curg, locked_g;
	target_addr caught_signal; // the g that the fatal signal hit; 0: none
	target_addr p;
	target_addr old_p;     // which it had when it entered its system call
	uint32_t syscall_tick; // of old_p then
	int64_t lock_wait_ns;  // that it has waited for locks of the runtime, since 1.22
	target_addr start_function; // of a thread with a task of its own: sysmon
	target_addr vdso_pc, vdso_sp; // set while Go code is inside a vDSO call
	int32_t throwing, dying;
	bool is_spinning, is_blocked, is_in_cgo, is_extra;
	target_addr g0_lo, g0_hi, gsignal_lo, gsignal_hi; // stack bounds; 0 where unreadable
};

/** p.status; go1.26 no longer uses 2. */
enum processor_status {
	PROCESSOR_IDLE,
	PROCESSOR_RUNNING,
	PROCESSOR_SYSCALL,
	PROCESSOR_GC_STOP,
	PROCESSOR_DEAD,
};

/** A runtime.p. */
struct processor {
	target_addr address;
	int32_t id;
	uint32_t status; // enum processor_status
	uint32_t schedule_tick, syscall_tick;
	// What sysmon saw when it last looked (proc.go retake), and when that had become so at most.
	uint32_t seen_schedule_tick, seen_syscall_tick;
	int64_t schedule_when, syscall_when, gc_stop_time; // runtime clock; 0 where not set
	target_addr mcache;                                // 0: none
	target_addr timers;                                // where its p.timers lies
	uint64_t cleanups_queued;                          // by it, since 1.25
	uint64_t goroutines_created;                       // by it, since 1.26
	target_addr m;
	target_addr frozen;       // g that the crash's freeze took off it, where that is known; or 0
	target_addr run_next;     // g, or 0; as it was before the freeze
	const target_addr *queue; // g's in the order in which they will run
	uint32_t queue_count;
};

struct scheduler {
	struct machine *machines;
	size_t machine_count;
	bool is_incomplete;                                    // of the machines some are missing
	struct u64map machines_by_address, machines_by_thread; // to their index
	struct processor *processors;
	size_t processor_count;              // len(allp), which may be more than gomaxprocs
	struct u64map processors_by_address; // to their index
	int32_t gomaxprocs;
	target_addr *global_queue; // g's, first to run first, without those that the freeze added
	size_t global_count;       // how many could be followed
	uint64_t global_total;     // what the scheduler says, likewise
	target_addr *frozen;       // g's that the freeze took off processors and put there
	size_t frozen_count;
	// Threads that a stop of the world waits for, or the freeze; the first of them.
	const struct machine *unstopped[MAX_UNSTOPPED];
	size_t unstopped_count;
	struct u64map queued; // g to its place in a run queue, scheduler_place
	int32_t cpus;               // that the process could use when it began; 0: not known
	int is_custom_maxprocs;     // set by the program or its environment; -1: not known, until 1.24
	int64_t mutex_wait_ns;      // of all sync.Mutex so far, and of locks of threads that are gone
	bool has_mutex_wait;        // since 1.20
	uint64_t goroutines_created; // so far
	bool has_created;           // since 1.26, which counts system goroutines as any others
	int64_t poll_until;         // when the thread in netpoll will wake up; 0: none
	int32_t stop_wait;          // processors that are still to stop
	uint64_t threads, idle_threads, idle_locked_threads, system_threads;
	uint64_t idle_processors, spinning_threads, system_goroutines;
	bool is_stopping;                   // sched.gcwaiting
	bool is_frozen;                     // freezetheworld has run
	int64_t last_poll, procresize_time; // runtime clock; 0 where not set
};

/** Reads everything. Parts that are unreadable stay empty and are said in `diag`. */
CS_MUST_USE enum cs_status scheduler_load(const struct runtime *rt, struct scheduler *ret);

/** The machine of kernel thread `thread_id`, or at address `m`; NULL where there is none. */
const struct machine *scheduler_machine_of_thread(const struct scheduler *s, uint64_t thread_id);
const struct machine *scheduler_machine_at(const struct scheduler *s, target_addr m);

/** The processor at `address`; NULL where there is none. */
const struct processor *scheduler_processor_at(const struct scheduler *s, target_addr address);

/** "idle", "running", "syscall", "gcstop", "dead" (the runtime's own names), or "unknown". */
const char *processor_status_name(uint32_t status);

/** Where a goroutine stands in line. */
struct queue_place {
	const struct processor *processor; // NULL: the global queue
	uint64_t position;                 // 1: the next to run
};

/** The place of g in the run queues; false where it is in none. After scheduler_undo_freeze. */
bool scheduler_place(const struct scheduler *s, target_addr g, struct queue_place *ret);

/**
 * Since when, on the runtime's clock, machine `m` is in its system call at least: sysmon stamps that
 * when it sees one for the first time (proc.go retake). 0 where sysmon has not seen this one, or the
 * processor has been in another one since.
 */
int64_t scheduler_syscall_since(const struct scheduler *s, const struct machine *m);

/** Since when `p` has run the goroutine that it runs, likewise; 0 where sysmon has not seen it. */
int64_t scheduler_running_since(const struct processor *p);

/**
 * Marks the goroutines that freezetheworld took off their processors (runnable, preempted, at the
 * tail of the global queue or since 1.26 in runnext, at most as many as there are processors that it
 * stopped), and takes them out of the queues again. Which of several processors one of the global
 * queue was on is not kept anywhere. Since 1.26 the goroutine that stood in runnext before went to
 * the tail of its processor's queue, where it cannot be told from the others.
 */
CS_MUST_USE enum cs_status scheduler_undo_freeze(
	const struct runtime *rt, struct scheduler *s, struct goroutines *all);

#endif
