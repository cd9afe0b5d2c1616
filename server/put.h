// One PUT: its checks, its body, its end. Nothing is stored before all of it has come and a worker
// has looked at it.
#ifndef CORESNAP_SERVER_PUT_H
#define CORESNAP_SERVER_PUT_H

#include "server/server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct put_header {
	const char *key;      // not checked yet; borrowed
	const char *encoding; // Content-Encoding, or NULL
	const char *length;   // Content-Length, or NULL
	bool is_new_only;     // If-None-Match: *
};

struct put {
	struct server *server; // borrowed
	struct upload upload;
	char key[MAX_OBJECT_KEY + 1];
	bool is_zstd, is_new_only;
	unsigned int status; // 0: going well; else the refusal
	const char *line;    // why: static
	char *worker_line;   // owned: what a worker said, in place of `line`
};

/** Begins it; put->status tells whether it is refused already. put_end it in either case. */
void put_begin(struct put *put, struct server *server, const struct put_header *header);

/** More of the body. */
void put_receive(struct put *put, const char *bytes, size_t size);

/** All of the body is there: stores it, or refuses. Sets status and line. */
void put_finish(struct put *put);

/** Forgets what is not stored. */
void put_end(struct put *put);

/** Whether an object of this key is there. */
bool put_is_taken(struct server *server, const char *key);

#endif
