#include "analyzer/emit/json.h"

#include "analyzer/emit/json_members.h"
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"

#include <stdio.h>
#include <time.h>

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

static void write_capture(struct json_writer *w, const struct analysis *analysis)
{
	static const char *const unknown[] = {"freeze_ns", "bytes_read", NULL};

	jsonw_key(w, "capture");
	jsonw_begin_object(w);
	jsonw_member_string(w, "mode", "file");
	json_members_null(w, unknown);
	jsonw_member_bool(w, "complete",
		image_expected_size(analysis->image) <= image_file_size(analysis->image));
	jsonw_end_object(w);
}

void json_write_origin(struct json_writer *w, const struct analysis *analysis)
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
	write_capture(w, analysis);
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
	jsonw_key(w, "classifications");
	jsonw_begin_array(w);
	jsonw_end_array(w);
}

static void write_limits(struct json_writer *w, const struct analysis_options *options)
{
	jsonw_newline(w);
	jsonw_key(w, "limits");
	jsonw_begin_object(w);
	jsonw_member_u64(w, "max_string", options->limits.max_string);
	jsonw_member_u64(w, "max_elements", options->limits.max_elements);
	jsonw_member_u64(w, "max_depth", options->limits.max_depth);
	jsonw_member_u64(w, "max_fields", options->limits.max_fields);
	jsonw_member_u64(w, "max_queue", options->limits.max_queue);
	jsonw_member_u64(w, "max_goroutines_with_variables", options->max_goroutines);
	jsonw_member_u64(w, "max_frames", MAX_FRAMES);
	jsonw_end_object(w);
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

static void write_document(struct json_writer *w, const struct analysis *analysis)
{
	static const char *const attachments[] = {"attachments", NULL};

	jsonw_begin_object(w);
	json_write_origin(w, analysis);
	json_write_process(w, analysis);
	json_write_binary(w, analysis);
	json_write_crash(w, analysis);
	write_limits(w, analysis->options);
	json_write_tables(w, analysis);
	json_write_goroutines(w, analysis);
	json_write_threads(w, analysis);
	json_write_channels(w, analysis);
	json_write_sync(w, analysis);
	json_write_scheduler(w, analysis);
	json_write_blocking(w, analysis);
	json_write_gc(w, analysis);
	json_write_memory(w, analysis);
	json_write_timers(w, analysis);
	json_write_descriptors(w, analysis);
	json_write_globals(w, analysis);
	json_members_empty(w, attachments);
	jsonw_newline(w);
	jsonw_member_u64(w, "suppressed_before", 0);
	write_diagnostics(w, analysis->diag);
	jsonw_end_object(w);
	w->comma = false; // nothing follows: the last line's end is no separator
	jsonw_newline(w);
}

enum cs_status emit_json(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context)
{
	struct json_writer w;
	enum cs_status status = jsonw_init(&w, sink, context);

	(void)options;
	if (status != CS_OK)
		return status;
	write_document(&w, analysis);
	status = jsonw_finish(&w);
	jsonw_deinit(&w);
	return status;
}
