#include "analyzer/binary/facts.h"

#include "tests/lib/mkgo.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct arena arena;
	struct diag diag;
	struct mkelf *elf;
	struct binary *binary;
	int fd;
};

static void setup(struct fixture *f, int dwarf_version)
{
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	f->elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	mkgo_add_buildinfo(f->elf, "go1.25.5", "", true);
	if (dwarf_version)
		mkgo_add_dwarf(f->elf, dwarf_version);
	f->fd = mkelf_open(f->elf);
	ck_assert_int_eq(binary_open(f->fd, "prog", &f->arena, &f->diag, &f->binary), CS_OK);
}

static void teardown(struct fixture *f)
{
	binary_close(f->binary);
	close(f->fd);
	mkelf_destroy(f->elf);
	arena_deinit(&f->arena);
}

/* The loop variable is the DWARF version less 4. */
START_TEST(rows_are_answered)
{
	static const struct fact expected[] = {
		{FACT_FIELD, "runtime.g", "sched", true, 56, 48},
		{FACT_FIELD, "runtime.g", "sched.pc", true, 64, 8},
		{FACT_FIELD, "runtime.g", "schedule", true, 57, 8},
		{FACT_FIELD, "runtime.g", "sche", false, 0, 0},
		{FACT_FIELD, "runtime.g", "sched.none", false, 0, 0},
		{FACT_FIELD, "runtime.g", "sched.pc.deep", false, 0, 0},
		{FACT_FIELD, "runtime.g", "sched.", false, 0, 0},
		{FACT_FIELD, "runtime.g", "", false, 0, 0},
		{FACT_FIELD, "runtime.g", "m", true, 200, 8},
		{FACT_FIELD, "runtime.g", "m.sched", false, 0, 0},
		{FACT_FIELD, "runtime.g", "atomicstatus", true, 144, 4},
		{FACT_FIELD, "runtime.g", "atomicstatus.value", true, 144, 4},
		{FACT_FIELD, "runtime.g", "waitreason", true, 168, 1},
		{FACT_FIELD, "runtime.gobuf", "pc", true, 8, 8},
		{FACT_FIELD, "runtime.absent", "pc", false, 0, 0},
		{FACT_FIELD, "runtime.work", "empty.pc", true, 72, 8},
		{FACT_SIZE, "runtime.g", NULL, true, 440, 0},
		{FACT_SIZE, "runtime.waitReason", NULL, true, 1, 0},
		{FACT_SIZE, "runtime.work", NULL, true, 592, 0},
		{FACT_SIZE, "runtime.loop", NULL, false, 0, 0},
		{FACT_FIELD, "runtime.loop", "x", false, 0, 0},
		{FACT_VARIABLE, NULL, "runtime.allgs", true, MKGO_ALLGS, 24},
		{FACT_VARIABLE, NULL, "runtime.work", true, MKGO_WORK, 592},
		{FACT_VARIABLE, NULL, "runtime.odd", false, 0, 0},
		{FACT_VARIABLE, NULL, "runtime.g", false, 0, 0},
		{FACT_CONSTANT, NULL, "runtime._Gwaiting", true, 4, 0},
		{FACT_CONSTANT, NULL, "runtime.minus", true, UINT64_MAX, 0},
		{FACT_CONSTANT, NULL, "internal/abi.FuncID_goexit", true, 8, 0},
		{FACT_CONSTANT, NULL, "internal/abi.none", false, 0, 0},
	};
	enum { COUNT = sizeof(expected) / sizeof(expected[0]) };
	struct fact facts[COUNT];
	struct fixture f;

	setup(&f, 4 + _i);
	for (size_t i = 0; i < COUNT; i++)
		facts[i] = (struct fact){.kind = expected[i].kind,
			.type = expected[i].type,
			.path = expected[i].path};
	ck_assert(binary_info(f.binary)->has_dwarf);
	// Twice: nothing that the first search does to the file may change the second.
	for (int turn = 0; turn < 2; turn++) {
		ck_assert_int_eq(dwarf_facts_find(f.binary, facts, COUNT, &f.diag), CS_OK);
		for (size_t i = 0; i < COUNT; i++) {
			const char *type = expected[i].type ? expected[i].type : "-";

			ck_assert_msg(facts[i].found == expected[i].found, "%s %s found %d", type,
				expected[i].path ? expected[i].path : "", facts[i].found);
			if (!facts[i].found)
				continue;
			ck_assert_uint_eq(facts[i].value, expected[i].value);
			ck_assert_uint_eq(facts[i].size, expected[i].size);
		}
	}
	ck_assert_uint_eq(f.diag.count, 0);
	teardown(&f);
}
END_TEST

