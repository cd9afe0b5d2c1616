// The executable as a file: what it is, what the linker says about it, and its bytes for the image.
// The file is mapped once; nothing is opened after that, because everything runs in the analyzer's
// sandbox.
#include "analyzer/binary/binary.h"

#include "analyzer/binary/binary_internal.h"
#include "analyzer/core/arch.h"
#include "common/checked.h"
#include "common/limits.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static enum cs_status map_file(int fd, struct binary *binary, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return diag_fail(diag, CS_IO, "binary-unreadable",
			"%s is not a regular file; give the executable that crashed", binary->name);
	if (!st.st_size)
		return diag_fail(diag, CS_CORRUPT, "binary-empty",
			"%s is empty; give the executable that crashed", binary->name);
	if (mapping_open(fd, (size_t)st.st_size, &binary->file))
		return diag_fail(diag, CS_IO, "binary-unreadable", "cannot map %s: %s",
			binary->name, strerror(errno));
	// elf_memory may write into what it gets; the mapping is private, so the file is safe.
	if (mprotect((void *)(uintptr_t)binary->file.bytes, binary->file.size,
		    PROT_READ | PROT_WRITE))
		return diag_fail(diag, CS_IO, "binary-unreadable", "cannot map %s: %s",
			binary->name, strerror(errno));
	return CS_OK;
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {{EM_386, "386"}, {EM_ARM, "arm"}, {EM_RISCV, "riscv64"}, {EM_S390, "s390x"},
		{EM_PPC64, "ppc64"}, {EM_MIPS, "mips"}, {EM_LOONGARCH, "loong64"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "another architecture";
}

static const char *file_type(uint16_t type)
{
	switch (type) {
	case ET_CORE:
		return "a core file, not the executable that made it";
	case ET_REL:
		return "an object file that is not linked yet";
	default:
		return "not an executable";
	}
}

static enum cs_status check_header(
	struct binary *binary, const GElf_Ehdr *header, struct diag *diag)
{
	if (header->e_machine == EM_X86_64)
		binary->info.arch = ARCH_AMD64;
	else if (header->e_machine == EM_AARCH64)
		binary->info.arch = ARCH_ARM64;
	else
		return diag_fail(diag, CS_UNSUPPORTED, "binary-architecture",
			"%s is for %s; coresnap reads programs for amd64 and arm64", binary->name,
			machine_name(header->e_machine));
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return diag_fail(diag, CS_REFUSED, "binary-type", "%s is %s", binary->name,
			file_type(header->e_type));
	binary->info.is_pie = header->e_type == ET_DYN;
	binary->info.entry = header->e_entry;
	return CS_OK;
}

static enum cs_status open_elf(struct binary *binary, struct diag *diag)
{
	GElf_Ehdr header;

	if (binary->file.size < SELFMAG || memcmp(binary->file.bytes, ELFMAG, SELFMAG))
		return diag_fail(diag, CS_REFUSED, "binary-not-elf",
			"%s is not an ELF executable; give the program that crashed", binary->name);
	// Before libelf converts anything: foreign byte orders end here.
	if (binary->file.size > EI_DATA && (binary->file.bytes[EI_CLASS] != ELFCLASS64 ||
						   binary->file.bytes[EI_DATA] != ELFDATA2LSB))
		return diag_fail(diag, CS_UNSUPPORTED, "binary-architecture",
			"%s is not a 64-bit little-endian program; coresnap reads amd64 and arm64",
			binary->name);
	elf_version(EV_CURRENT);
	binary->elf = elf_memory((char *)(uintptr_t)binary->file.bytes, binary->file.size);
	if (!binary->elf || elf_kind(binary->elf) != ELF_K_ELF ||
		!gelf_getehdr(binary->elf, &header) ||
		elf_getphdrnum(binary->elf, &binary->segment_count))
		return diag_fail(diag, CS_CORRUPT, "binary-damaged",
			"%s is cut or damaged inside its ELF headers", binary->name);
	if (binary->segment_count > MAX_PROGRAM_HEADERS)
		binary->segment_count = MAX_PROGRAM_HEADERS;
	return check_header(binary, &header, diag);
}

static bool find_section(const struct binary *binary, const char *name, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(binary->elf, &names))
		return false;
	while ((section = elf_nextscn(binary->elf, section))) {
		GElf_Shdr header;
		const char *its_name;

		if (!gelf_getshdr(section, &header))
			continue;
		its_name = elf_strptr(binary->elf, names, header.sh_name);
		if (its_name && !strcmp(its_name, name)) {
			*ret = header;
			return true;
		}
	}
	return false;
}

