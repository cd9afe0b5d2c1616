// memory: what runtime.ReadMemStats and runtime/metrics would have told at the crash, by their own
// names (runtime/mstats.go readmemstats_m, runtime/metrics.go initMetrics), and memory by class.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"

#define BY_SIZE 61 // len(runtime.MemStats.BySize)
#define NS_PER_SECOND 1e9

struct number {
	const char *name;
	uint64_t value;
};

static void write_numbers(struct json_writer *w, const struct number *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		jsonw_member_u64(w, numbers[i].name, numbers[i].value);
}

/** Bytes of the heap that are not in spans and not given back: what committed does not go to. */
static uint64_t heap_free(const struct heap_stats *heap)
{
	return heap->committed - heap->in_heap - heap->in_stacks - heap->in_work_bufs -
	       heap->in_pointer_bits;
}

static void write_by_size(struct json_writer *w, const struct heap_stats *heap)
{
	jsonw_key(w, "BySize");
	jsonw_begin_array(w);
	for (unsigned int i = 0; i < BY_SIZE; i++) {
		jsonw_begin_object(w);
		jsonw_member_u64(w, "Size", size_class_bytes(i));
		jsonw_member_u64(w, "Mallocs", heap->small_allocs[i]);
		jsonw_member_u64(w, "Frees", heap->small_frees[i]);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

/** PauseNs and PauseEnd: rings in which cycle n, from 1, stands at (n + 255) % 256. */
static void write_rings(struct json_writer *w, const struct gc_state *gc)
{
	static const char *const keys[] = {"PauseNs", "PauseEnd"};

	for (size_t ring = 0; ring < 2; ring++) {
		jsonw_key(w, keys[ring]);
		jsonw_begin_array(w);
		for (uint64_t slot = 0; slot < GC_PAUSES; slot++) {
			// Of the newest cycle, gc->cycles, the index in pauses_ns is 0.
			uint64_t age = (gc->cycles + GC_PAUSES - 1 - slot) % GC_PAUSES;

			if (age >= gc->pause_count)
				jsonw_u64(w, 0);
			else
				jsonw_u64(w, ring ? (uint64_t)gc->ends_unix[age]
						  : gc->pauses_ns[age]);
		}
		jsonw_end_array(w);
	}
}

static void write_mem_stats(struct json_writer *w, const struct analysis *analysis)
{
	const struct memory_stats *m = &analysis->memory;
	const struct gc_state *gc = &analysis->gc;
	const struct heap_stats *heap = &m->full;
	struct heap_totals totals = heap_totals(heap);
	uint64_t in_use = totals.allocated_bytes - totals.freed_bytes;
	uint64_t heap_sys = heap_free(heap) + heap->in_heap + heap->released;
	uint64_t work = heap->in_work_bufs + heap->in_pointer_bits;
	const struct number numbers[] = {
		{"Alloc", in_use},
		{"TotalAlloc", totals.allocated_bytes},
		{"Sys", heap_sys + heap->in_stacks + work + m->stacks_sys + m->mspan_sys +
				m->mcache_sys + m->buckhash_sys + m->gc_misc_sys + m->other_sys},
		{"Lookups", 0},
		{"Mallocs", totals.allocs + heap->tiny_allocs},
		{"Frees", totals.frees + heap->tiny_allocs},
		{"HeapAlloc", in_use},
		{"HeapSys", heap_sys},
		{"HeapIdle", heap_sys - heap->in_heap},
		{"HeapInuse", heap->in_heap},
		{"HeapReleased", heap->released},
		{"HeapObjects", totals.allocs - totals.frees},
		{"StackInuse", heap->in_stacks},
		{"StackSys", heap->in_stacks + m->stacks_sys},
		{"MSpanInuse", m->mspan_in_use},
		{"MSpanSys", m->mspan_sys},
		{"MCacheInuse", m->mcache_in_use},
		{"MCacheSys", m->mcache_sys},
		{"BuckHashSys", m->buckhash_sys},
		{"GCSys", m->gc_misc_sys + work},
		{"OtherSys", m->other_sys},
		{"NextGC", gc->heap_goal},
		{"LastGC", (uint64_t)gc->last_end_unix},
		{"PauseTotalNs", gc->pause_total_ns},
		{"NumGC", gc->cycles},
		{"NumForcedGC", gc->forced_cycles},
	};

	jsonw_key(w, "mem_stats");
	jsonw_begin_object(w);
	write_numbers(w, numbers, sizeof(numbers) / sizeof(numbers[0]));
	json_member_double(w, "GCCPUFraction", m->gc_cpu_fraction);
	jsonw_member_bool(w, "EnableGC", true);
	jsonw_member_bool(w, "DebugGC", false);
	write_rings(w, gc);
	write_by_size(w, heap);
	jsonw_end_object(w);
}

/** The runtime's CPU time by class, as of the last collection; since 1.20. */
static void write_cpu_metrics(struct json_writer *w, const struct runtime *rt)
{
	static const struct {
		const char *name;
		enum layout_id id;
	} classes[] = {
		{"/cpu/classes/gc/mark/assist:cpu-seconds", CPU_ASSIST},
		{"/cpu/classes/gc/mark/dedicated:cpu-seconds", CPU_DEDICATED},
		{"/cpu/classes/gc/mark/idle:cpu-seconds", CPU_GC_IDLE},
		{"/cpu/classes/gc/pause:cpu-seconds", CPU_GC_PAUSE},
		{"/cpu/classes/gc/total:cpu-seconds", CPU_GC_TOTAL},
		{"/cpu/classes/idle:cpu-seconds", CPU_IDLE},
		{"/cpu/classes/scavenge/assist:cpu-seconds", CPU_SCAVENGE_ASSIST},
		{"/cpu/classes/scavenge/background:cpu-seconds", CPU_SCAVENGE_BACKGROUND},
		{"/cpu/classes/scavenge/total:cpu-seconds", CPU_SCAVENGE_TOTAL},
		{"/cpu/classes/total:cpu-seconds", CPU_TOTAL},
		{"/cpu/classes/user:cpu-seconds", CPU_USER},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		uint64_t value;

		if (runtime_read_field(rt, VAR_WORK, classes[i].id, &value))
			json_member_double(
				w, classes[i].name, (double)(int64_t)value / NS_PER_SECOND);
	}
}

static void write_class_metrics(struct json_writer *w, const struct analysis *analysis)
{
	const struct memory_stats *m = &analysis->memory;
	const struct heap_stats *heap = &m->flushed;
	struct heap_totals totals = heap_totals(heap);
	uint64_t in_use = totals.allocated_bytes - totals.freed_bytes;
	const struct number numbers[] = {
		{"/memory/classes/heap/free:bytes", heap_free(heap)},
		{"/memory/classes/heap/objects:bytes", in_use},
		{"/memory/classes/heap/released:bytes", heap->released},
		{"/memory/classes/heap/stacks:bytes", heap->in_stacks},
		{"/memory/classes/heap/unused:bytes", heap->in_heap - in_use},
		{"/memory/classes/metadata/mcache/free:bytes", m->mcache_sys - m->mcache_in_use},
		{"/memory/classes/metadata/mcache/inuse:bytes", m->mcache_in_use},
		{"/memory/classes/metadata/mspan/free:bytes", m->mspan_sys - m->mspan_in_use},
		{"/memory/classes/metadata/mspan/inuse:bytes", m->mspan_in_use},
		{"/memory/classes/metadata/other:bytes",
			heap->in_work_bufs + heap->in_pointer_bits + m->gc_misc_sys},
		{"/memory/classes/os-stacks:bytes", m->stacks_sys},
		{"/memory/classes/other:bytes", m->other_sys},
		{"/memory/classes/profiling/buckets:bytes", m->buckhash_sys},
		{"/memory/classes/total:bytes",
			heap->committed + heap->released + m->stacks_sys + m->mspan_sys +
				m->mcache_sys + m->buckhash_sys + m->gc_misc_sys + m->other_sys},
	};

	write_numbers(w, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void write_gc_metrics(struct json_writer *w, const struct analysis *analysis)
{
	const struct heap_stats *heap = &analysis->memory.flushed;
	const struct gc_state *gc = &analysis->gc;
	struct heap_totals totals = heap_totals(heap);
	const struct number numbers[] = {
		{"/gc/cycles/automatic:gc-cycles", gc->cycles - gc->forced_cycles},
		{"/gc/cycles/forced:gc-cycles", gc->forced_cycles},
		{"/gc/cycles/total:gc-cycles", gc->cycles},
		{"/gc/gogc:percent", (uint64_t)gc->percent},
		{"/gc/gomemlimit:bytes", (uint64_t)gc->memory_limit},
		{"/gc/heap/allocs:bytes", totals.allocated_bytes},
		{"/gc/heap/allocs:objects", totals.allocs},
		{"/gc/heap/frees:bytes", totals.freed_bytes},
		{"/gc/heap/frees:objects", totals.frees},
		{"/gc/heap/goal:bytes", gc->heap_goal},
		{"/gc/heap/live:bytes", gc->heap_marked},
		{"/gc/heap/objects:objects", totals.allocs - totals.frees},
		{"/gc/heap/tiny/allocs:objects", heap->tiny_allocs},
		{"/gc/scan/globals:bytes", gc->globals_scan},
		{"/gc/scan/heap:bytes", gc->heap_scan},
		{"/gc/scan/stack:bytes", gc->stack_scan},
		{"/gc/scan/total:bytes", gc->globals_scan + gc->heap_scan + gc->stack_scan},
	};

	write_numbers(w, numbers, sizeof(numbers) / sizeof(numbers[0]));
	if (analysis->finalizers.has_cleanups) {
		jsonw_member_u64(w, "/gc/cleanups/executed:cleanups",
			analysis->finalizers.cleanups_executed);
		jsonw_member_u64(w, "/gc/cleanups/queued:cleanups",
			analysis->finalizers.cleanups_queued);
	}
}

static void write_scheduler_metrics(struct json_writer *w, const struct analysis *analysis)
{
	const struct scheduler *s = &analysis->scheduler;
	uint64_t goroutines = analysis->goroutines.count;
	uint64_t others = s->has_created ? 0 : s->system_goroutines;
	int64_t wait = s->mutex_wait_ns;

	jsonw_member_i64(w, "/sched/gomaxprocs:threads", s->gomaxprocs);
	jsonw_member_u64(w, "/sched/goroutines:goroutines",
		goroutines > others ? goroutines - others : 0);
	if (s->has_created)
		jsonw_member_u64(
			w, "/sched/goroutines-created:goroutines", s->goroutines_created);
	for (size_t i = 0; i < s->machine_count; i++)
		wait += s->machines[i].lock_wait_ns;
	if (s->has_mutex_wait)
		json_member_double(
			w, "/sync/mutex/wait/total:seconds", (double)wait / NS_PER_SECOND);
}

void json_write_memory(struct json_writer *w, const struct analysis *analysis)
{
	struct heap_totals totals = heap_totals(&analysis->memory.full);

	jsonw_newline(w);
	jsonw_key(w, "memory");
	if (!analysis->rt || !analysis->memory.is_known || !analysis->gc.is_known) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_u64(w, "heap_objects_total", totals.allocs - totals.frees);
	write_mem_stats(w, analysis);
	jsonw_newline(w);
	jsonw_key(w, "metrics");
	jsonw_begin_object(w);
	write_cpu_metrics(w, analysis->rt);
	write_class_metrics(w, analysis);
	write_gc_metrics(w, analysis);
	write_scheduler_metrics(w, analysis);
	jsonw_end_object(w);
	jsonw_end_object(w);
}
