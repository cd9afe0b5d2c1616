#include "analyzer/snapshot/crash.h"

#include "analyzer/binary/binary.h"
#include "analyzer/runtime/signals.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/blame.h"
#include "common/redact/redact.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

// runtime/runtime2.go throwTypeRuntime, since 1.19
#define THROW_RUNTIME 2
#define MAP_FRAMES 4 // on top of a stack, behind being stopped

const char *crash_kind_name(enum crash_kind kind)
{
	static const char *const names[] = {"none", "panic", "fatal error", "signal", "deadlock"};

	return names[kind];
}

static const char *redacted(const struct analysis *analysis, const char *text)
{
	return text ? redact_text(analysis->arena, text, strlen(text), NULL) : NULL;
}

static void set_message(struct crash *crash, const char *text, size_t size)
{
	crash->message = text;
	crash->message_size = size;
}

static void set_message_text(struct crash *crash, const char *text)
{
	set_message(crash, text, text ? strlen(text) : 0);
}

/**
 * The m that runs the crash: startpanic_m has set dying on it. Where several threads die at once
 * each prints when its turn comes, and the last to do so dumps core (panic.go dopanic_m): the crash
 * is what was printed first.
 */
static const struct machine *find_culprit(
	const struct scheduler *s, const struct image_notes *notes)
{
	uint32_t dumper = notes->thread_count ? notes->threads[0].id : 0;
	const struct machine *throwing = NULL, *dying = NULL;

	for (size_t i = 0; i < s->machine_count; i++) {
		const struct machine *m = &s->machines[i];

		if (m->dying && (!dying || dying->thread_id == dumper))
			dying = m;
		if (m->throwing && !throwing)
			throwing = m;
	}
	return dying ? dying : throwing;
}

static size_t index_of(const struct analysis *analysis, target_addr g)
{
	const struct goroutine *found = goroutines_find(&analysis->goroutines, g);

	return found && found->id ? (size_t)(found - analysis->goroutines.list) : NO_GOROUTINE;
}

static void set_signal(struct analysis *analysis, struct signal_info info, target_addr pc)
{
	analysis->crash.signal = (struct crash_signal){.number = info.number,
		.code = info.code,
		.has_address = info.has_address,
		.address = info.address,
		.name = signal_text(analysis->rt, info.number),
		.pc = pc};
}

/** A signal that Go does not turn into a panic: signal_unix.go sighandler, from _SigThrow on. */
static void find_signal(struct analysis *analysis, const struct machine *m)
{
	const struct thread_state *thread =
		thread_states_of_machine(&analysis->threads, m->address);
	struct crash *crash = &analysis->crash;
	struct signal_info info;

	crash->kind = CRASH_SIGNAL;
	crash->goroutine = index_of(analysis, m->caught_signal);
	if (crash->goroutine == NO_GOROUTINE) // it hit g0 or gsignal
		crash->goroutine = index_of(analysis, m->curg);
	if (thread && thread->way.first_context &&
		signal_info_load(analysis->rt, thread->way.first_context, &info)) {
		set_signal(analysis, info, thread->way.stops[thread->way.stop_count - 1].pc);
		set_message_text(crash, crash->signal.name);
	}
}

static bool is_deadlock(const char *message)
{
	return message &&
	       (!strncmp(message, "all goroutines are asleep", 25) ||
		       !strncmp(message, "no goroutines (main called runtime.Goexit)", 42));
}

static void find_fatal_error(struct analysis *analysis, const struct machine *m)
{
	struct crash *crash = &analysis->crash;

	set_message_text(crash, redacted(analysis, panics_fatal_error(analysis->rt)));
	crash->kind = is_deadlock(crash->message) ? CRASH_DEADLOCK : CRASH_FATAL_ERROR;
	// A deadlock is found by a thread that has just run out of goroutines: it blames none.
	crash->goroutine =
		crash->kind == CRASH_DEADLOCK ? NO_GOROUTINE : index_of(analysis, m->curg);
	if (!crash->message)
		diag_add(analysis->diag, DIAG_WARNING, "no-message",
			"the fatal error's text was not found in runtime.printBacklog");
}

