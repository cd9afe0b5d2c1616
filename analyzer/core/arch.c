// Sources: arch/x86/include/asm/user_64.h and arch/arm64/include/uapi/asm/ptrace.h (registers),
// asm/sigcontext.h and kernel/signal.c of both (signal frames), internal/goarch and
// runtime/signal_arm64.go pushCall of go1.27 (Go's own; unchanged since 1.18).
#include "analyzer/core/arch.h"

#include <assert.h>

static const char *const amd64_names[] = {"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
	"r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", NULL, "cs", "eflags", NULL, "ss",
	"fs_base", "gs_base", "ds", "es", "fs", "gs"};

static const char *const arm64_names[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
	"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", NULL, NULL, "pstate"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT(arm64_names) <= IMAGE_REGS_MAX && COUNT(amd64_names) <= IMAGE_REGS_MAX,
	"a place for each register in an image");

static const struct arch facts[] = {
	[ARCH_AMD64] =
		{
			.name = "amd64",
			.register_count = COUNT(amd64_names),
			.names = amd64_names,
			.pc = 16,
			.sp = 19,
			.g = 1, // r14
			.lr = NO_REGISTER,
			.tls = 21, // fs_base
			.pushed_by_call = 8,
			// The handler's return address (pretcode), then the ucontext, then siginfo.
			.context = 0,
			.context_pc = 168,
			.context_sp = 160,
			.context_info = 304, // sizeof(struct ucontext) of the kernel, not glibc's
		},
	[ARCH_ARM64] =
		{
			.name = "arm64",
			.register_count = COUNT(arm64_names),
			.names = arm64_names,
			.pc = 32,
			.sp = 31,
			.g = 28,
			.lr = 30,
			.tls = NO_REGISTER, // TPIDR has a note of its own, NT_ARM_TLS
			.has_link_register = true,
			.minimum_frame = 8,
			.pushed_by_inject = 16,
			// siginfo, then the ucontext.
			.context = 128,
			.context_pc = 440,
			.context_sp = 432,
			.context_lr = 424,
			.context_info = -128,
			// mov x8, #139; svc #0: the kernel's vdso (sigreturn.S), qemu's page, musl
			.sigreturn = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4},
			.sigreturn_size = 8,
		},
};

const struct arch *arch_facts(enum image_arch arch)
{
	return &facts[arch];
}

const struct arch *arch_of(const struct image *image)
{
	return &facts[image_arch(image)];
}

static uint64_t register_at(const struct image_regs *regs, uint32_t index)
{
	return index == NO_REGISTER ? 0 : regs->raw[index];
}

void arch_name_registers(const struct arch *arch, struct image_regs *regs)
{
	regs->pc = register_at(regs, arch->pc);
	regs->sp = register_at(regs, arch->sp);
	regs->lr = register_at(regs, arch->lr);
	regs->g = register_at(regs, arch->g);
	regs->tls = register_at(regs, arch->tls);
}
