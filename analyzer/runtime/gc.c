#include "analyzer/runtime/gc.h"

#include <string.h>

// mgcpacer.go, in every release that has them.
#define MIN_RUNWAY (64u << 10)       // heapGoalInternal: the goal lies so far above `triggered`
#define DEFAULT_HEAP_MINIMUM (4u << 20)
#define LIMIT_HEADROOM (1u << 20)    // memoryLimitHeapGoal: the limit's goal keeps so much free
#define LIMIT_HEADROOM_PERCENT 3     // and since 1.21 this share of it
#define TRIGGER_DENOMINATOR 64
#define MIN_TRIGGER_NUMERATOR 45
#define MAX_TRIGGER_NUMERATOR 61

const char *gc_phase_name(uint32_t phase)
{
	static const char *const names[] = {"off", "mark", "mark termination"};

	return phase < sizeof(names) / sizeof(names[0]) ? names[phase] : "unknown";
}

static uint64_t number(const struct runtime *rt, enum layout_id variable, enum layout_id id)
{
	uint64_t value = 0;

	runtime_read_field(rt, variable, id, &value);
	return value;
}

/** The rings are indexed by (numgc + 255) % 256 for the newest. */
static void load_pauses(const struct runtime *rt, struct gc_state *gc)
{
	target_addr pauses = runtime_field_address(rt, VAR_MEMSTATS, STATS_PAUSE_NS);
	target_addr ends = runtime_field_address(rt, VAR_MEMSTATS, STATS_PAUSE_END);
	uint64_t ring[GC_PAUSES], end_ring[GC_PAUSES];

	if (layout_size(&rt->layout, STATS_PAUSE_NS) != sizeof(ring) ||
		image_read(rt->image, pauses, ring, sizeof(ring)) != CS_OK ||
		image_read(rt->image, ends, end_ring, sizeof(end_ring)) != CS_OK)
		return;
	gc->pause_count = gc->cycles < GC_PAUSES ? (uint32_t)gc->cycles : GC_PAUSES;
	for (uint32_t i = 0; i < gc->pause_count; i++) {
		uint64_t slot = (gc->cycles - 1 - i) % GC_PAUSES;

		gc->pauses_ns[i] = ring[slot];
		gc->ends_unix[i] = (int64_t)end_ring[slot];
	}
}

