#include "analyzer/binary/pclntab.h"

#include "tests/lib/mkpclntab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TABLE 0x500000
#define TEXT 0x401000
#define GOFUNC 0x600000
#define MAGIC_1_18 0xfffffff0
#define MAGIC_1_20 0xfffffff1

/* A loaded table and what holds it. */
struct fixture {
	struct arena arena;
	struct diag diag;
	struct image *image;
	struct pclntab *table;
	enum cs_status status;
};

static void load(struct fixture *f, const struct mkpclntab *made, size_t size, target_addr text)
{
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	f->table = NULL;
	f->image = image_create(ARCH_AMD64, &f->arena);
	ck_assert_ptr_nonnull(f->image);
	ck_assert_int_eq(image_add(f->image, (struct image_view){.start = TABLE,
						     .end = TABLE + size,
						     .bytes = made->table.bytes}),
		CS_OK);
	ck_assert_int_eq(image_add(f->image, (struct image_view){.start = GOFUNC,
						     .end = GOFUNC + made->gofunc.size,
						     .bytes = made->gofunc.bytes}),
		CS_OK);
	ck_assert_int_eq(image_seal(f->image), CS_OK);
	f->status =
		pclntab_load(f->image, TABLE, size, text, GOFUNC, &f->arena, &f->diag, &f->table);
}

static void unload(struct fixture *f)
{
	image_close(f->image);
	arena_deinit(&f->arena);
}

/*
 * main.outer calls main.middle, which is inlined and calls main.inner, inlined too:
 *
 *	0x00 outer:10 | 0x10 middle:20 (in outer:11) | 0x20 inner:30 (in middle:21 (in outer:11)) |
 *	0x30 outer:12 … 0x200
 */
static struct mkpclntab *make(uint32_t magic, uint64_t text)
{
	struct mkpclntab *t = mkpclntab_create(magic, 1);

	mkpclntab_add_file(t, "/src/main.go");
	mkpclntab_add_file(t, "/src/inner.go");
	mkpclntab_add(t, &(struct mkpclntab_func){.name = "runtime.text",
				 .size = 16,
				 .flags = 4,
				 .arguments_size = INT32_MIN,
				 .sp = (struct mkpclntab_run[]){{16, 0}}});
	mkpclntab_add(
		t, &(struct mkpclntab_func){.name = "main.outer",
			   .size = 0x200,
			   .arguments_size = 24,
			   .start_line = 9,
			   .id = 0,
			   .flags = FUNC_FLAG_SP_WRITE,
			   .sp = (struct mkpclntab_run[]){{4, 0}, {8, 8}, {0x1f8, 136}, {0x200, 0}},
			   .files = (struct mkpclntab_run[]){{0x20, 0}, {0x30, 1}, {0x200, 0}},
			   .lines = (struct mkpclntab_run[]){{0xf, 10}, {0x10, 11}, {0x1f, 20},
				   {0x20, 21}, {0x30, 30}, {0x200, 12}},
			   .inlined = (struct mkpclntab_run[]){{0x10, -1}, {0x20, 0}, {0x30, 1},
				   {0x200, -1}},
			   .calls = (struct mkpclntab_call[]){{"main.middle", 0, 0xf, 19},
				   {"main.inner[go.shape.int]", 22, 0x1f, 29}},
			   .call_count = 2});
	mkpclntab_add(t, &(struct mkpclntab_func){.name = "main.ou",
				 .size = 8,
				 .id = 7,
				 .lines = (struct mkpclntab_run[]){{8, 70000}},
				 .files = (struct mkpclntab_run[]){{8, 9}}});
	mkpclntab_finish(t, text);
	return t;
}

static struct pcln_func find(const struct fixture *f, target_addr pc)
{
	struct pcln_func func = {0};

	ck_assert_msg(pclntab_find(f->table, pc, &func), "0x%llx", (unsigned long long)pc);
	return func;
}

