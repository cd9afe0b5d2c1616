// The tables of a snapshot's page: groups, threads, channels, diagnostics.
#include "common/json/reader.h"
#include "common/limits.h"
#include "server/page.h"

#include <string.h>

static void begin_table(struct page *page, const char *title, size_t count, const char *heads)
{
	text_format(page->out,
		"<section>\n<h2>%s <small>%zu</small></h2>\n<table>\n<thead><tr>%s</tr></thead>\n"
		"<tbody>\n",
		title, count, heads);
}

static void end_table(struct page *page, size_t count, size_t shown)
{
	text_add(page->out, "</tbody>\n</table>\n");
	if (count > shown)
		text_format(page->out, "<p class=\"dim\">%zu more are in the snapshot.</p>\n",
			count - shown);
	text_add(page->out, "</section>\n");
}

static size_t shown_of(size_t count, size_t max)
{
	return count < max ? count : max;
}

static void add_integer(struct page *page, const json_t *value)
{
	if (json_is_integer(value))
		text_format(page->out, "%lld", (long long)json_integer_value(value));
}

static void add_duration(struct page *page, const json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		text_duration(page->out, (unsigned long long)json_integer_value(value));
}

/** A link to goroutine `id` of this snapshot; nothing for null. */
static void add_goroutine(struct page *page, const char *snapshot, const json_t *id)
{
	if (json_is_integer(id) && json_integer_value(id) >= 0)
		text_format(page->out, "<a href=\"/snapshots/%s/goroutines/%lld\">%lld</a>",
			snapshot, (long long)json_integer_value(id),
			(long long)json_integer_value(id));
}

static void add_group(struct page *page, const char *id, size_t index)
{
	json_t *group = jsonr_row(page->reader, "groups", index);
	const json_t *examples = json_object_get(group, "examples");

	text_format(page->out, "<tr><td class=\"num\"><a href=\"/snapshots/%s/groups/%zu\">", id,
		index);
	add_integer(page, json_object_get(group, "count"));
	text_add(page->out, "</a></td><td class=\"nowrap\">");
	page_text(page, json_object_get(group, "status"));
	text_add(page->out, "</td><td class=\"name\">");
	page_text(page, json_object_get(group, "wait_reason"));
	text_add(page->out, "</td><td class=\"num\">");
	add_duration(page, json_object_get(group, "wait_max_ns"));
	text_add(page->out, "</td><td>");
	page_stack_top(page, json_object_get(group, "stack"));
	text_add(page->out, "</td><td class=\"wide\">");
	for (size_t i = 0; i < json_array_size(examples) && i < MAX_GROUP_EXAMPLES; i++) {
		if (i)
			text_add(page->out, " ");
		add_goroutine(page, id, json_array_get(examples, i));
	}
	text_add(page->out, "</td></tr>\n");
	json_decref(group);
}

void page_groups(struct page *page)
{
	size_t count = jsonr_count(page->reader, "groups");
	size_t shown = shown_of(count, MAX_GROUPS_SHOWN);
	const char *id = page_id(page);

	if (!count)
		return;
	begin_table(page, "Goroutine groups", count,
		"<th class=\"num\">count</th><th>status</th><th>wait reason</th>"
		"<th class=\"num\">longest</th><th class=\"fill\">at</th><th "
		"class=\"wide\">examples</th>");
	for (size_t i = 0; i < shown; i++)
		add_group(page, id, i);
	end_table(page, count, shown);
}

