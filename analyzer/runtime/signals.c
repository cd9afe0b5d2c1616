#include "analyzer/runtime/signals.h"

#include "analyzer/core/arch.h"
#include "common/limits.h"

#include <signal.h>
#include <string.h>

// runtime.sigTabT is {flags int32, name string}.
#define SIGTAB_ENTRY 24
#define SIGTAB_NAME 8
#define SIGINFO_ADDRESS 16
#define SIGNALS_MAX 65

const char *signal_text(const struct runtime *rt, uint32_t number)
{
	target_addr table = runtime_variable(rt, VAR_SIGTABLE);
	uint64_t count = layout_size(&rt->layout, VAR_SIGTABLE) / SIGTAB_ENTRY;
	const char *text;

	if (!table || number >= count)
		return NULL;
	text = runtime_string(rt, table + number * SIGTAB_ENTRY + SIGTAB_NAME, MAX_TYPE_NAME);
	return text && *text ? text : NULL;
}

bool signal_is_fault(uint32_t number, int32_t code)
{
	bool can_fault = number == SIGSEGV || number == SIGBUS || number == SIGFPE ||
			 number == SIGILL || number == SIGTRAP;

	// Codes of the kernel are positive; SI_KERNEL (0x80) says that there is no address.
	return can_fault && code > 0;
}

bool signal_info_load(const struct runtime *rt, target_addr context, struct signal_info *ret)
{
	int32_t head[3]; // si_signo, si_errno, si_code
	target_addr info = context + (uint64_t)arch_of(rt->image)->context_info;
	target_addr address;

	if (image_read(rt->image, info, head, sizeof(head)) != CS_OK ||
		image_read_u64(rt->image, info + SIGINFO_ADDRESS, &address) != CS_OK ||
		head[0] <= 0 || head[0] >= SIGNALS_MAX)
		return false;
	*ret = (struct signal_info){.number = (uint32_t)head[0], .code = head[2]};
	ret->has_address = signal_is_fault(ret->number, ret->code);
	if (ret->has_address)
		ret->address = address;
	return true;
}
