// Whole core files: what opens, what is refused and in which words, what a cut or shrinking file
// still gives.
#include "analyzer/core/executable.h"
#include "analyzer/core/mapping.h"
#include "tests/lib/emulated.h"
#include "tests/lib/mkelf.h"

#include <check.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

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

static void add_thread(struct mkelf *core, uint32_t id)
{
	const uint64_t regs[34] = {[19] = 0xc000000000};

	mkelf_add_thread(core, id, 6, regs, core->header.e_machine == EM_AARCH64 ? 34 : 27);
}

static struct mkelf *core_with(size_t thread_count, size_t segment_count)
{
	struct mkelf *core = mkelf_core_create(EM_X86_64);

	for (size_t i = 0; i < thread_count; i++)
		add_thread(core, 100 + (uint32_t)i);
	for (size_t i = 0; i < segment_count; i++)
		mkelf_add_segment(core, 0xc000000000 + i * PAGE, "heapheap", 8, PAGE, PF_R | PF_W);
	return core;
}

static enum cs_status open_bytes(const void *bytes, size_t size, struct image **ret)
{
	int fd = mkelf_open_bytes(bytes, size);
	enum cs_status status = image_open(fd, "app.core", &arena, &diag, ret);

	close(fd);
	return status;
}

static struct image *open_core(struct mkelf *core)
{
	struct image *image = NULL;
	size_t size;
	const uint8_t *bytes = mkelf_finish(core, &size);

	ck_assert_msg(!open_bytes(bytes, size, &image), "%s", diag.fatal);
	ck_assert_ptr_null(diag.fatal);
	mkelf_destroy(core);
	return image;
}

static const struct diag_entry *find_entry(const char *code)
{
	for (size_t i = 0; i < diag.count; i++)
		if (!strcmp(diag.entries[i].code, code))
			return &diag.entries[i];
	return NULL;
}

START_TEST(whole_core_opens)
{
	struct image *image = open_core(core_with(2, 3));
	struct image_view view;
	char bytes[8];

	ck_assert_uint_eq(diag.count, 0);
	ck_assert_uint_eq(image_notes(image)->thread_count, 2);
	ck_assert_int_eq(image_read(image, 0xc000001000, bytes, 8), CS_OK);
	ck_assert_mem_eq(bytes, "heapheap", 8);
	ck_assert_int_eq(image_read(image, 0xc000001000, bytes, 9), CS_FAULT);
	ck_assert(image_find(image, 0xc000002007, &view) && view.is_core && view.is_writable);
	ck_assert(!image_find(image, 0xc000002008, &view));
	ck_assert_uint_eq(image_file_size(image), image_expected_size(image));
	ck_assert(!image_is_torn(image));
	image_close(image);
}
END_TEST

/* Each makes a file that is refused. Files that are no ELF at all have their bytes in the table. */
static struct mkelf *i386_core(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_machine = EM_386;
	core->header.e_ident[EI_CLASS] = ELFCLASS32;
	return core;
}

static struct mkelf *s390x_core(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_ident[EI_DATA] = ELFDATA2MSB;
	core->header.e_machine = __builtin_bswap16(EM_S390);
	core->header.e_type = __builtin_bswap16(ET_CORE);
	return core;
}

static struct mkelf *riscv_core(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_machine = EM_RISCV;
	return core;
}

static struct mkelf *unknown_core(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_machine = 4242;
	return core;
}

static struct mkelf *x32_core(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_ident[EI_CLASS] = ELFCLASS32;
	return core;
}

static struct mkelf *executable(void)
{
	return mkelf_executable_create(EM_X86_64, ET_EXEC, 0x401000);
}

static struct mkelf *pie(void)
{
	return mkelf_executable_create(EM_X86_64, ET_DYN, 0x1000);
}

static struct mkelf *i386_executable(void)
{
	struct mkelf *elf = mkelf_executable_create(EM_386, ET_EXEC, 0x401000);

	elf->header.e_ident[EI_CLASS] = ELFCLASS32;
	return elf;
}

