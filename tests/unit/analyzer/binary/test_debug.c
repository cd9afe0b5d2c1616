// Executables without DWARF and files that may be their debug files, of bytes.
#include "analyzer/binary/debug.h"

#include "analyzer/binary/facts.h"
#include "tests/lib/mkgo.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define GO_ID "action/main/content"
#define OTHER_GO_ID "action/main/else"
#define MAX_FILES 4

/** What an executable or a debug file is made of. */
struct recipe {
	uint16_t machine; // 0: amd64
	const char *go_id;
	const char *gnu_id; // its bytes
	bool has_dwarf;
	const char *link; // .gnu_debuglink's name; its CRC is the candidate's
};

static void add_note(
	struct mkelf *elf, const char *section, const char *name, uint32_t type, const char *text)
{
	uint8_t note[128] = {0};
	uint32_t header[3] = {4, (uint32_t)strlen(text), type};
	size_t size = sizeof(header) + 4 + ((strlen(text) + 3) & ~(size_t)3);
	Elf64_Shdr row = {.sh_type = SHT_NOTE, .sh_size = size};

	memcpy(note, header, sizeof(header));
	memcpy(note + sizeof(header), name, strlen(name));
	memcpy(note + sizeof(header) + 4, text, strlen(text));
	mkelf_add_section(elf, section, &row, note);
}

static void add_link(struct mkelf *elf, const char *name, uint32_t crc)
{
	uint8_t link[64] = {0};
	size_t at = (strlen(name) + 4) & ~(size_t)3;
	Elf64_Shdr row = {.sh_type = SHT_PROGBITS, .sh_size = at + 4};

	memcpy(link, name, strlen(name));
	memcpy(link + at, &crc, sizeof(crc));
	mkelf_add_section(elf, ".gnu_debuglink", &row, link);
}

/** A memfd with the file that `recipe` describes. */
static int make(const struct recipe *recipe, uint32_t crc, bool is_executable)
{
	struct mkelf *elf = mkelf_executable_create(
		recipe->machine ? recipe->machine : EM_X86_64, ET_EXEC, MKGO_TEXT);
	int fd;

	if (is_executable)
		mkgo_add_buildinfo(elf, "go1.25.5", "", true);
	if (recipe->go_id)
		add_note(elf, ".note.go.buildid", "Go", 4, recipe->go_id);
	if (recipe->gnu_id)
		add_note(elf, ".note.gnu.build-id", "GNU", NT_GNU_BUILD_ID, recipe->gnu_id);
	if (recipe->has_dwarf)
		mkgo_add_dwarf(elf, 5);
	if (recipe->link)
		add_link(elf, recipe->link, crc);
	fd = mkelf_open(elf);
	mkelf_destroy(elf);
	return fd;
}

static uint32_t crc_of(int fd)
{
	uint8_t bytes[65536];
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);

	ck_assert_int_gt(size, 0);
	ck_assert_int_lt(size, (ssize_t)sizeof(bytes));
	return (uint32_t)crc32(0, bytes, (uInt)size);
}

/** A finder with files of its own. */
struct shelf {
	int files[MAX_FILES];
	size_t count, next, released;
	char link[64];
};

static enum cs_status next_file(
	void *context, const struct binary *binary, const char *link, struct debug_file *ret)
{
	struct shelf *shelf = context;

	ck_assert_ptr_nonnull(binary);
	ck_assert_uint_eq(shelf->next, shelf->released); // one at a time
	snprintf(shelf->link, sizeof(shelf->link), "%s", link ? link : "");
	if (shelf->next == shelf->count)
		return CS_NOT_FOUND;
	*ret = (struct debug_file){shelf->files[shelf->next], "candidate", DEBUG_BUILD_ID};
	shelf->next++;
	return CS_OK;
}

static void release_file(void *context, struct debug_file *file)
{
	struct shelf *shelf = context;

	close(file->fd);
	shelf->released++;
}

struct fixture {
	struct arena arena;
	struct diag diag;
	struct shelf shelf;
	struct debug_finder finder;
	struct binary *binary;
	int fd;
};

static void setup(struct fixture *f, const struct recipe *executable, const struct recipe *files)
{
	uint32_t crc = 0;

	*f = (struct fixture){.finder = {next_file, release_file, &f->shelf}};
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	for (; files && f->shelf.count < MAX_FILES && (files->go_id || files->has_dwarf); files++)
		f->shelf.files[f->shelf.count++] = make(files, 0, false);
	if (f->shelf.count)
		crc = crc_of(f->shelf.files[0]);
	f->fd = make(executable, crc, true);
	ck_assert_int_eq(binary_open(f->fd, "prog", &f->arena, &f->diag, &f->binary), CS_OK);
	binary_set_debug_finder(f->binary, &f->finder);
}

