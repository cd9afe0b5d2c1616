#include "analyzer/emit/registers.h"

#include "analyzer/core/arch.h"

void registers_write(struct json_writer *w, enum image_arch arch, const struct image_regs *regs)
{
	const struct arch *facts = arch_facts(arch);

	jsonw_begin_object(w);
	jsonw_member_address(w, "pc", regs->pc);
	jsonw_member_address(w, "sp", regs->sp);
	for (size_t i = 0; i < facts->register_count && i < regs->count; i++)
		if (facts->names[i]) // pc and sp are written already
			jsonw_member_address(w, facts->names[i], regs->raw[i]);
	jsonw_end_object(w);
}
