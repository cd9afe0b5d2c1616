#include "analyzer/runtime/layout_table.h"

#include "tests/lib/mkgo.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(versions_are_looked_up)
{
	/* exact: whether the table has it; from: the nearest measured release */
	static const struct {
		const char *version;
		bool is_exact;
		const char *from;
	} cases[] = {
		{"go1.18", true, "go1.18"},
		{"go1.18.10", true, "go1.18.4"},
		{"go1.19.13", true, "go1.19"},
		{"go1.20", true, "go1.20"},
		{"go1.21.0", true, "go1.21.0"},
		{"go1.24.0", true, "go1.24.0"},
		{"go1.27.3", true, "go1.27.0"},
		{"go1.17.13", false, "go1.18"},
		{"go1.26.999", false, NULL},
		{"go1.27rc1", false, "go1.27.0"},
		{"go1.999.0", false, NULL},
		{"go1.24.0-vendor", false, "go1.24.0"},
		{"go1.24.0 (Red Hat 1.24.0-1.el9)", false, "go1.24.0"},
		{"go1.24.0 X:nosuchexperiment", false, "go1.24.0"},
		{"go1.24.9 X:noswissmap", true, "go1.24.6"},
		{"go1.25.999 X:noswissmap", false, NULL},
		{"go1.26.8 X:noswissmap", false, "go1.26.0"},
		{"go1.26.8-X:nodwarf5", true, "go1.26.0"},
		{"go1.26.8-X:nodwarf5,nogreenteagc", false, "go1.26.0"},
		{"go1.24.0.1", false, "go1.24.0"},
		{"devel go1.24-4fba9e5b Tue", false, "go1.24.0"},
		{"go1.99999999999999999999.1", false, NULL},
		{"go1.", false, NULL},
		{"go1.24.", false, "go1.24.0"},
		{"go2.1", false, NULL},
		{"", false, NULL},
		{NULL, false, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = cases[i].version ? cases[i].version : "NULL", *from = NULL;
		const struct layout_release *exact = layout_table_exact(cases[i].version);
		const struct layout_release *nearest =
			layout_table_nearest(cases[i].version, &from);

		ck_assert_msg(!!exact == cases[i].is_exact, "%s", name);
		ck_assert_ptr_nonnull(nearest);
		ck_assert_ptr_nonnull(from);
		ck_assert_msg(!cases[i].from || !strcmp(from, cases[i].from), "%s: %s", name, from);
		ck_assert_msg(!exact || exact == nearest, "%s", name);
	}
}
END_TEST

/* What is newer than the table is nearest to the last release of its minor, or of all. */
START_TEST(newer_releases_get_the_last)
{
	const struct layout_release *last = NULL, *release, *nearest;
	const char *from;
	char version[32];

	for (size_t i = 0; (release = layout_table_release(i)); i++)
		if (!*release->experiments)
			last = release;
	snprintf(version, sizeof(version), "go1.%u.%u", last->minor, last->last_patch + 1);
	ck_assert_ptr_null(layout_table_exact(version));
	nearest = layout_table_nearest(version, &from);
	ck_assert_ptr_eq(nearest, last);
	ck_assert_str_eq(from, last->last);
	snprintf(version, sizeof(version), "go1.%urc2", last->minor + 1);
	ck_assert_ptr_eq(layout_table_nearest(version, &from), last);
	ck_assert_ptr_eq(layout_table_nearest(NULL, &from), last);
}
END_TEST

START_TEST(every_minor_is_there)
{
	const struct layout_release *release, *before = NULL;
	unsigned int minor = 17;

	for (size_t i = 0; (release = layout_table_release(i)); i++) {
		if (*release->experiments)
			continue;
		ck_assert_uint_le(release->first_patch, release->last_patch);
		if (release->minor == minor)
			ck_assert_uint_gt(release->first_patch, before->last_patch);
		else
			ck_assert_uint_eq(release->first_patch, 0);
		ck_assert_uint_le(release->minor, minor + 1);
		minor = release->minor;
		before = release;
	}
	ck_assert_uint_ge(minor, 27);
}
END_TEST

/* A required row that lacks a value means: run tools/make-layouts, or mark the row OPTIONAL. */
START_TEST(every_required_row_has_a_value)
{
	const struct layout_release *release;

	for (size_t i = 0; (release = layout_table_release(i)); i++)
		for (enum image_arch arch = ARCH_AMD64; arch <= ARCH_ARM64; arch++) {
			struct layout layout;

			layout_init(&layout);
			ck_assert(layout_table_fill(release, arch, layout.facts));
			for (enum layout_id id = 0; id < LAYOUT_COUNT; id++)
				ck_assert_msg(!layout_is_required(id) || layout_has(&layout, id),
					"%s has no %s", release->first, layout_name(id));
		}
}
END_TEST

/* A row that no release has was misspelled. */
START_TEST(every_row_is_somewhere)
{
	for (enum layout_id id = 0; id < LAYOUT_COUNT; id++) {
		const struct layout_release *release;
		bool is_known = false;

		for (size_t i = 0; (release = layout_table_release(i)); i++) {
			struct layout layout;

			layout_init(&layout);
			ck_assert(layout_table_fill(release, ARCH_AMD64, layout.facts));
			is_known |=
				layout_has(&layout, id) || layout.facts[id].kind == FACT_VARIABLE;
		}
		ck_assert_msg(is_known, "%s", layout_name(id));
	}
}
END_TEST

/* Read off the releases' sources by hand, not from the table's own maker. */
START_TEST(known_facts_are_told)
{
	enum { ABSENT = -1 };
	static const struct {
		const char *version;
		enum image_arch arch;
		enum layout_id id;
		int64_t value; // a variable: its size
	} cases[] = {
		{"go1.18.10", ARCH_AMD64, G_SCHED_G, 72},
		{"go1.27.0", ARCH_ARM64, G_SCHED_G, 72},
		{"go1.20.14", ARCH_AMD64, G_PARENT_ID, ABSENT},
		{"go1.18", ARCH_AMD64, TYPE_KIND, 23},
		{"go1.24.0", ARCH_AMD64, TYPE_KIND, 23},
		{"go1.18", ARCH_AMD64, SCHED_MAX_M, 56},
		{"go1.18.10", ARCH_AMD64, GC_MEMORY_LIMIT, ABSENT},
		{"go1.23.0", ARCH_AMD64, HMAP_BUCKETS, 16},
		{"go1.24.0", ARCH_AMD64, HMAP_BUCKETS, ABSENT},
		{"go1.24.0 X:noswissmap", ARCH_ARM64, HMAP_BUCKETS, 16},
		{"go1.23.11", ARCH_AMD64, M_ALL_LINK, 328}, // allpSnapshot came with 1.23.12
		{"go1.23.12", ARCH_AMD64, M_ALL_LINK, 352},
		{"go1.24.5", ARCH_ARM64, M_ALL_LINK, 328}, // and with 1.24.6
		{"go1.24.6", ARCH_ARM64, M_ALL_LINK, 352},
		{"go1.25.5", ARCH_AMD64, P_GC_STOP_TIME, 9504},
		{"go1.25.5 X:greenteagc", ARCH_AMD64, P_GC_STOP_TIME, 13736},
		{"go1.23.3", ARCH_AMD64, VAR_WAIT_REASONS, 592},
		{"go1.23.4", ARCH_AMD64, VAR_WAIT_REASONS, 608},
		{"go1.26.8", ARCH_AMD64, VAR_PRINT_BACKLOG, 512},
		{"go1.26.8", ARCH_AMD64, VAR_ALLGS, 24},
		{"go1.26.8", ARCH_AMD64, VAR_SEMTABLE, 251 * 64},
		{"go1.26.8", ARCH_ARM64, VAR_SEMTABLE, 251 * 128},
		{"go1.26.8", ARCH_AMD64, VAR_SIGTABLE, 65 * 24},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct layout_release *release = layout_table_exact(cases[i].version);
		struct layout layout;
		const struct fact *fact = &layout.facts[cases[i].id];

		layout_init(&layout);
		ck_assert_msg(release != NULL, "%s", cases[i].version);
		ck_assert(layout_table_fill(release, cases[i].arch, layout.facts));
		if (fact->kind == FACT_VARIABLE) {
			ck_assert(!fact->found);
			ck_assert_int_eq((int64_t)fact->size, cases[i].value);
		} else if (cases[i].value == ABSENT) {
			ck_assert(!fact->found);
		} else {
			ck_assert_msg(fact->found, "row %zu", i);
			ck_assert_int_eq((int64_t)fact->value, cases[i].value);
		}
	}
}
END_TEST

struct fixture {
	struct arena arena;
	struct diag diag;
	struct mkelf *elf;
	struct binary *binary;
	struct layout layout;
	int fd;
	enum cs_status status;
};

enum content { PLAIN = 0, WITH_DWARF = 1, WITH_SYMBOLS = 2, WITH_FOREIGN_SYMBOLS = 4 };

static void add_symbols(struct mkelf *elf, bool is_foreign)
{
	static const char names[] = "\0runtime.allgs\0runtime.allp\0main.allm";
	Elf64_Sym rows[] = {
		{0},
		{.st_name = is_foreign ? 28 : 1,
			.st_shndx = 1,
			.st_value = 0x1000,
			.st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT)},
		{.st_name = 15,
			.st_shndx = 1,
			.st_value = 0x2000,
			.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC)}, // no variable
		{.st_name = 1000, .st_shndx = 1, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT)},
	};
	Elf64_Shdr symbols = {.sh_type = SHT_SYMTAB, .sh_size = sizeof(rows), .sh_entsize = 24};
	Elf64_Shdr strings = {.sh_type = SHT_STRTAB, .sh_size = sizeof(names)};

	mkelf_add_section(elf, ".symtab", &symbols, rows);
	mkelf_add_section(elf, ".strtab", &strings, names);
}

