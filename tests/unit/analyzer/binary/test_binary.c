#include "analyzer/binary/binary.h"

#include "tests/lib/mkgo.h"
#include "tests/lib/mkpclntab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULES                                                                                    \
	"path\texample.com/app/cmd/app\n"                                                          \
	"mod\texample.com/app\tv1.2.3\th1:abc=\n"                                                  \
	"dep\texample.com/old\tv1.0.0\n"                                                           \
	"=>\t../new\t(devel)\t\n"                                                                  \
	"dep\texample.com/plain\tv0.3.0\th1:def=\n"                                                \
	"build\t-ldflags=\"-s -w\\t\\\"x\\\"\"\n"                                                  \
	"build\t\"odd key\"=value\n"                                                               \
	"build\tCGO_ENABLED=1\n"                                                                   \
	"build\tGOARCH=amd64\n"                                                                    \
	"build\tGOOS=linux\n"                                                                      \
	"unknown\tline\n"

struct fixture {
	struct arena arena;
	struct diag diag;
	struct binary *binary;
	int fd;
	enum cs_status status;
};

static void open_bytes(struct fixture *f, int fd)
{
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	f->fd = fd;
	f->binary = NULL;
	f->status = binary_open(fd, "prog", &f->arena, &f->diag, &f->binary);
}

static void done(struct fixture *f, struct mkelf *elf)
{
	binary_close(f->binary);
	close(f->fd);
	mkelf_destroy(elf);
	arena_deinit(&f->arena);
}

static const struct binary_info *open_elf(struct fixture *f, struct mkelf *elf)
{
	open_bytes(f, mkelf_open(elf));
	ck_assert_msg(!f->status, "%s", f->diag.fatal);
	return binary_info(f->binary);
}

static const char *value_of(const struct name_value *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].value;
	return NULL;
}

/* With the section, and found by its mark in the data segment. */
START_TEST(build_information_is_read)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, _i ? ET_DYN : ET_EXEC, MKGO_TEXT);
	const struct binary_info *info;
	struct fixture f;

	mkgo_add_buildinfo(elf, "go1.25.5 X:greenteagc", MODULES, !_i);
	info = open_elf(&f, elf);
	ck_assert(info->is_go);
	ck_assert_int_eq(info->arch, ARCH_AMD64);
	ck_assert_int_eq(info->is_pie, _i);
	ck_assert_uint_eq(info->entry, MKGO_TEXT);
	ck_assert_str_eq(info->go_version, "go1.25.5 X:greenteagc");
	ck_assert_str_eq(info->goos, "linux");
	ck_assert_str_eq(info->goarch, "amd64");
	ck_assert_str_eq(info->main_path, "example.com/app/cmd/app");
	ck_assert_str_eq(info->main_module, "example.com/app");
	ck_assert_str_eq(info->main_version, "v1.2.3");
	ck_assert_uint_eq(info->module_count, 3);
	ck_assert_str_eq(info->modules[1].name, "../new"); // the replacement, as built
	ck_assert_str_eq(info->modules[1].value, "(devel)");
	ck_assert_str_eq(info->modules[2].name, "example.com/plain");
	ck_assert_uint_eq(info->setting_count, 5);
	ck_assert_str_eq(value_of(info->settings, 5, "-ldflags"), "-s -w\t\"x\"");
	ck_assert_str_eq(value_of(info->settings, 5, "odd key"), "value");
	ck_assert(!info->has_cgo); // CGO_ENABLED=1 alone says nothing
	ck_assert(!info->has_dwarf && !info->has_symtab);
	ck_assert_uint_eq(f.diag.count, 0);
	done(&f, elf);
}
END_TEST

/* go1.17: the version is a string's header away. */
START_TEST(old_build_information_names_its_release)
{
	struct {
		uint8_t magic[16];
		uint64_t version, modules;
		uint64_t header[2];
		char text[16];
	} blob = {.magic = "\xff Go buildinf:\x08",
		.version = MKGO_DATA + 32,
		.header = {MKGO_DATA + 48, 9},
		.text = "go1.17.13"};
	static const struct {
		uint64_t version, text, size;
	} broken[] = {{0, 0, 0}, {UINT64_MAX, 0, 0}, {MKGO_DATA + 60, 0, 0},
		{MKGO_DATA + 32, UINT64_MAX - 3, 9}, {MKGO_DATA + 32, MKGO_DATA + 48, UINT64_MAX},
		{MKGO_DATA + 32, MKGO_DATA + 48, 17}, {MKGO_DATA + 32, MKGO_DATA + 48, 0}};
	const struct binary_info *info;
	struct mkelf *elf;
	struct fixture f;

	if (_i) {
		blob.version = broken[_i - 1].version;
		blob.header[0] = broken[_i - 1].text;
		blob.header[1] = broken[_i - 1].size;
	}
	elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	mkelf_add_segment(elf, MKGO_DATA, &blob, sizeof(blob), sizeof(blob), PF_R | PF_W);
	info = open_elf(&f, elf);
	ck_assert(info->is_go && info->is_too_old);
	ck_assert_pstr_eq(info->go_version, _i ? NULL : "go1.17.13");
	done(&f, elf);
}
END_TEST