static struct mkelf *object_file(void)
{
	return mkelf_executable_create(EM_X86_64, ET_REL, 0);
}

static struct mkelf *no_threads(void)
{
	return core_with(0, 1);
}

static struct mkelf *no_headers(void)
{
	return core_with(0, 0);
}

static struct mkelf *no_memory(void)
{
	return core_with(1, 0);
}

static struct mkelf *short_headers(void)
{
	struct mkelf *core = core_with(1, 1);

	core->header.e_phentsize = 32;
	return core;
}

static const struct {
	const char *bytes;
	size_t size;
	struct mkelf *(*create)(void);
	const char *code, *message;
} refused[] = {
	{"", 0, NULL, "empty-core", "app.core is empty: nothing was dumped"},
	{"\x28\xb5\x2f\xfd....", 8, NULL, "compressed-core",
		"app.core is compressed with zstd: unpack it first, for example: zstd -d app.core"},
	{"\x1f\x8b\x08", 3, NULL, "compressed-core",
		"gzip: unpack it first, for example: gunzip -k"},
	{"\xfd"
	 "7zXZ\0",
		6, NULL, "compressed-core", "compressed with xz: unpack it first"},
	{"\x04\x22\x4d\x18", 4, NULL, "compressed-core", "compressed with lz4: unpack it first"},
	{"BZh91AY", 7, NULL, "compressed-core", "compressed with bzip2: unpack it first"},
	{"#!/bin/sh\n", 10, NULL, "not-elf", "app.core is not an ELF file"},
	{"\x7f"
	 "EL",
		3, NULL, "not-elf", "app.core is not an ELF file"},
	{"\x28\xb5", 2, NULL, "not-elf", "app.core is not an ELF file"},
	{"\x7f"
	 "ELF",
		4, NULL, "truncated-core", "app.core is cut inside its headers (4 bytes)"},
	{NULL, 0, i386_core, "wrong-architecture", "the core of a 32-bit i386 program"},
	{NULL, 0, x32_core, "wrong-architecture", "the core of a 32-bit x86-64 program"},
	{NULL, 0, s390x_core, "wrong-architecture", "the core of a big-endian s390x program"},
	{NULL, 0, riscv_core, "wrong-architecture", "the core of a riscv program"},
	{NULL, 0, unknown_core, "wrong-architecture", "a program for ELF machine 4242"},
	{NULL, 0, executable, "not-core", "app.core is an executable, not a core"},
	{NULL, 0, i386_executable, "not-core", "app.core is an executable, not a core"},
	{NULL, 0, pie, "not-core", "app.core is an executable or shared library, not a core"},
	{NULL, 0, object_file, "not-core", "app.core is an object file, not a core"},
	{NULL, 0, no_threads, "no-threads", "app.core is an ELF core without a thread"},
	{NULL, 0, no_headers, "no-threads", "app.core is an ELF core without a thread"},
	{NULL, 0, no_memory, "no-memory-in-core", "app.core is an ELF core without memory"},
	{NULL, 0, short_headers, "bad-core", "its program headers have 32 bytes each, not 56"},
};

START_TEST(what_is_no_core_is_named)
{
	struct mkelf *elf = refused[_i].create ? refused[_i].create() : NULL;
	struct image *image = NULL;
	size_t size = refused[_i].size;
	const void *bytes = elf ? mkelf_finish(elf, &size) : (const void *)refused[_i].bytes;

	ck_assert_int_ne(open_bytes(bytes, size, &image), CS_OK);
	ck_assert_ptr_null(image);
	ck_assert_uint_eq(diag.count, 1);
	ck_assert_str_eq(diag.entries[0].code, refused[_i].code);
	ck_assert_ptr_nonnull(diag.fatal);
	ck_assert_msg(strstr(diag.fatal, refused[_i].message), "%s", diag.fatal);
	ck_assert_ptr_null(strchr(diag.fatal, '\n'));
	mkelf_destroy(elf);
}
END_TEST

