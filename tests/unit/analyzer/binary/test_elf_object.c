// C code's own tables: steps by .eh_frame rule by rule, symbols, hostile files.
#include "analyzer/binary/elf_object.h"
#include "common/diag.h"
#include "tests/lib/mkobject.h"

#include <check.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIAS 0x7f0000000000
#define STACK 0x7ffe00001000
#define WORDS 64
#define FUNCTION (MKOBJECT_TEXT + 0x100)
#define RULES(text) .rules = text, .rules_size = sizeof(text) - 1

// DWARF numbers, amd64.
enum { RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R12 = 12 };

static struct arena arena;
static uint64_t stack[WORDS]; // the word at STACK + 8 * i is 0x1000 + i, unless a test says else
static struct image *image;

static void set_up_for(enum image_arch arch)
{
	arena_init(&arena, 0);
	for (size_t i = 0; i < WORDS; i++)
		stack[i] = 0x1000 + i;
	image = image_create(arch, &arena);
	ck_assert_int_eq(image_add(image, (struct image_view){.start = STACK,
						  .end = STACK + sizeof(stack),
						  .bytes = (const uint8_t *)stack}),
		CS_OK);
	ck_assert_int_eq(image_seal(image), CS_OK);
}

static void set_up(void)
{
	set_up_for(ARCH_AMD64);
}

static void tear_down(void)
{
	arena_deinit(&arena);
}

static struct elf_object *open_object(
	const struct mkobject_function *functions, uint16_t machine, enum image_arch arch)
{
	struct mkelf *elf = mkobject_create(machine, functions);
	struct elf_object *object = NULL;
	int fd = mkelf_open(elf);

	ck_assert_int_eq(elf_object_open(fd, arch, &arena, &object), CS_OK);
	close(fd);
	mkelf_destroy(elf);
	return object;
}

/** At FUNCTION + 0x10: every register is 0x100 and its number, but for sp and rbp. */
static struct cfi_registers registers_at(target_addr sp, target_addr bp)
{
	struct cfi_registers registers = {.pc = BIAS + FUNCTION + 0x10, .is_exact = true};

	for (int i = 0; i < 16; i++)
		cfi_set(&registers, i, 0x100 + (uint64_t)i);
	cfi_set(&registers, RSP, sp);
	cfi_set(&registers, RBP, bp);
	return registers;
}

