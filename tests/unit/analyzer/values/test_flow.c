// Values that calls have overwritten, found again by the code, over a few functions in machine
// code.
#include "analyzer/values/flow.h"

#include "analyzer/binary/instruction.h"
#include "analyzer/values/flow_function.h"
#include "tests/lib/mkpclntab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_SIZE 64
#define TEXT 0x401000
#define TABLE 0x500000
#define STACK 0xc000000000
#define STACK_SIZE 256
#define SP STACK
#define DELTA 24

enum { OUTER, INNER, REPEAT, LEAF, COMPUTED, LENT, LENT_LOWEST, PARTS, FUNCTIONS };

/**
 * outer passes what it got in rax on in rcx, and a constant in rbx; inner keeps both, but takes the
 * address of the second. The loop keeps its rax in one word, and what the leaf returns in another.
 * lent gives the leaf the address of a word that it set to 5, and passes on what is there
 * afterwards. parts keeps one byte of rcx, and rbx, and calls with an address behind that in rax.
 */
static const uint8_t code[][FUNCTION_SIZE] = {
	[OUTER] =
		{
			0x48, 0x83, 0xec, 0x18,       // sub rsp,0x18
			0x48, 0x89, 0x44, 0x24, 0x20, // mov [rsp+0x20],rax
			0x48, 0x89, 0xc1,             // mov rcx,rax
			0xbb, 0x05, 0x00, 0x00, 0x00, // mov ebx,0x5
			0xe8, 0x2a, 0x00, 0x00, 0x00, // call <inner>
			0x48, 0x83, 0xc4, 0x18,       // add rsp,0x18
			0xc3,                         // ret
		},
	[INNER] =
		{
			0x48, 0x83, 0xec, 0x18,       // sub rsp,0x18
			0x48, 0x89, 0x4c, 0x24, 0x08, // mov [rsp+0x8],rcx
			0x48, 0x89, 0x5c, 0x24, 0x10, // mov [rsp+0x10],rbx
			0x48, 0x8d, 0x7c, 0x24, 0x10, // lea rdi,[rsp+0x10]
			0x31, 0xc0,                   // xor eax,eax
			0xe8, 0x66, 0x00, 0x00, 0x00, // call <leaf>
			0x48, 0x83, 0xc4, 0x18,       // add rsp,0x18
			0xc3,                         // ret
		},
	[REPEAT] =
		{
			0x48, 0x83, 0xec, 0x18,       // sub rsp,0x18
			0x48, 0x89, 0x44, 0x24, 0x08, // mov [rsp+0x8],rax
			0x48, 0x89, 0x44, 0x24, 0x10, // mov [rsp+0x10],rax
			0x48, 0x8b, 0x5c, 0x24, 0x08, // mov rbx,[rsp+0x8]
			0x48, 0x8b, 0x44, 0x24, 0x10, // mov rax,[rsp+0x10]
			0xe8, 0x23, 0x00, 0x00, 0x00, // call <leaf>
			0x48, 0x89, 0x44, 0x24, 0x08, // mov [rsp+0x8],rax
			0x48, 0x85, 0xc0,             // test rax,rax
			0x75, 0xe7,                   // jne 8e <again>
			0x48, 0x83, 0xc4, 0x18,       // add rsp,0x18
			0xc3,                         // ret
		},
	[LEAF] =
		{
			0xc3, // ret
		},
	[COMPUTED] =
		{
			0x48, 0x83, 0xec, 0x18,       // sub rsp,0x18
			0x48, 0x89, 0x44, 0x24, 0x08, // mov [rsp+0x8],rax
			0xff, 0xe1,                   // jmp rcx
		},
	[LENT] =
		{
			0x48, 0x83, 0xec, 0x18,                               // sub rsp,0x18
			0x48, 0xc7, 0x44, 0x24, 0x10, 0x05, 0x00, 0x00, 0x00, // mov [rsp+0x10],5
			0x48, 0x8d, 0x44, 0x24, 0x10,                         // lea rax,[rsp+0x10]
			0xe8, 0x69, 0xff, 0xff, 0xff,                         // call <leaf>
			0x48, 0x8b, 0x5c, 0x24, 0x10,                         // mov rbx,[rsp+0x10]
			0xb9, 0x07, 0x00, 0x00, 0x00,                         // mov ecx,7
			0xe8, 0x5a, 0xff, 0xff, 0xff,                         // call <leaf>
			0x48, 0x83, 0xc4, 0x18,                               // add rsp,0x18
			0xc3,                                                 // ret
		},
	[LENT_LOWEST] =
		{
			0x48, 0x83, 0xec, 0x18,                         // sub rsp,0x18
			0x48, 0xc7, 0x04, 0x24, 0x05, 0x00, 0x00, 0x00, // mov [rsp],5
			0x48, 0x89, 0xe0,                               // mov rax,rsp
			0xe8, 0x2c, 0xff, 0xff, 0xff,                   // call <leaf>
			0x48, 0x8b, 0x1c, 0x24,                         // mov rbx,[rsp]
			0xb9, 0x07, 0x00, 0x00, 0x00,                   // mov ecx,7
			0xe8, 0x1e, 0xff, 0xff, 0xff,                   // call <leaf>
			0x48, 0x83, 0xc4, 0x18,                         // add rsp,0x18
			0xc3,                                           // ret
		},
	[PARTS] =
		{
			0x48, 0x83, 0xec, 0x18,       // sub rsp,0x18
			0x88, 0x4c, 0x24, 0x08,       // mov [rsp+0x8],cl
			0x48, 0x89, 0x5c, 0x24, 0x10, // mov [rsp+0x10],rbx
			0x48, 0x8d, 0x43, 0x30,       // lea rax,[rbx+0x30]
			0x0f, 0xb6, 0xf1,             // movzx esi,cl
			0xe8, 0xe7, 0xfe, 0xff, 0xff, // call <leaf>
			0x48, 0x83, 0xc4, 0x18,       // add rsp,0x18
			0xc3,                         // ret
		},
};

