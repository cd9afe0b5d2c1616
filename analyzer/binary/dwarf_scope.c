#include "analyzer/binary/dwarf_scope.h"

#include <dwarf.h>
#include <string.h>

struct scope_walk {
	const struct dwarf_units *units;
	uint64_t pc;
	struct dwarf_scopes *ret;
	uint32_t entries_left;
	bool is_cut; // out of memory, or past a cap
};

/* Whether the entry's code holds pc. */
static bool holds_pc(Dwarf_Die *die, uint64_t pc)
{
	Dwarf_Addr low, high, base;
	ptrdiff_t at = 0;

	for (size_t i = 0; i < MAX_DWARF_RANGES; i++) {
		at = dwarf_ranges(die, at, &base, &low, &high);
		if (at <= 0)
			return false;
		if (pc >= low && pc < high)
			return true;
	}
	return false;
}

/* The entry that describes `die` where it is a copy made by inlining; itself otherwise. */
static Dwarf_Die origin_of(Dwarf_Die *die)
{
	Dwarf_Die origin = *die;

	for (int i = 0; i < 4; i++) {
		Dwarf_Die next;

		if (!dwarf_reference(&origin, DW_AT_abstract_origin, &next))
			break;
		origin = next;
	}
	return origin;
}

static int64_t signed_attribute(Dwarf_Die *die, unsigned int name)
{
	uint64_t value;

	return dwarf_number(die, name, &value) && value <= INT64_MAX ? (int64_t)value : -1;
}

/* dict_index stands on the .paramN typedef of a generic function's variable. */
static void describe_type(Dwarf_Die *origin, struct dwarf_variable *variable)
{
	variable->dict_index = -1;
	if (dwarf_tag(&variable->type) == DW_TAG_typedef)
		variable->dict_index = signed_attribute(&variable->type, DW_AT_GO_dict_index);
	if (variable->dict_index < 0)
		variable->dict_index = signed_attribute(origin, DW_AT_GO_dict_index);
}

static bool describe(
	const struct dwarf *dwarf, Dwarf_Die *die, uint32_t depth, struct dwarf_variable *ret)
{
	Dwarf_Die origin = origin_of(die);
	uint64_t number;

	*ret = (struct dwarf_variable){.die = *die, .depth = depth};
	ret->name = dwarf_entry_name(dwarf, &origin);
	// The compiler's own have a dot: ".autotmp_3", ".dict", and "text.len" for where it spills a
	// part of `text` (go1.26 for some, go1.27 for all).
	if (!ret->name || !*ret->name || strchr(ret->name, '.') ||
		!dwarf_reference(&origin, DW_AT_type, &ret->type))
		return false;
	ret->is_escaped = *ret->name == '&';
	ret->name += ret->is_escaped;
	ret->is_argument = dwarf_tag(die) == DW_TAG_formal_parameter;
	if (dwarf_flag(&origin, DW_AT_variable_parameter)) {
		ret->is_result = true;
		ret->is_argument = false;
	}
	if (dwarf_number(&origin, DW_AT_decl_line, &number) && number <= UINT32_MAX)
		ret->line = (uint32_t)number;
	ret->closure_offset = signed_attribute(die, DW_AT_GO_closure_offset);
	describe_type(&origin, ret);
	return true;
}

static void add_variable(struct scope_walk *walk, uint32_t scope, Dwarf_Die *die, uint32_t depth)
{
	struct dwarf_scope *to = &walk->ret->list[scope];
	size_t capacity = to->capacity;
	struct dwarf_variable variable, *grown;

	if (!describe(walk->units->dwarf, die, depth, &variable))
		return;
	grown = arena_grow(
		walk->units->dwarf->arena, to->variables, &capacity, to->count + 1, sizeof(*grown));
	if (!grown) {
		walk->is_cut = true;
		return;
	}
	to->variables = grown;
	to->capacity = (uint32_t)capacity;
	grown[to->count++] = variable;
}

