#include "analyzer/values/known_registers.h"
#include "analyzer/values/leaves.h"

#include <check.h>
#include <string.h>

#define STACK 0xc000100000
#define CONTEXT 0xc000200000
#define PC 0x401234

/* A goroutine of two frames: asyncPreempt, or another function, and the one below it. */
struct fixture {
	struct arena arena;
	struct image *image;
	struct runtime rt;
	struct frame frames[2];
	struct code_place places[2];
	struct frame_table table;
	struct image_thread thread;
	struct thread_state state;
	struct thread_states threads;
	struct goroutine g;
	struct walk *walk;
	uint64_t stack[128], context[128];
	struct known_registers registers;
};

static void setup_of(struct fixture *f, enum image_arch arch, const char *callee, bool is_exact)
{
	*f = (struct fixture){.g = {.m = 0x1000}};
	arena_init(&f->arena, 0);
	f->image = image_create(arch, &f->arena);
	for (uint32_t i = 0; i < 128; i++) {
		f->stack[i] = 1000 + i;
		f->context[i] = 2000 + i;
	}
	f->context[28] = CONTEXT + 256; // fpregs
	ck_assert_int_eq(image_add(f->image, (struct image_view){.start = STACK,
						     .end = STACK + sizeof(f->stack),
						     .bytes = (const uint8_t *)f->stack}),
		CS_OK);
	ck_assert_int_eq(image_add(f->image, (struct image_view){.start = CONTEXT,
						     .end = CONTEXT + sizeof(f->context),
						     .bytes = (const uint8_t *)f->context}),
		CS_OK);
	ck_assert_int_eq(image_seal(f->image), CS_OK);
	f->rt = (struct runtime){.image = f->image, .arena = &f->arena};
	f->frames[0] = (struct frame){.function = callee, .pc = 0x400500};
	f->frames[1] = (struct frame){.function = "main.spin", .pc = PC};
	f->places[0] = (struct code_place){.frame_count = 1, .frame_size = 136};
	f->places[1] =
		(struct code_place){.first_frame = 1, .frame_count = 1, .is_exact = is_exact};
	f->table = (struct frame_table){
		.rt = &f->rt, .frames = f->frames, .places = f->places, .place_count = 2};
	f->walk = arena_alloc(&f->arena, sizeof(*f->walk));
	f->walk->count = 2;
	f->walk->places[1] = 1;
	f->walk->sps[0] = STACK;
	f->walk->sps[1] = STACK + 136;
	f->state.thread = &f->thread;
	f->threads = (struct thread_states){.list = &f->state, .count = 1};
	u64map_init(&f->threads.by_machine, &f->arena);
	ck_assert(u64map_put(&f->threads.by_machine, 0x1000, 0));
}

static void setup(struct fixture *f, const char *callee, bool is_exact)
{
	setup_of(f, ARCH_AMD64, callee, is_exact);
}

static uint64_t value(struct fixture *f, uint64_t number)
{
	uint64_t ret = 0;

	ck_assert(known_register(&f->registers, number, &ret));
	return ret;
}

static void load(struct fixture *f, uint32_t index)
{
	known_registers_load(&f->table, &f->threads, &f->g, f->walk, index, &f->registers);
}

START_TEST(a_caller_has_none)
{
	struct fixture f;

	setup(&f, "runtime.asyncPreempt", false);
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask, 0);
	arena_deinit(&f.arena);
	setup(&f, "main.callee", true); // stood there, but nothing tells with what
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask, 0);
	arena_deinit(&f.arena);
}
END_TEST

