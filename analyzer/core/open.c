// From a file to an image: the ELF header, the program headers, and for whatever is not a readable
// core one line that says what it is and what to do. A cut file gives what is left of it.
//
// A kernel core (fs/binfmt_elf.c, elf_core_dump):
//   ELF header | program headers: PT_NOTE, PT_LOAD… | notes | segments | section 0, if PN_XNUM
#include "analyzer/core/private.h"
#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What opening needs at hand; lives for one image_open. */
struct opening {
	const char *name;
	struct image *image;
	struct diag *diag;
	const uint8_t *bytes;
	size_t size;
	uint64_t program_offset, section_offset;
	uint64_t program_count; // as the file says, and then as far as they are there
	uint64_t load_count;
	bool has_lost_notes; // they lie behind the end of the file
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, alignment;
};

static const struct {
	const char *format, *unpack;
	uint8_t size, magic[6];
} compressions[] = {
	{"zstd", "zstd -d", 4, {0x28, 0xb5, 0x2f, 0xfd}},
	{"gzip", "gunzip -k", 2, {0x1f, 0x8b}},
	{"xz", "unxz -k", 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
	{"lz4", "lz4 -d", 4, {0x04, 0x22, 0x4d, 0x18}},
	{"bzip2", "bunzip2 -k", 3, {'B', 'Z', 'h'}},
};

static const struct {
	uint16_t machine;
	const char *name;
} machines[] = {
	{EM_X86_64, "x86-64"}, {EM_AARCH64, "arm64"}, {EM_386, "i386"}, {EM_ARM, "arm"},
	{EM_S390, "s390x"}, {EM_PPC, "powerpc"}, {EM_PPC64, "powerpc64"}, {EM_RISCV, "riscv"},
	{EM_MIPS, "mips"}, {EM_SPARC, "sparc"}, {EM_SPARCV9, "sparc64"},
	{258, "loongarch"}, // EM_LOONGARCH, newer than some elf.h
};

static enum cs_status refuse_other_format(const struct opening *o)
{
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
		if (o->size >= compressions[i].size &&
			!memcmp(o->bytes, compressions[i].magic, compressions[i].size))
			return diag_fail(o->diag, CS_UNSUPPORTED, "compressed-core",
				"%s is compressed with %s: unpack it first, for example: %s %s",
				o->name, compressions[i].format, compressions[i].unpack, o->name);
	return diag_fail(o->diag, CS_UNSUPPORTED, "not-elf",
		"%s is not an ELF file: give the core file that the kernel wrote", o->name);
}

static enum cs_status refuse_cut_headers(const struct opening *o)
{
	return diag_fail(o->diag, CS_CORRUPT, "truncated-core",
		"%s is cut inside its headers (%zu bytes), before any thread: nothing can be read; "
		"look for a full disk or a limit on core size (ulimit -c)",
		o->name, o->size);
}

static const char *file_kind(uint16_t type)
{
	switch (type) {
	case ET_EXEC:
		return "an executable";
	case ET_DYN:
		return "an executable or shared library";
	case ET_REL:
		return "an object file";
	default:
		return "an ELF file of another kind";
	}
}

static enum cs_status refuse_machine(const struct opening *o, uint16_t machine)
{
	const char *bits = o->bytes[EI_CLASS] == ELFCLASS32 ? "32-bit " : "";
	const char *order = o->bytes[EI_DATA] == ELFDATA2MSB ? "big-endian " : "";

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine)
			return diag_fail(o->diag, CS_UNSUPPORTED, "wrong-architecture",
				"%s is the core of a %s%s%s program: coresnap reads cores of "
				"64-bit "
				"amd64 and arm64 programs",
				o->name, bits, order, machines[i].name);
	return diag_fail(o->diag, CS_UNSUPPORTED, "wrong-architecture",
		"%s is the core of a %s%sprogram for ELF machine %u: coresnap reads cores of "
		"64-bit "
		"amd64 and arm64 programs",
		o->name, bits, order, machine);
}

/* e_ident, e_type and e_machine lie alike in all classes; only the byte order differs. */
static enum cs_status check_kind(struct opening *o, enum image_arch *ret)
{
	struct cursor c = cursor_over(o->bytes, o->size);
	uint16_t type, machine;

	cursor_seek(&c, EI_NIDENT);
	type = cursor_u16(&c);
	machine = cursor_u16(&c);
	if (c.bad)
		return refuse_cut_headers(o);
	if (o->bytes[EI_DATA] == ELFDATA2MSB) {
		type = be16toh(type);
		machine = be16toh(machine);
	}
	if (type != ET_CORE)
		return diag_fail(o->diag, CS_UNSUPPORTED, "not-core",
			"%s is %s, not a core: give the core as the argument (and the program "
			"itself with --exe)",
			o->name, file_kind(type));
	if (o->bytes[EI_CLASS] != ELFCLASS64 || o->bytes[EI_DATA] != ELFDATA2LSB ||
		(machine != EM_X86_64 && machine != EM_AARCH64))
		return refuse_machine(o, machine);
	*ret = machine == EM_X86_64 ? ARCH_AMD64 : ARCH_ARM64;
	return CS_OK;
}

