// The committed inputs of every fuzz target as ordinary tests: one test a target. FUZZ_TARGETS
// comes from the Makefile, a row TARGET(name) for each tests/fuzz/fuzz_*.c; each is compiled with
// its LLVMFuzzerTestOneInput renamed to the name of its file.
#include <check.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TARGET_SECONDS 120

#define TARGET(name) int name(const uint8_t *bytes, size_t size);
FUZZ_TARGETS
#undef TARGET

static const struct {
	const char *name;
	int (*run)(const uint8_t *bytes, size_t size);
} targets[] = {
#define TARGET(name) {#name, name},
	FUZZ_TARGETS
#undef TARGET
};

/* A buffer of exactly the input's size, so that asan sees the first byte past it. */
static void run_input(const char *path, int (*run)(const uint8_t *bytes, size_t size))
{
	FILE *file = fopen(path, "rbe");
	uint8_t *bytes;
	long size;

	ck_assert_msg(file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) >= 0, "%s", path);
	rewind(file);
	bytes = malloc((size_t)size ? (size_t)size : 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	ck_assert_int_eq(run(bytes, (size_t)size), 0);
	free(bytes);
}

START_TEST(corpus)
{
	char pattern[256];
	glob_t inputs;

	snprintf(pattern, sizeof(pattern), "tests/fuzz/corpus/%s/*", targets[_i].name);
	ck_assert_msg(!glob(pattern, 0, NULL, &inputs), "no input in %s", pattern);
	for (size_t i = 0; i < inputs.gl_pathc; i++)
		run_input(inputs.gl_pathv[i], targets[_i].run);
	globfree(&inputs);
}
END_TEST

Suite *suite_fuzz_corpus(void);

Suite *suite_fuzz_corpus(void)
{
	Suite *suite = suite_create("fuzz_corpus");
	TCase *tc = tcase_create("fuzz_corpus");

	tcase_set_timeout(tc, TARGET_SECONDS);
	tcase_add_loop_test(tc, corpus, 0, (int)(sizeof(targets) / sizeof(targets[0])));
	suite_add_tcase(suite, tc);
	return suite;
}
