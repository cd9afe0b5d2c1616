// Layout facts from the executable's own DWARF. Go's linker puts every type of the program into the
// unit "runtime" (cmd/link/internal/ld/dwarf.go, movetomodule, go1.21 to go1.27), each variable and
// constant into its package's. So only those units are walked, once, along their top level; names
// are looked up in a small table of what is wanted, and the rows are answered from what was met.
#include "analyzer/binary/facts.h"

#include "analyzer/binary/binary_internal.h"
#include "analyzer/binary/dwarf.h"
#include "common/limits.h"

#include <dwarf.h>
#include <string.h>

#define POINTER_SIZE 8

/* A name that some row asks for, and the entries met under it. */
struct wanted {
	const char *name; // borrowed from the row
	uint32_t hash;
	bool has_type, has_variable, has_constant;
	Dwarf_Die type, variable, constant;
};

/* An open-addressing table of wanted names; `mask` + 1 slots, at most half of them used. */
struct wanted_table {
	struct wanted *slots;
	size_t mask;
};

/* One search: what is wanted, and where. */
struct search {
	struct wanted_table table;
	const struct dwarf *dwarf; // borrowed
};

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u; // FNV-1a

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

/* The slot of `name`: its own, or the free one where it would go. */
static struct wanted *find_slot(const struct wanted_table *table, const char *name)
{
	uint32_t hash = hash_name(name);
	size_t at = hash & table->mask;

	while (table->slots[at].name &&
		(table->slots[at].hash != hash || strcmp(table->slots[at].name, name)))
		at = (at + 1) & table->mask;
	table->slots[at].hash = hash;
	return &table->slots[at];
}

/* What the row is looked up by: its type, else its path. */
static const char *row_name(const struct fact *fact)
{
	return fact->kind == FACT_FIELD || fact->kind == FACT_SIZE ? fact->type : fact->path;
}

static enum cs_status collect_names(
	const struct fact *facts, size_t count, struct arena *arena, struct wanted_table *ret)
{
	size_t slots = 64;

	while (slots < count * 2)
		slots *= 2;
	*ret = (struct wanted_table){arena_array(arena, slots, sizeof(*ret->slots)), slots - 1};
	if (!ret->slots)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		find_slot(ret, row_name(&facts[i]))->name = row_name(&facts[i]);
	return CS_OK;
}

/* The length of the package path in "internal/abi.FuncID_goexit". */
static size_t package_length(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strchr(slash ? slash : name, '.');

	return dot ? (size_t)(dot - name) : 0;
}

static bool is_unit_wanted(const struct wanted_table *table, const char *unit)
{
	size_t size = strlen(unit);

	if (!strcmp(unit, "runtime"))
		return true;
	for (size_t i = 0; i <= table->mask; i++)
		if (table->slots[i].name && package_length(table->slots[i].name) == size &&
			!strncmp(table->slots[i].name, unit, size))
			return true;
	return false;
}

static void note_entry(const struct search *search, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	struct wanted *slot;
	const char *name;

	if (tag != DW_TAG_structure_type && tag != DW_TAG_typedef && tag != DW_TAG_base_type &&
		tag != DW_TAG_variable && tag != DW_TAG_constant)
		return;
	name = dwarf_entry_name(search->dwarf, die);
	slot = name ? find_slot(&search->table, name) : NULL;
	if (!slot || !slot->name)
		return;
	if (tag == DW_TAG_variable && !slot->has_variable) {
		slot->has_variable = true;
		slot->variable = *die;
	} else if (tag == DW_TAG_constant && !slot->has_constant) {
		slot->has_constant = true;
		slot->constant = *die;
	} else if (tag != DW_TAG_variable && tag != DW_TAG_constant && !slot->has_type) {
		slot->has_type = true;
		slot->type = *die;
	}
}

static void walk_units(const struct search *search)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die root, die;

	while (dwarf_get_units(search->dwarf->handle, unit, &unit, NULL, NULL, &root, NULL) == 0) {
		const char *name = dwarf_entry_name(search->dwarf, &root);

		if (dwarf_srclang(&root) != DW_LANG_Go || !name ||
			!is_unit_wanted(&search->table, name) || dwarf_child(&root, &die) != 0)
			continue;
		do
			note_entry(search, &die);
		while (dwarf_siblingof(&die, &die) == 0);
	}
}

