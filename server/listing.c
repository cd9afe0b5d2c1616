#include "server/listing.h"

#include "common/json/writer.h"
#include "common/limits.h"
#include "server/catalog.h"
#include "server/html.h"
#include "server/key.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct listing {
	struct arena arena;
	struct snapshot_row *rows;
	size_t count; // rows to show
	bool has_more;
};

/** "1763737200123456789,prefix/id.json": the time and key of the last row shown. */
static bool parse_after(const char *after, struct catalog_query *query)
{
	unsigned long long ns;
	char *end;

	if (!after || !*after)
		return true;
	if (*after < '0' || *after > '9')
		return false;
	ns = strtoull(after, &end, 10);
	if (*end != ',' || ns == 0 || ns > INT64_MAX || !key_is_valid(end + 1))
		return false;
	query->after_ns = (int64_t)ns;
	query->after_key = end + 1;
	return true;
}

static enum cs_status load(
	struct catalog *catalog, const char *search, const char *after, struct listing *ret)
{
	struct catalog_query query = {.search = search, .limit = MAX_LIST_ROWS};
	enum cs_status status = CS_CORRUPT;

	*ret = (struct listing){0};
	arena_init(&ret->arena, 0);
	if (parse_after(after, &query))
		status = catalog_list(catalog, &query, &ret->arena, &ret->rows, &ret->count);
	if (status) {
		arena_deinit(&ret->arena);
		return status;
	}
	ret->has_more = ret->count > MAX_LIST_ROWS;
	if (ret->has_more)
		ret->count = MAX_LIST_ROWS;
	return CS_OK;
}

static void format_time(int64_t ns, char *ret, size_t size)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_cell(struct text *t, const char *class, const char *value)
{
	text_format(t, "<td class=\"%s\">", class);
	text_html(t, value);
	text_add(t, "</td>");
}

/** "2026-11-21 12:00:00" out of RFC 3339, with the whole of it for machines. */
static void add_time(struct text *t, const char *time)
{
	size_t size = strnlen(time, 19);

	text_add(t, "<td class=\"nowrap\"><time datetime=\"");
	text_html(t, time);
	text_add(t, "\">");
	if (size == 19 && time[10] == 'T') {
		text_html_sized(t, time, 10);
		text_add(t, " ");
		text_html_sized(t, time + 11, 8);
	} else {
		text_html(t, time);
	}
	text_add(t, "</time></td>");
}

static void add_row(struct text *t, const struct snapshot_row *row)
{
	const char *title = row->texts[ROW_TITLE];
	char received[32];

	format_time(row->received_ns, received, sizeof(received));
	text_add(t, "<tr>");
	add_time(t, *row->texts[ROW_CAPTURED_AT] ? row->texts[ROW_CAPTURED_AT] : received);
	text_format(t, "<td class=\"title\"><a href=\"/snapshots/%s\">", row->texts[ROW_ID]);
	text_html(t, *title ? title : "untitled");
	text_add(t, "</a></td>");
	add_cell(t, "name", base_name(row->texts[ROW_EXECUTABLE]));
	add_cell(t, "name", row->texts[ROW_HOST]);
	add_cell(t, "nowrap wide", row->texts[ROW_GO_VERSION]);
	add_cell(t, "nowrap wide", row->texts[ROW_SIGNAL]);
	text_add(t, "<td class=\"num\">");
	if (row->goroutines >= 0)
		text_format(t, "%lld", (long long)row->goroutines);
	text_add(t, "</td></tr>\n");
}

static void add_form(struct text *t, const char *search)
{
	text_add(t, "<form action=\"/\" method=\"get\" role=\"search\"><input type=\"search\" "
		    "name=\"q\" aria-label=\"search\" placeholder=\"title, host, program, Go "
		    "version, fingerprint\" value=\"");
	text_html(t, search ? search : "");
	text_add(t, "\"><button>Search</button></form>\n");
}

static void add_table(struct text *t, const struct listing *l)
{
	text_add(t, "<table>\n<thead><tr><th>time (UTC)</th><th>crash</th><th>program</th>"
		    "<th>host</th><th class=\"wide\">Go</th><th class=\"wide\">signal</th>"
		    "<th class=\"num\">goroutines</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < l->count; i++)
		add_row(t, &l->rows[i]);
	text_add(t, "</tbody>\n</table>\n");
}

static void add_next(struct text *t, const struct listing *l, const char *search)
{
	const struct snapshot_row *last = &l->rows[l->count - 1];

	text_format(t, "<p><a rel=\"next\" href=\"/?after=%lld,%s", (long long)last->received_ns,
		last->key);
	if (search && *search) {
		text_add(t, "&amp;q=");
		text_url(t, search);
	}
	text_add(t, "\">older</a></p>\n");
}

enum cs_status listing_page(
	struct catalog *catalog, const char *search, const char *after, struct text *out)
{
	bool is_search = search && *search;
	struct listing l;
	enum cs_status status = load(catalog, search, after, &l);

	if (status)
		return status;
	html_begin(out, "coresnap", 8);
	text_add(out, "<h1>Snapshots</h1>\n");
	add_form(out, search);
	if (l.count)
		add_table(out, &l);
	else if (is_search)
		text_add(out, "<p>No snapshot matches. <a href=\"/\">Show all</a></p>\n");
	else
		text_add(out, "<p>No snapshots yet.</p>\n");
	if (l.has_more)
		add_next(out, &l, search);
	html_end(out);
	arena_deinit(&l.arena);
	return CS_OK;
}

static bool to_text(void *context, const char *bytes, size_t size)
{
	struct text *t = context;

	text_add_sized(t, bytes, size);
	return !t->failed;
}

static void write_row(struct json_writer *w, const struct snapshot_row *row)
{
	char received[32];

	format_time(row->received_ns, received, sizeof(received));
	jsonw_newline(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "key", row->key);
	for (int i = 0; i < ROW_TEXT_COUNT; i++)
		jsonw_member_string(
			w, row_text_name((enum row_text)i), *row->texts[i] ? row->texts[i] : NULL);
	if (row->goroutines >= 0)
		jsonw_member_i64(w, "goroutines", row->goroutines);
	else
		jsonw_member_null(w, "goroutines");
	jsonw_member_string(w, "received_at", received);
	jsonw_member_u64(w, "size", row->size);
	jsonw_end_object(w);
}

enum cs_status listing_json(
	struct catalog *catalog, const char *search, const char *after, struct text *out)
{
	struct json_writer w;
	struct listing l;
	enum cs_status status = load(catalog, search, after, &l);

	if (status)
		return status;
	status = jsonw_init(&w, to_text, out);
	if (!status) {
		jsonw_begin_object(&w);
		jsonw_key(&w, "snapshots");
		jsonw_begin_array(&w);
		for (size_t i = 0; i < l.count; i++)
			write_row(&w, &l.rows[i]);
		jsonw_end_array(&w);
		jsonw_key(&w, "next");
		jsonw_string(&w, l.has_more ? arena_format(&l.arena, "%lld,%s",
						      (long long)l.rows[l.count - 1].received_ns,
						      l.rows[l.count - 1].key)
					    : NULL);
		jsonw_end_object(&w);
		status = jsonw_finish(&w);
		jsonw_deinit(&w);
		text_add(out, "\n");
	}
	arena_deinit(&l.arena);
	return status;
}