static const struct {
	const char *name;
	const char *rules;
	size_t rules_size;
	uint64_t sp, bp; // in words from STACK
	enum cfi_step step;
	uint64_t pc, caller_sp, caller_bp; // word numbers; caller_bp: a value
	uint64_t rbx;                      // 0: not known
} steps[] = {
#define ROW(text) text, sizeof(text) - 1
	{"nothing pushed", ROW(""), 3, 9, CFI_STEPPED, 3, 4, STACK + 72, 0x103},
	// def_cfa_offset(16), offset(rbp, 2)
	{"rbp pushed", ROW("\x0e\x10\x86\x02"), 3, 9, CFI_STEPPED, 4, 5, 0x1003, 0x103},
	// def_cfa_offset(16), offset(rbp, 2), def_cfa_register(rbp)
	{"a frame by rbp", ROW("\x0e\x10\x86\x02\x0d\x06"), 1, 9, CFI_STEPPED, 10, 11, 0x1009,
		0x103},
	// register(rbx, r12)
	{"kept in another", ROW("\x09\x03\x0c"), 3, 9, CFI_STEPPED, 3, 4, STACK + 72, 0x10c},
	// val_offset(rbx, 1): the address itself
	{"a value", ROW("\x14\x03\x01"), 3, 9, CFI_STEPPED, 3, 4, STACK + 72, STACK + 24},
	// def_cfa_expression(breg7 8, lit8, plus), as long as that
	{"an expression", ROW("\x0f\x04\x77\x08\x38\x22"), 3, 9, CFI_STEPPED, 4, 5, STACK + 72,
		0x103},
	// the PLT's: breg7 8, breg16 0, lit15, and, lit11, ge, lit3, shl, plus; pc & 15 is 0
	{"the PLT's", ROW("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), 3, 9,
		CFI_NO_RULE, 0, 0, 0, 0},
	// expression(rbx, breg7 16, lit8, minus)
	{"a register by expression", ROW("\x10\x03\x04\x77\x10\x38\x1c"), 3, 9, CFI_STEPPED, 3, 4,
		STACK + 72, 0x1004},
	// undefined(16)
	{"the outermost", ROW("\x07\x10"), 3, 9, CFI_OUTERMOST, 0, 0, 0, 0},
	{"no stack", ROW(""), 0x100, 9, CFI_UNREADABLE, 0, 0, 0, 0},
	// def_cfa_expression(breg7 0, deref): a word is no address here
	{"no stack behind it", ROW("\x0f\x03\x77\x00\x06"), 3, 9, CFI_UNREADABLE, 0, 0, 0, 0},
	// def_cfa_expression(plus): nothing to add
	{"too few words", ROW("\x0f\x01\x22"), 3, 9, CFI_NO_RULE, 0, 0, 0, 0},
	// def_cfa_expression(lit1, lit1, div)
	{"an operation that no table has", ROW("\x0f\x03\x31\x31\x1b"), 3, 9, CFI_NO_RULE, 0, 0, 0,
		0},
	// def_cfa(50, 8): of a register that is none
	{"a register that is none", ROW("\x0c\x32\x08"), 3, 9, CFI_NO_RULE, 0, 0, 0, 0},
};

START_TEST(a_step_by_each_rule)
{
	const struct mkobject_function functions[] = {{.name = "f",
							      .address = FUNCTION,
							      .size = 0x100,
							      .rules = steps[_i].rules,
							      .rules_size = steps[_i].rules_size},
		{0}};
	struct elf_object *object = open_object(functions, EM_X86_64, ARCH_AMD64);
	struct cfi_registers from =
		registers_at(STACK + 8 * steps[_i].sp, STACK + 8 * steps[_i].bp);
	struct cfi_registers caller = {.pc = 1};
	enum cfi_step step = elf_object_step(object, BIAS, image, &from, &caller);

	ck_assert_msg(step == steps[_i].step, "%s: %d", steps[_i].name, (int)step);
	if (step == CFI_STEPPED) {
		ck_assert_msg(caller.pc == 0x1000 + steps[_i].pc, "%s: pc 0x%llx", steps[_i].name,
			(unsigned long long)caller.pc);
		ck_assert(!caller.is_exact);
		ck_assert_uint_eq(cfi_sp(ARCH_AMD64, &caller), STACK + 8 * steps[_i].caller_sp);
		ck_assert_uint_eq(caller.value[RBP], steps[_i].caller_bp);
		ck_assert_uint_eq(caller.known >> RBX & 1, steps[_i].rbx != 0);
		ck_assert_uint_eq(caller.value[RBX], steps[_i].rbx);
		ck_assert_uint_eq(caller.known >> RAX & 1, 0); // a call does not keep it
	} else {
		ck_assert_uint_eq(caller.pc, 1);
	}
	elf_object_close(object);
}
END_TEST

START_TEST(an_expression_too_deep)
{
	char rules[256] = {0x0f, (char)0xc8, 0x01}; // def_cfa_expression of 200 bytes: lit1 …
	const struct mkobject_function functions[] = {
		{.address = FUNCTION, .size = 0x100, .rules = rules, .rules_size = 203}, {0}};
	struct cfi_registers from = registers_at(STACK, STACK), caller;
	struct elf_object *object;

	memset(rules + 3, 0x31, 200);
	object = open_object(functions, EM_X86_64, ARCH_AMD64);
	ck_assert_int_eq(elf_object_step(object, BIAS, image, &from, &caller), CFI_NO_RULE);
	elf_object_close(object);
}
END_TEST

/* A return address behind the last instruction belongs to the function that ends there. */
START_TEST(a_call_as_the_last_instruction)
{
	static const struct mkobject_function functions[] = {
		{.address = FUNCTION, .size = 0x10, RULES("\x0e\x10")}, {0}};
	struct elf_object *object = open_object(functions, EM_X86_64, ARCH_AMD64);
	struct cfi_registers from = registers_at(STACK, STACK), caller;

	ck_assert_int_eq(elf_object_step(object, BIAS, image, &from, &caller), CFI_NO_RULE);
	from.is_exact = false;
	ck_assert_int_eq(elf_object_step(object, BIAS, image, &from, &caller), CFI_STEPPED);
	ck_assert_uint_eq(caller.pc, 0x1001);
	elf_object_close(object);
}
END_TEST

/* What __restore_rt has: everything out of the ucontext; the pc is no return address. */
START_TEST(a_signal_frame)
{
	static const struct mkobject_function functions[] = {
		{.address = FUNCTION,
			.size = 0x100,
			// def_cfa_expression(breg7 160, deref), expression(16, breg7 168)
			RULES("\x0f\x04\x77\xa0\x01\x06\x10\x10\x03\x77\xa8\x01"),
			.is_signal = true},
		{0}};
	struct elf_object *object = open_object(functions, EM_X86_64, ARCH_AMD64);
	struct cfi_registers from = registers_at(STACK, STACK), caller;

	stack[20] = 0x7ffe99990000;
	stack[21] = 0x555500001234;
	ck_assert_int_eq(elf_object_step(object, BIAS, image, &from, &caller), CFI_STEPPED);
	ck_assert_uint_eq(caller.pc, 0x555500001234);
	ck_assert_uint_eq(cfi_sp(ARCH_AMD64, &caller), 0x7ffe99990000);
	ck_assert(caller.is_exact);
	elf_object_close(object);
}
END_TEST

START_TEST(arm64_returns_by_its_link_register)
{
	static const struct mkobject_function functions[] = {
		{.address = FUNCTION, .size = 0x40}, // a leaf
		// def_cfa_offset(32), offset(x29, 4), offset(x30, 3)
		{.address = FUNCTION + 0x40, .size = 0x40, RULES("\x0e\x20\x9d\x04\x9e\x03")}, {0}};
	struct elf_object *object;
	struct cfi_registers from = {.pc = BIAS + FUNCTION, .is_exact = true}, caller;

	tear_down();
	set_up_for(ARCH_ARM64);
	object = open_object(functions, EM_AARCH64, ARCH_ARM64);
	cfi_set(&from, 30, BIAS + FUNCTION + 0x48);
	cfi_set(&from, 31, STACK);
	cfi_set(&from, 19, 19);
	ck_assert_int_eq(elf_object_step(object, BIAS, image, &from, &caller), CFI_STEPPED);
	ck_assert_uint_eq(caller.pc, BIAS + FUNCTION + 0x48);
	ck_assert_uint_eq(cfi_sp(ARCH_ARM64, &caller), STACK);
	stack[1] = UINT64_C(0xabc0123456789abc); // signed: the uppermost bits are no address
	ck_assert_int_eq(elf_object_step(object, BIAS, image, &caller, &caller), CFI_STEPPED);
	ck_assert_uint_eq(caller.pc, UINT64_C(0x0000123456789abc));
	ck_assert_uint_eq(cfi_sp(ARCH_ARM64, &caller), STACK + 32);
	ck_assert_uint_eq(caller.value[29], 0x1000);
	ck_assert_uint_eq(caller.value[19], 19);
	elf_object_close(object);
}
END_TEST

START_TEST(registers_of_threads_and_contexts)
{
	struct image_regs regs = {.count = 27, .pc = 16, .sp = 19};
	struct cfi_registers thread, context;

	for (size_t i = 0; i < 27; i++)
		regs.raw[i] = i;
	thread = cfi_of_thread(ARCH_AMD64, &regs);
	ck_assert_uint_eq(thread.value[RBX], 5);
	ck_assert_uint_eq(thread.value[RSP], 19);
	ck_assert_uint_eq(thread.value[15], 0);
	ck_assert_uint_eq(thread.pc, 16);
	ck_assert(cfi_of_context(image, STACK, &context));
	ck_assert_uint_eq(context.value[8], 0x1005);
	ck_assert_uint_eq(context.value[RBX], 0x1010);
	ck_assert_uint_eq(context.value[RSP], 0x1014);
	ck_assert_uint_eq(context.pc, 0x1015);
	ck_assert(!cfi_of_context(image, STACK + 8 * (WORDS - 21), &context));
	ck_assert(cfi_return(
		image, &(struct cfi_registers){.value[RSP] = STACK, .known = 1 << RSP}, &context));
	ck_assert_uint_eq(context.pc, 0x1000);
	ck_assert_uint_eq(cfi_sp(ARCH_AMD64, &context), STACK + 8);
	ck_assert(!cfi_return(image, &(struct cfi_registers){0}, &context));
}
END_TEST

START_TEST(the_plainest_name)
{
	static const struct mkobject_function functions[] = {
		{"__long", MKOBJECT_TEXT, 0x100, NULL, 0, STB_GLOBAL, false, true},
		{"longer", MKOBJECT_TEXT, 0x100, NULL, 0, STB_WEAK, false, true},
		{"longest", MKOBJECT_TEXT, 0x100, NULL, 0, STB_GLOBAL, false, true},
		{"long64", MKOBJECT_TEXT, 0x100, NULL, 0, STB_GLOBAL, false, true},
		{"inner", MKOBJECT_TEXT + 0x20, 0x10, NULL, 0, STB_LOCAL, false, true},
		{"", MKOBJECT_TEXT + 0x20, 0x10, NULL, 0, STB_LOCAL, false, true}, {0}};
	struct elf_object *object = open_object(functions, EM_X86_64, ARCH_AMD64);
	struct elf_symbol symbol;
	uint64_t left = 100, base = 1;

	ck_assert(elf_object_symbol(object, MKOBJECT_TEXT + 0x80, &left, &symbol));
	ck_assert_str_eq(symbol.name, "long64");
	ck_assert_uint_eq(symbol.address, MKOBJECT_TEXT);
	ck_assert(elf_object_symbol(object, MKOBJECT_TEXT + 0x2f, &left, &symbol));
	ck_assert_str_eq(symbol.name, "inner");
	ck_assert(!elf_object_symbol(object, MKOBJECT_TEXT + 0x100, &left, &symbol));
	ck_assert_uint_eq(left, 100 - 3 * 7);
	left = 2;
	ck_assert(elf_object_symbol(object, MKOBJECT_TEXT, &left, &symbol));
	ck_assert_str_eq(symbol.name, "__long");
	ck_assert(!elf_object_symbol(object, MKOBJECT_TEXT, &left, &symbol));
	ck_assert_str_eq(elf_object_build_id(object, &arena), MKOBJECT_BUILD_ID_TEXT);
	ck_assert(elf_object_base(object, &base));
	ck_assert_uint_eq(base, 0);
	ck_assert(elf_object_is_code(object, MKOBJECT_TEXT));
	ck_assert(!elf_object_is_code(object, MKOBJECT_TEXT + MKOBJECT_TEXT_SIZE));
	ck_assert(!elf_object_is_code(object, 0));
	elf_object_close(object);
}
END_TEST

START_TEST(what_is_no_object)
{
	static const struct mkobject_function none[] = {{0}};
	struct mkelf *elf = mkobject_create(EM_X86_64, none);
	struct elf_object *object = NULL;
	int fd = mkelf_open(elf), text = mkelf_open_bytes("#!/bin/sh\n", 10),
	    empty = mkelf_open_bytes("", 0);

	ck_assert_int_eq(elf_object_open(fd, ARCH_ARM64, &arena, &object), CS_CORRUPT);
	ck_assert_int_eq(elf_object_open(text, ARCH_AMD64, &arena, &object), CS_CORRUPT);
	ck_assert_int_eq(elf_object_open(empty, ARCH_AMD64, &arena, &object), CS_CORRUPT);
	ck_assert_ptr_null(object);
	close(fd);
	close(text);
	close(empty);
	mkelf_destroy(elf);
}
END_TEST

#define ROWS 10

/** A library that is a dynamic section and nothing else; its rows are tables at addresses. */
static struct dynamic_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Dyn rows[ROWS];
} make_dynamic_file(void)
{
	struct dynamic_file file = {
		.header = {.e_ident = ELFMAG,
			.e_type = ET_DYN,
			.e_machine = EM_AARCH64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct dynamic_file, segment),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1},
		.segment = {.p_type = PT_DYNAMIC,
			.p_offset = offsetof(struct dynamic_file, rows),
			.p_vaddr = 0x2000,
			.p_filesz = sizeof(file.rows)},
	};

	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_ident[EI_VERSION] = EV_CURRENT;
	for (int i = 0; i < ROWS - 1; i++)
		file.rows[i] = (Elf64_Dyn){.d_tag = i == 3 ? DT_DEBUG : DT_SYMTAB + i,
			.d_un.d_val = 0x100 + (uint64_t)i};
	return file;
}

