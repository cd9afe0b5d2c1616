#include "analyzer/emit/json_members.h"

#include "analyzer/snapshot/analysis.h"

#include <math.h>
#include <stdio.h>

void json_member_ns(struct json_writer *w, const char *key, int64_t ns)
{
	jsonw_key(w, key);
	if (ns < 0)
		jsonw_null(w);
	else
		jsonw_i64(w, ns);
}

void json_member_index(struct json_writer *w, const char *key, uint32_t index)
{
	jsonw_key(w, key);
	if (index == UINT32_MAX)
		jsonw_null(w);
	else
		jsonw_u64(w, index);
}

void json_members_null(struct json_writer *w, const char *const *keys)
{
	for (; *keys; keys++)
		jsonw_member_null(w, *keys);
}

void json_members_empty(struct json_writer *w, const char *const *keys)
{
	for (; *keys; keys++) {
		jsonw_newline(w);
		jsonw_key(w, *keys);
		jsonw_begin_array(w);
		jsonw_end_array(w);
	}
}

void json_member_double(struct json_writer *w, const char *key, double value)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%.17g", value); // as many as tell two apart

	jsonw_key(w, key);
	if (isfinite(value) && size > 0 && (size_t)size < sizeof(text))
		jsonw_raw(w, text, (size_t)size);
	else
		jsonw_null(w);
}

void json_member_goroutine(
	struct json_writer *w, const char *key, const struct analysis *analysis, target_addr g)
{
	const struct goroutine *found = goroutines_find(&analysis->goroutines, g);

	jsonw_key(w, key);
	if (found && found->id)
		jsonw_u64(w, found->id);
	else
		jsonw_null(w);
}
