#include "analyzer/values/variable_plan.h"

#include "analyzer/values/leaves.h"
#include "analyzer/values/live_arguments.h"
#include "analyzer/values/parameters.h"
#include "common/limits.h"

#include <dwarf.h>
#include <string.h>

static struct type *type_by_descriptor(void *context, uint64_t offset)
{
	struct variable_plans *plans = context;

	return types_at(plans->types, plans->frames->rt->modules[0].types + offset);
}

enum cs_status variable_plans_init(struct binary *binary, const struct frame_table *frames,
	struct types *types, struct diag *diag, struct variable_plans *ret)
{
	struct arena *arena = frames->rt->arena;
	enum cs_status status;

	*ret = (struct variable_plans){
		.frames = frames, .types = types, .go_version = binary_info(binary)->go_version};
	u64map_init(&ret->by_place, arena);
	u64map_init(&ret->by_frame, arena);
	ret->scopes = arena_alloc(arena, sizeof(*ret->scopes));
	if (!ret->scopes)
		return CS_NO_MEMORY;
	status = binary_dwarf(binary, diag, &ret->dwarf);
	if (status == CS_OK)
		status = dwarf_units_load(ret->dwarf, &ret->units);
	if (status != CS_OK)
		return status;
	dwarf_types_init(&ret->dwarf_types, ret->dwarf);
	ret->dwarf_types.by_descriptor = type_by_descriptor;
	ret->dwarf_types.context = ret;
	return CS_OK;
}

/* The end of the name's next part: type arguments are one, whatever they are. */
static const char *next_part(const char *name)
{
	int depth = 0;

	if (*name != '[')
		return name + strcspn(name, "[");
	for (; *name; name++) {
		depth += (*name == '[') - (*name == ']');
		if (!depth)
			return name + 1;
	}
	return name;
}

/*
 * Whether DWARF and the function table mean one function: "main.Sum[go.shape.int]" is
 * "main.Sum[...]" there.
 */
static bool is_same_function(const char *a, const char *b)
{
	while (*a && *b) {
		const char *a_end = next_part(a), *b_end = next_part(b);

		if (*a == '[' || *b == '[') {
			if (*a != *b)
				return false;
		} else if (a_end - a != b_end - b || memcmp(a, b, (size_t)(a_end - a))) {
			return false;
		}
		a = a_end;
		b = b_end;
	}
	return !*a && !*b;
}

/*
 * Which scope is that of logical frame `frame` of `place`: the function table decides what was
 * called, and a scope that it does not have is passed over. Both are gone through from the outside.
 */
static void match_scopes(const struct variable_plans *plans, const struct code_place *place,
	const struct dwarf_scope **ret)
{
	const struct frame *frames = &plans->frames->frames[place->first_frame];
	uint32_t scope = 0;

	for (uint32_t frame = place->frame_count; frame-- > 0;) {
		uint32_t at = scope;

		ret[frame] = NULL;
		while (at < plans->scopes->count &&
			!is_same_function(plans->scopes->list[at].function, frames[frame].function))
			at++;
		if (at == plans->scopes->count)
			continue;
		ret[frame] = &plans->scopes->list[at];
		scope = at + 1;
	}
}

/* The compiler says in the unit how it was told to compile: "Go cmd/compile go1.26.8; -N -l; …". */
static bool is_optimized(const struct dwarf_unit *unit)
{
	Dwarf_Die root = unit->root;
	Dwarf_Attribute attribute;
	const char *producer =
		dwarf_attr(&root, DW_AT_producer, &attribute) ? dwarf_formstring(&attribute) : NULL;

	return !producer || !strstr(producer, "; -N");
}

/* Whether a register can be known here at all. */
static bool is_lost(const struct dwarf_piece *piece, bool is_exact)
{
	return !is_exact &&
	       (piece->kind == DWARF_PIECE_REGISTER || piece->kind == DWARF_PIECE_REGISTER_MEMORY);
}