static const char *const names[] = {
	"outer", "inner", "repeat", "leaf", "computed", "lent", "lowest", "parts"};

struct fixture {
	struct arena arena;
	struct diag diag;
	struct mkpclntab *table;
	uint8_t text[FUNCTIONS * FUNCTION_SIZE];
	uint64_t stack[STACK_SIZE / 8];
	struct runtime rt;
	struct frame_table frames;
	struct walk *walk;
	struct flow *flow;
};

static void add_function(struct fixture *f, int i)
{
	static const struct mkpclntab_run framed[] = {{4, 0}, {FUNCTION_SIZE, DELTA}};
	static const struct mkpclntab_run frameless[] = {{FUNCTION_SIZE, 0}};

	mkpclntab_add(f->table, &(struct mkpclntab_func){.name = names[i],
					.size = FUNCTION_SIZE,
					.arguments_size = i == INNER ? 24 : 0,
					.sp = i == LEAF ? frameless : framed});
}

static void add_range(struct image *image, target_addr start, const void *bytes, size_t size)
{
	ck_assert_int_eq(
		image_add(image,
			(struct image_view){.start = start, .end = start + size, .bytes = bytes}),
		CS_OK);
}

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct image *image;

	ck_assert_ptr_nonnull(f);
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	memset(f->text, 0xcc, sizeof(f->text));
	f->table = mkpclntab_create(0xfffffff1, 1);
	for (int i = 0; i < FUNCTIONS; i++) {
		size_t size = FUNCTION_SIZE;

		while (size && !code[i][size - 1])
			size--;
		memcpy(f->text + i * FUNCTION_SIZE, code[i], size);
		add_function(f, i);
	}
	mkpclntab_finish(f->table, TEXT);
	image = image_create(ARCH_AMD64, &f->arena);
	ck_assert_ptr_nonnull(image);
	add_range(image, TEXT, f->text, sizeof(f->text));
	add_range(image, TABLE, f->table->table.bytes, f->table->table.size);
	add_range(image, STACK, f->stack, sizeof(f->stack));
	ck_assert_int_eq(image_seal(image), CS_OK);
	f->rt = (struct runtime){.image = image, .arena = &f->arena, .diag = &f->diag};
	ck_assert_int_eq(pclntab_load(image, TABLE, f->table->table.size, TEXT, 0, &f->arena,
				 &f->diag, &f->rt.functions),
		CS_OK);
	f->rt.modules[0].functions = f->rt.functions;
	f->rt.module_count = 1;
	frame_table_init(&f->frames, &f->rt);
	f->walk = calloc(1, sizeof(*f->walk));
	ck_assert_ptr_nonnull(f->walk);
	f->flow = flow_create(&f->frames);
	return f;
}

static void teardown(struct fixture *f)
{
	mkpclntab_destroy(f->table);
	arena_deinit(&f->arena);
	free(f->walk);
	free(f);
}

/** A frame of `function`, whose call ends `offset` bytes into it, below those before. */
static void push(struct fixture *f, int function, uint32_t offset)
{
	uint32_t place = frame_table_place(
		&f->frames, TEXT + (target_addr)function * FUNCTION_SIZE + offset, false);

	ck_assert_uint_ne(place, NO_PLACE);
	f->walk->places[f->walk->count] = place;
	f->walk->sps[f->walk->count] = SP + f->walk->count * (DELTA + 8);
	f->walk->count++;
}

/** The word at `offset` from the stack pointer of frame `frame`. */
static uint64_t *word(struct fixture *f, uint32_t frame, uint32_t offset)
{
	return &f->stack[(f->walk->sps[frame] - STACK + offset) / 8];
}

