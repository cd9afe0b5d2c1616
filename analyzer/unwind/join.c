// How the pieces hang together, go1.18 to go1.27 (runtime/asm_$arch.s, runtime/cgo/asm_$arch.s;
// c_arch.h has what architectures differ in):
//
//   goroutine's stack                          thread's stack (m.g0)
//   cgocall                                      …
//     asmcgocall ── saves its g and depth ──▶    asmcgocall's two words
//                                                C, C …
//                                                crosscall2: C's registers
//   cgocallback ◀── copies its arguments ───     cgocallback
//     cgocallbackg, user's Go …
//
// m.g0.sched.sp points at the innermost cgocallback's frame, and the word there at the one before:
// a chain of the calls from C. The goroutine's own stack holds all of its Go frames in one run.
#include "analyzer/unwind/join.h"

#include "analyzer/core/arch.h"
#include "analyzer/runtime/goroutine.h"
#include "analyzer/unwind/c_arch.h"
#include "common/limits.h"

#include <string.h>

enum cs_status join_init(struct joiner *j, struct cframes *c)
{
	struct arena *arena = c->table->rt->arena;

	*j = (struct joiner){.c = c, .table = c->table, .callbacks_left = MAX_CALLBACKS};
	j->part = arena_alloc(arena, sizeof(*j->part));
	j->segment = arena_alloc(arena, sizeof(*j->segment));
	return j->part && j->segment ? CS_OK : CS_NO_MEMORY;
}

static bool is_go(struct frame_table *table, target_addr pc, bool is_exact)
{
	const char *name;

	return frame_table_is_go(table, pc, is_exact, &name);
}

static const struct code_place *last_place(const struct joiner *j, const struct walk *walk)
{
	return walk->count ? &j->table->places[walk->places[walk->count - 1]] : NULL;
}

static uint64_t read_word(const struct joiner *j, target_addr address)
{
	uint64_t word = 0;

	// 0 is no return address, goroutine or stack: what is not readable ends the walk as 0 does.
	return image_read_u64(j->table->rt->image, address, &word) == CS_OK ? word : 0;
}

/** Where the Go frame from `sp` to its end `fp` returns to. */
static target_addr read_return(const struct joiner *j, target_addr sp, target_addr fp)
{
	return read_word(j, arch_of(j->table->rt->image)->has_link_register ? sp : fp - 8);
}

/** Puts `part` behind `walk`. Where both are too long, the innermost of `part` are cut out. */
static void append(struct walk *walk, const struct walk *part)
{
	uint32_t room = MAX_FRAMES - walk->count;
	uint32_t skip = part->count > room ? part->count - room : 0;

	if (part->cut_at && skip && skip < part->cut_at)
		skip = part->cut_at; // one gap, not two
	if (!walk->cut_at && (part->cut_at || skip))
		walk->cut_at = walk->count + (skip ? 0 : part->cut_at);
	memcpy(walk->places + walk->count, part->places + skip,
		(part->count - skip) * sizeof(walk->places[0]));
	memcpy(walk->sps + walk->count, part->sps + skip,
		(part->count - skip) * sizeof(walk->sps[0]));
	walk->count += part->count - skip;
	walk->frames_total += part->frames_total;
}

/** Puts `part` before frame `at` of `walk`; false, with nothing done, where there is no room. */
static bool insert(struct walk *walk, uint32_t at, const struct walk *part)
{
	if (part->count > MAX_FRAMES - walk->count || part->cut_at)
		return false;
	memmove(walk->places + at + part->count, walk->places + at,
		(walk->count - at) * sizeof(walk->places[0]));
	memmove(walk->sps + at + part->count, walk->sps + at,
		(walk->count - at) * sizeof(walk->sps[0]));
	memcpy(walk->places + at, part->places, part->count * sizeof(walk->places[0]));
	memcpy(walk->sps + at, part->sps, part->count * sizeof(walk->sps[0]));
	walk->count += part->count;
	walk->frames_total += part->frames_total;
	if (walk->cut_at)
		walk->cut_at += part->count;
	return true;
}

