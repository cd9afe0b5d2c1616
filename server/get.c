#include "server/get.h"

#include "server/key.h"
#include "server/listing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES "/snapshots/"

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 19)
		return false;
	*ret = strtoull(text, &end, 10);
	return !*end;
}

bool page_address_parse(const char *path, struct page_address *ret)
{
	size_t size = strcspn(path, "./");
	const char *rest = path + size;

	if (!id_is_valid(path, size))
		return false;
	*ret = (struct page_address){.kind = JOB_SNAPSHOT};
	memcpy(ret->id, path, size);
	if (!*rest)
		return true;
	ret->is_json = !strcmp(rest, ".json");
	if (!strcmp(rest, ".txt"))
		ret->kind = JOB_SUMMARY;
	else if (!strncmp(rest, "/goroutines/", 12))
		ret->kind = JOB_GOROUTINE;
	else if (!strncmp(rest, "/groups/", 8))
		ret->kind = JOB_GROUP;
	else
		return ret->is_json;
	if (ret->kind == JOB_SUMMARY)
		return true;
	return parse_number(strrchr(rest, '/') + 1, &ret->number) &&
	       strchr(rest + 1, '/') == strrchr(rest, '/');
}

bool accepts_zstd(const char *header)
{
	for (const char *at = header; at && *at;) {
		size_t item = strcspn(at, ","), name;

		at += strspn(at, " \t");
		item = strcspn(at, ",");
		name = strcspn(at, ",; \t");
		if (name == 4 && !strncasecmp(at, "zstd", 4)) {
			const char *q = memmem(at, item, "q=", 2);

			return !q || strtod(q + 2, NULL) > 0;
		}
		at += item;
		at += *at == ',';
	}
	return false;
}

static const char *header_of(const struct reply *reply, const char *name)
{
	return MHD_lookup_connection_value(reply->connection, MHD_HEADER_KIND, name);
}

