#include "daemon/upload.h"

#include "daemon/backoff.h"
#include "daemon/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 200 // bytes of the store's answer that are shown
#define CONNECT_SECONDS 10l
#define SLOWEST_BYTES_PER_SECOND                                                                   \
	4096 // together with the stall limit, the longest an upload may take

struct upload {
	const struct upload_target *target; // borrowed
	CURL *curl;
	struct curl_slist *headers;
	/* Of the upload that runs. */
	int fd;
	uint64_t offset, size;
	char answer[ANSWER_MAX + 1];
	size_t answer_size;
};

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	uint64_t left = upload->size - upload->offset;
	size_t wanted = size * count < left ? size * count : (size_t)left;
	ssize_t got;

	if (wanted == 0)
		return 0;
	got = pread(upload->fd, buffer, wanted, (off_t)upload->offset);
	// A short file would be sent as a whole one: never.
	if (got <= 0)
		return CURL_READFUNC_ABORT;
	upload->offset += (uint64_t)got;
	return (size_t)got;
}

// libcurl sends again when a kept connection turns out to be dead.
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct upload *upload = context;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > upload->size)
		return CURL_SEEKFUNC_FAIL;
	upload->offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	size_t total = size * count;
	size_t room = ANSWER_MAX - upload->answer_size;
	size_t taken = total < room ? total : room;

	memcpy(upload->answer + upload->answer_size, bytes, taken);
	upload->answer_size += taken;
	upload->answer[upload->answer_size] = '\0';
	return total;
}

static int on_progress(
	void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	const struct upload *upload = context;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return upload->target->is_stopping(upload->target->context);
}

static bool add_header(struct upload *upload, const char *header)
{
	struct curl_slist *longer = curl_slist_append(upload->headers, header);

	if (longer)
		upload->headers = longer;
	return longer;
}

static bool add_headers(struct upload *upload)
{
	char authorization[UPLOAD_TOKEN_SIZE + 32];
	const char *token = upload->target->token;

	if (!add_header(upload, "Content-Type: application/json") ||
		!add_header(upload, "Content-Encoding: zstd") ||
		!add_header(upload, "If-None-Match: *"))
		return false;
	if (!token || !*token)
		return true;
	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", token);
	return add_header(upload, authorization);
}

static void set_options(struct upload *upload)
{
	const struct upload_target *target = upload->target;
	CURL *curl = upload->curl;
	long stall = (long)((target->stall_timeout_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);

	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1l);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0l);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, target->is_https ? "https" : "http");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "coresnapd/" CORESNAP_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, upload->headers);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1l);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, upload);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, upload);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, upload);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, upload);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0l);
	// What goes to this machine in the clear goes to no proxy.
	if (!target->is_https)
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (target->ca_file && *target->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, target->ca_file);
}

struct upload *upload_create(const struct upload_target *target)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload)
		return NULL;
	upload->target = target;
	upload->curl = curl_easy_init();
	if (upload->curl && add_headers(upload)) {
		set_options(upload);
		return upload;
	}
	upload_destroy(upload);
	return NULL;
}

void upload_destroy(struct upload *upload)
{
	if (!upload)
		return;
	curl_easy_cleanup(upload->curl);
	curl_slist_free_all(upload->headers);
	free(upload);
}

enum upload_verdict upload_judge(long status)
{
	switch (status) {
	case 200:
	case 201:
	case 204:
		return UPLOAD_STORED;
	case 412:
		return UPLOAD_PRESENT;
	case 408:
	case 425:
	case 429:
		return UPLOAD_RETRY;
	default:
		// Redirects, which are not followed, and 5xx may end; other answers of 4xx do not.
		return status >= 400 && status < 500 ? UPLOAD_REFUSED : UPLOAD_RETRY;
	}
}

static void judge_answer(struct upload *upload, struct upload_result *ret)
{
	curl_off_t retry_after = 0;

	ret->verdict = upload_judge(ret->status);
	if (ret->verdict == UPLOAD_STORED || ret->verdict == UPLOAD_PRESENT)
		return;
	snprintf(ret->reason, sizeof(ret->reason), "the store answered %ld%s%s", ret->status,
		upload->answer_size ? ": " : "", upload->answer);
	log_printable(ret->reason);
	if (curl_easy_getinfo(upload->curl, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK &&
		retry_after > 0) {
		ret->has_retry_after = true;
		ret->retry_after_seconds = retry_after;
	}
}

void upload_put(
	struct upload *upload, int fd, uint64_t size, const char *id, struct upload_result *ret)
{
	char url[8192];
	uint64_t stall = upload->target->stall_timeout_ns / NS_PER_SECOND + 1;
	CURLcode code;

	*ret = (struct upload_result){.verdict = UPLOAD_RETRY};
	upload->fd = fd;
	upload->offset = 0;
	upload->size = size;
	upload->answer_size = 0;
	*upload->answer = '\0';
	if (snprintf(url, sizeof(url), "%s/%s.json", upload->target->url, id) >= (int)sizeof(url)) {
		snprintf(ret->reason, sizeof(ret->reason), "the URL is too long");
		return;
	}
	curl_easy_setopt(upload->curl, CURLOPT_URL, url);
	curl_easy_setopt(upload->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(upload->curl, CURLOPT_TIMEOUT,
		(long)(CONNECT_SECONDS + 2 * stall + size / SLOWEST_BYTES_PER_SECOND));
	code = curl_easy_perform(upload->curl);
	curl_easy_getinfo(upload->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	// A final answer counts even when the connection broke behind it.
	if (ret->status >= 200) {
		judge_answer(upload, ret);
	} else if (code == CURLE_ABORTED_BY_CALLBACK &&
		   upload->target->is_stopping(upload->target->context)) {
		ret->verdict = UPLOAD_STOPPED;
	} else {
		ret->status = 0;
		snprintf(ret->reason, sizeof(ret->reason), "%s", curl_easy_strerror(code));
	}
}
