// The modules of a process: the executable's own and one for each plugin that was opened. Each has
// its function table and its types. Mirrors runtime/symtab.go (moduledata.next, findmoduledatap,
// go1.18 to go1.27).
#ifndef CORESNAP_ANALYZER_RUNTIME_MODULES_H
#define CORESNAP_ANALYZER_RUNTIME_MODULES_H

#include "analyzer/binary/pclntab.h"
#include "analyzer/core/image.h"

struct runtime;

struct module {
	struct pclntab *functions; // NULL: neither in the core nor in a file that was given
	target_addr types, etypes; // its type data lies here
	target_addr rodata;        // pointer masks of stack objects count from here
	target_addr address;       // of its moduledata
	target_addr text, gofunc;  // where its code starts; the base of its functions' data
	const char *why;           // where functions is NULL
};

/**
 * Reads the list that begins with VAR_FIRST_MODULE into rt->modules. The first must be readable:
 * else its status, with one line in rt->diag. Of the others each may be without functions. May be
 * called again when the image has more.
 */
CS_MUST_USE enum cs_status modules_load(struct runtime *rt);

/** Whether the image holds the module's function table and its functions' data. */
bool module_is_whole(const struct runtime *rt, const struct module *module);

/** Notes the modules without functions in rt->diag. */
void modules_report(const struct runtime *rt);

/** The function table of the module whose code holds `pc`; NULL where none does. */
const struct pclntab *modules_functions(const struct runtime *rt, target_addr pc);

/** The function that holds `pc`, of whichever module; false where none does. */
bool modules_find_function(const struct runtime *rt, target_addr pc, struct pcln_func *ret);

/** The module whose code holds `pc`; NULL where none does. */
const struct module *modules_of_code(const struct runtime *rt, target_addr pc);

/** The module whose types hold `address`; NULL where none does. */
const struct module *modules_of_type(const struct runtime *rt, target_addr address);

#endif
