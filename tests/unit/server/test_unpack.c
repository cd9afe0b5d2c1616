#include "server/unpack.h"

#include "common/limits.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static enum cs_status unpack(const void *bytes, size_t size, uint64_t max, uint64_t *made)
{
	int from = file_of(bytes, size), to = memfd_create("plain", MFD_CLOEXEC);
	enum cs_status status = unpack_zstd(from, to, max, made);

	close(from);
	close(to);
	return status;
}

START_TEST(no_prefix_is_a_file)
{
	char plain[1000], packed[2000];
	uint64_t made = 0;
	size_t size;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (char)(i * i);
	size = ZSTD_compress(packed, sizeof(packed), plain, sizeof(plain), 3);
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(unpack(packed, cut, 100000, &made), CS_CORRUPT);
	ck_assert_int_eq(unpack(packed, size, sizeof(plain), &made), CS_OK);
	ck_assert_uint_eq(made, sizeof(plain));
	ck_assert_int_eq(unpack(packed, size, sizeof(plain) - 1, &made), CS_LIMIT);
	// Two frames are one file.
	memcpy(packed + size, packed, size);
	if (2 * size <= sizeof(packed)) {
		ck_assert_int_eq(unpack(packed, 2 * size, 100000, &made), CS_OK);
		ck_assert_uint_eq(made, 2 * sizeof(plain));
	}
	packed[size / 2] ^= 1;
	packed[0] ^= 1;
	ck_assert_int_eq(unpack(packed, size, 100000, &made), CS_CORRUPT);
}
END_TEST

START_TEST(growth_is_bounded)
{
	size_t plain_size = UNPACK_FREE + (32u << 20), size;
	char *plain = calloc(1, plain_size), *packed = malloc(1 << 20);
	uint64_t made;

	size = ZSTD_compress(packed, 1 << 20, plain, plain_size, 3);
	ck_assert_uint_lt(size * MAX_UNPACK_RATIO, plain_size - UNPACK_FREE);
	ck_assert_int_eq(unpack(packed, size, 1ull << 40, &made), CS_LIMIT);
	size = ZSTD_compress(packed, 1 << 20, plain, UNPACK_FREE, 3);
	ck_assert_int_eq(unpack(packed, size, 1ull << 40, &made), CS_OK);
	free(plain);
	free(packed);
}
END_TEST

Suite *suite_server_unpack(void);

Suite *suite_server_unpack(void)
{
	Suite *suite = suite_create("server_unpack");
	TCase *tc = tcase_create("unpack");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_prefix_is_a_file);
	tcase_add_test(tc, growth_is_bounded);
	suite_add_tcase(suite, tc);
	return suite;
}
