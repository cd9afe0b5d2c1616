// Where the fields of the runtime's structs lie in the release at hand. Readers name a fact of
// layout.def; where it came from is this module's affair and is told in the snapshot.
#ifndef CORESNAP_ANALYZER_RUNTIME_LAYOUT_H
#define CORESNAP_ANALYZER_RUNTIME_LAYOUT_H

#include "analyzer/binary/facts.h"

enum layout_id {
#define FIELD(name, type, path) name,
#define OPTIONAL(name, type, path) name,
#define VARIABLE(name, variable) name,
#define CONSTANT(name, constant) name,
#include "analyzer/runtime/layout.def"
#undef FIELD
#undef OPTIONAL
#undef VARIABLE
#undef CONSTANT
	LAYOUT_COUNT
};

/** Where the facts came from: SNAPSHOT.md runtime.layout. */
enum layout_source { LAYOUT_EXACT, LAYOUT_DWARF, LAYOUT_GUESSED };

struct layout {
	struct fact facts[LAYOUT_COUNT];
	enum layout_source source;
	const char *from;    // the full version of the release it was measured on; borrowed
	const char *version; // what the executable says it was built with; NULL: nothing; borrowed
};

/**
 * Fills `ret` for this executable. The sources in order: the table of measured releases, when it
 * has exactly this version (LAYOUT_EXACT); the executable's DWARF (LAYOUT_DWARF); the nearest
 * release of the table (LAYOUT_GUESSED: hold it against the process with layout_prove). Variables
 * are found in .symtab where the file has one, else in its DWARF; one that is in neither stays
 * `found == false`, with its size, and the caller looks for it in the process. CS_UNSUPPORTED with
 * one line in `diag` where the DWARF describes a runtime that lacks what every release has.
 */
CS_MUST_USE enum cs_status layout_resolve(
	struct binary *binary, struct diag *diag, struct layout *ret);

/**
 * Every row as the executable's DWARF has it, found or not. The table is made with this and held
 * against it; layout_resolve is for everyone else. CS_NOT_FOUND: no DWARF.
 */
CS_MUST_USE enum cs_status layout_from_dwarf(
	struct binary *binary, struct diag *diag, struct layout *ret);

/** The name of row `id` in layout.def, "G_STACK_LO"; whether every supported release has it. */
const char *layout_name(enum layout_id id);
bool layout_is_required(enum layout_id id);

/** Every row of layout.def, not found yet. For tests that set facts by hand. */
void layout_init(struct layout *layout);

static inline bool layout_has(const struct layout *layout, enum layout_id id)
{
	return layout->facts[id].found;
}

/** The offset of a field, a variable's linked address, a constant. 0 where it is not there. */
static inline uint64_t layout_value(const struct layout *layout, enum layout_id id)
{
	return layout->facts[id].value;
}

/** The bytes that a field or variable takes. 0 where it is not there. */
static inline uint64_t layout_size(const struct layout *layout, enum layout_id id)
{
	return layout->facts[id].size;
}

#endif
