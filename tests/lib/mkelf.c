// Layout of what comes out:
//   ELF header | program headers | notes | segments' bytes | sections' bytes | section headers
// The core's own notes, if any, are described by the first program header, as the kernel's are.
#include "tests/lib/mkelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE 4096

/* A segment or a section: its header and, if it has a place of its own in the file, its bytes. */
struct mkelf_part {
	union {
		Elf64_Phdr program;
		Elf64_Shdr section;
	};
	uint8_t *bytes;
	size_t size;
};

static void append(struct mkelf_buffer *buffer, const void *bytes, size_t size)
{
	if (buffer->size + size > buffer->capacity) {
		buffer->capacity = 2 * (buffer->size + size);
		buffer->bytes = realloc(buffer->bytes, buffer->capacity);
		if (!buffer->bytes)
			abort();
	}
	if (bytes && size)
		memcpy(buffer->bytes + buffer->size, bytes, size);
	else if (size)
		memset(buffer->bytes + buffer->size, 0, size);
	buffer->size += size;
}

static void append_u64(struct mkelf_buffer *buffer, uint64_t value)
{
	append(buffer, &value, sizeof(value));
}

static void align(struct mkelf_buffer *buffer, uint64_t alignment)
{
	if (alignment > 1 && buffer->size % alignment)
		append(buffer, NULL, alignment - buffer->size % alignment);
}

static struct mkelf *create(uint16_t machine, uint16_t type)
{
	struct mkelf *elf = calloc(1, sizeof(*elf));

	if (!elf)
		abort();
	memcpy(elf->header.e_ident, ELFMAG, SELFMAG);
	elf->header.e_ident[EI_CLASS] = ELFCLASS64;
	elf->header.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->header.e_ident[EI_VERSION] = EV_CURRENT;
	elf->header.e_type = type;
	elf->header.e_machine = machine;
	elf->header.e_version = EV_CURRENT;
	elf->header.e_ehsize = sizeof(Elf64_Ehdr);
	elf->header.e_phentsize = sizeof(Elf64_Phdr);
	elf->header.e_shentsize = sizeof(Elf64_Shdr);
	elf->note_alignment = 4;
	elf->segment_alignment = 8;
	return elf;
}

struct mkelf *mkelf_core_create(uint16_t machine)
{
	return create(machine, ET_CORE);
}

struct mkelf *mkelf_executable_create(uint16_t machine, uint16_t type, uint64_t entry)
{
	struct mkelf *elf = create(machine, type);

	elf->header.e_entry = entry;
	return elf;
}

static void free_parts(struct mkelf_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(parts[i].bytes);
	free(parts);
}

void mkelf_destroy(struct mkelf *elf)
{
	if (!elf)
		return;
	free_parts(elf->segments, elf->segment_count);
	free_parts(elf->sections, elf->section_count);
	free(elf->notes.bytes);
	free(elf->files.bytes);
	free(elf->paths.bytes);
	free(elf->names.bytes);
	free(elf->out.bytes);
	free(elf);
}

static struct mkelf_part *add_part(
	struct mkelf_part **parts, size_t *count, const void *bytes, size_t size)
{
	struct mkelf_part *part;

	// Room doubles: it is full whenever the count is a power of two.
	if (!(*count & (*count - 1))) {
		*parts = realloc(*parts, (*count ? 2 * *count : 1) * sizeof(**parts));
		if (!*parts)
			abort();
	}
	part = &(*parts)[(*count)++];
	memset(part, 0, sizeof(*part));
	if (!bytes || !size)
		return part;
	part->bytes = malloc(size);
	if (!part->bytes)
		abort();
	memcpy(part->bytes, bytes, size);
	part->size = size;
	return part;
}

void mkelf_add_segment(struct mkelf *elf, uint64_t address, const void *bytes, size_t file_size,
	uint64_t memory_size, uint32_t flags)
{
	struct mkelf_part *part = add_part(&elf->segments, &elf->segment_count, bytes, file_size);

	part->program = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = flags,
		.p_vaddr = address,
		.p_filesz = file_size,
		.p_memsz = memory_size,
		.p_align = 1};
}

