// A file of machine code that is not Go's: a shared library, the vdso, or the C part of the
// executable. Read through libelf and libdw, from bytes that the caller has: nothing is opened.
#ifndef CORESNAP_ANALYZER_BINARY_ELF_OBJECT_H
#define CORESNAP_ANALYZER_BINARY_ELF_OBJECT_H

#include "analyzer/binary/cfi.h"
#include "analyzer/binary/elf_lines.h"
#include "analyzer/core/image.h"
#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;
struct elf_object;

/**
 * Maps the file `fd`, which the caller may close afterwards. CS_CORRUPT: not an ELF file of `arch`
 * that can be loaded.
 */
CS_MUST_USE enum cs_status elf_object_open(
	int fd, enum image_arch arch, struct arena *arena, struct elf_object **ret);

/** The same of `size` bytes in memory, which are borrowed and may be written to. */
CS_MUST_USE enum cs_status elf_object_open_bytes(void *bytes, size_t size, enum image_arch arch,
	struct arena *arena, struct elf_object **ret);

/** The same of an ELF file that somebody else has open (struct Elf is libelf's own type). */
CS_MUST_USE enum cs_status elf_object_open_elf(
	struct Elf *elf, struct arena *arena, struct elf_object **ret);

/**
 * Where symbols and lines are looked for in place of the file itself: its separate debug file.
 * Borrowed until the object is closed.
 */
void elf_object_set_debug(struct elf_object *object, struct Elf *debug);

/** Releases what libelf and libdw hold, and the mapping. The struct goes with its arena. */
void elf_object_close(struct elf_object *object);

/** The linker's build id in lower-case hex, owned by the arena; NULL where it has none. */
const char *elf_object_build_id(const struct elf_object *object, struct arena *arena);

/** The address that the file's first byte is linked at; false where no PT_LOAD maps that. */
bool elf_object_base(const struct elf_object *object, uint64_t *ret);

/** Whether the file's bytes at the linked `address` are code. */
bool elf_object_is_code(const struct elf_object *object, uint64_t address);

/** The first bytes of the file, at most `size`. Borrowed; *size_ret says how many. */
const void *elf_object_head(const struct elf_object *object, size_t size, size_t *size_ret);

/**
 * Whether the dynamic section in memory of what is loaded at `bias` is this file's: the addresses
 * and sizes of all its tables, of which another build moves some. The dynamic linker may have added
 * `bias` to them. False too where the file has none or the core lacks it.
 */
bool elf_object_has_dynamic(
	const struct elf_object *object, const struct image *image, uint64_t bias);

/** cfi_step within this object, which is loaded at `bias` more than it is linked. */
enum cfi_step elf_object_step(struct elf_object *object, uint64_t bias, const struct image *image,
	const struct cfi_registers *from, struct cfi_registers *ret);

struct elf_symbol {
	const char *name; // borrowed from the file; ends within it
	uint64_t address; // as linked
};

/**
 * The function that holds the linked `address` (.symtab, else .dynsym). Of several names for one
 * function the plainest: fewest underscores before it, then global ones, then the shortest.
 * `*steps` is the number of rows that may yet be looked at, and is counted down.
 */
bool elf_object_symbol(
	const struct elf_object *object, uint64_t address, uint64_t *steps, struct elf_symbol *ret);

/** elf_lines_find in this file; 0 too where it has no DWARF. */
size_t elf_object_lines(struct elf_object *object, struct arena *arena, uint64_t address,
	struct elf_line *ret, size_t max);

#endif
