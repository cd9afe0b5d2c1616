#include "server/page.h"

#include "common/json/reader.h"
#include "common/limits.h"
#include "server/html.h"

#include <string.h>

static unsigned int not_found(struct page *page, const char *what)
{
	page->out->used = 0;
	text_format(page->out, "no such %s in this snapshot\n", what);
	return 404;
}

/** <title> and <h1>: `what` if there is one, else the crash's title. */
static void begin(struct page *page, const json_t *crash, const char *what)
{
	const json_t *title = json_object_get(crash, "title");
	const char *text = json_string_value(title);

	if (what)
		html_begin(page->out, what, strlen(what));
	else
		html_begin(
			page->out, text ? text : "snapshot", text ? json_string_length(title) : 8);
	text_add(page->out, "<h1>");
	if (what)
		text_html(page->out, what);
	else
		page_text(page, title);
	text_add(page->out, "</h1>\n");
}

static void add_up_link(struct page *page, const json_t *crash)
{
	text_format(page->out, "<p><a href=\"/snapshots/%s\">", page_id(page));
	page_text(page, json_object_get(crash, "title"));
	text_add(page->out, "</a></p>\n");
}

static void add_program_facts(struct page *page)
{
	json_t *process = jsonr_member(page->reader, "process");
	json_t *binary = jsonr_member(page->reader, "binary");
	json_t *host = jsonr_member(page->reader, "host");
	const json_t *main_module = json_object_get(binary, "main");
	const json_t *signal = json_object_get(process, "signal");

	page_fact(page, "host", json_object_get(host, "hostname"));
	page_fact(page, "executable", json_object_get(process, "executable"));
	page_fact(page, "process", json_object_get(process, "pid"));
	page_fact(page, "unit", json_object_get(process, "unit"));
	page_fact(page, "signal", json_object_get(signal, "name"));
	page_fact(page, "address", json_object_get(signal, "address"));
	page_fact(page, "module", json_object_get(main_module, "path"));
	page_fact(page, "version", json_object_get(main_module, "version"));
	page_fact(page, "revision",
		json_object_get(json_object_get(binary, "settings"), "vcs.revision"));
	page_fact(page, "Go", json_object_get(binary, "go_version"));
	page_fact(page, "architecture", json_object_get(binary, "goarch"));
	page_fact(page, "kernel", json_object_get(host, "kernel"));
	json_decref(process);
	json_decref(binary);
	json_decref(host);
}

static void add_facts(struct page *page, const json_t *crash)
{
	json_t *captured = jsonr_member(page->reader, "captured_at");
	json_t *source = jsonr_member(page->reader, "source");

	text_add(page->out, "<dl class=\"facts\">\n");
	page_fact(page, "kind", json_object_get(crash, "kind"));
	page_fact(page, "captured", captured);
	add_program_facts(page);
	page_fact(page, "source", source);
	page_fact(page, "fingerprint", json_object_get(crash, "fingerprint"));
	text_add(page->out, "</dl>\n");
	text_format(page->out,
		"<p><a href=\"/%s\">JSON</a> \xc2\xb7 <a href=\"/snapshots/%s.txt\">plain "
		"text</a></p>\n",
		page->key, page_id(page));
	json_decref(captured);
	json_decref(source);
}

static void add_goroutine_section(struct page *page, const char *title, const json_t *id)
{
	json_t *goroutine;

	if (!json_is_integer(id) || json_integer_value(id) < 0)
		return;
	goroutine = page_find_goroutine(page, (uint64_t)json_integer_value(id));
	if (!goroutine)
		return;
	text_format(page->out,
		"<section>\n<h2>%s <a href=\"/snapshots/%s/goroutines/%lld\">%lld</a> <small>",
		title, page_id(page), (long long)json_integer_value(id),
		(long long)json_integer_value(id));
	page_state(page, goroutine);
	text_add(page->out, "</small></h2>\n");
	page_stack(page, json_object_get(goroutine, "stack"), MAX_FRAMES_SHOWN);
	text_add(page->out, "</section>\n");
	json_decref(goroutine);
}