START_TEST(functions_are_found)
{
	static const struct {
		target_addr pc;
		const char *name; // NULL: in none
	} rows[] = {{TEXT - 1, NULL}, {TEXT, "runtime.text"}, {TEXT + 15, "runtime.text"},
		{TEXT + 16, "main.outer"}, {TEXT + 0x20f, "main.outer"}, {TEXT + 0x210, "main.ou"},
		{TEXT + 0x217, "main.ou"}, {TEXT + 0x218, NULL}, {0, NULL}, {UINT64_MAX, NULL}};
	struct mkpclntab *made = make(MAGIC_1_20, 0);
	struct pcln_func func;
	struct fixture f;

	load(&f, made, made->table.size, TEXT);
	ck_assert_int_eq(f.status, CS_OK);
	ck_assert_uint_eq(pclntab_count(f.table), 3);
	ck_assert_uint_eq(pclntab_start(f.table), TEXT);
	ck_assert_uint_eq(pclntab_end(f.table), TEXT + 0x218);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(pclntab_find(f.table, rows[i].pc, &func), rows[i].name != NULL);
		if (rows[i].name)
			ck_assert_str_eq(func.name, rows[i].name);
	}
	ck_assert(!pclntab_at(f.table, 3, &func));
	ck_assert(pclntab_at(f.table, 1, &func));
	ck_assert_uint_eq(func.entry, TEXT + 16);
	ck_assert_uint_eq(func.end, TEXT + 0x210);
	ck_assert_int_eq(func.arguments_size, 24);
	ck_assert_int_eq(func.start_line, 9);
	ck_assert_int_eq(func.flags, FUNC_FLAG_SP_WRITE);
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(names_are_found_whole)
{
	struct mkpclntab *made = make(MAGIC_1_20, TEXT);
	struct pcln_func func;
	struct fixture f;

	load(&f, made, made->table.size, 0);
	ck_assert_int_eq(f.status, CS_OK);
	ck_assert(pclntab_find_name(f.table, "main.ou", &func));
	ck_assert_uint_eq(func.entry, TEXT + 0x210);
	ck_assert_int_eq(func.id, 7);
	ck_assert(pclntab_find_name(f.table, "runtime.text", &func));
	ck_assert_int_eq(func.arguments_size, INT32_MIN);
	ck_assert(!pclntab_find_name(f.table, "outer", &func));       // the tail of a name
	ck_assert(!pclntab_find_name(f.table, "main.oute", &func));   // the start of one
	ck_assert(!pclntab_find_name(f.table, "main.middle", &func)); // only inlined
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(frame_sizes_follow_the_pc)
{
	static const struct {
		uint32_t offset;
		int32_t delta;
	} rows[] = {{16, 0}, {19, 0}, {20, 8}, {23, 8}, {24, 136}, {0x207, 136}, {0x208, 0},
		{0x20f, 0}};
	struct mkpclntab *made = make(MAGIC_1_20, 0);
	struct pcln_func func;
	struct fixture f;
	int32_t delta;

	load(&f, made, made->table.size, TEXT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		func = find(&f, TEXT + rows[i].offset);
		ck_assert(pclntab_sp_delta(f.table, &func, TEXT + rows[i].offset, &delta));
		ck_assert_int_eq(delta, rows[i].delta);
	}
	func = find(&f, TEXT + 0x210);
	ck_assert(!pclntab_sp_delta(f.table, &func, TEXT + 0x210, &delta)); // has no table
	func = find(&f, TEXT);
	ck_assert(!pclntab_sp_delta(f.table, &func, TEXT + 16, &delta)); // past its end
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

static void check_frame(const struct pcln_frame *frame, const char *function, const char *file,
	int32_t line, bool is_inlined)
{
	ck_assert_str_eq(frame->function, function);
	ck_assert_str_eq(frame->file, file);
	ck_assert_int_eq(frame->line, line);
	ck_assert_int_eq(frame->is_inlined, is_inlined);
}

/* Both forms of the inline tree say the same, but for start lines. */
START_TEST(inlined_calls_are_expanded)
{
	uint32_t magic = _i ? MAGIC_1_18 : MAGIC_1_20;
	struct mkpclntab *made = make(magic, TEXT);
	struct pcln_frame frames[8];
	struct pcln_func func;
	struct fixture f;

	load(&f, made, made->table.size, 0);
	ck_assert_int_eq(f.status, CS_OK);
	func = find(&f, TEXT + 16 + 0x25);
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 16 + 0x25, frames, 8), 3);
	check_frame(&frames[0], "main.inner[go.shape.int]", "/src/inner.go", 30, true);
	check_frame(&frames[1], "main.middle", "/src/main.go", 21, true);
	check_frame(&frames[2], "main.outer", "/src/main.go", 11, false);
	ck_assert_int_eq(frames[0].id, 22);
	ck_assert_int_eq(frames[0].start_line, _i ? 0 : 29);
	ck_assert_int_eq(frames[2].start_line, _i ? 0 : 9);
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 16 + 0x10, frames, 8), 2);
	check_frame(&frames[0], "main.middle", "/src/main.go", 20, true);
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 16 + 0x30, frames, 8), 1);
	check_frame(&frames[0], "main.outer", "/src/main.go", 12, false);
	// With too little room the function itself is still the last.
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 16 + 0x25, frames, 2), 2);
	check_frame(&frames[1], "main.outer", "/src/main.go", 21, false);
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 16 + 0x25, frames, 0), 0);
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(what_is_absent_is_said)
{
	struct mkpclntab *made = make(MAGIC_1_20, TEXT);
	struct pcln_frame frame;
	struct pcln_func func;
	struct fixture f;
	const char *file;
	int32_t line;

	load(&f, made, made->table.size, 0);
	func = find(&f, TEXT + 0x210); // its file number is past cutab
	pclntab_line(f.table, &func, TEXT + 0x210, &file, &line);
	ck_assert_str_eq(file, "?");
	ck_assert_int_eq(line, 0);
	ck_assert_int_eq(pclntab_pcdata(f.table, &func, PCDATA_INLINE_INDEX, TEXT + 0x210), -1);
	ck_assert_int_eq(pclntab_pcdata(f.table, &func, 77, TEXT + 0x210), -1);
	ck_assert_uint_eq(pclntab_funcdata(f.table, &func, FUNCDATA_INLINE_TREE), 0);
	ck_assert_uint_eq(pclntab_funcdata(f.table, &func, 77), 0);
	ck_assert_uint_eq(pclntab_expand(f.table, &func, TEXT + 0x210, &frame, 1), 1);
	check_frame(&frame, "main.ou", "?", 0, false);
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

/* A row whose parent is itself must not go round for ever. */
START_TEST(endless_inlining_ends)
{
	struct mkpclntab *made = mkpclntab_create(MAGIC_1_20, 1);
	struct pcln_frame frames[1000];
	struct pcln_func func;
	struct fixture f;
	size_t count;

	mkpclntab_add(made, &(struct mkpclntab_func){.name = "main.loop",
				    .size = 16,
				    .inlined = (struct mkpclntab_run[]){{16, 0}},
				    .calls = (struct mkpclntab_call[]){{"main.self", 0, 4, 1}},
				    .call_count = 1});
	mkpclntab_finish(made, TEXT);
	load(&f, made, made->table.size, 0);
	func = find(&f, TEXT + 4);
	count = pclntab_expand(f.table, &func, TEXT + 4, frames, 1000);
	ck_assert_uint_gt(count, 1);
	ck_assert_uint_lt(count, 1000);
	ck_assert_str_eq(frames[count - 1].function, "main.loop");
	ck_assert(!frames[count - 1].is_inlined);
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(arm64_counts_in_instructions)
{
	struct mkpclntab *made = mkpclntab_create(MAGIC_1_20, 4);
	struct pcln_func func;
	struct fixture f;
	int32_t delta;

	mkpclntab_add(made, &(struct mkpclntab_func){.name = "main.main",
				    .size = 0x4000,
				    .sp = (struct mkpclntab_run[]){{8, 0}, {0x4000, 32}}});
	mkpclntab_finish(made, TEXT);
	load(&f, made, made->table.size, 0);
	func = find(&f, TEXT + 0x3ffc);
	ck_assert(pclntab_sp_delta(f.table, &func, TEXT + 7, &delta) && delta == 0);
	ck_assert(pclntab_sp_delta(f.table, &func, TEXT + 8, &delta) && delta == 32);
	ck_assert(pclntab_sp_delta(f.table, &func, TEXT + 0x3fff, &delta) && delta == 32);
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(what_is_no_table_is_refused)
{
	static const struct {
		size_t offset;
		uint64_t value;
		size_t size;
		enum cs_status expected;
		const char *text;
	} rows[] = {{0, 0xfffffffa, 4, CS_UNSUPPORTED, "unknown format 0xfffffffa"},
		{7, 4, 1, CS_UNSUPPORTED, "4-byte pointers"}, {6, 3, 1, CS_UNSUPPORTED, "3-byte"},
		{8, 0, 8, CS_CORRUPT, "0 functions"},
		{8, 1u << 30, 8, CS_CORRUPT, "1073741824 functions"},
		{8, 5000, 8, CS_CORRUPT, "damaged"}, {32, 1, 8, CS_CORRUPT, "damaged"},
		{40, UINT64_MAX, 8, CS_CORRUPT, "damaged"},
		{64, 1u << 20, 8, CS_CORRUPT, "damaged"},
		{24, 0, 8, CS_NOT_FOUND, "where the code starts"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkpclntab *made = make(MAGIC_1_20, TEXT);
		struct fixture f;

		memcpy(made->table.bytes + rows[i].offset, &rows[i].value, rows[i].size);
		load(&f, made, made->table.size, 0);
		ck_assert_int_eq(f.status, rows[i].expected);
		ck_assert_ptr_nonnull(strstr(f.diag.fatal, rows[i].text));
		unload(&f);
		mkpclntab_destroy(made);
	}
}
END_TEST

/* Asks everything about many pcs, all interesting rows among them: the answers may be anything, the
 * reads must stay inside. */
static void ask_everything(const struct fixture *f)
{
	struct pcln_frame frames[16];
	struct pcln_func func;
	int32_t delta;

	for (target_addr pc = TEXT; pc < TEXT + 0x220; pc += 11) {
		if (!pclntab_find(f->table, pc, &func))
			continue;
		ck_assert(func.entry <= pc && pc < func.end);
		ck_assert_uint_ge(pclntab_expand(f->table, &func, pc, frames, 16), 1);
		(void)!pclntab_sp_delta(f->table, &func, pc, &delta);
		pclntab_funcdata(f->table, &func, FUNCDATA_INLINE_TREE);
	}
	(void)!pclntab_find_name(f->table, "main.outer", &func);
}

/* The bytes lie at the end of an allocation of their own, so that asan sees one byte too many. */
static void ask_copy(const struct mkpclntab *made, size_t size)
{
	struct mkpclntab copy = *made;
	struct fixture f;

	copy.table.bytes = malloc(size);
	ck_assert_ptr_nonnull(copy.table.bytes);
	memcpy(copy.table.bytes, made->table.bytes, size);
	load(&f, &copy, size, 0);
	if (!f.status)
		ask_everything(&f);
	else
		ck_assert_ptr_nonnull(f.diag.fatal);
	unload(&f);
	free(copy.table.bytes);
}

START_TEST(every_truncation_is_survived)
{
	struct mkpclntab *made = make(MAGIC_1_20, TEXT);

	for (size_t size = 1; size <= made->table.size; size++)
		ask_copy(made, size);
	mkpclntab_destroy(made);
}
END_TEST

START_TEST(every_flipped_bit_is_survived)
{
	struct mkpclntab *made = make(MAGIC_1_20, TEXT);

	for (size_t bit = 0; bit < made->table.size * 8; bit++) {
		made->table.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ask_copy(made, made->table.size);
		made->table.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	mkpclntab_destroy(made);
}
END_TEST

/* A table of which the core holds one part and the executable the other is put together. */
START_TEST(a_divided_table_is_joined)
{
	struct mkpclntab *made = make(MAGIC_1_20, TEXT);
	size_t half = made->table.size / 2;
	struct pcln_func func;
	struct fixture f;

	load(&f, made, half, 0);
	ck_assert_int_eq(f.status, CS_CORRUPT);
	ck_assert_int_eq(image_add(f.image, (struct image_view){.start = TABLE + half,
						    .end = TABLE + made->table.size,
						    .bytes = made->table.bytes + half}),
		CS_OK);
	ck_assert_int_eq(image_seal(f.image), CS_OK);
	ck_assert_int_eq(pclntab_load(f.image, TABLE, made->table.size, 0, GOFUNC, &f.arena,
				 &f.diag, &f.table),
		CS_OK);
	ck_assert(pclntab_find_name(f.table, "main.ou", &func));
	// Nothing is mapped behind its end, and how long it is was reckoned generously.
	ck_assert_int_eq(pclntab_load(f.image, TABLE, made->table.size + 64, 0, GOFUNC, &f.arena,
				 &f.diag, &f.table),
		CS_OK);
	ck_assert(pclntab_find_name(f.table, "main.ou", &func));
	unload(&f);
	mkpclntab_destroy(made);
}
END_TEST

Suite *suite_pclntab(void);

Suite *suite_pclntab(void)
{
	Suite *suite = suite_create("pclntab");
	TCase *tc = tcase_create("pclntab");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, functions_are_found);
	tcase_add_test(tc, names_are_found_whole);
	tcase_add_test(tc, frame_sizes_follow_the_pc);
	tcase_add_loop_test(tc, inlined_calls_are_expanded, 0, 2);
	tcase_add_test(tc, what_is_absent_is_said);
	tcase_add_test(tc, endless_inlining_ends);
	tcase_add_test(tc, arm64_counts_in_instructions);
	tcase_add_test(tc, what_is_no_table_is_refused);
	tcase_add_test(tc, every_truncation_is_survived);
	tcase_add_test(tc, every_flipped_bit_is_survived);
	tcase_add_test(tc, a_divided_table_is_joined);
	suite_add_tcase(suite, tc);
	return suite;
}
