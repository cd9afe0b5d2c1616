#include "analyzer/binary/binary.h"
#include "analyzer/core/executable.h"

#include "tests/lib/mkgo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BIAS 0x7f0000000000
#define BASE 0x400000
#define HEAD 0x100 // bytes of the file's beginning that are mapped
#define CODE 0x600000

static struct arena arena;
static struct diag diag;
static struct image *image;
static struct mkelf *elf;
static const uint8_t *file;
static uint64_t bias;

static void set_up(void)
{
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	image = image_create(ARCH_AMD64, &arena);
}

static void tear_down(void)
{
	mkelf_destroy(elf);
	arena_deinit(&arena);
	elf = NULL;
}

/* An executable whose whole file is mapped as its headers say. */
static void make_file(uint16_t type, const char *version)
{
	static const char code[HEAD] = "code";

	elf = mkelf_executable_create(EM_X86_64, type, CODE);
	bias = type == ET_DYN ? BIAS : 0;
	mkelf_add_header(elf, &(Elf64_Phdr){.p_type = PT_LOAD,
				      .p_flags = PF_R,
				      .p_vaddr = BASE,
				      .p_filesz = HEAD,
				      .p_memsz = HEAD});
	mkelf_add_segment(elf, CODE, code, sizeof(code), 4096, PF_R | PF_X);
	if (version)
		mkgo_add_buildinfo(elf, version, "path\texample.com/app\n", false);
	file = mkelf_finish(elf, &(size_t){0});
}

/* Puts the file's segments into the image, but for the one that is linked at `without`. */
static struct core_executable map(uint64_t without)
{
	Elf64_Ehdr header;

	memcpy(&header, file, sizeof(header));
	for (uint16_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr row;

		memcpy(&row, file + header.e_phoff + i * sizeof(row), sizeof(row));
		if (row.p_type != PT_LOAD || row.p_vaddr == without)
			continue;
		ck_assert_int_eq(image_add(image, (struct image_view){.start = row.p_vaddr + bias,
							  .end = row.p_vaddr + bias + row.p_filesz,
							  .bytes = file + row.p_offset,
							  .is_writable = row.p_flags & PF_W,
							  .is_core = true}),
			CS_OK);
	}
	ck_assert_int_eq(image_seal(image), CS_OK);
	return (struct core_executable){.base = BASE + bias, .path = "/bin/app"};
}

static enum cs_status open_core(const struct core_executable *executable, struct binary **ret)
{
	return binary_open_core(image, executable, &arena, &diag, ret);
}

START_TEST(whole_executable_is_read)
{
	struct core_executable executable;
	struct image_view view;
	struct binary *binary;

	make_file(_i ? ET_DYN : ET_EXEC, "go1.26.8");
	executable = map(0);
	ck_assert_int_eq(open_core(&executable, &binary), CS_OK);
	ck_assert_str_eq(binary_info(binary)->go_version, "go1.26.8");
	ck_assert_str_eq(binary_info(binary)->main_path, "example.com/app");
	ck_assert_int_eq(binary_info(binary)->is_pie, _i);
	ck_assert_uint_eq(binary_info(binary)->entry, CODE);
	ck_assert_int_eq(binary_add_to_image(binary, image, bias), CS_OK);
	ck_assert_int_eq(image_seal(image), CS_OK);
	ck_assert(image_find(image, CODE + bias, &view) && !memcmp(view.bytes, "code", 5));
	binary_close(binary);
}
END_TEST

START_TEST(a_part_of_it_is_not_enough)
{
	static const uint64_t absent[] = {CODE, MKGO_DATA, BASE};
	struct core_executable executable;
	struct binary *binary;

	make_file(ET_EXEC, "go1.26.8");
	executable = map(absent[_i]);
	ck_assert_int_eq(open_core(&executable, &binary), CS_NOT_FOUND);
	ck_assert_ptr_null(diag.fatal);
}
END_TEST

START_TEST(other_programs_are_refused)
{
	struct core_executable executable;
	struct binary *binary;

	make_file(ET_EXEC, NULL);
	executable = map(0);
	ck_assert_int_eq(open_core(&executable, &binary), CS_REFUSED);
	executable.base = 0;
	ck_assert_int_eq(open_core(&executable, &binary), CS_NOT_FOUND);
}
END_TEST

/* Whatever one byte of its headers says. */
START_TEST(changed_headers)
{
	struct core_executable executable;
	size_t last = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
	uint8_t *bytes;

	make_file(ET_DYN, "go1.26.8");
	bytes = (uint8_t *)(uintptr_t)file;
	executable = map(0);
	for (size_t at = 0; at < last; at++) {
		static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
		uint8_t was = bytes[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			struct binary *binary = NULL;

			bytes[at] = values[i];
			if (!open_core(&executable, &binary))
				binary_close(binary);
			binary_build_in_core(image, &executable, &arena);
		}
		bytes[at] = was;
	}
}
END_TEST

START_TEST(build_information_alone)
{
	struct image_notes *notes = image_edit_notes(image);
	struct image_mapping mapping = {
		MKGO_DATA + BIAS, MKGO_DATA + BIAS + 4096, 0, "/bin/app (deleted)"};
	struct image_mapping mappings[] = {
		{BASE + BIAS, BASE + BIAS + 4096, 0, "/bin/app (deleted)"}, mapping};
	const struct binary_info *info;
	struct core_executable executable;

	make_file(ET_DYN, "go1.26.8");
	executable = map(CODE);
	info = binary_build_in_core(image, &executable, &arena);
	ck_assert_ptr_nonnull(info); // by the headers
	ck_assert_str_eq(info->go_version, "go1.26.8");
	notes->mappings = mappings;
	notes->mapping_count = 2;
	info = binary_build_in_core(image, &executable, &arena);
	ck_assert_ptr_nonnull(info); // by NT_FILE
	ck_assert_str_eq(info->main_path, "example.com/app");
	ck_assert(!info->has_dwarf && !info->entry);
	mappings[1].path = "/bin/other";
	notes->mappings = &mappings[1];
	notes->mapping_count = 1;
	executable.base = 0;
	ck_assert_ptr_null(binary_build_in_core(image, &executable, &arena));
}
END_TEST

Suite *suite_from_core(void);

Suite *suite_from_core(void)
{
	Suite *suite = suite_create("from_core");
	TCase *tc = tcase_create("from_core");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, whole_executable_is_read, 0, 2);
	tcase_add_loop_test(tc, a_part_of_it_is_not_enough, 0, 3);
	tcase_add_test(tc, other_programs_are_refused);
	tcase_add_test(tc, changed_headers);
	tcase_add_test(tc, build_information_alone);
	suite_add_tcase(suite, tc);
	return suite;
}
