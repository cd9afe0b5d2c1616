// Two units: "lib", with the abstract function lib.inner(p, gone), and "main":
//
//	main.f  1000-1100  n: rax until 1010, then cfa+0      s: rbx, rcx until 1020, then cfa+8,
//cfa+16 	                   late: cfa-8 from 1080 on           &moved: cfa-24     odd: as the test wants 	                   .autotmp_1:
//cfa-32                 ~r0: nowhere 	  block 1040-1060  n: cfa-40, line 14 	  inlined lib.inner
//1050-1058: p as main.f's n 	main.f.func1 1100-1140  captured: cfa-8, at 16 in the closure
#include "tests/lib/mkdwarf.h"

#include "analyzer/binary/dwarf.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t at[4096];
	size_t size;
};

struct builder {
	struct bytes info, abbreviations, lists, addresses;
	int version;
};

static void put(struct bytes *b, const void *bytes, size_t size)
{
	if (size > sizeof(b->at) - b->size)
		abort();
	if (size)
		memcpy(b->at + b->size, bytes, size);
	b->size += size;
}

static void put_number(struct bytes *b, uint64_t value, size_t size)
{
	put(b, &value, size);
}

static void put_u8(struct bytes *b, uint64_t value)
{
	put_number(b, value, 1);
}

static void put_uleb(struct bytes *b, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_u8(b, (value | 0x80) & 0xff);
	put_u8(b, value);
}

static void put_string(struct bytes *b, const char *text)
{
	put(b, text, strlen(text) + 1);
}

enum {
	UNIT = 1,
	FUNCTION,
	ABSTRACT,
	BLOCK,
	INLINED,
	PARAMETER,
	RESULT,
	GONE,
	COPY,
	LISTED,
	PLACED,
	CAPTURED,
	GLOBAL,
	BASE,
	STRING,
	POINTER
};

#define NAME DW_AT_name, DW_FORM_string
#define LINE DW_AT_decl_line, DW_FORM_udata
#define TYPE DW_AT_type, DW_FORM_ref_addr
#define LOW DW_AT_low_pc, DW_FORM_addr
#define HIGH DW_AT_high_pc, DW_FORM_addr
#define LIST DW_AT_location, DW_FORM_sec_offset
#define PLACE DW_AT_location, DW_FORM_block1
#define ORIGIN DW_AT_abstract_origin, DW_FORM_ref_addr
#define KIND DW_AT_GO_kind, DW_FORM_data1
#define RUNTIME_TYPE DW_AT_GO_runtime_type, DW_FORM_addr
#define SIZE DW_AT_byte_size, DW_FORM_udata
#define IS_RESULT DW_AT_variable_parameter, DW_FORM_flag

static void put_abbreviations(struct bytes *b)
{
	static const struct {
		uint16_t tag, has_children, attributes[13];
	} rows[] = {
		[UNIT] = {DW_TAG_compile_unit, 1,
			{NAME, DW_AT_language, DW_FORM_data1, LOW, HIGH, DW_AT_producer,
				DW_FORM_string, DW_AT_addr_base, DW_FORM_sec_offset}},
		[FUNCTION] = {DW_TAG_subprogram, 1,
			{NAME, LOW, HIGH, LINE, DW_AT_frame_base, DW_FORM_block1}},
		[ABSTRACT] = {DW_TAG_subprogram, 1, {NAME, DW_AT_inline, DW_FORM_data1}},
		[BLOCK] = {DW_TAG_lexical_block, 1, {LOW, HIGH}},
		[INLINED] = {DW_TAG_inlined_subroutine, 1, {ORIGIN, LOW, HIGH}},
		[PARAMETER] = {DW_TAG_formal_parameter, 0, {NAME, IS_RESULT, LINE, TYPE, LIST}},
		[RESULT] = {DW_TAG_formal_parameter, 0, {NAME, IS_RESULT, LINE, TYPE, PLACE}},
		[GONE] = {DW_TAG_formal_parameter, 0, {NAME, LINE, TYPE}},
		[COPY] = {DW_TAG_formal_parameter, 0, {ORIGIN, LIST}},
		[LISTED] = {DW_TAG_variable, 0, {NAME, LINE, TYPE, LIST}},
		[PLACED] = {DW_TAG_variable, 0, {NAME, LINE, TYPE, PLACE}},
		[CAPTURED] = {DW_TAG_variable, 0,
			{NAME, LINE, TYPE, DW_AT_GO_closure_offset, DW_FORM_udata, PLACE}},
		[GLOBAL] = {DW_TAG_variable, 0, {NAME, PLACE, TYPE}},
		[BASE] = {DW_TAG_base_type, 0, {NAME, SIZE, KIND, RUNTIME_TYPE}},
		[STRING] = {DW_TAG_structure_type, 0, {NAME, SIZE, KIND, RUNTIME_TYPE}},
		[POINTER] = {DW_TAG_pointer_type, 0, {NAME, TYPE, KIND, RUNTIME_TYPE}},
	};

	for (size_t i = UNIT; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_uleb(b, i);
		put_uleb(b, rows[i].tag);
		put_u8(b, rows[i].has_children);
		for (size_t k = 0; k < 13 && rows[i].attributes[k]; k++)
			put_uleb(b, rows[i].attributes[k]);
		put_number(b, 0, 2);
	}
	put_u8(b, 0);
}

