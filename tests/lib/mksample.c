// mkruntime_sample: one process with a row of every kind.
#include "tests/lib/mkruntime.h"

#include <string.h>

#define REASON_RECEIVE 1
#define REASON_SELECT 2
#define REASON_LOCK 3
#define UCONTEXT_RSP 160
#define UCONTEXT_RIP 168
#define UCONTEXT_SIZE 304
#define NOW 1000000000000

static target_addr parked(struct mkruntime *m, uint64_t id, uint64_t reason)
{
	static const char *const names[] = {
		"runtime.gopark", "runtime.chanrecv1", "main.worker", "runtime.goexit", NULL};
	target_addr g = mkruntime_g(m, id, GOROUTINE_WAITING);

	mkruntime_set(m, g, G_WAIT_REASON, reason);
	mkruntime_set(m, g, G_PARENT_ID, 1);
	mkruntime_set(m, g, G_GO_PC, mkruntime_pc("main.main"));
	mkruntime_set(m, g, G_WAIT_SINCE, NOW - 120000000000);
	mkruntime_stack(m, g, names);
	return g;
}

static target_addr sudog(struct mkruntime *m, target_addr g, target_addr channel, bool is_select)
{
	target_addr at = mkruntime_object(m, SUDOG_G);

	mkruntime_set(m, at, SUDOG_G, g);
	mkruntime_set(m, at, SUDOG_C, channel);
	mkruntime_set(m, at, SUDOG_IS_SELECT, is_select);
	return at;
}

static void add_waiting(struct mkruntime *m)
{
	target_addr channel = mkruntime_object(m, HCHAN_COUNT);
	target_addr receiver = parked(m, 2, REASON_RECEIVE),
		    selecting = parked(m, 3, REASON_SELECT);
	target_addr locking = parked(m, 4, REASON_LOCK);
	target_addr one = sudog(m, receiver, channel, false);
	target_addr first = sudog(m, selecting, channel, true);
	target_addr second = sudog(m, selecting, channel, true);
	target_addr lock = sudog(m, locking, 0, false);
	target_addr set = mkruntime_alloc(m, 64), pairs = mkruntime_alloc(m, 64);

	mkruntime_set(m, receiver, G_WAITING, one);
	mkruntime_set(m, selecting, G_WAITING, first);
	mkruntime_set(m, first, SUDOG_WAIT_LINK, second);
	mkruntime_set(m, channel, HCHAN_RECEIVE_QUEUE, one);
	mkruntime_set(m, one, SUDOG_NEXT, first);
	mkruntime_set(m, channel, HCHAN_SEND_QUEUE, second);
	mkruntime_set(m, lock, SUDOG_ELEM, channel + 4);
	mkruntime_word(m, mkruntime_variable(m, VAR_SEMTABLE) + 8, lock);
	mkruntime_string(m, pairs, "request");
	mkruntime_string(m, pairs + 16, "42");
	mkruntime_string(m, pairs + 32, "token");
	mkruntime_string(m, pairs + 48, "secret-1234567890");
	mkruntime_slice(m, set + layout_value(&m->layout, LABEL_SET_LIST), pairs, 2);
	mkruntime_set(m, receiver, G_LABELS, set);
}

/** On the stack of g 1: main.main panics, and the runtime dies of it. */
static target_addr add_panicking(struct mkruntime *m)
{
	target_addr g = mkruntime_g(m, 1, GOROUTINE_RUNNING);
	target_addr panic = mkruntime_object(m, PANIC_ARG), value = mkruntime_alloc(m, 16);
	target_addr arg = panic + layout_value(&m->layout, PANIC_ARG);

	mkruntime_set(m, g, G_START_PC, mkruntime_pc("runtime.main") - 0x40);
	mkruntime_stack(m, g,
		(const char *[]){"runtime.fatalpanic", "runtime.gopanic", "main.outer", "main.main",
			"runtime.main", "runtime.goexit", NULL});
	mkruntime_string(m, value, "boom: 42");
	mkruntime_word(m, arg, mkruntime_type(m, "string", 24, 16));
	mkruntime_word(m, arg + 8, value);
	mkruntime_set(m, g, G_PANIC, panic);
	return g;
}

static uint64_t get(struct mkruntime *m, target_addr object, enum layout_id id)
{
	uint64_t value;

	memcpy(&value, mkruntime_at(m, object + layout_value(&m->layout, id)), sizeof(value));
	return value;
}

