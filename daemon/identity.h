// What a file is, as `coresnap identify --json` says: that program parses the hostile bytes, in its
// sandbox; here only its short answer is read, and every member checked.
#ifndef CORESNAP_DAEMON_IDENTITY_H
#define CORESNAP_DAEMON_IDENTITY_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

enum identity_kind { IDENTITY_OTHER, IDENTITY_CORE, IDENTITY_EXECUTABLE };

/* Strings are owned; NULL where the file does not say. */
struct identity {
	enum identity_kind kind;
	char *path; // of a core: the executable that crashed, as its process saw it
	char *go_build_id;
	char *gnu_build_id;
	char *reason;     // why it is neither core nor executable
	uint64_t missing; // bytes that a truncated core lacks; 0 for a whole one
};

/** Reads the answer; CS_CORRUPT when it is not what identify writes. */
CS_MUST_USE enum cs_status identity_load(const char *json, size_t size, struct identity *ret);

void identity_deinit(struct identity *identity);

/* How a core's executable and a file compare. */
enum identity_match { MATCH_UNKNOWN, MATCH_YES, MATCH_NO };

/**
 * Compares by Go build id, by GNU build id where one of the two lacks the other. MATCH_UNKNOWN:
 * they have no kind of id in common.
 */
enum identity_match identity_compare(const struct identity *core, const struct identity *file);

/** The id that tells most: Go's, else GNU's, else "none". Borrowed. */
const char *identity_id(const struct identity *identity);

#endif
