// Finds the executable of a core: NT_FILE and the auxiliary vector say where its first page is
// mapped; the ELF header and the PT_NOTE segments in that page hold the build ids.
#include "analyzer/core/executable.h"
#include "analyzer/core/private.h"
#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <elf.h>
#include <string.h>

#define FIRST_PAGE_MASK (~(target_addr)0xfff)
#define NT_GO_BUILD_ID 4 // go1.5 cmd/link/internal/ld/elf.go, ELF_NOTE_GOBUILDID_TAG
#define DELETED " (deleted)"

static const struct image_mapping *mapping_of(const struct image_notes *notes, target_addr address)
{
	for (size_t i = 0; address && i < notes->mapping_count; i++)
		if (address >= notes->mappings[i].start && address < notes->mappings[i].end)
			return &notes->mappings[i];
	return NULL;
}

static const struct image_mapping *find_mapping(const struct image_notes *notes)
{
	const struct image_mapping *mapping = mapping_of(notes, notes->at_phdr);

	return mapping ? mapping : mapping_of(notes, notes->at_entry);
}

/* A program may map its own file again: of its mappings of offset 0, the nearest below wins. */
static target_addr find_base(const struct image_notes *notes, const struct image_mapping *mapping)
{
	target_addr base = 0;

	for (size_t i = 0; mapping && i < notes->mapping_count; i++) {
		const struct image_mapping *row = &notes->mappings[i];

		if (row->start > mapping->start)
			break;
		if (!row->offset && !strcmp(row->path, mapping->path))
			base = row->start;
	}
	return base ? base : notes->at_phdr & FIRST_PAGE_MASK;
}

/* The kernel appends " (deleted)" to the path of a file that was unlinked or replaced. */
static const char *copy_path(struct arena *arena, const char *path)
{
	size_t length = strlen(path), suffix = strlen(DELETED);

	if (length > suffix && !strcmp(path + length - suffix, DELETED))
		length -= suffix;
	return length ? arena_copy(arena, path, length) : NULL;
}

static const char *read_path(struct image *image, struct arena *arena, target_addr address)
{
	char text[MAX_PATH_LENGTH];
	size_t length = 0;

	while (length < sizeof(text)) {
		uint8_t byte;

		if (image_read_u8(image, address + length, &byte))
			return NULL;
		if (!byte)
			return length ? arena_copy(arena, text, length) : NULL;
		text[length++] = (char)byte;
	}
	return NULL;
}

static const char *copy_hex(struct arena *arena, const struct elf_note *note)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, 2 * note->size + 1);

	for (size_t i = 0; text && i < note->size; i++) {
		text[2 * i] = digits[note->bytes[i] >> 4];
		text[2 * i + 1] = digits[note->bytes[i] & 0xf];
	}
	return text;
}

