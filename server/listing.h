// The list of snapshots, as a page and as JSON: made by the server itself, from the catalog.
#ifndef CORESNAP_SERVER_LISTING_H
#define CORESNAP_SERVER_LISTING_H

#include "common/status.h"
#include "server/text.h"

struct catalog;

/** `after`: the ?after= of a "next" link, or NULL; `search`: ?q=, or NULL. CS_CORRUPT: bad `after`.
 */
CS_MUST_USE enum cs_status listing_page(
	struct catalog *catalog, const char *search, const char *after, struct text *out);
CS_MUST_USE enum cs_status listing_json(
	struct catalog *catalog, const char *search, const char *after, struct text *out);

#endif
