// The parts of a running server, which every request sees.
#ifndef CORESNAP_SERVER_SERVER_H
#define CORESNAP_SERVER_SERVER_H

#include "common/status.h"
#include "server/auth.h"
#include "server/catalog.h"
#include "server/connections.h"
#include "server/store.h"
#include "server/worker.h"

#include <stdbool.h>
#include <stdint.h>

struct server {
	struct store store;
	struct catalog catalog;
	struct nursery nursery;
	struct auth auth;
	struct connections connections;
	uint64_t max_object;    // bytes, of an upload and unpacked
	char style_policy[192]; // Content-Security-Policy of a page
};

/** One line on stderr, whole even when threads write at the same time. */
void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Has a worker do `kind` with an object; as worker_run, with a scratch file where one is needed.
 */
CS_MUST_USE enum cs_status server_work(struct server *server, const struct job *job,
	const struct object *object, struct answer *ret);

/**
 * The same where the unpacked bytes are wanted: *ret_scratch is the file that holds them, the
 * caller's to close, when the answer's status is 200; else -1.
 */
CS_MUST_USE enum cs_status server_unpack(
	struct server *server, const struct object *object, struct answer *ret, int *ret_scratch);

/** A job on `object`; the rest of it is zero. */
struct job server_job(const struct server *server, enum job_kind kind, const char *key,
	const struct object *object);

/**
 * Makes the catalog agree with the store: rows without an object go, objects without a row are
 * read. *ret_added: how many rows came.
 */
CS_MUST_USE enum cs_status server_sync_catalog(struct server *server, uint64_t *ret_added);

/** Opens the catalog of the store; one that is broken is moved aside, with a line. */
CS_MUST_USE enum cs_status server_open_catalog(struct server *server, const char *data);

/** Moves the catalog's files aside (".old") or removes them, so that the next open makes new ones.
 */
CS_MUST_USE enum cs_status server_reset_catalog(struct server *server, bool keep);

#endif
