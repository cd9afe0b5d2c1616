// What the crash's own freeze of the world (runtime/proc.go freezetheworld) has changed is undone,
// and then it is noted where each goroutine stands in line.
#include "analyzer/runtime/machine.h"

#include "common/limits.h"

#include <string.h>

/** Whether a parked goroutine was preempted: gopreempt_m and asyncPreempt2 leave it so. */
static bool is_preempted(const struct runtime *rt, const struct goroutine *g)
{
	struct pcln_func func;

	return g->status == GOROUTINE_RUNNABLE && modules_find_function(rt, g->sched_pc, &func) &&
	       (!strcmp(func.name, "runtime.asyncPreempt2") ||
		       !strcmp(func.name, "runtime.gopreempt_m") ||
		       !strcmp(func.name, "runtime.asyncPreempt") ||
		       strncmp(func.name, "runtime.", 8) != 0); // stopped in its own prologue
}

/** Marks the goroutine at `address` where it was stopped while it ran; false where it was not. */
static bool mark_preempted(const struct runtime *rt, struct goroutines *all, target_addr address)
{
	struct goroutine *g = goroutines_find(all, address);

	// One that has never run cannot have been running.
	if (!g || g->sched_pc == g->start_pc || !is_preempted(rt, g))
		return false;
	g->is_frozen = true;
	return true;
}

/** Since 1.26 a goroutine that was stopped stays in its processor's runnext (proc.go goschedImpl). */
static size_t undo_processors(
	const struct runtime *rt, struct scheduler *s, struct goroutines *all)
{
	size_t others = 0;

	for (size_t i = 0; i < s->processor_count; i++) {
		struct processor *p = &s->processors[i];

		if (p->status != PROCESSOR_GC_STOP)
			continue;
		if (mark_preempted(rt, all, p->run_next)) {
			p->frozen = p->run_next;
			p->run_next = 0;
		} else {
			others++;
		}
	}
	return others;
}

/** Until 1.25 it went to the end of the global queue. */
static size_t undo_global(
	const struct runtime *rt, struct scheduler *s, struct goroutines *all, size_t stopped)
{
	size_t count = 0;

	while (count < stopped && count < s->global_count &&
		mark_preempted(rt, all, s->global_queue[s->global_count - 1 - count]))
		count++;
	s->global_count -= count;
	s->global_total = s->global_total > count ? s->global_total - count : 0;
	s->frozen = s->global_queue + s->global_count;
	s->frozen_count = count;
	return count;
}

/** The one that was stopped was on the one processor that was. */
static void assign_frozen(struct scheduler *s, size_t stopped)
{
	if (s->frozen_count != 1 || stopped != 1)
		return;
	for (size_t i = 0; i < s->processor_count; i++)
		if (s->processors[i].status == PROCESSOR_GC_STOP && !s->processors[i].frozen)
			s->processors[i].frozen = s->frozen[0];
}

#define PLACE_BITS 32 // of the position; above it the processor's index, from 1

static bool note(struct scheduler *s, target_addr g, uint64_t processor, uint64_t position)
{
	return u64map_put(&s->queued, g, processor << PLACE_BITS | position);
}

static bool note_places(struct scheduler *s)
{
	for (size_t i = 0; i < s->global_count; i++)
		if (!note(s, s->global_queue[i], 0, i + 1))
			return false;
	for (size_t i = 0; i < s->processor_count; i++) {
		const struct processor *p = &s->processors[i];
		uint64_t position = 0;

		if (p->run_next && !note(s, p->run_next, i + 1, ++position))
			return false;
		for (uint32_t k = 0; k < p->queue_count; k++)
			if (!note(s, p->queue[k], i + 1, ++position))
				return false;
	}
	return true;
}

/** Who has a processor that should have stopped, but for who died without being stopped for it. */
static void note_unstopped(struct scheduler *s)
{
	if (!s->is_stopping)
		return;
	for (size_t i = 0; i < s->processor_count && s->unstopped_count < MAX_UNSTOPPED; i++) {
		const struct processor *p = &s->processors[i];
		const struct machine *m = scheduler_machine_at(s, p->m);

		// A thread that dies of a signal may be the very one that did not stop.
		if (p->status == PROCESSOR_RUNNING && m && (!m->dying || m->caught_signal))
			s->unstopped[s->unstopped_count++] = m;
	}
}

enum cs_status scheduler_undo_freeze(
	const struct runtime *rt, struct scheduler *s, struct goroutines *all)
{
	if (s->is_frozen) {
		size_t stopped = undo_processors(rt, s, all);

		if (undo_global(rt, s, all, stopped))
			assign_frozen(s, stopped);
	}
	note_unstopped(s);
	return note_places(s) ? CS_OK : CS_NO_MEMORY;
}

bool scheduler_place(const struct scheduler *s, target_addr g, struct queue_place *ret)
{
	uint64_t place;

	if (!u64map_get(&s->queued, g, &place))
		return false;
	ret->processor =
		place >> PLACE_BITS ? &s->processors[(place >> PLACE_BITS) - 1] : NULL;
	ret->position = place & UINT32_MAX;
	return true;
}

int64_t scheduler_syscall_since(const struct scheduler *s, const struct machine *m)
{
	const struct processor *p = scheduler_processor_at(s, m->old_p);

	// The processor counts its system calls when they end.
	return p && p->seen_syscall_tick == m->syscall_tick ? p->syscall_when : 0;
}

int64_t scheduler_running_since(const struct processor *p)
{
	return p->seen_schedule_tick == p->schedule_tick ? p->schedule_when : 0;
}