static size_t begin_unit(struct builder *b, const char *name, uint64_t low, uint64_t high)
{
	size_t start = b->info.size;

	put_number(&b->info, 0, 4); // length
	put_number(&b->info, (uint64_t)b->version, 2);
	if (b->version == 5)
		put(&b->info, "\x01\x08\0\0\0\0", 6); // DW_UT_compile, address size, abbreviations
	else
		put(&b->info, "\0\0\0\0\x08", 5);
	put_uleb(&b->info, UNIT);
	put_string(&b->info, name);
	put_u8(&b->info, DW_LANG_Go);
	put_number(&b->info, low, 8);
	put_number(&b->info, high, 8);
	put_string(&b->info, "Go cmd/compile go1.26.8; regabi");
	put_number(&b->info, 8, 4); // behind the header of .debug_addr
	return start;
}

static void end_unit(struct builder *b, size_t start)
{
	uint32_t length;

	put_u8(&b->info, 0);
	length = (uint32_t)(b->info.size - start - 4);
	memcpy(b->info.at + start, &length, sizeof(length));
}

static void put_place(struct bytes *b, const char *expression, size_t size)
{
	put_u8(b, size);
	put(b, expression, size);
}

static void put_row(
	struct builder *b, uint64_t low, uint64_t high, const char *expression, size_t size)
{
	if (b->version == 5) {
		put_u8(&b->lists, DW_LLE_offset_pair);
		put_uleb(&b->lists, low);
		put_uleb(&b->lists, high);
		put_uleb(&b->lists, size);
	} else {
		put_number(&b->lists, low, 8);
		put_number(&b->lists, high, 8);
		put_number(&b->lists, size, 2);
	}
	put(&b->lists, expression, size);
}

static void end_list(struct builder *b)
{
	if (b->version == 5)
		put_u8(&b->lists, DW_LLE_end_of_list);
	else
		put_number(&b->lists, 0, 8), put_number(&b->lists, 0, 8);
}

/* Rows are offsets from the unit's begin, which the first list repeats as a base of its own. */
static size_t put_list_of_n(struct builder *b)
{
	size_t at = b->lists.size;

	if (b->version == 5) {
		put(&b->lists, "\x03\0\x10\x01\x50", 5); // startx_length 0, 16: DW_OP_reg0
		put(&b->lists, "\x01\x01", 2);           // base_addressx 1
	} else {
		put_row(b, 0, 0x10, "\x50", 1);
		put_number(&b->lists, UINT64_MAX, 8);
		put_number(&b->lists, MKDWARF_LOW, 8);
	}
	put_row(b, 0x10, 0x100, "\x9c", 1); // DW_OP_call_frame_cfa
	end_list(b);
	return at;
}

static size_t put_list_of_s(struct builder *b)
{
	size_t at = b->lists.size;

	put_row(b, 0, 0x20, "\x53\x93\x08\x52\x93\x08", 6);
	put_row(b, 0x20, 0x100, "\x91\x08\x93\x08\x91\x10\x93\x08", 8);
	end_list(b);
	return at;
}

static size_t put_list_of_late(struct builder *b)
{
	size_t at = b->lists.size;

	put_row(b, 0x80, 0x100, "\x91\x78", 2);
	end_list(b);
	return at;
}

static void put_named(struct bytes *b, uint64_t code, const char *name)
{
	put_uleb(b, code);
	put_string(b, name);
}

static void put_listed(
	struct builder *b, uint64_t code, const char *name, uint64_t line, size_t type, size_t list)
{
	put_named(&b->info, code, name);
	if (code == PARAMETER)
		put_u8(&b->info, 0);
	put_uleb(&b->info, line);
	put_number(&b->info, type, 4);
	put_number(&b->info, list, 4);
}

static void put_placed(struct builder *b, const char *name, uint64_t line, size_t type,
	const char *expression, size_t size)
{
	put_named(&b->info, PLACED, name);
	put_uleb(&b->info, line);
	put_number(&b->info, type, 4);
	put_place(&b->info, expression, size);
}

static size_t put_type(
	struct builder *b, uint64_t code, const char *name, uint64_t size, uint64_t kind)
{
	size_t at = b->info.size;

	put_named(&b->info, code, name);
	if (code == POINTER)
		put_number(&b->info, size, 4); // an entry's offset
	else
		put_uleb(&b->info, size);
	put_u8(&b->info, kind);
	put_number(&b->info, 0, 8); // no descriptor
	return at;
}

static void put_range(struct bytes *b, uint64_t low, uint64_t high)
{
	put_number(b, low, 8);
	put_number(b, high, 8);
}

static void begin_function(struct builder *b, const char *name, uint64_t low, uint64_t high)
{
	put_named(&b->info, FUNCTION, name);
	put_range(&b->info, low, high);
	put_uleb(&b->info, 10);
	put_place(&b->info, "\x9c", 1);
}

