#include "analyzer/binary/dwarf_globals.h"

#include "common/limits.h"

#include <dwarf.h>
#include <fnmatch.h>
#include <string.h>

/*
 * Whether a package of this path can have variables that the pattern matches, by the pattern's
 * letters before its first wildcard: "main.st*" are main's.
 */
static bool can_hold(const char *unit, const char *pattern)
{
	size_t fixed = strcspn(pattern, "*?[\\"), size = strlen(unit);

	if (size < fixed)
		return !strncmp(unit, pattern, size) && pattern[size] == '.';
	return !strncmp(unit, pattern, fixed);
}

static bool add(
	const struct dwarf_units *units, struct dwarf_global global, struct dwarf_globals *ret)
{
	struct dwarf_global *grown = arena_grow(
		units->dwarf->arena, ret->list, &ret->capacity, ret->count + 1, sizeof(*grown));

	if (!grown)
		return false;
	ret->list = grown;
	grown[ret->count++] = global;
	return true;
}

static bool search_unit(const struct dwarf_units *units, const struct dwarf_unit *unit,
	const char *pattern, struct dwarf_globals *ret)
{
	Dwarf_Die root = unit->root, die;

	if (dwarf_child(&root, &die) != 0)
		return true;
	do {
		struct dwarf_global global;

		if (dwarf_tag(&die) != DW_TAG_variable)
			continue;
		global.name = dwarf_entry_name(units->dwarf, &die);
		if (!global.name || fnmatch(pattern, global.name, 0) ||
			!dwarf_reference(&die, DW_AT_type, &global.type) ||
			!dwarf_variable_address(&die, &global.address))
			continue;
		if (ret->count == MAX_GLOBALS) {
			ret->is_cut = true;
			return true;
		}
		if (!add(units, global, ret))
			return false;
	} while (dwarf_siblingof(&die, &die) == 0);
	return true;
}

enum cs_status dwarf_globals_find(
	const struct dwarf_units *units, const char *pattern, struct dwarf_globals *ret)
{
	*ret = (struct dwarf_globals){0};
	for (size_t i = 0; i < units->count && !ret->is_cut; i++) {
		const struct dwarf_unit *unit = &units->list[i];

		if (unit->name && can_hold(unit->name, pattern) &&
			!search_unit(units, unit, pattern, ret))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}