/** What the process's section differs in from the file's, and whether that is another file. */
static const struct {
	int row;
	int64_t tag;
	uint64_t add;
	bool is_same;
} differences[] = {
	{0, 0, 0, true}, {1, 0, BIAS, true},       // relocated by the dynamic linker
	{1, 0, 8, false},                          // moved by a few bytes
	{3, 0, 0x1234, true},                      // DT_DEBUG: written by the dynamic linker
	{2, 1, 0, false}, {ROWS - 1, 1, 0, false}, // goes on
};

START_TEST(a_dynamic_section_tells_files_apart)
{
	struct dynamic_file file = make_dynamic_file(), memory = file;
	struct image *process = image_create(ARCH_ARM64, &arena);
	struct image_view view = {.start = BIAS + 0x2000,
		.end = BIAS + 0x2000 + sizeof(memory.rows),
		.bytes = (const uint8_t *)memory.rows};
	struct elf_object *object = NULL;

	memory.rows[differences[_i].row].d_tag += differences[_i].tag;
	memory.rows[differences[_i].row].d_un.d_val += differences[_i].add;
	ck_assert_ptr_nonnull(process);
	ck_assert_int_eq(image_add(process, view), CS_OK);
	ck_assert_int_eq(image_seal(process), CS_OK);
	ck_assert_int_eq(
		elf_object_open_bytes(&file, sizeof(file), ARCH_ARM64, &arena, &object), CS_OK);
	ck_assert(elf_object_has_dynamic(object, process, BIAS) == differences[_i].is_same);
	ck_assert(!elf_object_has_dynamic(object, process, BIAS + 16)); // not all in the core
	elf_object_close(object);
	image_close(process);
}
END_TEST