static const char *argument_of(const struct reply *reply, const char *name)
{
	return MHD_lookup_connection_value(reply->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result answer_failure(const struct reply *reply, enum cs_status status)
{
	if (status == CS_LIMIT)
		return reply_line(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests at once");
	server_log("a request failed: %s", status_text(status));
	return reply_line(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, status_text(status));
}

static enum MHD_Result answer_list(const struct reply *reply, struct server *server, bool is_json)
{
	const char *search = argument_of(reply, "q");
	const char *after = argument_of(reply, "after");
	struct text text;
	enum cs_status status;

	if (search && strlen(search) > MAX_QUERY_LENGTH)
		return reply_line(reply, MHD_HTTP_BAD_REQUEST, "the search is too long");
	text_init(&text, MAX_PAGE_SIZE);
	status = (is_json ? listing_json : listing_page)(&server->catalog, search, after, &text);
	if (!status)
		return reply_text(reply, MHD_HTTP_OK, is_json ? TYPE_JSON : TYPE_HTML, &text);
	text_deinit(&text);
	if (status == CS_CORRUPT)
		return reply_line(reply, MHD_HTTP_BAD_REQUEST, "after= is not from a list of ours");
	return answer_failure(reply, status);
}

static void format_tag(const struct object *object, bool is_packed, char *ret, size_t size)
{
	snprintf(ret, size, "\"%llx-%llx%s\"", (unsigned long long)object->stored_ns,
		(unsigned long long)object->size, is_packed == object->is_zstd ? "" : "-plain");
}

static enum MHD_Result answer_unchanged(const struct reply *reply, const char *tag)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
	reply_harden(reply, response, false);
	result = MHD_queue_response(reply->connection, MHD_HTTP_NOT_MODIFIED, response);
	MHD_destroy_response(response);
	return result;
}

/** The unpacked bytes of a packed object. */
static enum MHD_Result answer_unpacked(const struct reply *reply, struct server *server,
	const struct object *object, struct reply_file *file)
{
	struct answer answer;
	struct stat st;
	enum cs_status status = server_unpack(server, object, &answer, &file->fd);

	if (status)
		return answer_failure(reply, status);
	free(answer.bytes);
	if (file->fd < 0 || fstat(file->fd, &st)) {
		if (file->fd >= 0)
			close(file->fd);
		return reply_line(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "the object is broken");
	}
	file->size = (uint64_t)st.st_size;
	return reply_file(reply, file);
}

/** Answers with the object; closes its descriptor. */
static enum MHD_Result answer_object(const struct reply *reply, struct server *server,
	const char *key, const struct object *object)
{
	const char *known = header_of(reply, MHD_HTTP_HEADER_IF_NONE_MATCH);
	bool is_packed =
		object->is_zstd && accepts_zstd(header_of(reply, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	char tag[64];
	struct reply_file file = {.fd = object->fd,
		.size = object->size,
		.is_packed = is_packed,
		.type = key_is_snapshot(key) ? TYPE_JSON : TYPE_BYTES,
		.tag = tag};
	enum MHD_Result result;

	format_tag(object, is_packed, tag, sizeof(tag));
	if (known && !strcmp(known, tag)) {
		result = answer_unchanged(reply, tag);
	} else if (object->is_zstd && !is_packed) {
		result = answer_unpacked(reply, server, object, &file);
	} else {
		return reply_file(reply, &file);
	}
	close(object->fd);
	return result;
}

static bool wants_plain_text(const struct reply *reply)
{
	const char *accept = header_of(reply, MHD_HTTP_HEADER_ACCEPT);

	return accept && strstr(accept, "text/plain") && !strstr(accept, "text/html");
}

/** A worker's page. Its bytes are shown, not trusted: the policy lets them do nothing. */
static enum MHD_Result answer_page(const struct reply *reply, struct server *server,
	const struct job *job, const struct object *object)
{
	struct answer answer;
	struct text text;
	enum cs_status status = server_work(server, job, object, &answer);
	const char *type = TYPE_HTML;

	if (status)
		return answer_failure(reply, status);
	if (job->kind == JOB_SUMMARY || answer.status != MHD_HTTP_OK)
		type = TYPE_PLAIN;
	text = (struct text){.bytes = answer.bytes, .used = answer.size};
	return reply_text(reply, answer.status, type, &text);
}

static enum MHD_Result answer_snapshot(
	const struct reply *reply, struct server *server, const struct page_address *address)
{
	const char *after = argument_of(reply, "after");
	enum MHD_Result result;
	struct object object;
	struct arena arena;
	const char *key;

	arena_init(&arena, 0);
	key = catalog_find(&server->catalog, address->id, &arena);
	if (!key || store_find(&server->store, key, &object)) {
		result = reply_line(reply, MHD_HTTP_NOT_FOUND, "no such snapshot");
	} else if (address->is_json) {
		result = answer_object(reply, server, key, &object);
	} else {
		struct job job = server_job(server, address->kind, key, &object);

		if (job.kind == JOB_SNAPSHOT && wants_plain_text(reply))
			job.kind = JOB_SUMMARY;
		job.number = address->number;
		if (after && !parse_number(after, &job.skip))
			job.skip = 0;
		result = answer_page(reply, server, &job, &object);
		close(object.fd);
	}
	arena_deinit(&arena);
	return result;
}

enum MHD_Result get_answer(const struct reply *reply, struct server *server, const char *url)
{
	struct page_address address;
	struct object object;

	if (!strcmp(url, "/"))
		return answer_list(reply, server, false);
	if (!strcmp(url, "/api/snapshots"))
		return answer_list(reply, server, true);
	if (key_is_valid(url + 1) && !store_find(&server->store, url + 1, &object))
		return answer_object(reply, server, url + 1, &object);
	if (!strncmp(url, PAGES, strlen(PAGES)) &&
		page_address_parse(url + strlen(PAGES), &address))
		return answer_snapshot(reply, server, &address);
	return reply_line(reply, MHD_HTTP_NOT_FOUND, "not found");
}