/* A Go build id is printable: base64 parts between slashes, or what -buildid gave. */
static const char *copy_printable(struct arena *arena, const struct elf_note *note)
{
	size_t size = note->size;

	while (size && !note->bytes[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		if (note->bytes[i] < 0x20 || note->bytes[i] > 0x7e)
			return NULL;
	return size ? arena_copy(arena, note->bytes, size) : NULL;
}

static void load_ids(struct core_executable *executable, struct arena *arena, const void *segment,
	size_t size, uint64_t alignment)
{
	struct elf_note note;
	size_t offset = 0;

	while (elf_note_next(segment, size, alignment, &offset, &note)) {
		if (!note.size || note.size > MAX_BUILD_ID_LENGTH)
			continue;
		if (!executable->gnu_build_id && elf_note_is(&note, "GNU", NT_GNU_BUILD_ID))
			executable->gnu_build_id = copy_hex(arena, &note);
		if (!executable->go_build_id && elf_note_is(&note, "Go", NT_GO_BUILD_ID))
			executable->go_build_id = copy_printable(arena, &note);
	}
}

static void load_following_id(
	struct core_executable *executable, struct arena *arena, const uint8_t *bytes, size_t size)
{
	struct elf_note note;
	size_t offset = 0;

	if (elf_note_next(bytes, size, 4, &offset, &note) && note.size &&
		note.size <= MAX_BUILD_ID_LENGTH && elf_note_is(&note, "GNU", NT_GNU_BUILD_ID))
		executable->gnu_build_id = copy_hex(arena, &note);
}

/*
 * The notes may go on past the one page that was dumped: what is there is read. Go's own linker
 * describes .note.go.buildid alone with PT_NOTE and puts .note.gnu.build-id right behind it (seen
 * 1.24 and 1.26; there is none before), so one more note is tried: its name must say what it is.
 */
static void load_note_segment(struct core_executable *executable, const struct image *image,
	struct arena *arena, const Elf64_Phdr *header)
{
	target_addr start = executable->base + header->p_offset;
	uint64_t size = header->p_filesz, left;
	struct image_view view;
	const uint8_t *bytes;

	if (start < executable->base || !image_find(image, start, &view))
		return;
	left = view.end - start;
	if (left > MAX_EXECUTABLE_NOTES_SIZE)
		left = MAX_EXECUTABLE_NOTES_SIZE;
	if (size > left)
		size = left;
	bytes = view.bytes + (start - view.start);
	load_ids(executable, arena, bytes, size, header->p_align);
	if (!executable->gnu_build_id && size % 4 == 0)
		load_following_id(executable, arena, bytes + size, left - size);
}

/* The first page maps the file from its start, so offsets in the file are offsets from `base`. */
static void load_first_page(
	struct core_executable *executable, const struct image *image, struct arena *arena)
{
	Elf64_Ehdr header;

	if (image_read(image, executable->base, &header, sizeof(header)) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
		header.e_phentsize != sizeof(Elf64_Phdr))
		return;
	for (uint64_t i = 0; i < header.e_phnum && i < MAX_EXECUTABLE_SEGMENTS; i++) {
		target_addr address = executable->base + header.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr segment;

		if (image_read(image, address, &segment, sizeof(segment)))
			break;
		if (segment.p_type == PT_NOTE)
			load_note_segment(executable, image, arena, &segment);
	}
}

/*
 * Without the auxiliary vector, and where NT_FILE does not help either: the first page of the
 * executable is in the core all the same (coredump_filter bit 4), at the start of a segment, and of
 * all the files that are mapped only a Go program has a Go build id in it.
 */
static target_addr search_base(struct image *image, struct arena *arena)
{
	struct image_view view;

	for (size_t i = 0; image_view_at(image, i, &view); i++) {
		struct core_executable candidate = {.base = view.start};

		if (view.end - view.start < sizeof(Elf64_Ehdr) ||
			memcmp(view.bytes, ELFMAG, SELFMAG))
			continue;
		load_first_page(&candidate, image, arena);
		if (candidate.go_build_id)
			return view.start;
	}
	return 0;
}

struct core_executable core_executable_find(struct image *image, struct arena *arena)
{
	const struct image_notes *notes = image_notes(image);
	const struct image_mapping *mapping = find_mapping(notes);
	struct core_executable executable = {.entry = notes->at_entry};

	executable.base = find_base(notes, mapping);
	if (!executable.base) {
		executable.base = search_base(image, arena);
		mapping = mapping_of(notes, executable.base);
	}
	if (mapping)
		executable.path = copy_path(arena, mapping->path);
	else if (notes->at_execfn)
		executable.path = read_path(image, arena, notes->at_execfn);
	if (executable.base)
		load_first_page(&executable, image, arena);
	return executable;
}

struct core_executable core_object_find(
	const struct image *image, struct arena *arena, target_addr base)
{
	struct core_executable object = {.base = base};

	if (base)
		load_first_page(&object, image, arena);
	return object;
}