/* gdb writes them behind the segments. */
START_TEST(lost_notes_are_named)
{
	struct mkelf *core = mkelf_core_create(EM_X86_64);
	struct image *image = NULL;
	const uint8_t *bytes;
	uint8_t copy[4096];
	Elf64_Phdr notes;
	size_t size;

	add_thread(core, 100);
	mkelf_add_segment(core, 0x400000, "firstpage", 9, PAGE, PF_R);
	bytes = mkelf_finish(core, &size);
	ck_assert_uint_le(size, sizeof(copy));
	memcpy(copy, bytes, size);
	memcpy(&notes, copy + sizeof(Elf64_Ehdr), sizeof(notes));
	ck_assert_uint_eq(notes.p_type, PT_NOTE);
	notes.p_offset = size;
	memcpy(copy + sizeof(Elf64_Ehdr), &notes, sizeof(notes));
	ck_assert_int_eq(open_bytes(copy, size, &image), CS_CORRUPT);
	ck_assert_str_eq(diag.entries[0].code, "truncated-core");
	ck_assert_msg(strstr(diag.fatal, "cut before its notes"), "%s", diag.fatal);
	mkelf_destroy(core);
}
END_TEST

START_TEST(only_regular_files_open)
{
	struct image *image;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(image_open(fds[0], "pipe", &arena, &diag, &image), CS_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(diag.fatal, "pipe is not a regular file"));
	ck_assert_int_eq(image_open(-1, "gone", &arena, &diag, &image), CS_IO);
	ck_assert_ptr_nonnull(strstr(diag.fatal, "gone: "));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* Where each part of a small core ends, for the sweep. */
struct layout {
	size_t size, first_thread_end, notes_end;
};

static struct mkelf *swept_core(struct layout *ret)
{
	struct mkelf *core = mkelf_core_create(EM_X86_64);
	size_t headers = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);

	add_thread(core, 100);
	ret->first_thread_end = headers + core->notes.size;
	mkelf_add_process(core, 100, 0, "app", "app -x");
	mkelf_add_auxv(core, (const uint64_t[][2]){{AT_PHDR, 0x400040}, {AT_ENTRY, 0x401000}}, 2);
	mkelf_add_file(core, 0x400000, 0x401000, 0, "/bin/app");
	add_thread(core, 101);
	mkelf_add_segment(core, 0x400000, "firstpage", 9, PAGE, PF_R);
	mkelf_add_segment(core, 0xc000000000, "heapheap", 8, 8, PF_R | PF_W);
	mkelf_add_segment(core, 0xc000001000, "stack", 5, 5, PF_R | PF_W);
	mkelf_finish(core, &ret->size);
	ret->notes_end = headers + core->notes.size;
	return core;
}

/* What holds for a core of `cut` bytes, whatever `cut` is. */
static void check_cut(const uint8_t *bytes, size_t cut, const struct layout *layout)
{
	struct image *image = NULL;
	enum cs_status status = open_bytes(bytes, cut, &image);
	uint8_t byte;

	if (cut < layout->first_thread_end) {
		ck_assert_int_ne(status, CS_OK);
		ck_assert_ptr_nonnull(diag.fatal);
		return;
	}
	ck_assert_msg(!status, "at %zu: %s", cut, diag.fatal);
	ck_assert_uint_eq(image_file_size(image), cut);
	ck_assert_uint_eq(image_expected_size(image), layout->size);
	ck_assert_uint_ge(image_notes(image)->thread_count, 1);
	ck_assert_uint_eq(image_notes(image)->threads[0].id, 100);
	if (cut >= layout->notes_end)
		ck_assert_uint_eq(image_notes(image)->thread_count, 2);
	ck_assert(!find_entry("truncated-core") == (cut == layout->size));
	ck_assert_int_eq(
		image_read_u8(image, 0xc000001004, &byte), cut == layout->size ? CS_OK : CS_FAULT);
	core_executable_find(image, &arena);
	image_close(image);
}

