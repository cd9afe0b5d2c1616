// A core's notes: the kernel's, qemu's, and damaged ones.
#include "analyzer/core/image.h"
#include "tests/lib/mkelf.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct arena arena;
static struct diag diag;
static struct mkelf *core;
static struct image *image;

static void set_up(void)
{
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	core = mkelf_core_create(EM_X86_64);
	image = NULL;
}

static void tear_down(void)
{
	image_close(image);
	mkelf_destroy(core);
	arena_deinit(&arena);
}

/* Registers that show their thread and their place. */
static void add_thread(uint32_t id, int16_t signal)
{
	uint64_t regs[34];

	for (size_t i = 0; i < 34; i++)
		regs[i] = 1000 * id + i;
	mkelf_add_thread(core, id, signal, regs, core->header.e_machine == EM_X86_64 ? 27 : 34);
}

static const struct image_notes *open_notes(void)
{
	int fd;

	mkelf_add_segment(core, 0x1000, "x", 1, 1, PF_R);
	fd = mkelf_open(core);
	ck_assert_msg(!image_open(fd, "app.core", &arena, &diag, &image), "%s", diag.fatal);
	close(fd);
	return image_notes(image);
}

START_TEST(kernel_notes_are_read)
{
	const struct image_notes *notes;

	add_thread(7, 6);
	mkelf_add_process(core, 70, 1000, "a-name-of-more-than-15", "./app -x 1 ");
	mkelf_add_signal(core, SIGABRT, SI_TKILL, 7 | (uint64_t)1001 << 32);
	mkelf_add_auxv(core,
		(const uint64_t[][2]){{AT_PHDR, 1}, {AT_ENTRY, 2}, {AT_RANDOM, 3}, {AT_EXECFN, 4},
			{AT_SYSINFO_EHDR, 5}, {AT_SECURE, 6}, {AT_PAGESZ, 7}, {AT_UID, 8},
			{AT_GID, 9}, {AT_HWCAP, 10}},
		10);
	mkelf_add_file(core, 0x401000, 0x402000, 0x1000, "/bin/app");
	mkelf_add_file(core, 0x400000, 0x401000, 0, "/bin/app");
	mkelf_add_file(core, 0x300000, 0x301000, 0, "/lib/libc.so.6");
	mkelf_add_note(core, "CORE", NT_FPREGSET, "fp", 2);
	mkelf_add_note(core, "LINUX", NT_X86_XSTATE, "xstate", 6);
	add_thread(8, 0);
	notes = open_notes();

	ck_assert_int_eq(image_arch(image), ARCH_AMD64);
	ck_assert_uint_eq(notes->thread_count, 2);
	ck_assert_uint_eq(notes->threads[0].id, 7);
	ck_assert_int_eq(notes->threads[0].signal, 6);
	ck_assert_uint_eq(notes->threads[1].id, 8);
	ck_assert_int_eq(notes->threads[1].signal, 0);
	ck_assert_uint_eq(notes->threads[1].regs.count, 27);
	ck_assert_uint_eq(notes->threads[1].regs.raw[26], 8026);
	ck_assert_uint_eq(notes->threads[1].regs.g, 8001);
	ck_assert_uint_eq(notes->threads[1].regs.pc, 8016);
	ck_assert_uint_eq(notes->threads[1].regs.sp, 8019);
	ck_assert_uint_eq(notes->threads[1].regs.tls, 8021);
	ck_assert_uint_eq(notes->threads[1].regs.lr, 0);
	ck_assert(notes->has_process);
	ck_assert(notes->pid == 70 && notes->uid == 1000 && notes->gid == 1000);
	ck_assert_str_eq(notes->command, "a-name-of-more-");
	ck_assert_str_eq(notes->arguments, "./app -x 1");
	ck_assert(notes->has_auxv && notes->at_phdr == 1 && notes->at_entry == 2);
	ck_assert(notes->at_random == 3 && notes->at_execfn == 4 && notes->at_sysinfo_ehdr == 5);
	ck_assert(notes->at_secure == 6 && notes->at_pagesz == 7);
	ck_assert(notes->at_uid == 8 && notes->at_gid == 9);
	ck_assert_uint_eq(notes->mapping_count, 3);
	ck_assert_uint_eq(notes->mappings[0].start, 0x300000);
	ck_assert_str_eq(notes->mappings[0].path, "/lib/libc.so.6");
	ck_assert_uint_eq(notes->mappings[1].start, 0x400000);
	ck_assert_uint_eq(notes->mappings[2].offset, 0x1000);
	ck_assert_uint_eq(notes->mappings[2].end, 0x402000);
	ck_assert_str_eq(notes->mappings[2].path, "/bin/app");
	ck_assert_uint_eq(diag.count, 0);
}
END_TEST

