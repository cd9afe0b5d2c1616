// A Go type, whatever it was read from: the program's own type descriptors (runtime/types.h) or the
// executable's DWARF (binary/dwarf_type.h). Values are read by it alone.
#ifndef CORESNAP_ANALYZER_BINARY_TYPE_H
#define CORESNAP_ANALYZER_BINARY_TYPE_H

#include <stdbool.h>
#include <stdint.h>

/** internal/abi/type.go Kind; the same numbers in every release, and in DW_AT_go_kind. */
enum go_kind {
	GO_INVALID,
	GO_BOOL,
	GO_INT,
	GO_INT8,
	GO_INT16,
	GO_INT32,
	GO_INT64,
	GO_UINT,
	GO_UINT8,
	GO_UINT16,
	GO_UINT32,
	GO_UINT64,
	GO_UINTPTR,
	GO_FLOAT32,
	GO_FLOAT64,
	GO_COMPLEX64,
	GO_COMPLEX128,
	GO_ARRAY,
	GO_CHAN,
	GO_FUNC,
	GO_INTERFACE,
	GO_MAP,
	GO_POINTER,
	GO_SLICE,
	GO_STRING,
	GO_STRUCT,
	GO_UNSAFE_POINTER,
};

/** The bytes of every value of this kind; 0 for arrays, structs and what is no kind. */
uint64_t go_kind_size(enum go_kind kind);

struct type;

struct type_field {
	const char *name; // "_" for a blank one; an embedded one's is its type's name
	struct type *type;
	uint64_t offset;
	bool is_embedded;
};

/**
 * Lives as long as the reader's arena and is one object for one type of one source, so that
 * pointers compare. `element`, `key` and a field's `type` may still be unloaded: ask type_load
 * before looking into them. Whatever is borrowed here outlives the analysis.
 */
struct type {
	enum go_kind kind; // GO_INVALID: could not be read; then nothing else but `name` counts
	const char *name;  // as reflect prints it: "main.MyErr", "map[string]int", "*json.Decoder"
	const char *package; // import path where a defined type is declared, "encoding/json"; NULL:
			     // not a defined type, or not known
	uint64_t size;
	struct type *element;            // array, chan, map (of its values), pointer, slice
	struct type *key;                // map
	uint64_t length;                 // array
	const struct type_field *fields; // struct
	uint32_t field_count;
	bool is_named;       // a defined type, predeclared ones too
	bool has_methods;    // interface: iface layout (itab); false: eface, or not an interface
	uint64_t descriptor; // its address in the process, where known; 0 otherwise
	uint64_t alignment;  // bytes
	bool is_loaded;      // private to type_load
	void *source;        // private to the source
	const void *natural; // private to analyzer/values/natural.c: its form, once looked up
	bool (*load)(
		struct type *type); // private: fills everything in; false: GO_INVALID from now on
};

/**
 * Fills a type in by its source, once. False, and kind GO_INVALID, where it cannot be read. Every
 * `struct type *` that one gets from a reader's own function is loaded already; those inside
 * another type need this first.
 */
bool type_load(struct type *type);

/** `type` seen through to what a pointer field stores: whether its bits hold any pointer at all. */
bool type_has_pointers(struct type *type);

#endif
