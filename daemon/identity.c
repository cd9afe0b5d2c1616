#include "daemon/identity.h"

#include "common/limits.h"
#include "daemon/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum identity_kind kind_of(const char *text)
{
	if (!strcmp(text, "core"))
		return IDENTITY_CORE;
	if (!strcmp(text, "executable"))
		return IDENTITY_EXECUTABLE;
	return IDENTITY_OTHER;
}

// A copy, or NULL for an absent, empty or overlong member.
static char *take(const json_t *answer, const char *key, size_t max)
{
	const char *text = record_string(answer, key);

	if (!text || !*text || strlen(text) > max)
		return NULL;
	return strdup(text);
}

enum cs_status identity_load(const char *json, size_t size, struct identity *ret)
{
	json_t *answer = json_loadb(json, size, 0, NULL);
	const char *kind = record_string(answer, "kind");
	json_int_t missing = json_integer_value(json_object_get(answer, "missing_bytes"));

	if (!kind) {
		json_decref(answer);
		return CS_CORRUPT;
	}
	*ret = (struct identity){
		.kind = kind_of(kind),
		.path = take(answer, "executable", MAX_PATH_LENGTH - 1),
		.go_build_id = take(answer, "go_build_id", MAX_BUILD_ID_LENGTH),
		.gnu_build_id = take(answer, "gnu_build_id", MAX_BUILD_ID_LENGTH),
		.reason = take(answer, "error", MAX_DIAGNOSTIC_LENGTH),
		.missing = missing > 0 ? (uint64_t)missing : 0,
	};
	json_decref(answer);
	return CS_OK;
}

void identity_deinit(struct identity *identity)
{
	free(identity->path);
	free(identity->go_build_id);
	free(identity->gnu_build_id);
	free(identity->reason);
	*identity = (struct identity){0};
}

enum identity_match identity_compare(const struct identity *core, const struct identity *file)
{
	if (core->go_build_id && file->go_build_id)
		return strcmp(core->go_build_id, file->go_build_id) ? MATCH_NO : MATCH_YES;
	if (core->gnu_build_id && file->gnu_build_id)
		return strcmp(core->gnu_build_id, file->gnu_build_id) ? MATCH_NO : MATCH_YES;
	return MATCH_UNKNOWN;
}

const char *identity_id(const struct identity *identity)
{
	if (identity->go_build_id)
		return identity->go_build_id;
	return identity->gnu_build_id ? identity->gnu_build_id : "none";
}
