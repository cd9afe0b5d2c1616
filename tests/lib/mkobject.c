#include "tests/lib/mkobject.h"

#include <stdlib.h>
#include <string.h>

#define TABLES 0x3000 // linked address of .eh_frame and the symbols
#define MAX_TABLE 16384
#define MAX_FUNCTIONS 64

struct table {
	uint8_t bytes[MAX_TABLE];
	size_t size;
};

static void put(struct table *table, const void *bytes, size_t size)
{
	if (size > sizeof(table->bytes) - table->size)
		abort();
	if (size)
		memcpy(table->bytes + table->size, bytes, size);
	table->size += size;
}

static void put_u32(struct table *table, uint32_t value)
{
	put(table, &value, sizeof(value));
}

static void put_u64(struct table *table, uint64_t value)
{
	put(table, &value, sizeof(value));
}

/** Pads with DW_CFA_nop and writes the length that stands before `start`. */
static void close_entry(struct table *table, size_t start)
{
	uint32_t length;

	while ((table->size - start) % 8)
		put(table, "", 1);
	length = (uint32_t)(table->size - start);
	memcpy(table->bytes + start - 4, &length, sizeof(length));
}

/** At a function's first byte: amd64 has pushed the return address, arm64 has it in x30. */
static void put_rules(
	struct table *table, uint16_t machine, const struct mkobject_function *function)
{
	size_t cie = table->size + 4, fde;

	put_u32(table, 0);
	put_u32(table, 0);
	put(table, "\x01", 1);
	put(table, function->is_signal ? "zRS" : "zR", function->is_signal ? 4 : 3);
	if (machine == EM_X86_64) // alignments 1 and -8, return address in 16; absolute addresses
		put(table, "\x01\x78\x10\x01\x00\x0c\x07\x08\x90\x01", 10);
	else // 4 and -8, x30; def_cfa(x31, 0)
		put(table, "\x04\x78\x1e\x01\x00\x0c\x1f\x00", 8);
	close_entry(table, cie);
	fde = table->size + 4;
	put_u32(table, 0);
	put_u32(table, (uint32_t)(fde - cie + 4));
	put_u64(table, function->address);
	put_u64(table, function->size);
	put(table, "", 1);
	put(table, function->rules, function->rules_size);
	close_entry(table, fde);
}

static void put_symbol(
	struct table *symbols, struct table *names, const struct mkobject_function *function)
{
	Elf64_Sym symbol = {.st_name = (uint32_t)names->size,
		.st_info = (unsigned char)ELF64_ST_INFO(function->binding, STT_FUNC),
		.st_shndx = 1,
		.st_value = function->address,
		.st_size = function->size};

	put(symbols, &symbol, sizeof(symbol));
	put(names, function->name, strlen(function->name) + 1);
}

struct mkelf *mkobject_create(uint16_t machine, const struct mkobject_function *functions)
{
	struct mkelf *elf = mkelf_executable_create(machine, ET_DYN, 0);
	struct table *frames = calloc(1, sizeof(*frames)), *symbols = calloc(1, sizeof(*symbols)),
		     *names = calloc(1, sizeof(*names));
	static const uint8_t text[MKOBJECT_TEXT_SIZE];
	static const struct {
		Elf64_Nhdr header;
		char name[4], id[4];
	} note = {{4, 4, NT_GNU_BUILD_ID}, "GNU", {'\x0a', '\x1b', '\x2c', '\x3d'}};

	if (!frames || !symbols || !names)
		abort();
	put(symbols, &(Elf64_Sym){0}, sizeof(Elf64_Sym));
	put(names, "", 1);
	for (; functions->size; functions++) {
		if (!functions->has_no_rules)
			put_rules(frames, machine, functions);
		if (functions->name)
			put_symbol(symbols, names, functions);
	}
	put_u32(frames, 0);
	mkelf_add_header(elf, &(Elf64_Phdr){.p_type = PT_LOAD,
				      .p_flags = PF_R,
				      .p_filesz = 0x800,
				      .p_memsz = 0x800,
				      .p_align = 0x1000});
	mkelf_add_segment(elf, MKOBJECT_TEXT, text, sizeof(text), sizeof(text), PF_R | PF_X);
	mkelf_add_note(elf, "GNU", NT_GNU_BUILD_ID, MKOBJECT_BUILD_ID, 4);
	mkelf_add_section(elf, ".note.gnu.build-id",
		&(Elf64_Shdr){.sh_type = SHT_NOTE,
			.sh_flags = SHF_ALLOC,
			.sh_addralign = 4,
			.sh_size = sizeof(note)},
		&note);
	mkelf_add_section(elf, ".eh_frame",
		&(Elf64_Shdr){.sh_type = SHT_PROGBITS,
			.sh_flags = SHF_ALLOC,
			.sh_addr = TABLES,
			.sh_size = frames->size},
		frames->bytes);
	mkelf_add_section(elf, ".dynsym",
		&(Elf64_Shdr){.sh_type = SHT_DYNSYM,
			.sh_link = 4,
			.sh_entsize = sizeof(Elf64_Sym),
			.sh_size = symbols->size},
		symbols->bytes);
	mkelf_add_section(elf, ".dynstr",
		&(Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_size = names->size}, names->bytes);
	free(frames);
	free(symbols);
	free(names);
	return elf;
}
