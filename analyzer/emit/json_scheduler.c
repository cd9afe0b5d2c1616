// threads, scheduler.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/registers.h"
#include "analyzer/snapshot/activity.h"
#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

/** A time since a stamp of the runtime's clock; null where there is no stamp. */
static void member_since(
	struct json_writer *w, const char *key, const struct analysis *analysis, int64_t since)
{
	int64_t now = analysis->clock.now;

	json_member_ns(w, key, since > 0 && since <= now ? now - since : -1);
}

/** What the thread does, for whom. */
static void write_activity(
	struct json_writer *w, const struct analysis *analysis, const struct thread_state *state)
{
	const struct machine *m = state ? state->machine : NULL;
	const struct processor *p = m ? scheduler_processor_at(&analysis->scheduler, m->p) : NULL;
	struct activity activity = {NULL, 0};

	if (analysis->rt)
		activity = activity_of(analysis, state);
	jsonw_member_string(w, "state", activity.state);
	member_since(w, "state_ns", analysis, activity.since);
	json_member_ns(w, "machine", m ? m->id : -1);
	json_member_ns(w, "processor", p ? p->id : -1);
	json_member_goroutine(w, "locked_goroutine", analysis, m ? m->locked_g : 0);
}

static void write_thread(struct json_writer *w, const struct analysis *analysis, size_t index)
{
	const struct image_thread *thread = &image_notes(analysis->image)->threads[index];
	const struct thread_state *state =
		index < analysis->threads.count ? &analysis->threads.list[index] : NULL;

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_u64(w, "id", thread->id);
	json_member_goroutine(
		w, "goroutine", analysis, state && state->machine ? state->machine->curg : 0);
	write_activity(w, analysis, state);
	json_member_index(w, "stack",
		row_number(&analysis->numbering.stacks, state ? state->stack : NO_STACK));
	jsonw_key(w, "registers");
	registers_write(w, image_arch(analysis->image), &thread->regs);
	jsonw_key(w, "signal");
	if (thread->signal)
		jsonw_i64(w, thread->signal);
	else
		jsonw_null(w);
	jsonw_end_object(w);
}

void json_write_threads(struct json_writer *w, const struct analysis *analysis)
{
	jsonw_newline(w);
	jsonw_key(w, "threads");
	jsonw_begin_array(w);
	for (size_t i = 0; i < image_notes(analysis->image)->thread_count; i++)
		write_thread(w, analysis, i);
	jsonw_end_array(w);
}

/** Ref = {"goroutine", "created_by", "start", "current"} of SNAPSHOT.md. */
static void write_ref(struct json_writer *w, const struct analysis *analysis, target_addr address)
{
	const struct row_numbers *frames = &analysis->numbering.frames;
	const struct goroutine *g = goroutines_find(&analysis->goroutines, address);
	size_t index = g ? (size_t)(g - analysis->goroutines.list) : 0;
	const struct goroutine_row *row = g ? &analysis->rows[index] : NULL;
	uint32_t current = NO_FRAME;

	if (row && row->stack != NO_STACK)
		current = analysis->frames.places[analysis->stacks.stacks[row->stack].places[0]]
				  .first_frame;
	jsonw_begin_object(w);
	json_member_goroutine(w, "goroutine", analysis, address);
	json_member_index(w, "created_by", row_number(frames, row ? row->created_by : NO_FRAME));
	jsonw_member_string(w, "start", row ? row->start : NULL);
	json_member_index(w, "current", row_number(frames, current));
	jsonw_end_object(w);
}

static void write_queue(struct json_writer *w, const struct analysis *analysis, const char *key,
	const target_addr *queue, size_t count)
{
	jsonw_key(w, key);
	jsonw_begin_array(w);
	for (size_t i = 0; i < count && i < MAX_QUEUE_WRITTEN; i++)
		write_ref(w, analysis, queue[i]);
	jsonw_end_array(w);
}

static void member_ref(
	struct json_writer *w, const char *key, const struct analysis *analysis, target_addr g)
{
	jsonw_key(w, key);
	if (g)
		write_ref(w, analysis, g);
	else
		jsonw_null(w);
}

/** How many timers are in this processor's heap, and how long until the next fires. */
static void write_timers(
	struct json_writer *w, const struct analysis *analysis, const struct processor *p)
{
	size_t index = (size_t)(p - analysis->scheduler.processors);
	const struct processor_timers *timers = &analysis->timers.of_processor[index];

	jsonw_member_u64(w, "timers", timers->count);
	jsonw_key(w, "next_timer_in_ns"); // negative: it is overdue
	if (timers->next)
		jsonw_i64(w, timers->next->when - analysis->clock.now);
	else
		jsonw_null(w);
}

