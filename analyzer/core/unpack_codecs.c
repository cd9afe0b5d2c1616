// libzstd, liblzma, zlib and liblz4, each as a struct codec. Memory is bounded by MAX_UNPACK_MEMORY
// where a format lets its file choose the window (zstd --long, xz dictionaries).
#include "analyzer/core/unpack_codecs.h"
#include "common/limits.h"

#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define GZIP_WINDOW (15 + 16) // the largest window, and a gzip header

static void *zstd_create(void)
{
	ZSTD_DStream *stream = ZSTD_createDStream();

	if (stream && ZSTD_isError(ZSTD_DCtx_setParameter(
			      stream, ZSTD_d_windowLogMax, MAX_UNPACK_WINDOW_LOG))) {
		ZSTD_freeDStream(stream);
		return NULL;
	}
	return stream;
}

static void zstd_destroy(void *state)
{
	ZSTD_freeDStream(state);
}

static enum codec_result zstd_step(void *state, struct codec_buffers *b)
{
	ZSTD_inBuffer in = {b->in, b->in_size, 0};
	ZSTD_outBuffer out = {b->out, b->out_size, 0};
	size_t result = ZSTD_decompressStream(state, &out, &in);

	b->in += in.pos;
	b->in_size -= in.pos;
	b->out += out.pos;
	b->out_size -= out.pos;
	if (!ZSTD_isError(result))
		return result ? CODEC_MORE : CODEC_END;
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
	case ZSTD_error_frameParameter_windowTooLarge:
		return CODEC_NO_MEMORY;
	default:
		return CODEC_DAMAGED;
	}
}

static bool xz_restart(void *state)
{
	return lzma_stream_decoder(state, MAX_UNPACK_MEMORY, 0) == LZMA_OK;
}

static void xz_destroy(void *state)
{
	lzma_end(state);
	free(state);
}

static void *xz_create(void)
{
	lzma_stream *stream = calloc(1, sizeof(*stream)); // as LZMA_STREAM_INIT

	if (stream && !xz_restart(stream)) {
		xz_destroy(stream);
		return NULL;
	}
	return stream;
}

static enum codec_result xz_step(void *state, struct codec_buffers *b)
{
	lzma_stream *stream = state;
	lzma_ret result;

	stream->next_in = b->in;
	stream->avail_in = b->in_size;
	stream->next_out = b->out;
	stream->avail_out = b->out_size;
	result = lzma_code(stream, LZMA_RUN);
	b->in = stream->next_in;
	b->in_size = stream->avail_in;
	b->out = stream->next_out;
	b->out_size = stream->avail_out;
	switch (result) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: // nothing to do without more input: the caller sees that
		return CODEC_MORE;
	case LZMA_STREAM_END:
		return CODEC_END;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return CODEC_NO_MEMORY;
	default:
		return CODEC_DAMAGED;
	}
}

static void gzip_destroy(void *state)
{
	inflateEnd(state);
	free(state);
}

static void *gzip_create(void)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (stream && inflateInit2(stream, GZIP_WINDOW) != Z_OK) {
		free(stream);
		return NULL;
	}
	return stream;
}

static enum codec_result gzip_step(void *state, struct codec_buffers *b)
{
	z_stream *stream = state;
	uInt in = b->in_size < UINT32_MAX ? (uInt)b->in_size : UINT32_MAX;
	uInt out = b->out_size < UINT32_MAX ? (uInt)b->out_size : UINT32_MAX;
	int result;

	stream->next_in = (Bytef *)(uintptr_t)b->in; // zlib does not write there
	stream->avail_in = in;
	stream->next_out = b->out;
	stream->avail_out = out;
	result = inflate(stream, Z_NO_FLUSH);
	b->in += in - stream->avail_in;
	b->in_size -= in - stream->avail_in;
	b->out += out - stream->avail_out;
	b->out_size -= out - stream->avail_out;
	switch (result) {
	case Z_OK:
	case Z_BUF_ERROR:
		return CODEC_MORE;
	case Z_STREAM_END:
		return CODEC_END;
	case Z_MEM_ERROR:
		return CODEC_NO_MEMORY;
	default:
		return CODEC_DAMAGED;
	}
}

static bool gzip_restart(void *state)
{
	return inflateReset(state) == Z_OK;
}

static void *lz4_create(void)
{
	LZ4F_dctx *context;

	return LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) ? NULL
										     : context;
}

static void lz4_destroy(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

static enum codec_result lz4_step(void *state, struct codec_buffers *b)
{
	size_t in = b->in_size, out = b->out_size;
	size_t result = LZ4F_decompress(state, b->out, &out, b->in, &in, NULL);

	if (LZ4F_isError(result)) // it does not say how far it came: neither do we
		return CODEC_DAMAGED;
	b->in += in;
	b->in_size -= in;
	b->out += out;
	b->out_size -= out;
	return result ? CODEC_MORE : CODEC_END;
}

const struct codec *codec_find(const void *head, size_t size)
{
	static const struct codec codecs[] = {
		{"zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}, false, zstd_create, zstd_destroy, zstd_step,
			NULL},
		{"xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0}, true, xz_create, xz_destroy, xz_step,
			xz_restart},
		{"gzip", 3, {0x1f, 0x8b, 8}, true, gzip_create, gzip_destroy, gzip_step,
			gzip_restart},
		{"lz4", 4, {0x04, 0x22, 0x4d, 0x18}, false, lz4_create, lz4_destroy, lz4_step,
			NULL},
	};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (size >= codecs[i].magic_size &&
			!memcmp(head, codecs[i].magic, codecs[i].magic_size))
			return &codecs[i];
	return NULL;
}