/* Why no goroutine at all can show it, if so: the same for every piece, or nothing of the kind. */
static enum unavailable common_reason(const struct dwarf_location *location, bool is_exact)
{
	bool is_clobbered = false;

	if (!location->count)
		return UNAVAILABLE_OPTIMIZED_OUT;
	for (uint32_t i = 0; i < location->count; i++) {
		const struct dwarf_piece *piece = &location->pieces[i];

		if (is_lost(piece, is_exact))
			is_clobbered = true;
		else if (piece->kind != DWARF_PIECE_NONE)
			return AVAILABLE;
	}
	return is_clobbered ? UNAVAILABLE_CLOBBERED : UNAVAILABLE_OPTIMIZED_OUT;
}

/*
 * Whether the statement that assigns it may not have run. A row of a location list begins where the
 * value does and is trusted; memory that a variable has for all of its function is not.
 */
static bool is_unassigned(
	const struct dwarf_variable *variable, const struct dwarf_location *location, int32_t line)
{
	if (variable->is_argument || variable->closure_offset >= 0)
		return false;
	if (variable->is_result) // "~r0": nothing but the return statement assigns it
		return variable->name[0] == '~';
	return variable->line && (int64_t)variable->line >= line &&
	       !(location->is_listed && location->count);
}

/* The parameter's own slot, above the frame: what the caller put into its register. */
static bool is_home(const struct dwarf_location *location)
{
	for (uint32_t i = 0; i < location->count; i++)
		if (location->pieces[i].kind != DWARF_PIECE_FRAME || location->pieces[i].number < 0)
			return false;
	return location->count;
}

/*
 * A call destroys the registers, but not the slot that the value was saved in before: its row
 * begins where the call returns to. What the call itself returns is in registers there, never in a
 * slot.
 */
static void use_slots_behind_call(
	struct dwarf_location *location, const struct dwarf_location *behind)
{
	if (behind->count != location->count)
		return;
	for (uint32_t i = 0; i < location->count; i++)
		if (location->pieces[i].size != behind->pieces[i].size)
			return;
	for (uint32_t i = 0; i < location->count; i++)
		if (is_lost(&location->pieces[i], false) &&
			behind->pieces[i].kind == DWARF_PIECE_FRAME)
			location->pieces[i] = behind->pieces[i];
}

static void locate(struct variable_plans *plans, struct dwarf_variable *variable, uint64_t pc,
	bool is_call, struct dwarf_location *ret)
{
	struct dwarf_location behind;
	bool is_any_lost = false;

	dwarf_location_at(plans->dwarf, plans->scopes->unit, &variable->die, pc, ret);
	for (uint32_t i = 0; i < ret->count; i++)
		is_any_lost |= is_lost(&ret->pieces[i], !is_call);
	if (!is_call || !ret->is_listed || ret->is_unread || (ret->count && !is_any_lost))
		return;
	dwarf_location_at(plans->dwarf, plans->scopes->unit, &variable->die, pc + 1, &behind);
	if (ret->count)
		use_slots_behind_call(ret, &behind);
	else if (variable->is_argument && is_home(&behind))
		*ret = behind;
}

/* Whether a value of this type is one word or less, which a register holds as a whole. */
static bool is_scalar(const struct type *type)
{
	return type->size <= sizeof(uint64_t) && type->kind != GO_STRUCT && type->kind != GO_ARRAY;
}

/*
 * A captured variable of several words gets the place of whichever of them the closure's body
 * loaded: "text" is said to lie where its length alone was spilled, and what lies behind it is
 * something else (cmd/compile internal/ssa/debug.go; found in 1.26.8).
 */
static bool is_misplaced(const struct dwarf_variable *variable, const struct type *type,
	const struct dwarf_location *location)
{
	return variable->closure_offset >= 0 && location->is_listed && location->count == 1 &&
	       !location->pieces[0].size && !variable->is_escaped && type && !is_scalar(type);
}

