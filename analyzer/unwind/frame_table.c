#include "analyzer/unwind/frame_table.h"

#include "analyzer/core/arch.h"
#include "common/limits.h"

#include <string.h>

void frame_table_init(struct frame_table *table, const struct runtime *rt)
{
	*table = (struct frame_table){.rt = rt, .steps_left = MAX_UNWIND_TOTAL};
	u64map_init(&table->by_pc, rt->arena);
	u64map_init(&table->by_creation, rt->arena);
}

static const struct {
	const char *name;
	enum frame_role role;
} roles[] = {
	{"runtime.goexit", ROLE_BOTTOM},
	{"runtime.mstart", ROLE_BOTTOM},
	{"runtime.rt0_go", ROLE_BOTTOM},
	{"runtime.mcall", ROLE_BOTTOM},
	{"runtime.morestack", ROLE_BOTTOM},
	{"runtime.systemstack", ROLE_SYSTEM_STACK},
	// TopFrame since 1.20, yet the frame that the signal interrupted lies behind it.
	{"runtime.sigtramp", ROLE_SIGNAL},
	{"runtime.cgoSigtramp", ROLE_SIGNAL},
	{"runtime.sigpanic", ROLE_INJECTED},
	{"runtime.asyncPreempt", ROLE_INJECTED},
	{"runtime.debugCallV2", ROLE_INJECTED},
	{"runtime.fatalpanic", ROLE_CRASH},
	{"runtime.fatalthrow", ROLE_CRASH},
	// These write sp, but keep both stacks walkable (traceback.go, FuncFlagSPWrite).
	{"runtime.cgocallback", ROLE_CALLBACK},
	{"runtime.systemstack_switch", ROLE_NORMAL},
};

static enum frame_role role_of(const struct pcln_func *func)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(func->name, roles[i].name))
			return roles[i].role;
	if (func->flags & FUNC_FLAG_TOP_FRAME)
		return ROLE_BOTTOM;
	return func->flags & FUNC_FLAG_SP_WRITE ? ROLE_UNKNOWABLE : ROLE_NORMAL;
}

static struct frame *add_frames(struct frame_table *table, size_t count)
{
	struct frame *grown = arena_grow(table->rt->arena, table->frames, &table->frame_capacity,
		table->frame_count + count, sizeof(*grown));

	if (!grown)
		return NULL;
	table->frames = grown;
	table->frame_count += count;
	return &grown[table->frame_count - count];
}

static bool expand(struct frame_table *table, const struct pcln_func *func, target_addr pc,
	target_addr line_pc, struct code_place *place)
{
	struct pcln_frame logical[MAX_INLINE_DEPTH];
	size_t count = pclntab_expand(
		modules_functions(table->rt, pc), func, line_pc, logical, MAX_INLINE_DEPTH);
	struct frame *frames = add_frames(table, count);

	if (!frames)
		return false;
	place->first_frame = (uint32_t)(frames - table->frames);
	place->frame_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct frame){
			.function = logical[i].function,
			.file = logical[i].file,
			.line = logical[i].line,
			.start_line = logical[i].start_line,
			.pc = pc,
			.entry = func->entry,
			.id = logical[i].id,
			.is_inlined = logical[i].is_inlined,
		};
	return true;
}

/**
 * The stack maps hold at calls only (stkframe.go getStackMap): an instruction at which a signal
 * stopped the function has none. Where the table has no index, the first map is the function's own.
 */
static void find_stack_maps(const struct pclntab *functions, const struct pcln_func *func,
	target_addr pc, bool is_exact, struct code_place *place)
{
	int32_t index = pclntab_pcdata(functions, func, PCDATA_STACK_MAP_INDEX, pc);

	place->map_index = NO_STACK_MAP;
	if (is_exact)
		return;
	place->map_index = index < 0 ? 0 : index;
	place->local_maps = pclntab_funcdata(functions, func, FUNCDATA_LOCALS_POINTER_MAPS);
	place->stack_objects = pclntab_funcdata(functions, func, FUNCDATA_STACK_OBJECTS);
	// Of unknown size: reflect's stubs, whose maps lie in the value that they call.
	if (func->arguments_size > 0)
		place->argument_maps =
			pclntab_funcdata(functions, func, FUNCDATA_ARGS_POINTER_MAPS);
}

