// Sources: arch/x86/include/asm/user_64.h and arch/arm64/include/uapi/asm/ptrace.h (registers),
// uapi/asm/sigcontext.h and kernel/signal.c of both (signal frames), internal/goarch and
// runtime/signal_arm64.go pushCall of go1.27 (Go's own; unchanged since 1.18).
#include "analyzer/core/arch.h"

#include <assert.h>

static const char *const amd64_names[] = {"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
	"r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", NULL, "cs", "eflags", NULL, "ss",
	"fs_base", "gs_base", "ds", "es", "fs", "gs"};

static const char *const arm64_names[] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
	"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", NULL, NULL, "pstate"};

// System V ABI for AMD64, figure 3.36; DWARF for the Arm 64-bit Architecture, section 4.1.
static const struct arch_register amd64_dwarf[] = {{10, 144}, {12, 136}, {11, 152}, {5, 128},
	{13, 104}, {14, 112}, {4, 120}, {19, 160}, {9, 40}, {8, 48}, {7, 56}, {6, 64}, {3, 72},
	{2, 80}, {1, 88}, {0, 96}, {16, 168}};
static const struct arch_register arm64_dwarf[] = {{0, 184}, {1, 192}, {2, 200}, {3, 208}, {4, 216},
	{5, 224}, {6, 232}, {7, 240}, {8, 248}, {9, 256}, {10, 264}, {11, 272}, {12, 280},
	{13, 288}, {14, 296}, {15, 304}, {16, 312}, {17, 320}, {18, 328}, {19, 336}, {20, 344},
	{21, 352}, {22, 360}, {23, 368}, {24, 376}, {25, 384}, {26, 392}, {27, 400}, {28, 408},
	{29, 416}, {30, 424}, {31, 432}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT(arm64_names) <= IMAGE_REGS_MAX && COUNT(amd64_names) <= IMAGE_REGS_MAX,
	"a place for each register in an image");

static const struct arch facts[] = {
	[ARCH_AMD64] =
		{
			.name = "amd64",
			.register_count = COUNT(amd64_names),
			.names = amd64_names,
			.dwarf = amd64_dwarf,
			.dwarf_count = COUNT(amd64_dwarf),
			.dwarf_sp = 7,
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
			.dwarf = arm64_dwarf,
			.dwarf_count = COUNT(arm64_dwarf),
			.dwarf_sp = 31,
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
