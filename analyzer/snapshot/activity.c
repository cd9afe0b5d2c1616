#include "analyzer/snapshot/activity.h"

#include "analyzer/snapshot/analysis.h"

#include <string.h>

/** Whether one of the functions stands in the stack; the list ends with NULL. */
static bool has_function(
	const struct analysis *analysis, uint32_t stack, const char *const *functions)
{
	const struct stack *found;

	if (stack == NO_STACK)
		return false;
	found = &analysis->stacks.stacks[stack];
	for (uint32_t i = 0; i < found->count; i++) {
		const struct code_place *place = &analysis->frames.places[found->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const char *name =
				analysis->frames.frames[place->first_frame + k].function;

			for (const char *const *wanted = functions; name && *wanted; wanted++)
				if (!strcmp(name, *wanted))
					return true;
		}
	}
	return false;
}

static bool is_monitor(const struct analysis *analysis, const struct machine *m)
{
	struct pcln_func func;

	return m->start_function &&
	       modules_find_function(analysis->rt, m->start_function, &func) &&
	       !strcmp(func.name, "runtime.sysmon");
}

static struct activity of_goroutine(
	const struct analysis *analysis, const struct machine *m, const struct goroutine *g)
{
	const struct processor *p = scheduler_processor_at(&analysis->scheduler, m->p);
	int64_t since = g->status == GOROUTINE_SYSCALL
				? scheduler_syscall_since(&analysis->scheduler, m)
				: 0;

	if (m->is_in_cgo)
		return (struct activity){"c", since};
	if (g->status == GOROUTINE_SYSCALL)
		return (struct activity){"syscall", since};
	return (struct activity){"running", p ? scheduler_running_since(p) : 0};
}

/** Of a thread that has no goroutine. */
static struct activity of_idle(
	const struct analysis *analysis, const struct machine *m, uint32_t stack)
{
	static const char *const polls[] = {"runtime.netpoll", NULL};
	static const char *const stops[] = {"runtime.gcstopm", NULL};
	const char *state = "other";

	if (has_function(analysis, stack, stops))
		state = "stopped";
	else if (m->is_blocked && m->locked_g)
		state = "locked";
	else if (m->is_blocked)
		state = "parked";
	else if (has_function(analysis, stack, polls))
		state = "polling";
	else if (m->is_spinning)
		state = "spinning";
	else if (m->p)
		state = "scheduling";
	else if (m->is_extra)
		state = "foreign";
	return (struct activity){state, 0};
}

struct activity activity_of(const struct analysis *analysis, const struct thread_state *state)
{
	const struct machine *m = state ? state->machine : NULL;
	const struct goroutine *g = m ? goroutines_find(&analysis->goroutines, m->curg) : NULL;

	if (!m)
		return (struct activity){"foreign", 0};
	if (m->dying)
		return (struct activity){"dying", 0};
	if (is_monitor(analysis, m))
		return (struct activity){"monitor", 0};
	if (g && activity_stops_world(analysis, (size_t)(g - analysis->goroutines.list)))
		return (struct activity){"stopping", 0};
	if (g && (g->status == GOROUTINE_RUNNING || g->status == GOROUTINE_SYSCALL))
		return of_goroutine(analysis, m, g);
	return of_idle(analysis, m, state->stack);
}

bool activity_stops_world(const struct analysis *analysis, size_t index)
{
	// Frames of goroutines that have asked for it and not got it yet; what they go on to do then
	// runs while the world stands still (proc.go stopTheWorld, mgc.go gcStart, gcMarkDone).
	static const char *const functions[] = {"runtime.stopTheWorld", "runtime.stopTheWorldGC",
		"runtime.stopTheWorldWithSema", "runtime.gcStart", "runtime.gcMarkDone", NULL};
	const struct scheduler *s = &analysis->scheduler;
	const struct goroutine *g = &analysis->goroutines.list[index];

	if (!s->is_stopping || !g->m ||
		!has_function(analysis, analysis->rows[index].stack, functions))
		return false;
	return g->status == GOROUTINE_WAITING || g->status == GOROUTINE_RUNNING;
}
