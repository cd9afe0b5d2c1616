// What the pages of a snapshot share: frames, stacks, facts, the state of a goroutine.
#include "common/json/reader.h"
#include "common/limits.h"
#include "server/page.h"

#include <stdio.h>
#include <string.h>

void page_text(struct page *page, const json_t *string)
{
	if (json_is_string(string))
		text_html_sized(page->out, json_string_value(string), json_string_length(string));
}

void page_fact(struct page *page, const char *label, const json_t *value)
{
	if (!json_is_integer(value) && !json_is_boolean(value) && !json_string_length(value))
		return;
	text_format(page->out, "<dt>%s</dt><dd>", label);
	if (json_is_integer(value))
		text_format(page->out, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		text_add(page->out, json_is_true(value) ? "yes" : "no");
	else
		page_text(page, value);
	text_add(page->out, "</dd>\n");
}

const char *page_id(struct page *page)
{
	json_t *id = jsonr_member(page->reader, "id");
	const char *copy = id ? arena_string(page->arena, json_string_value(id)) : NULL;

	json_decref(id);
	return copy ? copy : "";
}

json_t *page_row(struct page *page, const char *table, const json_t *index)
{
	if (!json_is_integer(index) || json_integer_value(index) < 0)
		return NULL;
	return jsonr_row(page->reader, table, (size_t)json_integer_value(index));
}

/** "main.worker  main.go:42" with its tags. */
static void add_frame(struct page *page, const json_t *frame)
{
	const json_t *line = json_object_get(frame, "line");

	text_add(page->out, "<b>");
	page_text(page, json_object_get(frame, "function"));
	text_add(page->out, "</b>");
	if (json_string_length(json_object_get(frame, "file"))) {
		text_add(page->out, "<span class=\"at\"> ");
		page_text(page, json_object_get(frame, "file"));
		if (json_is_integer(line))
			text_format(page->out, ":%lld", (long long)json_integer_value(line));
		text_add(page->out, "</span>");
	}
	if (json_is_true(json_object_get(frame, "inlined")))
		text_add(page->out, " <span class=\"tag\">inlined</span>");
}

void page_stack(struct page *page, const json_t *stack, size_t max)
{
	json_t *indexes = page_row(page, "stacks", stack);
	size_t count = json_array_size(indexes);

	if (!count) {
		json_decref(indexes);
		text_add(page->out, "<p class=\"dim\">No frames.</p>\n");
		return;
	}
	text_add(page->out, "<ol class=\"stack\" start=\"0\">\n");
	for (size_t i = 0; i < count && i < max; i++) {
		json_t *frame = page_row(page, "frames", json_array_get(indexes, i));
		bool is_app = json_is_true(json_object_get(frame, "in_app"));

		text_add(page->out, is_app ? "<li class=\"app\">" : "<li>");
		add_frame(page, frame);
		text_add(page->out, "</li>\n");
		json_decref(frame);
	}
	text_add(page->out, "</ol>\n");
	if (count > max)
		text_format(page->out, "<p class=\"dim\">%zu more frames.</p>\n", count - max);
	json_decref(indexes);
}

json_t *page_top_frame(struct page *page, const json_t *stack)
{
	json_t *indexes = page_row(page, "stacks", stack);
	json_t *best = NULL;

	for (size_t i = 0; i < json_array_size(indexes) && i < MAX_FRAMES_SHOWN; i++) {
		json_t *frame = page_row(page, "frames", json_array_get(indexes, i));

		if (json_is_true(json_object_get(frame, "in_app"))) {
			json_decref(best);
			best = frame;
			break;
		}
		if (best)
			json_decref(frame);
		else
			best = frame;
	}
	json_decref(indexes);
	return best;
}

void page_stack_top(struct page *page, const json_t *stack)
{
	json_t *frame = page_top_frame(page, stack);

	if (frame) {
		text_add(page->out, "<code>");
		add_frame(page, frame);
		text_add(page->out, "</code>");
	}
	json_decref(frame);
}

/** The row of `table` whose id is `id`, decoded. */
static json_t *find_row(struct page *page, const char *table, uint64_t id)
{
	size_t count = jsonr_count(page->reader, table);

	for (size_t i = 0; i < count; i++) {
		struct json_text row = jsonr_row_text(page->reader, table, i);
		int64_t found;

		if (jsonr_peek_i64(row, "id", &found) && found >= 0 && (uint64_t)found == id)
			return jsonr_row(page->reader, table, i);
	}
	return NULL;
}

json_t *page_find_goroutine(struct page *page, uint64_t id)
{
	return find_row(page, "goroutines", id);
}

json_t *page_find_thread(struct page *page, const json_t *id)
{
	if (!json_is_integer(id) || json_integer_value(id) < 0)
		return NULL;
	return find_row(page, "threads", (uint64_t)json_integer_value(id));
}

void page_state(struct page *page, const json_t *goroutine)
{
	const json_t *reason = json_object_get(goroutine, "wait_reason");
	const json_t *wait = json_object_get(goroutine, "wait_ns");

	page_text(page, json_object_get(goroutine, "status"));
	if (json_is_string(reason)) {
		text_add(page->out, ": ");
		page_text(page, reason);
	}
	if (json_is_integer(wait) && json_integer_value(wait) >= 0) {
		text_add(page->out, ", ");
		text_duration(page->out, (unsigned long long)json_integer_value(wait));
	}
}
