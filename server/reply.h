// Answers: every one carries the headers that keep a browser from doing anything with it but show
// it.
#ifndef CORESNAP_SERVER_REPLY_H
#define CORESNAP_SERVER_REPLY_H

#include "server/server.h"

#include <microhttpd.h>

struct reply {
	struct MHD_Connection *connection; // borrowed
	const struct server *server;       // borrowed
};

/** One line of plain text. */
enum MHD_Result reply_line(const struct reply *reply, unsigned int status, const char *line);

/** `text` (owned from here) as `type`, one of the literals below; a failed text becomes a 500. */
enum MHD_Result reply_text(
	const struct reply *reply, unsigned int status, const char *type, struct text *text);

#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_PLAIN "text/plain; charset=utf-8"
#define TYPE_JSON "application/json"
#define TYPE_BYTES "application/octet-stream"

/** The file `fd` (owned from here): an object under its entity tag, packed or not. */
struct reply_file {
	int fd;
	uint64_t size;
	bool is_packed;
	const char *type;
	const char *tag;
};
enum MHD_Result reply_file(const struct reply *reply, const struct reply_file *file);

/** Adds what every answer carries; `is_page` allows the style sheet. */
void reply_harden(const struct reply *reply, struct MHD_Response *response, bool is_page);

#endif
