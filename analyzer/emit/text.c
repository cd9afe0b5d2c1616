// What Go would have printed, at any GOTRACEBACK level, so that every tool that reads Go tracebacks
// reads ours. Mirrors go1.27 runtime/traceback.go (goroutineheader, traceback2, showfuncinfo,
// printcreatedby) and runtime/panic.go (printpanics). Differences, on purpose: a goroutine that ran
// on another thread has its stack here.
#include "analyzer/emit/text.h"

#include "analyzer/emit/printer.h"
#include "analyzer/emit/value_text.h"
#include "analyzer/emit/verdicts.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/redacted_labels.h"
#include "analyzer/unwind/arguments.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define NS_PER_MINUTE INT64_C(60000000000)
// go1.21 traceback.go tracebackInnerFrames, tracebackOuterFrames
#define INNER_FRAMES 50
#define OUTER_FRAMES 50

// As gdb's `bt -full`: deeper than the position, so that nobody takes it for one.
static const struct value_text_style full_style = {"\t    ", SIZE_MAX, SIZE_MAX};

struct text {
	struct printer *printer;
	const struct analysis *analysis;
	struct walk *walk;     // scratch
	struct logical *shown; // scratch: see collect()
	const uint32_t *order; // of groups; NULL: goroutines in allgs order
	enum traceback_level level;
	bool is_all;               // more than the crashing goroutine
	bool has_addresses;        // gp=, fp=, sp=, pc=: only the level "system" prints them here
	bool has_arguments;        // of this goroutine
	bool has_labels;           // debug.tracebacklabels, on by default since go1.27
	uint64_t wrapper_id;       // abi.FuncIDWrapper of this release; UINT64_MAX: not known
	struct value_text *values; // NULL: no variables are shown
};

/** One logical frame of a walk: which place, and which of its frames. */
struct logical {
	uint32_t place_index, frame;
	uint32_t position; // in the whole stack, from the innermost
};

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/** traceback.go isExportedRuntime: "runtime.Gosched", "runtime.(*Frames).Next". */
static bool is_exported_runtime(const char *function)
{
	const char *name = function + strlen("runtime.");
	const char *dot = strrchr(name, '.');

	if (dot) {
		if (starts_with(name, "(*"))
			name += 2;
		if (*name < 'A' || *name > 'Z')
			return false;
		name = dot + 1;
	}
	return *name >= 'A' && *name <= 'Z';
}

/** traceback.go elideWrapperCalling: a wrapper is shown where it called a panic instead. */
static bool is_panic(const char *callee)
{
	return !strcmp(callee, "runtime.gopanic") || !strcmp(callee, "runtime.sigpanic") ||
	       !strcmp(callee, "runtime.panicwrap");
}

/** traceback.go showfuncinfo. */
static bool is_shown(
	const struct text *text, const struct frame *frame, bool is_first, const char *callee)
{
	const char *name = frame->function;

	if (text->level >= TRACEBACK_SYSTEM)
		return true;
	if (frame->id == text->wrapper_id && !is_panic(callee))
		return false;
	if (!strcmp(name, "runtime.gopanic") && !is_first)
		return true;
	if (!strcmp(name, "runtime.runFinalizers") || !strcmp(name, "runtime.runCleanups"))
		return true;
	return strchr(name, '.') && (!starts_with(name, "runtime.") || is_exported_runtime(name));
}

static void print_function(struct text *text, const char *function)
{
	const char *open = strchr(function, '[');
	const char *close = strrchr(function, ']');

	if (!strcmp(function, "runtime.gopanic"))
		function = "panic";
	if (!open || !close || close < open) {
		printer_text(text->printer, function);
		return;
	}
	// traceback.go funcNamePiecesForPrint: type arguments are left out.
	printer_format(text->printer, "%.*s[...]", (int)(open - function), function);
	printer_text(text->printer, close + 1);
}

static void print_position(struct text *text, const struct frame *frame)
{
	printer_format(text->printer, "\t");
	printer_text(text->printer, frame->file);
	printer_format(text->printer, ":%d", frame->line);
	if (!frame->is_inlined && frame->pc > frame->entry)
		printer_format(text->printer, " +0x%" PRIx64, frame->pc - frame->entry);
}

/** As the runtime prints what a cgo symbolizer tells it (traceback.go printOneCgoTraceback). */
static void print_c_frame(struct text *text, const struct frame *frame)
{
	printer_text(text->printer, *frame->function ? frame->function : "non-Go function");
	printer_format(text->printer, "\n\t");
	if (frame->file) {
		printer_text(text->printer, frame->file);
		printer_format(text->printer, ":%d ", frame->line);
	}
	printer_format(text->printer, "pc=0x%" PRIx64 "\n", frame->pc);
}