static uint64_t pacer(const struct runtime *rt, enum layout_id id)
{
	return number(rt, VAR_GC_CONTROLLER, id);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/** mgcpacer.go memoryLimitHeapGoal; UINT64_MAX where the release has no limit (until 1.18). */
static uint64_t limit_goal(const struct runtime *rt, const struct gc_state *gc)
{
	uint64_t limit = (uint64_t)gc->memory_limit, headroom = LIMIT_HEADROOM;
	uint64_t ready = pacer(rt, GC_MAPPED_READY), goal;
	uint64_t used = pacer(rt, GC_HEAP_FREE) + pacer(rt, GC_TOTAL_ALLOC) -
			pacer(rt, GC_TOTAL_FREE);
	uint64_t other = ready > used ? ready - used : 0;
	uint64_t overage = ready > limit ? ready - limit : 0;

	if (!layout_has(&rt->layout, GC_MAPPED_READY) || gc->memory_limit < 0)
		return UINT64_MAX;
	if (other + overage >= limit)
		return gc->heap_marked;
	goal = limit - (other + overage);
	// The share came with 1.21, as did the field by which that release is known.
	if (layout_has(&rt->layout, G_PARENT_ID))
		headroom = larger(headroom, goal / 100 * LIMIT_HEADROOM_PERCENT);
	goal = goal < headroom || goal - headroom < headroom ? headroom : goal - headroom;
	return larger(goal, gc->heap_marked);
}

/** mgcpacer.go heapGoalInternal. */
static void load_goal(const struct runtime *rt, struct gc_state *gc, uint64_t *min_trigger)
{
	uint64_t by_limit = limit_goal(rt, gc), sweep_trigger = pacer(rt, GC_SWEEP_TRIGGER);

	gc->heap_goal = pacer(rt, GC_HEAP_GOAL);
	gc->is_limited = by_limit < gc->heap_goal;
	*min_trigger = 0;
	if (gc->is_limited) {
		gc->heap_goal = by_limit;
		return;
	}
	gc->heap_goal = larger(gc->heap_goal, sweep_trigger);
	*min_trigger = sweep_trigger;
	if (gc->triggered != UINT64_MAX && gc->heap_goal < gc->triggered + MIN_RUNWAY)
		gc->heap_goal = gc->triggered + MIN_RUNWAY;
}

/** mgcpacer.go trigger. */
static uint64_t next_trigger(const struct runtime *rt, const struct gc_state *gc, uint64_t least)
{
	uint64_t goal = gc->heap_goal, marked = gc->heap_marked, part, most, trigger;
	uint64_t runway = pacer(rt, GC_RUNWAY);

	if (layout_has(&rt->layout, GC_TRIGGER_OLD))
		return pacer(rt, GC_TRIGGER_OLD);
	if (marked >= goal)
		return goal;
	part = (goal - marked) / TRIGGER_DENOMINATOR;
	least = larger(larger(least, marked), part * MIN_TRIGGER_NUMERATOR + marked);
	most = part * MAX_TRIGGER_NUMERATOR + marked;
	if (goal > DEFAULT_HEAP_MINIMUM)
		most = larger(most, goal - DEFAULT_HEAP_MINIMUM);
	most = larger(most, least);
	trigger = larger(runway > goal ? least : goal - runway, least);
	return trigger < most ? trigger : most;
}

static void load_pacer(const struct runtime *rt, struct gc_state *gc)
{
	uint64_t least, ratio = pacer(rt, GC_ASSIST_RATIO);

	gc->heap_live = pacer(rt, GC_HEAP_LIVE);
	gc->heap_marked = pacer(rt, GC_HEAP_MARKED);
	gc->heap_minimum = pacer(rt, GC_HEAP_MINIMUM);
	gc->percent = (int32_t)pacer(rt, GC_PERCENT);
	gc->memory_limit = layout_has(&rt->layout, GC_MEMORY_LIMIT)
				   ? (int64_t)pacer(rt, GC_MEMORY_LIMIT)
				   : INT64_MAX;
	gc->triggered = UINT64_MAX;
	runtime_read_field(rt, VAR_GC_CONTROLLER, GC_TRIGGERED, &gc->triggered);
	load_goal(rt, gc, &least);
	gc->trigger = next_trigger(rt, gc, least);
	gc->heap_scan = pacer(rt, GC_HEAP_SCAN);
	gc->stack_scan = pacer(rt, GC_LAST_STACK_SCAN);
	gc->globals_scan = pacer(rt, GC_GLOBALS_SCAN);
	gc->scan_credit = (int64_t)pacer(rt, GC_SCAN_CREDIT);
	gc->assist_time_ns = (int64_t)pacer(rt, GC_ASSIST_TIME);
	memcpy(&gc->assist_ratio, &ratio, sizeof(ratio));
}

static void load_work(const struct runtime *rt, struct gc_state *gc)
{
	gc->last_start = (int64_t)number(rt, VAR_WORK, WORK_TSTART);
	gc->last_mark_start = (int64_t)number(rt, VAR_WORK, WORK_TMARK);
	gc->last_mark_end = (int64_t)number(rt, VAR_WORK, WORK_TMARK_TERM);
	gc->roots_done = number(rt, VAR_WORK, WORK_ROOTS_DONE);
	gc->roots = number(rt, VAR_WORK, WORK_ROOTS);
	gc->workers = number(rt, VAR_WORK, WORK_WORKERS);
	gc->idle_workers = number(rt, VAR_WORK, WORK_IDLE_WORKERS);
	gc->bytes_marked = number(rt, VAR_WORK, WORK_BYTES_MARKED);
	gc->pages_swept = number(rt, VAR_MHEAP, MHEAP_PAGES_SWEPT);
	gc->pages_in_use = number(rt, VAR_MHEAP, MHEAP_PAGES_IN_USE);
}

struct gc_state gc_load(const struct runtime *rt)
{
	struct gc_state gc = {0};
	uint64_t phase = UINT32_MAX;

	runtime_read_variable(rt, VAR_GC_PHASE, &phase);
	gc.phase = (uint32_t)phase;
	gc.is_known = runtime_read_field(rt, VAR_MEMSTATS, STATS_NUM_GC, &gc.cycles);
	if (!gc.is_known) {
		diag_add(rt->diag, DIAG_WARNING, "no-gc-state",
			"runtime.memstats is not readable: the garbage collector's state is "
			"missing");
		return gc;
	}
	gc.forced_cycles = number(rt, VAR_MEMSTATS, STATS_NUM_FORCED_GC);
	gc.pause_total_ns = number(rt, VAR_MEMSTATS, STATS_PAUSE_TOTAL);
	gc.last_end = (int64_t)number(rt, VAR_MEMSTATS, STATS_LAST_GC_NANOTIME);
	gc.last_end_unix = (int64_t)number(rt, VAR_MEMSTATS, STATS_LAST_GC_UNIX);
	load_pacer(rt, &gc);
	load_work(rt, &gc);
	load_pauses(rt, &gc);
	return gc;
}