static void teardown(struct fixture *f)
{
	binary_close(f->binary);
	for (size_t i = f->shelf.next; i < f->shelf.count; i++)
		close(f->shelf.files[i]);
	close(f->fd);
	arena_deinit(&f->arena);
}

static const char *message(const struct diag *diag, const char *code)
{
	for (size_t i = 0; i < diag->count; i++)
		if (!strcmp(diag->entries[i].code, code))
			return diag->entries[i].message;
	return "";
}

#define IDS(go, gnu) .go_id = go, .gnu_id = gnu
#define DWARF .has_dwarf = true

static const struct {
	const char *name;
	struct recipe executable, files[MAX_FILES];
	size_t used;      // which of the files is taken, from 1; 0: none
	const char *code; // of the diagnostic, and what is in its message
	const char *text;
} rows[] = {
	{"same GNU id", {IDS(GO_ID, "abcd")}, {{IDS(NULL, "abcd"), DWARF}}, 1, "", ""},
	{"same Go id", {IDS(GO_ID, NULL)}, {{IDS(GO_ID, "abcd"), DWARF}}, 1, "", ""},
	{"GNU's id tells more", {IDS(GO_ID, "abcd")}, {{IDS(GO_ID, "abce"), DWARF}}, 0,
		"wrong-debug-file",
		"candidate is not the debug file of prog: it has build id 61626365, not 61626364"},
	{"other Go id", {IDS(GO_ID, NULL)}, {{IDS(OTHER_GO_ID, NULL), DWARF}}, 0,
		"wrong-debug-file", "it has build id action/main/else, not action/main/content"},
	{"an id that all have", {IDS("redacted", NULL)}, {{IDS("redacted", NULL), DWARF}}, 0,
		"wrong-debug-file", "nothing in the two files says that they belong together"},
	{"the link's CRC", {IDS("redacted", NULL), .link = "prog.debug"},
		{{IDS("redacted", NULL), DWARF}}, 1, "", ""},
	{"no id but the CRC", {IDS(NULL, NULL), .link = "x"}, {{DWARF}}, 1, "", ""},
	{"another CRC", {IDS(NULL, NULL), .link = "x"}, {{IDS("", NULL)}, {DWARF}}, 0,
		"wrong-debug-file", "its CRC32 is not the one that .gnu_debuglink gives"},
	{"another machine", {IDS(GO_ID, "abcd")},
		{{.machine = EM_AARCH64, IDS(GO_ID, "abcd"), DWARF}}, 0, "wrong-debug-file",
		"it is for another architecture"},
	{"a machine that we do not read", {IDS(GO_ID, "abcd")},
		{{.machine = EM_386, IDS(GO_ID, "abcd"), DWARF}}, 0, "debug-file-unreadable",
		"candidate is for 386"},
	{"no DWARF in it", {IDS(GO_ID, "abcd")}, {{IDS(GO_ID, "abcd")}}, 0, "empty-debug-file",
		"candidate has no debug information (.debug_info) for prog"},
	{"the third", {IDS(GO_ID, "abcd")},
		{{IDS(GO_ID, "abcd")}, {IDS(GO_ID, "abcx"), DWARF}, {IDS(GO_ID, "abcd"), DWARF}}, 3,
		"wrong-debug-file", "61626378"},
	{"none", {IDS(GO_ID, "abcd"), .link = "prog.debug"}, {{.has_dwarf = false}}, 0,
		"no-debug-file",
		"prog has no debug information, and no debug file of it is to be had (build id "
		"61626364, debug link prog.debug)"},
};

START_TEST(files_must_prove_themselves)
{
	struct fact fact = {.kind = FACT_FIELD, .type = "runtime.g", .path = "sched.pc"};
	bool is_used = rows[_i].used;
	struct Elf *elf = NULL;
	struct fixture f;

	setup(&f, &rows[_i].executable, rows[_i].files);
	ck_assert_int_eq(binary_debug_source(f.binary), DEBUG_NONE);
	// Twice: the finder is asked once.
	for (int turn = 0; turn < 2; turn++) {
		enum cs_status status = dwarf_facts_find(f.binary, &fact, 1, &f.diag);

		ck_assert_msg(status == (is_used ? CS_OK : CS_NOT_FOUND), "%s: %d", rows[_i].name,
			status);
		ck_assert_int_eq(fact.found, is_used);
		ck_assert_int_eq(
			binary_debug_source(f.binary), is_used ? DEBUG_BUILD_ID : DEBUG_NONE);
		ck_assert_uint_eq(f.shelf.released, is_used ? rows[_i].used : f.shelf.count);
	}
	ck_assert_int_eq(binary_debug_elf(f.binary, &f.diag, &elf), is_used ? CS_OK : CS_NOT_FOUND);
	ck_assert(is_used ? elf && elf != binary_elf(f.binary) : !elf);
	if (is_used)
		ck_assert_uint_eq(fact.value, 64);
	ck_assert_msg(!*rows[_i].code || strstr(message(&f.diag, rows[_i].code), rows[_i].text),
		"%s: %s", rows[_i].name, message(&f.diag, rows[_i].code));
	ck_assert(is_used || *message(&f.diag, "no-debug-file"));
	ck_assert_str_eq(f.shelf.link, rows[_i].executable.link ? rows[_i].executable.link : "");
	ck_assert_ptr_null(f.diag.fatal);
	teardown(&f);
}
END_TEST

