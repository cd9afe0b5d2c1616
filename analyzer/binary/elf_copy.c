#include "analyzer/binary/elf_copy.h"

#include "common/checked.h"
#include "common/limits.h"

#include <elf.h>
#include <string.h>

#define SECTION_COUNT 3 // none, .dynsym, .dynstr

struct copy {
	const struct image *image;
	target_addr base;
	Elf64_Ehdr header;
	Elf64_Phdr segments[MAX_EXECUTABLE_SEGMENTS];
	uint64_t first;       // the linked address of the file's first byte
	uint64_t size;        // of the segments
	uint64_t frame_table; // linked address of .eh_frame_hdr; 0: none
	uint64_t dynamic, dynamic_size;
	uint8_t *bytes;
};

static bool read_headers(struct copy *copy)
{
	Elf64_Ehdr *header = &copy->header;

	if (image_read(copy->image, copy->base, header, sizeof(*header)) != CS_OK ||
		memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
		header->e_ident[EI_CLASS] != ELFCLASS64 ||
		header->e_phentsize != sizeof(Elf64_Phdr) ||
		header->e_phnum > MAX_EXECUTABLE_SEGMENTS)
		return false;
	return image_read(copy->image, copy->base + header->e_phoff, copy->segments,
		       header->e_phnum * sizeof(Elf64_Phdr)) == CS_OK;
}

static bool measure(struct copy *copy)
{
	bool has_first = false;

	for (uint16_t i = 0; i < copy->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &copy->segments[i];
		uint64_t end;

		if (!checked_add(segment->p_offset, segment->p_filesz, &end))
			return false;
		if (segment->p_type == PT_LOAD && !segment->p_offset) {
			copy->first = segment->p_vaddr;
			has_first = true;
		}
		if (segment->p_type == PT_LOAD && end > copy->size)
			copy->size = end;
		if (segment->p_type == PT_GNU_EH_FRAME)
			copy->frame_table = segment->p_vaddr;
		if (segment->p_type == PT_DYNAMIC) {
			copy->dynamic = segment->p_vaddr;
			copy->dynamic_size = segment->p_filesz;
		}
	}
	return has_first && copy->frame_table && copy->size <= MAX_OBJECT_COPY;
}

static target_addr loaded(const struct copy *copy, uint64_t address)
{
	return copy->base + (address - copy->first);
}

/** The offset in the file of a linked address; false where no PT_LOAD has it. */
static bool offset_of(const struct copy *copy, uint64_t address, uint64_t *ret)
{
	for (uint16_t i = 0; i < copy->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &copy->segments[i];

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
			address - segment->p_vaddr < segment->p_filesz) {
			*ret = segment->p_offset + (address - segment->p_vaddr);
			return true;
		}
	}
	return false;
}

/** What the image has of one segment. */
static void copy_segment(struct copy *copy, const Elf64_Phdr *segment)
{
	target_addr at = loaded(copy, segment->p_vaddr), end = at + segment->p_filesz;
	uint8_t *to = copy->bytes + segment->p_offset;

	while (at < end) {
		struct image_view view;
		uint64_t size = 4096 - at % 4096; // of a page that is absent

		if (image_find(copy->image, at, &view)) {
			size = view.end - at;
			if (size > end - at)
				size = end - at;
			memcpy(to, view.bytes + (at - view.start), size);
		}
		to += size < end - at ? size : end - at;
		at += size;
	}
}

/** Where the dynamic section says that `tag` lies, as linked: ld.so has relocated it or not. */
static uint64_t dynamic_value(const struct copy *copy, int64_t tag)
{
	for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= copy->dynamic_size;
		at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn row;

		if (image_read(copy->image, loaded(copy, copy->dynamic) + at, &row, sizeof(row)) !=
				CS_OK ||
			row.d_tag == DT_NULL)
			break;
		if (row.d_tag != tag)
			continue;
		if (tag == DT_STRSZ || row.d_un.d_ptr < copy->base)
			return row.d_un.d_val;
		return row.d_un.d_ptr - copy->base + copy->first;
	}
	return 0;
}

/** Linkers put the names right behind the symbols: nothing else says how many there are. */
static void describe_symbols(struct copy *copy)
{
	Elf64_Shdr sections[SECTION_COUNT] = {{0}};
	uint64_t symbols, names, names_size = dynamic_value(copy, DT_STRSZ);

	copy->header.e_shoff = copy->header.e_shnum = copy->header.e_shstrndx = 0;
	if (offset_of(copy, dynamic_value(copy, DT_SYMTAB), &symbols) &&
		offset_of(copy, dynamic_value(copy, DT_STRTAB), &names) && names > symbols &&
		checked_range(names, names_size, copy->size)) {
		sections[1] = (Elf64_Shdr){.sh_type = SHT_DYNSYM,
			.sh_offset = symbols,
			.sh_size = (names - symbols) / sizeof(Elf64_Sym) * sizeof(Elf64_Sym),
			.sh_link = 2,
			.sh_entsize = sizeof(Elf64_Sym),
			.sh_addralign = 8};
		sections[2] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
			.sh_offset = names,
			.sh_size = names_size,
			.sh_addralign = 1};
		copy->header.e_shoff = copy->size;
		copy->header.e_shentsize = sizeof(Elf64_Shdr);
		copy->header.e_shnum = SECTION_COUNT;
		memcpy(copy->bytes + copy->size, sections, sizeof(sections));
	}
	memcpy(copy->bytes, &copy->header, sizeof(copy->header));
}

void *elf_copy_from_image(
	const struct image *image, target_addr base, struct arena *arena, size_t *size_ret)
{
	struct copy *copy = arena_alloc(arena, sizeof(*copy));
	uint8_t byte;

	if (!copy)
		return NULL;
	*copy = (struct copy){.image = image, .base = base};
	if (!read_headers(copy) || !measure(copy) ||
		image_read_u8(image, loaded(copy, copy->frame_table), &byte) != CS_OK)
		return NULL;
	copy->size = (copy->size + 7) & ~UINT64_C(7);
	if (copy->size < sizeof(copy->header))
		return NULL;
	*size_ret = copy->size + SECTION_COUNT * sizeof(Elf64_Shdr);
	copy->bytes = arena_alloc(arena, *size_ret);
	if (!copy->bytes)
		return NULL;
	for (uint16_t i = 0; i < copy->header.e_phnum; i++)
		if (copy->segments[i].p_type == PT_LOAD)
			copy_segment(copy, &copy->segments[i]);
	describe_symbols(copy);
	return copy->bytes;
}