bool binary_section_bytes(const struct binary *binary, const char *name, struct binary_bytes *ret)
{
	GElf_Shdr header;

	if (!find_section(binary, name, &header) || header.sh_type == SHT_NOBITS ||
		!header.sh_size ||
		!checked_range(header.sh_offset, header.sh_size, binary->file.size))
		return false;
	*ret = (struct binary_bytes){
		binary->file.bytes + header.sh_offset, header.sh_size, header.sh_addr};
	return true;
}

bool binary_segment_bytes(const struct binary *binary, size_t index, uint32_t type,
	struct binary_bytes *ret, uint32_t *flags_ret)
{
	GElf_Phdr header;

	if (!gelf_getphdr(binary->elf, (int)index, &header) || header.p_type != type ||
		!header.p_filesz ||
		!checked_range(header.p_offset, header.p_filesz, binary->file.size))
		return false;
	*ret = (struct binary_bytes){
		binary->file.bytes + header.p_offset, header.p_filesz, header.p_vaddr};
	*flags_ret = header.p_flags;
	return true;
}

/* True for a dynamic section that asks for a shared library: Go without cgo needs none. */
static bool needs_library(const struct binary *binary)
{
	struct binary_bytes dynamic;
	uint32_t flags;

	for (size_t i = 0; i < binary->segment_count; i++) {
		if (!binary_segment_bytes(binary, i, PT_DYNAMIC, &dynamic, &flags))
			continue;
		for (size_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.size;
			at += sizeof(Elf64_Dyn)) {
			Elf64_Dyn row;

			memcpy(&row, dynamic.bytes + at, sizeof(row));
			if (row.d_tag == DT_NEEDED)
				return true;
			if (row.d_tag == DT_NULL)
				break;
		}
	}
	return false;
}

static bool pclntab_bytes(const struct binary *binary, struct binary_bytes *ret)
{
	return binary_section_bytes(binary, ".gopclntab", ret) ||
	       binary_section_bytes(binary, ".data.rel.ro.gopclntab", ret);
}

/*
 * CGO_ENABLED=1 only says that cgo was allowed. crosscall2, which C calls to enter Go, is linked
 * exactly with runtime/cgo (runtime/cgo/asm_amd64.s) and its name is in the function table of a
 * stripped and statically linked program too.
 */
static bool has_cgo(const struct binary *binary)
{
	static const char name[] = "\0crosscall2";
	struct binary_bytes table;
	uint32_t flags;

	if (needs_library(binary))
		return true;
	if (pclntab_bytes(binary, &table))
		return memmem(table.bytes, table.size, name, sizeof(name));
	// Without sections, as in a core: it lies in one of the segments.
	for (size_t i = 0; i < binary->segment_count; i++)
		if (binary_segment_bytes(binary, i, PT_LOAD, &table, &flags) &&
			memmem(table.bytes, table.size, name, sizeof(name)))
			return true;
	return false;
}

static bool has_dwarf(const struct binary *binary)
{
	GElf_Shdr header;

	if (find_section(binary, ".debug_info", &header))
		return header.sh_type != SHT_NOBITS && header.sh_size;
	return find_section(binary, ".zdebug_info", &header);
}

static bool holds(const struct binary *binary, const char *mark)
{
	return memmem(binary->file.bytes, binary->file.size, mark, strlen(mark));
}

/*
 * The other two compilers of Go have runtimes of their own. gccgo leaves export data for importers,
 * or, when it is stripped, the name of its library (libgo.so, or its source files in a static one);
 * TinyGo prefixes the assembly of its runtime.
 */
static enum cs_status refuse_other_language(const struct binary *binary, struct diag *diag)
{
	const char *compiler = NULL;
	GElf_Shdr header;

