#include "analyzer/values/known_registers.h"

#include <string.h>

#define WORD 8
#define FIRST_XMM 17
#define XMM_COUNT 16

// The kernel's ucontext (arch/x86/include/uapi/asm/sigcontext.h, sigcontext_64)
#define UCONTEXT_REGISTERS 40
#define UCONTEXT_FPSTATE 224
#define FPSTATE_XMM 160

/* The order of its general registers, as DWARF numbers: r8 … r15, di, si, bp, bx, dx, ax, cx, sp.
 */
static const uint8_t ucontext_order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};

/* What asyncPreempt stores from its stack pointer on, the same in go1.18 to go1.27
 * (runtime/preempt_amd64.s): ax, cx, dx, bx, si, di, r8 … r15. */
static const uint8_t preempt_order[] = {0, 2, 1, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
#define PREEMPT_XMM 112 // then X0 …, until go1.25; since then elsewhere, and the frame is smaller
#define PREEMPT_XMM_FRAME 368

/* The order of elf_gregset_t (arch/x86/include/asm/user_64.h): r15 … r12, bp, bx, r11 … r8, ax, cx,
 * dx, si, di, orig_ax, ip, cs, flags, sp. 255: none of DWARF's. */
static const uint8_t thread_order[] = {
	15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, 255, 16, 255, 255, 7};

static void set(struct known_registers *registers, uint32_t number, uint64_t value)
{
	registers->values[number] = value;
	registers->mask |= UINT64_C(1) << number;
}

/* Registers that lie one behind the other at `address`. */
static void load_block(const struct image *image, target_addr address, const uint8_t *order,
	size_t count, struct known_registers *ret)
{
	uint64_t value;

	for (size_t i = 0; i < count; i++)
		if (image_read_u64(image, address + i * WORD, &value) == CS_OK)
			set(ret, order[i], value);
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
	uint64_t state;

	load_block(
		image, context + UCONTEXT_REGISTERS, ucontext_order, sizeof(ucontext_order), ret);
	if (image_read_u64(image, context + UCONTEXT_FPSTATE, &state) == CS_OK && state)
		load_xmm(image, state + FPSTATE_XMM, ret);
}

static void load_thread(const struct image_regs *regs, struct known_registers *ret)
{
	for (size_t i = 0; i < sizeof(thread_order) && i < regs->count; i++)
		if (thread_order[i] != 255)
			set(ret, thread_order[i], regs->raw[i]);
}

static void load_preempted(const struct image *image, const struct code_place *preempt,
	target_addr sp, struct known_registers *ret)
{
	load_block(image, sp, preempt_order, sizeof(preempt_order), ret);
	if (preempt->sp_delta >= PREEMPT_XMM_FRAME)
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
	for (uint32_t i = state->stop_count; i-- > 0;) {
		if (!stood_at(&state->stops[i], pc, sp))
			continue;
		if (i)
			load_context(image, state->contexts[i], ret);
		else
			load_thread(&state->thread->regs, ret);
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
