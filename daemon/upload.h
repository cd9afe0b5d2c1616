// One upload: HTTP PUT of a queued snapshot, streamed from its descriptor, and what the answer
// means.
#ifndef CORESNAP_DAEMON_UPLOAD_H
#define CORESNAP_DAEMON_UPLOAD_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

#define UPLOAD_REASON_SIZE 384
#define UPLOAD_TOKEN_SIZE 4096

enum upload_verdict {
	UPLOAD_STORED,  // confirmed now
	UPLOAD_PRESENT, // the store had it: an earlier answer was lost
	UPLOAD_REFUSED, // and always will be
	UPLOAD_RETRY,   // later
	UPLOAD_STOPPED  // we are to end
};

struct upload_target {
	const char *url;   // without a slash at its end; borrowed
	const char *token; // NULL or "": none; borrowed
	const char *ca_file;
	bool is_https;
	uint64_t stall_timeout_ns;
	/** Asked several times a second: true ends the upload. */
	bool (*is_stopping)(void *context);
	void *context;
};

struct upload_result {
	enum upload_verdict verdict;
	long status; // of HTTP; 0: no answer
	bool has_retry_after;
	int64_t retry_after_seconds;
	char reason[UPLOAD_REASON_SIZE]; // one line, printable; "" when stored
};

struct upload;

/** A client that keeps its connection between uploads; NULL: no memory. `target` is borrowed. */
struct upload *upload_create(const struct upload_target *target);

void upload_destroy(struct upload *upload);

/** Puts `size` bytes of `fd` as <url>/<id>.json. Never fails: trouble is a verdict. */
void upload_put(
	struct upload *upload, int fd, uint64_t size, const char *id, struct upload_result *ret);

/** What an HTTP status means for a PUT with `If-None-Match: *`. */
enum upload_verdict upload_judge(long status);

#endif
