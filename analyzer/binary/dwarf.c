#include "analyzer/binary/dwarf.h"

#include "analyzer/binary/binary_internal.h"
#include "common/checked.h"

#include <dwarf.h>
#include <string.h>

/* libdw decompresses every debug section it sees; only these hold what it is asked here. */
static bool is_section_needed(const char *name)
{
	static const char *const needed[] = {"info", "abbrev", "str", "line_str", "str_offsets",
		"addr", "types", "ranges", "rnglists"};

	name += strspn(name, "._z");
	if (strncmp(name, "debug_", 6))
		return true;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!strcmp(name + 6, needed[i]))
			return true;
	return false;
}

/*
 * Hides the other debug sections from libdw, which passes over those without bytes (as in a
 * stripped file), or shows them again. Lines and locations are two thirds of the DWARF.
 */
static void hide_sections(Elf *elf, bool is_hidden)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		uint32_t from = is_hidden ? SHT_PROGBITS : SHT_NOBITS;
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header) || header.sh_type != from)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name || is_section_needed(name))
			continue;
		header.sh_type = is_hidden ? SHT_NOBITS : SHT_PROGBITS;
		gelf_update_shdr(section, &header);
	}
}

/* The section ".debug_NAME", or ".zdebug_NAME" as Go wrote it up to 1.18. */
static Elf_Scn *find_section(Elf *elf, const char *name, bool *is_old_ret)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *its_name;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		its_name = elf_strptr(elf, names, header.sh_name);
		if (!its_name)
			continue;
		*is_old_ret = !strncmp(its_name, ".zdebug_", 8);
		if ((*is_old_ret && !strcmp(its_name + 8, name)) ||
			(!strncmp(its_name, ".debug_", 7) && !strcmp(its_name + 7, name)))
			return section;
	}
	return NULL;
}

/* Its bytes, decompressed in libelf's memory by whoever comes first. */
static struct dwarf_bytes section_bytes(Elf *elf, const char *name)
{
	bool is_old = false;
	Elf_Scn *section = find_section(elf, name, &is_old);
	GElf_Shdr header;
	Elf_Data *data;

	if (!section || !gelf_getshdr(section, &header))
		return (struct dwarf_bytes){0};
	if (header.sh_flags & SHF_COMPRESSED) {
		if (elf_compress(section, 0, 0) < 0)
			return (struct dwarf_bytes){0};
	} else if (is_old) {
		// Negative where it is not compressed (any more): then its bytes are plain.
		elf_compress_gnu(section, 0, 0);
	}
	data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf)
		return (struct dwarf_bytes){0};
	return (struct dwarf_bytes){data->d_buf, data->d_size};
}

enum cs_status binary_dwarf(struct binary *binary, struct diag *diag, struct dwarf **ret)
{
	struct dwarf *dwarf;

	*ret = binary->dwarf;
	if (*ret)
		return CS_OK;
	if (!binary->info.has_dwarf)
		return CS_NOT_FOUND;
	dwarf = arena_alloc(binary->arena, sizeof(*dwarf));
	if (!dwarf)
		return CS_NO_MEMORY;
	*dwarf = (struct dwarf){.elf = binary->elf, .arena = binary->arena};
	hide_sections(dwarf->elf, true);
	dwarf->handle = dwarf_begin_elf(dwarf->elf, DWARF_C_READ, NULL);
	hide_sections(dwarf->elf, false);
	if (!dwarf->handle) {
		diag_add(diag, DIAG_WARNING, "dwarf-unreadable",
			"the DWARF of %s cannot be read: %s", binary->name, dwarf_errmsg(-1));
		return CS_CORRUPT;
	}
	// A damaged file's alternate is itself, so that libdw looks for no other file.
	dwarf_setalt(dwarf->handle, dwarf->handle);
	dwarf->info = section_bytes(dwarf->elf, "info");
	*ret = binary->dwarf = dwarf;
	return CS_OK;
}

void dwarf_close(struct dwarf *dwarf)
{
	if (dwarf)
		dwarf_end(dwarf->handle);
}

void dwarf_load_locations(struct dwarf *dwarf)
{
	if (dwarf->has_locations)
		return;
	dwarf->has_locations = true;
	dwarf->locations = section_bytes(dwarf->elf, "loc");
	dwarf->location_lists = section_bytes(dwarf->elf, "loclists");
}

const char *dwarf_entry_name(const struct dwarf *dwarf, Dwarf_Die *die)
{
	const uint8_t *end = dwarf->info.bytes + dwarf->info.size;
	Dwarf_Attribute attribute;

	if (!dwarf_attr(die, DW_AT_name, &attribute))
		return NULL;
	if (dwarf_whatform(&attribute) != DW_FORM_string)
		return dwarf_formstring(&attribute);
	if (attribute.valp < dwarf->info.bytes || attribute.valp >= end ||
		!memchr(attribute.valp, 0, (size_t)(end - attribute.valp)))
		return NULL;
	return (const char *)attribute.valp;
}

bool dwarf_number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value))
		return false;
	*ret = value;
	return true;
}

bool dwarf_flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	bool flag;

	return dwarf_attr(die, name, &attribute) && !dwarf_formflag(&attribute, &flag) && flag;
}

bool dwarf_list_offset(const struct dwarf *dwarf, Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	uint8_t size = 0;
	size_t at;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
		dwarf_whatform(&attribute) != DW_FORM_sec_offset ||
		dwarf_cu_info(die->cu, NULL, NULL, NULL, NULL, NULL, NULL, &size) ||
		attribute.valp < dwarf->info.bytes)
		return false;
	at = (size_t)(attribute.valp - dwarf->info.bytes);
	if ((size != 4 && size != 8) || !checked_range(at, size, dwarf->info.size))
		return false;
	*ret = 0;
	memcpy(ret, attribute.valp, size);
	return true;
}

bool dwarf_reference(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, name, &attribute) && dwarf_formref_die(&attribute, ret);
}

bool dwarf_indexed_address(Dwarf_Die *die, uint64_t index, uint64_t *ret)
{
	// libdw looks an index up for an operation that some attribute of the unit holds.
	Dwarf_Op op = {.atom = DW_OP_addrx, .number = index};
	Dwarf_Attribute attribute, indexed;

	return dwarf_attr(die, DW_AT_location, &attribute) &&
	       !dwarf_getlocation_attr(&attribute, &op, &indexed) && !dwarf_formaddr(&indexed, ret);
}

bool dwarf_variable_address(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;
	struct cursor c;
	uint64_t index;
	uint8_t atom;

	if (!dwarf_attr(die, DW_AT_location, &attribute) || dwarf_formblock(&attribute, &block))
		return false;
	c = cursor_over(block.data, block.length);
	atom = cursor_u8(&c);
	if (atom == DW_OP_addr) {
		*ret = cursor_u64(&c);
		return !c.bad && !cursor_left(&c);
	}
	index = cursor_uleb(&c);
	return atom == DW_OP_addrx && !c.bad && !cursor_left(&c) &&
	       dwarf_indexed_address(die, index, ret);
}
