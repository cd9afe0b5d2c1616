#include "daemon/uploader.h"

#include "daemon/backoff.h"
#include "daemon/confine.h"
#include "daemon/fd.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/queue.h"
#include "daemon/spool.h"
#include "daemon/upload.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Descriptors that the role is born with.
#define QUEUE_FD 3
#define FAILED_FD 4
#define WAKE_FD 5
#define TOKEN_FD 6

// argv: program, role, and these.
enum { ARG_URL = 2, ARG_SECURE, ARG_RETRY_MIN, ARG_STALL, ARG_CA_FILE, ARG_VERBOSE, ARG_COUNT };

#define GRACE_NS (5 * NS_PER_SECOND)    // that a transfer gets when we are to end
#define REFRESH_NS (60 * NS_PER_SECOND) // in case a wake-up was lost

struct uploader {
	struct queue queue;
	struct upload_target target;
	struct upload *upload;
	uint64_t retry_min_ns;
	/* The store as a whole: while it fails, one probe at a time. */
	uint32_t failures; // in a row, of any entry
	uint64_t store_due_ns;
	uint64_t stop_ns; // when to give up what runs; 0: not stopping
	char token[UPLOAD_TOKEN_SIZE];
};

enum cs_status uploader_start(const struct options *options, const char *self,
	const struct spool *spool, struct child *ret, int *wake_ret)
{
	char url[4096], retry_min[32], stall[32];
	const char *const argv[] = {"coresnapd", "--role=uploader", url,
		options->is_https ? "https" : "http", retry_min, stall,
		options->ca_file ? options->ca_file : "", options->is_verbose ? "verbose" : "",
		NULL};
	CLOSE_FD int token =
		open(options->token_file ? options->token_file : "/dev/null", O_RDONLY | O_CLOEXEC);
	CLOSE_FD int from = -1, to = -1;
	int ends[2];
	enum cs_status status;

	if (token < 0 || pipe2(ends, O_CLOEXEC))
		return CS_IO;
	from = ends[0];
	to = ends[1];
	fcntl(to, F_SETFL, O_NONBLOCK);
	snprintf(url, sizeof(url), "%.*s", (int)options->upload_length, options->upload);
	snprintf(retry_min, sizeof(retry_min), "%" PRIu64, options->retry_min_ns);
	snprintf(stall, sizeof(stall), "%" PRIu64, options->stall_timeout_ns);
	struct child_spec spec = {.path = self,
		.argv = argv,
		.keeps_environment = true,
		.fds = {{spool->queue, QUEUE_FD}, {spool->failed, FAILED_FD}, {from, WAKE_FD},
			{token, TOKEN_FD}},
		.fd_count = 4};

	status = child_spawn(&spec, ret);
	if (!status)
		*wake_ret = fd_steal(&to);
	return status;
}

// Reads the wake pipe; at its end notes that we are stopping.
static void drain_wake(struct uploader *uploader)
{
	char bytes[256];
	ssize_t size;

	while ((size = read(WAKE_FD, bytes, sizeof(bytes))) > 0)
		;
	if (size == 0 && !uploader->stop_ns)
		uploader->stop_ns = clock_boot_ns() + GRACE_NS;
}

static bool is_out_of_time(void *context)
{
	struct uploader *uploader = context;
	struct pollfd wake = {WAKE_FD, 0, 0};

	if (!uploader->stop_ns && poll(&wake, 1, 0) > 0 && (wake.revents & POLLHUP))
		uploader->stop_ns = clock_boot_ns() + GRACE_NS;
	return uploader->stop_ns && clock_boot_ns() >= uploader->stop_ns;
}

static void report_trouble(enum cs_status status, const char *id)
{
	if (status)
		log_line(LOG_ERR, "%s: the spool cannot be written: %s", id, strerror(errno));
}

static void retry_later(
	struct uploader *uploader, struct queue_entry *entry, const struct upload_result *result)
{
	uint64_t delay_ns, store_delay_ns;

	uploader->failures++;
	if (result->has_retry_after) {
		delay_ns = store_delay_ns = backoff_retry_after_ns(result->retry_after_seconds);
	} else {
		delay_ns =
			backoff_delay_ns(uploader->retry_min_ns, entry->attempts + 1, random_u64());
		store_delay_ns =
			backoff_delay_ns(uploader->retry_min_ns, uploader->failures, random_u64());
	}
	uploader->store_due_ns = clock_boot_ns() + store_delay_ns;
	log_line(LOG_WARN, "%s: %s; attempt %u, next try in %.1f s", entry->id, result->reason,
		entry->attempts + 1, (double)delay_ns / (double)NS_PER_SECOND);
	report_trouble(queue_retry(&uploader->queue, entry, delay_ns, result->reason), entry->id);
}

