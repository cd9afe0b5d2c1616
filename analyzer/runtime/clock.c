#include "analyzer/runtime/clock.h"

#include <string.h>

static void at_least(int64_t *now, int64_t stamp)
{
	if (stamp > *now)
		*now = stamp;
}

/**
 * When a goroutine that is not asleep any more had to be woken (runtime/time.go timeSleep): since
 * 1.23 it keeps that itself, until 1.22 its timer does; 0 where it has not slept.
 */
static int64_t woken(const struct runtime *rt, const struct goroutine *g)
{
	const char *reason = goroutine_wait_reason(rt, g);
	uint64_t when = 0;

	if ((reason && !strncmp(reason, "sleep", 5)) || g->bubble)
		return 0;
	if (layout_has(&rt->layout, G_SLEEP_WHEN))
		return g->sleep_when;
	if (g->timer)
		runtime_read_at(rt, g->timer, TIMER_WHEN, &when);
	return (int64_t)when;
}

void clock_see_timers(struct clock *clock, const struct timers *timers)
{
	// A ticker is set anew when it fires, for a period later.
	for (size_t i = 0; i < timers->count; i++)
		if (timers->list[i].period > 0)
			at_least(&clock->now, timers->list[i].when - timers->list[i].period);
}

struct clock clock_load(const struct runtime *rt, const struct scheduler *scheduler,
	const struct goroutines *all, const struct gc_state *gc)
{
	struct clock clock = {0};
	uint64_t started = 0;

	runtime_read_variable(rt, VAR_RUNTIME_INIT_TIME, &started);
	at_least(&clock.now, (int64_t)started);
	at_least(&clock.now, scheduler->last_poll);
	at_least(&clock.now, scheduler->procresize_time);
	for (size_t i = 0; i < scheduler->processor_count; i++) {
		at_least(&clock.now, scheduler->processors[i].schedule_when);
		at_least(&clock.now, scheduler->processors[i].syscall_when);
		at_least(&clock.now, scheduler->processors[i].gc_stop_time);
	}
	for (size_t i = 0; i < all->count; i++) {
		at_least(&clock.now, all->list[i].tracking_stamp);
		at_least(&clock.now, woken(rt, &all->list[i]));
	}
	at_least(&clock.now, gc->last_start);
	at_least(&clock.now, gc->last_mark_end);
	at_least(&clock.now, gc->last_end);
	// The ends are kept on the wall clock; the newest is known on both.
	for (uint32_t i = 0; i < gc->pause_count; i++)
		clock.previous_ends[clock.previous_count++] =
			(int64_t)((uint64_t)gc->last_end - (uint64_t)gc->last_end_unix +
				  (uint64_t)gc->ends_unix[i]); // garbage may wrap
	return clock;
}

/**
 * The end of the cycle that stamped with `stamp`: the second end that is not before it, for the
 * first is the stamp's own. While that cycle still marks, now.
 */
static int64_t end_of_finding_cycle(const struct clock *clock, int64_t stamp)
{
	int64_t first = clock->now, second = clock->now;

	for (uint32_t i = 0; i < clock->previous_count && clock->previous_ends[i] >= stamp; i++) {
		second = first;
		first = clock->previous_ends[i];
	}
	return second;
}

struct wait_time clock_wait(const struct clock *clock, const struct goroutine *g)
{
	struct wait_time wait = {.best = -1, .min = -1, .max = -1};

	if (g->status != GOROUTINE_WAITING && g->status != GOROUTINE_SYSCALL &&
		g->status != GOROUTINE_LEAKED)
		return wait;
	if (g->wait_since <= 0 || g->wait_since > clock->now)
		return wait;
	wait.is_from_gc = true;
	wait.best = clock->now - g->wait_since;
	wait.min = clock->now - end_of_finding_cycle(clock, g->wait_since);
	return wait;
}