void mkelf_add_header(struct mkelf *elf, const Elf64_Phdr *header)
{
	add_part(&elf->segments, &elf->segment_count, NULL, 0)->program = *header;
}

void mkelf_add_section(
	struct mkelf *elf, const char *name, const Elf64_Shdr *header, const void *bytes)
{
	struct mkelf_part *part =
		add_part(&elf->sections, &elf->section_count, bytes, header->sh_size);

	if (!elf->names.size)
		append(&elf->names, "", 1);
	part->section = *header;
	part->section.sh_name = (uint32_t)elf->names.size;
	append(&elf->names, name, strlen(name) + 1);
}

static void append_note(struct mkelf_buffer *buffer, uint64_t alignment, const char *name,
	uint32_t type, const void *bytes, size_t size)
{
	Elf64_Nhdr header = {(uint32_t)strlen(name) + 1, (uint32_t)size, type};

	append(buffer, &header, sizeof(header));
	append(buffer, name, header.n_namesz);
	align(buffer, alignment);
	append(buffer, bytes, size);
	align(buffer, alignment);
}

void mkelf_add_note(
	struct mkelf *elf, const char *name, uint32_t type, const void *bytes, size_t size)
{
	append_note(&elf->notes, elf->note_alignment, name, type, bytes, size);
}

void mkelf_add_thread(
	struct mkelf *elf, uint32_t id, int16_t signal, const uint64_t *regs, size_t count)
{
	uint8_t status[112 + 64 * sizeof(*regs) + 8] = {0};

	if (count > 64)
		abort();
	memcpy(status + 12, &signal, sizeof(signal));
	memcpy(status + 32, &id, sizeof(id));
	memcpy(status + 112, regs, count * sizeof(*regs));
	mkelf_add_note(elf, "CORE", NT_PRSTATUS, status, 112 + count * sizeof(*regs) + 8);
}

void mkelf_add_process(
	struct mkelf *elf, uint32_t pid, uint32_t uid, const char *command, const char *arguments)
{
	uint8_t info[136] = {0};

	memcpy(info + 16, &uid, sizeof(uid));
	memcpy(info + 20, &uid, sizeof(uid));
	memcpy(info + 24, &pid, sizeof(pid));
	snprintf((char *)info + 40, 16, "%s", command);
	snprintf((char *)info + 56, 80, "%s", arguments);
	mkelf_add_note(elf, "CORE", NT_PRPSINFO, info, sizeof(info));
}

void mkelf_add_signal(struct mkelf *elf, int32_t number, int32_t code, uint64_t field)
{
	uint8_t info[128] = {0};

	memcpy(info, &number, sizeof(number));
	memcpy(info + 8, &code, sizeof(code));
	memcpy(info + 16, &field, sizeof(field));
	mkelf_add_note(elf, "CORE", NT_SIGINFO, info, sizeof(info));
}

void mkelf_add_auxv(struct mkelf *elf, const uint64_t (*pairs)[2], size_t count)
{
	struct mkelf_buffer auxv = {0};

	append(&auxv, pairs, count * sizeof(*pairs));
	append(&auxv, NULL, sizeof(*pairs));
	mkelf_add_note(elf, "CORE", NT_AUXV, auxv.bytes, auxv.size);
	free(auxv.bytes);
}

void mkelf_add_file(
	struct mkelf *elf, uint64_t start, uint64_t end, uint64_t offset, const char *path)
{
	append_u64(&elf->files, start);
	append_u64(&elf->files, end);
	append_u64(&elf->files, offset / PAGE_SIZE);
	append(&elf->paths, path, strlen(path) + 1);
	elf->file_count++;
}

/* The kernel's order of the note: count, page size, rows, paths. */
static void append_file_note(const struct mkelf *elf, struct mkelf_buffer *notes)
{
	struct mkelf_buffer note = {0};

	if (!elf->file_count)
		return;
	append_u64(&note, elf->file_count);
	append_u64(&note, PAGE_SIZE);
	append(&note, elf->files.bytes, elf->files.size);
	append(&note, elf->paths.bytes, elf->paths.size);
	append_note(notes, elf->note_alignment, "CORE", NT_FILE, note.bytes, note.size);
	free(note.bytes);
}

