// Types as the program itself knows them: the descriptors that the compiler writes into the
// binary's read-only data (internal/abi/type.go; runtime/type.go until 1.20). In every Go binary,
// stripped or not: what interfaces, channels and maps hold is known without any debug information.
#ifndef CORESNAP_ANALYZER_RUNTIME_TYPES_H
#define CORESNAP_ANALYZER_RUNTIME_TYPES_H

#include "analyzer/binary/type.h"
#include "analyzer/runtime/runtime.h"

struct types;

/** An empty cache of types; all that it makes lives in `arena`. NULL: out of memory. */
struct types *types_create(const struct runtime *rt, struct arena *arena);

/**
 * The type whose descriptor lies at `descriptor`, loaded; one object for one address. Types that
 * package reflect made of others are types too. NULL where no descriptor lies there.
 */
struct type *types_at(struct types *types, target_addr descriptor);

/**
 * The dynamic type of a non-nil interface with methods: that of the itab at `itab`
 * (internal/abi/iface.go ITab; runtime/runtime2.go itab until 1.21). NULL where no itab lies there:
 * its two types must be descriptors, the first an interface's, and its hash the second's, or none.
 * `interface_ret` (may be NULL) gets the interface type.
 */
struct type *types_of_itab(struct types *types, target_addr itab, struct type **interface_ret);

/**
 * Whether an interface holds a value of `type` in its own data word, not behind it. `type` is one
 * of types_at.
 */
bool types_is_direct(const struct type *type);

/** Whether the method set of `type`, one of types_at, has the exported method `name`. */
bool types_has_method(struct types *types, const struct type *type, const char *name);

/** The type *T of `element`; made up, without a descriptor, where the program has none. */
struct type *types_pointer_to(struct types *types, struct type *element);

/** The type chan T, []T of `element`: made up. NULL: out of memory. */
struct type *types_channel_of(struct types *types, struct type *element);
struct type *types_slice_of(struct types *types, struct type *element);

/** The predeclared type of `kind`: "int", "uint8", "unsafe.Pointer", "interface {}": made up. */
struct type *types_basic(struct types *types, enum go_kind kind);

/** A type that is not known, called `name`: kind GO_INVALID. */
struct type *types_unknown(struct types *types, const char *name);

/** How the slots of a map's buckets or groups lie, from its descriptor or as the compiler does it.
 */
struct map_slots {
	uint64_t key_offset, key_stride;   // of slot 0 in its bucket or group; to the next slot
	uint64_t elem_offset, elem_stride; // likewise
	uint64_t size;                     // of the bucket or group
	bool is_key_indirect, is_elem_indirect; // the slot holds a pointer to it
};

/**
 * The slots of map type `type`, whose key and element must be loaded. From the descriptor where it
 * has one, else computed from sizes and alignments (cmd/compile/internal/reflectdata/map*.go).
 * Which kind of map the release has, its layout tells. False where the type data contradicts
 * itself.
 */
bool types_map_slots(struct types *types, struct type *type, struct map_slots *ret);

#endif
