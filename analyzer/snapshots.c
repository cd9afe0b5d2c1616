#include "analyzer/snapshots.h"

#include "analyzer/input.h"
#include "analyzer/output.h"
#include "analyzer/say.h"
#include "analyzer/supervisor.h"
#include "common/limits.h"
#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define SCHEMA "\"coresnap.snapshot/1\""

/* A run, on both sides of the fork. */
struct run {
	const struct snapshots_job *job;
	int files[SNAPSHOTS_MAX];
	uint64_t sizes[SNAPSHOTS_MAX];
	struct output output;
};

bool snapshots_write(void *context, const char *bytes, size_t size)
{
	const struct snapshots *snapshots = context;

	return output_write(snapshots->output, bytes, size);
}

static enum cs_status fail(struct snapshots *s, size_t index, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%.120s: %s", s->names[index], why);
	return CS_CORRUPT;
}

static void free_stream(ZSTD_DStream **stream)
{
	ZSTD_freeDStream(*stream);
}

/** All that the frames of `in` hold, in *ret, which is malloc's. */
static const char *unpack(ZSTD_inBuffer in, char **ret, size_t *size_ret)
{
	__attribute__((cleanup(free_stream))) ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_outBuffer out = {0};
	size_t left = 1;

	if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(
			       stream, ZSTD_d_windowLogMax, MAX_UNPACK_WINDOW_LOG)))
		return "out of memory";
	// At the end of a frame that is not the last one, `left` is 0 and there is more to come.
	while (in.pos < in.size || (left && out.pos == out.size)) {
		if (out.pos == out.size) {
			size_t size = out.size ? 2 * out.size : UNPACK_HEAD;
			char *grown = size <= MAX_SNAPSHOT_READ ? realloc(out.dst, size) : NULL;

			if (!grown)
				return size > MAX_SNAPSHOT_READ ? "unpacks to more than 1 GiB"
								: "out of memory";
			*ret = out.dst = grown;
			out.size = size;
		}
		left = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(left))
			return "is damaged: its compressed data make no sense";
		if (left && in.pos == in.size && out.pos < out.size)
			return "is cut off: its compressed data do not end";
	}
	*size_ret = out.pos;
	return NULL;
}

/** Reads snapshot `index` from `bytes`; its memory stays until the process ends. */
static enum cs_status read_document(
	struct snapshots *s, size_t index, const char *bytes, size_t size)
{
	struct json_reader *r = &s->readers[index];
	struct json_text schema;
	char why[160];

	if (size >= 4 && !memcmp(bytes, "\177ELF", 4))
		return fail(s, index,
			"is a core or an executable: 'coresnap analyze' makes a snapshot of a "
			"core");
	if (jsonr_open(r, &s->arena, bytes, size)) {
		snprintf(why, sizeof(why), "is no snapshot: at byte %zu: %s", r->fault_offset,
			r->fault);
		return fail(s, index, why);
	}
	schema = jsonr_member_text(r, "schema");
	if (!schema.bytes)
		return fail(s, index, "is no snapshot: it has no member 'schema'");
	if (schema.size != strlen(SCHEMA) || memcmp(schema.bytes, SCHEMA, schema.size))
		return fail(s, index, "is of a schema that this coresnap does not know");
	return CS_OK;
}

static enum cs_status open_document(struct snapshots *s, const struct run *run, size_t index)
{
	uint64_t file_size = run->sizes[index];
	const char *why;
	size_t size;
	void *bytes;

	if (!file_size)
		return fail(s, index, "is empty");
	bytes = mmap(NULL, file_size, PROT_READ, MAP_PRIVATE, run->files[index], 0);
	if (bytes == MAP_FAILED)
		return fail(s, index, strerror(errno));
	if (file_size < 4 || memcmp(bytes, "\x28\xb5\x2f\xfd", 4))
		return read_document(s, index, bytes, file_size);
	why = unpack((ZSTD_inBuffer){bytes, file_size, 0}, &s->unpacked[index], &size);
	return why ? fail(s, index, why) : read_document(s, index, s->unpacked[index], size);
}