static void handle(struct uploader *uploader, struct queue_entry *entry,
	const struct upload_result *result, uint64_t took_ns)
{
	char id[SNAPSHOT_ID_LENGTH + 1];

	memcpy(id, entry->id, sizeof(id)); // the entry goes when it is settled
	if (result->verdict == UPLOAD_STOPPED)
		return;
	if (result->verdict == UPLOAD_RETRY) {
		retry_later(uploader, entry, result);
		return;
	}
	uploader->failures = 0;
	uploader->store_due_ns = 0;
	if (result->verdict == UPLOAD_REFUSED) {
		log_line(
			LOG_ERR, "%s was refused and is parked in failed/: %s", id, result->reason);
		report_trouble(
			queue_park(&uploader->queue, entry, result->status, result->reason), id);
		return;
	}
	if (result->verdict == UPLOAD_STORED)
		log_line(LOG_INFO, "uploaded %s to %s in %" PRIu64 " ms", id, uploader->target.url,
			took_ns / 1000000);
	else
		log_line(LOG_INFO, "%s was at %s already", id, uploader->target.url);
	report_trouble(queue_confirm(&uploader->queue, entry), id);
}

static void upload_one(struct uploader *uploader, struct queue_entry *entry)
{
	CLOSE_FD int fd = -1;
	uint64_t size, began_ns = clock_boot_ns();
	struct upload_result result;

	if (queue_open(&uploader->queue, entry, &size, &fd)) {
		entry->due_ns = began_ns + REFRESH_NS; // gone; the next refresh forgets it
		return;
	}
	upload_put(uploader->upload, fd, size, entry->id, &result);
	handle(uploader, entry, &result, clock_boot_ns() - began_ns);
}

// Sleeps until the queue grows, we are to end, or `due_ns`. True: the queue may have changed.
static bool rest(struct uploader *uploader, uint64_t due_ns)
{
	struct pollfd wake = {WAKE_FD, POLLIN, 0};
	uint64_t now_ns = clock_boot_ns();
	uint64_t sleep_ns = due_ns > now_ns ? due_ns - now_ns : 0;

	if (sleep_ns > REFRESH_NS)
		sleep_ns = REFRESH_NS;
	if (poll(&wake, 1, (int)(sleep_ns / 1000000) + (sleep_ns % 1000000 != 0)) > 0) {
		drain_wake(uploader);
		return true;
	}
	return sleep_ns == REFRESH_NS;
}

static int run(struct uploader *uploader)
{
	bool has_changed = true;

	while (!uploader->stop_ns) {
		uint64_t due_ns, now_ns = clock_boot_ns();
		struct queue_entry *entry;

		if (has_changed && queue_refresh(&uploader->queue)) {
			log_line(LOG_ERR, "the queue cannot be read: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		entry = queue_next(&uploader->queue, now_ns, &due_ns);
		if (entry && now_ns >= uploader->store_due_ns) {
			upload_one(uploader, entry);
			due_ns = 0;
		} else if (due_ns < uploader->store_due_ns) {
			due_ns = uploader->store_due_ns;
		}
		has_changed = rest(uploader, due_ns);
	}
	return EXIT_SUCCESS;
}

// The first line of the token's file, without the white space around it.
static bool read_token(struct uploader *uploader)
{
	ssize_t size = read(TOKEN_FD, uploader->token, sizeof(uploader->token) - 1);

	close(TOKEN_FD);
	if (size < 0)
		return false;
	uploader->token[size] = '\0';
	uploader->token[strcspn(uploader->token, " \t\r\n")] = '\0';
	return true;
}

// Everything that needs more than the role may have is done by now.
static bool give_up_rights(const char *ca_file)
{
	enum cs_status status = confine_uploader(QUEUE_FD, FAILED_FD, ca_file);

	if (status == CS_UNSUPPORTED)
		log_line(LOG_WARN,
			"this kernel has no Landlock: the uploader is not kept to the queue");
	else if (status)
		log_line(LOG_ERR, "the uploader cannot be confined: %s", strerror(errno));
	return !status || status == CS_UNSUPPORTED;
}

static void set_up(struct uploader *uploader, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	// None of them is for a child, of which there is none.
	for (int fd = QUEUE_FD; fd <= TOKEN_FD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(WAKE_FD, F_SETFL, O_NONBLOCK);
	uploader->queue = (struct queue){.queue = QUEUE_FD, .failed = FAILED_FD};
	uploader->retry_min_ns = strtoull(argv[ARG_RETRY_MIN], NULL, 10);
	uploader->target = (struct upload_target){
		.url = argv[ARG_URL],
		.token = uploader->token,
		.ca_file = argv[ARG_CA_FILE],
		.is_https = !strcmp(argv[ARG_SECURE], "https"),
		.stall_timeout_ns = strtoull(argv[ARG_STALL], NULL, 10),
		.is_stopping = is_out_of_time,
		.context = uploader,
	};
}

int uploader_main(int argc, char **argv)
{
	struct uploader uploader = {0};
	int code;

	if (argc != ARG_COUNT)
		return EXIT_FAILURE;
	log_init(argv[ARG_VERBOSE][0]);
	set_up(&uploader, argv);
	if (!read_token(&uploader) || !give_up_rights(argv[ARG_CA_FILE]))
		return EXIT_FAILURE;
	if (!curl_global_init(CURL_GLOBAL_DEFAULT))
		uploader.upload = upload_create(&uploader.target);
	if (!uploader.upload) {
		log_line(LOG_ERR, "libcurl cannot start");
		return EXIT_FAILURE;
	}
	code = run(&uploader);
	upload_destroy(uploader.upload);
	queue_deinit(&uploader.queue);
	curl_global_cleanup();
	return code;
}
