// gc: the collector's phase, pacer, pauses and what it still has to do.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"

static void write_limits(struct json_writer *w, const struct gc_state *gc)
{
	jsonw_key(w, "percent"); // GOGC; null: off
	if (gc->percent < 0)
		jsonw_null(w);
	else
		jsonw_i64(w, gc->percent);
	jsonw_key(w, "memory_limit"); // GOMEMLIMIT; null: none
	if (gc->memory_limit == INT64_MAX)
		jsonw_null(w);
	else
		jsonw_i64(w, gc->memory_limit);
	jsonw_member_bool(w, "limited_by_memory_limit", gc->is_limited);
}

static void write_pauses(struct json_writer *w, const struct gc_state *gc)
{
	jsonw_member_u64(w, "pause_total_ns", gc->pause_total_ns);
	jsonw_key(w, "last_pauses_ns");
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < gc->pause_count; i++)
		jsonw_u64(w, gc->pauses_ns[i]);
	jsonw_end_array(w);
	jsonw_key(w, "last_pause_ends_unix_ns");
	jsonw_begin_array(w);
	for (uint32_t i = 0; i < gc->pause_count; i++)
		jsonw_i64(w, gc->ends_unix[i]);
	jsonw_end_array(w);
}

/** What a running cycle has done, and what the last one has left to sweep. */
static void write_progress(struct json_writer *w, const struct gc_state *gc)
{
	jsonw_key(w, "mark");
	if (gc->phase) {
		jsonw_begin_object(w);
		jsonw_member_u64(w, "roots", gc->roots);
		jsonw_member_u64(w, "roots_done",
			gc->roots_done < gc->roots ? gc->roots_done : gc->roots);
		jsonw_member_u64(w, "workers", gc->workers);
		jsonw_member_u64(w, "idle_workers", gc->idle_workers);
		jsonw_member_u64(w, "bytes_marked", gc->bytes_marked);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
	jsonw_key(w, "sweep");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "pages_swept", gc->pages_swept);
	jsonw_member_u64(w, "pages_in_use", gc->pages_in_use);
	jsonw_end_object(w);
}

static void write_assists(struct json_writer *w, const struct gc_state *gc)
{
	jsonw_key(w, "assist");
	jsonw_begin_object(w);
	jsonw_member_i64(w, "credit", gc->scan_credit);
	json_member_double(w, "work_per_byte", gc->assist_ratio);
	jsonw_member_i64(w, "time_ns", gc->assist_time_ns);
	jsonw_end_object(w);
}

static void write_queues(struct json_writer *w, const struct finalizer_queues *queues)
{
	jsonw_key(w, "finalizers_queued");
	if (queues->has_finalizers)
		jsonw_u64(w, queues->finalizers);
	else
		jsonw_null(w);
	jsonw_key(w, "cleanups_queued"); // null: the release runs them as finalizers
	if (queues->has_cleanups)
		jsonw_u64(w, queues->cleanups);
	else
		jsonw_null(w);
	jsonw_key(w, "cleanups_running");
	if (queues->has_cleanups)
		jsonw_u64(w, queues->cleanups_running);
	else
		jsonw_null(w);
}

void json_write_gc(struct json_writer *w, const struct analysis *analysis)
{
	const struct gc_state *gc = &analysis->gc;

	jsonw_newline(w);
	jsonw_key(w, "gc");
	if (!analysis->rt || !gc->is_known) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_string(w, "phase", gc_phase_name(gc->phase));
	jsonw_member_u64(w, "cycles", gc->cycles);
	jsonw_member_u64(w, "forced_cycles", gc->forced_cycles);
	jsonw_member_u64(w, "heap_live", gc->heap_live);
	jsonw_member_u64(w, "heap_marked", gc->heap_marked);
	jsonw_member_u64(w, "heap_goal", gc->heap_goal);
	jsonw_member_u64(w, "heap_minimum", gc->heap_minimum);
	jsonw_member_u64(w, "trigger", gc->trigger);
	write_limits(w, gc);
	write_pauses(w, gc);
	json_member_ns(w, "since_last_ns",
		gc->last_end && analysis->clock.now >= gc->last_end
			? analysis->clock.now - gc->last_end
			: -1);
	write_assists(w, gc);
	write_progress(w, gc);
	write_queues(w, &analysis->finalizers);
	jsonw_end_object(w);
}