/* Begins the scope of a function, inlined or not; false: too many within each other. */
static bool begin_scope(struct scope_walk *walk, Dwarf_Die *die)
{
	Dwarf_Die origin = origin_of(die);
	const char *name = dwarf_entry_name(walk->units->dwarf, &origin);

	if (walk->ret->count == MAX_INLINE_DEPTH)
		return false;
	walk->ret->list[walk->ret->count++] = (struct dwarf_scope){.function = name ? name : ""};
	return true;
}

static bool is_listed(const struct dwarf_scope *scope, Dwarf_Off origin)
{
	for (uint32_t i = 0; i < scope->count; i++) {
		Dwarf_Die its = origin_of(&scope->variables[i].die);

		if (dwarf_dieoffset(&its) == origin)
			return true;
	}
	return false;
}

/* An inlined call says nothing of the parameters that are gone in it; the function itself has them.
 */
static void add_lost_parameters(struct scope_walk *walk, Dwarf_Die *call, uint32_t scope)
{
	Dwarf_Die function = origin_of(call), die;

	if (dwarf_child(&function, &die) != 0)
		return;
	for (uint32_t i = 0; i < MAX_LOST_PARAMETERS; i++) {
		if (dwarf_tag(&die) == DW_TAG_formal_parameter &&
			!is_listed(&walk->ret->list[scope], dwarf_dieoffset(&die)))
			add_variable(walk, scope, &die, 0);
		if (dwarf_siblingof(&die, &die) != 0)
			break;
	}
}

static void walk_children(
	struct scope_walk *walk, Dwarf_Die *parent, uint32_t scope, uint32_t depth);

static void walk_inlined(struct scope_walk *walk, Dwarf_Die *call, uint32_t depth)
{
	uint32_t scope = walk->ret->count - 1;

	walk_children(walk, call, scope, depth);
	add_lost_parameters(walk, call, scope);
}

static void walk_children(
	struct scope_walk *walk, Dwarf_Die *parent, uint32_t scope, uint32_t depth)
{
	Dwarf_Die die;

	if (depth > MAX_SCOPE_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		if (!walk->entries_left--) {
			walk->entries_left = 0;
			walk->is_cut = true;
			return;
		}
		switch (dwarf_tag(&die)) {
		case DW_TAG_formal_parameter:
		case DW_TAG_variable:
			add_variable(walk, scope, &die, depth);
			break;
		case DW_TAG_lexical_block:
			if (holds_pc(&die, walk->pc))
				walk_children(walk, &die, scope, depth + 1);
			break;
		case DW_TAG_inlined_subroutine:
			if (holds_pc(&die, walk->pc) && begin_scope(walk, &die))
				walk_inlined(walk, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (!walk->is_cut && dwarf_siblingof(&die, &die) == 0);
}

/* A variable that was moved to the heap is there as "&x"; its entry from before says nothing. */
static bool is_moved(const struct dwarf_scope *scope, const struct dwarf_variable *variable)
{
	for (uint32_t i = 0; !variable->is_escaped && i < scope->count; i++) {
		const struct dwarf_variable *other = &scope->variables[i];

		if (other->is_escaped && other->depth == variable->depth &&
			other->line == variable->line && !strcmp(other->name, variable->name))
			return true;
	}
	return false;
}

static void drop_moved(struct dwarf_scope *scope)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < scope->count; i++) {
		struct dwarf_variable variable = scope->variables[i];

		if (!is_moved(scope, &variable))
			scope->variables[count++] = variable;
	}
	scope->count = count;
}

static void mark_shadowed(struct dwarf_scope *scope)
{
	for (uint32_t i = 0; i < scope->count; i++)
		for (uint32_t k = 0; k < scope->count; k++)
			if (scope->variables[i].depth < scope->variables[k].depth &&
				!strcmp(scope->variables[i].name, scope->variables[k].name))
				scope->variables[i].is_shadowed = true;
}

/* Bytes of the frame that a variable of the function has as its own in all of its scope. */
struct home {
	int64_t offset;
	uint64_t size;
	Dwarf_Off die;
};

struct homes {
	struct home *list;
	size_t count, capacity;
};

/* A value's size; 0 where it is not known. Enough for what lies in memory as a whole. */
static uint64_t size_of(Dwarf_Die *type)
{
	Dwarf_Die at = *type;
	uint64_t size;

	for (int i = 0; i < MAX_STRUCT_DEPTH; i++) {
		if (dwarf_number(&at, DW_AT_byte_size, &size))
			return size;
		if (dwarf_tag(&at) != DW_TAG_typedef || !dwarf_reference(&at, DW_AT_type, &at))
			break;
	}
	return 8; // pointers, maps, channels and functions have no size written
}

static void add_home(struct dwarf_units *units, const struct dwarf_unit *unit, Dwarf_Die *die,
	struct homes *homes)
{
	struct dwarf_variable variable;
	struct dwarf_location location;
	struct home *grown;