static uint32_t add_place(struct frame_table *table, target_addr pc, bool is_exact)
{
	const struct module *module = modules_of_code(table->rt, pc);
	const struct pclntab *functions = module ? module->functions : NULL;
	struct pcln_func func;
	struct code_place *grown;
	struct code_place place = {0};
	target_addr line_pc;
	int32_t sp_delta = 0;

	if (!functions || !pclntab_find(functions, pc, &func))
		return NO_PLACE;
	// traceback.go symPC: a call is looked up at the call, not at what follows it.
	line_pc = is_exact || pc == func.entry ? pc : pc - 1;
	place.role = (uint8_t)role_of(&func);
	place.is_exact = is_exact;
	place.argument_info = pclntab_funcdata(functions, &func, FUNCDATA_ARG_INFO);
	place.live_info = pclntab_funcdata(functions, &func, FUNCDATA_ARG_LIVE_INFO);
	place.live_index = pclntab_pcdata(functions, &func, PCDATA_ARG_LIVE_INDEX, line_pc);
	place.has_frame_size = pclntab_sp_delta(functions, &func, line_pc, &sp_delta);
	place.frame_size = (int64_t)sp_delta + arch_of(table->rt->image)->pushed_by_call;
	find_stack_maps(functions, &func, line_pc, is_exact, &place);
	place.rodata = module->rodata;
	grown = arena_grow(table->rt->arena, table->places, &table->place_capacity,
		table->place_count + 1, sizeof(*grown));
	if (!grown || !expand(table, &func, pc, line_pc, &place))
		return NO_PLACE;
	table->places = grown;
	grown[table->place_count] = place;
	return (uint32_t)table->place_count++;
}

uint32_t frame_table_add(
	struct frame_table *table, enum frame_role role, const struct frame *frames, size_t count)
{
	struct code_place *grown = arena_grow(table->rt->arena, table->places, &table->place_capacity,
		table->place_count + 1, sizeof(*grown));
	struct frame *added;

	if (!grown)
		return NO_PLACE;
	table->places = grown;
	added = add_frames(table, count);
	if (!added)
		return NO_PLACE;
	memcpy(added, frames, count * sizeof(*added));
	grown[table->place_count] = (struct code_place){
		.first_frame = (uint32_t)(added - table->frames),
		.frame_count = (uint32_t)count,
		.role = (uint8_t)role,
		.map_index = NO_STACK_MAP,
	};
	return (uint32_t)table->place_count++;
}

uint32_t frame_table_place(struct frame_table *table, target_addr pc, bool is_exact)
{
	uint64_t key = pc * 2 + is_exact;
	uint64_t place;

	if (pc >> 63) // no user code lies there, and its key would be another's
		return NO_PLACE;
	if (u64map_get(&table->by_pc, key, &place))
		return (uint32_t)place;
	place = add_place(table, pc, is_exact);
	if (!u64map_put(&table->by_pc, key, place))
		return NO_PLACE;
	return (uint32_t)place;
}

bool frame_table_is_go(
	struct frame_table *table, target_addr pc, bool is_exact, const char **name_ret)
{
	uint32_t index = frame_table_place(table, pc, is_exact);
	const struct code_place *place = index == NO_PLACE ? NULL : &table->places[index];
	const struct frame *frame = place ? &table->frames[place->first_frame] : NULL;
	bool is_c = place && !place->has_frame_size && !strcmp(frame->file, "?");

	*name_ret = is_c ? frame->function : NULL;
	return place && !is_c;
}

static uint32_t add_creation(struct frame_table *table, target_addr go_pc)
{
	const struct pclntab *functions = modules_functions(table->rt, go_pc);
	struct pcln_func func;
	struct frame *frame;

	if (!functions || !pclntab_find(functions, go_pc, &func))
		return NO_FRAME;
	frame = add_frames(table, 1);
	if (!frame)
		return NO_FRAME;
	*frame = (struct frame){.function = func.name,
		.start_line = func.start_line,
		.pc = go_pc,
		.entry = func.entry,
		.id = func.id};
	pclntab_line(functions, &func, go_pc > func.entry ? go_pc - 1 : go_pc, &frame->file,
		&frame->line);
	return (uint32_t)(frame - table->frames);
}

uint32_t frame_table_creation(struct frame_table *table, target_addr go_pc)
{
	uint64_t frame;

	if (!go_pc)
		return NO_FRAME;
	if (u64map_get(&table->by_creation, go_pc, &frame))
		return (uint32_t)frame;
	frame = add_creation(table, go_pc);
	if (!u64map_put(&table->by_creation, go_pc, frame))
		return NO_FRAME;
	return (uint32_t)frame;
}