/* qemu-aarch64 7.2: no NT_FILE and NT_SIGINFO, other threads last and without a signal. */
START_TEST(qemu_arm64_notes_are_read)
{
	const struct image_notes *notes;

	core->header.e_machine = EM_AARCH64;
	add_thread(7, 6);
	mkelf_add_process(core, 7, 0, "app", "app");
	mkelf_add_auxv(core, (const uint64_t[][2]){{AT_PHDR, 0x10040}}, 1);
	add_thread(9, 0);
	add_thread(8, 0);
	notes = open_notes();

	ck_assert_int_eq(image_arch(image), ARCH_ARM64);
	ck_assert_uint_eq(notes->thread_count, 3);
	ck_assert_uint_eq(notes->threads[1].id, 9);
	ck_assert_uint_eq(notes->threads[1].regs.count, 34);
	ck_assert_uint_eq(notes->threads[1].regs.g, 9028);
	ck_assert_uint_eq(notes->threads[1].regs.lr, 9030);
	ck_assert_uint_eq(notes->threads[1].regs.sp, 9031);
	ck_assert_uint_eq(notes->threads[1].regs.pc, 9032);
	ck_assert_uint_eq(notes->threads[1].regs.tls, 0);
	ck_assert(notes->has_signal && !notes->has_signal_code && !notes->mapping_count);
	ck_assert_int_eq(notes->signal, 6);
	ck_assert_uint_eq(notes->at_phdr, 0x10040);
}
END_TEST

/* arch/arm64/kernel/ptrace.c, aarch64_regsets, and a segment of memory tags: none of it is Go's. */
START_TEST(arm64_kernel_notes_are_passed_over)
{
	static const uint32_t types[] = {NT_FPREGSET, 0x401 /* TLS */, 0x402 /* HW_BREAK */,
		0x403 /* HW_WATCH */, 0x404 /* SYSTEM_CALL */, 0x405 /* SVE */,
		0x406 /* PAC_MASK */, 0x407 /* PACA_KEYS */, 0x409 /* TAGGED_ADDR_CTRL */,
		0x40a /* PAC_ENABLED_KEYS */, 0x40e /* FPMR */};
	const uint8_t bytes[528] = {0xff};
	const struct image_notes *notes;

	core->header.e_machine = EM_AARCH64;
	for (uint32_t id = 7; id < 9; id++) {
		add_thread(id, id == 7 ? SIGSEGV : 0);
		if (id == 7) {
			mkelf_add_process(core, 7, 0, "app", "app");
			mkelf_add_signal(core, SIGSEGV, SEGV_MAPERR, 0x10);
			mkelf_add_auxv(core, (const uint64_t[][2]){{AT_ENTRY, 0x20000}}, 1);
			mkelf_add_file(core, 0x10000, 0x20000, 0, "/bin/app");
		}
		for (int i = 0; i < COUNT(types); i++)
			mkelf_add_note(core, i ? "LINUX" : "CORE", types[i], bytes, sizeof(bytes));
	}
	mkelf_add_header(core, &(Elf64_Phdr){.p_type = 0x70000002 /* PT_AARCH64_MEMTAG_MTE */,
				       .p_vaddr = 0x10000,
				       .p_filesz = 16,
				       .p_memsz = 4096});
	notes = open_notes();

	ck_assert_uint_eq(notes->thread_count, 2);
	ck_assert_uint_eq(notes->threads[1].regs.pc, 8032);
	ck_assert_int_eq(notes->signal, SIGSEGV);
	ck_assert_uint_eq(notes->signal_address, 0x10);
	ck_assert_uint_eq(notes->mapping_count, 1);
	ck_assert_uint_eq(notes->at_entry, 0x20000);
	ck_assert_uint_eq(diag.count, 0);
}
END_TEST

static const struct {
	int32_t number, code;
	bool has_address, has_sender;
} signals[] = {
	{SIGSEGV, SEGV_MAPERR, true, false},
	{SIGSEGV, SEGV_ACCERR, true, false},
	{SIGBUS, BUS_ADRERR, true, false},
	{SIGFPE, FPE_INTDIV, true, false},
	{SIGILL, ILL_ILLOPN, true, false},
	{SIGTRAP, TRAP_BRKPT, true, false},
	{SIGSEGV, SI_KERNEL, false, false},
	{SIGTRAP, SI_KERNEL, false, false},
	{SIGSEGV, SI_USER, false, true},
	{SIGQUIT, SI_USER, false, true},
	{SIGABRT, SI_TKILL, false, true},
	{SIGABRT, SI_QUEUE, false, true},
	{SIGXFSZ, SI_KERNEL, false, false},
	{SIGXCPU, SI_KERNEL, false, false},
	{SIGSYS, 1, false, false},
};

