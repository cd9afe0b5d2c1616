#include "analyzer/runtime/modules.h"

#include "analyzer/runtime/runtime.h"
#include "common/limits.h"

static enum cs_status load_module(
	const struct runtime *rt, struct object module, struct diag *diag, struct module *ret)
{
	*ret = (struct module){.types = object_get(rt, module, MODULE_TYPES),
		.etypes = object_get(rt, module, MODULE_ETYPES),
		.rodata = object_get(rt, module, MODULE_RODATA),
		.address = module.address,
		.text = object_get(rt, module, MODULE_TEXT),
		.gofunc = object_get(rt, module, MODULE_GOFUNC)};
	return pclntab_load(rt->image, object_get(rt, module, MODULE_PCHEADER), 0, ret->text,
		ret->gofunc, rt->arena, diag, &ret->functions);
}

/** Plugins' modules, behind the first: newest last (runtime/plugin.go lastmoduleinit). */
static enum cs_status load_others(struct runtime *rt, target_addr at)
{
	while (at) {
		struct object module = object_load(rt, at, OBJECT_MODULE);
		struct module *ret = &rt->modules[rt->module_count];
		struct diag scratch; // what is said of one of them ends no analysis
		enum cs_status status;

		if (!module.bytes || rt->module_count == MAX_PROCESS_MODULES) {
			diag_add(rt->diag, DIAG_WARNING, "modules-cut",
				"the list of modules could not be followed to its end: plugins may "
				"be missing");
			return CS_OK;
		}
		diag_init(&scratch, rt->arena);
		status = load_module(rt, module, &scratch, ret);
		if (status == CS_NO_MEMORY)
			return status;
		if (status != CS_OK)
			ret->functions = NULL;
		ret->why = scratch.fatal;
		rt->module_count++;
		at = object_get(rt, module, MODULE_NEXT);
	}
	return CS_OK;
}

bool module_is_whole(const struct runtime *rt, const struct module *module)
{
	struct image_view view;

	return module->functions && image_find(rt->image, module->gofunc, &view);
}

void modules_report(const struct runtime *rt)
{
	for (size_t i = 0; i < rt->module_count; i++)
		if (!rt->modules[i].functions)
			diag_add(rt->diag, DIAG_WARNING, "module-unreadable",
				"the functions of a plugin are not known: %s",
				rt->modules[i].why ? rt->modules[i].why : "its table is damaged");
}

enum cs_status modules_load(struct runtime *rt)
{
	struct object first =
		object_load(rt, runtime_variable(rt, VAR_FIRST_MODULE), OBJECT_MODULE);
	enum cs_status status;

	if (!first.bytes)
		return diag_fail(rt->diag, CS_FAULT, "no-moduledata",
			"runtime.firstmoduledata is not in the core: it is truncated too early, or "
			"the executable is not the one that crashed");
	status = load_module(rt, first, rt->diag, &rt->modules[0]);
	if (status != CS_OK)
		return status;
	rt->functions = rt->modules[0].functions;
	rt->module_count = 1;
	return load_others(rt, object_get(rt, first, MODULE_NEXT));
}

const struct module *modules_of_code(const struct runtime *rt, target_addr pc)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		const struct pclntab *functions = rt->modules[i].functions;

		if (functions && pc >= pclntab_start(functions) && pc < pclntab_end(functions))
			return &rt->modules[i];
	}
	return NULL;
}

const struct pclntab *modules_functions(const struct runtime *rt, target_addr pc)
{
	const struct module *module = modules_of_code(rt, pc);

	return module ? module->functions : NULL;
}

bool modules_find_function(const struct runtime *rt, target_addr pc, struct pcln_func *ret)
{
	const struct pclntab *functions = modules_functions(rt, pc);

	return functions && pclntab_find(functions, pc, ret);
}

const struct module *modules_of_type(const struct runtime *rt, target_addr address)
{
	for (size_t i = 0; i < rt->module_count; i++)
		if (address >= rt->modules[i].types && address < rt->modules[i].etypes)
			return &rt->modules[i];
	return NULL;
}