struct planning {
	struct variable_plans *plans;
	const struct code_place *place;
	struct variable_plan *plan;
	struct dwarf_variable **sources; // of the plan's variables
	uint64_t pc;                     // linked; where locations are looked up
	bool is_optimized;
};

/* Whether the location is that of all of the value, and pads it. */
static bool is_whole(struct planning *planning, struct dwarf_variable *variable, struct type *type,
	struct dwarf_location *location)
{
	struct variable_plans *plans = planning->plans;
	struct leaf leaf;

	if (!leaves_pad(type, location))
		return false;
	return !location->is_listed || location->count != 1 || location->pieces[0].size ||
	       leaves_of(type, &leaf, 1) == 1 ||
	       !dwarf_location_is_word(plans->dwarf, plans->scopes->unit, &variable->die);
}

/*
 * What points to a variable on the heap is the compiler's own. What a closure captured by value was
 * never assigned again (cmd/compile/internal/escape, ir.Name.Byval).
 */
static bool is_constant(const struct variable_plans *plans, const struct dwarf_variable *variable,
	const char *function)
{
	return variable->is_escaped || variable->closure_offset >= 0 ||
	       (variable->is_argument && function &&
		       parameter_is_constant(plans->go_version, function, variable->name));
}

static void plan_variable(struct planning *planning, struct dwarf_variable *variable,
	uint32_t frame, struct planned_variable *ret)
{
	struct variable_plans *plans = planning->plans;
	const struct frame *row = &plans->frames->frames[planning->place->first_frame + frame];
	struct dwarf_location location;
	struct dwarf_piece *pieces;

	*ret = (struct planned_variable){.name = variable->name,
		.dict_index = variable->is_escaped ? -1 : variable->dict_index,
		.frame = frame,
		.is_argument = variable->is_argument,
		.is_result = variable->is_result,
		.is_escaped = variable->is_escaped,
		.is_shadowed = variable->is_shadowed,
		.is_constant = is_constant(plans, variable, row->function),
		.die = variable->die,
		.unit = plans->scopes->unit};
	ret->type = dwarf_types_get(&plans->dwarf_types, &variable->type);
	locate(plans, variable, planning->pc, !planning->place->is_exact, &location);
	if (ret->type && !ret->is_escaped && !is_whole(planning, variable, ret->type, &location))
		location.count = 0;
	if (is_unassigned(variable, &location, row->line))
		ret->unavailable = UNAVAILABLE_NOT_ASSIGNED;
	else if ((variable->is_shared && planning->is_optimized) ||
		 is_misplaced(variable, ret->type, &location))
		ret->unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	else
		ret->unavailable = common_reason(&location, planning->place->is_exact);
	if (ret->is_escaped && ret->type && ret->type->kind == GO_POINTER) {
		ret->type = ret->type->element;
		type_load(ret->type);
	}
	if (ret->unavailable && ret->unavailable != UNAVAILABLE_CLOBBERED)
		return;
	pieces = arena_array(plans->dwarf->arena, location.count, sizeof(*pieces));
	if (!pieces) {
		ret->unavailable = UNAVAILABLE_BUDGET;
		return;
	}
	memcpy(pieces, location.pieces, location.count * sizeof(*pieces));
	ret->pieces = pieces;
	ret->piece_count = location.count;
}

/*
 * A variable of an inlined function that was moved to the heap stands among those of the function
 * that it was inlined into; only its line is of another place. Not the program's, there.
 */
static bool is_foreign(
	struct planning *planning, const struct dwarf_variable *variable, uint32_t frame)
{
	const struct runtime *rt = planning->plans->frames->rt;
	const struct frame *row =
		&planning->plans->frames->frames[planning->place->first_frame + frame];
	struct pcln_func func;
	int32_t last;