static void push_one(struct joiner *j, struct walk *walk, const struct cfi_registers *at)
{
	uint32_t place = frame_table_place(j->table, at->pc, at->is_exact);

	if (place == NO_PLACE || walk->count == MAX_FRAMES)
		return;
	walk->places[walk->count] = place;
	walk->sps[walk->count++] = cfi_sp(image_arch(j->table->rt->image), at);
	walk->frames_total += j->table->places[place].frame_count;
}

static void note_end(const struct joiner *j, const struct c_stack *stack)
{
	struct diag *diag = j->table->rt->diag;

	if (stack->end == C_REACHED_GO || stack->end == C_OUTERMOST || stack->is_called_by_go)
		return;
	diag_add(diag, DIAG_INFO, "incomplete-c-frames",
		"C code could not be walked to its end (the first: at pc 0x%llx): %s",
		(unsigned long long)stack->at.pc,
		stack->end == C_UNKNOWN_PC   ? "no file was mapped there"
		: stack->end == C_NO_OBJECT  ? "its file cannot be used"
		: stack->end == C_NO_RULE    ? "its file has no call frame information for it"
		: stack->end == C_UNREADABLE ? "the stack is not in the core"
					     : "it is too long");
}

/** What crosscall2, whose frame is [sp, caller), was called by and with. */
static bool find_saved(
	const struct joiner *j, target_addr sp, target_addr caller, struct cfi_registers *ret)
{
	const struct image *image = j->table->rt->image;
	const struct c_arch *arch = c_arch_of(image);
	const struct saved_link *link = arch->saved_links;
	uint64_t value = 0;

	if (!link) {
		*ret = cfi_of_return(image_arch(image), read_return(j, sp, caller), caller);
	} else {
		while (link->pc && !cframes_has_code(j->c, read_word(j, sp + link->pc) - 1))
			link++;
		if (!link->pc)
			return false;
		*ret = cfi_of_return(image_arch(image), read_word(j, sp + link->pc), caller);
		if (image_read_u64(image, sp + link->frame, &value) == CS_OK)
			cfi_set(ret, arch->frame_pointer, value);
	}
	for (const struct saved_registers *row = arch->saved_registers; row->count; row++)
		for (int i = 0; i < row->count; i++)
			if (image_read_u64(image, sp + row->offset + 8 * (uint64_t)i, &value) ==
				CS_OK)
				cfi_set(ret, row->first + i, value);
	return true;
}

/**
 * The C code that called the cgocallback whose frame on the thread's stack begins at `s`.
 * crosscall2 has put away the registers that C wants back (abi_$arch.h).
 */
static bool find_caller(const struct joiner *j, const struct code_place *callback, target_addr s,
	struct cfi_registers *ret)
{
	target_addr fp = s + (uint64_t)callback->frame_size;
	uint32_t index = frame_table_place(j->table, read_return(j, s, fp), false);
	const struct code_place *place = index == NO_PLACE ? NULL : &j->table->places[index];

	if (!place || !place->has_frame_size || !callback->has_frame_size ||
		strcmp(j->table->frames[place->first_frame].function, "crosscall2") != 0)
		return false;
	return find_saved(j, fp, fp + (uint64_t)place->frame_size, ret);
}

/** Behind each cgocallback of `walk` the C code that called it. */
static void join_callbacks(struct joiner *j, const struct machine *m, struct walk *walk)
{
	const struct runtime *rt = j->table->rt;
	struct object g0 = {0};
	target_addr s = 0;

	for (uint32_t i = 0; i < walk->count && j->callbacks_left; i++) {
		const struct code_place *place = &j->table->places[walk->places[i]];
		struct cfi_registers caller;
		struct c_stack stack;

		if (place->role != ROLE_CALLBACK)
			continue;
		if (!g0.bytes) {
			g0 = object_load(rt, m->g0, OBJECT_G);
			s = g0.bytes ? object_get(rt, g0, G_SCHED_SP) : 0;
		}
		if ((walk->cut_at && i >= walk->cut_at) || !find_caller(j, place, s, &caller)) {
			diag_add(rt->diag, DIAG_INFO, "lost-c-frames",
				"C code that called back into Go has left no trace (a panic that "
				"goes through it clears it): its frames are missing");
			return;
		}
		stack = cframes_walk(j->c, caller, j->segment);
		note_end(j, &stack);
		if (!insert(walk, i + 1, j->segment))
			return;
		i += j->segment->count;
		j->callbacks_left--;
		s = read_word(j, s + c_arch_of(rt->image)->callback_before);
	}
}

