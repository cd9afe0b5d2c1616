// process, binary, runtime, crash: one object each.
#include "analyzer/binary/binary.h"
#include "analyzer/binary/debug.h"
#include "analyzer/core/arch.h"
#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/emit/json_values.h"
#include "analyzer/snapshot/analysis.h"
#include "analyzer/snapshot/panic_origin.h"
#include "common/limits.h"
#include "common/redact/redact.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SIGNAL_NAME_SIZE 32
#define TITLE_SIZE 512

static const char *signal_name(uint32_t number, char *text, size_t size)
{
	const char *name = sigabbrev_np((int)number);

	if (name)
		snprintf(text, size, "SIG%s", name);
	else
		snprintf(text, size, "signal %u", number);
	return text;
}

static void write_signal(struct json_writer *w, const struct crash_signal *signal)
{
	char name[SIGNAL_NAME_SIZE];

	jsonw_key(w, "signal");
	if (!signal->number) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_u64(w, "number", signal->number);
	jsonw_member_string(w, "name", signal_name(signal->number, name, sizeof(name)));
	if (signal->lacks_code)
		jsonw_member_null(w, "code");
	else
		jsonw_member_i64(w, "code", signal->code);
	if (signal->has_address)
		jsonw_member_address(w, "address", signal->address);
	else
		jsonw_member_null(w, "address");
	jsonw_end_object(w);
}

static void write_strings(struct json_writer *w, const struct analysis *analysis)
{
	const struct string_list *arguments = &analysis->arguments;
	const struct string_list *environment = &analysis->environment;

	jsonw_key(w, "args");
	if (analysis->has_arguments) {
		jsonw_begin_array(w);
		for (size_t i = 0; i < arguments->count; i++)
			jsonw_string(w, arguments->list[i]);
		jsonw_end_array(w);
		if (arguments->total > arguments->count)
			jsonw_member_u64(w, "args_total", arguments->total);
	} else {
		jsonw_null(w);
	}
	jsonw_key(w, "environment");
	if (!analysis->has_environment) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	for (size_t i = 0; i < environment->count; i++) {
		const char *equals = strchr(environment->list[i], '=');

		if (!equals)
			continue;
		jsonw_key_sized(w, environment->list[i], (size_t)(equals - environment->list[i]));
		jsonw_string(w, equals + 1);
	}
	jsonw_end_object(w);
}

void json_write_process(struct json_writer *w, const struct analysis *analysis)
{
	static const char *const unknown[] = {"pid", "uid", "gid", NULL};
	const struct image_notes *notes = image_notes(analysis->image);
	const struct crash_signal signal = {
		.number = notes->has_signal ? (uint32_t)notes->signal : 0,
		.code = notes->signal_code,
		.lacks_code = !notes->has_signal_code,
		.has_address = notes->has_signal_address,
		.address = notes->signal_address};

	jsonw_newline(w);
	jsonw_key(w, "process");
	jsonw_begin_object(w);
	if (notes->has_process) {
		jsonw_member_u64(w, "pid", notes->pid);
		jsonw_member_u64(w, "uid", notes->uid);
		jsonw_member_u64(w, "gid", notes->gid);
	} else if (notes->at_random) { // the kernel writes it behind AT_UID and AT_GID
		jsonw_member_null(w, "pid");
		jsonw_member_u64(w, "uid", notes->at_uid);
		jsonw_member_u64(w, "gid", notes->at_gid);
	} else {
		json_members_null(w, unknown);
	}
	jsonw_member_string(w, "executable", analysis->executable->path);
	jsonw_member_null(w, "unit");
	write_strings(w, analysis);
	write_signal(w, &signal);
	jsonw_end_object(w);
}

static bool is_repeated(const struct name_value *pairs, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(pairs[i].name, pairs[index].name))
			return true;
	return false;
}

/** Build settings hold whole command lines: "-ldflags" may set a variable to a secret. */
static void write_settings(struct json_writer *w, const struct analysis *analysis)
{
	const struct binary_info *info = analysis->build;

	jsonw_key(w, "settings");
	jsonw_begin_object(w);
	for (size_t i = 0; i < info->setting_count; i++) {
		const char *value = info->settings[i].value;

		if (is_repeated(info->settings, i))
			continue;
		jsonw_text_key(w, info->settings[i].name);
		jsonw_string(
			w, value ? redact_text(analysis->arena, value, strlen(value), NULL) : NULL);
	}
	jsonw_end_object(w);
}