static struct program_header load_header(const struct opening *o, uint64_t index)
{
	struct cursor c = cursor_over(o->bytes, o->size);
	struct program_header header;

	cursor_seek(&c, o->program_offset + index * sizeof(Elf64_Phdr));
	header.type = cursor_u32(&c);
	header.flags = cursor_u32(&c);
	header.offset = cursor_u64(&c);
	header.address = cursor_u64(&c);
	cursor_u64(&c); // p_paddr
	header.file_size = cursor_u64(&c);
	header.memory_size = cursor_u64(&c);
	header.alignment = cursor_u64(&c);
	return header;
}

/*
 * With 65535 program headers and more, their number is the sh_info of section 0, which the kernel
 * writes at the very end. In a cut core it is gone; but the notes, described by the first program
 * header, begin where the program headers end.
 */
static uint64_t extended_count(const struct opening *o)
{
	struct cursor c = cursor_over(o->bytes, o->size);
	struct program_header first;
	uint32_t count;

	if (o->section_offset <= o->size) {
		cursor_seek(&c, o->section_offset);
		cursor_take(&c, offsetof(Elf64_Shdr, sh_info));
		count = cursor_u32(&c);
		if (!c.bad && count)
			return count;
	}
	first = load_header(o, 0);
	if (first.type == PT_NOTE && first.offset > o->program_offset)
		return (first.offset - o->program_offset) / sizeof(Elf64_Phdr);
	return PN_XNUM;
}

/* Finds the program headers and how many of them are there. */
static enum cs_status load_elf_header(struct opening *o)
{
	struct cursor c = cursor_over(o->bytes, o->size);
	uint64_t end, room;
	uint16_t entry_size;

	cursor_seek(&c, offsetof(Elf64_Ehdr, e_phoff));
	o->program_offset = cursor_u64(&c);
	o->section_offset = cursor_u64(&c);
	cursor_take(&c, sizeof(uint32_t) + sizeof(uint16_t)); // e_flags, e_ehsize
	entry_size = cursor_u16(&c);
	o->program_count = cursor_u16(&c);
	if (c.bad || o->program_offset > o->size)
		return refuse_cut_headers(o);
	if (o->program_count && entry_size != sizeof(Elf64_Phdr))
		return diag_fail(o->diag, CS_CORRUPT, "bad-core",
			"%s is damaged: its program headers have %u bytes each, not %zu", o->name,
			entry_size, sizeof(Elf64_Phdr));
	room = (o->size - o->program_offset) / sizeof(Elf64_Phdr);
	end = o->program_offset + sizeof(Elf64_Phdr) * o->program_count;
	if (o->program_count == PN_XNUM && room) {
		o->program_count = extended_count(o);
		if (!checked_add(o->section_offset, sizeof(Elf64_Shdr), &end))
			end = UINT64_MAX;
	}
	o->image->expected_size = end;
	if (o->program_count > MAX_CORE_SEGMENTS) {
		diag_add(o->diag, DIAG_WARNING, "limit", "only %d of %llu segments were read",
			MAX_CORE_SEGMENTS, (unsigned long long)o->program_count);
		o->program_count = MAX_CORE_SEGMENTS;
	}
	if (o->program_count > room)
		o->program_count = room;
	return CS_OK;
}

static void expect(struct opening *o, const struct program_header *header)
{
	uint64_t end;

	if (checked_add(header->offset, header->file_size, &end) && header->file_size &&
		end > o->image->expected_size)
		o->image->expected_size = end;
}

/* Bytes of the segment that are in the file. */
static size_t bytes_present(const struct opening *o, const struct program_header *header)
{
	uint64_t left = header->offset < o->size ? o->size - header->offset : 0;

	return header->file_size < left ? header->file_size : left;
}

static enum cs_status add_segment(struct opening *o, const struct program_header *header)
{
	uint64_t size = bytes_present(o, header), end;

	o->load_count++;
	if (size > header->memory_size)
		size = header->memory_size;
	if (!size)
		return CS_OK;
	if (!checked_add(header->address, size, &end)) {
		diag_add(o->diag, DIAG_WARNING, "bad-segment",
			"a segment at 0x%llx ends past the address space and was left out",
			(unsigned long long)header->address);
		return CS_OK;
	}
	return image_add(o->image, (struct image_view){
					   .start = header->address,
					   .end = end,
					   .bytes = o->bytes + header->offset,
					   .is_writable = header->flags & PF_W,
					   .is_core = true,
				   });
}

