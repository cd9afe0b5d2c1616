// The parts of the JSON document, one function each; json.c puts them in order.
#ifndef CORESNAP_ANALYZER_EMIT_JSON_PARTS_H
#define CORESNAP_ANALYZER_EMIT_JSON_PARTS_H

#include "common/json/writer.h"

struct analysis;

/** The parts, in the order of the document; each writes whole members of the top-level object. */
void json_write_origin(struct json_writer *w, const struct analysis *analysis);
void json_write_process(struct json_writer *w, const struct analysis *analysis);
void json_write_binary(struct json_writer *w, const struct analysis *analysis);
void json_write_crash(struct json_writer *w, const struct analysis *analysis);
void json_write_tables(struct json_writer *w, const struct analysis *analysis);
void json_write_goroutines(struct json_writer *w, const struct analysis *analysis);
void json_write_globals(struct json_writer *w, const struct analysis *analysis);
void json_write_threads(struct json_writer *w, const struct analysis *analysis);
void json_write_channels(struct json_writer *w, const struct analysis *analysis);
void json_write_sync(struct json_writer *w, const struct analysis *analysis);
void json_write_blocking(struct json_writer *w, const struct analysis *analysis);
void json_write_scheduler(struct json_writer *w, const struct analysis *analysis);
void json_write_gc(struct json_writer *w, const struct analysis *analysis);
void json_write_memory(struct json_writer *w, const struct analysis *analysis);
void json_write_timers(struct json_writer *w, const struct analysis *analysis);
void json_write_descriptors(struct json_writer *w, const struct analysis *analysis);

#endif