/* Cut at every byte, then with every byte changed: answers may be wrong, reads may not. */
START_TEST(a_damaged_object)
{
	static const struct mkobject_function functions[] = {
		{"f", FUNCTION, 0x100, "\x0e\x10\x86\x02", 4, STB_GLOBAL, false, false}, {0}};
	struct mkelf *elf = mkobject_create(EM_X86_64, functions);
	size_t size;
	const uint8_t *whole = mkelf_finish(elf, &size);

	for (size_t i = 0; i < 2 * size; i++) {
		size_t length = i < size ? i : size;
		uint8_t *bytes = arena_alloc(&arena, length + 1);
		struct cfi_registers from = registers_at(STACK, STACK), caller;
		struct elf_object *object;
		struct elf_symbol symbol;
		uint64_t left = 1000;

		ck_assert_ptr_nonnull(bytes);
		memcpy(bytes, whole, length);
		if (i >= size)
			bytes[i - size] ^= 0xff;
		if (elf_object_open_bytes(bytes, length, ARCH_AMD64, &arena, &object) == CS_OK) {
			elf_object_step(object, BIAS, image, &from, &caller);
			elf_object_has_dynamic(object, image, BIAS);
			elf_object_symbol(object, FUNCTION, &left, &symbol);
			elf_object_build_id(object, &arena);
			elf_object_close(object);
		}
		arena_deinit(&arena);
		set_up();
	}
	mkelf_destroy(elf);
}
END_TEST

Suite *suite_elf_object(void);

Suite *suite_elf_object(void)
{
	Suite *suite = suite_create("elf_object");
	TCase *tcase = tcase_create("elf_object");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_step_by_each_rule, 0, COUNT(steps));
	tcase_add_test(tcase, an_expression_too_deep);
	tcase_add_test(tcase, a_call_as_the_last_instruction);
	tcase_add_test(tcase, a_signal_frame);
	tcase_add_test(tcase, arm64_returns_by_its_link_register);
	tcase_add_test(tcase, registers_of_threads_and_contexts);
	tcase_add_test(tcase, the_plainest_name);
	tcase_add_test(tcase, what_is_no_object);
	tcase_add_loop_test(tcase, a_dynamic_section_tells_files_apart, 0, COUNT(differences));
	tcase_add_test(tcase, a_damaged_object);
	suite_add_tcase(suite, tcase);
	return suite;
}