/** One thread on its way outwards. */
struct travel {
	const struct machine *m; // NULL: none
	struct cfi_registers at; // what is known of them in Go code is pc and sp
	struct joined_thread *thread;
	struct walk *walk;
};

static void go_on(const struct joiner *j, struct travel *t, struct position position)
{
	enum image_arch arch = image_arch(j->table->rt->image);

	t->at = cfi_of_return(arch, position.pc, position.sp);
	t->at.is_exact = position.is_exact;
	cfi_set_link(arch, &t->at, position.lr);
}

/**
 * Whether sigpanic, until go1.20 put upon C code too, returns to the very instruction that failed:
 * after a call of nothing it was put in its place instead (signal_amd64.go preparePanic).
 */
static bool is_failed_instruction(const struct joiner *j, const struct machine *m, target_addr pc)
{
	struct object g0 = {0};

	if (m)
		g0 = object_load(j->table->rt, m->g0, OBJECT_G);
	return g0.bytes && object_get(j->table->rt, g0, G_SIG_PC) == pc;
}

/** Where Go code that ended at a pc of C's goes on; false where that is none. */
static bool leave_go(struct joiner *j, const struct walk *part, struct travel *t)
{
	const struct code_place *last = last_place(j, part);
	struct position below = {.pc = part->end_pc};

	if (!last)
		return false;
	if (last->role == ROLE_SIGNAL)
		return part->signal_count &&
		       cfi_of_context(j->table->rt->image, t->thread->first_context, &t->at) &&
		       !is_go(j->table, t->at.pc, true);
	if (part->end != WALK_UNKNOWN_PC || !last->has_frame_size)
		return false;
	// Called by C, as crosscall2 is, or put upon it, as sigpanic was until go1.20.
	below.sp = part->sps[part->count - 1] + (uint64_t)last->frame_size;
	if (last->role == ROLE_INJECTED) {
		const struct arch *arch = arch_of(j->table->rt->image);

		below.is_exact = is_failed_instruction(j, t->m, below.pc);
		below.lr = arch->has_link_register ? read_word(j, below.sp) : 0;
		below.sp += arch->pushed_by_inject;
	}
	go_on(j, t, below);
	return cframes_has_code(j->c, part->end_pc);
}

/** Walks Go code. True where C code goes on below it, at t->at. */
static bool travel_go(struct joiner *j, struct travel *t)
{
	enum image_arch arch = image_arch(j->table->rt->image);
	struct joined_thread *thread = t->thread;
	struct position start = {
		t->at.pc, cfi_sp(arch, &t->at), t->at.is_exact, cfi_link(arch, &t->at)};
	struct walk *part = j->part;
	bool has_more;

	walk_stack(j->table, start, part);
	for (uint32_t i = 0; i < part->signal_count; i++)
		if (thread->stop_count <= MAX_SIGNAL_FRAMES) {
			thread->contexts[thread->stop_count] = part->contexts[i];
			thread->stops[thread->stop_count++] = part->signals[i];
		}
	if (part->signal_count)
		thread->first_context = part->contexts[part->signal_count - 1];
	t->walk->end = part->end;
	t->walk->end_pc = part->end_pc;
	has_more = leave_go(j, part, t);
	if (t->m)
		join_callbacks(j, t->m, part);
	append(t->walk, part);
	return has_more;
}

static bool is_on_stack_of(const struct joiner *j, target_addr g, target_addr sp)
{
	struct object object = object_load(j->table->rt, g, OBJECT_G);

	return g && object.bytes && sp >= object_get(j->table->rt, object, G_STACK_LO) &&
	       sp < object_get(j->table->rt, object, G_STACK_HI);
}

static bool get_register(const struct cfi_registers *at, int number, uint64_t *ret)
{
	if (!(at->known >> number & 1))
		return false;
	*ret = at->value[number];
	return true;
}

