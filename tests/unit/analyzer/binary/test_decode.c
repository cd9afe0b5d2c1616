#include "analyzer/binary/decode.h"

#include <check.h>

#define PC 0x10000
#define MAX 8

/* Each case's references; one with target 0 ends them. */
static const struct {
	const char *name;
	enum image_arch arch;
	uint8_t code[48];
	size_t size;
	struct {
		target_addr pc, target;
		uint32_t size;
	} expected[MAX];
} cases[] = {
	{"lea", ARCH_AMD64, {0x48, 0x8d, 0x05, 0x10, 0, 0, 0}, 7, {{PC, PC + 7 + 16, 0}}},
	{"load backwards", ARCH_AMD64, {0x48, 0x8b, 0x0d, 0xf9, 0xff, 0xff, 0xff}, 7,
		{{PC, PC, 8}}},
	{"compare with a byte", ARCH_AMD64, {0x83, 0x3d, 0, 1, 0, 0, 5}, 7,
		{{PC, PC + 7 + 256, 4}}},
	{"store of four bytes", ARCH_AMD64, {0xc7, 0x05, 0, 1, 0, 0, 1, 2, 3, 4}, 10,
		{{PC, PC + 10 + 256, 4}}},
	{"one byte", ARCH_AMD64, {0x80, 0x3d, 0, 1, 0, 0, 0}, 7, {{PC, PC + 7 + 256, 1}}},
	{"locked", ARCH_AMD64, {0xf0, 0x0f, 0xb1, 0x0d, 0, 1, 0, 0}, 8, {{PC, PC + 8 + 256, 4}}},
	{"calls and stack are none", ARCH_AMD64,
		{0xe8, 0, 1, 0, 0, 0x48, 0x8b, 0x44, 0x24, 8, 0x48, 0x8b, 0x03, 0xc3}, 14, {{0}}},
	{"no instruction before it", ARCH_AMD64, {0x06, 0x48, 0x8d, 0x05, 0x10, 0, 0, 0}, 8,
		{{PC + 1, PC + 8 + 16, 0}}},
	{"cut", ARCH_AMD64, {0x48, 0x8d, 0x05, 0x10, 0, 0}, 6, {{0}}},
	{"two", ARCH_AMD64, {0x48, 0x8d, 0x05, 0, 0, 0, 0, 0x8b, 0x05, 0, 0, 0, 0}, 13,
		{{PC, PC + 7, 0}, {PC + 7, PC + 13, 4}}},
	/* adrp x1, +1 page; add x1, x1, #0x4e8; ldr x2, [x1, #8] */
	{"page and address", ARCH_ARM64,
		{1, 0, 0, 0xb0, 0x21, 0xa0, 0x13, 0x91, 0x22, 0x04, 0x40, 0xf9}, 12,
		{{PC + 4, 0x114e8, 0}, {PC + 8, 0x114f0, 8}}},
	/* adrp x27; ldrb w3, [x27, #0x4cd] */
	{"load through the temporary", ARCH_ARM64, {0x1b, 0, 0, 0xb0, 0x63, 0x37, 0x53, 0x39}, 8,
		{{PC + 4, 0x114cd, 1}}},
	/* adrp x27; add x27, x27, #8; stp x0, x1, [x27, #16] */
	{"pair, and no address taken by the temporary", ARCH_ARM64,
		{0x1b, 0, 0, 0xb0, 0x7b, 0x23, 0, 0x91, 0x60, 0x07, 0x01, 0xa9}, 12,
		{{PC + 8, 0x11018, 8}, {PC + 8, 0x11020, 8}}},
	/* adrp x1; bl; ldr x2, [x1, #8] */
	{"forgotten by a call", ARCH_ARM64, {1, 0, 0, 0xb0, 0, 0, 0, 0x94, 0x22, 0x04, 0x40, 0xf9},
		12, {{0}}},
	/* adrp x1; b.eq; ldr x2, [x1, #8] */
	{"kept by a condition", ARCH_ARM64,
		{1, 0, 0, 0xb0, 0x40, 0, 0, 0x54, 0x22, 0x04, 0x40, 0xf9}, 12,
		{{PC + 8, 0x11008, 8}}},
	/* adrp x1; mov x1, x2; ldr x2, [x1, #8] */
	{"overwritten", ARCH_ARM64, {1, 0, 0, 0xb0, 0xe1, 0x03, 0x02, 0xaa, 0x22, 0x04, 0x40, 0xf9},
		12, {{0}}},
	/* adrp x1; ldr x1, [x1, #8]; ldr x2, [x1, #8] */
	{"loaded over itself", ARCH_ARM64,
		{1, 0, 0, 0xb0, 0x21, 0x04, 0x40, 0xf9, 0x22, 0x04, 0x40, 0xf9}, 12,
		{{PC + 4, 0x11008, 8}}},
	{"cut word", ARCH_ARM64, {1, 0, 0}, 3, {{0}}},
};

