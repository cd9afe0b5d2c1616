#include "server/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void reply_harden(const struct reply *reply, struct MHD_Response *response, bool is_page)
{
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "Content-Security-Policy",
		is_page ? reply->server->style_policy
			: "default-src 'none'; frame-ancestors 'none'; sandbox");
}

static enum MHD_Result queue(
	const struct reply *reply, unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(reply->connection, status, response);

	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_line(const struct reply *reply, unsigned int status, const char *line)
{
	struct text text;

	text_init(&text, 4096);
	text_add(&text, line);
	if (!text.used || text.bytes[text.used - 1] != '\n')
		text_add(&text, "\n");
	return reply_text(reply, status, TYPE_PLAIN, &text);
}

enum MHD_Result reply_text(
	const struct reply *reply, unsigned int status, const char *type, struct text *text)
{
	struct MHD_Response *response;

	if (text->failed) {
		text_deinit(text);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(text->used, text->bytes, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		text_deinit(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			"Basic realm=\"coresnap\", charset=\"UTF-8\"");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, PUT");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	reply_harden(reply, response, !strcmp(type, TYPE_HTML));
	return queue(reply, status, response);
}

enum MHD_Result reply_file(const struct reply *reply, const struct reply_file *file)
{
	struct MHD_Response *response = MHD_create_response_from_fd64(file->size, file->fd);

	if (!response) {
		close(file->fd);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->tag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "private, no-cache");
	if (file->is_packed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "zstd");
	reply_harden(reply, response, false);
	return queue(reply, MHD_HTTP_OK, response);
}