static void print_frame(struct text *text, struct logical at)
{
	const struct frame_table *table = &text->analysis->frames;
	const struct code_place *place = &table->places[text->walk->places[at.place_index]];
	const struct frame *frame = &table->frames[at.frame];
	target_addr sp = text->walk->sps[at.place_index];
	char arguments[ARGUMENTS_SIZE];

	if (frame->object) {
		print_c_frame(text, frame);
		return;
	}
	print_function(text, frame->function);
	if (frame->is_inlined || !text->has_arguments)
		strcpy(arguments, "...");
	else
		arguments_format(text->analysis->rt, place, sp, arguments);
	printer_format(text->printer, "(%s)\n", arguments);
	print_position(text, frame);
	if (text->has_addresses && !frame->is_inlined)
		printer_format(text->printer, " fp=0x%" PRIx64 " sp=0x%" PRIx64 " pc=0x%" PRIx64,
			sp + (uint64_t)place->frame_size, sp, frame->pc);
	printer_format(text->printer, "\n");
	if (text->values)
		value_text_print(text->values, at.position, frame->function, &full_style);
}

/**
 * The frames of the walk that this level shows, in text->shown; *elided_ret counts those
 * that the walk itself cut out, and *elided_at says before which of the shown. 0 where none of Go's
 * frames is shown.
 */
static size_t collect(struct text *text, bool show_all, uint64_t *elided_ret, size_t *elided_at)
{
	const struct frame_table *table = &text->analysis->frames;
	const struct walk *walk = text->walk;
	const char *callee = "";
	uint64_t kept = 0;
	size_t count = 0, go_count = 0;

	*elided_at = 0;
	for (uint32_t i = 0; i < walk->count; i++) {
		const struct code_place *place = &table->places[walk->places[i]];

		if (walk->cut_at && i == walk->cut_at)
			*elided_at = count;
		kept += place->frame_count;
		for (uint32_t k = 0; k < place->frame_count; k++) {
			const struct frame *frame = &table->frames[place->first_frame + k];

			if ((show_all || frame->object ||
				    is_shown(text, frame, !go_count, callee)) &&
				count < MAX_SHOWN_FRAMES) {
				go_count += !frame->object;
				text->shown[count++] = (struct logical){i, place->first_frame + k,
					(uint32_t)(kept - place->frame_count) + k};
			}
			callee = frame->function;
		}
	}
	*elided_ret = walk->frames_total - kept;
	return go_count ? count : 0;
}

static void print_range(struct text *text, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		print_frame(text, text->shown[i]);
}

static void print_frames(struct text *text)
{
	uint64_t cut;
	size_t cut_at;
	size_t count = collect(text, false, &cut, &cut_at);

	if (!count)
		count = collect(text, true, &cut, &cut_at);
	// Of frames that the walk cut out nobody knows how many this level would show: all are
	// counted.
	if (count <= INNER_FRAMES + OUTER_FRAMES) {
		print_range(text, 0, cut_at);
		if (cut)
			printer_format(text->printer, "...%" PRIu64 " frames elided...\n", cut);
		print_range(text, cut_at, count);
		return;
	}
	print_range(text, 0, INNER_FRAMES);
	printer_format(text->printer, "...%" PRIu64 " frames elided...\n",
		count + cut - INNER_FRAMES - OUTER_FRAMES);
	print_range(text, count - OUTER_FRAMES, count);
}

static void print_creation(
	struct text *text, const struct goroutine *g, const struct goroutine_row *row)
{
	const struct frame *frame;

	if (row->created_by == NO_FRAME)
		return;
	frame = &text->analysis->frames.frames[row->created_by];
	if (!is_shown(text, frame, false, ""))
		return;
	printer_format(text->printer, "created by ");
	print_function(text, frame->function);
	if (g->parent_id)
		printer_format(text->printer, " in goroutine %" PRIu64, g->parent_id);
	printer_format(text->printer, "\n");
	print_position(text, frame);
	printer_format(text->printer, "\n");
}

/** traceback.go tracebackStringNeedsQuoting (1.27). */
static void print_label_word(struct text *text, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/";
	if (!word[strspn(word, plain)]) {
		printer_text(text->printer, word);
		return;
	}
	printer_format(text->printer, "\"");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			printer_format(text->printer, "\\");
		printer_sized(text->printer, word, 1);
	}
	printer_format(text->printer, "\"");
}