void page_threads(struct page *page)
{
	size_t count = jsonr_count(page->reader, "threads");
	size_t shown = shown_of(count, MAX_THREADS_SHOWN);
	const char *id = page_id(page);

	if (!count)
		return;
	begin_table(page, "Threads", count,
		"<th class=\"num\">thread</th><th class=\"num\">goroutine</th>"
		"<th class=\"num\">signal</th><th class=\"fill\">at</th>");
	for (size_t i = 0; i < shown; i++) {
		json_t *thread = jsonr_row(page->reader, "threads", i);

		text_add(page->out, "<tr><td class=\"num\">");
		add_integer(page, json_object_get(thread, "id"));
		text_add(page->out, "</td><td class=\"num\">");
		add_goroutine(page, id, json_object_get(thread, "goroutine"));
		text_add(page->out, "</td><td class=\"num\">");
		add_integer(page, json_object_get(thread, "signal"));
		text_add(page->out, "</td><td>");
		page_stack_top(page, json_object_get(thread, "stack"));
		text_add(page->out, "</td></tr>\n");
		json_decref(thread);
	}
	end_table(page, count, shown);
}

static void add_queue(struct page *page, const char *id, const json_t *channel, const char *queue)
{
	const json_t *waiters = json_object_get(channel, queue);
	size_t count = json_array_size(waiters);

	for (size_t i = 0; i < count && i < 8; i++) {
		text_add(page->out, i ? " " : "");
		add_goroutine(page, id, json_object_get(json_array_get(waiters, i), "goroutine"));
	}
	if (count > 8)
		text_format(page->out, " and %zu more", count - 8);
}

void page_channels(struct page *page)
{
	size_t count = jsonr_count(page->reader, "channels");
	size_t shown = shown_of(count, MAX_CHANNELS_SHOWN);
	const char *id = page_id(page);

	if (!count)
		return;
	begin_table(page, "Channels", count,
		"<th>channel</th><th>of</th><th class=\"num\">filled</th><th>senders</th>"
		"<th class=\"fill\">receivers</th>");
	for (size_t i = 0; i < shown; i++) {
		json_t *channel = jsonr_row(page->reader, "channels", i);

		text_add(page->out, "<tr><td><code>");
		page_text(page, json_object_get(channel, "address"));
		text_add(page->out, "</code>");
		if (json_is_true(json_object_get(channel, "closed")))
			text_add(page->out, " <span class=\"tag\">closed</span>");
		text_add(page->out, "</td><td><code>");
		page_text(page, json_object_get(channel, "element_type"));
		text_add(page->out, "</code></td><td class=\"num\">");
		add_integer(page, json_object_get(channel, "length"));
		text_add(page->out, "/");
		add_integer(page, json_object_get(channel, "capacity"));
		text_add(page->out, "</td><td>");
		add_queue(page, id, channel, "send_queue");
		text_add(page->out, "</td><td>");
		add_queue(page, id, channel, "receive_queue");
		text_add(page->out, "</td></tr>\n");
		json_decref(channel);
	}
	end_table(page, count, shown);
}

static const char *severity_class(const json_t *severity)
{
	const char *text = json_string_value(severity);

	if (text && !strcmp(text, "error"))
		return "error";
	return text && !strcmp(text, "warning") ? "warning" : "dim";
}

void page_diagnostics(struct page *page)
{
	size_t count = jsonr_count(page->reader, "diagnostics");
	size_t shown = shown_of(count, MAX_DIAGNOSTICS);

	if (!count)
		return;
	begin_table(page, "Diagnostics", count,
		"<th>severity</th><th>code</th><th class=\"fill\">message</th><th "
		"class=\"num\">times</th>");
	for (size_t i = 0; i < shown; i++) {
		json_t *entry = jsonr_row(page->reader, "diagnostics", i);
		const json_t *severity = json_object_get(entry, "severity");

		text_format(page->out, "<tr><td class=\"%s\">", severity_class(severity));
		page_text(page, severity);
		text_add(page->out, "</td><td class=\"nowrap\"><code>");
		page_text(page, json_object_get(entry, "code"));
		text_add(page->out, "</code></td><td>");
		page_text(page, json_object_get(entry, "message"));
		text_add(page->out, "</td><td class=\"num\">");
		add_integer(page, json_object_get(entry, "count"));
		text_add(page->out, "</td></tr>\n");
		json_decref(entry);
	}
	end_table(page, count, shown);
}