START_TEST(cut_at_every_byte)
{
	struct layout layout;
	struct mkelf *core = swept_core(&layout);
	size_t size;
	const uint8_t *bytes = mkelf_finish(core, &size);

	for (size_t cut = 1; cut <= size; cut++) {
		check_cut(bytes, cut, &layout);
		tear_down();
		set_up();
	}
	mkelf_destroy(core);
}
END_TEST

START_TEST(cut_core_says_how_much_is_there)
{
	struct mkelf *core = core_with(1, 2);
	struct image *image;
	char expected[128];
	size_t size;
	const uint8_t *bytes = mkelf_finish(core, &size);

	ck_assert_int_eq(open_bytes(bytes, size - 3, &image), CS_OK);
	snprintf(expected, sizeof(expected), "core is truncated: %zu of %zu bytes", size - 3, size);
	ck_assert_str_eq(find_entry("truncated-core")->message, expected);
	ck_assert_int_eq(find_entry("truncated-core")->severity, DIAG_WARNING);
	ck_assert_ptr_nonnull(image_view_bytes(image, 0xc000000000, 8));
	ck_assert_ptr_nonnull(image_view_bytes(image, 0xc000001000, 5));
	ck_assert_ptr_null(image_view_bytes(image, 0xc000001000, 6));
	image_close(image);
	mkelf_destroy(core);
}
END_TEST

/* One bit after the other turned over: whatever comes, it ends, and a refusal has its message. */
START_TEST(damage_at_every_byte)
{
	struct layout layout;
	struct mkelf *core = swept_core(&layout);
	const uint8_t *bytes = mkelf_finish(core, &layout.size);
	uint8_t *damaged = malloc(layout.size);

	ck_assert_ptr_nonnull(damaged);
	for (size_t i = 0; i < layout.size; i++) {
		struct image *image = NULL;

		memcpy(damaged, bytes, layout.size);
		damaged[i] ^= 0xff;
		if (open_bytes(damaged, layout.size, &image)) {
			ck_assert_ptr_nonnull(diag.fatal);
		} else {
			core_executable_find(image, &arena);
			image_close(image);
		}
		tear_down();
		set_up();
	}
	free(damaged);
	mkelf_destroy(core);
}
END_TEST

#define MANY 70000

static struct mkelf *extended_core(void)
{
	struct mkelf *core = core_with(1, 0);

	core->extended_numbering = true;
	core->segment_alignment = 1;
	for (uint64_t i = 0; i < MANY; i++)
		mkelf_add_segment(core, 0x10000 + i * PAGE, "x", 1, PAGE, PF_R);
	return core;
}

static size_t count_views(const struct image *image)
{
	struct image_view view;
	size_t count = 0;

	while (image_view_at(image, count, &view))
		count++;
	return count;
}

START_TEST(more_segments_than_e_phnum_can_say)
{
	struct image *image = open_core(extended_core());

	ck_assert_uint_eq(count_views(image), MANY);
	ck_assert_uint_eq(image_file_size(image), image_expected_size(image));
	ck_assert_uint_eq(diag.count, 0);
	image_close(image);
}
END_TEST

START_TEST(extended_number_survives_a_cut)
{
	struct mkelf *core = extended_core();
	struct image *image;
	size_t size;
	const uint8_t *bytes = mkelf_finish(core, &size);

	ck_assert_int_eq(open_bytes(bytes, size - sizeof(Elf64_Shdr) - 1000, &image), CS_OK);
	ck_assert_ptr_nonnull(find_entry("truncated-core"));
	ck_assert_uint_eq(image_expected_size(image), size);
	// Alignment may have put a few bytes between the last segment and section 0.
	ck_assert_uint_ge(count_views(image), MANY - 1000);
	ck_assert_uint_lt(count_views(image), MANY - 990);
	image_close(image);
	mkelf_destroy(core);
}
END_TEST

