// A small dead process, made of bytes: a module, its code and its variables, goroutines in the
// heap, and beside each root something that looks like it and is not.
#include "analyzer/runtime/layout_table.h"
#include "analyzer/runtime/roots.h"

#include "tests/lib/mkgo.h"
#include "tests/lib/mkpclntab.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#define RELEASE "go1.26.0"
#define MAGIC 0xfffffff1u

#define START 0x400000
#define TEXT 0x401000
#define TABLE 0x410000
#define MODULE 0x500000 // in the segment of the file's variables
#define NOPTRDATA 0x500800
#define DATA 0x501000
#define BSS 0x502000
#define NOPTRBSS 0x503000
#define VARIABLES_END 0x504000
#define HEAP 0xc000000000ull
#define HEAP_SIZE 0x20000

#define G(i) (HEAP + (i)*0x400)
#define M(i) (HEAP + 0x8000 + (i)*0x800)
#define P(i) (HEAP + 0x10000 + (i)*0x1000)
#define LISTS (HEAP + 0x1f000)

#define ALLGS (BSS + 0x100)
#define ALLP (BSS + 0x140)
#define ALLM (BSS + 0x180)
#define SCHED (BSS + 0x400)
#define FREEZING (NOPTRBSS + 0x10)
#define REASONS (DATA + 0x800)
#define DECOY (DATA + 0x10)
#define CHUNKS (NOPTRBSS + 0x40)
#define GLOBAL_CHUNK (NOPTRBSS + 0x60) // globalAlloc.base, with the offset behind it

#define FUNCTION_SIZE 64
#define TEST_FUNCTIONS 16

struct process {
	struct arena arena;
	struct diag diag;
	struct runtime rt;
	struct binary *binary;
	struct mkelf *elf;
	struct mkpclntab *table;
	struct image *image;
	uint8_t text[TEST_FUNCTIONS * FUNCTION_SIZE], variables[VARIABLES_END - MODULE],
		heap[HEAP_SIZE];
	size_t functions, code; // of the function at hand
	int fd;
};

static struct process process;

static void poke(target_addr address, uint64_t value, size_t size)
{
	uint8_t *at = address >= HEAP ? process.heap + (address - HEAP)
				      : process.variables + (address - MODULE);

	memcpy(at, &value, size);
}

static void poke_field(target_addr address, enum layout_id id, uint64_t value)
{
	const struct layout *layout = &process.rt.layout;

	ck_assert(layout_has(layout, id));
	poke(address + layout_value(layout, id), value, layout_size(layout, id));
}

static void poke_slice(target_addr address, target_addr data, uint64_t length)
{
	poke(address, data, 8);
	poke(address + 8, length, 8);
	poke(address + 16, length, 8);
}

static void poke_string(target_addr header, target_addr text, const char *value)
{
	poke(header, text, 8);
	poke(header + 8, strlen(value), 8);
	for (size_t i = 0; value[i]; i++)
		poke(text + i, (uint8_t)value[i], 1);
}

static void add_function(const char *name)
{
	const struct mkpclntab_func func = {.name = name, .size = FUNCTION_SIZE};

	ck_assert_uint_lt(process.functions, TEST_FUNCTIONS);
	mkpclntab_add(process.table, &func);
	process.functions++;
	process.code = 0;
}

/** An instruction of the newest function that names `target`: a load of 8 or 4 bytes; 0: LEA. */
static void add_reference(target_addr target, uint32_t size)
{
	size_t at = (process.functions - 1) * FUNCTION_SIZE + process.code;
	static const uint8_t lea[] = {0x48, 0x8d, 0x05}, word[] = {0x48, 0x8b, 0x05},
			     half[] = {0x8b, 0x05};
	const uint8_t *opcode = size == 8 ? word : size == 4 ? half : lea;
	size_t length = size == 4 ? sizeof(half) : sizeof(lea);
	uint32_t distance = (uint32_t)(target - (TEXT + at + length + 4));

	memcpy(process.text + at, opcode, length);
	memcpy(process.text + at + length, &distance, sizeof(distance));
	process.code += length + 4;
}

