// Sources, go1.18 to go1.27: runtime/asm_$arch.s (asmcgocall, cgocallback), runtime/cgo/asm_$arch.s
// and abi_$arch.h (crosscall2), sys_linux_$arch.s, race_, msan_ and asan_$arch.s.
#include "analyzer/unwind/c_arch.h"

#include "analyzer/binary/instruction.h"

#define ARM64_X19 19
#define ARM64_X20 20
#define ARM64_SP 31

// At the bottom, until go1.21 above room for four arguments.
static const struct entry_words amd64_words[] = {{8, 0}, {48, 40}, {0}};
static const struct entry_words arm64_words[] = {{0, 8}, {0}};

static const struct saved_registers amd64_registers[] = {
	{24, AMD64_RBX, 1}, {32, AMD64_R12, 4}, {64, AMD64_RBP, 1}, {0}};
static const struct saved_registers arm64_registers[] = {{32, ARM64_X19, 10}, {0}};

// go1.19; go1.18, which has the floating-point registers behind them.
static const struct saved_link arm64_links[] = {{184, 176}, {120, 112}, {0}};

static const struct keeper amd64_keepers[] = {
	{"racecall", AMD64_R12, NO_NUMBER, 0},
	{"msancall", AMD64_R12, NO_NUMBER, 0},
	{"asancall", AMD64_R12, NO_NUMBER, 0},
	{"runtime.sigfwd", AMD64_RBX, NO_NUMBER, 0},
	{"runtime.callCgoMmap", AMD64_RBX, NO_NUMBER, 0},
	{"runtime.callCgoMunmap", AMD64_RBX, NO_NUMBER, 0},
	{"runtime.nanotime1", AMD64_R12, NO_NUMBER, 0},
	{"runtime.walltime", AMD64_R12, NO_NUMBER, 0},
	{"runtime.vgetrandom1", AMD64_R12, NO_NUMBER, 0},
	{0},
};

static const struct keeper arm64_keepers[] = {
	{"racecall", ARM64_X19, ARM64_X20, 0},
	{"msancall", ARM64_X19, NO_NUMBER, 0},
	{"asancall", ARM64_X19, NO_NUMBER, 0},
	// These stay on their stack; room for C's frame pointer lies below the frame.
	{"runtime.sigfwd", ARM64_SP, NO_NUMBER, 16},
	{"runtime.callCgoMmap", ARM64_SP, NO_NUMBER, 16},
	{"runtime.callCgoMunmap", ARM64_SP, NO_NUMBER, 16},
	{"runtime.nanotime1", ARM64_X20, NO_NUMBER, 0},
	{"runtime.walltime", ARM64_X20, NO_NUMBER, 0},
	{"runtime.vgetrandom1", ARM64_X20, NO_NUMBER, 0},
	{0},
};

static const struct c_arch facts[] = {
	[ARCH_AMD64] =
		{
			.entry_words = amd64_words,
			.saved_registers = amd64_registers,
			.keepers = amd64_keepers,
			.frame_pointer = AMD64_RBP,
			.racecall_sp = AMD64_R12,
		},
	[ARCH_ARM64] =
		{
			.entry_words = arm64_words,
			.saved_registers = arm64_registers,
			.saved_links = arm64_links,
			.keepers = arm64_keepers,
			.frame_pointer = 29,
			.callback_before = 16,
			.racecall_sp = NO_NUMBER, // a call leaves no return address on m.g0
		},
};

const struct c_arch *c_arch_of(const struct image *image)
{
	return &facts[image_arch(image)];
}
