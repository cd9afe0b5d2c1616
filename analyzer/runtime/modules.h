// The modules of a process: the executable's own and one for each plugin that was opened. Each has
// its function table and its types. Mirrors runtime/symtab.go (moduledata.next, findmoduledatap,
// go1.18 to go1.27).
#ifndef CORESNAP_ANALYZER_RUNTIME_MODULES_H
#define CORESNAP_ANALYZER_RUNTIME_MODULES_H

#include "analyzer/binary/pclntab.h"
#include "analyzer/core/image.h"

struct runtime;

struct module {
	struct pclntab *functions;
	target_addr types, etypes; // its type data lies here
};

/**
 * Reads the list that begins with VAR_FIRST_MODULE into rt->modules. The first must be readable:
 * else its status, with one line in rt->diag. Of the others what is not is left out and noted.
 */
CS_MUST_USE enum cs_status modules_load(struct runtime *rt);

/** The function table of the module whose code holds `pc`; NULL where none does. */
const struct pclntab *modules_functions(const struct runtime *rt, target_addr pc);

/** The function that holds `pc`, of whichever module; false where none does. */
bool modules_find_function(const struct runtime *rt, target_addr pc, struct pcln_func *ret);

/** The module whose types hold `address`; NULL where none does. */
const struct module *modules_of_type(const struct runtime *rt, target_addr address);

#endif