static void add_lea(const char *function, target_addr target)
{
	add_function(function);
	add_reference(target, 0);
}

static void poke_module(target_addr at)
{
	static const uint64_t bounds[] = {TEXT, TEXT + sizeof(process.text), NOPTRDATA, DATA, DATA,
		BSS, BSS, NOPTRBSS, NOPTRBSS, VARIABLES_END};

	poke(at, TABLE, 8);
	poke_field(at, MODULE_PCHEADER, TABLE);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		poke(at + layout_value(&process.rt.layout, MODULE_TEXT) + 8 * i, bounds[i], 8);
}

static void set_up(void)
{
	memset(&process, 0, sizeof(process));
	arena_init(&process.arena, 0);
	diag_init(&process.diag, &process.arena);
	process.table = mkpclntab_create(MAGIC, 1);
	process.elf = mkelf_executable_create(EM_X86_64, ET_EXEC, TEXT);
	mkgo_add_buildinfo(process.elf, RELEASE, "path\tmain\n", true);
	mkelf_add_segment(process.elf, START, "", 1, VARIABLES_END - START, PF_R);
	layout_init(&process.rt.layout);
	ck_assert(layout_table_fill(
		layout_table_exact(RELEASE), ARCH_AMD64, process.rt.layout.facts));
	poke_module(MODULE);
}

/** Goroutines, ms, ps and sched as a process of two threads has them. */
static void add_scheduler(void)
{
	for (uint64_t i = 0; i < 4; i++) {
		poke_field(G(i), G_SCHED_G, G(i));
		poke_field(G(i), G_STACK_LO, HEAP);
		poke_field(G(i), G_STACK_HI, HEAP + 8192);
		poke_field(G(i), G_ID, i + 1);
		poke(LISTS + 8 * i, G(i), 8);
	}
	for (uint64_t i = 0; i < 2; i++) {
		poke_field(M(i), M_G0, G(8 + i));
		poke_field(G(8 + i), G_M, M(i));
		poke_field(P(i), P_ID, i);
		poke_field(P(i), P_M, M(i));
		poke(LISTS + 64 + 8 * i, P(i), 8);
	}
	poke_field(M(0), M_ALL_LINK, M(1));
	poke_slice(ALLGS, LISTS, 4);
	poke_slice(ALLP, LISTS + 64, 2);
	poke(ALLM, M(0), 8);
	poke_field(SCHED, SCHED_MAX_M, 10000);
	poke_field(SCHED, SCHED_MNEXT, 2);
	poke_field(SCHED, SCHED_GOIDGEN, 16);
}

static void add_bytes(target_addr start, const void *bytes, size_t size, bool is_core)
{
	struct image_view view = {.start = start,
		.end = start + size,
		.bytes = bytes,
		.is_writable = is_core,
		.is_core = is_core};

	ck_assert_int_eq(image_add(process.image, view), CS_OK);
}

static enum cs_status find_module(void)
{
	struct runtime *rt = &process.rt;
	uint64_t own;
	uint32_t names;

	mkpclntab_finish(process.table, 0);
	memcpy(&names, process.table->table.bytes + 32, sizeof(names));
	memcpy(&own, process.variables + 8, sizeof(own));
	if (!own) // unless the test has put something there
		poke(MODULE + 8, TABLE + names, 8);
	process.fd = mkelf_open(process.elf);
	ck_assert_int_eq(
		binary_open(process.fd, "prog", &process.arena, &process.diag, &process.binary),
		CS_OK);
	process.image = image_create(ARCH_AMD64, &process.arena);
	add_bytes(TEXT, process.text, sizeof(process.text), false);
	add_bytes(TABLE, process.table->table.bytes, process.table->table.size, false);
	add_bytes(MODULE, process.variables, sizeof(process.variables), true);
	add_bytes(HEAP, process.heap, sizeof(process.heap), true);
	ck_assert_int_eq(image_seal(process.image), CS_OK);
	rt->image = process.image;
	rt->arena = &process.arena;
	rt->diag = &process.diag;
	return roots_find_module(process.binary, process.image, 0, &rt->layout, &process.diag);
}

