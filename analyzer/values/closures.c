#include "analyzer/values/closures.h"

#include "common/limits.h"

#include <stdlib.h>

#define WORD 8

static int compare_fields(const void *a, const void *b)
{
	const struct type_field *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* A variable that the function captured; by reference where it is escaped. */
static bool load_field(
	struct variable_plans *plans, const struct dwarf_variable *variable, struct type_field *ret)
{
	Dwarf_Die type = variable->type;

	*ret = (struct type_field){.name = variable->name,
		.type = dwarf_types_get(&plans->dwarf_types, &type),
		.offset = (uint64_t)variable->closure_offset};
	// Behind the function's own word, and within what an object of the kind can be.
	return ret->type && ret->offset >= WORD && ret->offset <= MAX_CLOSURE_SIZE;
}

/* Which of the fields are variables that the closure and its maker share: "&x". */
static uint64_t find_references(
	const struct dwarf_scope *scope, const struct closure_layout *layout)
{
	uint64_t references = 0;

	for (uint32_t i = 0; i < scope->count; i++)
		for (uint32_t k = 0; k < layout->count && k < 64; k++)
			if (scope->variables[i].is_escaped &&
				scope->variables[i].closure_offset ==
					(int64_t)layout->fields[k].offset)
				references |= UINT64_C(1) << k;
	return references;
}

static struct closure_layout load_layout(struct variable_plans *plans, target_addr entry)
{
	struct closure_layout layout = {0};
	struct type_field *fields;
	const struct dwarf_scope *scope = &plans->scopes->list[0];

	if (!dwarf_scopes_at(&plans->units, entry - plans->frames->rt->bias, plans->scopes))
		return layout;
	fields = arena_array(plans->dwarf->arena, scope->count, sizeof(*fields));
	for (uint32_t i = 0; fields && i < scope->count; i++)
		if (scope->variables[i].closure_offset >= 0 &&
			load_field(plans, &scope->variables[i], &fields[layout.count]))
			layout.count++;
	if (layout.count > 1)
		qsort(fields, layout.count, sizeof(*fields), compare_fields);
	layout.fields = fields;
	layout.references = find_references(scope, &layout);
	return layout;
}

static struct closure_layout layout_of(void *context, target_addr entry)
{
	static const struct closure_layout none;
	struct closures *closures = context;
	struct closure_layout *layout;
	uint64_t known;

	if (u64map_get(&closures->by_entry, entry, &known))
		return *(const struct closure_layout *)(uintptr_t)known;
	layout = arena_alloc(closures->plans->dwarf->arena, sizeof(*layout));
	if (!layout)
		return none;
	if (closures->by_entry.count < MAX_VARIABLE_PLANS)
		*layout = load_layout(closures->plans, entry);
	return u64map_put(&closures->by_entry, entry, (uintptr_t)layout) ? *layout : none;
}

void closures_init(struct closures *ret, struct variable_plans *plans, struct value_reader *reader)
{
	*ret = (struct closures){.plans = plans};
	u64map_init(&ret->by_entry, plans->dwarf->arena);
	reader->closure_layout = layout_of;
	reader->closure_context = ret;
}
