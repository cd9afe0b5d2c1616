// threads, scheduler.
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/registers.h"
#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

static void member_id_of(
	struct json_writer *w, const char *key, const struct analysis *analysis, target_addr g)
{
	const struct goroutine *found = goroutines_find(&analysis->goroutines, g);

	jsonw_key(w, key);
	if (found && found->id)
		jsonw_u64(w, found->id);
	else
		jsonw_null(w);
}

static void write_thread(struct json_writer *w, const struct analysis *analysis, size_t index)
{
	const struct image_thread *thread = &image_notes(analysis->image)->threads[index];
	const struct thread_state *state =
		index < analysis->threads.count ? &analysis->threads.list[index] : NULL;

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_u64(w, "id", thread->id);
	member_id_of(w, "goroutine", analysis, state && state->machine ? state->machine->curg : 0);
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
	member_id_of(w, "goroutine", analysis, address);
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

static void write_processor(
	struct json_writer *w, const struct analysis *analysis, const struct processor *p)
{
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, p->m);

	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_i64(w, "id", p->id);
	jsonw_member_string(w, "status", processor_status_name(p->status));
	json_member_index(w, "thread", m && m->thread_id ? (uint32_t)m->thread_id : UINT32_MAX);
	member_id_of(w, "goroutine", analysis, m ? m->curg : 0);
	jsonw_member_u64(w, "schedule_tick", p->schedule_tick);
	jsonw_member_u64(w, "syscall_tick", p->syscall_tick);
	jsonw_key(w, "run_next");
	if (p->run_next)
		write_ref(w, analysis, p->run_next);
	else
		jsonw_null(w);
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
	jsonw_end_object(w);
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
	write_statistics(w, analysis);
	write_queue(w, analysis, "global_queue", s->global_queue, s->global_count);
	jsonw_member_u64(w, "global_queue_total", s->global_total);
	jsonw_key(w, "processors");
	jsonw_begin_array(w);
	for (size_t i = 0; i < s->processor_count; i++)
		write_processor(w, analysis, &s->processors[i]);
	jsonw_end_array(w);
	jsonw_end_object(w);
}