static void find_all(void)
{
	add_function("runtime.last");
	ck_assert_int_eq(find_module(), CS_OK);
	ck_assert_int_eq(pclntab_load(process.image, TABLE, 0, TEXT, 0, &process.arena,
				 &process.diag, &process.rt.functions),
		CS_OK);
	roots_find_variables(&process.rt);
}

static void tear_down(void)
{
	binary_close(process.binary);
	close(process.fd);
	image_close(process.image);
	mkelf_destroy(process.elf);
	mkpclntab_destroy(process.table);
	arena_deinit(&process.arena);
}

static target_addr found(enum layout_id id)
{
	return runtime_variable(&process.rt, id);
}

static bool is_noted(const char *code)
{
	for (size_t i = 0; i < process.diag.count; i++)
		if (!strcmp(process.diag.entries[i].code, code))
			return true;
	return false;
}

START_TEST(module_is_found)
{
	const Elf64_Shdr header = {
		.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = MODULE, .sh_size = 600};

	if (_i)
		mkelf_add_section(process.elf, ".go.module", &header, NULL);
	add_function("runtime.last");
	// Two pointers into the table, but not to its names; the right two in front of nothing.
	poke(DATA, TABLE, 8);
	poke(DATA + 8, TABLE + 64, 8);
	ck_assert_int_eq(find_module(), CS_OK);
	ck_assert_uint_eq(found(VAR_FIRST_MODULE), MODULE);
}
END_TEST

START_TEST(module_is_not_guessed)
{
	static const struct {
		target_addr at;
		uint64_t value;
	} damage[] = {
		{MODULE, 0},                 // no table
		{MODULE, TABLE + 8},         // where no table begins
		{MODULE + 8, TABLE + 4096},  // not its names
		{MODULE + 176, TEXT + 4096}, // text ends before it begins
		{MODULE + 248, 0},           // so do variables without pointers
		{MODULE + 208, HEAP},        // data in another place altogether
	};

	add_function("runtime.last");
	poke(damage[_i].at, damage[_i].value, 8);
	ck_assert_int_eq(find_module(), CS_NOT_FOUND);
	ck_assert(!found(VAR_FIRST_MODULE));
	ck_assert(is_noted("no-moduledata"));
}
END_TEST

START_TEST(structure_tells_roots)
{
	add_scheduler();
	poke_slice(DECOY, LISTS, 1);                  // sched.midle looks so in 1.26
	poke_slice(DECOY + 0x40, LISTS, 5);           // the fifth is no g
	poke_slice(ALLP + 0x400, LISTS + 64, 2);      // m0.allpSnapshot
	poke(ALLM + 8, M(0), 8);                      // m0.schedlink
	poke_field(DATA + 0x400, SCHED_MAX_M, 10000); // without an id
	find_all();
	ck_assert_uint_eq(found(VAR_ALLGS), ALLGS);
	ck_assert_uint_eq(found(VAR_ALLP), ALLP);
	ck_assert_uint_eq(found(VAR_ALLM), ALLM);
	ck_assert_uint_eq(found(VAR_SCHED), SCHED);
	ck_assert_uint_eq(layout_size(&process.rt.layout, VAR_ALLGS), 24);
	ck_assert(!is_noted("root-contradiction"));
	ck_assert(is_noted("no-variable")); // there is no code that names the others
}
END_TEST

/* What nothing tells apart is nowhere. */
START_TEST(twins_are_not_believed)
{
	add_scheduler();
	poke_slice(DECOY, LISTS, 4);
	poke_field(DATA + 0x400, SCHED_MAX_M, 10000);
	poke_field(DATA + 0x400, SCHED_MNEXT, 2);
	poke_field(DATA + 0x400, SCHED_GOIDGEN, 16);
	find_all();
	ck_assert_uint_eq(found(VAR_ALLGS), 0);
	ck_assert_uint_eq(found(VAR_SCHED), 0);
}
END_TEST