	if (!variable->is_escaped || !variable->line || variable->closure_offset >= 0 ||
		frame + 1 != planning->place->frame_count ||
		!modules_find_function(rt, row->entry, &func))
		return false;
	last = pclntab_last_line(modules_functions(rt, row->entry), &func);
	return (int64_t)variable->line < row->start_line ||
	       (last && (int64_t)variable->line > last);
}

static void plan_scopes(struct planning *planning, const struct dwarf_scope **scopes)
{
	struct variable_plan *plan = planning->plan;
	uint32_t total = 0;

	for (uint32_t i = 0; i < planning->place->frame_count; i++)
		total += scopes[i] ? scopes[i]->count : 0;
	plan->variables =
		arena_array(planning->plans->dwarf->arena, total, sizeof(*plan->variables));
	planning->sources =
		arena_array(planning->plans->dwarf->arena, total, sizeof(*planning->sources));
	if (!plan->variables || !planning->sources)
		return;
	for (uint32_t i = 0; i < planning->place->frame_count; i++)
		for (uint32_t k = 0; scopes[i] && k < scopes[i]->count; k++) {
			if (is_foreign(planning, &scopes[i]->variables[k], i))
				continue;
			plan_variable(planning, &scopes[i]->variables[k], i,
				&plan->variables[plan->count]);
			planning->sources[plan->count] = &scopes[i]->variables[k];
			plan->count += plan->variables[plan->count].type != NULL;
		}
}

/* Bytes of the frame that a part of `variable` lies in; false: in none. */
static bool frame_bytes(const struct planned_variable *variable, uint32_t piece, int64_t *low_ret,
	int64_t *high_ret)
{
	const struct dwarf_piece *at = &variable->pieces[piece];
	uint64_t size = at->size ? at->size : variable->is_escaped ? 8 : variable->type->size;

	*low_ret = at->number;
	return at->kind == DWARF_PIECE_FRAME && size <= INT32_MAX &&
	       !__builtin_add_overflow(at->number, (int64_t)size, high_ret);
}

static bool overlaps(const struct planned_variable *a, uint32_t a_piece,
	const struct planned_variable *b, uint32_t b_piece)
{
	int64_t low, high, other_low, other_high;

	if (a->pieces[a_piece].kind == DWARF_PIECE_REGISTER)
		return b->pieces[b_piece].kind == DWARF_PIECE_REGISTER &&
		       a->pieces[a_piece].register_number == b->pieces[b_piece].register_number;
	return frame_bytes(a, a_piece, &low, &high) &&
	       frame_bytes(b, b_piece, &other_low, &other_high) && other_low < high &&
	       low < other_high;
}

/* Since when a piece of the plan's variable `index` is said to lie where it does; 0: always. */
static uint64_t since(const struct planning *planning, uint32_t index, uint32_t piece)
{
	struct variable_plans *plans = planning->plans;
	const struct dwarf_piece *at = &planning->plan->variables[index].pieces[piece];
	Dwarf_Die die = planning->sources[index]->die;
	const struct dwarf_unit *unit = plans->scopes->unit;
	uint64_t found = dwarf_location_since(plans->dwarf, unit, &die, planning->pc, at);

	// A slot from behind the call: see use_slots_behind_call.
	return found ? found : dwarf_location_since(plans->dwarf, unit, &die, planning->pc + 1, at);
}

/*
 * One place for parts of two variables: both, where one is a copy of the other and its row begins
 * at the same instruction. Otherwise the row of one goes on where its value has been overwritten,
 * as the compiler has them: a spill slot that another variable took over (go1.18 to go1.21), the
 * length of a slice in the register of another's (go1.24, go1.26). Nobody knows which.
 */
static void drop_contested(const struct planning *planning, uint32_t index, bool *ret)
{
	const struct planned_variable *variable = &planning->plan->variables[index];

	for (uint32_t i = 0; i < planning->plan->count; i++) {
		const struct planned_variable *other = &planning->plan->variables[i];

		if (i == index)
			continue;
		for (uint32_t k = 0; k < variable->piece_count; k++)
			for (uint32_t m = 0; m < other->piece_count && !ret[k]; m++)
				ret[k] = overlaps(variable, k, other, m) &&
					 since(planning, index, k) != since(planning, i, m);
	}
}

