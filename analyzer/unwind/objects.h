// Which file the machine code at an address came from, for code that is not Go's: the executable's
// C part, shared libraries, the vdso. Files are asked for when the first address in them comes up,
// and used only if they are the very files that the process had mapped.
#ifndef CORESNAP_ANALYZER_UNWIND_OBJECTS_H
#define CORESNAP_ANALYZER_UNWIND_OBJECTS_H

#include "analyzer/binary/elf_object.h"
#include "analyzer/runtime/runtime.h"
#include "common/u64map.h"

/** Where files beside the executable come from. */
struct file_source {
	/**
	 * A read-only descriptor, the caller's from then on, of the file at `path`; -1 where it
	 * cannot be had, and `why` (`size` bytes) says why. NULL: no file can be had.
	 */
	int (*open)(void *context, const char *path, char *why, size_t size);
	void *context; // borrowed
};

struct loaded_object {
	const char *path;          // of the file; "[vdso]"
	struct elf_object *object; // NULL: it cannot be used
	uint64_t bias;             // loaded address less linked address
};

struct objects {
	const struct runtime *rt;    // borrowed
	struct file_source source;   // borrowed
	struct binary *executable;   // borrowed; NULL: there is none
	target_addr low, high;       // where the executable is loaded
	const char *executable_path; // borrowed; NULL: not known
	struct loaded_object *list;
	size_t count, capacity;
	struct u64map by_base; // where a file's first byte is mapped, to its index
	size_t asked;
	uint64_t rows_left;  // of NT_FILE that may yet be looked at
	const char *missing; // "libc.so.6 (No such file or directory), …"; NULL: none
	size_t missing_count;
};

/** Nothing is opened yet. `executable` and its path may be NULL. */
void objects_init(struct objects *objects, const struct runtime *rt, struct binary *executable,
	const char *path, struct file_source source);

/** Closes all of them. */
void objects_close(struct objects *objects);

/**
 * The object that is loaded at `address`; NULL where no file was mapped there, or when out of
 * memory. One that cannot be used is known by its path.
 */
const struct loaded_object *objects_at(struct objects *objects, target_addr address);

#endif