START_TEST(code_tells_twins_apart)
{
	add_scheduler();
	poke_slice(DECOY, LISTS, 4);
	add_lea("runtime.forEachG", ALLGS);
	add_reference(DATA + 0x700, 0);
	add_lea("runtime.allgadd", ALLGS);
	find_all();
	ck_assert_uint_eq(found(VAR_ALLGS), ALLGS);
}
END_TEST

/* An exact layout's fields prove what the code says; a guessed one's may be wrong themselves. */
START_TEST(contradiction_is_told)
{
	process.rt.layout.source = _i ? LAYOUT_GUESSED : LAYOUT_EXACT;
	add_scheduler();
	poke_slice(DECOY, LISTS, 2);
	add_lea("runtime.forEachG", DECOY);
	add_lea("runtime.allgadd", DECOY);
	find_all();
	ck_assert_uint_eq(found(VAR_ALLGS), DECOY);
	ck_assert_int_eq(is_noted("root-contradiction"), _i);
}
END_TEST

/* freezing is what two functions use and a third does not; each case spoils one of the terms. */
START_TEST(every_term_counts)
{
	static const struct {
		target_addr first, second, avoided;
		uint64_t value;
		bool is_found;
	} terms[] = {
		{FREEZING, FREEZING, SCHED, 1, true},
		{FREEZING, SCHED, SCHED, 1, false},
		{FREEZING, FREEZING, FREEZING, 1, false},
		{FREEZING, FREEZING, SCHED, 2, false},     // no truth value
		{HEAP - 1, HEAP - 1, SCHED, 1, false},     // no variable
		{START + 64, START + 64, SCHED, 1, false}, // code
		{VARIABLES_END, VARIABLES_END, SCHED, 0, false},
	};

	poke(FREEZING, terms[_i].value, 1);
	add_lea("runtime.freezetheworld", terms[_i].first);
	add_lea("runtime.stopTheWorldWithSema", terms[_i].second);
	add_lea("runtime.handoffp", terms[_i].avoided);
	find_all();
	ck_assert_uint_eq(found(VAR_FREEZING), terms[_i].is_found ? FREEZING : 0);
}
END_TEST

START_TEST(two_answers_are_none)
{
	add_lea("runtime.freezetheworld", FREEZING);
	add_reference(FREEZING + 8, 4);
	add_lea("runtime.stopTheWorldWithSema", FREEZING);
	add_reference(FREEZING + 8, 4);
	add_lea("runtime.handoffp", SCHED);
	find_all();
	ck_assert_uint_eq(found(VAR_FREEZING), 0);
}
END_TEST

START_TEST(missing_function_proves_nothing)
{
	add_lea("runtime.freezetheworld", FREEZING);
	add_lea("runtime.stopTheWorldWithSema", FREEZING);
	find_all();
	ck_assert_uint_eq(found(VAR_FREEZING), 0);
}
END_TEST

/* Two variables hold a chunk; behind one of them lies an offset that the same code uses. */
START_TEST(chunks_are_not_the_one_in_use)
{
	static const struct {
		uint32_t behind_chunks, behind_global; // how the code uses the word behind
		uint64_t before;                       // the first word of the newest chunk
		target_addr found;
	} cases[] = {
		{0, 8, HEAP + 0x4000, CHUNKS}, // as in arm64 code
		{4, 8, HEAP + 0x4000, CHUNKS}, // another variable lies behind
		{0, 8, 0, CHUNKS},             // there is but one
		{0, 0, HEAP + 0x4000, 0},      // nothing tells them apart
		{8, 8, HEAP + 0x4000, 0},      // neither
		{0, 8, HEAP + 0x4008, 0},      // no chunk
		{0, 8, HEAP + 0x8000, 0},      // itself
		{8, 4, 0, GLOBAL_CHUNK},       // the other way round
	};

	poke(HEAP + 0x8000, cases[_i].before, 8);
	poke(CHUNKS, HEAP + 0x8000, 8);
	poke(GLOBAL_CHUNK, HEAP + 0x8000, 8);
	add_function("runtime.persistentalloc1");
	add_reference(GLOBAL_CHUNK, 0);
	add_reference(GLOBAL_CHUNK + 8, cases[_i].behind_global);
	add_reference(GLOBAL_CHUNK, 8);
	add_reference(CHUNKS, 8);
	add_reference(CHUNKS + 8, cases[_i].behind_chunks);
	add_reference(CHUNKS, 0);
	find_all();
	ck_assert_uint_eq(found(VAR_PERSISTENT_CHUNKS), cases[_i].found);
}
END_TEST

