#include "server/unpack.h"

#include "common/limits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#define IN_SIZE (128u << 10)
#define OUT_SIZE (128u << 10)

struct unpacking {
	int from, to;
	uint64_t max_size, taken, made;
	char *in, *out;
	size_t hint; // what ZSTD_decompressStream said last: 0 at the end of a frame
};

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t part = write(fd, bytes, size);

		if (part <= 0)
			return false;
		bytes += part;
		size -= (size_t)part;
	}
	return true;
}

static bool is_too_large(const struct unpacking *u)
{
	uint64_t allowed = UNPACK_FREE + u->taken * MAX_UNPACK_RATIO;

	return u->made > u->max_size || u->made > allowed;
}

static enum cs_status unpack_chunk(struct unpacking *u, ZSTD_DStream *stream, size_t size)
{
	ZSTD_inBuffer in = {.src = u->in, .size = size};
	bool is_full = true;

	while (in.pos < in.size || is_full) {
		ZSTD_outBuffer out = {.dst = u->out, .size = OUT_SIZE};

		u->hint = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(u->hint))
			return CS_CORRUPT;
		is_full = out.pos == out.size;
		u->made += out.pos;
		if (is_too_large(u))
			return CS_LIMIT;
		if (!write_all(u->to, u->out, out.pos))
			return CS_IO;
		if (!u->hint && in.pos == in.size)
			break;
	}
	return CS_OK;
}

static enum cs_status unpack_all(struct unpacking *u, ZSTD_DStream *stream)
{
	u->hint = 1; // an empty file is no frame
	for (;;) {
		ssize_t got = pread(u->from, u->in, IN_SIZE, (off_t)u->taken);
		enum cs_status status;

		if (got < 0)
			return CS_IO;
		if (!got)
			return u->hint ? CS_CORRUPT : CS_OK;
		u->taken += (uint64_t)got;
		status = unpack_chunk(u, stream, (size_t)got);
		if (status)
			return status;
	}
}

enum cs_status unpack_zstd(int from, int to, uint64_t max_size, uint64_t *ret)
{
	struct unpacking u = {.from = from, .to = to, .max_size = max_size};
	ZSTD_DStream *stream = ZSTD_createDStream();
	enum cs_status status = CS_NO_MEMORY;

	u.in = malloc(IN_SIZE);
	u.out = malloc(OUT_SIZE);
	if (stream && u.in && u.out)
		status = unpack_all(&u, stream);
	ZSTD_freeDStream(stream);
	free(u.in);
	free(u.out);
	if (!status)
		*ret = u.made;
	return status;
}
