// AT_PHDR ▶ PT_DYNAMIC ▶ DT_DEBUG ▶ r_debug ▶ link_map ▶ link_map …  The layouts are those of glibc
// and musl (elf/link.h, include/link.h) for 64 bits, which gdb reads, too. The list may be torn: a
// thread that died in dlopen was writing it.
#include "analyzer/core/link_map.h"

#include "analyzer/core/private.h"
#include "common/checked.h"
#include "common/limits.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define R_DEBUG_MAP 8 // struct r_debug: r_version, padding, r_map
#define PAGE 4096

/** struct link_map, the part that is public. */
struct link {
	uint64_t address, name, dynamic, next;
};

/** The segment of `type` among `count` headers at `headers`; false where there is none. */
static bool find_segment(const struct image *image, target_addr headers, uint64_t count,
	uint32_t type, Elf64_Phdr *ret)
{
	for (uint64_t i = 0; i < count && i < MAX_EXECUTABLE_SEGMENTS; i++) {
		Elf64_Phdr segment;

		if (image_read(image, headers + i * sizeof(segment), &segment, sizeof(segment)))
			return false;
		if (segment.p_type != type)
			continue;
		*ret = segment;
		return true;
	}
	return false;
}

/** The first row of the list; 0 where there is no list. */
static target_addr find_list(const struct image *image)
{
	const struct image_notes *notes = image_notes(image);
	Elf64_Phdr own, dynamic;
	target_addr list = 0;
	uint64_t bias = 0;

	if (!notes->at_phdr ||
		!find_segment(image, notes->at_phdr, notes->at_phnum, PT_DYNAMIC, &dynamic))
		return 0;
	if (find_segment(image, notes->at_phdr, notes->at_phnum, PT_PHDR, &own))
		bias = notes->at_phdr - own.p_vaddr;
	for (uint64_t i = 0; i < MAX_DYNAMIC_ENTRIES; i++) {
		target_addr at = bias + dynamic.p_vaddr + i * sizeof(Elf64_Dyn);
		Elf64_Dyn entry;

		if (image_read(image, at, &entry, sizeof(entry)) || entry.d_tag == DT_NULL)
			return 0;
		if (entry.d_tag != DT_DEBUG)
			continue;
		return image_read_u64(image, entry.d_un.d_ptr + R_DEBUG_MAP, &list) ? 0 : list;
	}
	return 0;
}

static bool read_link(const struct image *image, target_addr at, struct link *ret)
{
	return !image_read_u64(image, at, &ret->address) &&
	       !image_read_u64(image, at + 8, &ret->name) &&
	       !image_read_u64(image, at + 16, &ret->dynamic) &&
	       !image_read_u64(image, at + 24, &ret->next);
}

/** An absolute path; NULL where there is none: the executable's own row and the vdso's have none.
 */
static const char *read_path(struct image *image, target_addr address)
{
	char text[MAX_PATH_LENGTH];

	for (size_t length = 0; length < sizeof(text); length++) {
		if (image_read_u8(image, address + length, (uint8_t *)&text[length]))
			return NULL;
		if (!text[length])
			return *text == '/' ? arena_copy(image->arena, text, length) : NULL;
	}
	return NULL;
}

/** Behind the last segment of the file that is loaded at `base`; 0 where its headers are absent. */
static target_addr find_end(const struct image *image, target_addr base)
{
	Elf64_Ehdr header;
	target_addr end = 0;

	if (image_read(image, base, &header, sizeof(header)) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_phentsize != sizeof(Elf64_Phdr))
		return 0;
	for (uint64_t i = 0; i < header.e_phnum && i < MAX_EXECUTABLE_SEGMENTS; i++) {
		Elf64_Phdr segment;
		uint64_t last;

		if (image_read(image, base + header.e_phoff + i * sizeof(segment), &segment,
			    sizeof(segment)))
			break;
		if (segment.p_type == PT_LOAD &&
			checked_add(base + segment.p_vaddr, segment.p_memsz, &last) && last > end)
			end = last;
	}
	return end;
}

/** False where the row is of no file. */
static bool make_mapping(struct image *image, const struct link *link, struct image_mapping *ret)
{
	target_addr end;

	// Libraries are linked at 0, so that l_addr is where the first byte lies.
	if (!link->address || link->dynamic < link->address || link->dynamic > UINT64_MAX - PAGE)
		return false;
	ret->path = read_path(image, link->name);
	if (!ret->path)
		return false;
	end = find_end(image, link->address);
	ret->start = link->address;
	ret->end = end > link->dynamic ? end : (link->dynamic | (PAGE - 1)) + 1;
	ret->offset = 0;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct image_mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/** A row reaches to the next one at most: the list is hostile, and look-ups want order. */
static void sort(struct image_notes *notes)
{
	size_t used = 0;

	qsort(notes->mappings, notes->mapping_count, sizeof(*notes->mappings), compare);
	for (size_t i = 0; i < notes->mapping_count; i++) {
		struct image_mapping *row = &notes->mappings[i];

		if (used && notes->mappings[used - 1].start == row->start)
			continue;
		if (used && notes->mappings[used - 1].end > row->start)
			notes->mappings[used - 1].end = row->start;
		notes->mappings[used++] = *row;
	}
	notes->mapping_count = used;
}

enum cs_status link_map_load(struct image *image, struct diag *diag)
{
	struct image_notes *notes = &image->notes;
	struct image_mapping *rows = NULL;
	size_t capacity = 0, count = 0, steps = 0;
	target_addr at;
	struct link link;

	if (notes->mapping_count)
		return CS_OK;
	for (at = find_list(image); at && read_link(image, at, &link); at = link.next) {
		struct image_mapping row;

		if (++steps > MAX_LINK_MAP) {
			diag_add(diag, DIAG_WARNING, "limit",
				"only %d shared libraries of the dynamic linker's list were read",
				MAX_LINK_MAP);
			break;
		}
		if (!make_mapping(image, &link, &row))
			continue;
		rows = arena_grow(image->arena, rows, &capacity, count + 1, sizeof(*rows));
		if (!rows)
			return CS_NO_MEMORY;
		rows[count++] = row;
	}
	if (!count)
		return CS_OK;
	notes->mappings = rows;
	notes->mapping_count = count;
	sort(notes);
	return CS_OK;
}