/** The fault that sigpanic turned into a panic or fatal error: g.sig and its neighbours. */
static void find_fault(struct analysis *analysis)
{
	const struct goroutine *g;

	if (analysis->crash.goroutine == NO_GOROUTINE)
		return;
	g = &analysis->goroutines.list[analysis->crash.goroutine];
	if (g->sig)
		set_signal(analysis,
			(struct signal_info){g->sig, (int32_t)g->sig_code0,
				signal_is_fault(g->sig, (int32_t)g->sig_code0), g->sig_code1},
			g->sig_pc);
}

static void find_panic(struct analysis *analysis, const struct machine *m)
{
	struct crash *crash = &analysis->crash;

	crash->kind = CRASH_PANIC;
	crash->goroutine = index_of(analysis, m->curg);
}

/** The chain of the crashing goroutine, and of a panic the last text. */
static void load_panics(struct analysis *analysis)
{
	struct crash *crash = &analysis->crash;
	struct panics *panics = &crash->panics;

	if (crash->goroutine == NO_GOROUTINE)
		return;
	*panics = panics_load(
		analysis->rt, analysis->types, analysis->goroutines.list[crash->goroutine].panic);
	for (size_t i = 0; i < panics->count; i++) {
		struct panic_value *value = &panics->list[i];

		if (value->text)
			value->text = redact_text(
				analysis->arena, value->text, value->text_size, &value->text_size);
		// What was raised again is printed once, where it was raised first.
		if (crash->kind == CRASH_PANIC && !value->is_goexit &&
			!(i && panics->list[i - 1].is_repanicked))
			set_message(crash, value->text, value->text_size);
	}
	if (crash->kind == CRASH_PANIC && !crash->message)
		diag_add(analysis->diag, DIAG_WARNING, "no-message",
			"the panic's value is not readable");
}

/**
 * A signal on a thread of C's: the runtime lends it an m and a goroutine, and raises the signal
 * anew at itself without a word (signal_unix.go badsignal). What happened lies behind the handler.
 */
static bool find_raised_again(struct analysis *analysis, const struct image_notes *notes)
{
	const struct thread_state *thread = &analysis->threads.list[0];
	struct signal_info info;

	if (!thread->way.first_context ||
		!signal_info_load(analysis->rt, thread->way.first_context, &info) ||
		info.number != (uint32_t)notes->signal)
		return false;
	set_signal(analysis, info, thread->way.stops[thread->way.stop_count - 1].pc);
	return true;
}

/** The runtime has not noticed: the kernel killed it, or somebody took a core of a live process. */
static void find_from_notes(struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);
	struct crash *crash = &analysis->crash;
	const struct machine *m = NULL;

	if (notes->thread_count && !notes->is_live) {
		crash->thread_id = notes->threads[0].id;
		m = scheduler_machine_of_thread(&analysis->scheduler, crash->thread_id);
	}
	if (!notes->has_signal || !notes->signal)
		return;
	crash->kind = CRASH_SIGNAL;
	if (!notes->thread_count || !find_raised_again(analysis, notes)) {
		crash->goroutine = m ? index_of(analysis, m->curg) : NO_GOROUTINE;
		set_signal(analysis,
			(struct signal_info){(uint32_t)notes->signal, notes->signal_code,
				notes->has_signal_address, notes->signal_address},
			notes->thread_count ? notes->threads[0].regs.pc : 0);
		crash->signal.lacks_code = !notes->has_signal_code;
	}
	if (notes->signal == SIGABRT && analysis->scheduler.is_incomplete) {
		crash->is_kind_unknown = true;
		diag_add(analysis->diag, DIAG_WARNING, "unknown-crash",
			"the thread that died is not readable: whether SIGABRT came of a panic, of "
			"a fatal error or from outside is not known");
	}
	set_message_text(crash, crash->signal.name);
}

enum cs_status crash_find(struct analysis *analysis)
{
	const struct machine *m = find_culprit(&analysis->scheduler, image_notes(analysis->image));
	struct crash *crash = &analysis->crash;