/** What the crash's own freeze has changed of a processor. */
static void write_frozen(
	struct json_writer *w, const struct analysis *analysis, const struct processor *p)
{
	bool is_stopped = analysis->scheduler.is_frozen && p->status == PROCESSOR_GC_STOP;

	member_ref(w, "frozen_goroutine", analysis, p->frozen);
	jsonw_member_bool(w, "stopped_by_crash", is_stopped);
}

static void write_processor(
	struct json_writer *w, const struct analysis *analysis, const struct processor *p)
{
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, p->m);
	bool is_busy =
		p->status == PROCESSOR_RUNNING || p->status == PROCESSOR_SYSCALL || p->frozen;

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_i64(w, "id", p->id);
	jsonw_member_string(w, "status", processor_status_name(p->status));
	json_member_index(w, "thread", m && m->thread_id ? (uint32_t)m->thread_id : UINT32_MAX);
	json_member_goroutine(w, "goroutine", analysis, m ? m->curg : 0);
	jsonw_member_u64(w, "schedule_tick", p->schedule_tick);
	jsonw_member_u64(w, "syscall_tick", p->syscall_tick);
	member_since(w, "running_ns", analysis, is_busy ? scheduler_running_since(p) : 0);
	member_since(w, "syscall_ns", analysis,
		p->status == PROCESSOR_SYSCALL && p->seen_syscall_tick == p->syscall_tick
			? p->syscall_when
			: 0);
	write_timers(w, analysis, p);
	write_frozen(w, analysis, p);
	member_ref(w, "run_next", analysis, p->run_next);
	// It runs in the rest of the time slice of the goroutine that made it ready (proc.go
	// runqget).
	jsonw_member_bool(w, "run_next_shares_time_slice", p->run_next != 0);
	write_queue(w, analysis, "queue", p->queue, p->queue_count);
	jsonw_member_u64(w, "queue_total", p->queue_count);
	jsonw_end_object(w);
}

static void write_statistics(struct json_writer *w, const struct analysis *analysis)
{
	const struct scheduler *s = &analysis->scheduler;

	jsonw_key(w, "stats");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "idle_processors", s->idle_processors);
	jsonw_member_u64(w, "spinning_threads", s->spinning_threads);
	jsonw_member_u64(w, "threads", s->threads);
	jsonw_member_u64(w, "idle_threads", s->idle_threads);
	jsonw_member_u64(w, "idle_locked_threads", s->idle_locked_threads);
	jsonw_member_u64(w, "system_threads", s->system_threads);
	jsonw_member_u64(w, "goroutines", analysis->goroutines.count);
	jsonw_member_u64(w, "system_goroutines", s->system_goroutines);
	jsonw_member_bool(w, "stopping_the_world", s->is_stopping);
	jsonw_member_bool(w, "frozen", s->is_frozen);
	json_member_ns(w, "processors_to_stop",
		s->is_stopping && !s->is_frozen && s->stop_wait >= 0 ? s->stop_wait : -1);
	jsonw_end_object(w);
}

/** Who has set GOMAXPROCS: since 1.25 the runtime keeps that, and heeds a container's limit itself.
 */
static void write_limits(struct json_writer *w, const struct scheduler *s)
{
	const char *from = NULL;

	if (s->is_custom_maxprocs > 0)
		from = "program";
	else if (!s->is_custom_maxprocs && s->cpus)
		from = s->gomaxprocs < s->cpus ? "container" : "machine";
	jsonw_member_string(w, "gomaxprocs_from", from);
	jsonw_key(w, "cpus");
	if (s->cpus)
		jsonw_i64(w, s->cpus);
	else
		jsonw_null(w);
}

void json_write_scheduler(struct json_writer *w, const struct analysis *analysis)
{
	const struct scheduler *s = &analysis->scheduler;

	jsonw_newline(w);
	jsonw_key(w, "scheduler");
	if (!analysis->rt) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_i64(w, "gomaxprocs", s->gomaxprocs);
	write_limits(w, s);
	write_statistics(w, analysis);
	write_queue(w, analysis, "global_queue", s->global_queue, s->global_count);
	jsonw_member_u64(w, "global_queue_total", s->global_total);
	write_queue(w, analysis, "frozen", s->frozen, s->frozen_count);
	jsonw_key(w, "processors");
	jsonw_begin_array(w);
	for (size_t i = 0; i < s->processor_count; i++)
		write_processor(w, analysis, &s->processors[i]);
	jsonw_end_array(w);
	jsonw_end_object(w);
}