static enum cs_status add_notes(struct opening *o, const struct program_header *header)
{
	size_t size = bytes_present(o, header);

	o->has_lost_notes |= header->offset >= o->size;
	if (!size)
		return CS_OK;
	if (size > MAX_CORE_NOTES_SIZE) {
		diag_add(o->diag, DIAG_WARNING, "limit", "only %u of %zu bytes of notes were read",
			MAX_CORE_NOTES_SIZE, size);
		size = MAX_CORE_NOTES_SIZE;
	}
	return notes_load(o->image, o->bytes + header->offset, size, header->alignment, o->diag);
}

static enum cs_status load_segments(struct opening *o)
{
	enum cs_status status = CS_OK;

	for (uint64_t i = 0; i < o->program_count && !status; i++) {
		struct program_header header = load_header(o, i);

		if (header.type != PT_LOAD && header.type != PT_NOTE)
			continue;
		expect(o, &header);
		status = header.type == PT_LOAD ? add_segment(o, &header) : add_notes(o, &header);
	}
	if (!status)
		status = notes_finish(o->image);
	if (!status)
		status = image_seal(o->image);
	if (status)
		return diag_fail(o->diag, status, "no-memory",
			"%s: %s while its segments were read", o->name, status_text(status));
	return CS_OK;
}

static enum cs_status check_content(struct opening *o)
{
	bool is_cut = o->size < o->image->expected_size;

	if (!o->image->notes.thread_count && is_cut && o->has_lost_notes && o->load_count)
		return diag_fail(o->diag, CS_CORRUPT, "truncated-core",
			"%s is cut before its notes, which gdb writes last (%zu of %llu bytes are "
			"there): without a thread nothing can be read; look for a full disk",
			o->name, o->size, (unsigned long long)o->image->expected_size);
	if (!o->image->notes.thread_count && is_cut)
		return refuse_cut_headers(o);
	if (!o->image->notes.thread_count)
		return diag_fail(o->diag, CS_CORRUPT, "no-threads",
			"%s is an ELF core without a thread in it (no NT_PRSTATUS note): it was "
			"not "
			"written by Linux for a process",
			o->name);
	if (!o->load_count)
		return diag_fail(o->diag, CS_CORRUPT, "no-memory-in-core",
			"%s is an ELF core without memory in it (no PT_LOAD): look at "
			"/proc/PID/coredump_filter of the program",
			o->name);
	if (o->image->notes.is_live)
		diag_add(o->diag, DIAG_INFO, "live-core",
			"the core was taken of a live process (gcore or a debugger): nothing "
			"killed it");
	if (is_cut)
		diag_add(o->diag, DIAG_WARNING, "truncated-core",
			"core is truncated: %zu of %llu bytes", o->size,
			(unsigned long long)o->image->expected_size);
	return CS_OK;
}

static enum cs_status open_elf(struct opening *o)
{
	enum cs_status status;

	if (o->size < SELFMAG || memcmp(o->bytes, ELFMAG, SELFMAG))
		return refuse_other_format(o);
	status = check_kind(o, &o->image->arch);
	if (!status)
		status = load_elf_header(o);
	if (!status)
		status = load_segments(o);
	if (!status)
		status = check_content(o);
	return status;
}

static enum cs_status check_file(int fd, const char *name, struct diag *diag, uint64_t *size_ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return diag_fail(diag, CS_IO, "unreadable-core", "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_fail(diag, CS_UNSUPPORTED, "not-a-file",
			"%s is not a regular file: store the core in a file first", name);
	if (!st.st_size)
		return diag_fail(diag, CS_CORRUPT, "empty-core",
			"%s is empty: nothing was dumped; look for a full disk or a limit on core "
			"size (ulimit -c)",
			name);
	*size_ret = (uint64_t)st.st_size;
	return CS_OK;
}

enum cs_status image_open(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct image **ret)
{
	struct opening o = {.name = name, .diag = diag};
	enum cs_status status;
	uint64_t size = 0;

	status = check_file(fd, name, diag, &size);
	if (status)
		return status;
	o.image = image_create(ARCH_AMD64, arena);
	if (!o.image)
		return diag_fail(diag, CS_NO_MEMORY, "no-memory", "%s: out of memory", name);
	status = mapping_open(fd, size, &o.image->file);
	if (status)
		return diag_fail(diag, status, "unreadable-core", "%s cannot be mapped: %s", name,
			status == CS_IO ? strerror(errno) : "too many files are open");
	o.bytes = o.image->file.bytes;
	o.size = o.image->file.size;
	o.image->file_size = o.image->expected_size = size;
	status = open_elf(&o);
	if (status)
		image_close(o.image);
	else
		*ret = o.image;
	return status;
}