START_TEST(other_compilers_are_named)
{
	static const struct {
		const char *bytes, *name;
	} marks[] = {{"libgo.so.21", "gccgo"},
		{"../../../src/libgo/go/runtime/os_gccgo.go", "gccgo"},
		{"tinygo_startTask", "TinyGo"}, {"libc.so.6", "not a Go program"}};
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	struct fixture f;

	mkelf_add_segment(elf, MKGO_TEXT, marks[_i].bytes, strlen(marks[_i].bytes) + 1, 4096, PF_R);
	open_bytes(&f, mkelf_open(elf));
	ck_assert_int_eq(f.status, CS_REFUSED);
	ck_assert_msg(strstr(f.diag.fatal, marks[_i].name), "%s", f.diag.fatal);
	done(&f, elf);
}
END_TEST

START_TEST(build_ids_are_read)
{
	struct mkelf *elf = mkelf_executable_create(EM_AARCH64, ET_EXEC, MKGO_TEXT);
	const struct binary_info *info;
	struct fixture f;

	mkelf_add_note(elf, "Go", 4, "abc/def/ghi", 11);
	mkelf_add_note(elf, "GNU", 3, "\x01\xfe\xa0", 3);
	mkelf_add_note(elf, "GNU", 3, "\x99", 1); // the first one counts
	info = open_elf(&f, elf);
	ck_assert_int_eq(info->arch, ARCH_ARM64);
	ck_assert_str_eq(info->goarch, "arm64"); // by the machine: no build information here
	ck_assert_str_eq(info->go_build_id, "abc/def/ghi");
	ck_assert_str_eq(info->gnu_build_id, "01fea0");
	ck_assert_ptr_null(info->go_version);
	ck_assert_uint_eq(f.diag.count, 1);
	ck_assert_str_eq(f.diag.entries[0].code, "no-build-info");
	done(&f, elf);
}
END_TEST

START_TEST(cgo_is_seen_by_its_function)
{
	static const struct {
		const char *name;
		bool has_cgo;
	} rows[] = {{"crosscall2", true}, {"runtime.crosscall2", false}, {"crosscall2x", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
		struct mkpclntab *table = mkpclntab_create(0xfffffff1, 1);
		Elf64_Shdr header = {.sh_type = SHT_PROGBITS, .sh_addr = 0x480000};
		uint64_t address, size;
		struct fixture f;

		mkpclntab_add(table, &(struct mkpclntab_func){.name = "main.main", .size = 8});
		mkpclntab_add(table, &(struct mkpclntab_func){.name = rows[i].name, .size = 8});
		mkpclntab_finish(table, MKGO_TEXT);
		header.sh_size = table->table.size;
		mkelf_add_section(elf, ".gopclntab", &header, table->table.bytes);
		ck_assert_int_eq(open_elf(&f, elf)->has_cgo, rows[i].has_cgo);
		ck_assert(binary_pclntab(f.binary, &address, &size));
		ck_assert_uint_eq(address, 0x480000);
		ck_assert_uint_eq(size, table->table.size);
		mkpclntab_destroy(table);
		done(&f, elf);
	}
}
END_TEST

START_TEST(a_needed_library_is_cgo)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_DYN, MKGO_TEXT);
	Elf64_Dyn rows[] = {
		{.d_tag = DT_HASH}, {.d_tag = _i ? DT_NULL : DT_NEEDED}, {.d_tag = DT_NEEDED}};
	Elf64_Phdr header = {.p_type = PT_DYNAMIC, .p_filesz = sizeof(rows)};
	struct fixture f;
	uint8_t *bytes;
	size_t size;
	int fd;

	mkgo_add_buildinfo(elf, "go1.26.8", "", true);
	mkelf_add_header(elf, &header);
	mkelf_add_segment(elf, 0x700000, rows, sizeof(rows), sizeof(rows), PF_R | PF_W);
	bytes = (uint8_t *)(uintptr_t)mkelf_finish(elf, &size);
	// Points PT_DYNAMIC to where the rows came to lie.
	for (size_t at = sizeof(Elf64_Ehdr), rows_at = 0; at < size; at += sizeof(Elf64_Phdr)) {
		Elf64_Phdr *program = (Elf64_Phdr *)(void *)(bytes + at);

		if (!rows_at)
			rows_at = (size_t)((uint8_t *)memmem(bytes, size, rows, sizeof(rows)) -
					   bytes);
		if (program->p_type != PT_DYNAMIC)
			continue;
		program->p_offset = rows_at;
		break;
	}
	fd = mkelf_open_bytes(bytes, size);
	open_bytes(&f, fd);
	ck_assert_int_eq(f.status, CS_OK);
	ck_assert_int_eq(binary_info(f.binary)->has_cgo, !_i);
	done(&f, elf);
}
END_TEST

