#include "analyzer/runtime/modules.h"

#include "analyzer/runtime/runtime.h"
#include "common/limits.h"

static enum cs_status load_module(
	const struct runtime *rt, struct object module, struct diag *diag, struct module *ret)
{
	ret->types = object_get(rt, module, MODULE_TYPES);
	ret->etypes = object_get(rt, module, MODULE_ETYPES);
	return pclntab_load(rt->image, object_get(rt, module, MODULE_PCHEADER), 0,
		object_get(rt, module, MODULE_TEXT), object_get(rt, module, MODULE_GOFUNC),
		rt->arena, diag, &ret->functions);
}

/** Plugins' modules, behind the first: newest last (plugin.go lastmoduleinit). */
static enum cs_status load_others(struct runtime *rt, target_addr at)
{
	struct diag scratch; // what is said of one of them ends no analysis

	diag_init(&scratch, rt->arena);
	for (size_t steps = 0; at; steps++) {
		struct object module = object_load(rt, at, OBJECT_MODULE);
		enum cs_status status = CS_FAULT;

		if (steps == MAX_PROCESS_MODULES - 1) {
			diag_add(rt->diag, DIAG_WARNING, "limit",
				"the list of modules is longer than any program's: the rest was "
				"not read");
			return CS_OK;
		}
		if (module.bytes)
			status = load_module(rt, module, &scratch, &rt->modules[rt->module_count]);
		if (status == CS_NO_MEMORY)
			return status;
		if (status == CS_OK)
			rt->module_count++;
		else
			diag_add(rt->diag, DIAG_WARNING, "module-unreadable",
				"the functions of a plugin are not known (module at 0x%llx): %s",
				(unsigned long long)at,
				scratch.fatal ? scratch.fatal : "it is not in the core");
		at = module.bytes ? object_get(rt, module, MODULE_NEXT) : 0;
	}
	return CS_OK;
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

const struct pclntab *modules_functions(const struct runtime *rt, target_addr pc)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		const struct pclntab *functions = rt->modules[i].functions;

		if (pc >= pclntab_start(functions) && pc < pclntab_end(functions))
			return functions;
	}
	return NULL;
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