struct types {
	size_t integer, string, pointer;
};

static void put_function(struct builder *b, const struct types *types, size_t inner, size_t inner_p,
	const char *odd, size_t odd_size)
{
	size_t n = put_list_of_n(b), s = put_list_of_s(b), late = put_list_of_late(b);

	begin_function(b, "main.f", MKDWARF_LOW, MKDWARF_HIGH);
	put_listed(b, PARAMETER, "n", 10, types->integer, n);
	put_listed(b, PARAMETER, "s", 10, types->string, s);
	put_named(&b->info, RESULT, "~r0");
	put(&b->info, "\x01\x0a", 2);
	put_number(&b->info, types->integer, 4);
	put_place(&b->info, "", 0);
	put_listed(b, LISTED, "late", 12, types->integer, late);
	put_placed(b, "&moved", 13, types->pointer, "\x91\x68", 2);
	put_placed(b, "moved", 13, types->integer, "", 0);
	put_placed(b, ".autotmp_1", 13, types->integer, "\x91\x60", 2);
	put_placed(b, "odd", 13, types->integer, odd, odd_size);
	put_uleb(&b->info, BLOCK);
	put_range(&b->info, MKDWARF_LOW + 0x40, MKDWARF_LOW + 0x60);
	put_placed(b, "n", 14, types->integer, "\x91\x58", 2);
	put_uleb(&b->info, INLINED);
	put_number(&b->info, inner, 4);
	put_range(&b->info, MKDWARF_LOW + 0x50, MKDWARF_LOW + 0x58);
	put_uleb(&b->info, COPY);
	put_number(&b->info, inner_p, 4);
	put_number(&b->info, n, 4);
	put(&b->info, "\0\0\0", 3); // the inlined call, the block, main.f
	begin_function(b, "main.f.func1", MKDWARF_HIGH, MKDWARF_END);
	put_named(&b->info, CAPTURED, "captured");
	put(&b->info, "\x0b", 1);
	put_number(&b->info, types->string, 4);
	put_uleb(&b->info, 16);
	put_place(&b->info, "\x91\x78", 2);
	put_u8(&b->info, 0);
}

static void put_global(
	struct builder *b, const char *name, const char *expression, size_t size, size_t type)
{
	put_named(&b->info, GLOBAL, name);
	put_place(&b->info, expression, size);
	put_number(&b->info, type, 4);
}

static void add_section(struct mkelf *elf, const char *name, const struct bytes *b)
{
	Elf64_Shdr header = {.sh_type = SHT_PROGBITS, .sh_size = b->size, .sh_addralign = 1};

	mkelf_add_section(elf, name, &header, b->at);
}

void mkdwarf_add(struct mkelf *elf, int version, const char *odd, size_t odd_size)
{
	struct builder *b = calloc(1, sizeof(*b));
	size_t unit, inner, inner_p;
	struct types types;

	if (!b)
		abort();
	b->version = version;
	put_abbreviations(&b->abbreviations);
	if (version == 5)
		put(&b->lists, "\0\0\0\0\x05\0\x08\0\0\0\0\0", 12); // as Go writes its header
	unit = begin_unit(b, "lib", 0, 0);
	types.integer = put_type(b, BASE, "int", 8, 2);
	types.string = put_type(b, STRING, "string", 16, 24);
	types.pointer = put_type(b, POINTER, "*int", types.integer, 22);
	inner = b->info.size;
	put_named(&b->info, ABSTRACT, "lib.inner");
	put_u8(&b->info, 1);
	inner_p = b->info.size;
	put_named(&b->info, GONE, "p");
	put_uleb(&b->info, 3);
	put_number(&b->info, types.integer, 4);
	put_named(&b->info, GONE, "gone");
	put_uleb(&b->info, 3);
	put_number(&b->info, types.string, 4);
	put_u8(&b->info, 0);
	put_global(b, "lib.state", "\x03\0\x10\x51\0\0\0\0\0", 9, types.integer);
	end_unit(b, unit);
	unit = begin_unit(b, "main", MKDWARF_LOW, MKDWARF_END);
	put_function(b, &types, inner, inner_p, odd, odd_size);
	put_global(b, "main.state", "\x03\x40\x23\x51\0\0\0\0\0", 9, types.integer);
	put_global(b, "main.other", "\x03\x48\x23\x51\0\0\0\0\0", 9, types.string);
	end_unit(b, unit);
	put_number(&b->addresses, 20, 4); // length, version, address size, segment selector size
	put_number(&b->addresses, 5, 2);
	put_number(&b->addresses, 8, 2);
	put_number(&b->addresses, MKDWARF_LOW, 8);
	put_number(&b->addresses, MKDWARF_LOW, 8);
	add_section(elf, ".debug_abbrev", &b->abbreviations);
	add_section(elf, ".debug_info", &b->info);
	add_section(elf, version == 5 ? ".debug_loclists" : ".debug_loc", &b->lists);
	if (version == 5)
		add_section(elf, ".debug_addr", &b->addresses);
	free(b);
}
