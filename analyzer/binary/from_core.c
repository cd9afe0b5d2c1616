// The executable as the core itself holds it: with file pages in coredump_filter (bit 2), or in a
// core of a debugger, code and read-only data lie there beside the variables. Sections are not
// loaded, so it is like an executable without section headers; the variables have the values that
// they had at the end.
#include "analyzer/binary/binary_internal.h"
#include "analyzer/core/executable.h"
#include "common/checked.h"
#include "common/limits.h"

#include <string.h>

/** What of the program headers in the core's first page of the executable is needed. */
struct parts {
	const struct image *image;
	Elf64_Ehdr header;
	Elf64_Phdr loads[MAX_EXECUTABLE_SEGMENTS];
	size_t load_count;
	uint64_t bias, file_size;
};

/** Whether every byte of [start, start + size) is in the core. */
static bool is_in_core(const struct image *image, target_addr start, uint64_t size)
{
	struct image_view view;
	target_addr end;

	if (!checked_add(start, size, &end))
		return false;
	while (start < end) {
		if (!image_find(image, start, &view))
			return false;
		start = view.end;
	}
	return true;
}

static bool load_header(struct parts *parts, target_addr base)
{
	const Elf64_Ehdr *header = &parts->header;

	return !image_read(parts->image, base, &parts->header, sizeof(parts->header)) &&
	       !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
	       header->e_phentsize == sizeof(Elf64_Phdr) &&
	       header->e_phnum <= MAX_EXECUTABLE_SEGMENTS;
}

/** The PT_LOADs, and how far from where they are linked: one of them maps the file's beginning. */
static bool load_parts(struct parts *parts, target_addr base)
{
	bool has_base = false;
	uint64_t end;

	if (!base || !load_header(parts, base))
		return false;
	for (uint16_t i = 0; i < parts->header.e_phnum; i++) {
		target_addr at = base + parts->header.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr *load = &parts->loads[parts->load_count];

		if (image_read(parts->image, at, load, sizeof(*load)))
			return false;
		if (load->p_type != PT_LOAD || !load->p_filesz)
			continue;
		if (!has_base && !load->p_offset) {
			parts->bias = base - load->p_vaddr;
			has_base = true;
		}
		if (!checked_add(load->p_offset, load->p_filesz, &end))
			return false;
		if (end > parts->file_size)
			parts->file_size = end;
		parts->load_count++;
	}
	return has_base && parts->file_size >= sizeof(Elf64_Ehdr) &&
	       parts->file_size <= MAX_CORE_EXECUTABLE_SIZE &&
	       (parts->header.e_type == ET_DYN || !parts->bias);
}

static bool copy_parts(const struct parts *parts, uint8_t *file)
{
	Elf64_Ehdr header;

	for (size_t i = 0; i < parts->load_count; i++) {
		const Elf64_Phdr *load = &parts->loads[i];

		if (image_read(parts->image, load->p_vaddr + parts->bias, file + load->p_offset,
			    load->p_filesz))
			return false;
	}
	memcpy(&header, file, sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = header.e_shstrndx = 0;
	memcpy(file, &header, sizeof(header));
	return true;
}

enum cs_status binary_open_core(const struct image *image, const struct core_executable *executable,
	struct arena *arena, struct diag *diag, struct binary **ret)
{
	struct parts parts = {.image = image};
	struct binary *binary;
	enum cs_status status;
	uint8_t *file;

	if (!load_parts(&parts, executable->base))
		return CS_NOT_FOUND;
	for (size_t i = 0; i < parts.load_count; i++)
		if (!is_in_core(
			    image, parts.loads[i].p_vaddr + parts.bias, parts.loads[i].p_filesz))
			return CS_NOT_FOUND;
	binary = arena_alloc(arena, sizeof(*binary));
	file = arena_alloc(arena, parts.file_size);
	if (!binary || !file)
		return CS_NO_MEMORY;
	if (!copy_parts(&parts, file))
		return CS_NOT_FOUND;
	*binary = (struct binary){.arena = arena,
		.name = executable->path ? executable->path : "the executable in the core",
		.file = {.bytes = file, .size = parts.file_size, .slot = -1}};
	status = binary_finish_open(binary, diag);
	if (status)
		binary_close(binary);
	else
		*ret = binary;
	return status;
}

/** The file that is mapped at `address`, as NT_FILE spells it; NULL where it does not say. */
static const char *file_at(const struct image_notes *notes, target_addr address)
{
	for (size_t i = 0; i < notes->mapping_count; i++)
		if (address >= notes->mappings[i].start && address < notes->mappings[i].end)
			return notes->mappings[i].path;
	return NULL;
}

static bool read_build_at(struct binary *binary, const struct image *image, target_addr address)
{
	struct binary_bytes bytes = {.address = address};
	struct image_view view;

	if (!image_find(image, address, &view))
		return false;
	bytes.bytes = view.bytes + (address - view.start);
	bytes.size = view.end - address;
	return !buildinfo_read_from(binary, &bytes);
}

const struct binary_info *binary_build_in_core(
	const struct image *image, const struct core_executable *executable, struct arena *arena)
{
	const struct image_notes *notes = image_notes(image);
	const char *path = file_at(notes, executable->base);
	struct binary *binary = arena_alloc(arena, sizeof(*binary));
	struct parts parts = {.image = image};

	if (!binary)
		return NULL;
	binary->arena = arena;
	for (size_t i = 0; path && i < notes->mapping_count; i++)
		if (!strcmp(notes->mappings[i].path, path) &&
			read_build_at(binary, image, notes->mappings[i].start))
			return &binary->info;
	// Without NT_FILE: where the executable's own headers say.
	if (!load_parts(&parts, executable->base))
		return NULL;
	for (size_t i = 0; i < parts.load_count; i++)
		if (read_build_at(binary, image, parts.loads[i].p_vaddr + parts.bias))
			return &binary->info;
	return NULL;
}
