// The rows of layout.def as data, and the one place that decides where their values come from: the
// table of measured releases (layout_table.h), the executable's DWARF, the table's nearest release.
#include "analyzer/runtime/layout.h"

#include "analyzer/runtime/layout_table.h"

#include <string.h>

static const struct {
	const char *name;
	enum fact_kind kind;
	const char *type, *path;
	bool is_required;
} rows[LAYOUT_COUNT] = {
#define FIELD(name, type, path) {#name, FACT_FIELD, type, path, true},
#define OPTIONAL(name, type, path) {#name, FACT_FIELD, type, path, false},
#define VARIABLE(name, variable) {#name, FACT_VARIABLE, NULL, variable, false},
#define CONSTANT(name, constant) {#name, FACT_CONSTANT, NULL, constant, false},
#include "analyzer/runtime/layout.def"
#undef FIELD
#undef OPTIONAL
#undef VARIABLE
#undef CONSTANT
};

/* What rows are called in other releases, in the order in which they are tried. */
static const struct {
	enum layout_id id;
	const char *type, *path;
} alternatives[] = {
#define FIELD(name, type, path)
#define OPTIONAL(name, type, path)
#define VARIABLE(name, variable)
#define CONSTANT(name, constant)
#define ALTERNATIVE(name, type, path) {name, type, path},
#include "analyzer/runtime/layout.def"
#undef FIELD
#undef OPTIONAL
#undef VARIABLE
#undef CONSTANT
};

#define ALTERNATIVE_COUNT (sizeof(alternatives) / sizeof(alternatives[0]))

const char *layout_name(enum layout_id id)
{
	return rows[id].name;
}

bool layout_is_required(enum layout_id id)
{
	return rows[id].is_required;
}

void layout_init(struct layout *layout)
{
	*layout = (struct layout){.source = LAYOUT_DWARF};
	for (size_t i = 0; i < LAYOUT_COUNT; i++)
		layout->facts[i] = (struct fact){
			.kind = rows[i].kind, .type = rows[i].type, .path = rows[i].path};
}

enum cs_status layout_from_dwarf(struct binary *binary, struct diag *diag, struct layout *ret)
{
	struct fact facts[LAYOUT_COUNT + ALTERNATIVE_COUNT];
	enum cs_status status;

	layout_init(ret);
	memcpy(facts, ret->facts, sizeof(ret->facts));
	for (size_t i = 0; i < ALTERNATIVE_COUNT; i++)
		facts[LAYOUT_COUNT + i] = (struct fact){.kind = rows[alternatives[i].id].kind,
			.type = alternatives[i].type,
			.path = alternatives[i].path};
	status = dwarf_facts_find(binary, facts, LAYOUT_COUNT + ALTERNATIVE_COUNT, diag);
	if (status)
		return status;
	for (size_t i = 0; i < ALTERNATIVE_COUNT; i++)
		if (!facts[alternatives[i].id].found && facts[LAYOUT_COUNT + i].found)
			facts[alternatives[i].id] = facts[LAYOUT_COUNT + i];
	memcpy(ret->facts, facts, sizeof(ret->facts));
	return CS_OK;
}

/* The addresses of the variables that the file's symbol table names; false where it names none. */
static bool find_symbols(const struct binary *binary, struct layout *layout)
{
	struct binary_symbol_row symbols[LAYOUT_COUNT];
	enum layout_id ids[LAYOUT_COUNT];
	bool is_any_found = false;
	size_t count = 0;

	for (enum layout_id id = 0; id < LAYOUT_COUNT; id++) {
		if (layout->facts[id].kind != FACT_VARIABLE)
			continue;
		ids[count] = id;
		symbols[count++] = (struct binary_symbol_row){.name = layout->facts[id].path};
	}
	binary_symbols(binary, symbols, count);
	for (size_t i = 0; i < count; i++) {
		struct fact *fact = &layout->facts[ids[i]];

		fact->found = symbols[i].found;
		fact->value = fact->found ? symbols[i].address : 0;
		is_any_found |= fact->found;
	}
	return is_any_found;
}

/* The addresses of the variables: of the symbol table, else of the DWARF, else none. */
static enum cs_status find_variables(
	struct binary *binary, struct diag *diag, struct layout *layout)
{
	struct fact facts[LAYOUT_COUNT];
	size_t count = 0;
	enum cs_status status;

	// For this alone no debug file is looked for: the variables are found in the process, too.
	if (find_symbols(binary, layout) || !binary_info(binary)->has_dwarf)
		return CS_OK;
	for (size_t i = 0; i < LAYOUT_COUNT; i++)
		if (layout->facts[i].kind == FACT_VARIABLE)
			facts[count++] = layout->facts[i];
	status = dwarf_facts_find(binary, facts, count, diag);
	if (status == CS_NO_MEMORY)
		return status;
	if (status != CS_OK)
		return CS_OK; // what is damaged is said in `diag`; the rows stay without an address
	for (size_t i = 0, at = 0; i < LAYOUT_COUNT; i++)
		if (layout->facts[i].kind == FACT_VARIABLE && facts[at++].found)
			layout->facts[i] = facts[at - 1];
	return CS_OK;
}

static enum cs_status from_table(const struct layout_release *release, enum layout_source source,
	const char *from, struct binary *binary, struct layout *ret)
{
	layout_init(ret);
	if (!layout_table_fill(release, binary_info(binary)->arch, ret->facts))
		return CS_UNSUPPORTED;
	ret->source = source;
	ret->from = from;
	ret->version = binary_info(binary)->go_version;
	return CS_OK;
}

static const struct fact *first_missing(const struct layout *layout)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++)
		if (rows[i].is_required && !layout->facts[i].found)
			return &layout->facts[i];
	return NULL;
}

static enum cs_status from_dwarf(struct binary *binary, struct diag *diag, struct layout *ret)
{
	const char *version = binary_info(binary)->go_version;
	enum cs_status status = layout_from_dwarf(binary, diag, ret);
	const struct fact *missing;

	if (status)
		return status;
	if (!version)
		version = "an unknown Go release";
	missing = first_missing(ret);
	if (missing)
		return diag_fail(diag, CS_UNSUPPORTED, "unknown-layout",
			"%s: its runtime has no %s.%s; Go 1.18 to 1.27 are supported", version,
			missing->type, missing->path);
	ret->source = LAYOUT_DWARF;
	ret->from = version;
	ret->version = binary_info(binary)->go_version;
	return CS_OK;
}

enum cs_status layout_resolve(struct binary *binary, struct diag *diag, struct layout *ret)
{
	const char *version = binary_info(binary)->go_version, *from = version;
	const struct layout_release *release = layout_table_exact(version);
	enum layout_source source = LAYOUT_EXACT;
	enum cs_status status;

	if (!release) {
		status = from_dwarf(binary, diag, ret);
		if (status != CS_NOT_FOUND && status != CS_CORRUPT)
			return status;
		release = layout_table_nearest(version, &from);
		source = LAYOUT_GUESSED;
	}
	status = from_table(release, source, from, binary, ret);
	return status ? status : find_variables(binary, diag, ret);
}