	if (find_section(binary, ".go_export", &header) || holds(binary, "libgo.so") ||
		holds(binary, "/libgo/go/runtime/"))
		compiler = "gccgo";
	else if (holds(binary, "tinygo_"))
		compiler = "TinyGo";
	if (compiler)
		return diag_fail(diag, CS_REFUSED, "binary-not-go",
			"%s was built by %s, whose runtime coresnap does not read: signal, threads "
			"and registers can be given, goroutines cannot",
			binary->name, compiler);
	return diag_fail(diag, CS_REFUSED, "binary-not-go",
		"%s is not a Go program: it has no build information, function table or Go build "
		"id",
		binary->name);
}

static enum cs_status read_info(struct binary *binary, struct diag *diag)
{
	struct binary_info *info = &binary->info;
	enum cs_status status = build_id_read(binary), build_status;
	struct binary_bytes bytes;
	GElf_Shdr header;

	if (status)
		return status;
	build_status = buildinfo_read(binary);
	if (build_status == CS_NO_MEMORY)
		return build_status;
	info->is_go =
		build_status != CS_NOT_FOUND || info->go_build_id || pclntab_bytes(binary, &bytes);
	if (!info->is_go)
		return refuse_other_language(binary, diag);
	info->is_too_old = build_status == CS_UNSUPPORTED;
	if (build_status && !info->is_too_old)
		diag_add(diag, DIAG_WARNING, "no-build-info",
			"%s does not say which Go release built it", binary->name);
	if (!info->goarch)
		info->goarch = arch_facts(info->arch)->name;
	info->has_dwarf = has_dwarf(binary);
	info->has_symtab = binary_section_bytes(binary, ".symtab", &bytes);
	info->has_cgo = has_cgo(binary);
	info->is_debug_file =
		find_section(binary, ".text", &header) && header.sh_type == SHT_NOBITS;
	return CS_OK;
}

enum cs_status binary_finish_open(struct binary *binary, struct diag *diag)
{
	enum cs_status status = open_elf(binary, diag);

	return status ? status : read_info(binary, diag);
}

/* The file mapped and its ELF headers read. */
static enum cs_status open_file(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct binary **ret)
{
	struct binary *binary = arena_alloc(arena, sizeof(*binary));
	enum cs_status status;

	if (!binary)
		return CS_NO_MEMORY;
	binary->arena = arena;
	binary->file.slot = -1;
	binary->name = arena_string(arena, name);
	if (!binary->name)
		return CS_NO_MEMORY;
	status = map_file(fd, binary, diag);
	if (!status)
		status = open_elf(binary, diag);
	if (status)
		binary_close(binary);
	else
		*ret = binary;
	return status;
}

enum cs_status binary_open(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct binary **ret)
{
	struct binary *binary;
	enum cs_status status = open_file(fd, name, arena, diag, &binary);

	if (status)
		return status;
	status = read_info(binary, diag);
	if (status)
		binary_close(binary);
	else
		*ret = binary;
	return status;
}

enum cs_status binary_open_debug(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct binary **ret)
{
	struct diag own; // a debug file that cannot be read ends no analysis
	struct binary *binary;
	enum cs_status status;

	diag_init(&own, arena);
	status = open_file(fd, name, arena, &own, &binary);
	if (status) {
		diag_add(diag, DIAG_WARNING, "debug-file-unreadable", "%s",
			own.fatal ? own.fatal : status_text(status));
		return status;
	}
	status = build_id_read_sections(binary);
	if (status) {
		binary_close(binary);
		return status;
	}
	binary->info.has_dwarf = has_dwarf(binary);
	*ret = binary;
	return CS_OK;
}

void binary_close(struct binary *binary)
{
	if (!binary)
		return;
	binary->dwarf = NULL;
	debug_close(&binary->debug);
	elf_end(binary->elf);
	binary->elf = NULL;
	mapping_close(&binary->file);
}

const struct binary_info *binary_info(const struct binary *binary)
{
	return &binary->info;
}

static enum cs_status add_bytes(
	struct image *image, const struct binary_bytes *bytes, uint64_t bias, bool is_writable)
{
	struct image_view view = {
		.start = bytes->address + bias, .bytes = bytes->bytes, .is_writable = is_writable};

