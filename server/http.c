#include "server/http.h"

#include "server/get.h"
#include "server/put.h"
#include "server/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define THREAD_STACK_SIZE (512u << 10)
#define DRAIN_SECONDS 20

enum method { GET, PUT, OTHER };

struct request {
	enum method method;
	bool is_refused_early; // its answer is queued; the body is nobody's
	uint64_t body_size;
	struct connection *connection;
	struct put put;
};

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/** 0, or why this request is none of ours. */
static unsigned int check_caller(
	const struct server *server, struct MHD_Connection *connection, const char **line)
{
	const char *host = header_of(connection, MHD_HTTP_HEADER_HOST);

	if (!auth_allows(&server->auth, header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION))) {
		*line = "a token is required";
		return MHD_HTTP_UNAUTHORIZED;
	}
	if (!server->auth.has_token && host && !host_is_loopback(host)) {
		*line = "without a token this server answers to localhost only";
		return MHD_HTTP_MISDIRECTED_REQUEST;
	}
	return 0;
}

static void log_put(const struct put *put, uint64_t size)
{
	struct text why;

	text_init(&why, 512);
	if (put->worker_line)
		text_line(&why, put->worker_line, strcspn(put->worker_line, "\n"));
	else
		text_add(&why, put->line);
	server_log("PUT %s: %u %s, %llu bytes%s", *put->key ? put->key : "(bad key)", put->status,
		why.bytes ? why.bytes : "", (unsigned long long)size, put->is_zstd ? " zstd" : "");
	text_deinit(&why);
}

static enum MHD_Result answer_put(const struct reply *reply, struct request *request)
{
	const struct put *put = &request->put;

	log_put(put, request->body_size);
	return reply_line(reply, put->status, put->worker_line ? put->worker_line : put->line);
}

/** Whether the client waits for leave, or sends more than we care to read for courtesy. */
static bool may_answer_early(struct MHD_Connection *connection)
{
	const char *expect = header_of(connection, MHD_HTTP_HEADER_EXPECT);
	const char *length = header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (expect && !strcasecmp(expect, "100-continue"))
		return true;
	return length && strtoull(length, NULL, 10) > MAX_DRAINED_BODY;
}

static enum MHD_Result begin_put(
	const struct reply *reply, struct server *server, struct request *request, const char *url)
{
	struct MHD_Connection *connection = reply->connection;
	const char *if_none_match = header_of(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
	struct put_header header = {
		.key = url + 1,
		.encoding = header_of(connection, MHD_HTTP_HEADER_CONTENT_ENCODING),
		.length = header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH),
		.is_new_only = if_none_match && !strcmp(if_none_match, "*"),
	};
	const char *line;
	unsigned int status = check_caller(server, connection, &line);

	if (status) {
		request->put = (struct put){
			.server = server, .upload = {.fd = -1}, .status = status, .line = line};
	} else {
		put_begin(&request->put, server, &header);
	}
	if (!request->put.status || !may_answer_early(connection))
		return MHD_YES;
	request->is_refused_early = true;
	return answer_put(reply, request);
}

static enum MHD_Result continue_put(
	const struct reply *reply, struct request *request, const char *bytes, size_t *size)
{
	if (!*size) {
		connection_receive_end(&request->put.server->connections, request->connection);
		put_finish(&request->put);
		return answer_put(reply, request);
	}
	connection_receive(&request->put.server->connections, request->connection, *size);
	put_receive(&request->put, bytes, *size);
	request->body_size += *size;
	*size = 0;
	if (request->put.status &&
		request->body_size > request->put.server->max_object + MAX_DRAINED_BODY)
		return MHD_NO;
	return MHD_YES;
}

static enum MHD_Result answer_get(const struct reply *reply, struct server *server, const char *url)
{
	const char *line;
	unsigned int status;

	if (!strcmp(url, "/healthz"))
		return reply_line(reply, MHD_HTTP_OK, "ok");
	status = check_caller(server, reply->connection, &line);
	if (status)
		return reply_line(reply, status, line);
	return get_answer(reply, server, url);
}

static struct request *begin_request(
	struct server *server, struct MHD_Connection *connection, const char *method)
{
	struct request *request = calloc(1, sizeof(*request));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (!request)
		return NULL;
	request->method = OTHER;
	if (!strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD))
		request->method = GET;
	else if (!strcmp(method, MHD_HTTP_METHOD_PUT))
		request->method = PUT;
	request->put.upload.fd = -1;
	request->put.server = server;
	request->connection = info ? info->socket_context : NULL;
	connection_begin(&server->connections, request->connection);
	return request;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *bytes, size_t *size, void **state)
{
	struct server *server = context;
	struct request *request = *state;
	struct reply reply = {.connection = connection, .server = server};

	(void)version;
	if (!request) {
		request = *state = begin_request(server, connection, method);
		if (!request || url[0] != '/')
			return MHD_NO;
		return request->method == PUT ? begin_put(&reply, server, request, url) : MHD_YES;
	}
	if (request->is_refused_early) {
		*size = 0;
		return MHD_YES;
	}
	if (request->method == PUT)
		return continue_put(&reply, request, bytes, size);
	if (*size) { // a GET has no body
		return MHD_NO;
	}
	connection_receive_end(&server->connections, request->connection);
	if (request->method == GET)
		return answer_get(&reply, server, url);
	return reply_line(&reply, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET, HEAD and PUT");
}

static void end_request(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct server *server = context;
	struct request *request = *state;

	(void)connection;
	if (!request)
		return;
	if (request->method == PUT && code != MHD_REQUEST_TERMINATED_COMPLETED_OK &&
		!request->put.status)
		server_log("PUT %s: ended after %llu bytes; nothing is stored", request->put.key,
			(unsigned long long)request->body_size);
	if (request->method == PUT)
		put_end(&request->put);
	connection_end(&server->connections, request->connection);
	free(request);
	*state = NULL;
}

static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct server *server = context;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		connection_close(&server->connections, *socket_context);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket_context = info ? connection_open(&server->connections, info->connect_fd) : NULL;
}

/** As the library's own, but an escaped NUL stays visible: it must not cut a key short. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context, (void)connection;
	for (char *at = text; (at = strstr(at, "%00"));)
		memcpy(at, "%01", 3);
	return MHD_http_unescape(text);
}

static void log_library(void *context, const char *format, va_list list)
{
	(void)context, (void)format, (void)list; // broken clients; each would be a line of noise
}

struct MHD_Daemon *http_start(struct server *server, int socket)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
					MHD_USE_ITC | MHD_USE_POLL | MHD_USE_ERROR_LOG,
		0, NULL, NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)MAX_SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)MAX_IDLE_SECONDS, MHD_OPTION_THREAD_STACK_SIZE,
		(size_t)THREAD_STACK_SIZE, MHD_OPTION_NOTIFY_COMPLETED, end_request, server,
		MHD_OPTION_NOTIFY_CONNECTION, note_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
		unescape, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

void http_stop(struct server *server, struct MHD_Daemon *daemon)
{
	MHD_quiesce_daemon(daemon);
	connections_drain(&server->connections, DRAIN_SECONDS);
	MHD_stop_daemon(daemon);
}