/* The type of `die` behind any typedefs; false where it has none. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Die at = *die;

	for (int depth = 0; depth < MAX_STRUCT_DEPTH; depth++) {
		Dwarf_Attribute attribute;

		if (!dwarf_attr(&at, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &at))
			return false;
		if (dwarf_tag(&at) != DW_TAG_typedef) {
			*ret = at;
			return true;
		}
	}
	return false;
}

/* `die` itself, or what it is a typedef of. */
static bool resolve(const Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Die copy = *die;

	if (dwarf_tag(&copy) == DW_TAG_typedef)
		return type_of(&copy, ret);
	*ret = copy;
	return true;
}

/* Go writes no size for pointers and for functions, whose values are one word. */
static bool type_size(Dwarf_Die *type, uint64_t *ret)
{
	if (dwarf_number(type, DW_AT_byte_size, ret))
		return true;
	if (dwarf_tag(type) != DW_TAG_pointer_type && dwarf_tag(type) != DW_TAG_subroutine_type)
		return false;
	*ret = POINTER_SIZE;
	return true;
}

/* The member of `type` whose name is the first `size` bytes of `name`. */
static bool find_member(
	const struct search *search, Dwarf_Die *type, const char *name, size_t size, Dwarf_Die *ret)
{
	Dwarf_Die die;

	if (dwarf_tag(type) != DW_TAG_structure_type || dwarf_child(type, &die) != 0)
		return false;
	do {
		const char *its_name = dwarf_entry_name(search->dwarf, &die);

		if (its_name && dwarf_tag(&die) == DW_TAG_member &&
			!strncmp(its_name, name, size) && !its_name[size]) {
			*ret = die;
			return true;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

/* Walks `path` member by member; offsets add up, the size is the last member's. */
static bool find_field(const struct search *search, Dwarf_Die type, const char *path,
	uint64_t *offset_ret, uint64_t *size_ret)
{
	uint64_t offset = 0;

	for (int depth = 0; depth < MAX_STRUCT_DEPTH; depth++) {
		size_t size = strcspn(path, ".");
		uint64_t member_offset;
		Dwarf_Die member;

		if (!find_member(search, &type, path, size, &member) || !type_of(&member, &type) ||
			!dwarf_number(&member, DW_AT_data_member_location, &member_offset))
			return false;
		offset += member_offset;
		path += size;
		if (!*path++) {
			*offset_ret = offset;
			return type_size(&type, size_ret);
		}
	}
	return false;
}

/* The type that a field or size row means: a type, else a variable's. */
static bool row_type(const struct wanted *slot, Dwarf_Die *ret)
{
	Dwarf_Die variable = slot->variable;

	if (slot->has_type)
		return resolve(&slot->type, ret);
	return slot->has_variable && type_of(&variable, ret);
}

static bool constant_value(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Sword value;

	if (!dwarf_attr(die, DW_AT_const_value, &attribute) || dwarf_formsdata(&attribute, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

static bool answer(const struct search *search, struct fact *fact)
{
	const struct wanted *slot = find_slot(&search->table, row_name(fact));
	Dwarf_Die variable = slot->variable, constant = slot->constant, type;

	switch (fact->kind) {
	case FACT_FIELD:
		return row_type(slot, &type) &&
		       find_field(search, type, fact->path, &fact->value, &fact->size);
	case FACT_SIZE:
		return row_type(slot, &type) && type_size(&type, &fact->value);
	case FACT_VARIABLE:
		return slot->has_variable && type_of(&variable, &type) &&
		       type_size(&type, &fact->size) &&
		       dwarf_variable_address(&variable, &fact->value);
	case FACT_CONSTANT:
		return slot->has_constant && constant_value(&constant, &fact->value);
	}
	return false;
}

enum cs_status dwarf_facts_find(
	struct binary *binary, struct fact *facts, size_t count, struct diag *diag)
{
	struct search search = {0};
	enum cs_status status;
	struct dwarf *dwarf;

	for (size_t i = 0; i < count; i++)
		facts[i].found = false;
	if (!binary_info(binary)->has_dwarf)
		return CS_NOT_FOUND;
	status = collect_names(facts, count, binary->arena, &search.table);
	if (status)
		return status;
	status = binary_dwarf(binary, diag, &dwarf);
	if (status)
		return status;
	search.dwarf = dwarf;
	walk_units(&search);
	for (size_t i = 0; i < count; i++)
		facts[i].found = answer(&search, &facts[i]);
	return CS_OK;
}
