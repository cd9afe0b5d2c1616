// Builds ELF cores and simple executables as bytes, so that each corner case of a test is ten lines
// and no binary lies in the tree. Everything is owned by the builder; out of memory aborts.
//
//	struct mkelf *core = mkelf_core_create(EM_X86_64);
//	mkelf_add_thread(core, 17, 6, regs, 27);
//	mkelf_add_segment(core, 0xc000000000, bytes, sizeof(bytes), 4096, PF_R | PF_W);
//	int fd = mkelf_open(core);
#ifndef CORESNAP_TESTS_LIB_MKELF_H
#define CORESNAP_TESTS_LIB_MKELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mkelf_buffer {
	uint8_t *bytes;
	size_t size, capacity;
};

/** What a test may set directly, at any time before mkelf_finish. */
struct mkelf {
	Elf64_Ehdr header;          // counts and offsets are filled in; the rest may be changed
	bool extended_numbering;    // PN_XNUM, as the kernel does from 65535 headers on
	uint64_t note_alignment;    // p_align of PT_NOTE: 4, or 8
	uint64_t segment_alignment; // of segments in the file, 8; the kernel's is 4096
	uint64_t base; // where an executable's offset 0 is mapped, for PT_NOTE's p_vaddr

	/* Private. */
	struct mkelf_part *segments, *sections;
	size_t segment_count, section_count, file_count;
	bool has_names;
	struct mkelf_buffer notes, files, paths, names, out;
};

/** An ET_CORE for `machine` (EM_X86_64, EM_AARCH64, …) without threads or memory. */
struct mkelf *mkelf_core_create(uint16_t machine);

/** An ET_EXEC or ET_DYN. mkelf_add_header describes what is mapped from offset 0. */
struct mkelf *mkelf_executable_create(uint16_t machine, uint16_t type, uint64_t entry);

/** NULL is fine. */
void mkelf_destroy(struct mkelf *elf);

/** A PT_LOAD at `address` with `file_size` bytes (copied) of `memory_size`; flags PF_R, PF_W… */
void mkelf_add_segment(struct mkelf *elf, uint64_t address, const void *bytes, size_t file_size,
	uint64_t memory_size, uint32_t flags);

/** A program header as it is, whatever lies where it points. */
void mkelf_add_header(struct mkelf *elf, const Elf64_Phdr *header);

/**
 * A named section: `header` gives type, flags, address and size; its `bytes` (copied) get a place
 * in the file, or, where NULL, sh_offset says where they are. .shstrtab is added by mkelf_finish.
 */
void mkelf_add_section(
	struct mkelf *elf, const char *name, const Elf64_Shdr *header, const void *bytes);

/** Any note, into the one PT_NOTE, which is the first program header. `name` gets its NUL. */
void mkelf_add_note(
	struct mkelf *elf, const char *name, uint32_t type, const void *bytes, size_t size);

/** NT_PRSTATUS with `count` registers in the kernel's order. */
void mkelf_add_thread(
	struct mkelf *elf, uint32_t id, int16_t signal, const uint64_t *regs, size_t count);

/** NT_PRPSINFO; command and arguments are cut as the kernel cuts them. */
void mkelf_add_process(
	struct mkelf *elf, uint32_t pid, uint32_t uid, const char *command, const char *arguments);

/** NT_SIGINFO; `field` is si_addr, or si_pid | si_uid << 32. */
void mkelf_add_signal(struct mkelf *elf, int32_t number, int32_t code, uint64_t field);

/** NT_AUXV: `count` pairs of type and value; AT_NULL is appended. */
void mkelf_add_auxv(struct mkelf *elf, const uint64_t (*pairs)[2], size_t count);

/** A row of the core's one NT_FILE note. `offset` in bytes, a multiple of 4096. */
void mkelf_add_file(
	struct mkelf *elf, uint64_t start, uint64_t end, uint64_t offset, const char *path);

/** The bytes of the file; owned by the builder. Add nothing more after it. */
const uint8_t *mkelf_finish(struct mkelf *elf, size_t *size_ret);

/** A new memfd with mkelf_finish's bytes. The caller closes it. */
int mkelf_open(struct mkelf *elf);

/** A new memfd with these bytes. The caller closes it. */
int mkelf_open_bytes(const void *bytes, size_t size);

#endif
