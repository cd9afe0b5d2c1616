// The image on byte arrays and on built cores: what is read, what is refused and in which words.
#include "analyzer/core/image.h"
#include "tests/lib/mkelf.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static struct arena arena;
static struct diag diag;

static void set_up(void)
{
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
}

static void tear_down(void)
{
	arena_deinit(&arena);
}

static struct image *open_core(struct mkelf *core)
{
	struct image *image = NULL;
	int fd = mkelf_open(core);

	ck_assert_msg(!image_open(fd, "app.core", &arena, &diag, &image), "%s", diag.fatal);
	ck_assert_ptr_null(diag.fatal);
	close(fd);
	mkelf_destroy(core);
	return image;
}

/* Registers that are their own index, and more. */
static void add_thread(struct mkelf *core, uint32_t id, int16_t signal)
{
	uint64_t regs[34];

	for (size_t i = 0; i < 34; i++)
		regs[i] = 1000 * id + i;
	mkelf_add_thread(core, id, signal, regs, core->header.e_machine == EM_X86_64 ? 27 : 34);
}

static struct mkelf *small_core(void)
{
	struct mkelf *core = mkelf_core_create(EM_X86_64);

	add_thread(core, 7, 6);
	mkelf_add_process(core, 7, 1000, "app", "./app -x 1 ");
	mkelf_add_signal(core, SIGABRT, SI_TKILL, 7 | (uint64_t)1000 << 32);
	mkelf_add_auxv(core, (const uint64_t[][2]){{AT_PHDR, 0x400040}, {AT_ENTRY, 0x401000}}, 2);
	mkelf_add_file(core, 0x401000, 0x402000, 0x1000, "/bin/app");
	mkelf_add_file(core, 0x400000, 0x401000, 0, "/bin/app");
	add_thread(core, 8, 0);
	mkelf_add_segment(core, 0x400000, "header..", 8, PAGE, PF_R);
	mkelf_add_segment(core, 0xc000000000, "heapheap", 8, 8, PF_R | PF_W);
	return core;
}

START_TEST(notes_are_read)
{
	struct image *image = open_core(small_core());
	const struct image_notes *notes = image_notes(image);

	ck_assert_uint_eq(notes->thread_count, 2);
	ck_assert_uint_eq(notes->threads[0].id, 7);
	ck_assert_int_eq(notes->threads[0].signal, 6);
	ck_assert_uint_eq(notes->threads[1].id, 8);
	ck_assert_uint_eq(notes->threads[1].regs.count, 27);
	ck_assert_uint_eq(notes->threads[1].regs.g, 8001);
	ck_assert_uint_eq(notes->threads[1].regs.pc, 8016);
	ck_assert_uint_eq(notes->threads[1].regs.sp, 8019);
	ck_assert_uint_eq(notes->threads[1].regs.tls, 8021);
	ck_assert(notes->has_process);
	ck_assert_uint_eq(notes->pid, 7);
	ck_assert_uint_eq(notes->uid, 1000);
	ck_assert_str_eq(notes->command, "app");
	ck_assert_str_eq(notes->arguments, "./app -x 1");
	ck_assert(notes->has_signal && notes->has_signal_sender && !notes->has_signal_address);
	ck_assert_int_eq(notes->signal, SIGABRT);
	ck_assert_int_eq(notes->signal_code, SI_TKILL);
	ck_assert_uint_eq(notes->signal_pid, 7);
	ck_assert_uint_eq(notes->signal_uid, 1000);
	ck_assert_uint_eq(notes->at_phdr, 0x400040);
	ck_assert_uint_eq(notes->at_entry, 0x401000);
	ck_assert_uint_eq(notes->mapping_count, 2);
	ck_assert_uint_eq(notes->mappings[0].start, 0x400000);
	ck_assert_uint_eq(notes->mappings[1].offset, 0x1000);
	ck_assert_str_eq(notes->mappings[1].path, "/bin/app");
	image_close(image);
}
END_TEST

Suite *suite_image(void);

Suite *suite_image(void)
{
	Suite *suite = suite_create("image");
	TCase *tc = tcase_create("image");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, notes_are_read);
	suite_add_tcase(suite, tc);
	return suite;
}