START_TEST(own_dwarf_comes_first)
{
	static const struct recipe executable = {IDS(GO_ID, "abcd"), DWARF},
				   files[2] = {{IDS(GO_ID, "abcd"), DWARF}};
	struct Dwarf *dwarf;
	struct Elf *elf;
	struct fixture f;

	setup(&f, &executable, files);
	ck_assert_int_eq(binary_debug(f.binary, &f.diag, &dwarf), CS_OK);
	ck_assert_int_eq(binary_debug_elf(f.binary, &f.diag, &elf), CS_OK);
	ck_assert_ptr_eq(elf, binary_elf(f.binary));
	ck_assert_int_eq(binary_debug_source(f.binary), DEBUG_EMBEDDED);
	ck_assert_uint_eq(f.shelf.next, 0);
	teardown(&f);
}
END_TEST

START_TEST(without_a_finder_there_is_none)
{
	static const struct recipe executable = {IDS(GO_ID, "abcd")};
	struct Dwarf *dwarf;
	struct fixture f;

	setup(&f, &executable, NULL);
	binary_set_debug_finder(f.binary, NULL);
	ck_assert_int_eq(binary_debug(f.binary, &f.diag, &dwarf), CS_NOT_FOUND);
	ck_assert_uint_eq(f.diag.count, 0);
	teardown(&f);
}
END_TEST

/** A name without an end, no room for the CRC, nothing: no link, and nothing is read past it. */
START_TEST(damaged_links_are_none)
{
	static const struct {
		const char *bytes;
		size_t size;
	} links[] = {{"abcdefgh", 8}, {"", 1}, {"\0\0\0\0abcd", 8}, {"abc", 4}, {"abc\0crc", 7},
		{"abcd\0\0\0\0crc", 11}};
	struct shelf shelf = {.count = 0};
	struct debug_finder finder = {next_file, release_file, &shelf};
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	Elf64_Shdr row = {.sh_type = SHT_PROGBITS, .sh_size = links[_i].size};
	struct Dwarf *dwarf;
	struct binary *binary;
	struct arena arena;
	struct diag diag;
	int fd;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	mkgo_add_buildinfo(elf, "go1.25.5", "", true);
	mkelf_add_section(elf, ".gnu_debuglink", &row, links[_i].bytes);
	fd = mkelf_open(elf);
	ck_assert_int_eq(binary_open(fd, "prog", &arena, &diag, &binary), CS_OK);
	binary_set_debug_finder(binary, &finder);
	ck_assert_int_eq(binary_debug(binary, &diag, &dwarf), CS_NOT_FOUND);
	ck_assert_str_eq(shelf.link, "");
	binary_close(binary);
	close(fd);
	mkelf_destroy(elf);
	arena_deinit(&arena);
}
END_TEST

/** A debug file cut at every length ends in an answer. */
START_TEST(cut_files_are_survived)
{
	static const struct recipe executable = {IDS(GO_ID, "abcd")},
				   file = {IDS(GO_ID, "abcd"), DWARF};
	static uint8_t bytes[65536];
	int whole = make(&file, 0, false);
	ssize_t size = pread(whole, bytes, sizeof(bytes), 0);

	close(whole);
	for (ssize_t cut = 0; cut < size; cut += 7) {
		struct fact fact = {.kind = FACT_FIELD, .type = "runtime.g", .path = "sched.pc"};
		struct fixture f;

		setup(&f, &executable, NULL);
		f.shelf.files[f.shelf.count++] = mkelf_open_bytes(bytes, (size_t)cut);
		(void)!dwarf_facts_find(f.binary, &fact, 1, &f.diag);
		ck_assert_uint_eq(f.shelf.released, 1);
		teardown(&f);
	}
}
END_TEST

Suite *suite_debug(void);

Suite *suite_debug(void)
{
	Suite *suite = suite_create("debug");
	TCase *tcase = tcase_create("files");

	tcase_add_loop_test(tcase, files_must_prove_themselves, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, own_dwarf_comes_first);
	tcase_add_test(tcase, without_a_finder_there_is_none);
	tcase_add_loop_test(tcase, damaged_links_are_none, 0, 6);
	tcase_add_test(tcase, cut_files_are_survived);
	suite_add_tcase(suite, tcase);
	return suite;
}
