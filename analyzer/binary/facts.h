// Facts about the runtime's own types, asked for by name: where a field lies, how large a type is,
// where a variable lies, what a constant is. Filled from the executable's DWARF here; the table of
// measured releases will fill the same rows.
#ifndef CORESNAP_ANALYZER_BINARY_FACTS_H
#define CORESNAP_ANALYZER_BINARY_FACTS_H

#include "analyzer/binary/binary.h"

enum fact_kind {
	FACT_FIELD,    // value: byte offset of `path` within `type`; size: the field's own size
	FACT_SIZE,     // value: byte size of `type`
	FACT_VARIABLE, // value: linked address of the package variable `path`; size: its type's
	FACT_CONSTANT, // value: the constant `path`
};

struct fact {
	enum fact_kind kind;
	const char *type; // "runtime.g"; NULL for variables and constants
	const char
		*path; // "sched.sp": members within members; "runtime.allgs"; "runtime._Gwaiting"
	bool found;
	uint64_t value;
	uint64_t size;
};

/**
 * Looks every row of `facts` up in the binary's DWARF (4 and 5, compressed or not). Only the units
 * that can hold them are read. Rows not found stay `found == false`; that is no error. A field's
 * path may start inside an anonymous struct-typed variable: type "runtime.work" that is not a type
 * falls back to the variable of that name. CS_NOT_FOUND: the file has no DWARF. CS_CORRUPT: it has,
 * but libdw cannot read it (said in `diag`).
 */
CS_MUST_USE enum cs_status dwarf_facts_find(
	struct binary *binary, struct fact *facts, size_t count, struct diag *diag);

#endif