static void put_header(struct mkelf *elf, size_t index, const Elf64_Phdr *header)
{
	memcpy(elf->out.bytes + sizeof(Elf64_Ehdr) + index * sizeof(*header), header,
		sizeof(*header));
}

static void put_notes(struct mkelf *elf, const struct mkelf_buffer *notes)
{
	Elf64_Phdr header = {.p_type = PT_NOTE, .p_align = elf->note_alignment};

	align(&elf->out, elf->note_alignment);
	header.p_offset = elf->out.size;
	header.p_filesz = notes->size;
	if (elf->header.e_type != ET_CORE) {
		header.p_flags = PF_R;
		header.p_vaddr = header.p_paddr = elf->base + header.p_offset;
		header.p_memsz = header.p_filesz;
	}
	append(&elf->out, notes->bytes, notes->size);
	put_header(elf, 0, &header);
}

static void put_segments(struct mkelf *elf, size_t index)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		Elf64_Phdr header = elf->segments[i].program;

		if (elf->segments[i].bytes) {
			align(&elf->out, elf->segment_alignment);
			header.p_offset = elf->out.size;
			append(&elf->out, elf->segments[i].bytes, elf->segments[i].size);
		}
		put_header(elf, index + i, &header);
	}
}

/* Section 0, the sections, and .shstrtab; section 0 alone for extended numbering. */
static void put_sections(struct mkelf *elf, size_t program_count)
{
	struct mkelf_buffer headers = {0};
	Elf64_Shdr null = {0}, names = {.sh_type = SHT_STRTAB, .sh_addralign = 1};

	if (!elf->section_count && !elf->extended_numbering)
		return;
	if (elf->section_count && !elf->has_names) {
		mkelf_add_section(elf, ".shstrtab", &names, NULL);
		elf->has_names = true;
	}
	if (elf->extended_numbering)
		null.sh_info = (uint32_t)program_count;
	append(&headers, &null, sizeof(null));
	for (size_t i = 0; i < elf->section_count; i++) {
		struct mkelf_part *part = &elf->sections[i];
		bool is_names = i + 1 == elf->section_count;
		const struct mkelf_buffer bytes =
			is_names ? elf->names
				 : (struct mkelf_buffer){.bytes = part->bytes, .size = part->size};

		if (bytes.bytes) {
			align(&elf->out, 8);
			part->section.sh_offset = elf->out.size;
			part->section.sh_size = bytes.size;
			append(&elf->out, bytes.bytes, bytes.size);
		}
		append(&headers, &part->section, sizeof(part->section));
	}
	align(&elf->out, 8);
	elf->header.e_shoff = elf->out.size;
	elf->header.e_shnum = (uint16_t)(elf->section_count + 1);
	elf->header.e_shstrndx = (uint16_t)elf->section_count;
	append(&elf->out, headers.bytes, headers.size);
	free(headers.bytes);
}

const uint8_t *mkelf_finish(struct mkelf *elf, size_t *size_ret)
{
	struct mkelf_buffer notes = {0};
	size_t count;

	append(&notes, elf->notes.bytes, elf->notes.size);
	append_file_note(elf, &notes);
	count = elf->segment_count + (notes.size > 0);
	elf->out.size = 0;
	elf->header.e_phoff = sizeof(Elf64_Ehdr);
	elf->header.e_phnum = elf->extended_numbering ? PN_XNUM : (uint16_t)count;
	append(&elf->out, NULL, sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr));
	if (notes.size)
		put_notes(elf, &notes);
	put_segments(elf, notes.size > 0);
	put_sections(elf, count);
	memcpy(elf->out.bytes, &elf->header, sizeof(elf->header));
	free(notes.bytes);
	*size_ret = elf->out.size;
	return elf->out.bytes;
}

int mkelf_open(struct mkelf *elf)
{
	size_t size;
	const uint8_t *bytes = mkelf_finish(elf, &size);

	return mkelf_open_bytes(bytes, size);
}

int mkelf_open_bytes(const void *bytes, size_t size)
{
	int fd = memfd_create("mkelf", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	for (size_t done = 0; done < size;) {
		ssize_t part = write(fd, (const uint8_t *)bytes + done, size - done);

		if (part <= 0)
			abort();
		done += (size_t)part;
	}
	return fd;
}