START_TEST(signal_has_address_or_sender)
{
	const struct image_notes *notes;
	uint64_t field = 4321 | (uint64_t)33 << 32;

	add_thread(1, 0);
	mkelf_add_signal(core, signals[_i].number, signals[_i].code, field);
	notes = open_notes();
	ck_assert(notes->has_signal && notes->has_signal_code && !notes->is_live);
	ck_assert_int_eq(notes->signal, signals[_i].number);
	ck_assert_int_eq(notes->signal_code, signals[_i].code);
	ck_assert_int_eq(notes->has_signal_address, signals[_i].has_address);
	ck_assert_uint_eq(notes->signal_address, signals[_i].has_address ? field : 0);
	ck_assert_int_eq(notes->has_signal_sender, signals[_i].has_sender);
	ck_assert_uint_eq(notes->signal_pid, signals[_i].has_sender ? 4321 : 0);
	ck_assert_uint_eq(notes->signal_uid, signals[_i].has_sender ? 33 : 0);
}
END_TEST

/* What gcore and gdb write, and what the kernel does. */
static const struct {
	int16_t thread_signal;
	int32_t signal; // 0: no NT_SIGINFO
	bool is_process_first, is_live;
} origins[] = {
	{SIGSTOP, SIGSTOP, true, true}, // gcore of a running process
	{SIGINT, SIGINT, true, true},   // generate-core-file after ^C
	{SIGTRAP, SIGTRAP, true, true}, // at a breakpoint
	{SIGSTOP, 0, true, true}, {0, 0, true, true},
	{SIGSEGV, SIGSEGV, true, false}, // gdb had caught its death
	{SIGSEGV, SIGSEGV, false, false}, {SIGTRAP, SIGTRAP, false, false},
	{SIGSTOP, SIGSTOP, false, true},                  // no kernel's
	{SIGQUIT, 0, false, false}, {0, 0, false, false}, // nothing is said, so nothing is known
};

START_TEST(live_processes_are_told_from_dead_ones)
{
	const struct image_notes *notes;
	bool is_live = origins[_i].is_live;
	int32_t signal = is_live ? 0 : origins[_i].thread_signal;

	if (origins[_i].is_process_first)
		mkelf_add_process(core, 1, 0, "app", "app");
	add_thread(1, origins[_i].thread_signal);
	if (origins[_i].signal)
		mkelf_add_signal(core, origins[_i].signal, SI_KERNEL, 0);
	if (!origins[_i].is_process_first)
		mkelf_add_process(core, 1, 0, "app", "app");
	notes = open_notes();
	ck_assert_int_eq(notes->is_live, is_live);
	ck_assert_int_eq(notes->has_signal, signal != 0);
	ck_assert_int_eq(notes->signal, signal);
	ck_assert_int_eq(notes->threads[0].signal, signal);
}
END_TEST

START_TEST(repeated_notes_count_once)
{
	const struct image_notes *notes;

	for (int i = 0; i < 2; i++) {
		add_thread(5, (int16_t)(6 + i));
		mkelf_add_process(core, 10 + (uint32_t)i, 0, "app", "app");
		mkelf_add_signal(core, SIGABRT + i, 0, 0);
		mkelf_add_auxv(core, (const uint64_t[][2]){{AT_ENTRY, 100 + (uint64_t)i}}, 1);
		add_thread(4, 0);
	}
	notes = open_notes();
	ck_assert_uint_eq(notes->thread_count, 2);
	ck_assert_uint_eq(notes->threads[0].id, 5);
	ck_assert_int_eq(notes->threads[0].signal, 6);
	ck_assert_uint_eq(notes->threads[1].id, 4);
	ck_assert_uint_eq(notes->pid, 10);
	ck_assert_int_eq(notes->signal, SIGABRT);
	ck_assert_uint_eq(notes->at_entry, 100);
}
END_TEST

/* Each with a good thread around it, which must survive. */
static const struct {
	const char *name;
	uint32_t type;
	size_t size;
} bad[] = {
	{"CORE", NT_PRSTATUS, 0},
	{"CORE", NT_PRSTATUS, 100},
	{"CORE", NT_PRSTATUS, 112 + 27 * 8 - 1},
	{"LINUX", NT_PRSTATUS, 336},
	{"", NT_PRSTATUS, 336},
	{"COREX", NT_PRSTATUS, 336},
	{"CORE", NT_PRPSINFO, 0},
	{"CORE", NT_PRPSINFO, 135},
	{"CORE", NT_SIGINFO, 0},
	{"CORE", NT_SIGINFO, 23},
	{"CORE", NT_AUXV, 0},
	{"CORE", NT_AUXV, 15},
	{"CORE", NT_FILE, 0},
	{"CORE", NT_FILE, 15},
	{"CORE", 0x12345678, 10},
	{"anything at all", 1, 10000},
};

