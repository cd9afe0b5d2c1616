// The dynamic linker's list, whole and hostile, in a process of a few hundred bytes.
#include "analyzer/core/link_map.h"
#include "common/limits.h"

#include <check.h>
#include <elf.h>
#include <string.h>

#define EXECUTABLE 0x5500000000
#define R_DEBUG 0x6000
#define LINKS 0x7000
#define LIBRARY 0x7f5500000000
#define APART 0x100000

struct row {
	uint64_t address, name, dynamic, next, before;
};

/** What lies at EXECUTABLE: headers that say so, and a dynamic section. */
static struct {
	Elf64_Phdr headers[3];
	Elf64_Dyn dynamic[3];
} executable;

static uint64_t r_debug[2];
static struct row rows[4];
static char names[4][24];

static struct arena arena;
static struct image *image;
static struct diag diag;

static void add(target_addr start, const void *bytes, size_t size)
{
	struct image_view view = {.start = start, .end = start + size, .bytes = bytes};

	ck_assert_int_eq(image_add(image, view), CS_OK);
}

/** Row `i`: its name, and where it is loaded. */
static void set_row(size_t i, target_addr address, const char *name)
{
	strcpy(names[i], name);
	rows[i] = (struct row){.address = address,
		.name = 0x8000 + i * sizeof(names[0]),
		.dynamic = address + 0x8123,
		.next = i + 1 < 4 ? LINKS + (i + 1) * sizeof(struct row) : 0};
}

static void set_up(void)
{
	struct image_notes *notes;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	image = image_create(ARCH_ARM64, &arena);
	ck_assert_ptr_nonnull(image);
	memset(&executable, 0, sizeof(executable));
	executable.headers[0] = (Elf64_Phdr){.p_type = PT_PHDR, .p_vaddr = 0};
	executable.headers[1] =
		(Elf64_Phdr){.p_type = PT_DYNAMIC, .p_vaddr = sizeof(executable.headers)};
	executable.dynamic[0] = (Elf64_Dyn){.d_tag = DT_NEEDED};
	executable.dynamic[1] = (Elf64_Dyn){.d_tag = DT_DEBUG, .d_un.d_ptr = R_DEBUG};
	r_debug[0] = 1;
	r_debug[1] = LINKS;
	set_row(0, EXECUTABLE, "");
	set_row(1, LIBRARY + APART, "/lib/libc.so.6");
	set_row(2, LIBRARY, "/lib/libdemo.so");
	set_row(3, LIBRARY + 2 * APART, "linux-vdso.so.1");
	add(EXECUTABLE, &executable, sizeof(executable));
	add(R_DEBUG, r_debug, sizeof(r_debug));
	add(LINKS, rows, sizeof(rows));
	add(0x8000, names, sizeof(names));
	ck_assert_int_eq(image_seal(image), CS_OK);
	notes = image_edit_notes(image);
	notes->at_phdr = EXECUTABLE;
	notes->at_phnum = 3;
}

static void tear_down(void)
{
	image_close(image);
	arena_deinit(&arena);
}

static size_t load(void)
{
	ck_assert_int_eq(link_map_load(image, &diag), CS_OK);
	return image_notes(image)->mapping_count;
}

START_TEST(libraries_in_order)
{
	const struct image_mapping *found;

	ck_assert_uint_eq(load(), 2);
	found = image_notes(image)->mappings;
	ck_assert_str_eq(found[0].path, "/lib/libdemo.so");
	ck_assert_uint_eq(found[0].start, LIBRARY);
	ck_assert_uint_eq(found[0].end, LIBRARY + 0x9000); // behind the page of its dynamic section
	ck_assert_uint_eq(found[0].offset, 0);
	ck_assert_str_eq(found[1].path, "/lib/libc.so.6");
	ck_assert_uint_eq(found[1].start, LIBRARY + APART);
}
END_TEST

/** A core's own rows are better than any list. */
START_TEST(rows_of_the_core_stay)
{
	static struct image_mapping own = {.start = 1, .end = 2, .path = "/own"};

	image_edit_notes(image)->mappings = &own;
	image_edit_notes(image)->mapping_count = 1;
	ck_assert_uint_eq(load(), 1);
	ck_assert_str_eq(image_notes(image)->mappings[0].path, "/own");
}
END_TEST

START_TEST(one_reaches_to_the_next)
{
	rows[2].dynamic = LIBRARY + APART + 5;
	ck_assert_uint_eq(load(), 2);
	ck_assert_uint_eq(image_notes(image)->mappings[0].end, LIBRARY + APART);
	ck_assert_uint_eq(image_notes(image)->mappings[1].start, LIBRARY + APART);
}
END_TEST

START_TEST(a_ring_ends)
{
	rows[3].next = LINKS;
	ck_assert_uint_eq(load(), 2); // each library once
	ck_assert_uint_eq(diag.count, 1);
	ck_assert_str_eq(diag.entries[0].code, "limit");
}
END_TEST

/** What makes the list unusable, and how many libraries are known then. */
START_TEST(damage)
{
	switch (_i) {
	case 0:
		image_edit_notes(image)->at_phdr = 0;
		break;
	case 1:
		image_edit_notes(image)->at_phnum = 1; // no PT_DYNAMIC
		break;
	case 2:
		executable.dynamic[0].d_tag = DT_NULL;
		break;
	case 3:
		executable.dynamic[1].d_un.d_ptr = UINT64_MAX - 4;
		break;
	case 4:
		r_debug[1] = 0x1234; // not in the core
		break;
	case 5:
		rows[0].next = 0;
		break;
	case 6:
		rows[1].dynamic = rows[2].dynamic = UINT64_MAX;
		break;
	case 7:
		rows[1].dynamic = rows[2].dynamic = 7; // below the library
		break;
	case 8:
		rows[1].name = rows[2].name = UINT64_MAX;
		break;
	case 9:
		rows[1].address = rows[2].address = 0;
		break;
	default:
		ck_abort();
	}
	ck_assert_uint_eq(load(), 0);
	ck_assert_uint_eq(diag.count, 0);
}
END_TEST

Suite *suite_link_map(void);

Suite *suite_link_map(void)
{
	Suite *suite = suite_create("link_map");
	TCase *tcase = tcase_create("link_map");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, libraries_in_order);
	tcase_add_test(tcase, rows_of_the_core_stay);
	tcase_add_test(tcase, one_reaches_to_the_next);
	tcase_add_test(tcase, a_ring_ends);
	tcase_add_loop_test(tcase, damage, 0, 10);
	suite_add_tcase(suite, tcase);
	return suite;
}
