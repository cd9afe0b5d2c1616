// The loop around the codecs: reads, steps, and writes what is not zero. A core is mostly zeros
// (gcore writes every page that was ever mapped), and zeros that are not written cost no disk.
#include "analyzer/core/unpack.h"
#include "analyzer/core/unpack_codecs.h"
#include "common/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096 // what is zero is left out in units of this
#define IN_SIZE ((size_t)256 << 10)
#define OUT_SIZE ((size_t)1 << 20)

struct unpacker {
	int from, to;
	struct unpack_limits limits;
	const struct codec *codec;
	void *state; // owned
	uint8_t *in, *out;
	struct codec_buffers buffers;
	uint64_t read_at, size, written;
	enum unpack_end end;
	bool is_at_end_of_file;
	bool is_between; // two streams: the file may end here
};

const char *unpack_format(const void *head, size_t size)
{
	const struct codec *codec = codec_find(head, size);

	return codec ? codec->name : NULL;
}

struct unpacker *unpack_create(
	int from, int to, const struct unpack_limits *limits, struct arena *arena)
{
	struct unpacker *unpacker = arena_alloc(arena, sizeof(*unpacker));
	uint8_t head[UNPACK_MAGIC_SIZE];
	ssize_t size = pread(from, head, sizeof(head), 0);

	if (!unpacker)
		return NULL;
	*unpacker = (struct unpacker){.from = from, .to = to, .limits = *limits};
	unpacker->codec = size > 0 ? codec_find(head, (size_t)size) : NULL;
	unpacker->in = arena_alloc(arena, IN_SIZE);
	unpacker->out = arena_alloc(arena, OUT_SIZE);
	if (!unpacker->codec || !unpacker->in || !unpacker->out)
		return NULL;
	unpacker->state = unpacker->codec->create();
	return unpacker->state ? unpacker : NULL;
}

void unpack_destroy(struct unpacker *unpacker)
{
	if (unpacker && unpacker->state)
		unpacker->codec->destroy(unpacker->state);
	if (unpacker)
		unpacker->state = NULL;
}

uint64_t unpack_size(const struct unpacker *unpacker)
{
	return unpacker->size;
}

static enum unpack_end why_not_written(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? UNPACK_NO_ROOM
								    : UNPACK_FAILED;
}

/** Writes `size` bytes at the end of what is there. */
static enum unpack_end write_bytes(struct unpacker *u, const uint8_t *bytes, size_t size)
{
	if (size > u->limits.written - u->written)
		return UNPACK_NO_ROOM;
	while (size) {
		ssize_t done = pwrite(u->to, bytes, size, (off_t)u->size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return why_not_written();
		bytes += done;
		size -= (size_t)done;
		u->size += (uint64_t)done;
		u->written += (uint64_t)done;
	}
	return UNPACK_GOES_ON;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

/** The length of the first block of `size` bytes at `offset`, up to the next boundary. */
static size_t block_size(uint64_t offset, size_t size)
{
	size_t left = BLOCK - offset % BLOCK;

	return left < size ? left : size;
}

/** Takes over `size` plain bytes: runs of blocks are written, blocks of zeros become holes. */
static enum unpack_end put(struct unpacker *u, const uint8_t *bytes, size_t size)
{
	enum unpack_end end = UNPACK_GOES_ON;

	while (size && end == UNPACK_GOES_ON) {
		size_t zeros = 0, run = 0, part;

		while (zeros < size) {
			part = block_size(u->size + zeros, size - zeros);
			if (!is_zero(bytes + zeros, part))
				break;
			zeros += part;
		}
		u->size += zeros;
		bytes += zeros;
		size -= zeros;
		while (run < size) {
			part = block_size(u->size + run, size - run);
			if (is_zero(bytes + run, part))
				break;
			run += part;
		}
		end = write_bytes(u, bytes, run);
		bytes += run;
		size -= run;
	}
	return end;
}

/** What the buffer holds goes to the file, as far as the limit on size lets it. */
static enum unpack_end flush(struct unpacker *u)
{
	size_t size = (size_t)(u->buffers.out - u->out);
	uint64_t room = u->limits.size - u->size;
	enum unpack_end end = put(u, u->out, size < room ? size : room);

	u->buffers.out = u->out;
	u->buffers.out_size = OUT_SIZE;
	return end == UNPACK_GOES_ON && size > room ? UNPACK_TOO_LARGE : end;
}

static enum unpack_end refill(struct unpacker *u)
{
	ssize_t size;

	if (u->buffers.in_size || u->is_at_end_of_file)
		return UNPACK_GOES_ON;
	do
		size = pread(u->from, u->in, IN_SIZE, (off_t)u->read_at);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return UNPACK_FAILED;
	u->is_at_end_of_file = !size;
	u->read_at += (uint64_t)size;
	u->buffers.in = u->in;
	u->buffers.in_size = (size_t)size;
	return UNPACK_GOES_ON;
}

static void skip_padding(struct unpacker *u)
{
	while (u->codec->has_padding && u->is_between && u->buffers.in_size && !*u->buffers.in) {
		u->buffers.in++;
		u->buffers.in_size--;
	}
}

/** One step of the codec with what is there; says where that leaves us. */
static enum unpack_end step(struct unpacker *u)
{
	size_t in_size = u->buffers.in_size, out_size = u->buffers.out_size;
	enum codec_result result;

	if (u->is_between && u->is_at_end_of_file)
		return UNPACK_WHOLE;
	if (u->is_between && !in_size)
		return UNPACK_GOES_ON; // padding up to the end of the buffer
	if (u->is_between && u->codec->restart && !u->codec->restart(u->state))
		return UNPACK_NO_MEMORY;
	u->is_between = false;
	result = u->codec->step(u->state, &u->buffers);
	if (result == CODEC_DAMAGED)
		return UNPACK_DAMAGED;
	if (result == CODEC_NO_MEMORY)
		return UNPACK_NO_MEMORY;
	if (in_size && u->buffers.in_size == in_size && u->buffers.out_size == out_size)
		return UNPACK_DAMAGED; // it would stand there for ever
	u->is_between = result == CODEC_END;
	// Without input it may still have output; without either there is nothing to come.
	if (u->is_at_end_of_file && !u->is_between && u->buffers.out_size == out_size)
		return UNPACK_CUT;
	return UNPACK_GOES_ON;
}

static enum unpack_end run(struct unpacker *u, uint64_t size)
{
	enum unpack_end end = UNPACK_GOES_ON, flushed;

	while (end == UNPACK_GOES_ON && u->size + (uint64_t)(u->buffers.out - u->out) < size) {
		end = refill(u);
		skip_padding(u);
		if (end == UNPACK_GOES_ON)
			end = step(u);
		if (end == UNPACK_GOES_ON && !u->buffers.out_size)
			end = flush(u);
	}
	// Whatever ended it, what came before is good.
	flushed = flush(u);
	return flushed == UNPACK_GOES_ON ? end : flushed;
}

enum unpack_end unpack_advance(struct unpacker *u, uint64_t size)
{
	struct stat st;

	if (u->end != UNPACK_GOES_ON)
		return u->end;
	if (!u->buffers.out) {
		u->buffers.out = u->out;
		u->buffers.out_size = OUT_SIZE;
	}
	u->end = run(u, size);
	if (ftruncate(u->to, (off_t)u->size)) { // a hole at the end, past a limit on file size
		u->end = why_not_written();
		u->size = fstat(u->to, &st) ? 0 : (uint64_t)st.st_size;
	}
	return u->end;
}
