// Types as the program itself knows them: internal/abi/type.go descriptors in the binary's rodata.
#ifndef CORESNAP_ANALYZER_RUNTIME_GOTYPE_H
#define CORESNAP_ANALYZER_RUNTIME_GOTYPE_H

#include "analyzer/runtime/runtime.h"

/** internal/abi/type.go Kind; the same numbers in every release. */
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

struct gotype {
	target_addr address;
	uint64_t size;
	enum go_kind kind;
	bool is_named;    // TFlagNamed: a defined type, predeclared ones too
	const char *name; // as reflect prints it: "main.MyErr", "map[string]int"
};

/** Reads the descriptor at `address`; false where it is not readable or not a type. */
bool gotype_load(const struct runtime *rt, target_addr address, struct gotype *ret);

#endif
