// The addresses of the runtime's package variables. A stripped executable does not name them; they
// are found by what they must look like (roots_structure.c) and by the instructions of functions
// that are known to use them (roots_references.c), which the function table still names.
#ifndef CORESNAP_ANALYZER_RUNTIME_ROOTS_H
#define CORESNAP_ANALYZER_RUNTIME_ROOTS_H

#include "analyzer/runtime/runtime.h"

/**
 * Sets the address of runtime.firstmoduledata where the layout has none: by the section .go.module
 * (Go 1.26), else by the two pointers into the function table that it begins with. CS_NOT_FOUND
 * with a line in `diag`.
 */
CS_MUST_USE enum cs_status roots_find_module(const struct binary *binary, const struct image *image,
	uint64_t bias, struct layout *layout, struct diag *diag);

/**
 * For an executable that names no variable: sets address and size of every VARIABLE row that can be
 * proved, by reference and by structure. Where the two contradict each other the references win,
 * which name the variable itself, and `diag` says so; it says as well what was not found. Needs the
 * function table.
 */
void roots_find_variables(struct runtime *rt);

#endif
