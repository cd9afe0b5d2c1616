#include "tests/lib/mkgo.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t at[4096];
	size_t size;
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

static void put_u8(struct bytes *b, uint8_t value)
{
	put(b, &value, 1);
}

static void put_uleb(struct bytes *b, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_u8(b, (uint8_t)(value | 0x80));
	put_u8(b, (uint8_t)value);
}

static void put_string(struct bytes *b, const char *text)
{
	put(b, text, strlen(text) + 1);
}

uint8_t *mkgo_buildinfo(const char *version, const char *modules, size_t *size_ret)
{
	struct bytes *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	put(b, "\xff Go buildinf:", 14);
	put_u8(b, 8);
	put_u8(b, 2);
	put(b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	put_uleb(b, strlen(version));
	put(b, version, strlen(version));
	put_uleb(b, strlen(modules) + 32);
	put(b,
		"0w\xaf\x0c\x92t\x08\x02"
		"A\xe1\xc1\x07\xe6\xd6\x18\xe6",
		16);
	put(b, modules, strlen(modules));
	put(b, "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2", 16);
	*size_ret = b->size;
	return b->at; // the struct's first member
}

void mkgo_add_buildinfo(
	struct mkelf *elf, const char *version, const char *modules, bool has_section)
{
	size_t size;
	uint8_t *blob = mkgo_buildinfo(version, modules, &size);
	Elf64_Shdr header = {.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC | SHF_WRITE,
		.sh_addr = MKGO_DATA,
		.sh_size = size,
		.sh_addralign = 16};

	mkelf_add_segment(elf, MKGO_DATA, blob, size, size, PF_R | PF_W);
	if (has_section)
		mkelf_add_section(elf, ".go.buildinfo", &header, blob);
	free(blob);
}

/* Abbreviations, numbered from 1 in this order. */
enum { UNIT = 1, BASE, STRUCT, MEMBER, TYPEDEF, POINTER, VARIABLE, CONSTANT, FUNCTION };

static void put_abbreviation(struct bytes *b, uint64_t code, uint64_t tag, bool has_children,
	const uint16_t (*attributes)[2])
{
	put_uleb(b, code);
	put_uleb(b, tag);
	put_u8(b, has_children);
	for (; (*attributes)[0]; attributes++) {
		put_uleb(b, (*attributes)[0]);
		put_uleb(b, (*attributes)[1]);
	}
	put_number(b, 0, 2);
}

static void put_abbreviations(struct bytes *b)
{
	static const uint16_t unit[][2] = {{DW_AT_name, DW_FORM_string},
		{DW_AT_language, DW_FORM_data1}, {DW_AT_addr_base, DW_FORM_sec_offset}, {0, 0}};
	static const uint16_t sized[][2] = {
		{DW_AT_name, DW_FORM_string}, {DW_AT_byte_size, DW_FORM_udata}, {0, 0}};
	static const uint16_t member[][2] = {{DW_AT_name, DW_FORM_string},
		{DW_AT_data_member_location, DW_FORM_udata}, {DW_AT_type, DW_FORM_ref_addr},
		{0, 0}};
	static const uint16_t typed[][2] = {
		{DW_AT_name, DW_FORM_string}, {DW_AT_type, DW_FORM_ref_addr}, {0, 0}};
	static const uint16_t variable[][2] = {{DW_AT_name, DW_FORM_string},
		{DW_AT_location, DW_FORM_block1}, {DW_AT_type, DW_FORM_ref_addr}, {0, 0}};
	static const uint16_t constant[][2] = {
		{DW_AT_name, DW_FORM_string}, {DW_AT_const_value, DW_FORM_sdata}, {0, 0}};
	static const uint16_t function[][2] = {{DW_AT_name, DW_FORM_string}, {0, 0}};

	put_abbreviation(b, UNIT, DW_TAG_compile_unit, true, unit);
	put_abbreviation(b, BASE, DW_TAG_base_type, false, sized);
	put_abbreviation(b, STRUCT, DW_TAG_structure_type, true, sized);
	put_abbreviation(b, MEMBER, DW_TAG_member, false, member);
	put_abbreviation(b, TYPEDEF, DW_TAG_typedef, false, typed);
	put_abbreviation(b, POINTER, DW_TAG_pointer_type, false, typed);
	put_abbreviation(b, VARIABLE, DW_TAG_variable, false, variable);
	put_abbreviation(b, CONSTANT, DW_TAG_constant, false, constant);
	put_abbreviation(b, FUNCTION, DW_TAG_subprogram, true, function);
	put_u8(b, 0);
}

static size_t begin_unit(struct bytes *b, int version, const char *name, uint8_t language)
{
	size_t start = b->size;

	put_number(b, 0, 4); // length
	put_number(b, (uint64_t)version, 2);
	if (version == 5) {
		put_u8(b, DW_UT_compile);
		put_u8(b, 8);
		put_number(b, 0, 4);
	} else {
		put_number(b, 0, 4);
		put_u8(b, 8);
	}
	put_uleb(b, UNIT);
	put_string(b, name);
	put_u8(b, language);
	put_number(b, 8, 4); // behind the header of .debug_addr
	return start;
}

static void end_unit(struct bytes *b, size_t start)
{
	uint32_t length;

	put_u8(b, 0);
	length = (uint32_t)(b->size - start - 4);
	memcpy(b->at + start, &length, sizeof(length));
}

/* Each returns where the entry lies, for references to it. */
static size_t put_sized(struct bytes *b, uint64_t code, const char *name, uint64_t size)
{
	size_t at = b->size;

	put_uleb(b, code);
	put_string(b, name);
	put_uleb(b, size);
	return at;
}

static size_t put_typed(struct bytes *b, uint64_t code, const char *name, size_t type)
{
	size_t at = b->size;

	put_uleb(b, code);
	put_string(b, name);
	put_number(b, type, 4);
	return at;
}

static void put_member(struct bytes *b, const char *name, uint64_t offset, size_t type)
{
	put_uleb(b, MEMBER);
	put_string(b, name);
	put_uleb(b, offset);
	put_number(b, type, 4);
}

static void put_variable(
	struct bytes *b, const char *name, uint8_t operation, uint64_t operand, size_t type)
{
	size_t size = operation == DW_OP_addr ? 8 : 1;

	put_uleb(b, VARIABLE);
	put_string(b, name);
	put_u8(b, (uint8_t)(size + 1));
	put_u8(b, operation);
	put_number(b, operand, size);
	put_number(b, type, 4);
}

static void put_constant(struct bytes *b, const char *name, uint8_t value)
{
	put_uleb(b, CONSTANT);
	put_string(b, name);
	put_u8(b, value & 0x7f); // sdata of one byte: -64 to 63
}

static void put_runtime(struct bytes *b, int version)
{
	size_t unit = begin_unit(b, version, "runtime", DW_LANG_Go);
	size_t word = put_sized(b, BASE, "uintptr", 8), half = put_sized(b, BASE, "uint32", 4);
	size_t reason_base = put_sized(b, BASE, "uint8", 1);
	size_t reason = put_typed(b, TYPEDEF, "runtime.waitReason", reason_base);
	size_t gobuf, gobuf_name, wrapper, g, slice, work, pointer, loop;

	put_uleb(b, FUNCTION); // with a child of a wanted name, which is not at the top
	put_string(b, "runtime.main");
	put_constant(b, "runtime._Gwaiting", 1);
	put_u8(b, 0);
	gobuf = put_sized(b, STRUCT, "runtime.gobuf", 48);
	put_member(b, "sp", 0, word);
	put_member(b, "pc", 8, word);
	put_u8(b, 0);
	gobuf_name = put_typed(b, TYPEDEF, "runtime.gobuf", gobuf);
	wrapper = put_sized(b, STRUCT, "internal/runtime/atomic.Uint32", 4);
	put_member(b, "value", 0, half);
	put_u8(b, 0);
	g = put_sized(b, STRUCT, "runtime.g", 440);
	put_member(b, "sched", 56, gobuf_name);
	put_member(b, "schedule", 57, word);
	put_member(b, "atomicstatus", 144, wrapper);
	put_member(b, "waitreason", 168, reason);
	pointer = b->size + 1 + strlen("m") + 1 + 2 + 4 + 1; // of the entry behind this struct
	put_member(b, "m", 200, pointer);
	put_u8(b, 0);
	if (put_typed(b, POINTER, "*runtime.g", g) != pointer)
		abort();
	put_typed(b, TYPEDEF, "runtime.g", g);
	slice = put_sized(b, STRUCT, "[]*runtime.g", 24);
	put_u8(b, 0);
	work = put_sized(b, STRUCT, "struct { full runtime.lfstack; empty runtime.lfstack }", 592);
	put_member(b, "full", 0, word);
	put_member(b, "empty", 64, gobuf_name);
	put_u8(b, 0);
	loop = b->size; // a typedef of itself
	put_typed(b, TYPEDEF, "runtime.loop", loop);
	put_variable(b, "runtime.allgs", DW_OP_addr, MKGO_ALLGS, slice);
	if (version == 5)
		put_variable(b, "runtime.work", DW_OP_addrx, 1, work);
	else
		put_variable(b, "runtime.work", DW_OP_addr, MKGO_WORK, work);
	put_variable(b, "runtime.odd", DW_OP_lit0, 0, work);
	put_constant(b, "runtime._Gwaiting", 4);
	put_constant(b, "runtime.minus", 0x7f);
	end_unit(b, unit);
}

static void add_section(struct mkelf *elf, const char *name, const struct bytes *b)
{
	Elf64_Shdr header = {.sh_type = SHT_PROGBITS, .sh_size = b->size, .sh_addralign = 1};

	mkelf_add_section(elf, name, &header, b->at);
}

void mkgo_add_dwarf(struct mkelf *elf, int version)
{
	struct bytes info = {0}, abbreviations = {0}, addresses = {0};
	size_t unit;

	put_abbreviations(&abbreviations);
	unit = begin_unit(&info, version, "runtime", DW_LANG_C99); // C code is not Go's runtime
	put_constant(&info, "runtime._Gwaiting", 2);
	end_unit(&info, unit);
	unit = begin_unit(&info, version, "main", DW_LANG_Go); // nothing is asked of it
	put_constant(&info, "runtime._Gwaiting", 3);
	end_unit(&info, unit);
	unit = begin_unit(&info, version, "internal/abi", DW_LANG_Go);
	put_constant(&info, "internal/abi.FuncID_goexit", 8);
	end_unit(&info, unit);
	put_runtime(&info, version);
	put_number(&addresses, 20, 4); // length, version, address size, segment selector size
	put_number(&addresses, 5, 2);
	put_number(&addresses, 8, 2);
	put_number(&addresses, MKGO_ALLGS, 8);
	put_number(&addresses, MKGO_WORK, 8);
	add_section(elf, ".debug_abbrev", &abbreviations);
	add_section(elf, ".debug_info", &info);
	if (version == 5)
		add_section(elf, ".debug_addr", &addresses);
}