START_TEST(damaged_segments_are_left_out)
{
	struct mkelf *core = core_with(1, 1);
	struct image *image;
	uint8_t byte;

	mkelf_add_segment(core, UINT64_MAX - 3, "wraps...", 8, 8, PF_R);
	mkelf_add_segment(core, 0x5000, "smaller in memory", 17, 4, PF_R);
	mkelf_add_header(core, &(Elf64_Phdr){.p_type = PT_LOAD,
				       .p_vaddr = 0x6000,
				       .p_offset = UINT64_MAX - 4,
				       .p_filesz = 100,
				       .p_memsz = 100});
	mkelf_add_header(core, &(Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 3, .p_filesz = 90});
	mkelf_add_header(core, &(Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x7000, .p_memsz = 100});
	image = open_core(core);
	ck_assert_ptr_nonnull(find_entry("bad-segment"));
	ck_assert_uint_eq(diag.count, 1);
	ck_assert_int_eq(image_read_u8(image, UINT64_MAX - 3, &byte), CS_FAULT);
	ck_assert_int_eq(image_read_u8(image, 0x5003, &byte), CS_OK);
	ck_assert_int_eq(image_read_u8(image, 0x5004, &byte), CS_FAULT);
	ck_assert_int_eq(image_read_u8(image, 0x6000, &byte), CS_FAULT);
	ck_assert_int_eq(image_read_u8(image, 0x7000, &byte), CS_FAULT);
	image_close(image);
}
END_TEST

#define HEAP_SIZE (8 * PAGE)

/* Opens a core with HEAP_SIZE bytes 'h' at 0xc000000000, then cuts its file to two pages. */
static struct image *open_and_cut(void)
{
	static uint8_t heap[HEAP_SIZE];
	struct mkelf *core = core_with(1, 0);
	struct image *image;
	int fd;

	memset(heap, 'h', sizeof(heap));
	mkelf_add_segment(core, 0xc000000000, heap, sizeof(heap), sizeof(heap), PF_R | PF_W);
	fd = mkelf_open(core);
	ck_assert_int_eq(image_open(fd, "app.core", &arena, &diag, &image), CS_OK);
	ck_assert(!image_is_torn(image));
	ck_assert_int_eq(ftruncate(fd, 2 * PAGE), 0);
	close(fd);
	mkelf_destroy(core);
	return image;
}

START_TEST(shrinking_file_reads_as_zeros)
{
	struct image *image = open_and_cut();
	uint8_t byte = 0;

	ck_assert_int_eq(image_read_u8(image, 0xc000000000, &byte), CS_OK);
	ck_assert_uint_eq(byte, 'h');
	ck_assert(!image_is_torn(image));
	for (target_addr at = 3 * PAGE; at < HEAP_SIZE; at += PAGE / 2) {
		ck_assert_int_eq(image_read_u8(image, 0xc000000000 + at, &byte), CS_OK);
		ck_assert_uint_eq(byte, 0);
	}
	ck_assert(image_is_torn(image));
	image_close(image);
}
END_TEST

/* In a child under seccomp: exit status 0 where the lost page read as zero and was noticed. */
static void read_lost_page_in_sandbox(const struct image *image)
{
	// The last two are _exit's, with and without asan.
	const int allowed[] = {SCMP_SYS(mmap), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group),
		SCMP_SYS(sigaltstack)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	uint8_t byte = 1;

	for (int i = 0; i < COUNT(allowed); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0))
			_exit(2);
	if (seccomp_load(filter))
		_exit(3);
	_exit(image_read_u8(image, 0xc000004000, &byte) || byte || !image_is_torn(image));
}

START_TEST(guard_needs_two_system_calls)
{
	struct image *image = open_and_cut();
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid)
		read_lost_page_in_sandbox(image);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "0x%x", (unsigned int)status);
	image_close(image);
}
END_TEST

