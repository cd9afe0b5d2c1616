// The rows of layout.def as data, and the one place that decides where their values come from.
// The seam for the table of measured releases is layout_resolve: a source fills facts[], and the
// check for required rows is the same for every source.
#include "analyzer/runtime/layout.h"

static const struct {
	enum fact_kind kind;
	const char *type, *path;
	bool is_required;
} rows[LAYOUT_COUNT] = {
#define FIELD(name, type, path) {FACT_FIELD, type, path, true},
#define OPTIONAL(name, type, path) {FACT_FIELD, type, path, false},
#define VARIABLE(name, variable) {FACT_VARIABLE, NULL, variable, false},
#define CONSTANT(name, constant) {FACT_CONSTANT, NULL, constant, false},
#include "analyzer/runtime/layout.def"
#undef FIELD
#undef OPTIONAL
#undef VARIABLE
#undef CONSTANT
};

void layout_init(struct layout *layout)
{
	*layout = (struct layout){.source = LAYOUT_DWARF};
	for (size_t i = 0; i < LAYOUT_COUNT; i++)
		layout->facts[i] = (struct fact){
			.kind = rows[i].kind, .type = rows[i].type, .path = rows[i].path};
}

static const struct fact *first_missing(const struct layout *layout)
{
	for (size_t i = 0; i < LAYOUT_COUNT; i++)
		if (rows[i].is_required && !layout->facts[i].found)
			return &layout->facts[i];
	return NULL;
}

enum cs_status layout_resolve(struct binary *binary, struct diag *diag, struct layout *ret)
{
	const struct binary_info *info = binary_info(binary);
	const char *version = info->go_version ? info->go_version : "an unknown Go release";
	const struct fact *missing;
	enum cs_status status;

	layout_init(ret);
	status = dwarf_facts_find(binary, ret->facts, LAYOUT_COUNT, diag);
	if (status == CS_NOT_FOUND)
		return diag_fail(diag, CS_NOT_FOUND, "no-layout",
			"the executable has no DWARF debug information (built with -ldflags=-w or "
			"stripped), which this release needs: give the unstripped executable");
	if (status != CS_OK)
		return status;
	missing = first_missing(ret);
	if (missing)
		return diag_fail(diag, CS_UNSUPPORTED, "unknown-layout",
			"%s: its runtime has no %s.%s; Go 1.21 to 1.27 are supported", version,
			missing->type, missing->path);
	ret->source = LAYOUT_DWARF;
	ret->from = version;
	return CS_OK;
}