/* Code that takes the address of all that it loads, as arm64's of Go before 1.21 in PIE. */
START_TEST(loads_through_addresses_are_told_apart)
{
	const target_addr backlog = NOPTRBSS + 0x200, index = backlog + 512, cache = index + 8,
			  env = cache + 4;

	add_lea("runtime.recordForPanic", index);
	add_reference(index, 8);
	add_reference(backlog, 0);
	add_lea("runtime.printlock", SCHED);
	add_lea("runtime.startpanic_m", SCHED);
	add_lea("runtime/debug.SetTraceback", env);
	add_reference(env, 4);
	add_reference(cache, 0);
	add_reference(cache, 4);
	add_lea("runtime.checkdead", SCHED);
	if (_i) {
		add_lea("runtime.sighandler", cache);
		add_reference(cache, 4);
	}
	find_all();
	ck_assert_uint_eq(found(VAR_PRINT_BACKLOG), backlog);
	ck_assert_uint_eq(found(VAR_PRINT_BACKLOG_INDEX), index);
	ck_assert_uint_eq(found(VAR_TRACEBACK), _i ? cache : 0);
}
END_TEST

START_TEST(wait_reasons_are_counted)
{
	static const char *const reasons[] = {"", "GC assist marking", "IO wait", "select"};

	for (size_t i = 0; i < 4; i++)
		poke_string(REASONS + 16 * i, LISTS + 0x200 + 32 * i, reasons[i]);
	add_lea("runtime.waitReason.String", REASONS);
	process.rt.layout.source = LAYOUT_GUESSED; // that release may have had fewer
	find_all();
	ck_assert_uint_eq(found(VAR_WAIT_REASONS), REASONS);
	ck_assert_uint_eq(layout_size(&process.rt.layout, VAR_WAIT_REASONS), 64);
}
END_TEST

/* Lists without an end, lengths without a limit, bounds that wrap. */
START_TEST(hostile_lists_end)
{
	add_scheduler();
	poke_field(M(1), M_ALL_LINK, M(0));
	poke_slice(ALLGS, LISTS, UINT64_MAX);
	poke_slice(ALLP, UINT64_MAX - 7, 2);
	find_all();
	ck_assert_uint_eq(found(VAR_ALLM), 0);
	ck_assert_uint_eq(found(VAR_ALLGS), 0);
	ck_assert_uint_eq(found(VAR_ALLP), 0);
}
END_TEST

Suite *suite_roots(void);

Suite *suite_roots(void)
{
	Suite *suite = suite_create("roots");
	TCase *tc = tcase_create("roots");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, module_is_found, 0, 2);
	tcase_add_loop_test(tc, module_is_not_guessed, 0, 6);
	tcase_add_test(tc, structure_tells_roots);
	tcase_add_test(tc, twins_are_not_believed);
	tcase_add_test(tc, code_tells_twins_apart);
	tcase_add_loop_test(tc, contradiction_is_told, 0, 2);
	tcase_add_loop_test(tc, every_term_counts, 0, 7);
	tcase_add_test(tc, two_answers_are_none);
	tcase_add_test(tc, missing_function_proves_nothing);
	tcase_add_loop_test(tc, chunks_are_not_the_one_in_use, 0, 8);
	tcase_add_loop_test(tc, loads_through_addresses_are_told_apart, 0, 2);
	tcase_add_test(tc, wait_reasons_are_counted);
	tcase_add_test(tc, hostile_lists_end);
	suite_add_tcase(suite, tc);
	return suite;
}