/** The thread that the signal hit, where no goroutine ran. */
static void add_crashing_thread(struct page *page, const json_t *id)
{
	json_t *thread = page_find_thread(page, id);

	if (!thread)
		return;
	text_format(page->out, "<section>\n<h2>Crashing thread %lld</h2>\n",
		(long long)json_integer_value(id));
	page_stack(page, json_object_get(thread, "stack"), MAX_FRAMES_SHOWN);
	text_add(page->out, "</section>\n");
	json_decref(thread);
}

/** Whom to look at: the crashing goroutine or thread, and who else is blamed. */
static void add_suspects(struct page *page, const json_t *crash)
{
	const json_t *goroutine = json_object_get(crash, "goroutine");
	const json_t *blamed = json_object_get(crash, "blamed");

	if (json_is_integer(goroutine))
		add_goroutine_section(page, "Crashing goroutine", goroutine);
	else
		add_crashing_thread(page, json_object_get(crash, "thread"));
	for (size_t i = 0; i < json_array_size(blamed) && i < MAX_GROUP_EXAMPLES; i++) {
		const json_t *id = json_array_get(blamed, i);

		if (!json_equal(id, goroutine))
			add_goroutine_section(page, "Look at goroutine", id);
	}
}

unsigned int page_snapshot(struct page *page)
{
	json_t *crash = jsonr_member(page->reader, "crash");
	const json_t *message = json_object_get(crash, "message");

	begin(page, crash, NULL);
	if (json_string_length(message)) {
		text_add(page->out, "<pre class=\"message\">");
		page_text(page, message);
		text_add(page->out, "</pre>\n");
	}
	add_facts(page, crash);
	add_suspects(page, crash);
	page_groups(page);
	page_threads(page);
	page_channels(page);
	page_diagnostics(page);
	html_end(page->out);
	json_decref(crash);
	return 200;
}

static void add_frame_fact(struct page *page, const char *label, const json_t *index)
{
	json_t *frame = page_row(page, "frames", index);

	if (frame)
		page_fact(page, label, json_object_get(frame, "function"));
	json_decref(frame);
}

static void add_parent(struct page *page, const json_t *parent)
{
	if (!json_is_integer(parent) || json_integer_value(parent) < 0)
		return;
	text_format(page->out, "<dt>parent</dt><dd>goroutine %lld</dd>\n",
		(long long)json_integer_value(parent));
}

static void add_waits(struct page *page, const json_t *waits)
{
	for (size_t i = 0; i < json_array_size(waits) && i < MAX_GROUP_PAGE; i++) {
		const json_t *wait = json_array_get(waits, i);

		text_add(page->out, "<dt>waits for</dt><dd>");
		page_text(page, json_object_get(wait, "operation"));
		text_add(page->out, " ");
		page_text(page, json_object_get(wait, "kind"));
		text_add(page->out, " <code>");
		page_text(page, json_object_get(wait, "address"));
		text_add(page->out, "</code></dd>\n");
	}
}

static void add_labels(struct page *page, json_t *labels)
{
	const char *name;
	json_t *value;

	json_object_foreach(labels, name, value)
	{
		text_add(page->out, "<dt>label ");
		text_html(page->out, name);
		text_add(page->out, "</dt><dd>");
		page_text(page, value);
		text_add(page->out, "</dd>\n");
	}
}

