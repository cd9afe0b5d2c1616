// Top-level keys in the schema's order. A reader of full snapshots reads this one too: tables are
// empty arrays, facts that were not recovered are null.
#include "analyzer/emit/minimal.h"

#include "analyzer/binary/binary.h"
#include "analyzer/emit/registers.h"
#include "analyzer/snapshot/analysis.h"
#include "common/json/writer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SIGNAL_NAME_SIZE 32

static const char *signal_name(int number, char *text, size_t size)
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(text, size, "SIG%s", name);
	else
		snprintf(text, size, "signal %d", number);
	return text;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void write_time(struct json_writer *w, const char *key, int64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (gmtime_r(&at, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		jsonw_member_string(w, key, text);
	else
		jsonw_member_null(w, key);
}

static void member_nulls(struct json_writer *w, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		jsonw_member_null(w, keys[i]);
}

static void empty_arrays(struct json_writer *w, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		jsonw_newline(w);
		jsonw_key(w, keys[i]);
		jsonw_begin_array(w);
		jsonw_end_array(w);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NULLS(w, ...) \
	member_nulls(w, (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))
#define EMPTY_ARRAYS(w, ...) \
	empty_arrays(w, (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

static void write_origin(struct json_writer *w, const struct analysis *analysis)
{
	const struct analysis_options *options = analysis->options;

	jsonw_member_string(w, "schema", "coresnap.snapshot/1");
	jsonw_newline(w);
	jsonw_member_string(w, "id", analysis->id);
	jsonw_newline(w);
	jsonw_key(w, "generator");
	jsonw_begin_object(w);
	jsonw_member_string(w, "name", "coresnap");
	jsonw_member_string(w, "version", options->generator_version);
	jsonw_end_object(w);
	jsonw_newline(w);
	write_time(w, "captured_at", options->captured_at);
	jsonw_member_string(w, "source", "core");
	jsonw_newline(w);
	jsonw_key(w, "capture");
	jsonw_begin_object(w);
	jsonw_member_string(w, "mode", "file");
	NULLS(w, "freeze_ns", "bytes_read");
	jsonw_member_bool(w, "complete",
		image_expected_size(analysis->image) <= image_file_size(analysis->image));
	jsonw_end_object(w);
	jsonw_newline(w);
	jsonw_key(w, "host");
	jsonw_begin_object(w);
	jsonw_member_string(w, "hostname", options->hostname);
	jsonw_member_string(w, "kernel", options->kernel);
	jsonw_end_object(w);
	jsonw_member_null(w, "container");
	jsonw_newline(w);
	jsonw_key(w, "attributes");
	jsonw_begin_object(w);
	jsonw_end_object(w);
}

static void write_signal(struct json_writer *w, const struct image_notes *notes)
{
	char name[SIGNAL_NAME_SIZE];

	jsonw_key(w, "signal");
	if (!notes->has_signal) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_i64(w, "number", notes->signal);
	jsonw_member_string(w, "name", signal_name(notes->signal, name, sizeof(name)));
	jsonw_member_i64(w, "code", notes->signal_code);
	if (notes->has_signal_address)
		jsonw_member_address(w, "address", notes->signal_address);
	else
		jsonw_member_null(w, "address");
	jsonw_end_object(w);
}

static void write_process(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);

	jsonw_newline(w);
	jsonw_key(w, "process");
	jsonw_begin_object(w);
	if (notes->has_process) {
		jsonw_member_u64(w, "pid", notes->pid);
		jsonw_member_u64(w, "uid", notes->uid);
		jsonw_member_u64(w, "gid", notes->gid);
	} else {
		NULLS(w, "pid", "uid", "gid");
	}
	jsonw_member_string(w, "executable", analysis->executable->path);
	// The notes hold the first 79 bytes of the arguments, of no use to anyone and a leak to all.
	NULLS(w, "unit", "args", "environment");
	write_signal(w, notes);
	jsonw_end_object(w);
}

static const char *either(const char *first, const char *second)
{
	return first ? first : second;
}

static void write_binary(struct json_writer *w, const struct analysis *analysis)
{
	static const struct binary_info nothing;
	const struct core_executable *executable = analysis->executable;
	const struct binary_info *info = analysis->binary ? binary_info(analysis->binary) : &nothing;

	jsonw_newline(w);
	jsonw_key(w, "binary");
	jsonw_begin_object(w);
	jsonw_member_string(w, "go_version", info->go_version);
	jsonw_member_string(w, "goos", info->goos);
	jsonw_member_string(w, "goarch",
		info->goarch ? info->goarch :
		image_arch(analysis->image) == ARCH_AMD64 ? "amd64" : "arm64");
	jsonw_member_string(w, "go_build_id", either(executable->go_build_id, info->go_build_id));
	jsonw_member_string(w, "gnu_build_id",
		either(executable->gnu_build_id, info->gnu_build_id));
	NULLS(w, "main", "settings", "modules", "has_dwarf", "has_symtab", "pie", "cgo",
		"debug_source");
	jsonw_end_object(w);
	jsonw_newline(w);
	jsonw_key(w, "runtime");
	jsonw_begin_object(w);
	NULLS(w, "layout", "layout_from", "traceback_level");
	jsonw_end_object(w);
}

/** What a person reads in a list: "SIGABRT in app (not analysed)". */
static void write_title(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);
	const char *path = analysis->executable->path;
	char signal[SIGNAL_NAME_SIZE] = "crash";
	char title[512];

	if (notes->has_signal)
		signal_name(notes->signal, signal, sizeof(signal));
	if (!path)
		path = notes->command ? notes->command : "an unknown program";
	snprintf(title, sizeof(title), "%s in %.400s (not analysed)", signal, base_name(path));
	jsonw_member_string(w, "title", title);
}

static void write_crash(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);

	jsonw_newline(w);
	jsonw_key(w, "crash");
	jsonw_begin_object(w);
	// The Go runtime ends panics and fatal errors with SIGABRT: which it was is not known here.
	jsonw_member_string(w, "kind",
		notes->has_signal && notes->signal != SIGABRT ? "signal" : NULL);
	jsonw_member_null(w, "message");
	EMPTY_ARRAYS(w, "values");
	jsonw_member_null(w, "goroutine");
	if (notes->thread_count)
		jsonw_member_u64(w, "thread", notes->threads[0].id);
	else
		jsonw_member_null(w, "thread");
	EMPTY_ARRAYS(w, "blamed");
	write_title(w, analysis);
	jsonw_key(w, "grouping");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "version", 1);
	NULLS(w, "coarse", "default", "fine");
	jsonw_end_object(w);
	jsonw_member_null(w, "fingerprint");
	jsonw_end_object(w);
}

static void write_limits(struct json_writer *w, const struct analysis_options *options)
{
	jsonw_newline(w);
	jsonw_key(w, "limits");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "max_string", options->max_string);
	jsonw_member_u64(w, "max_elements", options->max_elements);
	jsonw_member_u64(w, "max_depth", options->max_depth);
	jsonw_end_object(w);
}

