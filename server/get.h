// GET: the list, the pages of a snapshot, and the objects themselves.
#ifndef CORESNAP_SERVER_GET_H
#define CORESNAP_SERVER_GET_H

#include "server/reply.h"

/** Answers GET and HEAD of `url`, from somebody who may. */
enum MHD_Result get_answer(const struct reply *reply, struct server *server, const char *url);

/** What an address below /snapshots/ asks for. */
struct page_address {
	char id[MAX_SNAPSHOT_ID + 1];
	enum job_kind kind;
	uint64_t number; // which goroutine or group
	bool is_json;    // the object itself
};

/**
 * Takes apart "ID", "ID.txt", "ID.json", "ID/goroutines/N" and "ID/groups/N". False: it is none of
 * them.
 */
bool page_address_parse(const char *path, struct page_address *ret);

/** Whether an Accept-Encoding header takes zstd. */
bool accepts_zstd(const char *header);

#endif