static bool ask(struct fixture *f, uint32_t frame, uint32_t reg, struct flow_value *ret)
{
	return flow_register(f->flow, f->walk, frame, reg, 8, ret);
}

START_TEST(a_spilled_register_is_found)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, OUTER, 0x16);
	*word(f, 0, 0x20) = 0x1234;
	ck_assert(ask(f, 0, AMD64_RAX, &value));
	ck_assert_uint_eq(value.bits, 0x1234);
	ck_assert_int_eq(value.evidence, EVIDENCE_SPILL);
	ck_assert_uint_eq(value.slot, SP + 0x20);
	ck_assert(ask(f, 0, AMD64_RCX, &value)); // a copy of it
	ck_assert_uint_eq(value.bits, 0x1234);
	ck_assert(ask(f, 0, AMD64_RBX, &value)); // a constant
	ck_assert_uint_eq(value.bits, 5);
	ck_assert_uint_eq(value.slot, 0);
	ck_assert(!ask(f, 0, AMD64_RSI, &value)); // only ever in a register
	ck_assert(!ask(f, 1, AMD64_RAX, &value)); // no such frame
	ck_assert(!ask(f, 0, 16, &value));
	teardown(f);
}
END_TEST

START_TEST(parts_of_words_and_sums_are_followed)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, PARTS, 0x19);
	*word(f, 0, 8) = 0xbadbadbadbad0042;
	*word(f, 0, 0x10) = 0xc000001000;
	ck_assert(ask(f, 0, AMD64_RAX, &value));
	ck_assert_uint_eq(value.bits, 0xc000001030);
	ck_assert_uint_eq(value.slot, 0); // the word holds something else
	ck_assert(!ask(f, 0, AMD64_RCX, &value));
	ck_assert(flow_register(f->flow, f->walk, 0, AMD64_RCX, 1, &value));
	ck_assert_uint_eq(value.bits, 0x42);
	ck_assert_uint_eq(value.slot, SP + 8);
	ck_assert(flow_register(f->flow, f->walk, 0, AMD64_RSI, 1, &value));
	ck_assert_uint_eq(value.bits, 0x42);
	ck_assert(!flow_register(f->flow, f->walk, 0, AMD64_RCX, 2, &value));
	ck_assert(!flow_register(f->flow, f->walk, 0, AMD64_RCX, 0, &value));
	ck_assert(!flow_register(f->flow, f->walk, 0, AMD64_RCX, 9, &value));
	teardown(f);
}
END_TEST

/** What the flow calls a part that lies in rax from `low` to `high` of a function. */
static symbol find(struct fixture *f, int function, uint32_t low, uint32_t high, bool is_constant)
{
	target_addr start = TEXT + (target_addr)function * FUNCTION_SIZE;
	struct flow_row row = {start + low, start + high, AMD64_RAX, true};
	struct flow_part part = {
		.rows = &row, .row_count = 1, .size = 8, .is_constant = is_constant};

	return flow_find(f->flow, f->walk, 0, &part);
}

START_TEST(what_a_list_has_lost_is_found_where_every_way_leads_from_it)
{
	struct fixture *f = setup();
	struct flow_value value;
	symbol held;

	push(f, OUTER, 0x16);
	*word(f, 0, 0x20) = 0x1234;
	held = find(f, OUTER, 4, 9, true);
	ck_assert(flow_symbol(f->flow, f->walk, 0, held, 8, &value));
	ck_assert_uint_eq(value.bits, 0x1234);
	// All of it is one line: there is no room for another statement.
	ck_assert_uint_eq(find(f, OUTER, 4, 9, false), held);
	ck_assert_uint_eq(find(f, OUTER, 0x16, 0x1a, true), 0); // behind the call only
	f->walk->count = 0;
	push(f, REPEAT, 0x1d);
	// What the call of the turn before gave: the first turn has none.
	ck_assert_uint_eq(find(f, REPEAT, 0x1d, 0x22, true), 0);
	teardown(f);
}
END_TEST

START_TEST(frames_are_linked)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, INNER, 0x1a);
	push(f, OUTER, 0x16);
	*word(f, 0, 8) = 0x5678;
	*word(f, 0, 0x10) = 0xbad; // its address was taken: not believed
	*word(f, 1, 0x20) = 0x5678;
	ck_assert(ask(f, 0, AMD64_RBX, &value)); // from the caller's code
	ck_assert_uint_eq(value.bits, 5);
	ck_assert_int_eq(value.evidence, EVIDENCE_CALLER);
	ck_assert(ask(f, 0, AMD64_RCX, &value));
	ck_assert_uint_eq(value.bits, 0x5678);
	ck_assert(ask(f, 1, AMD64_RCX, &value));
	ck_assert_uint_eq(value.bits, 0x5678);
	ck_assert(ask(f, 0, AMD64_RDI, &value)); // an address in the frame
	ck_assert_uint_eq(value.bits, SP + 0x10);
	ck_assert_uint_eq(f->diag.count, 0);
	teardown(f);
}
END_TEST

