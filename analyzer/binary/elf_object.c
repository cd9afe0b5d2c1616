// libelf works on a private mapping, as for the executable (binary.c); libdw finds the call frame
// tables by PT_GNU_EH_FRAME or the section .eh_frame.
#include "analyzer/binary/elf_object.h"

#include "analyzer/core/mapping.h"
#include "common/checked.h"
#include "common/limits.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct elf_object {
	struct mapping file; // owned; of elf_object_open only
	Elf *elf;
	bool is_owner; // of `elf`
	Elf *debug;    // borrowed; NULL: it has no separate debug file
	size_t segment_count;
	Dwarf_CFI *cfi;          // owned; NULL: it has none, or nobody has asked
	struct elf_lines *lines; // owned; likewise
	bool has_cfi_asked, has_lines_asked;
};

static bool is_of(Elf *elf, enum image_arch arch)
{
	uint16_t machine = arch == ARCH_AMD64 ? EM_X86_64 : EM_AARCH64;
	GElf_Ehdr header;

	return elf && elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64 &&
	       gelf_getehdr(elf, &header) && header.e_ident[EI_DATA] == ELFDATA2LSB &&
	       header.e_machine == machine && (header.e_type == ET_DYN || header.e_type == ET_EXEC);
}

static enum cs_status open_on(struct elf_object *object, Elf *elf, struct elf_object **ret)
{
	object->elf = elf;
	if (elf_getphdrnum(elf, &object->segment_count))
		object->segment_count = 0;
	if (object->segment_count > MAX_PROGRAM_HEADERS)
		object->segment_count = MAX_PROGRAM_HEADERS;
	*ret = object;
	return CS_OK;
}

enum cs_status elf_object_open_elf(struct Elf *elf, struct arena *arena, struct elf_object **ret)
{
	struct elf_object *object = arena_alloc(arena, sizeof(*object));

	if (!object)
		return CS_NO_MEMORY;
	object->file.slot = -1;
	return open_on(object, elf, ret);
}

enum cs_status elf_object_open_bytes(void *bytes, size_t size, enum image_arch arch,
	struct arena *arena, struct elf_object **ret)
{
	struct elf_object *object = arena_alloc(arena, sizeof(*object));
	Elf *elf;

	if (!object)
		return CS_NO_MEMORY;
	object->file.slot = -1;
	if (size < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG))
		return CS_CORRUPT;
	elf_version(EV_CURRENT);
	elf = elf_memory(bytes, size);
	if (!is_of(elf, arch)) {
		elf_end(elf);
		return CS_CORRUPT;
	}
	object->is_owner = true;
	return open_on(object, elf, ret);
}

enum cs_status elf_object_open(
	int fd, enum image_arch arch, struct arena *arena, struct elf_object **ret)
{
	struct mapping file;
	enum cs_status status;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return CS_CORRUPT;
	status = mapping_open(fd, (size_t)st.st_size, &file);
	if (status)
		return status;
	// elf_memory may write into what it gets; the mapping is private, so the file is safe.
	status = mprotect((void *)(uintptr_t)file.bytes, file.size, PROT_READ | PROT_WRITE)
			 ? CS_IO
			 : elf_object_open_bytes(
				   (void *)(uintptr_t)file.bytes, file.size, arch, arena, ret);
	if (status)
		mapping_close(&file);
	else
		(*ret)->file = file;
	return status;
}

void elf_object_close(struct elf_object *object)
{
	if (!object)
		return;
	if (object->cfi)
		dwarf_cfi_end(object->cfi);
	object->cfi = NULL;
	elf_lines_close(object->lines);
	object->lines = NULL;
	if (object->is_owner)
		elf_end(object->elf);
	object->elf = NULL;
	mapping_close(&object->file);
}

const char *elf_object_build_id(const struct elf_object *object, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	const void *id;
	ssize_t size = dwelf_elf_gnu_build_id(object->elf, &id);
	const uint8_t *bytes = id;
	char *text;

	if (size <= 0 || size > MAX_BUILD_ID_LENGTH)
		return NULL;
	text = arena_alloc(arena, 2 * (size_t)size + 1);
	for (ssize_t i = 0; text && i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}

bool elf_object_base(const struct elf_object *object, uint64_t *ret)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(object->elf, (int)i, &header) && header.p_type == PT_LOAD &&
			header.p_offset < 4096 && header.p_filesz) {
			*ret = header.p_vaddr - header.p_offset;
			return true;
		}
	}
	return false;
}

bool elf_object_is_code(const struct elf_object *object, uint64_t address)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(object->elf, (int)i, &header) && header.p_type == PT_LOAD &&
			header.p_flags & PF_X && address >= header.p_vaddr &&
			address - header.p_vaddr < header.p_filesz)
			return true;
	}
	return false;
}