START_TEST(segments_go_into_the_image)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_DYN, MKGO_TEXT);
	struct image_view view;
	struct image *image;
	struct fixture f;
	uint8_t byte;

	mkgo_add_buildinfo(elf, "go1.26.8", "", true);
	mkelf_add_segment(elf, MKGO_TEXT, "code", 4, 4096, PF_R | PF_X);
	mkelf_add_segment(elf, MKGO_TEXT + 0x100000, "constant", 8, 4096, PF_R | PF_W);
	mkelf_add_header(elf, &(Elf64_Phdr){.p_type = PT_GNU_RELRO,
				      .p_flags = PF_R,
				      .p_offset = 0x40,
				      .p_vaddr = MKGO_TEXT + 0x100000,
				      .p_filesz = 8});
	open_elf(&f, elf);
	image = image_create(ARCH_AMD64, &f.arena);
	ck_assert_int_eq(binary_add_to_image(f.binary, image, 0x10000000), CS_OK);
	ck_assert_int_eq(image_seal(image), CS_OK);
	ck_assert(image_find(image, 0x10000000 + MKGO_TEXT, &view));
	ck_assert_int_eq(memcmp(view.bytes, "code", 4), 0);
	ck_assert_uint_eq(view.end - view.start, 4); // nothing beyond the file's bytes
	ck_assert(!view.is_writable && !view.is_core);
	// What a variable was at the start is not what it was at the end.
	ck_assert(!image_find(image, 0x10000000 + MKGO_DATA, &view));
	ck_assert(image_find(image, 0x10000000 + MKGO_TEXT + 0x100000, &view));
	ck_assert_uint_eq(view.end - view.start, 8);
	ck_assert_int_eq(image_read_u8(image, MKGO_TEXT, &byte), CS_FAULT);
	image_close(image);
	done(&f, elf);
}
END_TEST

START_TEST(symbols_and_sections_are_found)
{
	static const char names[] = "\0runtime.allgs\0runtime.text";
	Elf64_Sym rows[] = {{0}, {.st_name = 1, .st_shndx = 1, .st_value = 0x1234},
		{.st_name = 15, .st_shndx = SHN_UNDEF, .st_value = 7},
		{.st_name = 9999, .st_shndx = 1}};
	Elf64_Shdr symbols = {.sh_type = SHT_SYMTAB, .sh_size = sizeof(rows), .sh_entsize = 24};
	Elf64_Shdr strings = {.sh_type = SHT_STRTAB, .sh_size = sizeof(names)};
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	uint64_t value, size;
	struct fixture f;

	mkgo_add_buildinfo(elf, "go1.26.8", "", true);
	mkelf_add_section(elf, ".symtab", &symbols, rows);
	mkelf_add_section(elf, ".strtab", &strings, names);
	ck_assert(open_elf(&f, elf)->has_symtab);
	ck_assert(binary_symbol(f.binary, "runtime.allgs", &value));
	ck_assert_uint_eq(value, 0x1234);
	ck_assert(!binary_symbol(f.binary, "runtime.text", &value)); // undefined
	ck_assert(!binary_symbol(f.binary, "allgs", &value));
	ck_assert(!binary_symbol(f.binary, "runtime.allg", &value));
	ck_assert(binary_section(f.binary, ".go.buildinfo", &value, &size));
	ck_assert_uint_eq(value, MKGO_DATA);
	ck_assert(!binary_section(f.binary, ".go", &value, &size));
	done(&f, elf);
}
END_TEST