	*crash = (struct crash){.goroutine = NO_GOROUTINE, .blamed = NO_GOROUTINE};
	if (!m) {
		find_from_notes(analysis);
		return CS_OK;
	}
	crash->thread_id = (uint32_t)m->thread_id;
	crash->dying_m = m->address;
	crash->machine_id = m->id;
	crash->is_runtime_throw = m->throwing >= THROW_RUNTIME;
	if (m->caught_signal) {
		find_signal(analysis, m);
	} else {
		if (m->throwing)
			find_fatal_error(analysis, m);
		else
			find_panic(analysis, m);
		find_fault(analysis);
	}
	load_panics(analysis);
	return CS_OK;
}

/** Whether a stack has a frame of the program's own. */
static bool is_own_stack(const struct analysis *analysis, uint32_t index)
{
	const struct stack *stack = index == NO_STACK ? NULL : &analysis->stacks.stacks[index];

	for (uint32_t i = 0; stack && i < stack->count; i++) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const struct frame_key *key =
				frame_key_of(analysis, place->first_frame + k);

			if (key && key->in_app)
				return true;
		}
	}
	return false;
}

/**
 * The first goroutine of the largest group in which several wait in the program's own code; of the
 * largest but the runtime's, where there is none: ten thousand idle connections are not what hangs.
 */
static size_t largest_group(const struct analysis *analysis)
{
	const struct groups *groups = &analysis->groups;
	size_t largest = NO_GOROUTINE;

	for (size_t i = 0; i < groups->count && i < MAX_BLAMED_GROUPS; i++) {
		const struct group *group = &groups->list[i];

		if (group->is_system)
			continue;
		if (group->reason && group->count > 1 && is_own_stack(analysis, group->stack))
			return group->examples[0];
		if (largest == NO_GOROUTINE)
			largest = group->examples[0];
	}
	return largest;
}

/** Whose stack tells what happened. */
enum whom { BLAME_CRASHING, BLAME_LARGEST_GROUP };

/**
 * Whom to blame, by the kind of crash. A signal that came from outside hits a thread that has
 * nothing to do with it, and a deadlock is found by a thread that has run out of goroutines.
 */
static enum whom whom_to_blame(const struct crash *crash)
{
	static const struct {
		enum crash_kind kind;
		bool is_from_outside;
		enum whom whom;
	} rows[] = {
		{CRASH_PANIC, false, BLAME_CRASHING},
		{CRASH_FATAL_ERROR, false, BLAME_CRASHING},
		{CRASH_SIGNAL, false, BLAME_CRASHING},
		{CRASH_SIGNAL, true, BLAME_LARGEST_GROUP},
		{CRASH_DEADLOCK, false, BLAME_LARGEST_GROUP},
		{CRASH_NONE, false, BLAME_LARGEST_GROUP},
	};
	// A fault, or a signal that a thread sent to itself, as abort() does, is its own.
	bool is_from_outside = crash->kind == CRASH_SIGNAL && !crash->signal.has_address &&
			       crash->signal.code != SI_TKILL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == crash->kind && rows[i].is_from_outside == is_from_outside)
			return rows[i].whom;
	return BLAME_LARGEST_GROUP;
}

/** Whether goroutine `index` was at a map when it was stopped: within its first frames. */
static bool is_at_map(const struct analysis *analysis, size_t index)
{
	uint32_t stack = analysis->rows[index].stack;
	const struct stack *s = stack == NO_STACK ? NULL : &analysis->stacks.stacks[stack];

	for (uint32_t i = 0; s && i < s->count && i < MAP_FRAMES; i++) {
		const struct code_place *place = &analysis->frames.places[s->places[i]];
		const char *function = analysis->frames.frames[place->first_frame].function;

		if (!strncmp(function, "runtime.map", 11) ||
			!strncmp(function, "internal/runtime/maps.", 22))
			return true;
	}
	return false;
}

/** The other side of a race at a map: who was running in one, too. */
static void blame_racers(struct analysis *analysis)
{
	struct crash *crash = &analysis->crash;

	if (crash->kind != CRASH_FATAL_ERROR || !crash->message ||
		strncmp(crash->message, "concurrent map ", 15))
		return;
	for (size_t i = 0; i < analysis->goroutines.count; i++)
		if (i != crash->blamed && crash->other_count < MAX_BLAMED &&
			analysis->rows[i].is_shown &&
			!goroutine_wait_reason(analysis->rt, &analysis->goroutines.list[i]) &&
			is_at_map(analysis, i))
			crash->others[crash->other_count++] = i;
}

