#include "analyzer/core/unpack.h"

#include "common/limits.h"

#include <check.h>
#include <errno.h>
#include <lz4frame.h>
#include <lzma.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PLAIN_SIZE ((size_t)3 << 20)
#define PACKED_MAX (PLAIN_SIZE + 65536)
#define HOLE_START 100000 // not on a page: its edges share pages with data
#define HOLE_END 2500000

static uint8_t plain[PLAIN_SIZE], packed[3 * PACKED_MAX];

static size_t pack_zstd(uint8_t *to, const uint8_t *from, size_t size)
{
	return ZSTD_compress(to, PACKED_MAX, from, size, 1);
}

static size_t pack_xz(uint8_t *to, const uint8_t *from, size_t size)
{
	size_t at = 0;

	ck_assert_int_eq(
		lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, from, size, to, &at, PACKED_MAX),
		LZMA_OK);
	return at;
}

static size_t pack_gzip(uint8_t *to, const uint8_t *from, size_t size)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)from,
		.avail_in = (uInt)size,
		.next_out = to,
		.avail_out = (uInt)PACKED_MAX};

	ck_assert_int_eq(
		deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t pack_lz4(uint8_t *to, const uint8_t *from, size_t size)
{
	LZ4F_preferences_t options = {.frameInfo = {.blockSizeID = LZ4F_max64KB,
					      .contentChecksumFlag = LZ4F_contentChecksumEnabled}};

	return LZ4F_compressFrame(to, PACKED_MAX, from, size, &options);
}

static const struct {
	const char *name;
	size_t (*pack)(uint8_t *to, const uint8_t *from, size_t size);
	bool has_padding, is_checked;
} formats[] = {
	{"zstd", pack_zstd, false, false},
	{"xz", pack_xz, true, true},
	{"gzip", pack_gzip, true, true},
	{"lz4", pack_lz4, false, true},
};

#define FORMATS ((int)(sizeof(formats) / sizeof(formats[0])))

static const struct unpack_limits no_limits = {UINT64_MAX, UINT64_MAX};

/* Numbers that compress badly enough to take several reads, around a hole. */
static void fill(void)
{
	uint64_t state = 1;

	for (size_t i = 0; i < PLAIN_SIZE; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		plain[i] = i >= HOLE_START && i < HOLE_END ? 0 : (uint8_t)(state >> 59 | 1);
	}
}

struct result {
	enum unpack_end end;
	uint64_t size;
	int fd; // what was unpacked
};

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static struct result unpack(size_t packed_size, struct unpack_limits limits, uint64_t wanted)
{
	int from = file_of(packed, packed_size);
	struct result result = {.fd = memfd_create("plain", MFD_CLOEXEC)};
	struct unpacker *unpacker;
	struct arena arena;
	struct stat st;

	arena_init(&arena, 0);
	unpacker = unpack_create(from, result.fd, &limits, &arena);
	ck_assert_ptr_nonnull(unpacker);
	result.end = unpack_advance(unpacker, wanted);
	result.size = unpack_size(unpacker);
	unpack_destroy(unpacker);
	arena_deinit(&arena);
	close(from);
	ck_assert_int_eq(fstat(result.fd, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, result.size);
	return result;
}

static void check_content(const struct result *result, uint64_t size)
{
	uint8_t *bytes = mmap(NULL, PLAIN_SIZE, PROT_READ, MAP_PRIVATE, result->fd, 0);

	ck_assert_uint_eq(result->size, size);
	for (uint64_t at = 0; at < size; at += PLAIN_SIZE) {
		munmap(bytes, PLAIN_SIZE);
		bytes = mmap(NULL, PLAIN_SIZE, PROT_READ, MAP_PRIVATE, result->fd, (off_t)at);
		ck_assert_ptr_ne(bytes, MAP_FAILED);
		ck_assert(!memcmp(bytes, plain, size - at < PLAIN_SIZE ? size - at : PLAIN_SIZE));
	}
	munmap(bytes, PLAIN_SIZE);
}

static void check(struct result result, enum unpack_end end, uint64_t size)
{
	ck_assert_int_eq(result.end, end);
	check_content(&result, size);
	close(result.fd);
}

START_TEST(whole)
{
	size_t size;
	struct result result;
	struct stat st;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	ck_assert_str_eq(unpack_format(packed, size), formats[_i].name);
	result = unpack(size, no_limits, UINT64_MAX);
	ck_assert_int_eq(fstat(result.fd, &st), 0);
	ck_assert_uint_le(
		(uint64_t)st.st_blocks * 512, PLAIN_SIZE - (HOLE_END - HOLE_START) + 8192);
	check(result, UNPACK_WHOLE, PLAIN_SIZE);
}
END_TEST

START_TEST(streams_follow_each_other)
{
	size_t size;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	memcpy(packed + size, packed, size);
	check(unpack(2 * size, no_limits, UINT64_MAX), UNPACK_WHOLE, 2 * PLAIN_SIZE);
	memset(packed + 2 * size, 0, 4096);
	check(unpack(2 * size + 4096, no_limits, UINT64_MAX),
		formats[_i].has_padding ? UNPACK_WHOLE : UNPACK_DAMAGED, 2 * PLAIN_SIZE);
	memset(packed + 2 * size, 'x', 4096);
	check(unpack(2 * size + 4096, no_limits, UINT64_MAX), UNPACK_DAMAGED, 2 * PLAIN_SIZE);
}
END_TEST

/* What was before the cut comes out, and never more. */
START_TEST(cut_anywhere)
{
	uint64_t most = 0;
	size_t size;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	for (size_t cut = 8; cut < size; cut += cut < 200 || cut + 40 > size ? 1 : 9973) {
		struct result result = unpack(cut, no_limits, UINT64_MAX);

		ck_assert_int_eq(result.end, UNPACK_CUT);
		ck_assert_uint_ge(result.size, most);
		ck_assert_uint_le(result.size, PLAIN_SIZE);
		most = result.size;
		check_content(&result, result.size);
		close(result.fd);
	}
	ck_assert_uint_gt(most, PLAIN_SIZE / 2);
}
END_TEST

START_TEST(damaged)
{
	struct result result;
	size_t size;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	memset(packed + size / 2, 0xa5, 64);
	result = unpack(size, no_limits, UINT64_MAX);
	if (formats[_i].is_checked)
		ck_assert_int_eq(result.end, UNPACK_DAMAGED);
	ck_assert_uint_gt(result.size, PLAIN_SIZE / 10); // what came before is there
	close(result.fd);
}
END_TEST

START_TEST(as_much_as_is_asked_for)
{
	struct unpack_limits limits = no_limits;
	struct result result;
	size_t size;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	result = unpack(size, limits, 5000);
	ck_assert_int_eq(result.end, UNPACK_GOES_ON);
	ck_assert_uint_ge(result.size, 5000);
	check_content(&result, result.size);
	close(result.fd);
	limits.size = 700001;
	check(unpack(size, limits, UINT64_MAX), UNPACK_TOO_LARGE, 700001);
	limits.size = PLAIN_SIZE - 1;
	check(unpack(size, limits, UINT64_MAX), UNPACK_TOO_LARGE, PLAIN_SIZE - 1);
	limits.size = PLAIN_SIZE;
	check(unpack(size, limits, UINT64_MAX), UNPACK_WHOLE, PLAIN_SIZE);
	limits.written = 65536;
	result = unpack(size, limits, UINT64_MAX);
	ck_assert_int_eq(result.end, UNPACK_NO_ROOM);
	ck_assert_uint_lt(result.size, PLAIN_SIZE);
	close(result.fd);
	// Holes do not count: what is written of it fits.
	limits.written = PLAIN_SIZE - (HOLE_END - HOLE_START) + 8192;
	check(unpack(size, limits, UINT64_MAX), UNPACK_WHOLE, PLAIN_SIZE);
}
END_TEST

START_TEST(advances_in_steps)
{
	struct arena arena;
	struct unpacker *unpacker;
	struct result result = {.fd = memfd_create("plain", MFD_CLOEXEC)};
	uint64_t wanted = 1;
	int from;

	fill();
	from = file_of(packed, formats[_i].pack(packed, plain, PLAIN_SIZE));
	arena_init(&arena, 0);
	unpacker = unpack_create(from, result.fd, &no_limits, &arena);
	ck_assert_ptr_nonnull(unpacker);
	while ((result.end = unpack_advance(unpacker, wanted)) == UNPACK_GOES_ON) {
		result.size = unpack_size(unpacker);
		ck_assert_uint_ge(result.size, wanted);
		check_content(&result, result.size);
		wanted = result.size + 50001;
	}
	result.size = unpack_size(unpacker);
	ck_assert_int_eq(unpack_advance(unpacker, UINT64_MAX), UNPACK_WHOLE);
	unpack_destroy(unpacker);
	arena_deinit(&arena);
	close(from);
	check(result, UNPACK_WHOLE, PLAIN_SIZE);
}
END_TEST

/* A disk that runs full, as far as a limit on file size can play one. */
START_TEST(disk_is_full)
{
	const struct rlimit small = {200000, 200000};
	struct result result;
	char name[] = "/tmp/test_unpack.XXXXXX";
	struct arena arena;
	struct unpacker *unpacker;
	size_t size;
	int from;

	fill();
	size = formats[_i].pack(packed, plain, PLAIN_SIZE);
	from = file_of(packed, size);
	result.fd = mkstemp(name);
	unlink(name);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	arena_init(&arena, 0);
	unpacker = unpack_create(from, result.fd, &no_limits, &arena);
	ck_assert_int_eq(unpack_advance(unpacker, UINT64_MAX), UNPACK_NO_ROOM);
	ck_assert_uint_le(unpack_size(unpacker), 200000);
	unpack_destroy(unpacker);
	arena_deinit(&arena);
	close(from);
	close(result.fd);
}
END_TEST

START_TEST(window_is_limited)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	struct result result;
	size_t size;

	fill();
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, MAX_UNPACK_WINDOW_LOG + 1);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
	ZSTD_outBuffer out = {packed, sizeof(packed), 0};
	ZSTD_inBuffer in = {plain, PLAIN_SIZE, 0};
	while (in.pos < in.size)
		ck_assert(!ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)));
	ck_assert_uint_eq(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
	size = out.pos;
	ZSTD_freeCCtx(context);
	result = unpack(size, no_limits, UINT64_MAX);
	ck_assert_int_eq(result.end, UNPACK_NO_MEMORY);
	ck_assert_uint_eq(result.size, 0);
	close(result.fd);
}
END_TEST

START_TEST(other_bytes)
{
	static const char *const texts[] = {
		"", "\x28\xb5\x2f", "\177ELF\2\1", "BZh91A", "\x1f\x8b\7"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_ptr_null(unpack_format(texts[i], strlen(texts[i])));
}
END_TEST

Suite *suite_unpack(void);

Suite *suite_unpack(void)
{
	Suite *suite = suite_create("unpack");
	TCase *tc = tcase_create("unpack");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, whole, 0, FORMATS);
	tcase_add_loop_test(tc, streams_follow_each_other, 0, FORMATS);
	tcase_add_loop_test(tc, cut_anywhere, 0, FORMATS);
	tcase_add_loop_test(tc, damaged, 0, FORMATS);
	tcase_add_loop_test(tc, as_much_as_is_asked_for, 0, FORMATS);
	tcase_add_loop_test(tc, advances_in_steps, 0, FORMATS);
	tcase_add_loop_test(tc, disk_is_full, 0, FORMATS);
	tcase_add_test(tc, window_is_limited);
	tcase_add_test(tc, other_bytes);
	suite_add_tcase(suite, tc);
	return suite;
}
