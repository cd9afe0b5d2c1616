#include "analyzer/runtime/gc.h"

#include <string.h>

// mgcpacer.go heapGoalInternal: the goal lies at least this far above the trigger.
#define MIN_RUNWAY (64u << 10)

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
	gc.heap_live = number(rt, VAR_GC_CONTROLLER, GC_HEAP_LIVE);
	gc.heap_marked = number(rt, VAR_GC_CONTROLLER, GC_HEAP_MARKED);
	gc.heap_goal = number(rt, VAR_GC_CONTROLLER, GC_HEAP_GOAL);
	gc.trigger = UINT64_MAX;
	runtime_read_field(rt, VAR_GC_CONTROLLER, GC_TRIGGERED, &gc.trigger);
	if (gc.trigger != UINT64_MAX && gc.heap_goal < gc.trigger + MIN_RUNWAY && gc.heap_goal)
		gc.heap_goal = gc.trigger + MIN_RUNWAY;
	gc.percent = (int32_t)number(rt, VAR_GC_CONTROLLER, GC_PERCENT);
	gc.memory_limit = layout_has(&rt->layout, GC_MEMORY_LIMIT)
				  ? (int64_t)number(rt, VAR_GC_CONTROLLER, GC_MEMORY_LIMIT)
				  : INT64_MAX;
	gc.last_start = (int64_t)number(rt, VAR_WORK, WORK_TSTART);
	gc.last_mark_end = (int64_t)number(rt, VAR_WORK, WORK_TMARK_TERM);
	load_pauses(rt, &gc);
	return gc;
}