START_TEST(preemption_saves_them)
{
	struct fixture f;
	uint64_t none;

	setup(&f, "runtime.asyncPreempt", true);
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 0), 1000);               // ax
	ck_assert_uint_eq(value(&f, 2), 1001);               // cx
	ck_assert_uint_eq(value(&f, 1), 1002);               // dx
	ck_assert_uint_eq(value(&f, 3), 1003);               // bx
	ck_assert_uint_eq(value(&f, 15), 1013);              // r15
	ck_assert(!known_register(&f.registers, 17, &none)); // go1.26: elsewhere
	ck_assert(!known_register(&f.registers, 6, &none));  // bp
	ck_assert(!known_register(&f.registers, 99, &none));
	f.places[0].frame_size = 392;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 17), 1014); // X0
	ck_assert_uint_eq(value(&f, 18), 1016);
	f.walk->cut_at = 1; // frames are missing between the two
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask, 0);
	arena_deinit(&f.arena);
}
END_TEST

START_TEST(a_goroutine_keeps_its_vectors)
{
	struct fixture f;

	setup(&f, "runtime.asyncPreempt", true);
	f.rt.layout.facts[G_EXTENDED_REGISTERS] =
		(struct fact){.found = true, .value = 40, .size = 8};
	f.rt.object_sizes[OBJECT_G] = 48;
	f.g.address = STACK + 800;
	f.stack[105] = CONTEXT;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 17), 2000); // of 64 bytes each
	ck_assert_uint_eq(value(&f, 19), 2016);
	f.stack[105] = 0; // it has gone on, or not come so far
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask >> 17, 0);
	arena_deinit(&f.arena);
}
END_TEST

START_TEST(arm64_saves_them)
{
	struct fixture f;
	uint64_t none;

	setup_of(&f, ARCH_ARM64, "runtime.asyncPreempt", true);
	f.places[0].frame_size = 496;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 0), 1001);
	ck_assert_uint_eq(value(&f, 17), 1018);
	ck_assert_uint_eq(value(&f, 19), 1019);
	ck_assert_uint_eq(value(&f, 26), 1026);
	ck_assert_uint_eq(value(&f, 64), 1029); // v0
	ck_assert_uint_eq(value(&f, 95), 1060);
	ck_assert(!known_register(&f.registers, 18, &none));
	ck_assert(!known_register(&f.registers, 96, &none));
	f.places[0].frame_size = 240; // go1.26: elsewhere
	load(&f, 1);
	ck_assert(!known_register(&f.registers, 64, &none));
	arena_deinit(&f.arena);
	setup_of(&f, ARCH_ARM64, "runtime.sigtramp", true);
	f.walk->signals[0] = (struct position){.pc = PC, .sp = STACK + 136, .is_exact = true};
	f.walk->contexts[0] = CONTEXT;
	f.walk->signal_count = 1;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 0), 2023);               // 184 bytes into the context
	ck_assert_uint_eq(value(&f, 31), 2054);              // sp
	ck_assert(!known_register(&f.registers, 64, &none)); // no record of them is there
	f.context[58] = 0x46508001;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 64), 2060);
	ck_assert_uint_eq(value(&f, 65), 2062);
	arena_deinit(&f.arena);
}
END_TEST

START_TEST(a_signal_saves_them)
{
	struct fixture f;

	setup(&f, "runtime.sigtramp", true);
	f.walk->signals[0] = (struct position){.pc = PC, .sp = STACK + 136, .is_exact = true};
	f.walk->contexts[0] = CONTEXT;
	f.walk->signal_count = 1;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 8), 2005);  // r8, 40 bytes into the context
	ck_assert_uint_eq(value(&f, 0), 2018);  // ax
	ck_assert_uint_eq(value(&f, 7), 2020);  // sp
	ck_assert_uint_eq(value(&f, 17), 2052); // xmm0, 160 bytes into the floating state
	f.walk->signals[0].sp++;                // another frame's
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask, 0);
	arena_deinit(&f.arena);
}
END_TEST

