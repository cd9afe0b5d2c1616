// .gnu_debuglink is a name, NUL, zeros up to a multiple of four, and the CRC32 of the debug file
// (gdb manual, "Separate Debug Files"). Build ids prove more and cost nothing, so they come first:
// GNU's, then Go's, which strip and objcopy leave in both files. A GNU build id is in Go programs
// of 1.24 and newer, and in those that a C compiler linked; .note.go.buildid is in all.
#include "analyzer/binary/debug.h"

#include "analyzer/binary/binary_internal.h"
#include "common/build_id.h"

#include <elfutils/libdw.h>
#include <string.h>
#include <zlib.h>

/* libdw decompresses every debug section that it sees; what nobody reads is hidden from it. Lines and
 * locations are two thirds of the DWARF. */
#define DEBUG_SECTIONS                                                                             \
	"info", "abbrev", "str", "line_str", "str_offsets", "addr", "types", "ranges", "rnglists"

static bool is_section_needed(const char *name)
{
	static const char *const needed[] = {DEBUG_SECTIONS};

	name += strspn(name, "._z");
	if (strncmp(name, "debug_", 6))
		return true;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!strcmp(name + 6, needed[i]))
			return true;
	return false;
}

/* Hides the other debug sections from libdw, which passes over those without bytes (as in a
 * stripped file), or shows them again. */
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

/* Opens the DWARF; a damaged file's alternate is itself, so that libdw looks for no other file. */
static enum cs_status begin_dwarf(struct binary *file, struct diag *diag, Dwarf **ret)
{
	Dwarf *dwarf;

	hide_sections(file->elf, true);
	dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	hide_sections(file->elf, false);
	if (!dwarf) {
		diag_add(diag, DIAG_WARNING, "dwarf-unreadable",
			"the DWARF of %s cannot be read: %s", file->name, dwarf_errmsg(-1));
		return CS_CORRUPT;
	}
	dwarf_setalt(dwarf, dwarf);
	*ret = dwarf;
	return CS_OK;
}

/* What .gnu_debuglink says; false where there is none or it is damaged. */
static bool read_link(const struct binary *binary, const char **name_ret, uint32_t *crc_ret)
{
	struct binary_bytes link;
	const uint8_t *end;
	size_t size;

	if (!binary_section_bytes(binary, ".gnu_debuglink", &link))
		return false;
	end = memchr(link.bytes, 0, link.size);
	if (!end || end == link.bytes)
		return false;
	size = ((size_t)(end - link.bytes) + 4) & ~(size_t)3;
	if (size > link.size || link.size - size < sizeof(*crc_ret))
		return false;
	memcpy(crc_ret, link.bytes + size, sizeof(*crc_ret));
	*name_ret = arena_string(binary->arena, (const char *)link.bytes);
	return *name_ret;
}

/* How a file compares with what is wanted: by the best proof that both have. */
static enum cs_status prove(const struct binary *binary, const struct binary *file,
	const uint32_t *crc, struct diag *diag)
{
	const struct binary_info *ours = &binary->info, *its = &file->info;
	bool by_gnu = ours->gnu_build_id && its->gnu_build_id;
	bool by_go = !by_gnu && ours->go_build_id && its->go_build_id &&
		     build_id_is_unique(ours->go_build_id);
	const char *wanted = by_gnu ? ours->gnu_build_id : ours->go_build_id;
	const char *has = by_gnu ? its->gnu_build_id : its->go_build_id;

	if (ours->arch != its->arch) {
		diag_add(diag, DIAG_WARNING, "wrong-debug-file",
			"%s is not the debug file of %s: it is for another architecture",
			file->name, binary->name);
		return CS_MISMATCH;
	}
	if (by_gnu || by_go) {
		if (!strcmp(wanted, has))
			return CS_OK;
		diag_add(diag, DIAG_WARNING, "wrong-debug-file",
			"%s is not the debug file of %s: it has build id %s, not %s", file->name,
			binary->name, has, wanted);
		return CS_MISMATCH;
	}
	if (crc && crc32_z(0, file->file.bytes, file->file.size) == *crc)
		return CS_OK;
	diag_add(diag, DIAG_WARNING, "wrong-debug-file", "%s is not the debug file of %s: %s",
		file->name, binary->name,
		crc ? "its CRC32 is not the one that .gnu_debuglink gives"
		    : "nothing in the two files says that they belong together");
	return CS_MISMATCH;
}