START_TEST(bad_notes_are_passed_over)
{
	static const uint8_t zeros[10000];
	const struct image_notes *notes;

	add_thread(1, 6);
	mkelf_add_note(core, bad[_i].name, bad[_i].type, zeros, bad[_i].size);
	add_thread(2, 0);
	notes = open_notes();
	ck_assert_uint_eq(notes->thread_count, 2);
	ck_assert(!notes->has_process && !notes->has_signal_code && !notes->has_auxv);
	ck_assert_int_eq(notes->signal, 6); // the thread's own
	ck_assert_uint_eq(notes->mapping_count, 0);
}
END_TEST

/* NT_FILE word by word: count, page size, then rows; the paths are appended. */
static const struct {
	uint64_t words[8];
	size_t word_count;
	const char *paths;
	size_t paths_size, expected;
} file_notes[] = {
	{{1, 4096, 0x1000, 0x2000, 3}, 5, "/a", 3, 1}, {{0, 4096}, 2, "", 0, 0},
	{{2, 4096, 0x1000, 0x2000, 3, 0x2000, 0x3000, 0}, 8, "/a\0/b", 6, 2},
	{{2, 4096, 0x1000, 0x2000, 3, 0x2000, 0x3000, 0}, 8, "/a\0/b", 5, 1}, // no NUL
	{{2, 4096, 0x1000, 0x2000, 3, 0x2000, 0x3000, 0}, 8, "", 0, 0},
	{{3, 4096, 0x1000, 0x2000, 3, 0x2000, 0x3000, 0}, 8, "/a\0/b", 6, 0}, // too few rows
	{{UINT64_MAX, 4096, 0x1000, 0x2000, 3}, 5, "/a", 3, 0},
	{{UINT64_MAX / 24 + 2, 4096, 0x1000, 0x2000, 3}, 5, "/a", 3, 0},
	{{1, 4096, 0x2000, 0x1000, 3}, 5, "/a", 3, 0},          // ends before it starts
	{{1, 4096, 0x1000, 0x2000, UINT64_MAX}, 5, "/a", 3, 0}, // an offset past 2^64
};

START_TEST(file_note_rows_are_checked)
{
	uint8_t bytes[sizeof(file_notes[0].words) + 64];
	size_t words_size = file_notes[_i].word_count * sizeof(uint64_t);
	const struct image_notes *notes;

	memcpy(bytes, file_notes[_i].words, words_size);
	memcpy(bytes + words_size, file_notes[_i].paths, file_notes[_i].paths_size);
	add_thread(1, 6);
	mkelf_add_note(core, "CORE", NT_FILE, bytes, words_size + file_notes[_i].paths_size);
	notes = open_notes();
	ck_assert_uint_eq(notes->mapping_count, file_notes[_i].expected);
	if (notes->mapping_count) {
		ck_assert_str_eq(notes->mappings[0].path, "/a");
		ck_assert_uint_eq(notes->mappings[0].offset, 3 * 4096);
	}
}
END_TEST

START_TEST(long_texts_are_cut)
{
	static char path[100000];
	const struct image_notes *notes;

	memset(path, 'p', sizeof(path) - 1);
	add_thread(1, 6);
	mkelf_add_file(core, 0x1000, 0x2000, 0, path);
	notes = open_notes();
	ck_assert_uint_eq(notes->mapping_count, 1);
	ck_assert_uint_eq(strlen(notes->mappings[0].path), 4096);
}
END_TEST

START_TEST(many_threads_keep_their_order)
{
	const struct image_notes *notes;

	for (uint32_t i = 0; i < 3000; i++)
		add_thread(10000 - i, 0);
	notes = open_notes();
	ck_assert_uint_eq(notes->thread_count, 3000);
	for (uint32_t i = 0; i < 3000; i++)
		ck_assert_uint_eq(notes->threads[i].id, 10000 - i);
}
END_TEST

Suite *suite_image_notes(void);

Suite *suite_image_notes(void)
{
	Suite *suite = suite_create("image_notes");
	TCase *tc = tcase_create("image_notes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, kernel_notes_are_read);
	tcase_add_test(tc, qemu_arm64_notes_are_read);
	tcase_add_test(tc, arm64_kernel_notes_are_passed_over);
	tcase_add_loop_test(tc, signal_has_address_or_sender, 0, COUNT(signals));
	tcase_add_loop_test(tc, live_processes_are_told_from_dead_ones, 0,
		sizeof(origins) / sizeof(origins[0]));
	tcase_add_test(tc, repeated_notes_count_once);
	tcase_add_loop_test(tc, bad_notes_are_passed_over, 0, COUNT(bad));
	tcase_add_loop_test(tc, file_note_rows_are_checked, 0, COUNT(file_notes));
	tcase_add_test(tc, long_texts_are_cut);
	tcase_add_test(tc, many_threads_keep_their_order);
	suite_add_tcase(suite, tc);
	return suite;
}