static void write_build(struct json_writer *w, const struct analysis *analysis)
{
	const struct binary_info *info = analysis->build;

	jsonw_key(w, "main");
	jsonw_begin_object(w);
	jsonw_member_string(w, "path", info->main_path);
	jsonw_member_string(w, "version", info->main_version);
	jsonw_end_object(w);
	write_settings(w, analysis);
	jsonw_key(w, "modules");
	jsonw_begin_array(w);
	for (size_t i = 0; i < info->module_count; i++) {
		jsonw_begin_object(w);
		jsonw_member_string(w, "path", info->modules[i].name);
		jsonw_member_string(w, "version", info->modules[i].value);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_file(struct json_writer *w, const struct binary *binary)
{
	static const char *const debug_sources[] = {[DEBUG_NONE] = "none",
		[DEBUG_EMBEDDED] = "embedded",
		[DEBUG_LINK] = "debuglink",
		[DEBUG_BUILD_ID] = "build-id",
		[DEBUG_DEBUGINFOD] = "debuginfod"};
	const struct binary_info *info = binary_info(binary);

	jsonw_member_bool(w, "has_dwarf", info->has_dwarf);
	jsonw_member_bool(w, "has_symtab", info->has_symtab);
	jsonw_member_bool(w, "pie", info->is_pie);
	jsonw_member_bool(w, "cgo", info->has_cgo);
	jsonw_member_string(w, "debug_source", debug_sources[binary_debug_source(binary)]);
}

static const char *either(const char *first, const char *second)
{
	return first ? first : second;
}

static void write_runtime(struct json_writer *w, const struct runtime *rt)
{
	static const char *const unknown[] = {"layout", "layout_from", "traceback_level", NULL};
	static const char *const sources[] = {"exact", "dwarf", "guessed"};
	static const char *const levels[] = {"none", "single", "all", "system", "crash"};

	jsonw_newline(w);
	jsonw_key(w, "runtime");
	jsonw_begin_object(w);
	if (rt) {
		jsonw_member_string(w, "layout", sources[rt->layout.source]);
		jsonw_member_string(w, "layout_from", rt->layout.from);
		jsonw_member_string(w, "traceback_level", levels[rt->traceback]);
	} else {
		json_members_null(w, unknown);
	}
	jsonw_end_object(w);
}

void json_write_binary(struct json_writer *w, const struct analysis *analysis)
{
	static const struct binary_info nothing;
	static const char *const no_build[] = {"main", "settings", "modules", NULL};
	static const char *const no_file[] = {
		"has_dwarf", "has_symtab", "pie", "cgo", "debug_source", NULL};
	const struct core_executable *executable = analysis->executable;
	const struct binary_info *info = analysis->build ? analysis->build : &nothing;
	const char *arch = arch_of(analysis->image)->name;

	jsonw_newline(w);
	jsonw_key(w, "binary");
	jsonw_begin_object(w);
	jsonw_member_string(w, "go_version",
		either(analysis->rt ? analysis->rt->version : NULL, info->go_version));
	jsonw_member_string(w, "goos", info->goos);
	jsonw_member_string(w, "goarch", either(info->goarch, arch));
	jsonw_member_string(w, "go_build_id", either(executable->go_build_id, info->go_build_id));
	jsonw_member_string(
		w, "gnu_build_id", either(executable->gnu_build_id, info->gnu_build_id));
	if (analysis->build)
		write_build(w, analysis);
	else
		json_members_null(w, no_build);
	if (analysis->binary)
		write_file(w, analysis->binary);
	else
		json_members_null(w, no_file);
	jsonw_end_object(w);
	write_runtime(w, analysis->rt);
}

static void write_sized(struct json_writer *w, const char *text, size_t size)
{
	if (text)
		jsonw_string_sized(w, text, size);
	else
		jsonw_null(w);
}

/** One panic of the chain: a Value of kind interface, with what the runtime printed of it. */
static void write_panic(
	struct json_values *values, struct value *value, const struct panic_value *panic)
{
	struct json_writer *w = values->w;

	jsonw_begin_object(w);
	if (value) {
		value->natural_text = NULL; // what the runtime printed is
		json_write_value_members(values, value, NULL);
	} else { // its text stands in its place, and its type is gone
		jsonw_member_string(w, "type", "interface {}");
		jsonw_member_string(w, "kind", "interface");
		jsonw_member_null(w, "address");
		jsonw_member_null(w, "dynamic_type");
	}
	jsonw_key(w, "text");
	write_sized(w, panic->text, panic->text_size);
	jsonw_member_bool(w, "recovered", panic->is_recovered);
	jsonw_member_bool(w, "goexit", panic->is_goexit);
	jsonw_member_bool(w, "repanicked", panic->is_repanicked);
	jsonw_end_object(w);
}

static void write_panics(struct json_writer *w, const struct analysis *analysis)
{
	const struct panics *panics = &analysis->crash.panics;
	struct value_reader reader;
	struct json_values values;
	struct arena scratch;
	struct walk *walk = arena_alloc(analysis->arena, sizeof(*walk));
	struct place place;

	arena_init(&scratch, MAX_VALUES_MEMORY);
	json_values_init(&values, w, analysis->arena, &scratch);
	analysis_value_reader(analysis, &reader);
	value_reader_begin(&reader, &scratch, MAX_PANIC_VALUES);
	if (walk && analysis->crash.goroutine != NO_GOROUTINE)
		analysis_walk(analysis, analysis->crash.goroutine, walk);
	jsonw_key(w, "values");
	jsonw_begin_array(w);
	for (size_t i = 0; walk && i < panics->count; i++) {
		struct value *value = NULL;

		if (panic_origin(analysis, &panics->list[i], walk, &place))
			value = value_read(
				&reader, types_basic(reader.types, GO_INTERFACE), &place);
		write_panic(&values, value, &panics->list[i]);
	}
	jsonw_end_array(w);
	arena_deinit(&scratch);
}

static void write_grouping(struct json_writer *w, const struct grouping_keys *keys)
{
	static const char *const unknown[] = {"coarse", "default", "fine", NULL};

	jsonw_key(w, "grouping");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "version", GROUPING_VERSION);
	if (keys) {
		jsonw_member_string(w, "coarse", keys->coarse);
		jsonw_member_string(w, "default", keys->standard);
		jsonw_member_string(w, "fine", keys->fine);
	} else {
		json_members_null(w, unknown);
	}
	jsonw_end_object(w);
	jsonw_member_string(w, "fingerprint", keys ? keys->standard : NULL);
}

static void member_goroutine_id(
	struct json_writer *w, const char *key, const struct analysis *analysis, size_t index)
{
	jsonw_key(w, key);
	if (index == NO_GOROUTINE)
		jsonw_null(w);
	else
		jsonw_u64(w, analysis->goroutines.list[index].id);
}

static void write_full_crash(struct json_writer *w, const struct analysis *analysis)
{
	const struct crash *crash = &analysis->crash;

	jsonw_member_string(
		w, "kind", crash->is_kind_unknown ? NULL : crash_kind_name(crash->kind));
	jsonw_key(w, "message");
	write_sized(w, crash->message, crash->message_size);
	write_panics(w, analysis);
	member_goroutine_id(w, "goroutine", analysis, crash->goroutine);
	json_member_index(w, "thread", crash->thread_id ? crash->thread_id : UINT32_MAX);
	jsonw_key(w, "blamed");
	jsonw_begin_array(w);
	if (crash->blamed != NO_GOROUTINE)
		jsonw_u64(w, analysis->goroutines.list[crash->blamed].id);
	for (size_t i = 0; i < crash->other_count; i++)
		jsonw_u64(w, analysis->goroutines.list[crash->others[i]].id);
	jsonw_end_array(w);
	write_signal(w, &crash->signal);
	jsonw_member_string(w, "title", crash->title);
	write_grouping(w, &crash->keys);
}

/** What a person reads in a list: "SIGABRT in app (not analysed)". */
static void write_minimal_title(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);
	const char *path = either(analysis->executable->path, notes->command);
	const char *slash = path ? strrchr(path, '/') : NULL;
	char signal[SIGNAL_NAME_SIZE] = "crash";
	char title[TITLE_SIZE], what[SIGNAL_NAME_SIZE + 8] = "live process";

	if (notes->has_signal)
		signal_name((uint32_t)notes->signal, signal, sizeof(signal));
	if (!notes->is_live)
		snprintf(what, sizeof(what), "%s in", signal);
	snprintf(title, sizeof(title), "%s %.400s (not analysed)", what,
		slash ? slash + 1 : either(path, "an unknown program"));
	jsonw_member_string(w, "title", title);
}

