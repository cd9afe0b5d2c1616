// The snapshot as JSON (SNAPSHOT.md: names, order, absence), streamed. A minimal analysis (no
// executable) has the same keys: its tables are empty, what only the executable could tell is null.
#ifndef CORESNAP_ANALYZER_EMIT_JSON_H
#define CORESNAP_ANALYZER_EMIT_JSON_H

#include "analyzer/emit/emit.h"
#include "common/json/writer.h"

#include <stdint.h>

/** As emit_format.write. */
enum cs_status emit_json(const struct analysis *analysis, const struct emit_options *options,
	emit_sink *sink, void *context);

/** The parts, in the order of the document; each writes whole members of the top-level object. */
void json_write_origin(struct json_writer *w, const struct analysis *analysis);
void json_write_process(struct json_writer *w, const struct analysis *analysis);
void json_write_binary(struct json_writer *w, const struct analysis *analysis);
void json_write_crash(struct json_writer *w, const struct analysis *analysis);
void json_write_tables(struct json_writer *w, const struct analysis *analysis);
void json_write_goroutines(struct json_writer *w, const struct analysis *analysis);
void json_write_threads(struct json_writer *w, const struct analysis *analysis);
void json_write_channels(struct json_writer *w, const struct analysis *analysis);
void json_write_scheduler(struct json_writer *w, const struct analysis *analysis);
void json_write_gc(struct json_writer *w, const struct analysis *analysis);

/** Members that many parts have: a number or null. */
void json_member_ns(struct json_writer *w, const char *key, int64_t ns);
/** A row's index in a table, or null where `index` is UINT32_MAX. */
void json_member_index(struct json_writer *w, const char *key, uint32_t index);
/** Each key with null. `keys` ends with NULL. */
void json_members_null(struct json_writer *w, const char *const *keys);
/** Each key with an empty array, a line each. `keys` ends with NULL. */
void json_members_empty(struct json_writer *w, const char *const *keys);

#endif