/* An arena that ends earlier or later: a failure has its status, and at last it succeeds. */
START_TEST(every_shortage_of_memory_is_reported)
{
	struct layout layout;
	struct mkelf *core = swept_core(&layout);
	enum cs_status status = CS_NO_MEMORY;
	int fd = mkelf_open(core);
	size_t failures = 0;

	for (size_t max = 64; status; max += 64) {
		struct image *image = NULL;
		struct arena small;

		arena_init(&small, max);
		status = image_open(fd, "app.core", &small, &diag, &image);
		if (status) {
			ck_assert_int_eq(status, CS_NO_MEMORY);
			failures++;
		} else {
			core_executable_find(image, &small);
			image_close(image);
		}
		arena_deinit(&small);
	}
	ck_assert_uint_gt(failures, 0);
	close(fd);
	mkelf_destroy(core);
}
END_TEST

/* Runs in a child: touches a lost page that is not ours. */
static void touch_foreign_page(void)
{
	int fd = memfd_create("foreign", MFD_CLOEXEC);
	volatile uint8_t *bytes;

	if (ftruncate(fd, PAGE))
		_exit(1);
	bytes = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED || ftruncate(fd, 0))
		_exit(2);
	(void)bytes[0];
	_exit(3);
}

static void send_sigbus(void)
{
	kill(getpid(), SIGBUS);
	_exit(4);
}

START_TEST(other_bus_errors_still_kill)
{
	struct image *image = open_core(core_with(1, 1));
	void (*const ways[])(void) = {touch_foreign_page, send_sigbus};

	for (size_t i = 0; i < 2; i++) {
		pid_t pid = fork();
		int status;

		ck_assert_int_ge(pid, 0);
		if (!pid) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			ways[i]();
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "%zu: 0x%x", i,
			(unsigned int)status);
	}
	image_close(image);
}
END_TEST

START_TEST(mappings_are_limited_and_given_back)
{
	struct mapping mappings[MAX_MAPPINGS], one;
	int fd = mkelf_open_bytes("bytes", 5);

	for (int i = 0; i < MAX_MAPPINGS; i++)
		ck_assert_int_eq(mapping_open(fd, 5, &mappings[i]), CS_OK);
	ck_assert_int_eq(mapping_open(fd, 5, &one), CS_LIMIT);
	mapping_close(&mappings[7]);
	ck_assert_int_eq(mapping_open(fd, 5, &one), CS_OK);
	ck_assert_mem_eq(one.bytes, "bytes", 5);
	ck_assert(!mapping_is_torn(&one));
	mapping_close(&one);
	for (int i = 0; i < MAX_MAPPINGS; i++)
		mapping_close(&mappings[i]);
	ck_assert_int_eq(mapping_open(fd, 0, &one), CS_OK);
	ck_assert_ptr_null(one.bytes);
	mapping_close(&one);
	ck_assert_int_eq(mapping_open(-1, 5, &one), CS_IO);
	close(fd);
}
END_TEST

Suite *suite_image_open(void);

Suite *suite_image_open(void)
{
	Suite *suite = suite_create("image_open");
	TCase *tc = tcase_create("image_open");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, whole_core_opens);
	tcase_add_loop_test(tc, what_is_no_core_is_named, 0, COUNT(refused));
	tcase_add_test(tc, lost_notes_are_named);
	tcase_add_test(tc, only_regular_files_open);
	tcase_add_test(tc, cut_at_every_byte);
	tcase_add_test(tc, cut_core_says_how_much_is_there);
	tcase_add_test(tc, damage_at_every_byte);
	tcase_add_test(tc, more_segments_than_e_phnum_can_say);
	tcase_add_test(tc, extended_number_survives_a_cut);
	tcase_add_test(tc, damaged_segments_are_left_out);
	tcase_add_test(tc, shrinking_file_reads_as_zeros);
	if (!is_emulated())
		tcase_add_test(tc, guard_needs_two_system_calls);
	tcase_add_test(tc, every_shortage_of_memory_is_reported);
	tcase_add_test(tc, other_bus_errors_still_kill);
	tcase_add_test(tc, mappings_are_limited_and_given_back);
	suite_add_tcase(suite, tc);
	return suite;
}
