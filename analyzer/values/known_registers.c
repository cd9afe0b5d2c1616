#include "analyzer/values/known_registers.h"

#include "analyzer/binary/instruction.h"
#include "analyzer/core/arch.h"

#include <string.h>

#define WORD 8
#define FIRST_XMM 17
#define XMM_COUNT 16

// The kernel's ucontext (arch/x86/include/uapi/asm/sigcontext.h, sigcontext_64)
#define UCONTEXT_FPSTATE 224
#define FPSTATE_XMM 160

/* What asyncPreempt stores from its stack pointer on, the same in go1.18 to go1.27
 * (runtime/preempt_amd64.s): ax, cx, dx, bx, si, di, r8 … r15. */
static const uint8_t preempt_order[] = {AMD64_RAX, AMD64_RCX, AMD64_RDX, AMD64_RBX, AMD64_RSI,
	AMD64_RDI, AMD64_R8, AMD64_R9, AMD64_R10, AMD64_R11, AMD64_R12, AMD64_R13, AMD64_R14,
	AMD64_R15};
#define PREEMPT_XMM 112 // then X0 …, until go1.25; since then elsewhere, and the frame is smaller
#define PREEMPT_XMM_FRAME 368

static void set(struct known_registers *registers, uint32_t number, uint64_t value)
{
	registers->values[number] = value;
	registers->mask |= UINT64_C(1) << number;
}

static void load_xmm(const struct image *image, target_addr address, struct known_registers *ret)
{
	uint64_t value;

	for (uint32_t i = 0; i < XMM_COUNT; i++)
		if (image_read_u64(image, address + (uint64_t)i * 16, &value) == CS_OK)
			set(ret, FIRST_XMM + i, value);
}

static void load_context(
	const struct image *image, target_addr context, struct known_registers *ret)
{
	const struct arch *arch = arch_of(image);
	uint64_t value;

	for (uint32_t i = 0; i < arch->dwarf_count; i++)
		if (image_read_u64(image, context + arch->dwarf[i].context, &value) == CS_OK)
			set(ret, i, value);
	if (image_read_u64(image, context + UCONTEXT_FPSTATE, &value) == CS_OK && value)
		load_xmm(image, value + FPSTATE_XMM, ret);
}

static void load_thread(
	const struct arch *arch, const struct image_regs *regs, struct known_registers *ret)
{
	for (uint32_t i = 0; i < arch->dwarf_count; i++)
		if (arch->dwarf[i].index < regs->count)
			set(ret, i, regs->raw[arch->dwarf[i].index]);
}

static void load_preempted(const struct image *image, const struct code_place *preempt,
	target_addr sp, struct known_registers *ret)
{
	uint64_t value;

	for (size_t i = 0; i < sizeof(preempt_order); i++)
		if (image_read_u64(image, sp + i * WORD, &value) == CS_OK)
			set(ret, preempt_order[i], value);
	if (preempt->frame_size >= PREEMPT_XMM_FRAME + 8)
		load_xmm(image, sp + PREEMPT_XMM, ret);
}

static bool stood_at(const struct position *at, target_addr pc, target_addr sp)
{
	return at->is_exact && at->pc == pc && at->sp == sp;
}

/* The ucontext that a walk went on from at this frame; 0: none. */
static target_addr context_at(const struct walk *walk, target_addr pc, target_addr sp)
{
	for (uint32_t i = 0; i < walk->signal_count; i++)
		if (stood_at(&walk->signals[i], pc, sp))
			return walk->contexts[i];
	return 0;
}

/* The thread's own registers, or those of the signal frame that its goroutine's walk began behind.
 */
static void load_from_thread(const struct image *image, const struct thread_state *state,
	target_addr pc, target_addr sp, struct known_registers *ret)
{
	for (uint32_t i = state->way.stop_count; i-- > 0;) {
		if (!stood_at(&state->way.stops[i], pc, sp))
			continue;
		if (i)
			load_context(image, state->way.contexts[i], ret);
		else
			load_thread(arch_of(image), &state->thread->regs, ret);
		return;
	}
}

void known_registers_load(const struct frame_table *frames, const struct thread_states *threads,
	const struct goroutine *g, const struct walk *walk, uint32_t index,
	struct known_registers *ret)
{
	const struct code_place *place = &frames->places[walk->places[index]];
	const struct image *image = frames->rt->image;
	target_addr pc = frames->frames[place->first_frame].pc, sp = walk->sps[index];
	const struct thread_state *state;
	target_addr context;

	ret->mask = 0;
	if (!place->is_exact || image_arch(image) != ARCH_AMD64)
		return;
	if (index && index != walk->cut_at) {
		const struct code_place *callee = &frames->places[walk->places[index - 1]];
		const char *name = frames->frames[callee->first_frame].function;

		if (!strcmp(name, "runtime.asyncPreempt"))
			load_preempted(image, callee, walk->sps[index - 1], ret);
	}
	context = context_at(walk, pc, sp);
	if (context)
		load_context(image, context, ret);
	state = ret->mask ? NULL : thread_states_of_machine(threads, g->m);
	if (state)
		load_from_thread(image, state, pc, sp, ret);
}