unsigned int page_goroutine(struct page *page, uint64_t id)
{
	json_t *goroutine = page_find_goroutine(page, id);
	json_t *crash = jsonr_member(page->reader, "crash");
	const char *name = arena_format(page->arena, "goroutine %llu", (unsigned long long)id);

	if (!goroutine || !name) {
		json_decref(crash);
		json_decref(goroutine);
		return not_found(page, "goroutine");
	}
	begin(page, crash, name);
	add_up_link(page, crash);
	text_add(page->out, "<p>");
	page_state(page, goroutine);
	text_add(page->out, "</p>\n<dl class=\"facts\">\n");
	page_fact(page, "thread", json_object_get(goroutine, "thread"));
	page_fact(page, "processor", json_object_get(goroutine, "processor"));
	page_fact(page, "started as", json_object_get(goroutine, "start"));
	add_frame_fact(page, "created by", json_object_get(goroutine, "created_by"));
	add_parent(page, json_object_get(goroutine, "parent"));
	add_waits(page, json_object_get(goroutine, "waiting_on"));
	page_fact(page, "wait known from", json_object_get(goroutine, "wait_source"));
	page_fact(page, "stack size", json_object_get(goroutine, "stack_size"));
	page_fact(page, "stack used", json_object_get(goroutine, "stack_used"));
	page_fact(page, "of the runtime", json_object_get(goroutine, "system"));
	page_fact(page, "locked to thread", json_object_get(goroutine, "locked_to_thread"));
	add_labels(page, json_object_get(goroutine, "labels"));
	text_add(page->out, "</dl>\n<h2>Stack</h2>\n");
	page_stack(page, json_object_get(goroutine, "stack"), MAX_FRAMES);
	html_end(page->out);
	json_decref(crash);
	json_decref(goroutine);
	return 200;
}

static bool is_same(struct json_text a, struct json_text b)
{
	return a.bytes && a.size == b.size && !memcmp(a.bytes, b.bytes, a.size);
}

/** Whether a goroutine is of a group: one writer wrote both, so equal values are equal bytes. */
static bool is_member(struct json_text goroutine, const struct json_text *wanted)
{
	return is_same(jsonr_peek(goroutine, "status"), wanted[0]) &&
	       is_same(jsonr_peek(goroutine, "wait_reason"), wanted[1]) &&
	       is_same(jsonr_peek(goroutine, "stack"), wanted[2]);
}

/** Lists ids of the group's goroutines; returns whether there are more than fit on this page. */
static bool add_members(struct page *page, struct json_text group, uint64_t skip)
{
	const struct json_text wanted[] = {jsonr_peek(group, "status"),
		jsonr_peek(group, "wait_reason"), jsonr_peek(group, "stack")};
	size_t count = jsonr_count(page->reader, "goroutines");
	const char *id = page_id(page);
	uint64_t seen = 0;
	bool has_more = false;

	text_add(page->out, "<ul class=\"ids\">\n");
	for (size_t i = 0; i < count && !has_more; i++) {
		struct json_text row = jsonr_row_text(page->reader, "goroutines", i);
		int64_t number;

		if (!is_member(row, wanted) || !jsonr_peek_i64(row, "id", &number) || number < 0)
			continue;
		seen++;
		if (seen > skip + MAX_GROUP_PAGE)
			has_more = true;
		else if (seen > skip)
			text_format(page->out,
				"<li><a href=\"/snapshots/%s/goroutines/%lld\">%lld</a></li>\n", id,
				(long long)number, (long long)number);
	}
	text_add(page->out, "</ul>\n");
	return has_more;
}

unsigned int page_group(struct page *page, uint64_t index, uint64_t skip)
{
	struct json_text text = jsonr_row_text(page->reader, "groups", index);
	json_t *group = jsonr_row(page->reader, "groups", index);
	json_t *crash = jsonr_member(page->reader, "crash");
	const char *name = arena_format(page->arena, "%lld goroutines",
		(long long)json_integer_value(json_object_get(group, "count")));

	if (!group || !name) {
		json_decref(crash);
		json_decref(group);
		return not_found(page, "group");
	}
	begin(page, crash, name);
	add_up_link(page, crash);
	text_add(page->out, "<p>");
	page_state(page, group);
	text_add(page->out, "</p>\n");
	page_stack(page, json_object_get(group, "stack"), MAX_FRAMES_SHOWN);
	text_add(page->out, "<h2>Goroutines</h2>\n");
	if (add_members(page, text, skip))
		text_format(page->out,
			"<p><a rel=\"next\" href=\"/snapshots/%s/groups/%llu?after=%llu\">next "
			"%d</a></p>\n",
			page_id(page), (unsigned long long)index,
			(unsigned long long)(skip + MAX_GROUP_PAGE), MAX_GROUP_PAGE);
	html_end(page->out);
	json_decref(crash);
	json_decref(group);
	return 200;
}
