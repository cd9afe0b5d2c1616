// The image: one dead process's memory and registers, whatever they were stored in. Everything
// above this layer reads target memory through it and sees neither files nor elfutils.
//
// An image is made of ranges: the core's own PT_LOAD bytes first, then what was mapped from the
// executable (text and read-only data are not in a core, coredump_filter 0x33). A read that touches
// an address in neither returns CS_FAULT: ordinary data, the caller stores it and goes on.
#ifndef CORESNAP_ANALYZER_CORE_IMAGE_H
#define CORESNAP_ANALYZER_CORE_IMAGE_H

#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An address in the dead process. Never a pointer of ours. */
typedef uint64_t target_addr;

enum image_arch { ARCH_AMD64, ARCH_ARM64 };

#define IMAGE_REGS_MAX 34

/** General registers as the kernel's elf_gregset_t orders them, and those with a role by name. */
struct image_regs {
	uint64_t raw[IMAGE_REGS_MAX];
	uint32_t count; // of raw: 27 on amd64, 34 on arm64
	target_addr pc, sp;
	target_addr lr; // arm64 x30; 0 on amd64
	target_addr
		g; // where Go keeps the current g: amd64 r14, arm64 x28. May be anything in C code
	target_addr tls; // amd64 fs_base; 0 where unknown
};

struct image_thread {
	uint32_t id;    // kernel thread id (pr_pid)
	int32_t signal; // pr_cursig, 0 for none
	struct image_regs regs;
};

/** A row of NT_FILE: a file mapping at the time of death. */
struct image_mapping {
	target_addr start, end;
	uint64_t offset;  // in the file, bytes
	const char *path; // owned by the image's arena
};

/** What the core's notes say. Absent facts have their `has_` false or are NULL/0. */
struct image_notes {
	bool has_process; // NT_PRPSINFO
	uint32_t pid, uid, gid;
	const char *command;   // pr_fname: at most 15 bytes
	const char *arguments; // pr_psargs: at most 79 bytes, cut by the kernel

	bool has_signal;      // what killed it: NT_SIGINFO, else the dumping thread's pr_cursig
	bool has_signal_code; // NT_SIGINFO
	int32_t signal, signal_code;
	bool has_signal_address; // SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP raised by the kernel
	target_addr signal_address;
	uint32_t signal_pid, signal_uid; // the sender, for SI_USER, SI_TKILL and SI_QUEUE
	bool has_signal_sender;
	bool is_live; // a debugger (gcore) took it of a live process: nothing killed it

	struct image_thread *threads; // in the core's order: the dumping thread first
	size_t thread_count;
	struct image_mapping *mappings; // sorted by start; of NT_FILE, else of link_map.h
	size_t mapping_count;

	bool has_auxv;
	target_addr at_phdr, at_entry, at_random, at_execfn, at_sysinfo_ehdr; // 0 where not given
	uint64_t at_phnum, at_secure, at_pagesz, at_uid, at_gid;
};

/** A run of bytes that can be read without a further lookup. */
struct image_view {
	target_addr start, end;
	const uint8_t *bytes; // bytes[0] is at `start`; valid as long as the image
	bool is_writable;     // PF_W of the segment
	bool is_core;         // from the core; false: from a file below it
};

struct image;

/**
 * Opens the ELF core in the file `fd` (which stays the caller's and must stay open) and parses its
 * notes. `name` is for messages only. The bytes are mapped, not copied; a file that shrinks
 * meanwhile reads as zeros and makes image_is_torn true. On failure `diag` has one line that says
 * what the file is (empty, not ELF, compressed and by what, an executable, of another architecture
 * or word size, cut inside its headers) and what to do. A truncated core opens, with a
 * "truncated-core" warning that says how many bytes are missing.
 */
CS_MUST_USE enum cs_status image_open(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct image **ret);

/** An empty image of `arch`, for tests and other sources: fill it with image_add. NULL: no memory.
 */
struct image *image_create(enum image_arch arch, struct arena *arena);

/** Unmaps what was mapped. The struct itself goes with its arena. NULL is fine. */
void image_close(struct image *image);

/**
 * Adds `size` readable bytes at `view.start`… to the image, below everything that is there already:
 * where ranges overlap the earlier one wins. The bytes are borrowed and must outlive the image.
 * Call image_seal after the last one and before any read.
 */
CS_MUST_USE enum cs_status image_add(struct image *image, struct image_view view);

/** Sorts the ranges; reads work from here on. May be called again after further image_add. */
CS_MUST_USE enum cs_status image_seal(struct image *image);

/** The notes; borrowed. All absent in an image of image_create. */
const struct image_notes *image_notes(const struct image *image);

/** The notes to fill in by hand, for images of image_create. */
struct image_notes *image_edit_notes(struct image *image);

enum image_arch image_arch(const struct image *image);

/** Bytes of the core file, and how many of them an untruncated one would have. */
uint64_t image_file_size(const struct image *image);
uint64_t image_expected_size(const struct image *image);

/** Whether the file shrank while we read it (SIGBUS); zeros were read in its place. */
bool image_is_torn(const struct image *image);

/** Copies `size` bytes; CS_FAULT, with nothing written, where any of them is absent. */
CS_MUST_USE enum cs_status image_read(
	const struct image *image, target_addr address, void *ret, size_t size);

/** Reads one little-endian number; CS_FAULT, with nothing written, where it is absent. */
CS_MUST_USE enum cs_status image_read_u8(
	const struct image *image, target_addr address, uint8_t *ret);
CS_MUST_USE enum cs_status image_read_u32(
	const struct image *image, target_addr address, uint32_t *ret);
CS_MUST_USE enum cs_status image_read_u64(
	const struct image *image, target_addr address, uint64_t *ret);

/**
 * The run of readable bytes that holds `address`; false where it is absent. What hot loops keep:
 * one lookup, then plain loads within [start, end).
 */
bool image_find(const struct image *image, target_addr address, struct image_view *ret);

/** A pointer to `size` contiguous bytes at `address`, or NULL where they are not in one run. */
const void *image_view_bytes(const struct image *image, target_addr address, size_t size);

/** The index-th run in order of address; false past the last. For scans over all memory. */
bool image_view_at(const struct image *image, size_t index, struct image_view *ret);

#endif