	if (!checked_add(view.start, bytes->size, &view.end))
		return CS_OK; // hostile: it would wrap around the address space
	return image_add(image, view);
}

/*
 * The file says what code and constants were, and what variables were at the start: those that the
 * core lacks are not known. But for relocations, what is read-only after them (PT_GNU_RELRO) does
 * not change: a PIE's function table lies there.
 */
enum cs_status binary_add_to_image(struct binary *binary, struct image *image, uint64_t bias)
{
	enum cs_status status = CS_OK;
	struct binary_bytes load;
	uint32_t flags;

	for (size_t i = 0; i < binary->segment_count && !status; i++) {
		if (binary_segment_bytes(binary, i, PT_GNU_RELRO, &load, &flags))
			status = add_bytes(image, &load, bias, true);
		else if (binary_segment_bytes(binary, i, PT_LOAD, &load, &flags) && !(flags & PF_W))
			status = add_bytes(image, &load, bias, false);
	}
	return status;
}

bool binary_pclntab(const struct binary *binary, uint64_t *address_ret, uint64_t *size_ret)
{
	struct binary_bytes table;

	if (!pclntab_bytes(binary, &table))
		return false;
	*address_ret = table.address;
	*size_ret = table.size;
	return true;
}

bool binary_section(
	const struct binary *binary, const char *name, uint64_t *address_ret, uint64_t *size_ret)
{
	GElf_Shdr header;

	if (!find_section(binary, name, &header))
		return false;
	*address_ret = header.sh_addr;
	*size_ret = header.sh_size;
	return true;
}

bool binary_bounds(const struct binary *binary, uint64_t *start_ret, uint64_t *end_ret)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (size_t i = 0; i < binary->segment_count; i++) {
		GElf_Phdr header;
		uint64_t segment_end;

		if (!gelf_getphdr(binary->elf, (int)i, &header) || header.p_type != PT_LOAD ||
			!checked_add(header.p_vaddr, header.p_memsz, &segment_end))
			continue;
		if (header.p_vaddr < start)
			start = header.p_vaddr;
		if (segment_end > end)
			end = segment_end;
	}
	if (start >= end)
		return false;
	*start_ret = start;
	*end_ret = end;
	return true;
}

bool binary_symbol(const struct binary *binary, const char *name, uint64_t *ret)
{
	struct binary_bytes symbols, names;
	size_t name_size = strlen(name) + 1;

	if (!binary_section_bytes(binary, ".symtab", &symbols) ||
		!binary_section_bytes(binary, ".strtab", &names))
		return false;
	for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size; at += sizeof(Elf64_Sym)) {
		Elf64_Sym symbol;

		memcpy(&symbol, symbols.bytes + at, sizeof(symbol));
		if (symbol.st_shndx != SHN_UNDEF &&
			checked_range(symbol.st_name, name_size, names.size) &&
			!memcmp(names.bytes + symbol.st_name, name, name_size)) {
			*ret = symbol.st_value;
			return true;
		}
	}
	return false;
}

/* The row that `name`, the rest of a string table, asks for; NULL where none does. */
static struct binary_symbol_row *find_row(
	struct binary_symbol_row *rows, size_t count, const uint8_t *name, size_t left)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(rows[i].name) + 1;

		if (size <= left && !memcmp(name, rows[i].name, size))
			return &rows[i];
	}
	return NULL;
}

void binary_symbols(const struct binary *binary, struct binary_symbol_row *rows, size_t count)
{
	struct binary_bytes symbols, names;

	for (size_t i = 0; i < count; i++)
		rows[i].found = false;
	if (!binary_section_bytes(binary, ".symtab", &symbols) ||
		!binary_section_bytes(binary, ".strtab", &names))
		return;
	for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size; at += sizeof(Elf64_Sym)) {
		struct binary_symbol_row *row;
		Elf64_Sym symbol;

		memcpy(&symbol, symbols.bytes + at, sizeof(symbol));
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.size ||
			ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT)
			continue;
		row = find_row(
			rows, count, names.bytes + symbol.st_name, names.size - symbol.st_name);
		if (!row || row->found)
			continue;
		row->found = true;
		row->address = symbol.st_value;
	}
}

struct Elf *binary_elf(const struct binary *binary)
{
	return binary->elf;
}