static void expect_refusal(int fd, enum cs_status status, const char *text)
{
	struct fixture f;

	open_bytes(&f, fd);
	ck_assert_int_eq(f.status, status);
	ck_assert_ptr_nonnull(f.diag.fatal);
	ck_assert_msg(strstr(f.diag.fatal, text), "\"%s\" lacks \"%s\"", f.diag.fatal, text);
	ck_assert_ptr_eq(strstr(f.diag.fatal, "prog "), f.diag.fatal);
	done(&f, NULL);
}

START_TEST(what_is_no_program_is_refused)
{
	static const struct {
		uint16_t machine, type;
		enum cs_status status;
		const char *text;
	} rows[] = {{EM_ARM, ET_EXEC, CS_UNSUPPORTED, "is for arm;"},
		{EM_RISCV, ET_EXEC, CS_UNSUPPORTED, "is for riscv64;"},
		{12345, ET_EXEC, CS_UNSUPPORTED, "is for another architecture"},
		{EM_X86_64, ET_CORE, CS_REFUSED, "is a core file"},
		{EM_X86_64, ET_REL, CS_REFUSED, "is an object file"},
		{EM_X86_64, ET_DYN, CS_REFUSED, "is not a Go program"},
		{EM_X86_64, ET_EXEC, CS_REFUSED, "is not a Go program"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkelf *elf =
			mkelf_executable_create(rows[i].machine, rows[i].type, MKGO_TEXT);

		mkelf_add_segment(elf, MKGO_TEXT, "code", 4, 4, PF_R | PF_X);
		expect_refusal(mkelf_open(elf), rows[i].status, rows[i].text);
		mkelf_destroy(elf);
	}
	expect_refusal(mkelf_open_bytes("", 0), CS_CORRUPT, "is empty");
	expect_refusal(mkelf_open_bytes("#!/bin/sh\n", 10), CS_REFUSED, "is not an ELF");
	expect_refusal(mkelf_open_bytes("\177ELF\1\1", 6), CS_UNSUPPORTED, "is not a 64-bit");
	expect_refusal(mkelf_open_bytes("\177ELF\2\2\1", 7), CS_UNSUPPORTED, "little-endian");
	expect_refusal(mkelf_open_bytes("\177ELF\2\1\1", 7), CS_CORRUPT, "cut or damaged");
}
END_TEST

/* Every truncation, and every fifth bit flipped: opens or says why not. */
START_TEST(damage_is_survived)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	const uint8_t *bytes;
	struct fixture f;
	size_t size;

	mkelf_add_note(elf, "Go", 4, "abc/def/ghi", 11);
	mkgo_add_buildinfo(elf, "go1.26.8", MODULES, true);
	bytes = mkelf_finish(elf, &size);
	for (size_t length = 0; length <= size; length++) {
		open_bytes(&f, mkelf_open_bytes(bytes, length));
		ck_assert_int_eq(f.status != CS_OK, f.diag.fatal != NULL);
		done(&f, NULL);
	}
	for (size_t bit = 0; bit < size * 8; bit += 5) {
		uint8_t *damaged = malloc(size);

		ck_assert_ptr_nonnull(damaged);
		memcpy(damaged, bytes, size);
		damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		open_bytes(&f, mkelf_open_bytes(damaged, size));
		ck_assert_int_eq(f.status != CS_OK, f.diag.fatal != NULL);
		done(&f, NULL);
		free(damaged);
	}
	mkelf_destroy(elf);
}
END_TEST

Suite *suite_binary(void);

Suite *suite_binary(void)
{
	Suite *suite = suite_create("binary");
	TCase *tc = tcase_create("binary");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, build_information_is_read, 0, 2);
	tcase_add_loop_test(tc, old_build_information_names_its_release, 0, 8);
	tcase_add_loop_test(tc, other_compilers_are_named, 0, 4);
	tcase_add_test(tc, build_ids_are_read);
	tcase_add_test(tc, cgo_is_seen_by_its_function);
	tcase_add_loop_test(tc, a_needed_library_is_cgo, 0, 2);
	tcase_add_test(tc, segments_go_into_the_image);
	tcase_add_test(tc, symbols_and_sections_are_found);
	tcase_add_test(tc, what_is_no_program_is_refused);
	tcase_add_test(tc, damage_is_survived);
	suite_add_tcase(suite, tc);
	return suite;
}
