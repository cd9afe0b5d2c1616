// One dead Go process: its memory, its executable, the runtime's layout and roots. What every
// reader of this layer is given; built once by runtime_open, constant afterwards.
#ifndef CORESNAP_ANALYZER_RUNTIME_RUNTIME_H
#define CORESNAP_ANALYZER_RUNTIME_RUNTIME_H

#include "analyzer/binary/binary.h"
#include "analyzer/binary/pclntab.h"
#include "analyzer/core/image.h"
#include "analyzer/runtime/layout.h"
#include "analyzer/runtime/modules.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/limits.h"

/** Bits of runtime.traceback_cache (runtime/runtime1.go gotraceback). */
enum traceback_level {
	TRACEBACK_NONE,   // 0
	TRACEBACK_SINGLE, // 1
	TRACEBACK_ALL,    // 1 and the "all" bit
	TRACEBACK_SYSTEM, // 2
	TRACEBACK_CRASH,  // 2 and the "crash" bit
};

/** The structs of the runtime that are read as a whole. */
enum object_type {
	OBJECT_G,
	OBJECT_M,
	OBJECT_P,
	OBJECT_SUDOG,
	OBJECT_HCHAN,
	OBJECT_PANIC,
	OBJECT_MODULE,
	OBJECT_TYPE,
	OBJECT_HMAP,
	OBJECT_MAP,
	OBJECT_TABLE,
	OBJECT_SPAN,
	OBJECT_SPECIAL,
	OBJECT_DEFER,
	OBJECT_TYPE_COUNT
};

struct runtime {
	const struct image *image; // borrowed, sealed, with the executable's bytes added
	struct arena *arena;       // borrowed
	struct diag *diag;         // borrowed
	uint64_t bias;             // where a PIE was loaded; 0 otherwise
	struct layout layout;
	uint64_t object_sizes[OBJECT_TYPE_COUNT];   // as far as layout.def's rows reach into each
	struct module modules[MAX_PROCESS_MODULES]; // the executable's first
	size_t module_count;
	struct pclntab *functions; // of the first: the runtime's own are there
	const char *version;       // runtime.buildVersion as the process had it
	enum traceback_level traceback;
	const char *wait_reasons[256]; // NULL where the target has no such reason
};

/**
 * Resolves layout, module data, function table and string tables. The image must be sealed and hold
 * the executable's segments. On failure `diag` has the line.
 */
CS_MUST_USE enum cs_status runtime_open(const struct image *image, struct binary *binary,
	uint64_t bias, struct arena *arena, struct diag *diag, struct runtime **ret);

/** The same with a layout that is known already: the half of runtime_open behind layout_resolve. */
CS_MUST_USE enum cs_status runtime_open_with(const struct image *image, uint64_t bias,
	const struct layout *layout, struct arena *arena, struct diag *diag, struct runtime **ret);

/** The address of a package variable in this process; 0 where the layout does not have it. */
target_addr runtime_variable(const struct runtime *rt, enum layout_id id);

/** The address of field `id` of the struct variable `variable`; 0 where either is not there. */
target_addr runtime_field_address(
	const struct runtime *rt, enum layout_id variable, enum layout_id id);

/** The number stored in field `id` of struct variable `variable`; false where it cannot be read. */
bool runtime_read_field(
	const struct runtime *rt, enum layout_id variable, enum layout_id id, uint64_t *ret);

/** The number stored in field `id` of the struct at `object`; false where it cannot be read. */
bool runtime_read_at(
	const struct runtime *rt, target_addr object, enum layout_id id, uint64_t *ret);

/** The number stored in variable `id` (1 to 8 bytes); false where it cannot be read. */
bool runtime_read_variable(const struct runtime *rt, enum layout_id id, uint64_t *ret);

/**
 * `size` bytes at `address`: a pointer into the image, or a copy in the arena where they span two
 * ranges. NULL where any byte is absent.
 */
const uint8_t *runtime_bytes(const struct runtime *rt, target_addr address, uint64_t size);

/** The bytes of a Go string {ptr, len}, at most `max`, NUL-terminated in the arena; NULL:
 * unreadable. */
const char *runtime_bytes_string(
	const struct runtime *rt, target_addr data, uint64_t length, uint64_t max);

/** The Go string whose header lies at `address`, likewise. */
const char *runtime_string(const struct runtime *rt, target_addr address, uint64_t max);

/** A Go slice's header {data, length} at `address`; false where unreadable or length > cap. */
bool runtime_slice(
	const struct runtime *rt, target_addr address, target_addr *data_ret, uint64_t *length_ret);

/** A struct of the target's: its bytes, from which object_get loads single fields. */
struct object {
	target_addr address;
	const uint8_t *bytes; // NULL: not readable
};

/**
 * The struct at `address`, as far as the rows of layout.def reach into it. `bytes` is NULL where
 * that much cannot be read.
 */
struct object object_load(const struct runtime *rt, target_addr address, enum object_type type);

/** The number in field `id`, zero-extended from its own size; 0 where the release has no such
 * field. */
uint64_t object_get(const struct runtime *rt, struct object object, enum layout_id id);

#endif
