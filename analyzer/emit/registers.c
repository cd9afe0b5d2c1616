#include "analyzer/emit/registers.h"

#include <assert.h>

// NULL: written as pc or sp already.
static const char *const amd64_names[] = {"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
	"r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", NULL, "cs", "eflags", NULL, "ss",
	"fs_base", "gs_base", "ds", "es", "fs", "gs"};

static const char *const arm64_names[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
	"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", NULL, NULL, "pstate"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT(arm64_names) <= IMAGE_REGS_MAX && COUNT(amd64_names) <= IMAGE_REGS_MAX,
	"a name for each register that an image can hold");

void registers_write(struct json_writer *w, enum image_arch arch, const struct image_regs *regs)
{
	const char *const *names = arch == ARCH_AMD64 ? amd64_names : arm64_names;
	size_t count = arch == ARCH_AMD64 ? COUNT(amd64_names) : COUNT(arm64_names);

	jsonw_begin_object(w);
	jsonw_member_address(w, "pc", regs->pc);
	jsonw_member_address(w, "sp", regs->sp);
	for (size_t i = 0; i < count && i < regs->count; i++)
		if (names[i])
			jsonw_member_address(w, names[i], regs->raw[i]);
	jsonw_end_object(w);
}