static size_t decode(
	enum image_arch arch, const struct code_span *code, struct code_reference *ret, size_t max)
{
	struct decoder *decoder = decoder_create(arch);
	size_t count;

	ck_assert_ptr_nonnull(decoder);
	count = decode_references(decoder, code, ret, max);
	decoder_destroy(decoder);
	return count;
}

static struct code_span all_of(const uint8_t *bytes, size_t size)
{
	return (struct code_span){.bytes = bytes, .size = size, .pc = PC, .end = UINT64_MAX};
}

START_TEST(operands_name_addresses)
{
	const struct code_span code = all_of(cases[_i].code, cases[_i].size);
	struct code_reference got[MAX];
	size_t count, wanted = 0;

	while (wanted < MAX && cases[_i].expected[wanted].target)
		wanted++;
	count = decode(cases[_i].arch, &code, got, MAX);
	ck_assert_msg(count == wanted, "%s: %zu references", cases[_i].name, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(got[i].pc == cases[_i].expected[i].pc, "%s: pc 0x%llx",
			cases[_i].name, (unsigned long long)got[i].pc);
		ck_assert_msg(got[i].target == cases[_i].expected[i].target, "%s: target 0x%llx",
			cases[_i].name, (unsigned long long)got[i].target);
		ck_assert_msg(got[i].size == cases[_i].expected[i].size, "%s: size %u",
			cases[_i].name, got[i].size);
	}
}
END_TEST

START_TEST(no_more_than_asked_for)
{
	static const uint8_t bytes[] = {0x8b, 0x05, 0, 0, 0, 0, 0x8b, 0x05, 0, 0, 0, 0};
	struct code_span code = all_of(bytes, sizeof(bytes));
	struct code_reference got[2] = {{0}};

	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, 1), 1);
	ck_assert_uint_eq(got[1].target, 0);
	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, 0), 0);
	code.size = 0;
	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, 2), 0);
}
END_TEST

/* Only targets within the range, whatever comes behind the address in the instruction. */
START_TEST(only_wanted_targets)
{
	static const uint8_t bytes[] = {
		0x8b, 0x05, 0, 1, 0, 0,             // PC + 6 + 256
		0x83, 0x3d, 0, 1, 0, 0, 5,          // PC + 13 + 256
		0xc7, 0x05, 0, 1, 0, 0, 1, 2, 3, 4, // PC + 23 + 256
		0x66, 0x81, 0x3d, 0, 1, 0, 0, 1, 2, // PC + 32 + 256
	};
	static const size_t targets[] = {6, 13, 23, 32};
	struct code_span code = all_of(bytes, sizeof(bytes));
	struct code_reference got[MAX];

	code.start = PC + targets[_i] + 256;
	code.end = code.start + 1;
	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, MAX), 1);
	ck_assert_uint_eq(got[0].target, code.start);
}
END_TEST

/* What looks like an operand within another instruction is none; a known start says where it is. */
START_TEST(starts_are_kept_to)
{
	// mov rax, imm64 that holds a LEA; a byte that begins a longer instruction; a LEA
	static const uint8_t bytes[] = {
		0x48, 0xb8, 0x48, 0x8d, 0x05, 0, 1, 0, 0, 0, 0xe8, 0x48, 0x8d, 0x05, 0, 1, 0, 0};
	static const uint32_t starts[] = {0, 10, 11};
	struct code_span code = all_of(bytes, sizeof(bytes));
	struct code_reference got[MAX];

	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, MAX), 0);
	code.starts = starts;
	code.start_count = 3;
	ck_assert_uint_eq(decode(ARCH_AMD64, &code, got, MAX), 1);
	ck_assert_uint_eq(got[0].pc, PC + 11);
}
END_TEST

/* Any bytes are fine: what they are is the executable's affair. */
START_TEST(noise_is_survived)
{
	struct code_reference got[64];
	uint8_t noise[4096];
	uint32_t state = (uint32_t)_i + 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		state = state * 1664525 + 1013904223;
		noise[i] = (uint8_t)(state >> 24);
	}
	for (size_t size = 0; size < sizeof(noise); size += 97) {
		const struct code_span code = all_of(noise, size);

		ck_assert_uint_le(decode(ARCH_AMD64, &code, got, 64), 64);
		ck_assert_uint_le(decode(ARCH_ARM64, &code, got, 64), 64);
	}
}
END_TEST

Suite *suite_decode(void);

Suite *suite_decode(void)
{
	Suite *suite = suite_create("decode");
	TCase *tc = tcase_create("decode");

	tcase_add_loop_test(tc, operands_name_addresses, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, no_more_than_asked_for);
	tcase_add_loop_test(tc, only_wanted_targets, 0, 4);
	tcase_add_test(tc, starts_are_kept_to);
	tcase_add_loop_test(tc, noise_is_survived, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}
