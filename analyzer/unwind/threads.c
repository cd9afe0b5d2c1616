#include "analyzer/unwind/threads.h"

#include <string.h>

static void load_thread(struct frame_table *table, struct stack_table *stacks, struct walk *walk,
	struct thread_state *state)
{
	const struct image_regs *regs = &state->thread->regs;
	const struct machine *m = state->machine;
	struct position start = {regs->pc, regs->sp, true};

	state->is_in_go = frame_table_place(table, start.pc, true) != NO_PLACE;
	// Inside a vDSO call the runtime has left the caller's position (os_linux,
	// vdso_linux_amd64.s).
	if (!state->is_in_go && m && m->vdso_sp)
		start = (struct position){m->vdso_pc, m->vdso_sp, false};
	walk_stack(table, start, walk);
	state->stack = stack_table_intern(stacks, walk);
	state->frames_total = walk->frames_total;
	state->stops[state->stop_count++] = start;
	for (uint32_t i = 0; i < walk->signal_count; i++) {
		state->contexts[state->stop_count] = walk->contexts[i];
		state->stops[state->stop_count++] = walk->signals[i];
	}
	if (walk->signal_count)
		state->first_context = walk->contexts[walk->signal_count - 1];
}

enum cs_status thread_states_load(struct frame_table *table, struct stack_table *stacks,
	const struct scheduler *scheduler, struct thread_states *ret)
{
	const struct runtime *rt = table->rt;
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
		load_thread(table, stacks, walk, state);
		if (!state->is_in_go && state->stop_count == 1)
			diag_add(rt->diag, DIAG_INFO, "c-frames",
				"threads stood in code that is not Go's; its frames are not shown");
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
	const struct machine *m = state->machine;

	for (uint32_t i = state->stop_count; i-- > 0;)
		if (is_on_stack(g, state->stops[i].sp)) {
			*ret = state->stops[i];
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
	if (g->status == GOROUTINE_RUNNING && g->syscall_sp) {
		// exitsyscall: running already, its position still the system call's (1.26).
		*ret = (struct position){g->syscall_pc, g->syscall_sp, false};
		return true;
	}
	*ret = (struct position){g->sched_pc, g->sched_sp, false};
	return g->status != GOROUTINE_RUNNING;
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
