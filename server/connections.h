// Connections and how long they have taken: a janitor thread cuts those that send a header or a
// body so slowly that they would hold their thread for ever. The library's own time-out only sees
// silence.
#ifndef CORESNAP_SERVER_CONNECTIONS_H
#define CORESNAP_SERVER_CONNECTIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct connection;

struct connections {
	pthread_mutex_t lock;
	struct connection *first; // owned; each leaves at connection_close
	unsigned int busy;        // requests being answered
	pthread_t janitor;
	pthread_cond_t wake;
	bool is_over;
};

/** Starts the janitor. False: no thread could be had. */
bool connections_start(struct connections *all);

/** Stops it. All connections must be closed. */
void connections_stop(struct connections *all);

/** Waits until no request is being answered, for `seconds` at the most. */
void connections_drain(struct connections *all, unsigned int seconds);

/** A connection on `socket` (borrowed until connection_close, which comes before its close). */
struct connection *connection_open(struct connections *all, int socket);
void connection_close(struct connections *all, struct connection *connection);

/** Its request's header is complete; `size` more bytes of body came; the request is answered. */
void connection_begin(struct connections *all, struct connection *connection);
void connection_receive(struct connections *all, struct connection *connection, uint64_t size);
void connection_receive_end(struct connections *all, struct connection *connection);
void connection_end(struct connections *all, struct connection *connection);

#endif
