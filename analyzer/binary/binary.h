// The executable file of a dead process: identity, build information, and its bytes as the process
// saw them. Reads the file through libelf; opens nothing else.
#ifndef CORESNAP_ANALYZER_BINARY_BINARY_H
#define CORESNAP_ANALYZER_BINARY_BINARY_H

#include "analyzer/core/image.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_value {
	const char *name, *value;
};

/** Strings are owned by the arena; NULL where the file does not say. */
struct binary_info {
	enum image_arch arch;
	bool is_go;             // has .go.buildinfo, .gopclntab or .note.go.buildid
	const char *go_version; // "go1.26.8", with vendor suffix and experiments as written there
	const char *goos, *goarch;
	const char *go_build_id;              // .note.go.buildid
	const char *gnu_build_id;             // lower-case hex
	const char *main_path, *main_version; // main package's path, main module's version
	const char *main_module;              // module path of the main module
	struct name_value *settings; // buildinfo's "build" lines: -trimpath, vcs.revision, …
	size_t setting_count;
	struct name_value *modules; // "mod" and "dep" lines: path, version (a replacement's own)
	size_t module_count;
	bool is_too_old; // built before Go 1.18; go_version may be NULL then
	bool has_dwarf, has_symtab, is_pie, has_cgo;
	bool is_debug_file; // has no code: it is what strip took from an executable
	uint64_t entry;     // e_entry, as linked
};

struct binary;
struct core_executable;

/**
 * Opens the executable in the file `fd` (the caller's; must stay open). `name` is for messages
 * only. Refuses, with one line in `diag`, what is not an ELF executable for amd64 or arm64, and
 * what is not Go. Damage elsewhere leaves the fact absent.
 */
CS_MUST_USE enum cs_status binary_open(
	int fd, const char *name, struct arena *arena, struct diag *diag, struct binary **ret);

/**
 * The same of the executable's bytes as the core holds them, where it holds all that is loaded; the
 * image must not have another executable's bytes. CS_NOT_FOUND: it does not.
 */
CS_MUST_USE enum cs_status binary_open_core(const struct image *image,
	const struct core_executable *executable, struct arena *arena, struct diag *diag,
	struct binary **ret);

/**
 * The build information that lies among the variables of a Go program, read from its core: release,
 * main module, modules and settings; nothing else of the result is filled in. NULL: not there.
 */
const struct binary_info *binary_build_in_core(
	const struct image *image, const struct core_executable *executable, struct arena *arena);

/** Releases libelf and the mapping. The struct goes with its arena. NULL is fine. */
void binary_close(struct binary *binary);

/** Borrowed; valid until the arena ends. */
const struct binary_info *binary_info(const struct binary *binary);

/**
 * Adds what of the file a process does not change to `image`, moved by `bias` (0 unless PIE:
 * AT_ENTRY - e_entry), below what the core holds. Variables that the core lacks stay absent. Call
 * image_seal after.
 */
CS_MUST_USE enum cs_status binary_add_to_image(
	struct binary *binary, struct image *image, uint64_t bias);

/**
 * How far from where it is linked the executable was loaded, by what the core says of it; 0 unless
 * it is position independent. False where that is not known.
 */
bool binary_bias(
	const struct binary *binary, const struct core_executable *executable, uint64_t *ret);

enum binary_resemblance { RESEMBLANCE_UNKNOWN, RESEMBLANCE_SAME, RESEMBLANCE_OTHER };

/**
 * Whether the initialized variables of the file lie in the core as they must if this executable
 * made it, for want of a build id. The image must hold the core's bytes alone.
 */
enum binary_resemblance binary_resembles(const struct binary *binary, const struct image *image,
	const struct core_executable *executable);

/** The pclntab's linked address and size by section; false where no section names it. */
bool binary_pclntab(const struct binary *binary, uint64_t *address_ret, uint64_t *size_ret);

/** The value of the ELF symbol `name` (.symtab), as linked; false where there is none. */
bool binary_symbol(const struct binary *binary, const char *name, uint64_t *ret);

/** A symbol that is asked for by name; `address` is as linked, valid where `found`. */
struct binary_symbol_row {
	const char *name;
	bool found;
	uint64_t address;
};

/** Looks all rows up in .symtab in one pass over it: symbols of data only, no functions. */
void binary_symbols(const struct binary *binary, struct binary_symbol_row *rows, size_t count);

/** Bounds of the section `name` as linked; false where there is none. */
bool binary_section(
	const struct binary *binary, const char *name, uint64_t *address_ret, uint64_t *size_ret);

/** Bounds of everything that the file's PT_LOADs map, as linked; false where there are none. */
bool binary_bounds(const struct binary *binary, uint64_t *start_ret, uint64_t *end_ret);

/** The libelf handle. Borrowed. (struct Elf is libelf's own type.) */
struct Elf *binary_elf(const struct binary *binary);

#endif