static void write_threads(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);

	jsonw_newline(w);
	jsonw_key(w, "threads");
	jsonw_begin_array(w);
	for (size_t i = 0; i < notes->thread_count; i++) {
		const struct image_thread *thread = &notes->threads[i];

		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_member_u64(w, "id", thread->id);
		NULLS(w, "goroutine", "stack");
		jsonw_key(w, "registers");
		registers_write(w, image_arch(analysis->image), &thread->regs);
		if (thread->signal)
			jsonw_member_i64(w, "signal", thread->signal);
		else
			jsonw_member_null(w, "signal");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_diagnostics(struct json_writer *w, const struct diag *diag)
{
	jsonw_newline(w);
	jsonw_key(w, "diagnostics");
	jsonw_begin_array(w);
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_entry *entry = &diag->entries[i];

		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_member_string(w, "severity", diag_severity_name(entry->severity));
		jsonw_member_string(w, "code", entry->code);
		jsonw_member_string(w, "message", entry->message);
		jsonw_member_u64(w, "count", entry->count);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

enum cs_status emit_minimal_json(const struct analysis *analysis,
	const struct emit_options *options, emit_sink *sink, void *context)
{
	struct json_writer w;
	enum cs_status status = jsonw_init(&w, sink, context);

	(void)options;
	if (status)
		return status;
	jsonw_begin_object(&w);
	write_origin(&w, analysis);
	EMPTY_ARRAYS(&w, "classifications");
	write_process(&w, analysis);
	write_binary(&w, analysis);
	write_crash(&w, analysis);
	write_limits(&w, analysis->options);
	EMPTY_ARRAYS(&w, "frames", "stacks", "groups");
	jsonw_member_null(&w, "goroutines_total");
	EMPTY_ARRAYS(&w, "goroutines");
	write_threads(&w, analysis);
	EMPTY_ARRAYS(&w, "channels", "sync");
	NULLS(&w, "scheduler", "blocking", "gc", "memory");
	EMPTY_ARRAYS(&w, "timers", "descriptors", "globals", "attachments");
	jsonw_member_u64(&w, "suppressed_before", 0);
	write_diagnostics(&w, analysis->diag);
	jsonw_end_object(&w);
	w.comma = false; // nothing follows: the last line's end is no separator
	jsonw_newline(&w);
	status = jsonw_finish(&w);
	jsonw_deinit(&w);
	return status;
}