static enum cs_status close_sandbox(struct snapshots *s, const struct run *run)
{
	struct sandbox_limits limits = {.cpu_seconds = MAX_SNAPSHOT_SECONDS,
		.address_size = (SNAPSHOTS_MAX + 1) * 2 * MAX_SNAPSHOT_READ + MAX_SNAPSHOT_MEMORY,
		.file_size = MAX_SNAPSHOT_READ};
	struct diag diag;
	enum cs_status status;

	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < s->count; i++)
		limits.address_size += run->sizes[i];
	if (!run->job->is_sandboxed)
		return CS_OK;
	sandbox_warm_up();
	json_object_seed(0); // its hash wants random bytes from a file
	diag_init(&diag, &s->arena);
	status = sandbox_enter(&limits, &diag);
	if (status)
		snprintf(s->why, sizeof(s->why), "%s",
			diag.fatal ? diag.fatal : status_text(status));
	return status;
}

static void work(void *context, int channel)
{
	struct channel_message message = {.kind = CHANNEL_RESULT, .outcome = OUTCOME_FAILED};
	const struct run *run = context;
	struct snapshots s = {
		.count = run->job->count, .output = run->output.fd, .options = run->job->options};
	enum cs_status status;
	uint32_t result = 0;

	memcpy(s.names, run->job->names, sizeof(s.names));
	arena_init(&s.arena, MAX_SNAPSHOT_MEMORY);
	status = close_sandbox(&s, run);
	for (size_t i = 0; !status && i < s.count; i++)
		status = open_document(&s, run, i);
	if (!status)
		status = run->job->work(&s, &result);
	if (!status) {
		message.outcome = OUTCOME_DONE;
		message.place = result;
	}
	channel_set(message.text, sizeof(message.text), *s.why ? s.why : status_text(status));
	if (channel_send(channel, &message, -1))
		_exit(1);
	arena_deinit(&s.arena);
	for (size_t i = 0; i < SNAPSHOTS_MAX; i++)
		free(s.unpacked[i]); // mappings go with the process
}

static bool open_files(struct run *run)
{
	for (size_t i = 0; i < run->job->count; i++) {
		struct stat status;
		char why[256];

		if (input_open(run->job->names[i], &run->files[i], why, sizeof(why))) {
			say("%s: %s", run->job->names[i], why);
			return false;
		}
		if (fstat(run->files[i], &status)) {
			say("%s: %s", run->job->names[i], strerror(errno));
			return false;
		}
		run->sizes[i] = (uint64_t)status.st_size;
		if (run->sizes[i] > MAX_SNAPSHOT_READ) {
			say("%s: is larger than 1 GiB", run->job->names[i]);
			return false;
		}
	}
	return true;
}

static bool supervise(struct run *run, uint32_t *ret, int *signal_ret)
{
	struct supervisor_job job = {.work = work,
		.context = run,
		.keep = {run->files[0], run->files[1], run->output.fd, -1},
		.seconds = MAX_SNAPSHOT_SECONDS};
	struct supervisor_report report;

	if (supervisor_run(&job, &report)) {
		say("no process can be started: %s", strerror(errno));
		return false;
	}
	*signal_ret = report.signal;
	if (report.end == WORKER_INTERRUPTED)
		return false;
	if (report.end == WORKER_DIED)
		say("reading was %s", report.why);
	else if (report.message.outcome != OUTCOME_DONE)
		say("%s", report.message.text);
	else if (output_commit(&run->output) && errno != EPIPE)
		say("%s: %s; nothing was kept",
			run->job->output ? run->job->output : "standard output", strerror(errno));
	else {
		*ret = report.message.place != 0;
		return true;
	}
	return false;
}

bool snapshots_run(const struct snapshots_job *job, uint32_t *ret)
{
	struct run run = {.job = job, .files = {-1, -1}, .output = {.fd = -1, .stream = -1}};
	bool is_done = false;
	char why[256];
	int signal = 0;

	supervisor_block_signals();
	if (open_files(&run)) {
		if (output_open(job->output, &run.output, why, sizeof(why)))
			say("%s: %s", job->output ? job->output : "standard output", why);
		else
			is_done = supervise(&run, ret, &signal);
	}
	output_close(&run.output);
	for (size_t i = 0; i < SNAPSHOTS_MAX; i++)
		if (run.files[i] >= 0)
			close(run.files[i]);
	supervisor_unblock_signals(signal);
	return is_done;
}