static void print_labels(struct text *text, const struct goroutine *g)
{
	struct labels labels;

	if (!text->has_labels || !g->labels)
		return;
	labels = redacted_labels_load(text->analysis->rt, g->labels);
	for (size_t i = 0; i < labels.count; i++) {
		printer_format(text->printer, i ? ", " : " {");
		print_label_word(text, labels.list[i].key);
		printer_format(text->printer, ": ");
		print_label_word(text, labels.list[i].value);
	}
	if (labels.count)
		printer_format(text->printer, "}");
}

static void print_header(struct text *text, size_t index)
{
	const struct analysis *analysis = text->analysis;
	const struct goroutine *g = &analysis->goroutines.list[index];
	const char *reason = goroutine_wait_reason(analysis->rt, g);
	const struct machine *m = scheduler_machine_at(&analysis->scheduler, g->m);
	struct wait_time wait = clock_wait(&analysis->clock, g); // as the runtime prints it

	printer_format(text->printer, "goroutine %" PRIu64, g->id);
	if (text->has_addresses && m)
		printer_format(text->printer, " gp=0x%" PRIx64 " m=%" PRId64 " mp=0x%" PRIx64,
			g->address, m->id, m->address);
	else if (text->has_addresses)
		printer_format(text->printer, " gp=0x%" PRIx64 " m=nil", g->address);
	printer_format(text->printer, " [");
	printer_text(text->printer, reason ? reason : goroutine_status_name(g->status));
	if (g->status == GOROUTINE_LEAKED)
		printer_format(text->printer, " (leaked)");
	else if (wait.best >= NS_PER_MINUTE)
		printer_format(text->printer, ", %" PRId64 " minutes", wait.best / NS_PER_MINUTE);
	if (g->locked_m)
		printer_format(text->printer, ", locked to thread");
	printer_format(text->printer, "]");
	print_labels(text, g);
	printer_format(text->printer, ":\n");
}

static void print_goroutine(struct text *text, size_t index)
{
	const struct analysis *analysis = text->analysis;

	printer_format(text->printer, "\n");
	print_header(text, index);
	text->has_arguments = analysis_wants_values(analysis, index);
	if (analysis_walk(analysis, index, text->walk)) {
		if (text->values)
			value_text_begin(text->values, index, text->walk);
		print_frames(text);
	} else {
		printer_format(
			text->printer, "\tgoroutine running on other thread; stack unavailable\n");
	}
	print_creation(text, &analysis->goroutines.list[index], &analysis->rows[index]);
}

static void print_panics(struct text *text)
{
	const struct panics *panics = &text->analysis->crash.panics;

	for (size_t i = 0; i < panics->count; i++) {
		const struct panic_value *value = &panics->list[i];

		if (i && panics->list[i - 1].is_repanicked)
			continue;
		if (i && !panics->list[i - 1].is_goexit)
			printer_format(text->printer, "\t");
		if (value->is_goexit)
			continue;
		printer_format(text->printer, "panic: ");
		printer_sized(text->printer, value->text ? value->text : "?",
			value->text ? value->text_size : 1);
		if (value->is_recovered)
			printer_format(text->printer,
				value->is_repanicked ? " [recovered, repanicked]" : " [recovered]");
		printer_format(text->printer, "\n");
	}
}

static void print_signal_line(struct text *text)
{
	const struct crash *crash = &text->analysis->crash;

	if (!crash->signal.number)
		return;
	printer_format(text->printer, "[signal ");
	printer_text(text->printer, crash->signal.name);
	printer_format(text->printer, " code=0x%x addr=0x%" PRIx64 " pc=0x%" PRIx64 "]\n",
		(unsigned int)crash->signal.code, crash->signal.address, crash->signal.pc);
}

/** signal_unix.go fatalsignal. */
static void print_fatal_signal(struct text *text)
{
	const struct crash *crash = &text->analysis->crash;

	printer_text(text->printer, crash->message);
	printer_format(text->printer, "\nPC=0x%" PRIx64 " m=%" PRId64 " sigcode=%d",
		crash->signal.pc, crash->machine_id, crash->signal.code);
	if (crash->signal.number == SIGSEGV || crash->signal.number == SIGBUS)
		printer_format(text->printer, " addr=0x%" PRIx64, crash->signal.address);
	printer_format(text->printer, "\n");
}

