#include "analyzer/binary/dwarf_globals.h"
#include "analyzer/binary/dwarf_scope.h"
#include "analyzer/binary/dwarf_type.h"

#include "tests/lib/mkdwarf.h"
#include "tests/lib/mkgo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct arena arena;
	struct diag diag;
	struct mkelf *elf;
	struct binary *binary;
	struct dwarf *dwarf;
	struct dwarf_units units;
	struct dwarf_scopes *scopes;
	int fd;
};

static void setup(struct fixture *f, int version, const char *odd, size_t odd_size)
{
	arena_init(&f->arena, 0);
	diag_init(&f->diag, &f->arena);
	f->elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	mkgo_add_buildinfo(f->elf, "go1.26.8", "", true);
	mkdwarf_add(f->elf, version, odd, odd_size);
	f->fd = mkelf_open(f->elf);
	ck_assert_int_eq(binary_open(f->fd, "prog", &f->arena, &f->diag, &f->binary), CS_OK);
	ck_assert_int_eq(binary_dwarf(f->binary, &f->diag, &f->dwarf), CS_OK);
	ck_assert_int_eq(dwarf_units_load(f->dwarf, &f->units), CS_OK);
	f->scopes = arena_alloc(&f->arena, sizeof(*f->scopes));
}

static void teardown(struct fixture *f)
{
	binary_close(f->binary);
	close(f->fd);
	mkelf_destroy(f->elf);
	arena_deinit(&f->arena);
}

/* "main.f: n s moved& …": what is in scope at `pc`, functions from the outside in. */
static const char *scopes_text(struct fixture *f, uint64_t pc)
{
	const char *text = "";

	if (!dwarf_scopes_at(&f->units, pc, f->scopes))
		return "none";
	for (uint32_t i = 0; i < f->scopes->count; i++) {
		const struct dwarf_scope *scope = &f->scopes->list[i];

		text = arena_format(&f->arena, "%s%s%s:", text, i ? " | " : "", scope->function);
		for (uint32_t k = 0; k < scope->count; k++) {
			const struct dwarf_variable *v = &scope->variables[k];

			text = arena_format(&f->arena, "%s %s%s%s%s%s%s", text,
				v->is_escaped ? "&" : "", v->name, v->is_argument ? "*" : "",
				v->is_result ? "=" : "", v->is_shadowed ? "-" : "",
				v->closure_offset >= 0 ? "^" : "");
		}
	}
	return text;
}