	dwarf_location_at(units->dwarf, unit, die, 0, &location);
	if (location.is_listed || location.count != 1 ||
		location.pieces[0].kind != DWARF_PIECE_FRAME ||
		!describe(units->dwarf, die, 0, &variable))
		return;
	grown = arena_grow(units->dwarf->arena, homes->list, &homes->capacity, homes->count + 1,
		sizeof(*grown));
	if (!grown)
		return;
	homes->list = grown;
	grown[homes->count++] = (struct home){
		location.pieces[0].number, size_of(&variable.type), dwarf_dieoffset(die)};
}

static void collect_homes(struct dwarf_units *units, const struct dwarf_unit *unit,
	Dwarf_Die *parent, struct homes *homes, uint32_t depth)
{
	Dwarf_Die die;

	if (depth > MAX_SCOPE_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (homes->count == MAX_SCOPE_HOMES)
			return;
		if (tag == DW_TAG_formal_parameter || tag == DW_TAG_variable)
			add_home(units, unit, &die, homes);
		else if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine)
			collect_homes(units, unit, &die, homes, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static bool is_shared(const struct homes *homes, Dwarf_Off die)
{
	const struct home *own = NULL;

	for (size_t i = 0; i < homes->count; i++)
		if (homes->list[i].die == die)
			own = &homes->list[i];
	for (size_t i = 0; own && i < homes->count; i++) {
		const struct home *other = &homes->list[i];

		if (other != own && other->offset < own->offset + (int64_t)own->size &&
			own->offset < other->offset + (int64_t)other->size)
			return true;
	}
	return false;
}

/*
 * Since go1.23 the compiler gives variables whose lives do not meet one place in the frame
 * (cmd/compile/internal/liveness/mergelocals.go), and DWARF does not say whose turn it is.
 */
static void mark_shared(struct dwarf_units *units, struct dwarf_scopes *scopes)
{
	struct homes homes = {0};

	collect_homes(units, scopes->unit, &scopes->function, &homes, 0);
	for (uint32_t i = 0; homes.count > 1 && i < scopes->count; i++)
		for (uint32_t k = 0; k < scopes->list[i].count; k++) {
			struct dwarf_variable *variable = &scopes->list[i].variables[k];

			variable->is_shared = is_shared(&homes, dwarf_dieoffset(&variable->die));
		}
}

bool dwarf_scopes_at(struct dwarf_units *units, uint64_t pc, struct dwarf_scopes *ret)
{
	struct scope_walk walk = {
		.units = units, .pc = pc, .ret = ret, .entries_left = MAX_SCOPE_ENTRIES};

	ret->count = 0;
	if (!dwarf_units_find(units, pc, &ret->function, &ret->unit) ||
		!dwarf_location_base_is_cfa(&ret->function) || !begin_scope(&walk, &ret->function))
		return false;
	walk_children(&walk, &ret->function, 0, 0);
	for (uint32_t i = 0; i < ret->count; i++) {
		drop_moved(&ret->list[i]);
		mark_shadowed(&ret->list[i]);
	}
	mark_shared(units, ret);
	return true;
}