/** Where a function of the table's keepers was called; false where it is none. */
static bool leave_keeper(const struct joiner *j, struct travel *t, struct position *ret)
{
	const struct code_place *place = last_place(j, t->walk);
	const char *name = place ? j->table->frames[place->first_frame].function : "";
	const struct keeper *row = c_arch_of(j->table->rt->image)->keepers;
	target_addr sp, fp;

	while (row->name && strcmp(name, row->name) != 0)
		row++;
	if (!row->name || !place->has_frame_size || !get_register(&t->at, row->sp, &sp))
		return false;
	*ret = (struct position){.sp = sp};
	if (row->pc != NO_NUMBER)
		return get_register(&t->at, row->pc, &ret->pc);
	fp = sp + (uint64_t)place->frame_size;
	*ret = (struct position){
		.pc = read_return(j, row->frame ? fp - row->frame : sp, fp), .sp = fp};
	return true;
}

/**
 * Where asmcgocall, whose place is `place`, was called: its two words on the thread's stack are the
 * goroutine and how far its stack pointer is from the stack's end; without a goroutine, 0 and the
 * stack pointer itself.
 */
static bool leave_asmcgocall(const struct joiner *j, const struct machine *m,
	const struct code_place *place, target_addr sp, struct position *ret)
{
	const struct image *image = j->table->rt->image;
	const struct entry_words *row = c_arch_of(image)->entry_words;
	bool has_link_register = arch_of(image)->has_link_register;

	for (; row->goroutine || row->depth; row++) {
		target_addr word = read_word(j, sp + row->depth);
		target_addr g = read_word(j, sp + row->goroutine);
		struct object object = object_load(j->table->rt, g, OBJECT_G);

		if (g && m && g == m->curg && object.bytes)
			word = object_get(j->table->rt, object, G_STACK_HI) - word;
		else if (g || word <= sp || word - sp > 128)
			continue;
		// Its own frame there has room for what a link register has pushed, else nothing.
		*ret = (struct position){.pc = read_word(j, word),
			.sp = word + (has_link_register ? (uint64_t)place->frame_size : 8)};
		return ret->pc;
	}
	return false;
}

static bool is_last_function(const struct joiner *j, const struct travel *t, const char *name)
{
	const struct code_place *place = last_place(j, t->walk);

	return place && !strcmp(j->table->frames[place->first_frame].function, name);
}

/** From the Go function that called C to its caller, on the stack where that is. */
static bool leave_entry(struct joiner *j, struct travel *t, struct position *ret)
{
	enum image_arch arch = image_arch(j->table->rt->image);

	push_one(j, t->walk, &t->at);
	// go1.26 calls by way of it; it has no frame of its own.
	if (is_last_function(j, t, "runtime.asmcgocall_landingpad")) {
		target_addr sp = cfi_sp(arch, &t->at);
		target_addr fp = sp + (uint64_t)last_place(j, t->walk)->frame_size;

		go_on(j, t, (struct position){.pc = read_return(j, sp, fp), .sp = fp});
		push_one(j, t->walk, &t->at);
	}
	if (is_last_function(j, t, "runtime.asmcgocall"))
		return leave_asmcgocall(j, t->m, last_place(j, t->walk), cfi_sp(arch, &t->at), ret);
	return leave_keeper(j, t, ret);
}

/**
 * Where racecall was called from C that cannot be walked (Go's linker leaves the race detector
 * without call frame information): its return address lies where it must on m.g0, and the register
 * that it keeps Go's stack pointer in has not been put away yet.
 */
static bool leave_racecall(const struct joiner *j, const struct machine *m,
	const struct cfi_registers *start, struct position *ret)
{
	struct object g0 = {0};
	struct position racecall = {0};
	int keeper = c_arch_of(j->table->rt->image)->racecall_sp;
	target_addr sp = 0;
	uint32_t place;

	if (m && keeper != NO_NUMBER)
		g0 = object_load(j->table->rt, m->g0, OBJECT_G);
	if (!g0.bytes || !get_register(start, keeper, &sp) || !is_on_stack_of(j, m->curg, sp))
		return false;
	racecall.sp = object_get(j->table->rt, g0, G_SCHED_SP) & ~UINT64_C(15);
	racecall.pc = read_word(j, racecall.sp - 8);
	place = frame_table_place(j->table, racecall.pc, false);
	if (place == NO_PLACE ||
		strcmp(j->table->frames[j->table->places[place].first_frame].function,
			"racecall") != 0)
		return false;
	*ret = (struct position){.pc = read_word(j, sp), .sp = sp + 8};
	return is_go(j->table, ret->pc, false);
}