/** Those who hold the others up, where that is known; else the largest group. */
static void blame_waiting(struct analysis *analysis)
{
	struct crash *crash = &analysis->crash;
	size_t list[MAX_BLAMED + 1];
	size_t count = blame_hang(analysis, list, MAX_BLAMED + 1);

	crash->blamed = count ? list[0] : largest_group(analysis);
	for (size_t i = 1; i < count; i++)
		crash->others[crash->other_count++] = list[i];
}

static void blame(struct analysis *analysis)
{
	struct crash *crash = &analysis->crash;

	crash->blamed = crash->goroutine;
	// A fault on a thread without a goroutine is nobody's: it happened in C.
	if (whom_to_blame(crash) == BLAME_LARGEST_GROUP ||
		(crash->blamed == NO_GOROUTINE && crash->kind != CRASH_SIGNAL))
		blame_waiting(analysis);
	blame_racers(analysis);
}

/** The blamed goroutine's frames, innermost first. CS_NO_MEMORY. */
static enum cs_status collect_frames(
	const struct analysis *analysis, struct grouping_frame *ret, size_t *count)
{
	uint32_t index = analysis->crash.blamed == NO_GOROUTINE
				 ? NO_STACK
				 : analysis->rows[analysis->crash.blamed].stack;
	const struct stack *stack = index == NO_STACK ? NULL : &analysis->stacks.stacks[index];

	*count = 0;
	for (uint32_t i = 0; stack && i < stack->count; i++) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count && *count < MAX_GROUPING_FRAMES; k++) {
			uint32_t at = place->first_frame + k;
			const struct frame *frame = &analysis->frames.frames[at];
			const struct frame_key *key = frame_key_of(analysis, at);

			if (!key)
				return CS_NO_MEMORY;
			ret[(*count)++] = (struct grouping_frame){.function = frame->function,
				.package = key->package,
				.key = key->key,
				.declared = key->declared,
				.in_app = key->in_app,
				.is_c = frame->object != NULL,
				.relative_line = frame->line - frame->start_line};
		}
	}
	return CS_OK;
}

/** Of a signal: its number and code. */
static const char *crash_detail(const struct analysis *analysis)
{
	const struct crash *crash = &analysis->crash;

	return crash->kind == CRASH_SIGNAL && crash->signal.number
		       ? arena_format(
				 analysis->arena, "%u/%d", crash->signal.number, crash->signal.code)
		       : NULL;
}

/** How many panics at the end of the chain only raise again what a deferred function recovered. */
static unsigned int count_reraised(const struct panics *panics)
{
	unsigned int count = 0;

	for (size_t i = panics->count; i-- > 1; count++)
		if (!panics->list[i - 1].is_recovered && !panics->list[i - 1].is_repanicked)
			break;
	return count;
}

enum cs_status crash_describe(struct analysis *analysis)
{
	struct crash *crash = &analysis->crash;
	struct grouping_frame *frames =
		arena_array(analysis->arena, MAX_GROUPING_FRAMES, sizeof(*frames));
	const char *kind = crash_kind_name(crash->kind);
	struct grouping_input input = {.kind = kind, .message = crash->message, .frames = frames};
	struct grouping grouping;
	enum cs_status status;

	if (!frames)
		return CS_NO_MEMORY;
	blame(analysis);
	status = collect_frames(analysis, frames, &input.count);
	if (status)
		return status;
	input.detail = crash_detail(analysis);
	if (crash->kind == CRASH_PANIC)
		input.reraised = count_reraised(&crash->panics);
	status = grouping_make(analysis->arena, &input, &grouping);
	if (status)
		return status;
	crash->keys = grouping.keys;
	crash->title = redacted(analysis,
		grouping_title(analysis->arena, crash->kind == CRASH_NONE ? "live process" : kind,
			crash->message, frames + grouping.origin, input.count - grouping.origin));
	return CS_OK;
}
