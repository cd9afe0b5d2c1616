#include "analyzer/binary/dwarf_units.h"

#include "common/limits.h"

#include <dwarf.h>
#include <stdlib.h>

static bool add_range(struct dwarf_units *units, uint64_t low, uint64_t high)
{
	struct dwarf_unit_range *grown;

	if (low >= high)
		return true;
	grown = arena_grow(units->dwarf->arena, units->ranges, &units->range_capacity,
		units->range_count + 1, sizeof(*grown));
	if (!grown)
		return false;
	units->ranges = grown;
	grown[units->range_count++] =
		(struct dwarf_unit_range){low, high, (uint32_t)(units->count - 1)};
	return true;
}

static bool add_unit(struct dwarf_units *units, Dwarf_Die *root)
{
	struct dwarf_unit *unit, *grown = arena_grow(units->dwarf->arena, units->list,
					 &units->capacity, units->count + 1, sizeof(*grown));
	Dwarf_Addr low, high, base;
	ptrdiff_t at = 0;

	if (!grown)
		return false;
	units->list = grown;
	unit = &grown[units->count++];
	*unit = (struct dwarf_unit){.root = *root, .name = dwarf_entry_name(units->dwarf, root)};
	if (dwarf_lowpc(root, &unit->base))
		unit->base = 0;
	for (size_t i = 0; i < MAX_DWARF_RANGES; i++) {
		at = dwarf_ranges(root, at, &base, &low, &high);
		if (at <= 0)
			break;
		if (!add_range(units, low, high))
			return false;
	}
	return true;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct dwarf_unit_range *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

enum cs_status dwarf_units_load(struct dwarf *dwarf, struct dwarf_units *ret)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die root;

	*ret = (struct dwarf_units){.dwarf = dwarf};
	while (ret->count < MAX_DWARF_UNITS &&
		dwarf_get_units(dwarf->handle, unit, &unit, NULL, NULL, &root, NULL) == 0)
		if (dwarf_srclang(&root) == DW_LANG_Go && !add_unit(ret, &root))
			return CS_NO_MEMORY;
	if (ret->range_count)
		qsort(ret->ranges, ret->range_count, sizeof(*ret->ranges), compare_ranges);
	return CS_OK;
}

static int compare_functions(const void *a, const void *b)
{
	const struct dwarf_function *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

/* Functions with code; abstract ones, which only inlined copies refer to, have none. */
static void index_functions(struct dwarf *dwarf, struct dwarf_unit *unit)
{
	size_t capacity = 0;
	Dwarf_Die die;

	unit->is_indexed = true;
	if (dwarf_child(&unit->root, &die) != 0)
		return;
	do {
		struct dwarf_function function, *grown;

		if (dwarf_tag(&die) != DW_TAG_subprogram || dwarf_lowpc(&die, &function.low) ||
			dwarf_highpc(&die, &function.high) || function.low >= function.high)
			continue;
		function.offset = dwarf_dieoffset(&die);
		grown = arena_grow(dwarf->arena, unit->functions, &capacity,
			unit->function_count + 1, sizeof(*grown));
		if (!grown)
			break;
		unit->functions = grown;
		grown[unit->function_count++] = function;
	} while (dwarf_siblingof(&die, &die) == 0);
	if (unit->function_count)
		qsort(unit->functions, unit->function_count, sizeof(*unit->functions),
			compare_functions);
}

static struct dwarf_unit *find_unit(struct dwarf_units *units, uint64_t pc)
{
	size_t low = 0, high = units->range_count;

	while (low < high) { // the first range that begins behind pc
		size_t middle = low + (high - low) / 2;

		if (units->ranges[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || pc >= units->ranges[low - 1].high)
		return NULL;
	return &units->list[units->ranges[low - 1].unit];
}

bool dwarf_units_find(struct dwarf_units *units, uint64_t pc, Dwarf_Die *function_ret,
	const struct dwarf_unit **unit_ret)
{
	struct dwarf_unit *unit = find_unit(units, pc);
	size_t low = 0, high;

	if (!unit)
		return false;
	if (!unit->is_indexed)
		index_functions(units->dwarf, unit);
	high = unit->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit->functions[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || pc >= unit->functions[low - 1].high)
		return false;
	*unit_ret = unit;
	return dwarf_offdie(units->dwarf->handle, unit->functions[low - 1].offset, function_ret);
}