static void write_minimal_crash(struct json_writer *w, const struct analysis *analysis)
{
	const struct image_notes *notes = image_notes(analysis->image);
	const struct crash_signal none = {0};

	const char *kind = notes->is_live ? "none" : NULL;

	// The Go runtime ends panics and fatal errors with SIGABRT: which it was is not known here.
	if (notes->has_signal && notes->signal != SIGABRT)
		kind = "signal";
	jsonw_member_string(w, "kind", kind);
	jsonw_member_null(w, "message");
	jsonw_key(w, "values");
	jsonw_begin_array(w);
	jsonw_end_array(w);
	jsonw_member_null(w, "goroutine");
	json_member_index(w, "thread", notes->thread_count ? notes->threads[0].id : UINT32_MAX);
	jsonw_key(w, "blamed");
	jsonw_begin_array(w);
	jsonw_end_array(w);
	write_signal(w, &none);
	write_minimal_title(w, analysis);
	write_grouping(w, NULL);
}

void json_write_crash(struct json_writer *w, const struct analysis *analysis)
{
	jsonw_newline(w);
	jsonw_key(w, "crash");
	jsonw_begin_object(w);
	if (analysis->rt)
		write_full_crash(w, analysis);
	else
		write_minimal_crash(w, analysis);
	jsonw_end_object(w);
}