START_TEST(frames_that_disagree_tell_nothing)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, INNER, 0x1a);
	push(f, OUTER, 0x16);
	*word(f, 0, 8) = 1;
	*word(f, 1, 0x20) = 2;
	ck_assert(!ask(f, 1, AMD64_RCX, &value));
	ck_assert_uint_eq(f->diag.count, 1);
	ck_assert_str_eq(f->diag.entries[0].code, "contradiction");
	teardown(f);
}
END_TEST

START_TEST(frames_that_did_not_call_each_other_are_not_linked)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, REPEAT, 0x1d);
	push(f, OUTER, 0x16);
	*word(f, 0, 8) = 1;
	*word(f, 0, 0x10) = 1;
	*word(f, 1, 0x20) = 2;
	ck_assert(ask(f, 1, AMD64_RAX, &value));
	ck_assert_uint_eq(value.bits, 2);
	ck_assert_uint_eq(f->diag.count, 0);
	teardown(f);
}
END_TEST

START_TEST(a_word_that_a_loop_changes_is_told_from_one_that_it_keeps)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, REPEAT, 0x1d);
	*word(f, 0, 8) = 7;
	*word(f, 0, 0x10) = 9;
	ck_assert(ask(f, 0, AMD64_RAX, &value));
	ck_assert_uint_eq(value.bits, 9);
	ck_assert(ask(f, 0, AMD64_RBX, &value));
	ck_assert_uint_eq(value.bits, 7);
	teardown(f);
}
END_TEST

START_TEST(what_is_loaded_from_a_word_that_others_may_write_is_not_known)
{
	static const struct {
		uint32_t function, call, word;
	} rows[] = {{LENT, 0x26, 0x10}, {LENT_LOWEST, 0x22, 0}};

	for (int i = 0; i < 2; i++) {
		struct fixture *f = setup();
		struct flow_value value;

		push(f, (int)rows[i].function, rows[i].call);
		*word(f, 0, rows[i].word) = 8; // the leaf's
		ck_assert(ask(f, 0, AMD64_RCX, &value));
		ck_assert_uint_eq(value.bits, 7);
		ck_assert(!ask(f, 0, AMD64_RBX, &value));
		ck_assert_uint_eq(f->diag.count, 0);
		teardown(f);
	}
}
END_TEST

START_TEST(what_cannot_be_followed_tells_nothing)
{
	struct fixture *f = setup();
	struct flow_value value;

	push(f, COMPUTED, 0x9);
	ck_assert(!ask(f, 0, AMD64_RAX, &value));
	f->walk->count = 0;
	push(f, OUTER, 0x15); // in the middle of the call
	ck_assert(!ask(f, 0, AMD64_RAX, &value));
	f->walk->count = 0;
	push(f, INNER, 0x20); // no call at all
	ck_assert(!ask(f, 0, AMD64_RAX, &value));
	teardown(f);
}
END_TEST

START_TEST(every_prefix_of_code_decodes_or_is_refused)
{
	struct instruction list[FUNCTION_SIZE];
	size_t whole = 0;

	for (size_t size = 0; size <= FUNCTION_SIZE; size++) {
		size_t count = instructions_decode(code[OUTER], size, TEXT, list, FUNCTION_SIZE);

		for (size_t i = 1; i < count; i++)
			ck_assert_uint_eq(list[i].pc, list[i - 1].pc + list[i - 1].size);
		whole += count > 0;
	}
	ck_assert_uint_gt(whole, 6);
	ck_assert_uint_eq(instructions_decode(code[OUTER], 0x1b, TEXT, list, 3), 0);
}
END_TEST

Suite *suite_flow(void);

Suite *suite_flow(void)
{
	Suite *suite = suite_create("flow");
	TCase *tests = tcase_create("flow");

	tcase_add_test(tests, a_spilled_register_is_found);
	tcase_add_test(tests, parts_of_words_and_sums_are_followed);
	tcase_add_test(tests, what_a_list_has_lost_is_found_where_every_way_leads_from_it);
	tcase_add_test(tests, frames_are_linked);
	tcase_add_test(tests, frames_that_disagree_tell_nothing);
	tcase_add_test(tests, frames_that_did_not_call_each_other_are_not_linked);
	tcase_add_test(tests, a_word_that_a_loop_changes_is_told_from_one_that_it_keeps);
	tcase_add_test(tests, what_is_loaded_from_a_word_that_others_may_write_is_not_known);
	tcase_add_test(tests, what_cannot_be_followed_tells_nothing);
	tcase_add_test(tests, every_prefix_of_code_decodes_or_is_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