START_TEST(a_thread_has_them)
{
	struct fixture f;

	setup(&f, "main.callee", true);
	f.thread.regs.count = 27;
	for (uint32_t i = 0; i < 27; i++)
		f.thread.regs.raw[i] = 3000 + i;
	f.state.way.stops[0] = (struct position){.pc = PC, .sp = STACK + 136, .is_exact = true};
	f.state.way.stop_count = 1;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 0), 3010); // ax
	ck_assert_uint_eq(value(&f, 14), 3001);
	ck_assert_uint_eq(value(&f, 5), 3014); // di
	// Behind a signal frame that another walk followed.
	f.state.way.stops[0].pc++;
	f.state.way.stops[1] = (struct position){.pc = PC, .sp = STACK + 136, .is_exact = true};
	f.state.way.contexts[1] = CONTEXT;
	f.state.way.stop_count = 2;
	load(&f, 1);
	ck_assert_uint_eq(value(&f, 0), 2018);
	f.g.m = 0x2000; // on no thread
	load(&f, 1);
	ck_assert_uint_eq(f.registers.mask, 0);
	arena_deinit(&f.arena);
}
END_TEST

/* {a uint8; b uint16; c uint32; s string; e [0]uint64; f [1]uint64}: 40 bytes. */
START_TEST(pieces_are_padded)
{
	struct type byte = {.kind = GO_UINT8, .size = 1, .is_loaded = true};
	struct type half = {.kind = GO_UINT16, .size = 2, .is_loaded = true};
	struct type word = {.kind = GO_UINT32, .size = 4, .is_loaded = true};
	struct type wide = {.kind = GO_UINT64, .size = 8, .is_loaded = true};
	struct type text = {.kind = GO_STRING, .size = 16, .is_loaded = true};
	struct type none = {.kind = GO_ARRAY, .element = &wide, .is_loaded = true};
	struct type one = {
		.kind = GO_ARRAY, .size = 8, .element = &wide, .length = 1, .is_loaded = true};
	const struct type_field fields[] = {{"a", &byte, 0, false}, {"b", &half, 2, false},
		{"c", &word, 4, false}, {"s", &text, 8, false}, {"e", &none, 24, false},
		{"f", &one, 24, false}};
	struct type type = {.kind = GO_STRUCT,
		.size = 32,
		.fields = fields,
		.field_count = 6,
		.is_loaded = true};
	static const uint32_t sizes[] = {1, 2, 4, 8, 8, 8};
	static const uint32_t padded[] = {1, 1, 2, 4, 8, 8, 8};
	struct dwarf_location location = {.count = 6, .is_listed = true};
	struct leaf leaves[6];

	ck_assert_uint_eq(leaves_of(&type, leaves, 6), 6);
	ck_assert_uint_eq(leaves[4].offset, 16);
	ck_assert_uint_eq(leaves_of(&type, leaves, 5), 0);
	for (uint32_t i = 0; i < 6; i++)
		location.pieces[i] = (struct dwarf_piece){
			.kind = DWARF_PIECE_REGISTER, .size = sizes[i], .register_number = i};
	ck_assert(leaves_pad(&type, &location));
	ck_assert_uint_eq(location.count, 7);
	for (uint32_t i = 0; i < 7; i++)
		ck_assert_uint_eq(location.pieces[i].size, padded[i]);
	ck_assert_int_eq(location.pieces[1].kind, DWARF_PIECE_NONE);
	ck_assert_uint_eq(location.pieces[2].register_number, 1);
	ck_assert(leaves_pad(&type, &location)); // whole now: nothing more to do
	ck_assert_uint_eq(location.count, 7);
	location.count = 5; // one scalar is not named: nobody knows which
	ck_assert(!leaves_pad(&type, &location));
}
END_TEST

Suite *suite_known_registers(void);

Suite *suite_known_registers(void)
{
	Suite *suite = suite_create("known_registers");
	TCase *tc = tcase_create("known_registers");

	tcase_add_test(tc, a_caller_has_none);
	tcase_add_test(tc, preemption_saves_them);
	tcase_add_test(tc, a_goroutine_keeps_its_vectors);
	tcase_add_test(tc, arm64_saves_them);
	tcase_add_test(tc, a_signal_saves_them);
	tcase_add_test(tc, a_thread_has_them);
	tcase_add_test(tc, pieces_are_padded);
	suite_add_tcase(suite, tc);
	return suite;
}
