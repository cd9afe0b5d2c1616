// Requests: what is asked for, by whom, and the answer. All callbacks of libmicrohttpd end here.
#ifndef CORESNAP_SERVER_HTTP_H
#define CORESNAP_SERVER_HTTP_H

#include "server/server.h"

struct MHD_Daemon;

/**
 * Serves HTTP on `socket` (owned from here), a thread for each connection. NULL: the library could
 * not start. To be stopped with http_stop.
 */
struct MHD_Daemon *http_start(struct server *server, int socket);

/** Takes no more connections, lets requests end for a while, and closes. */
void http_stop(struct server *server, struct MHD_Daemon *daemon);

#endif
