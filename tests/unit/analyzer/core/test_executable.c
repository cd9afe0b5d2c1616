// Which executable a core came from: with and without NT_FILE, replaced files, PIE, damaged pages.
#include "analyzer/core/executable.h"
#include "tests/lib/mkelf.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#define BASE 0x400000
#define PIE_BASE 0x7f12345000
#define STACK 0x7ffe0000
#define GO_ID "abc/def/ghi/jkl"

static struct arena arena;
static struct diag diag;
static struct image *image;

static void set_up(void)
{
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	image = NULL;
}

static void tear_down(void)
{
	image_close(image);
	arena_deinit(&arena);
}

static struct mkelf *core_of(uint16_t machine)
{
	struct mkelf *core = mkelf_core_create(machine);
	const uint64_t regs[34] = {0};

	mkelf_add_thread(core, 1, 6, regs, machine == EM_X86_64 ? 27 : 34);
	return core;
}

/* An executable whose PT_NOTE holds both ids, linked at 0x400000 even if it is a PIE, as Go's are.
 */
static struct mkelf *executable_of(uint16_t machine, uint16_t type)
{
	struct mkelf *elf = mkelf_executable_create(machine, type, 0x401000);

	elf->base = BASE;
	mkelf_add_note(elf, "Go", 4, GO_ID, strlen(GO_ID));
	mkelf_add_note(elf, "GNU", NT_GNU_BUILD_ID, "\x01\x23\xab\xcd", 4);
	return elf;
}

/* Maps the first page of the executable at `base` into the core; at most `limit` bytes of it. */
static void add_first_page(struct mkelf *core, struct mkelf *elf, uint64_t base, size_t limit)
{
	size_t size;
	const uint8_t *bytes = mkelf_finish(elf, &size);

	mkelf_add_segment(core, base, bytes, size < limit ? size : limit, 0x1000, PF_R);
	mkelf_destroy(elf);
}

static void add_auxv(struct mkelf *core, uint64_t base)
{
	mkelf_add_auxv(core,
		(const uint64_t[][2]){
			{AT_PHDR, base + 64}, {AT_ENTRY, base + 0x1000}, {AT_EXECFN, STACK}},
		3);
	mkelf_add_segment(core, STACK, "./started-as", 13, 13, PF_R | PF_W);
}

static struct core_executable find_in(struct mkelf *core)
{
	int fd = mkelf_open(core);

	ck_assert_msg(!image_open(fd, "app.core", &arena, &diag, &image), "%s", diag.fatal);
	close(fd);
	mkelf_destroy(core);
	return core_executable_find(image, &arena);
}