static void resolve(struct fixture *f, const char *version, unsigned int content)
{
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	f->elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	mkgo_add_buildinfo(f->elf, version, "", true);
	if (content & WITH_DWARF)
		mkgo_add_dwarf(f->elf, 5);
	if (content & (WITH_SYMBOLS | WITH_FOREIGN_SYMBOLS))
		add_symbols(f->elf, content & WITH_FOREIGN_SYMBOLS);
	f->fd = mkelf_open(f->elf);
	ck_assert_int_eq(binary_open(f->fd, "prog", &f->arena, &f->diag, &f->binary), CS_OK);
	f->status = layout_resolve(f->binary, &f->diag, &f->layout);
}

static void done(struct fixture *f)
{
	binary_close(f->binary);
	close(f->fd);
	mkelf_destroy(f->elf);
	arena_deinit(&f->arena);
}

/* The DWARF of mkgo.h lies about g: where it is believed, a required row is missing. */
START_TEST(sources_come_in_order)
{
	static const struct {
		const char *version;
		unsigned int content;
		enum cs_status status;
		enum layout_source source;
		const char *from;
		uint64_t allgs; // 0: not found
	} cases[] = {
		{"go1.26.8", PLAIN, CS_OK, LAYOUT_EXACT, "go1.26.8", 0},
		{"go1.26.8", WITH_SYMBOLS, CS_OK, LAYOUT_EXACT, "go1.26.8", 0x1000},
		{"go1.26.8", WITH_SYMBOLS | WITH_DWARF, CS_OK, LAYOUT_EXACT, "go1.26.8", 0x1000},
		{"go1.26.8", WITH_DWARF, CS_OK, LAYOUT_EXACT, "go1.26.8", MKGO_ALLGS},
		{"go1.26.8", WITH_FOREIGN_SYMBOLS | WITH_DWARF, CS_OK, LAYOUT_EXACT, "go1.26.8",
			MKGO_ALLGS},
		{"go1.24.0-vendor", WITH_DWARF, CS_UNSUPPORTED, LAYOUT_DWARF, NULL, 0},
		{"go1.24.0-vendor", WITH_SYMBOLS, CS_OK, LAYOUT_GUESSED, "go1.24.0", 0x1000},
		{"go1.24.0 X:nosuch", PLAIN, CS_OK, LAYOUT_GUESSED, "go1.24.0", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		resolve(&f, cases[i].version, cases[i].content);
		ck_assert_msg(f.status == cases[i].status, "case %zu", i);
		if (f.status == CS_OK) {
			ck_assert_msg(f.layout.source == cases[i].source, "case %zu", i);
			ck_assert_str_eq(f.layout.from, cases[i].from);
			ck_assert_uint_eq(layout_value(&f.layout, G_SCHED_PC), 64);
			ck_assert_msg(layout_has(&f.layout, VAR_ALLGS) == !!cases[i].allgs,
				"case %zu", i);
			ck_assert_uint_eq(layout_value(&f.layout, VAR_ALLGS), cases[i].allgs);
			ck_assert_uint_eq(layout_size(&f.layout, VAR_ALLGS), 24);
			ck_assert(!layout_has(&f.layout, VAR_ALLP));
			ck_assert_uint_eq(layout_size(&f.layout, VAR_ALLP), 24);
		} else {
			ck_assert_ptr_nonnull(strstr(f.diag.fatal, cases[i].version));
		}
		done(&f);
	}
}
END_TEST

Suite *suite_layout(void);

Suite *suite_layout(void)
{
	Suite *suite = suite_create("layout");
	TCase *tc = tcase_create("layout");

	tcase_add_test(tc, versions_are_looked_up);
	tcase_add_test(tc, newer_releases_get_the_last);
	tcase_add_test(tc, every_minor_is_there);
	tcase_add_test(tc, every_required_row_has_a_value);
	tcase_add_test(tc, every_row_is_somewhere);
	tcase_add_test(tc, known_facts_are_told);
	tcase_add_test(tc, sources_come_in_order);
	suite_add_tcase(suite, tc);
	return suite;
}
