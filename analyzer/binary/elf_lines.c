#include "analyzer/binary/elf_lines.h"

#include "common/limits.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

struct elf_lines {
	struct arena *arena; // borrowed
	Dwarf *dwarf;        // owned
	const char *file;    // the ELF file's own bytes
	size_t file_size;
};

/**
 * Whether lines are to be had by .debug_aranges alone. libdw would look for the file that
 * .gnu_debugaltlink names, which it may not open.
 */
static bool has_lines(Elf *elf)
{
	Elf_Scn *section = NULL;
	bool has_ranges = false;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && !strcmp(name, ".gnu_debugaltlink"))
			return false;
		// go1.18's linker compresses in the old way, under another name.
		has_ranges |= name &&
			      (!strcmp(name, ".debug_aranges") || !strcmp(name, ".zdebug_aranges"));
	}
	return has_ranges;
}

struct elf_lines *elf_lines_open(struct Elf *elf, struct arena *arena)
{
	struct elf_lines *lines = arena_alloc(arena, sizeof(*lines));

	if (!lines || !has_lines(elf))
		return NULL;
	lines->arena = arena;
	lines->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	lines->file = elf_rawfile(elf, &lines->file_size);
	return lines->dwarf ? lines : NULL;
}

void elf_lines_close(struct elf_lines *lines)
{
	if (!lines)
		return;
	dwarf_end(lines->dwarf);
	lines->dwarf = NULL;
}

static const char *keep(struct elf_lines *lines, const char *text)
{
	return text ? arena_copy(lines->arena, text, strnlen(text, MAX_SYMBOL_LENGTH)) : NULL;
}

/**
 * libdw 0.188 hands out a string in .debug_info without looking for its end: in a file whose
 * sections are not compressed the end of the file is a bound, in others it is left out.
 */
static const char *name_of(struct elf_lines *lines, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *bytes;

	if (!dwarf_attr_integrate(die, DW_AT_name, &attribute))
		return NULL;
	if (dwarf_whatform(&attribute) != DW_FORM_string)
		return keep(lines, dwarf_formstring(&attribute));
	bytes = (const char *)attribute.valp;
	if (!lines->file || bytes < lines->file || bytes >= lines->file + lines->file_size ||
		!memchr(bytes, 0, (size_t)(lines->file + lines->file_size - bytes)))
		return NULL;
	return keep(lines, bytes);
}

static int number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) ||
		value > INT32_MAX)
		return 0;
	return (int)value;
}

static const char *file_of(struct elf_lines *lines, Dwarf_Die *unit, int index)
{
	Dwarf_Files *files;
	size_t count;

	if (index <= 0 || dwarf_getsrcfiles(unit, &files, &count) || (size_t)index >= count)
		return NULL;
	return keep(lines, dwarf_filesrc(files, (size_t)index, NULL, NULL));
}

/** From the innermost scope outwards, as the code is nested: calls, not declarations. */
static size_t collect(struct elf_lines *lines, Dwarf_Die *unit, Dwarf_Die *scopes, int scope_count,
	struct elf_line *ret, size_t max)
{
	size_t count = 0;

	for (int i = 0; i < scope_count; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		ret[count].function = name_of(lines, &scopes[i]);
		ret[count].is_inlined = tag == DW_TAG_inlined_subroutine && count + 1 < max;
		if (!ret[count++].is_inlined)
			return count;
		ret[count] = (struct elf_line){
			.file = file_of(lines, unit, number_of(&scopes[i], DW_AT_call_file)),
			.line = number_of(&scopes[i], DW_AT_call_line),
		};
	}
	// The last is somebody's caller, or a line without a function.
	return count + 1 < max ? count + 1 : max;
}

size_t elf_lines_find(struct elf_lines *lines, uint64_t address, struct elf_line *ret, size_t max)
{
	Dwarf_Die unit, *scopes = NULL, *chain = NULL;
	int scope_count, chain_count = 0;
	Dwarf_Line *line;
	size_t count;

	if (!max || !dwarf_addrdie(lines->dwarf, address, &unit))
		return 0;
	*ret = (struct elf_line){0};
	line = dwarf_getsrc_die(&unit, address);
	if (line && !dwarf_lineno(line, &ret->line))
		ret->file = keep(lines, dwarf_linesrc(line, NULL, NULL));
	scope_count = dwarf_getscopes(&unit, address, &scopes);
	if (scope_count > 0)
		chain_count = dwarf_getscopes_die(&scopes[0], &chain);
	count = collect(lines, &unit, chain, chain_count, ret, max);
	free(scopes);
	free(chain);
	return count;
}
