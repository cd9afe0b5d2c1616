// sync, blocking: who waits for whom, and the verdicts.
#include "analyzer/emit/json_parts.h"
#include "analyzer/snapshot/analysis.h"
#include "common/limits.h"

#include <string.h>

static void write_id(struct json_writer *w, const struct analysis *analysis, size_t index)
{
	if (index < analysis->goroutines.count)
		jsonw_u64(w, analysis->goroutines.list[index].id);
	else
		jsonw_null(w);
}

static void write_ids(struct json_writer *w, const struct analysis *analysis, const char *key,
	const size_t *list, size_t count)
{
	jsonw_key(w, key);
	jsonw_begin_array(w);
	for (size_t i = 0; i < count && i < MAX_BLOCKING_WRITTEN; i++)
		write_id(w, analysis, list[i]);
	jsonw_end_array(w);
}

/** What the object says of itself: the members that its kind has. */
static void write_state(struct json_writer *w, const struct sync_object *object)
{
	if (!object->has_state)
		return;
	if (!strcmp(object->kind, "waitgroup")) {
		jsonw_member_i64(w, "counter", object->counter);
		return;
	}
	jsonw_member_bool(w, "locked", object->is_locked);
	if (!strcmp(object->kind, "rwmutex"))
		jsonw_member_i64(w, "readers", object->readers);
}

void json_write_sync(struct json_writer *w, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	jsonw_newline(w);
	jsonw_key(w, "sync");
	jsonw_begin_array(w);
	for (size_t i = 0; i < b->object_count; i++) {
		const struct sync_object *object = &b->objects[i];

		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_member_address(w, "address", object->address);
		jsonw_member_string(w, "kind", object->kind);
		write_ids(w, analysis, "waiters", object->waiters, object->waiter_count);
		jsonw_member_u64(w, "waiters_total", object->waiter_count);
		jsonw_key(w, "likely_owner");
		write_id(w, analysis, object->likely_owner);
		write_state(w, object);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_edges(struct json_writer *w, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	jsonw_key(w, "edges");
	jsonw_begin_array(w);
	for (size_t i = 0; i < b->edge_count && i < MAX_EDGES_WRITTEN; i++) {
		const struct blocking_edge *edge = &b->edges[i];

		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_key(w, "from");
		write_id(w, analysis, edge->from);
		jsonw_key(w, "to");
		write_id(w, analysis, edge->to);
		jsonw_member_address(w, "through", edge->through);
		jsonw_member_string(w, "certainty", edge->is_proved ? "proved" : "likely");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_member_u64(w, "edges_total", b->edge_total);
}

static void write_deadlocks(struct json_writer *w, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	jsonw_key(w, "deadlocks");
	jsonw_begin_array(w);
	for (size_t i = 0; i < b->deadlock_count && i < MAX_BLOCKING_WRITTEN; i++) {
		jsonw_begin_array(w);
		for (size_t k = 0; k < b->deadlocks[i].count; k++)
			write_id(w, analysis, b->deadlocks[i].members[k]);
		jsonw_end_array(w);
	}
	jsonw_end_array(w);
	jsonw_member_u64(w, "deadlocks_total", b->deadlock_count);
}

static void write_leaked(struct json_writer *w, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	if (b->is_leak_unknown) {
		jsonw_member_null(w, "leaked");
		jsonw_member_null(w, "leaked_total");
		return;
	}
	write_ids(w, analysis, "leaked", b->leaked, b->leaked_count);
	jsonw_member_u64(w, "leaked_total", b->leaked_count);
}

static void write_evidence(struct json_writer *w, const struct analysis *analysis)
{
	const struct blocking *b = &analysis->blocking;

	jsonw_key(w, "evidence");
	jsonw_begin_array(w);
	for (size_t i = 0; i < b->evidence_count && i < MAX_BLOCKING_WRITTEN; i++) {
		jsonw_newline(w);
		jsonw_begin_object(w);
		jsonw_key(w, "goroutine");
		write_id(w, analysis, b->evidence[i].goroutine);
		jsonw_member_string(w, "text", b->evidence[i].text);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

void json_write_blocking(struct json_writer *w, const struct analysis *analysis)
{
	jsonw_newline(w);
	jsonw_key(w, "blocking");
	if (!analysis->rt) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	write_edges(w, analysis);
	write_deadlocks(w, analysis);
	write_leaked(w, analysis);
	write_evidence(w, analysis);
	jsonw_end_object(w);
}