START_TEST(no_dwarf_is_said)
{
	struct fact fact = {.kind = FACT_SIZE, .type = "runtime.g", .found = true};
	struct fixture f;

	setup(&f, 0);
	ck_assert(!binary_info(f.binary)->has_dwarf);
	ck_assert_int_eq(dwarf_facts_find(f.binary, &fact, 1, &f.diag), CS_NOT_FOUND);
	ck_assert(!fact.found);
	teardown(&f);
}
END_TEST

/* The answers may be anything; the reads must end. */
static void ask(const uint8_t *bytes, size_t size)
{
	struct fact facts[] = {{.kind = FACT_FIELD, .type = "runtime.g", .path = "sched.pc"},
		{.kind = FACT_VARIABLE, .path = "runtime.work"},
		{.kind = FACT_SIZE, .type = "runtime.loop"},
		{.kind = FACT_CONSTANT, .path = "internal/abi.FuncID_goexit"}};
	int fd = mkelf_open_bytes(bytes, size);
	struct binary *binary;
	struct arena arena;
	struct diag diag;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	if (!binary_open(fd, "prog", &arena, &diag, &binary)) {
		(void)!dwarf_facts_find(binary, facts, 4, &diag);
		binary_close(binary);
	} else {
		ck_assert_ptr_nonnull(diag.fatal);
	}
	arena_deinit(&arena);
	close(fd);
}

static struct mkelf *make(int dwarf_version, uint8_t **bytes_ret, size_t *size_ret)
{
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);

	mkgo_add_buildinfo(elf, "go1.25.5", "", true);
	mkgo_add_dwarf(elf, dwarf_version);
	*bytes_ret = (uint8_t *)(uintptr_t)mkelf_finish(elf, size_ret);
	return elf;
}

START_TEST(every_fifth_flipped_bit_is_survived)
{
	uint8_t *bytes;
	size_t size;
	struct mkelf *elf = make(4 + _i, &bytes, &size);

	for (size_t bit = 0; bit < size * 8; bit += 5) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ask(bytes, size);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	mkelf_destroy(elf);
}
END_TEST

START_TEST(every_cut_section_is_survived)
{
	uint8_t *bytes;
	size_t size;
	struct mkelf *elf = make(4 + _i, &bytes, &size);
	Elf64_Ehdr header;

	memcpy(&header, bytes, sizeof(header));
	for (size_t i = 1; i < header.e_shnum; i++) {
		uint8_t *at = bytes + header.e_shoff + i * sizeof(Elf64_Shdr);
		Elf64_Shdr section, cut;

		memcpy(&section, at, sizeof(section));
		ck_assert_uint_gt(section.sh_size, 0);
		cut = section;
		while (cut.sh_size--) {
			memcpy(at, &cut, sizeof(cut));
			ask(bytes, size);
		}
		memcpy(at, &section, sizeof(section));
	}
	mkelf_destroy(elf);
}
END_TEST

Suite *suite_dwarf_facts(void);

Suite *suite_dwarf_facts(void)
{
	Suite *suite = suite_create("dwarf_facts");
	TCase *tc = tcase_create("dwarf_facts");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, rows_are_answered, 0, 2);
	tcase_add_test(tc, no_dwarf_is_said);
	tcase_add_loop_test(tc, every_fifth_flipped_bit_is_survived, 0, 2);
	tcase_add_loop_test(tc, every_cut_section_is_survived, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