static void print_head(struct text *text)
{
	const struct crash *crash = &text->analysis->crash;

	switch (crash->kind) {
	case CRASH_PANIC:
		print_panics(text);
		print_signal_line(text);
		break;
	case CRASH_FATAL_ERROR:
	case CRASH_DEADLOCK:
		printer_format(text->printer, "fatal error: ");
		printer_text(text->printer, crash->message);
		printer_format(text->printer, "\n");
		print_signal_line(text);
		break;
	case CRASH_SIGNAL:
		print_fatal_signal(text);
		break;
	case CRASH_NONE:
		break;
	}
}

/** A goroutine that is not the crashing one, if it is to be shown. */
static void print_other(struct text *text, size_t index)
{
	const struct analysis *analysis = text->analysis;
	bool is_hidden =
		analysis->goroutines.list[index].is_system && text->level < TRACEBACK_SYSTEM;

	if (index != analysis->crash.goroutine && !is_hidden && analysis->rows[index].is_shown)
		print_goroutine(text, index);
}

static void print_by_group(struct text *text)
{
	const struct groups *groups = &text->analysis->groups;

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->list[text->order[i]];

		for (size_t k = 0; k < group->count; k++)
			print_other(text, group->members[k]);
	}
}

/** traceback.go tracebacksomeothers: the crashing one first, then all in allgs order. */
static void print_goroutines(struct text *text)
{
	const struct analysis *analysis = text->analysis;
	size_t first = analysis->crash.goroutine;

	if (first != NO_GOROUTINE && analysis->rows[first].is_shown)
		print_goroutine(text, first);
	if (!text->is_all)
		return;
	if (text->order) {
		print_by_group(text);
		return;
	}
	for (size_t i = 0; i < analysis->goroutines.count; i++)
		print_other(text, i);
}

static enum traceback_level read_level(const char *name)
{
	if (!strcmp(name, "single"))
		return TRACEBACK_SINGLE;
	if (!strcmp(name, "system"))
		return TRACEBACK_SYSTEM;
	return !strcmp(name, "crash") ? TRACEBACK_CRASH : TRACEBACK_ALL;
}

/**
 * How much is shown, as the runtime decides it: a throw of the runtime's own shows its frames
 * (runtime1.go gotraceback); what did not die on a goroutine's stack shows all goroutines (panic.go
 * dopanic_m), and so does a fatal signal (signal_unix.go).
 */
static void set_level(struct text *text, const char *name)
{
	const struct crash *crash = &text->analysis->crash;

	text->level = read_level(name);
	text->has_addresses = text->level == TRACEBACK_SYSTEM;
	text->is_all = text->level > TRACEBACK_SINGLE || crash->kind == CRASH_SIGNAL ||
		       (crash->kind != CRASH_NONE && !crash->is_on_goroutine);
	if (crash->is_runtime_throw && text->level < TRACEBACK_SYSTEM)
		text->level = TRACEBACK_SYSTEM;
}

static bool load_label_setting(const struct runtime *rt)
{
	uint64_t value = 0;

	runtime_read_field(rt, VAR_DEBUG, DEBUG_TRACEBACK_LABELS, &value);
	return value == 1;
}

enum cs_status emit_text(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context)
{
	const struct layout *layout = &analysis->rt->layout;
	struct text text = {.analysis = analysis, .printer = printer_create(sink, context)};
	enum cs_status status = CS_NO_MEMORY;
	struct value_text values;

	text.walk = arena_alloc(analysis->arena, sizeof(*text.walk));
	text.shown = arena_array(analysis->arena, MAX_SHOWN_FRAMES, sizeof(*text.shown));
	set_level(&text, options->traceback);
	text.has_labels = load_label_setting(analysis->rt);
	text.wrapper_id = layout_has(layout, FUNC_ID_WRAPPER)
				  ? layout_value(layout, FUNC_ID_WRAPPER)
				  : UINT64_MAX;
	if (options->sort)
		text.order = groups_order(
			&analysis->groups, options->sort == SORT_RAREST, analysis->arena);
	if (text.printer && text.walk && text.shown && (text.order || !options->sort) &&
		(!options->is_full || value_text_init(&values, analysis, text.printer) == CS_OK)) {
		text.values = options->is_full ? &values : NULL;
		print_head(&text);
		print_goroutines(&text);
		if (options->is_full) // no tool that reads tracebacks knows such lines
			verdicts_print(text.printer, analysis);
		status = printer_finish(text.printer);
	}
	if (text.values)
		value_text_deinit(&values);
	printer_destroy(text.printer);
	return status;
}