/** Whether the goroutine on `m` is in a cgo call as the runtime sees it; `*ret` is its position. */
static bool is_in_cgo_call(const struct joiner *j, const struct machine *m, struct position *ret)
{
	struct goroutine g;

	if (!m || !m->curg || !goroutine_load(j->table->rt, m->curg, &g) ||
		g.status != GOROUTINE_SYSCALL || !g.syscall_sp)
		return false;
	*ret = (struct position){.pc = g.syscall_pc, .sp = g.syscall_sp};
	return true;
}

static void set_entry(struct travel *t, const struct cfi_registers *start, struct position resumed)
{
	t->thread->entry = (struct c_entry){true, *start, t->m->curg, resumed};
}

/** Walks C code. True where Go goes on below it, at t->at. */
static bool travel_c(struct joiner *j, struct travel *t)
{
	struct cfi_registers start = t->at;
	struct c_stack stack = cframes_walk(j->c, start, j->part);
	struct position below, syscall;
	bool has_below;

	append(t->walk, j->part);
	t->walk->end = stack.end == C_OUTERMOST ? WALK_COMPLETE : WALK_UNKNOWN_PC;
	t->walk->end_pc = stack.at.pc;
	t->at = stack.at;
	note_end(j, &stack);
	if (stack.end == C_OUTERMOST)
		return false;
	has_below = stack.end == C_REACHED_GO ? leave_entry(j, t, &below)
					      : leave_racecall(j, t->m, &start, &below);
	// However far C is known, the runtime knows whose call it was.
	if (!has_below && t->m && t->m->is_in_cgo)
		has_below = is_in_cgo_call(j, t->m, &below);
	if (!has_below && t->m && t->m->vdso_sp && start.is_exact) {
		// Inside a vDSO call the runtime has left the caller's position (os_linux,
		// vdso_linux_amd64.s).
		below = (struct position){.pc = t->m->vdso_pc, .sp = t->m->vdso_sp};
		has_below = true;
	}
	if (!has_below)
		return false;
	if (t->m && is_on_stack_of(j, t->m->curg, below.sp)) {
		set_entry(t, &start, below);
		// The runtime's own traceback starts at this place in cgocall.
		if (is_in_cgo_call(j, t->m, &syscall))
			below = syscall;
	}
	go_on(j, t, below);
	return is_go(j->table, below.pc, false);
}

void join_thread(struct joiner *j, const struct image_thread *thread, const struct machine *m,
	struct walk *walk, struct joined_thread *ret)
{
	enum image_arch arch = image_arch(j->table->rt->image);
	struct travel t = {m, cfi_of_thread(arch, &thread->regs), ret, walk};

	*ret = (struct joined_thread){.is_in_go = is_go(j->table, thread->regs.pc, true)};
	walk_begin(walk);
	ret->stops[ret->stop_count++] =
		(struct position){thread->regs.pc, thread->regs.sp, true, thread->regs.lr};
	for (uint32_t joints = 0; joints < MAX_C_JOINTS; joints++)
		if (is_go(j->table, t.at.pc, t.at.is_exact) ? !travel_go(j, &t) : !travel_c(j, &t))
			break;
}

void join_goroutine(
	struct joiner *j, const struct machine *m, const struct c_entry *entry, struct walk *walk)
{
	if (m)
		join_callbacks(j, m, walk);
	if (!entry)
		return;
	cframes_walk(j->c, entry->start, j->segment);
	*j->part = *walk;
	walk->count = j->segment->count;
	walk->cut_at = j->segment->cut_at;
	walk->frames_total = j->segment->frames_total;
	memcpy(walk->places, j->segment->places, walk->count * sizeof(walk->places[0]));
	memcpy(walk->sps, j->segment->sps, walk->count * sizeof(walk->sps[0]));
	append(walk, j->part);
}
