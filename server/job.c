#include "server/job.h"

#include "common/json/reader.h"
#include "server/page.h"
#include "server/row.h"
#include "server/unpack.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned int refuse(struct text *out, unsigned int status, const char *why)
{
	text_add(out, why);
	text_add(out, "\n");
	return status;
}

static unsigned int unpack(
	const struct job *job, int object, int scratch, uint64_t *size, struct text *out)
{
	switch (unpack_zstd(object, scratch, job->max_size, size)) {
	case CS_OK:
		return 200;
	case CS_LIMIT:
		return refuse(out, 413, "unpacked, the object is larger than the limit");
	case CS_CORRUPT:
		return refuse(out, 400, "the body is not zstd, or not all of it");
	default:
		return refuse(out, 507, "no room to unpack the object");
	}
}

static unsigned int read_row(const struct json_reader *r, struct arena *arena, struct text *out)
{
	struct snapshot_row row;
	const char *wrong;

	if (row_from_snapshot(r, arena, &row, &wrong)) {
		text_format(out, "not a coresnap snapshot: %s\n", wrong);
		return 422;
	}
	row_write(&row, out);
	return 200;
}

static unsigned int render(
	const struct job *job, const struct json_reader *r, struct arena *arena, struct text *out)
{
	struct page page = {.reader = r,
		.arena = arena,
		.out = out,
		.received_ns = job->received_ns,
		.key = job->key};

	switch (job->kind) {
	case JOB_ROW:
		return read_row(r, arena, out);
	case JOB_SNAPSHOT:
		return page_snapshot(&page);
	case JOB_SUMMARY:
		return page_summary(&page);
	case JOB_GOROUTINE:
		return page_goroutine(&page, job->number);
	case JOB_GROUP:
		return page_group(&page, job->number, job->skip);
	default:
		return refuse(out, 500, "no such job");
	}
}

static unsigned int read_document(
	const struct job *job, const char *bytes, uint64_t size, struct text *out)
{
	struct json_reader reader;
	struct arena arena;
	unsigned int result;

	arena_init(&arena, MAX_WORKER_MEMORY / 2);
	if (jsonr_open(&reader, &arena, bytes, size)) {
		text_format(out, "not a coresnap snapshot: at byte %zu: %s\n", reader.fault_offset,
			reader.fault);
		result = 422;
	} else {
		result = render(job, &reader, &arena, out);
	}
	arena_deinit(&arena);
	if (out->failed) {
		out->failed = false;
		out->used = 0;
		return refuse(out, 500, "the page is too large");
	}
	return result;
}

unsigned int job_run(const struct job *job, int object, int scratch, struct text *out)
{
	uint64_t size = job->size;
	int file = object;
	unsigned int result;
	void *bytes;

	if (job->is_zstd) {
		result = unpack(job, object, scratch, &size, out);
		if (result != 200)
			return result;
		file = scratch;
	}
	if (job->kind == JOB_CHECK)
		return 200;
	if (!size)
		return refuse(out, 422, "not a coresnap snapshot: the body is empty");
	bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	if (bytes == MAP_FAILED)
		return refuse(out, 500, "the object cannot be mapped");
	result = read_document(job, bytes, size, out);
	munmap(bytes, size);
	return result;
}
