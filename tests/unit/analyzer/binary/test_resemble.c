#include "analyzer/binary/binary.h"
#include "analyzer/core/executable.h"

#include "tests/lib/mkgo.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#define BIAS 0x7f0000000000
#define DATA 0x600000
#define WORDS 1000

static uint64_t file[WORDS], core[WORDS];

/* The answer for a program whose variables are `file` in its file and `core`, `count` words of it,
 * at its end. */
static enum binary_resemblance ask(uint16_t type, size_t count)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, type, MKGO_TEXT);
	uint64_t bias = type == ET_DYN ? BIAS : 0, found;
	struct core_executable executable = {.entry = MKGO_TEXT + bias};
	enum binary_resemblance ret;
	struct binary *binary;
	struct image *image;
	struct arena arena;
	struct diag diag;
	int fd;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	mkelf_add_note(elf, "Go", 4, "an id", 5);
	mkelf_add_segment(elf, DATA, file, sizeof(file), sizeof(file), PF_R | PF_W);
	fd = mkelf_open(elf);
	ck_assert_int_eq(binary_open(fd, "app", &arena, &diag, &binary), CS_OK);
	image = image_create(ARCH_AMD64, &arena);
	if (count)
		ck_assert_int_eq(image_add(image, (struct image_view){.start = DATA + bias,
							  .end = DATA + bias + 8 * count,
							  .bytes = (const uint8_t *)core,
							  .is_writable = true,
							  .is_core = true}),
			CS_OK);
	ck_assert_int_eq(image_seal(image), CS_OK);
	ck_assert(binary_bias(binary, &executable, &found) && found == bias);
	ret = binary_resembles(binary, image, &executable);
	binary_close(binary);
	close(fd);
	mkelf_destroy(elf);
	arena_deinit(&arena);
	return ret;
}

static void fill(uint64_t bias)
{
	for (size_t i = 0; i < WORDS; i++) {
		file[i] = i % 3 ? i * 0x10001 : 0;
		core[i] = file[i] ? file[i] + (i % 2 ? bias : 0) : i; // numbers and pointers
	}
}

START_TEST(its_own_core_resembles_it)
{
	uint16_t type = _i ? ET_DYN : ET_EXEC;

	fill(_i ? BIAS : 0);
	ck_assert_int_eq(ask(type, WORDS), RESEMBLANCE_SAME);
	ck_assert_int_eq(ask(type, 200), RESEMBLANCE_SAME); // cut
	for (size_t i = 0; i < WORDS; i += 4)
		core[i] = ~core[i]; // a quarter was changed
	ck_assert_int_eq(ask(type, WORDS), RESEMBLANCE_SAME);
	for (size_t i = 0; i < WORDS; i++)
		core[i] = file[(i + 3) % WORDS]; // another build
	ck_assert_int_eq(ask(type, WORDS), RESEMBLANCE_OTHER);
	memset(core, 0, sizeof(core));
	ck_assert_int_eq(ask(type, WORDS), RESEMBLANCE_OTHER);
}
END_TEST

START_TEST(few_words_prove_nothing)
{
	fill(0);
	ck_assert_int_eq(ask(ET_EXEC, 0), RESEMBLANCE_UNKNOWN);
	ck_assert_int_eq(ask(ET_EXEC, 90), RESEMBLANCE_UNKNOWN);
	memset(file, 0, sizeof(file));
	ck_assert_int_eq(ask(ET_EXEC, WORDS), RESEMBLANCE_UNKNOWN);
}
END_TEST

Suite *suite_resemble(void);

Suite *suite_resemble(void)
{
	Suite *suite = suite_create("resemble");
	TCase *tc = tcase_create("resemble");

	tcase_add_loop_test(tc, its_own_core_resembles_it, 0, 2);
	tcase_add_test(tc, few_words_prove_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