static void drop_conflicts(struct planning *planning)
{
	struct variable_plan *plan = planning->plan;
	bool(*dropped)[MAX_DWARF_PIECES];

	if (plan->count > MAX_COMPARED_VARIABLES)
		return;
	dropped = arena_array(planning->plans->dwarf->arena, plan->count, sizeof(*dropped));
	for (uint32_t i = 0; dropped && i < plan->count; i++)
		drop_contested(planning, i, dropped[i]);
	for (uint32_t i = 0; dropped && i < plan->count; i++) {
		struct planned_variable *variable = &plan->variables[i];
		bool is_any_left = false;

		for (uint32_t k = 0; k < variable->piece_count; k++) {
			if (dropped[i][k])
				variable->pieces[k].kind = DWARF_PIECE_NONE;
			is_any_left |= variable->pieces[k].kind != DWARF_PIECE_NONE;
		}
		if (!variable->unavailable && !is_any_left)
			variable->unavailable = UNAVAILABLE_OPTIMIZED_OUT;
	}
}

static void make_plan(
	struct variable_plans *plans, const struct code_place *place, struct variable_plan *ret)
{
	const struct frame *frame = &plans->frames->frames[place->first_frame];
	const struct dwarf_scope *scopes[MAX_INLINE_DEPTH];
	struct planning planning = {.plans = plans, .place = place, .plan = ret};

	planning.pc = frame->pc - plans->frames->rt->bias;
	if (!place->is_exact && frame->pc > frame->entry)
		planning.pc--;
	if (place->frame_count > MAX_INLINE_DEPTH || plans->count++ == MAX_VARIABLE_PLANS ||
		!dwarf_scopes_at(&plans->units, planning.pc, plans->scopes))
		return;
	planning.is_optimized = is_optimized(plans->scopes->unit);
	match_scopes(plans, place, scopes);
	plan_scopes(&planning, scopes);
	if (planning.is_optimized)
		drop_conflicts(&planning);
	live_arguments_add(plans, place, ret);
}

/** The plan that was made of the place; NULL: none. */
static struct variable_plan *find_plan(const struct variable_plans *plans, uint32_t place)
{
	uint64_t known;

	if (!u64map_get(&plans->by_place, place, &known))
		return NULL;
	return (struct variable_plan *)(uintptr_t)known;
}

const struct variable_plan *variable_plan_of(struct variable_plans *plans, uint32_t place)
{
	static const struct variable_plan none;
	const struct code_place *at = &plans->frames->places[place];
	struct variable_plan *plan = find_plan(plans, place);

	if (plan)
		return plan;
	plan = arena_alloc(plans->dwarf->arena, sizeof(*plan));
	if (!plan)
		return &none;
	make_plan(plans, at, plan);
	if (!u64map_put(&plans->by_place, place, (uintptr_t)plan))
		return &none;
	for (uint32_t i = 0; i < at->frame_count; i++)
		if (!u64map_put(&plans->by_frame, (uint64_t)at->first_frame + i, place))
			return &none;
	return plan;
}

struct planned_variable *variable_plan_change(
	struct variable_plans *plans, uint32_t place, uint32_t index)
{
	struct variable_plan *plan = find_plan(plans, place);

	return plan && index < plan->count ? &plan->variables[index] : NULL;
}

const struct variable_plan *variable_plan_of_frame(
	const struct variable_plans *plans, uint32_t frame, uint32_t *logical_ret)
{
	uint64_t place, plan;

	if (!u64map_get(&plans->by_frame, frame, &place) ||
		!u64map_get(&plans->by_place, place, &plan))
		return NULL;
	*logical_ret = frame - plans->frames->places[place].first_frame;
	return (const struct variable_plan *)(uintptr_t)plan;
}
