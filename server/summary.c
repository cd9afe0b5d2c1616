// The snapshot in ten to thirty lines, for a terminal: what `curl -H 'Accept: text/plain'` shows.
#include "common/json/reader.h"
#include "common/limits.h"
#include "server/page.h"

#include <string.h>

#define SUMMARY_FRAMES 10

static void add_string(struct page *page, const json_t *value, const char *otherwise)
{
	if (json_string_length(value))
		text_line(page->out, json_string_value(value), json_string_length(value));
	else
		text_add(page->out, otherwise);
}

static void add_where(struct page *page)
{
	json_t *process = jsonr_member(page->reader, "process");
	json_t *binary = jsonr_member(page->reader, "binary");
	json_t *host = jsonr_member(page->reader, "host");
	json_t *captured = jsonr_member(page->reader, "captured_at");
	const json_t *pid = json_object_get(process, "pid");
	const json_t *signal = json_object_get(json_object_get(process, "signal"), "name");

	add_string(page, json_object_get(process, "executable"), "?");
	if (json_is_integer(pid))
		text_format(page->out, " (pid %lld)", (long long)json_integer_value(pid));
	text_add(page->out, " on ");
	add_string(page, json_object_get(host, "hostname"), "?");
	text_add(page->out, ", ");
	add_string(page, json_object_get(binary, "go_version"), "unknown Go");
	text_add(page->out, ", ");
	add_string(page, captured, "?");
	if (json_is_string(signal)) {
		text_add(page->out, ", ");
		add_string(page, signal, "");
	}
	text_add(page->out, "\n");
	json_decref(process);
	json_decref(binary);
	json_decref(host);
	json_decref(captured);
}

static void add_frame(struct page *page, const json_t *frame)
{
	const json_t *line = json_object_get(frame, "line");

	add_string(page, json_object_get(frame, "function"), "?");
	if (json_string_length(json_object_get(frame, "file"))) {
		text_add(page->out, "  ");
		add_string(page, json_object_get(frame, "file"), "?");
		if (json_is_integer(line))
			text_format(page->out, ":%lld", (long long)json_integer_value(line));
	}
}

static void add_stack(struct page *page, const json_t *stack)
{
	json_t *indexes = page_row(page, "stacks", stack);
	size_t count = json_array_size(indexes);

	for (size_t i = 0; i < count && i < SUMMARY_FRAMES; i++) {
		json_t *frame = page_row(page, "frames", json_array_get(indexes, i));

		text_add(page->out, "    ");
		add_frame(page, frame);
		text_add(page->out, "\n");
		json_decref(frame);
	}
	if (count > SUMMARY_FRAMES)
		text_format(page->out, "    … %zu more\n", count - SUMMARY_FRAMES);
	json_decref(indexes);
}

/** "waiting, chan receive, 2m 0s" */
static void add_state(struct page *page, const json_t *row, const char *wait_key)
{
	const json_t *wait = json_object_get(row, wait_key);

	add_string(page, json_object_get(row, "status"), "?");
	if (json_is_string(json_object_get(row, "wait_reason"))) {
		text_add(page->out, ", ");
		add_string(page, json_object_get(row, "wait_reason"), "");
	}
	if (json_is_integer(wait) && json_integer_value(wait) >= 0) {
		text_add(page->out, ", ");
		text_duration(page->out, (unsigned long long)json_integer_value(wait));
	}
}

/** The goroutine that crashed, or the first that is blamed. */
static json_t *find_suspect(struct page *page, const json_t *crash)
{
	const json_t *id = json_object_get(crash, "goroutine");

	if (!json_is_integer(id))
		id = json_array_get(json_object_get(crash, "blamed"), 0);
	if (!json_is_integer(id) || json_integer_value(id) < 0)
		return NULL;
	return page_find_goroutine(page, (uint64_t)json_integer_value(id));
}

static void add_suspect(struct page *page, const json_t *crash)
{
	json_t *goroutine = find_suspect(page, crash);
	json_t *thread =
		goroutine ? NULL : page_find_thread(page, json_object_get(crash, "thread"));
	const json_t *row = goroutine ? goroutine : thread;

	if (row)
		text_format(page->out, "\n%s %lld", goroutine ? "goroutine" : "thread",
			(long long)json_integer_value(json_object_get(row, "id")));
	if (goroutine) {
		text_add(page->out, " [");
		add_state(page, goroutine, "wait_ns");
		text_add(page->out, "]");
	}
	if (row) {
		text_add(page->out, ":\n");
		add_stack(page, json_object_get(row, "stack"));
	}
	json_decref(goroutine);
	json_decref(thread);
}

static void add_group(struct page *page, size_t index)
{
	json_t *group = jsonr_row(page->reader, "groups", index);
	json_t *frame = page_top_frame(page, json_object_get(group, "stack"));

	text_format(page->out, "%8lld  ",
		(long long)json_integer_value(json_object_get(group, "count")));
	add_state(page, group, "wait_max_ns");
	text_add(page->out, "  ");
	if (frame)
		add_frame(page, frame);
	text_add(page->out, "\n");
	json_decref(frame);
	json_decref(group);
}

static void add_groups(struct page *page)
{
	json_t *total = jsonr_member(page->reader, "goroutines_total");
	size_t count = jsonr_count(page->reader, "groups");
	long long goroutines = json_is_integer(total)
				       ? (long long)json_integer_value(total)
				       : (long long)jsonr_count(page->reader, "goroutines");

	if (!goroutines && !json_is_integer(total))
		text_add(page->out, "\nno goroutine could be recovered\n");
	else
		text_format(page->out, "\n%lld goroutine%s in %zu group%s\n", goroutines,
			goroutines == 1 ? "" : "s", count, count == 1 ? "" : "s");
	for (size_t i = 0; i < count && i < MAX_SUMMARY_GROUPS; i++)
		add_group(page, i);
	if (count > MAX_SUMMARY_GROUPS)
		text_format(page->out, "          … %zu more groups\n", count - MAX_SUMMARY_GROUPS);
	json_decref(total);
}

/** Warnings and errors only: what a version does not read by design is on the page. */
static bool is_worth_a_line(const json_t *entry)
{
	const char *severity = json_string_value(json_object_get(entry, "severity"));

	return !severity || strcmp(severity, "info") != 0;
}

static void add_diagnostics(struct page *page)
{
	size_t count = jsonr_count(page->reader, "diagnostics"), added = 0;

	for (size_t i = 0; i < count && added < MAX_SUMMARY_DIAGNOSTICS; i++) {
		json_t *entry = jsonr_row(page->reader, "diagnostics", i);

		if (is_worth_a_line(entry)) {
			text_add(page->out, added++ ? "" : "\n");
			add_string(page, json_object_get(entry, "severity"), "note");
			text_add(page->out, ": ");
			add_string(page, json_object_get(entry, "message"), "");
			text_add(page->out, "\n");
		}
		json_decref(entry);
	}
}

unsigned int page_summary(struct page *page)
{
	json_t *crash = jsonr_member(page->reader, "crash");

	add_string(page, json_object_get(crash, "title"), "a crash without a title");
	text_add(page->out, "\n");
	add_where(page);
	add_suspect(page, crash);
	add_groups(page);
	add_diagnostics(page);
	json_decref(crash);
	return 200;
}