START_TEST(mapped_file_is_found)
{
	struct mkelf *core = core_of(EM_X86_64);
	struct core_executable found;

	add_auxv(core, BASE);
	mkelf_add_file(core, BASE, BASE + 0x1000, 0, "/usr/bin/app");
	mkelf_add_file(core, BASE + 0x1000, BASE + 0x2000, 0x1000, "/usr/bin/app");
	mkelf_add_file(core, 0x7f0000000000, 0x7f0000001000, 0, "/lib/ld.so");
	add_first_page(core, executable_of(EM_X86_64, ET_EXEC), BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_str_eq(found.path, "/usr/bin/app");
	ck_assert_uint_eq(found.base, BASE);
	ck_assert_uint_eq(found.entry, BASE + 0x1000);
	ck_assert_str_eq(found.go_build_id, GO_ID);
	ck_assert_str_eq(found.gnu_build_id, "0123abcd");
}
END_TEST

START_TEST(deleted_file_keeps_its_name)
{
	struct mkelf *core = core_of(EM_X86_64);

	add_auxv(core, BASE);
	mkelf_add_file(core, BASE, BASE + 0x1000, 0, "/usr/bin/my (deleted) app (deleted)");
	ck_assert_str_eq(find_in(core).path, "/usr/bin/my (deleted) app");
}
END_TEST

/* The program maps its own file twice more, and the entry lies in a later mapping. */
START_TEST(right_mapping_of_several_is_the_base)
{
	struct mkelf *core = core_of(EM_X86_64);
	struct core_executable found;

	mkelf_add_auxv(core, (const uint64_t[][2]){{AT_ENTRY, PIE_BASE + 0x2000}}, 1);
	mkelf_add_file(core, 0x10000, 0x11000, 0, "/bin/app");
	mkelf_add_file(core, PIE_BASE, PIE_BASE + 0x1000, 0, "/bin/app");
	mkelf_add_file(core, PIE_BASE + 0x1000, PIE_BASE + 0x3000, 0x1000, "/bin/app");
	mkelf_add_file(core, PIE_BASE + 0x9000, PIE_BASE + 0xa000, 0, "/bin/app");
	add_first_page(core, executable_of(EM_X86_64, ET_DYN), PIE_BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_uint_eq(found.base, PIE_BASE);
	ck_assert_str_eq(found.go_build_id, GO_ID);
	ck_assert_str_eq(found.gnu_build_id, "0123abcd");
}
END_TEST

START_TEST(static_pie_without_file_note_is_found)
{
	const uint16_t machines[] = {EM_X86_64, EM_AARCH64};
	struct mkelf *core = core_of(machines[_i]);
	struct core_executable found;

	add_auxv(core, PIE_BASE);
	add_first_page(core, executable_of(machines[_i], ET_DYN), PIE_BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_str_eq(found.path, "./started-as");
	ck_assert_uint_eq(found.base, PIE_BASE);
	ck_assert_str_eq(found.go_build_id, GO_ID);
	ck_assert_str_eq(found.gnu_build_id, "0123abcd");
}
END_TEST

/* Go's own linker: PT_NOTE ends before the GNU note, which follows at once. */
START_TEST(gnu_note_behind_go_note_is_found)
{
	struct mkelf *core = core_of(EM_X86_64), *elf = executable_of(EM_X86_64, ET_EXEC);
	struct core_executable found;
	Elf64_Phdr header;
	uint8_t page[4096] = {0};
	const uint8_t *bytes;
	size_t size;

	bytes = mkelf_finish(elf, &size);
	memcpy(page, bytes, size);
	memcpy(&header, page + sizeof(Elf64_Ehdr), sizeof(header));
	header.p_filesz -= 12 + 4 + 4; // the GNU note
	memcpy(page + sizeof(Elf64_Ehdr), &header, sizeof(header));
	mkelf_destroy(elf);
	add_auxv(core, BASE);
	mkelf_add_segment(core, BASE, page, sizeof(page), sizeof(page), PF_R);
	found = find_in(core);
	ck_assert_str_eq(found.go_build_id, GO_ID);
	ck_assert_str_eq(found.gnu_build_id, "0123abcd");
}
END_TEST

START_TEST(nothing_known_is_nothing_said)
{
	struct mkelf *core = core_of(EM_X86_64);
	struct core_executable found;

	mkelf_add_segment(core, BASE, "x", 1, 1, PF_R);
	mkelf_add_file(core, BASE, BASE + 0x1000, 0, "/bin/app");
	found = find_in(core);
	ck_assert(!found.path && !found.go_build_id && !found.gnu_build_id);
	ck_assert(!found.base && !found.entry);
}
END_TEST

/* Neither auxiliary vector nor NT_FILE: the Go build id in a first page tells it from libraries. */
START_TEST(go_build_id_finds_the_first_page)
{
	struct mkelf *core = core_of(EM_X86_64);
	struct mkelf *library = mkelf_executable_create(EM_X86_64, ET_DYN, 0);
	struct core_executable found;

	mkelf_add_note(library, "GNU", 3, "\x99", 1);
	add_first_page(core, library, 0x10000, SIZE_MAX);
	add_first_page(core, executable_of(EM_X86_64, ET_DYN), BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_uint_eq(found.base, BASE);
	ck_assert_str_eq(found.go_build_id, GO_ID);
	ck_assert(!found.path && !found.entry);
}
END_TEST

START_TEST(program_name_without_end_is_none)
{
	struct mkelf *core = core_of(EM_X86_64);

	mkelf_add_auxv(core, (const uint64_t[][2]){{AT_EXECFN, STACK}}, 1);
	mkelf_add_segment(core, STACK, "./app", 5, 5, PF_R);
	ck_assert_ptr_null(find_in(core).path);
}
END_TEST

static const struct {
	const char *name;
	uint32_t type;
	const char *bytes;
	size_t size;
	const char *go, *gnu;
} ids[] = {
	{"Go", 4, "id\0\0", 4, "id", NULL},
	{"Go", 4, "", 0, NULL, NULL},
	{"Go", 4, "\0\0\0\0", 4, NULL, NULL},
	{"Go", 4, "evil\x1b[2J", 8, NULL, NULL},
	{"Go", 3, "id", 2, NULL, NULL},
	{"GNU", 3, "\xff", 1, NULL, "ff"},
	{"GNU", 3, "", 0, NULL, NULL},
	{"GNU", 1, "\xff", 1, NULL, NULL},
	{"gnu", 3, "\xff", 1, NULL, NULL},
};

START_TEST(ids_are_checked)
{
	struct mkelf *core = core_of(EM_X86_64);
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, 0);
	struct core_executable found;

	mkelf_add_note(elf, ids[_i].name, ids[_i].type, ids[_i].bytes, ids[_i].size);
	add_auxv(core, BASE);
	add_first_page(core, elf, BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_pstr_eq(found.go_build_id, ids[_i].go);
	ck_assert_pstr_eq(found.gnu_build_id, ids[_i].gnu);
}
END_TEST

START_TEST(long_ids_are_refused)
{
	static const char letters[257] = {[0 ... 256] = 'a'};
	struct mkelf *core = core_of(EM_X86_64);
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, 0);
	struct core_executable found;

	mkelf_add_note(elf, "Go", 4, letters, 257);
	mkelf_add_note(elf, "Go", 4, letters, 256);
	add_auxv(core, BASE);
	add_first_page(core, elf, BASE, SIZE_MAX);
	found = find_in(core);
	ck_assert_uint_eq(strlen(found.go_build_id), 256);
}
END_TEST

/* However little of the first page was dumped, what is said is true. */
START_TEST(cut_first_page)
{
	struct mkelf *elf = executable_of(EM_X86_64, ET_EXEC);
	size_t size;

	mkelf_finish(elf, &size);
	mkelf_destroy(elf);
	for (size_t limit = 1; limit <= size; limit++) {
		struct mkelf *core = core_of(EM_X86_64);
		struct core_executable found;

		add_auxv(core, BASE);
		add_first_page(core, executable_of(EM_X86_64, ET_EXEC), BASE, limit);
		found = find_in(core);
		ck_assert_uint_eq(found.base, BASE);
		if (found.go_build_id)
			ck_assert_str_eq(found.go_build_id, GO_ID);
		if (found.gnu_build_id)
			ck_assert_str_eq(found.gnu_build_id, "0123abcd");
		ck_assert(!found.gnu_build_id == (limit < size));
		tear_down();
		set_up();
	}
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_core_executable(void);

Suite *suite_core_executable(void)
{
	Suite *suite = suite_create("core_executable");
	TCase *tc = tcase_create("core_executable");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, mapped_file_is_found);
	tcase_add_test(tc, deleted_file_keeps_its_name);
	tcase_add_test(tc, right_mapping_of_several_is_the_base);
	tcase_add_loop_test(tc, static_pie_without_file_note_is_found, 0, 2);
	tcase_add_test(tc, gnu_note_behind_go_note_is_found);
	tcase_add_test(tc, nothing_known_is_nothing_said);
	tcase_add_test(tc, go_build_id_finds_the_first_page);
	tcase_add_test(tc, program_name_without_end_is_none);
	tcase_add_loop_test(tc, ids_are_checked, 0, COUNT(ids));
	tcase_add_test(tc, long_ids_are_refused);
	tcase_add_test(tc, cut_first_page);
	suite_add_tcase(suite, tc);
	return suite;
}