/* Opens one file of the finder's, if it is the right one and has debug information. */
static enum cs_status try_file(struct binary *binary, const struct debug_file *candidate,
	const uint32_t *crc, struct diag *diag, struct binary **ret)
{
	struct binary *file;
	enum cs_status status;

	status = binary_open_debug(candidate->fd, candidate->name, binary->arena, diag, &file);
	if (status)
		return status;
	status = prove(binary, file, crc, diag);
	if (!status && !file->info.has_dwarf) {
		diag_add(diag, DIAG_WARNING, "empty-debug-file",
			"%s has no debug information (.debug_info) for %s", file->name,
			binary->name);
		status = CS_NOT_FOUND;
	}
	if (status)
		binary_close(file);
	else
		*ret = file;
	return status;
}

/* The debug file, of the first place that has the right one. */
static enum cs_status find_file(struct binary *binary, struct diag *diag)
{
	const struct debug_finder *finder = binary->debug.finder;
	const char *link = NULL;
	uint32_t crc;
	bool has_link = read_link(binary, &link, &crc);
	struct debug_file candidate;
	enum cs_status status = CS_NOT_FOUND;

	if (!finder)
		return CS_NOT_FOUND;
	while (!binary->debug.file && status != CS_NO_MEMORY &&
		!finder->next(finder->context, binary, link, &candidate)) {
		status = try_file(
			binary, &candidate, has_link ? &crc : NULL, diag, &binary->debug.file);
		if (!status)
			binary->debug.source = candidate.source;
		finder->release(finder->context, &candidate);
	}
	if (status != CS_OK && status != CS_NO_MEMORY) {
		diag_add(diag, DIAG_INFO, "no-debug-file",
			"%s has no debug information, and no debug file of it is to be had "
			"(build id %s, debug link %s)",
			binary->name,
			binary->info.gnu_build_id ? binary->info.gnu_build_id : "none",
			link ? link : "none");
		return CS_NOT_FOUND;
	}
	return status;
}

/* The file with the debug information, once: NULL where there is none. */
static struct binary *debug_file(struct binary *binary, struct diag *diag)
{
	struct debug *debug = &binary->debug;

	if (binary->info.has_dwarf)
		return binary;
	if (!debug->is_tried && find_file(binary, diag))
		debug->file = NULL;
	debug->is_tried = true;
	return debug->file;
}

enum cs_status binary_debug(struct binary *binary, struct diag *diag, struct Dwarf **ret)
{
	struct debug *debug = &binary->debug;
	struct binary *file = debug_file(binary, diag);

	if (!file)
		return CS_NOT_FOUND;
	if (!debug->dwarf && !debug->status)
		debug->status = begin_dwarf(file, diag, &debug->dwarf);
	if (debug->status)
		return debug->status;
	*ret = debug->dwarf;
	return CS_OK;
}

enum cs_status binary_debug_elf(struct binary *binary, struct diag *diag, struct Elf **ret)
{
	const struct binary *file = debug_file(binary, diag);

	if (!file)
		return CS_NOT_FOUND;
	*ret = file->elf;
	return CS_OK;
}

void binary_set_debug_finder(struct binary *binary, const struct debug_finder *finder)
{
	binary->debug.finder = finder;
}

enum debug_source binary_debug_source(const struct binary *binary)
{
	return binary->info.has_dwarf ? DEBUG_EMBEDDED : binary->debug.source;
}

void debug_close(struct debug *debug)
{
	dwarf_end(debug->dwarf);
	binary_close(debug->file);
	*debug = (struct debug){.is_tried = true};
}
