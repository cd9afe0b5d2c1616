// A crash as a person wants to see it first: what, where, and 100,000 goroutines as some tens of
// groups, largest first or rarest first.
#include "analyzer/binary/binary.h"
#include "analyzer/emit/printer.h"
#include "analyzer/emit/text.h"
#include "analyzer/emit/value_text.h"
#include "analyzer/emit/verdicts.h"
#include "analyzer/snapshot/analysis.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)
// Frames of one stack in a summary: enough to know it by.
#define CRASH_FRAMES 16
#define GROUP_FRAMES 6

// Of the frames of the goroutine that crashed: what a line of a terminal can hold.
static const struct value_text_style crash_style = {"      ", 100, 12};

static void print_duration(struct printer *printer, int64_t ns)
{
	int64_t seconds = ns / NS_PER_SECOND;

	if (seconds >= 3600)
		printer_format(
			printer, "%" PRId64 "h%02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
	else if (seconds >= 60)
		printer_format(printer, "%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
	else
		printer_format(printer, "%" PRId64 ".%" PRId64 "s", seconds,
			ns / (NS_PER_SECOND / 10) % 10);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static void print_frame(struct printer *printer, const struct frame *frame)
{
	printer_format(printer, "    ");
	printer_text(printer, *frame->function ? frame->function : "?");
	printer_format(printer, "  ");
	printer_text(printer, base_name(frame->file ? frame->file : frame->object));
	if (frame->line)
		printer_format(printer, ":%d", frame->line);
	printer_format(printer, "\n");
}

/** Frames at the top that only say how it waits, which the reason has said already. */
static bool is_plumbing(const struct frame *frame)
{
	static const char *const prefixes[] = {
		"runtime.", "internal/", "syscall.", "sync.", "sync/atomic.", "net."};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(frame->function, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/** `values`: of the goroutine whose stack it is; NULL: none are shown. */
static void print_stack(struct printer *printer, const struct analysis *analysis, uint32_t index,
	size_t max, struct value_text *values)
{
	const struct stack *stack = index == NO_STACK ? NULL : &analysis->stacks.stacks[index];
	bool skipping = true;
	uint64_t left = stack ? stack->frames_total : 0;
	size_t printed = 0;
	uint32_t position = 0;

	for (uint32_t i = 0; stack && i < stack->count; i++) {
		const struct code_place *place = &analysis->frames.places[stack->places[i]];

		for (uint32_t k = 0; k < place->frame_count; k++) {
			const struct frame *frame =
				&analysis->frames.frames[place->first_frame + k];

			left--;
			position++;
			skipping = skipping && is_plumbing(frame);
			if (skipping && left > 1)
				continue;
			if (!strcmp(frame->function, "runtime.goexit"))
				continue;
			if (printed++ == max) {
				printer_format(printer, "    … %" PRIu64 " more\n", left + 1);
				return;
			}
			print_frame(printer, frame);
			if (values && strncmp(frame->function, "runtime.", 8) != 0)
				value_text_print(
					values, position - 1, frame->function, &crash_style);
		}
	}
}

static void print_head(struct printer *printer, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);
	const struct binary_info *info = binary_info(analysis->binary);

	printer_text(printer, analysis->crash.title);
	printer_format(printer, "\n");
	printer_text(printer, base_name(analysis->executable->path));
	printer_format(printer, " (pid %u), ", notes->pid);
	printer_text(printer, analysis->rt->version);
	printer_format(printer, " ");
	printer_text(printer, info->goos ? info->goos : "linux");
	printer_format(printer, "/");
	printer_text(printer, info->goarch);
	printer_format(printer, ", %zu goroutines in %zu groups, %zu threads, GOMAXPROCS %d\n",
		analysis->shown_count, analysis->groups.count, analysis->threads.count,
		analysis->scheduler.gomaxprocs);
}

/** The stack of the goroutine that crashed, with its variables where they are wanted. */
static void print_crash_stack(
	struct printer *printer, const struct analysis *analysis, size_t index)
{
	struct walk *walk = arena_alloc(analysis->arena, sizeof(*walk));
	struct value_text values;
	bool has_values = walk && analysis_wants_values(analysis, index) &&
			  analysis_walk(analysis, index, walk) &&
			  value_text_init(&values, analysis, printer) == CS_OK;

	if (has_values)
		value_text_begin(&values, index, walk);
	print_stack(printer, analysis, analysis->rows[index].stack, CRASH_FRAMES,
		has_values ? &values : NULL);
	if (has_values)
		value_text_deinit(&values);
}

/** Who crashed, and whom to look at first: those stand before all others. */
static void print_blamed(struct printer *printer, const struct analysis *analysis, size_t index)
{
	const struct crash *crash = &analysis->crash;
	const struct goroutine *g;
	const char *reason;
	// A signal from outside, which blames somebody else, hits whoever runs.
	bool is_bystander = crash->kind == CRASH_SIGNAL && crash->blamed != NO_GOROUTINE &&
			    crash->blamed != crash->goroutine;

	if (index == NO_GOROUTINE || !analysis->rows[index].is_shown)
		return;
	g = &analysis->goroutines.list[index];
	reason = goroutine_wait_reason(analysis->rt, g);
	printer_format(printer, "\ngoroutine %" PRIu64, g->id);
	if (index == crash->goroutine) {
		printer_format(printer, is_bystander ? " was running then:\n" : " crashed:\n");
	} else {
		printer_format(printer, ", look here first: ");
		printer_text(printer, reason ? reason : goroutine_status_name(g->status));
		printer_format(printer, "\n");
	}
	print_crash_stack(printer, analysis, index);
}

static void print_crash(struct printer *printer, const struct analysis *analysis)
{
	const struct crash *crash = &analysis->crash;
	bool is_listed = false;

	if (crash->message) {
		printer_format(printer, "\n%s: ", crash_kind_name(crash->kind));
		printer_text(printer, crash->message);
		printer_format(printer, "\n");
	}
	for (size_t i = 0; i <= crash->other_count; i++) {
		size_t index = i ? crash->others[i - 1] : crash->blamed;

		print_blamed(printer, analysis, index);
		is_listed |= index == crash->goroutine;
	}
	if (!is_listed)
		print_blamed(printer, analysis, crash->goroutine);
}

static void print_group(
	struct printer *printer, const struct analysis *analysis, const struct group *group)
{
	printer_format(printer, "\n%" PRIu64 " × ", group->count);
	printer_text(printer, group->reason ? group->reason : goroutine_status_name(group->status));
	if (group->wait_max >= 0) {
		printer_format(printer, group->count > 1 ? ", up to " : ", ");
		print_duration(printer, group->wait_max);
	}
	if (group->wait_median >= 0 && group->count > 1) {
		printer_format(printer, ", half of them over ");
		print_duration(printer, group->wait_median);
	}
	if (group->is_system)
		printer_format(printer, ", system");
	printer_format(printer, "  [goroutine%s", group->count > 1 ? "s" : "");
	for (size_t i = 0; i < group->example_count; i++)
		printer_format(
			printer, " %" PRIu64, analysis->goroutines.list[group->examples[i]].id);
	printer_format(printer, group->count > group->example_count ? " …]\n" : "]\n");
	if (group->unlike)
		printer_format(printer,
			"    unlike %" PRIu64 " others that were started by the same function\n",
			group->unlike);
	print_stack(printer, analysis, group->stack, GROUP_FRAMES, NULL);
}

static void print_diagnostics(struct printer *printer, const struct diag *diag)
{
	bool has_any = false;

	for (size_t i = 0; i < diag->count; i++) {
		if (diag->entries[i].severity == DIAG_INFO)
			continue;
		printer_format(printer, has_any ? "" : "\n");
		has_any = true;
		printer_format(printer, "%s: ", diag_severity_name(diag->entries[i].severity));
		printer_text(printer, diag->entries[i].message);
		if (diag->entries[i].count > 1)
			printer_format(printer, " (%" PRIu64 " times)", diag->entries[i].count);
		printer_format(printer, "\n");
	}
}

enum cs_status emit_summary(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context)
{
	struct printer *printer = printer_create(sink, context);
	const uint32_t *order =
		groups_order(&analysis->groups, options->sort == SORT_RAREST, analysis->arena);
	enum cs_status status;

	if (!printer || !order) {
		printer_destroy(printer);
		return CS_NO_MEMORY;
	}
	print_head(printer, analysis);
	print_crash(printer, analysis);
	verdicts_print(printer, analysis);
	for (size_t i = 0; i < analysis->groups.count; i++)
		print_group(printer, analysis, &analysis->groups.list[order[i]]);
	print_diagnostics(printer, analysis->diag);
	status = printer_finish(printer);
	printer_destroy(printer);
	return status;
}
