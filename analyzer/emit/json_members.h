// Members that many parts of the JSON document have: a number or null, an index or null, …
#ifndef CORESNAP_ANALYZER_EMIT_JSON_MEMBERS_H
#define CORESNAP_ANALYZER_EMIT_JSON_MEMBERS_H

#include "analyzer/core/image.h"
#include "common/json/writer.h"

#include <stdint.h>

struct analysis;

/** A duration in ns; null where `ns` is negative. */
void json_member_ns(struct json_writer *w, const char *key, int64_t ns);
/** A row's index in a table, or null where `index` is UINT32_MAX. */
void json_member_index(struct json_writer *w, const char *key, uint32_t index);
/** A number with a fraction; null where it is infinite or none. */
void json_member_double(struct json_writer *w, const char *key, double value);
/** Each key with null. `keys` ends with NULL. */
void json_members_null(struct json_writer *w, const char *const *keys);
/** Each key with an empty array, a line each. `keys` ends with NULL. */
void json_members_empty(struct json_writer *w, const char *const *keys);
/** The id of the goroutine whose g lies at `g`; null where there is none. */
void json_member_goroutine(
	struct json_writer *w, const char *key, const struct analysis *analysis, target_addr g);

#endif
