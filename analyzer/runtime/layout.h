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
	const char *from; // the full version of the release it was measured on; borrowed
};

/**
 * Fills `ret` for this executable. The sources in order: the table of measured releases, when it
 * has exactly this version; the executable's DWARF; the nearest release of the table. CS_NOT_FOUND
 * with one line in `diag` where none of them has it.
 */
CS_MUST_USE enum cs_status layout_resolve(struct binary *binary, struct diag *diag,
	struct layout *ret);

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