const void *elf_object_head(const struct elf_object *object, size_t size, size_t *size_ret)
{
	size_t file_size;
	const char *bytes = elf_rawfile(object->elf, &file_size);

	*size_ret = file_size < size ? file_size : size;
	return bytes;
}

/** Whether a row of the section says the same in memory as in the file. */
static bool is_same_row(const Elf64_Dyn *file, const Elf64_Dyn *memory, uint64_t bias)
{
	if (file->d_tag != memory->d_tag)
		return false;
	return file->d_tag == DT_DEBUG || memory->d_un.d_val == file->d_un.d_val ||
	       memory->d_un.d_val == file->d_un.d_val + bias;
}

bool elf_object_has_dynamic(
	const struct elf_object *object, const struct image *image, uint64_t bias)
{
	size_t file_size, count;
	const char *bytes = elf_rawfile(object->elf, &file_size);
	GElf_Phdr header = {0};

	for (size_t i = 0; i < object->segment_count; i++)
		if (gelf_getphdr(object->elf, (int)i, &header) && header.p_type == PT_DYNAMIC)
			break;
	if (!bytes || header.p_type != PT_DYNAMIC || header.p_offset > file_size ||
		header.p_filesz > file_size - header.p_offset)
		return false;
	count = header.p_filesz / sizeof(Elf64_Dyn);
	for (size_t i = 0; i < count && i < MAX_DYNAMIC_ENTRIES; i++) {
		Elf64_Dyn file, memory;

		memcpy(&file, bytes + header.p_offset + i * sizeof(file), sizeof(file));
		if (image_read(image, bias + header.p_vaddr + i * sizeof(memory), &memory,
			    sizeof(memory)) ||
			!is_same_row(&file, &memory, bias))
			return false;
		if (file.d_tag == DT_NULL)
			return i >= MIN_DYNAMIC_ENTRIES;
	}
	return false;
}

enum cfi_step elf_object_step(struct elf_object *object, uint64_t bias, const struct image *image,
	const struct cfi_registers *from, struct cfi_registers *ret)
{
	if (!object->has_cfi_asked)
		object->cfi = dwarf_getcfi_elf(object->elf);
	object->has_cfi_asked = true;
	return object->cfi ? cfi_step(object->cfi, bias, image, from, ret) : CFI_NO_RULE;
}

static Elf_Scn *find_symbols(Elf *elf, uint32_t type, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, ret) && ret->sh_type == type)
			return section;
	return NULL;
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

/** Whether `name` says better than `old` what the function at one and the same address is. */
static bool is_better(const char *name, const GElf_Sym *symbol, const char *old, bool old_is_global)
{
	if (underscores(name) != underscores(old))
		return underscores(name) < underscores(old);
	if ((GELF_ST_BIND(symbol->st_info) == STB_GLOBAL) != old_is_global)
		return !old_is_global;
	return strlen(name) < strlen(old);
}

static bool holds(const GElf_Sym *symbol, uint64_t address)
{
	unsigned char type = GELF_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
	       symbol->st_shndx != SHN_UNDEF && address >= symbol->st_value &&
	       address - symbol->st_value < symbol->st_size;
}

static bool find_in(
	Elf *elf, uint32_t type, uint64_t address, uint64_t *steps, struct elf_symbol *ret)
{
	GElf_Shdr header;
	Elf_Scn *section = find_symbols(elf, type, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	struct elf_symbol best = {0};
	bool is_global = false;
	GElf_Sym symbol;

	for (int i = 0; data && *steps && gelf_getsym(data, i, &symbol); i++, --*steps) {
		const char *name;

		if (!holds(&symbol, address) || (best.name && symbol.st_value < best.address))
			continue;
		name = elf_strptr(elf, header.sh_link, symbol.st_name);
		if (!name || !*name ||
			(best.name && symbol.st_value == best.address &&
				!is_better(name, &symbol, best.name, is_global)))
			continue;
		best = (struct elf_symbol){name, symbol.st_value};
		is_global = GELF_ST_BIND(symbol.st_info) == STB_GLOBAL;
	}
	if (best.name)
		*ret = best;
	return best.name;
}

bool elf_object_symbol(
	const struct elf_object *object, uint64_t address, uint64_t *steps, struct elf_symbol *ret)
{
	Elf *elf = object->debug ? object->debug : object->elf;

	return find_in(elf, SHT_SYMTAB, address, steps, ret) ||
	       find_in(object->elf, SHT_DYNSYM, address, steps, ret);
}

void elf_object_set_debug(struct elf_object *object, struct Elf *debug)
{
	object->debug = debug;
}

size_t elf_object_lines(struct elf_object *object, struct arena *arena, uint64_t address,
	struct elf_line *ret, size_t max)
{
	if (!object->has_lines_asked)
		object->lines = elf_lines_open(object->debug ? object->debug : object->elf, arena);
	object->has_lines_asked = true;
	return object->lines ? elf_lines_find(object->lines, address, ret, max) : 0;
}
