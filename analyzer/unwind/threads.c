#include "analyzer/unwind/threads.h"

#include <string.h>

enum cs_status thread_states_load(struct joiner *joiner, struct stack_table *stacks,
	const struct scheduler *scheduler, struct thread_states *ret)
{
	const struct runtime *rt = joiner->table->rt;
	const struct image_notes *notes = image_notes(rt->image);
	struct walk *walk = arena_alloc(rt->arena, sizeof(*walk));

	*ret = (struct thread_states){0};
	u64map_init(&ret->by_machine, rt->arena);
	ret->list = arena_array(rt->arena, notes->thread_count, sizeof(*ret->list));
	if (!walk || !ret->list)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < notes->thread_count; i++) {
		struct thread_state *state = &ret->list[ret->count++];

		state->thread = &notes->threads[i];
		state->machine = scheduler_machine_of_thread(scheduler, state->thread->id);
		if (state->machine && !thread_states_of_machine(ret, state->machine->address) &&
			!u64map_put(&ret->by_machine, state->machine->address, i))
			return CS_NO_MEMORY;
		join_thread(joiner, state->thread, state->machine, walk, &state->way);
		state->stack = stack_table_intern(stacks, walk);
		state->frames_total = walk->frames_total;
	}
	return CS_OK;
}

const struct thread_state *thread_states_of_machine(const struct thread_states *all, target_addr m)
{
	uint64_t index;

	return u64map_get(&all->by_machine, m, &index) ? &all->list[index] : NULL;
}

static bool is_on_stack(const struct goroutine *g, target_addr sp)
{
	return sp >= g->stack_lo && sp < g->stack_hi;
}

static bool running_position(
	const struct thread_state *state, const struct goroutine *g, struct position *ret)
{
	const struct c_entry *entry = &state->way.entry;
	const struct machine *m = state->machine;

	for (uint32_t i = state->way.stop_count; i-- > 0;)
		if (is_on_stack(g, state->way.stops[i].sp)) {
			*ret = state->way.stops[i];
			return true;
		}
	// In C, from a function that keeps its place on this stack (racecall, the vdso's callers).
	if (entry->is_set && entry->goroutine == g->address && is_on_stack(g, entry->resumed.sp)) {
		*ret = entry->resumed;
		return true;
	}
	// On g0 by way of systemstack, which saves the goroutine's position
	// (gosave_systemstack_switch). C code called without it leaves an old one behind, which
	// would be a lie.
	if (m->vdso_sp && is_on_stack(g, m->vdso_sp)) {
		*ret = (struct position){m->vdso_pc, m->vdso_sp, false};
		return true;
	}
	if (!is_on_stack(g, g->sched_sp))
		return false;
	*ret = (struct position){g->sched_pc, g->sched_sp, false};
	return true;
}

bool goroutine_position(
	const struct thread_states *all, const struct goroutine *g, struct position *ret)
{
	const struct thread_state *state;

	if (g->status == GOROUTINE_SYSCALL) {
		*ret = (struct position){g->syscall_pc, g->syscall_sp, false};
		return true;
	}
	state = g->status == GOROUTINE_RUNNING ? thread_states_of_machine(all, g->m) : NULL;
	if (state && state->machine->curg == g->address)
		return running_position(state, g, ret);
	// exitsyscall: running or runnable already, its position still the system call's, as the
	// runtime itself prints it (traceback.go initAt, 1.18 to 1.27).
	if (g->syscall_sp) {
		*ret = (struct position){g->syscall_pc, g->syscall_sp, false};
		return true;
	}
	*ret = (struct position){g->sched_pc, g->sched_sp, false};
	return g->status != GOROUTINE_RUNNING;
}

const struct c_entry *goroutine_c_entry(const struct thread_states *all, const struct goroutine *g)
{
	const struct thread_state *state = NULL;

	if (g->status == GOROUTINE_RUNNING || g->status == GOROUTINE_SYSCALL)
		state = thread_states_of_machine(all, g->m);
	if (!state || !state->way.entry.is_set || state->way.entry.goroutine != g->address)
		return NULL;
	return &state->way.entry;
}

bool walk_drop_crash(const struct frame_table *table, struct walk *walk)
{
	for (uint32_t i = 0; i < walk->count && i < MAX_CRASH_FRAMES; i++)
		if (table->places[walk->places[i]].role == ROLE_CRASH) {
			walk_drop(table, walk, i + 1);
			return true;
		}
	return false;
}