/** The thread stands in a handler on its gsignal stack; what it interrupted is g's position. */
static void add_threads(struct mkruntime *m, target_addr g)
{
	target_addr dying = mkruntime_m(m, 100), idle = mkruntime_m(m, 101);
	target_addr stack = mkruntime_alloc(m, 0x400);
	target_addr sp = stack + 0x40;
	target_addr context = sp + (target_addr)mkruntime_delta("runtime.sigtramp") + 8;

	mkruntime_word(m, context + UCONTEXT_RIP, get(m, g, G_SCHED_PC));
	mkruntime_word(m, context + UCONTEXT_RSP, get(m, g, G_SCHED_SP));
	mkruntime_word(m, context + UCONTEXT_SIZE, 6);
	m->crashing_g = g;
	m->dying_m = dying;
	m->ucontext = context;
	mkruntime_set(m, dying, M_CURG, g);
	mkruntime_set(m, dying, M_DYING, 1);
	mkruntime_set(m, g, G_M, dying);
	mkruntime_thread(m, 100, mkruntime_pc("runtime.sigtramp"), sp)->signal = 6;
	mkruntime_set(m, idle, M_BLOCKED, 1);
	mkruntime_thread(m, 101, 0x7f0000001000, 0x7f0000002000);
}

static void add_queues(struct mkruntime *m)
{
	target_addr g[4], p = mkruntime_p(m), stopped = mkruntime_p(m);
	target_addr sched = mkruntime_variable(m, VAR_SCHED);

	for (uint64_t i = 0; i < 4; i++) {
		g[i] = mkruntime_g(m, 10 + i, GOROUTINE_RUNNABLE);
		mkruntime_stack(m, g[i],
			(const char *[]){i == 3 ? "runtime.asyncPreempt2" : "runtime.goexit",
				"main.worker", "runtime.goexit", NULL});
	}
	mkruntime_word(m, p + layout_value(&m->layout, P_RUNQ) + 8 * 255, g[0]);
	mkruntime_set(m, p, P_RUNQ_HEAD, 255);
	mkruntime_set(m, p, P_RUNQ_TAIL, 256);
	mkruntime_set(m, p, P_RUN_NEXT, g[1]);
	mkruntime_set(m, stopped, P_STATUS, PROCESSOR_GC_STOP);
	mkruntime_set(m, sched, SCHED_RUNQ_HEAD, g[2]);
	mkruntime_set(m, sched, SCHED_RUNQ_SIZE, 2);
	mkruntime_set(m, g[2], G_SCHEDLINK, g[3]);
	mkruntime_set(m, sched, SCHED_GC_WAITING, 1);
	mkruntime_set(m, sched, SCHED_STOP_WAIT, 0x7ffffffe);
	mkruntime_set(m, sched, SCHED_LAST_POLL, NOW);
	mkruntime_set(m, sched, SCHED_MNEXT, 2);
}

static void add_rest(struct mkruntime *m)
{
	target_addr strings = mkruntime_alloc(m, 64), stats = mkruntime_variable(m, VAR_MEMSTATS);
	target_addr syscall = mkruntime_g(m, 20, GOROUTINE_SYSCALL);
	target_addr sweeper = mkruntime_g(m, 21, GOROUTINE_WAITING);

	mkruntime_g(m, 22, GOROUTINE_DEAD);
	mkruntime_set(m, sweeper, G_START_PC, mkruntime_pc("runtime.bgsweep"));
	mkruntime_stack(
		m, syscall, (const char *[]){"main.leaf", "main.worker", "runtime.goexit", NULL});
	mkruntime_set(m, syscall, G_SYSCALL_PC, get(m, syscall, G_SCHED_PC));
	mkruntime_set(m, syscall, G_SYSCALL_SP, get(m, syscall, G_SCHED_SP));
	mkruntime_string(m, strings, "app");
	mkruntime_string(m, strings + 16, "-x");
	mkruntime_string(m, strings + 32, "GOMAXPROCS=8");
	mkruntime_string(m, strings + 48, "SECRET=hidden");
	mkruntime_slice(m, mkruntime_variable(m, VAR_ARGS), strings, 2);
	mkruntime_slice(m, mkruntime_variable(m, VAR_ENVS), strings + 32, 2);
	mkruntime_set(m, stats, STATS_NUM_GC, 3);
	mkruntime_set(m, stats, STATS_LAST_GC_UNIX, NOW + 5000);
	mkruntime_set(m, stats, STATS_LAST_GC_NANOTIME, NOW - 50000000000);
	for (uint64_t i = 0; i < 3; i++) {
		mkruntime_word(
			m, stats + layout_value(&m->layout, STATS_PAUSE_NS) + 8 * i, 100 + i);
		mkruntime_word(m, stats + layout_value(&m->layout, STATS_PAUSE_END) + 8 * i,
			NOW + 5000 - 1000 * (2 - i));
	}
}

struct mkruntime *mkruntime_sample(void)
{
	struct mkruntime *m = mkruntime_create(0);

	add_threads(m, add_panicking(m));
	add_waiting(m);
	add_queues(m);
	add_rest(m);
	return m;
}