/* The loop variable is the DWARF version less 4. */
START_TEST(scopes_are_found)
{
	static const struct {
		uint64_t pc;
		const char *expected;
	} rows[] = {
		{MKDWARF_LOW - 1, "none"},
		{MKDWARF_LOW, "main.f: n* s* ~r0= late &moved odd"},
		{MKDWARF_LOW + 0x3f, "main.f: n* s* ~r0= late &moved odd"},
		{MKDWARF_LOW + 0x40, "main.f: n*- s* ~r0= late &moved odd n"},
		{MKDWARF_LOW + 0x50, "main.f: n*- s* ~r0= late &moved odd n | lib.inner: p* gone*"},
		{MKDWARF_LOW + 0x58, "main.f: n*- s* ~r0= late &moved odd n"},
		{MKDWARF_LOW + 0x60, "main.f: n* s* ~r0= late &moved odd"},
		{MKDWARF_HIGH, "main.f.func1: captured^"},
		{MKDWARF_END, "none"},
	};
	struct fixture f;

	setup(&f, 4 + _i, "", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_str_eq(scopes_text(&f, rows[i].pc), rows[i].expected);
	teardown(&f);
}
END_TEST

static const char *piece_text(struct fixture *f, const struct dwarf_piece *piece)
{
	static const char *const kinds[] = {[DWARF_PIECE_NONE] = "none",
		[DWARF_PIECE_FRAME] = "cfa",
		[DWARF_PIECE_ADDRESS] = "address",
		[DWARF_PIECE_REGISTER_MEMORY] = "memory",
		[DWARF_PIECE_REGISTER] = "register",
		[DWARF_PIECE_CONSTANT] = "constant",
		[DWARF_PIECE_FRAME_ADDRESS] = "address-of",
		[DWARF_PIECE_BYTES] = "bytes"};

	return arena_format(&f->arena, "%s %u%+lld/%u", kinds[piece->kind], piece->register_number,
		(long long)piece->number, piece->size);
}

/* Where the variable `name` of main.f, the last of that name, lies at `pc`. */
static const char *location_text(struct fixture *f, uint64_t pc, const char *name)
{
	struct dwarf_location location;
	const char *text = "";

	ck_assert(dwarf_scopes_at(&f->units, pc, f->scopes));
	for (uint32_t i = f->scopes->list[0].count; i-- > 0;) {
		struct dwarf_variable *v = &f->scopes->list[0].variables[i];

		if (strcmp(v->name, name))
			continue;
		dwarf_location_at(f->dwarf, f->scopes->unit, &v->die, pc, &location);
		for (uint32_t k = 0; k < location.count; k++)
			text = arena_format(&f->arena, "%s%s%s", text, k ? ", " : "",
				piece_text(f, &location.pieces[k]));
		return location.is_unread ? "unread" : text;
	}
	return "no such variable";
}

START_TEST(lists_are_read)
{
	static const struct {
		uint64_t offset;
		const char *name, *expected;
	} rows[] = {
		{0, "n", "register 0+0/0"},
		{0xf, "n", "register 0+0/0"},
		{0x10, "n", "cfa 0+0/0"},
		{0xff, "n", "cfa 0+0/0"},
		{0x45, "n", "cfa 0-40/0"},
		{0, "s", "register 3+0/8, register 2+0/8"},
		{0x20, "s", "cfa 0+8/8, cfa 0+16/8"},
		{0x7f, "late", ""},
		{0x80, "late", "cfa 0-8/0"},
		{0, "moved", "cfa 0-24/0"},
		{0, "~r0", ""},
	};
	struct fixture f;

	setup(&f, 4 + _i, "", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_str_eq(location_text(&f, MKDWARF_LOW + rows[i].offset, rows[i].name),
			rows[i].expected);
	teardown(&f);
}
END_TEST

#define EXPRESSION(bytes) bytes, sizeof(bytes) - 1

static const struct {
	const char *bytes;
	size_t size;
	const char *expected;
} expressions[] = {
	{EXPRESSION(""), ""},
	{EXPRESSION("\x57"), "register 7+0/0"},
	{EXPRESSION("\x90\x11"), "register 17+0/0"}, // regx: xmm0
	{EXPRESSION("\x77\x10"), "memory 7+16/0"},   // breg7 16
	{EXPRESSION("\x03\x40\x23\x51\0\0\0\0\0"), "address 0+5317440/0"},
	{EXPRESSION("\xa1\x01"), "address 0+4198400/0"}, // addrx 1
	{EXPRESSION("\x9c\x11\x70\x22"), "cfa 0-16/0"},  // cfa, consts -16, plus
	{EXPRESSION("\x9c\x23\x08"), "cfa 0+8/0"},       // cfa, plus_uconst 8
	{EXPRESSION("\x9c\x38\x1c"), "cfa 0-8/0"},       // cfa, lit8, minus
	{EXPRESSION("\x9c\x9f"), "address-of 0+0/0"},    // cfa, stack_value
	{EXPRESSION("\x3f\x9f"), "constant 0+15/0"},     // lit15, stack_value
	{EXPRESSION("\x09\xff\x9f"), "constant 0-1/0"},  // const1s, stack_value
	{EXPRESSION("\x9e\x02\x01\x02"), "bytes 0+0/2"}, // implicit_value
	{EXPRESSION("\x93\x04\x50\x93\x04"), "none 0+0/4, register 0+0/4"},
	// What cannot be evaluated, or says nothing clear:
	{EXPRESSION("\xa3\x01\x50"), "unread"},         // entry_value
	{EXPRESSION("\x06"), "unread"},                 // deref of nothing
	{EXPRESSION("\x9c\x06"), "unread"},             // deref
	{EXPRESSION("\x22"), "unread"},                 // plus of nothing
	{EXPRESSION("\x50\x51"), "unread"},             // two registers
	{EXPRESSION("\x9c\x9c\x22"), "unread"},         // two addresses added
	{EXPRESSION("\x9c\x9c"), "unread"},             // one too many
	{EXPRESSION("\x50\x93\0"), "unread"},           // a piece of nothing
	{EXPRESSION("\x50\x93\x08\x51"), "unread"},     // a rest without a piece
	{EXPRESSION("\x9e\x09\x01"), "unread"},         // bytes past the end
	{EXPRESSION("\x9e\x01\x01\x93\x02"), "unread"}, // fewer than the piece has
	{EXPRESSION("\x03\x40\x23"), "unread"},         // cut
	{EXPRESSION("\x91\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), "unread"},
	{EXPRESSION("\x77\x10\x9f"), "unread"}, // a register's value and more
	{EXPRESSION("\x30\x30\x30\x30\x30\x30\x30\x30\x30"), "unread"},
};

/* The loop variable is the row, twice for the two versions. */
START_TEST(expressions_are_evaluated)
{
	size_t row = (size_t)_i / 2;
	struct fixture f;

	if (_i % 2 == 0 && !memcmp(expressions[row].bytes, "\xa1", 1))
		return; // an index, which DWARF 4 does not have
	setup(&f, 4 + _i % 2, expressions[row].bytes, expressions[row].size);
	ck_assert_str_eq(location_text(&f, MKDWARF_LOW, "odd"), expressions[row].expected);
	teardown(&f);
}
END_TEST

START_TEST(a_place_is_dated)
{
	const struct dwarf_piece home = {.kind = DWARF_PIECE_FRAME};
	const struct dwarf_piece rax = {.kind = DWARF_PIECE_REGISTER};
	struct dwarf_variable *n;
	struct fixture f;

	setup(&f, 4 + _i, "", 0);
	ck_assert(dwarf_scopes_at(&f.units, MKDWARF_LOW, f.scopes));
	n = &f.scopes->list[0].variables[0];
	ck_assert_uint_eq(
		dwarf_location_since(f.dwarf, f.scopes->unit, &n->die, MKDWARF_LOW + 0x80, &home),
		MKDWARF_LOW + 0x10);
	ck_assert_uint_eq(
		dwarf_location_since(f.dwarf, f.scopes->unit, &n->die, MKDWARF_LOW + 8, &rax),
		MKDWARF_LOW);
	ck_assert_uint_eq(
		dwarf_location_since(f.dwarf, f.scopes->unit, &n->die, MKDWARF_LOW + 0x80, &rax),
		0);
	ck_assert(dwarf_location_is_word(f.dwarf, f.scopes->unit, &n->die));
	n = &f.scopes->list[0].variables[1]; // s, in pieces
	ck_assert(!dwarf_location_is_word(f.dwarf, f.scopes->unit, &n->die));
	teardown(&f);
}
END_TEST

START_TEST(types_are_read)
{
	struct dwarf_types types;
	struct type *n, *s, *moved;
	struct fixture f;

	setup(&f, 4 + _i, "", 0);
	dwarf_types_init(&types, f.dwarf);
	ck_assert(dwarf_scopes_at(&f.units, MKDWARF_LOW, f.scopes));
	n = dwarf_types_get(&types, &f.scopes->list[0].variables[0].type);
	s = dwarf_types_get(&types, &f.scopes->list[0].variables[1].type);
	moved = dwarf_types_get(&types, &f.scopes->list[0].variables[4].type);
	ck_assert_int_eq(n->kind, GO_INT);
	ck_assert_str_eq(n->name, "int");
	ck_assert_uint_eq(n->size, 8);
	ck_assert(n->is_named && !n->package);
	ck_assert_int_eq(s->kind, GO_STRING);
	ck_assert_uint_eq(s->size, 16);
	ck_assert_int_eq(moved->kind, GO_POINTER);
	ck_assert_str_eq(moved->name, "*int");
	ck_assert(!moved->is_named);
	ck_assert_ptr_eq(moved->element, n); // one type, one object
	teardown(&f);
}
END_TEST

START_TEST(names_are_reflects)
{
	static const char *const rows[][2] = {
		{"int", "int"},
		{"main.T", "main.T"},
		{"encoding/json.RawMessage", "json.RawMessage"},
		{"*net/http.Request", "*http.Request"},
		{"[]example.com/a/b.T", "[]b.T"},
		{"[4]example.com/a/b.T", "[4]b.T"},
		{"map[string]encoding/json.Number", "map[string]json.Number"},
		{"map[encoding/json.Number]chan net/http.Header",
			"map[json.Number]chan http.Header"},
		{"func(context.Context, ...net/url.Values) error",
			"func(context.Context, ...url.Values) error"},
		{"struct { A net/url.URL; b int }", "struct { A url.URL; b int }"},
		{"example.com/x.Pair[int,encoding/json.Number]",
			"x.Pair[int,encoding/json.Number]"},
		{"map[example.com/x.Box[map[string]a/b.T]][]a/b.T",
			"map[x.Box[map[string]a/b.T]][]b.T"},
		{"main.local\302\2671", "main.local"},
		{"a/b.l\303\266cal", "b.l\303\266cal"},
		{"main.Open[int", "main.Open[int"},
		{"", ""},
	};
	struct arena arena;

	arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_str_eq(dwarf_type_name(&arena, rows[i][0]), rows[i][1]);
	arena_deinit(&arena);
}
END_TEST

START_TEST(globals_are_found)
{
	static const struct {
		const char *pattern, *expected;
	} rows[] = {
		{"main.state", " main.state"},
		{"main.*", " main.state main.other"},
		{"*.state", " lib.state main.state"},
		{"main.s?ate", " main.state"},
		{"mai", ""},
		{"ma*e", " main.state"},
		{"other.*", ""},
		{"main", ""},
		{"", ""},
	};
	struct fixture f;

	setup(&f, 4 + _i, "", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dwarf_globals globals;
		const char *text = "";

		ck_assert_int_eq(dwarf_globals_find(&f.units, rows[i].pattern, &globals), CS_OK);
		for (size_t k = 0; k < globals.count; k++)
			text = arena_format(&f.arena, "%s %s", text, globals.list[k].name);
		ck_assert_str_eq(text, rows[i].expected);
		if (!i)
			ck_assert_uint_eq(globals.list[0].address, MKDWARF_STATE);
	}
	teardown(&f);
}
END_TEST

/* Everything that is read of a program's variables, of one file. */
static void read_all(const uint8_t *bytes, size_t size)
{
	struct fixture f = {.fd = mkelf_open_bytes(bytes, size)};
	struct dwarf_globals globals;
	struct dwarf_types types;

	arena_init(&f.arena, 64 << 20);
	diag_init(&f.diag, &f.arena);
	f.scopes = arena_alloc(&f.arena, sizeof(*f.scopes));
	if (binary_open(f.fd, "prog", &f.arena, &f.diag, &f.binary) == CS_OK) {
		if (binary_dwarf(f.binary, &f.diag, &f.dwarf) == CS_OK &&
			dwarf_units_load(f.dwarf, &f.units) == CS_OK) {
			dwarf_types_init(&types, f.dwarf);
			for (uint64_t pc = MKDWARF_LOW; pc < MKDWARF_END; pc += 0x28) {
				if (!dwarf_scopes_at(&f.units, pc, f.scopes))
					continue;
				for (uint32_t i = 0; i < f.scopes->list[0].count; i++) {
					struct dwarf_variable *v = &f.scopes->list[0].variables[i];
					struct dwarf_location location;

					dwarf_location_at(
						f.dwarf, f.scopes->unit, &v->die, pc, &location);
					dwarf_types_get(&types, &v->type);
				}
			}
			ck_assert_int_eq(dwarf_globals_find(&f.units, "*", &globals), CS_OK);
		}
		binary_close(f.binary);
	}
	close(f.fd);
	arena_deinit(&f.arena);
}

/* Each byte of the file in turn is another one: nothing but less is found. */
START_TEST(damage_is_survived)
{
	static const uint8_t others[] = {0x00, 0x01, 0x7f, 0xff};
	struct mkelf *elf = mkelf_executable_create(EM_X86_64, ET_EXEC, MKGO_TEXT);
	const uint8_t *whole;
	uint8_t *damaged;
	size_t size;

	mkgo_add_buildinfo(elf, "go1.26.8", "", true);
	mkdwarf_add(elf, 4 + _i / 4, "", 0);
	whole = mkelf_finish(elf, &size);
	damaged = malloc(size);
	ck_assert_ptr_nonnull(damaged);
	memcpy(damaged, whole, size);
	read_all(damaged, size);
	for (size_t i = 0; i < size; i++) {
		damaged[i] = others[_i % 4];
		if (damaged[i] != whole[i])
			read_all(damaged, size);
		damaged[i] = whole[i];
	}
	for (size_t cut = 0; cut < size; cut += 16)
		read_all(damaged, cut);
	free(damaged);
	mkelf_destroy(elf);
}
END_TEST

Suite *suite_dwarf_variables(void);

Suite *suite_dwarf_variables(void)
{
	Suite *suite = suite_create("dwarf_variables");
	TCase *tc = tcase_create("dwarf_variables");

	tcase_add_loop_test(tc, scopes_are_found, 0, 2);
	tcase_add_loop_test(tc, lists_are_read, 0, 2);
	tcase_add_loop_test(tc, expressions_are_evaluated, 0,
		2 * (int)(sizeof(expressions) / sizeof(expressions[0])));
	tcase_add_loop_test(tc, a_place_is_dated, 0, 2);
	tcase_add_loop_test(tc, types_are_read, 0, 2);
	tcase_add_test(tc, names_are_reflects);
	tcase_add_loop_test(tc, globals_are_found, 0, 2);
	tcase_add_loop_test(tc, damage_is_survived, 0, 8);
	suite_add_tcase(suite, tc);
	return suite;
}
