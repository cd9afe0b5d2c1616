#include "analyzer/values/known_registers.h"

#include "analyzer/binary/instruction.h"
#include "analyzer/core/arch.h"

#include <string.h>

#define WORD 8

/** Vector registers that lie one behind the other. */
struct vectors {
	uint32_t first, count; // by DWARF's numbers
	uint32_t offset, stride;
};

/** Where the registers of an interrupted frame lie that core/arch.h does not tell. */
struct places {
	int32_t state_pointer; // in the ucontext: to what context_vectors count from; -1:
			       // they count from the ucontext
	struct vectors context_vectors;
	const uint8_t *preempt; // what asyncPreempt stores from its stack pointer on
	size_t preempt_count;
	uint32_t preempt_offset;
	struct vectors preempt_vectors; // until 1.25, where the frame is as large as this asks for
	struct vectors saved_vectors;   // since 1.26, from g.xRegs.state on (preempt_xreg.go)
};

/* runtime/preempt_amd64.s, the same in go1.18 to go1.27: ax, cx, dx, bx, si, di, r8 … r15. */
static const uint8_t amd64_preempt[] = {AMD64_RAX, AMD64_RCX, AMD64_RDX, AMD64_RBX, AMD64_RSI,
	AMD64_RDI, AMD64_R8, AMD64_R9, AMD64_R10, AMD64_R11, AMD64_R12, AMD64_R13, AMD64_R14,
	AMD64_R15};

/* runtime/preempt_arm64.s, the same in go1.18 to go1.27: r0 … r17, r19 … r26. */
static const uint8_t arm64_preempt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	17, 19, 20, 21, 22, 23, 24, 25, 26};

static const struct places all_places[] = {
	[ARCH_AMD64] = {.state_pointer = 224, // fpstate
		.context_vectors = {17, 16, 160, 16},
		.preempt = amd64_preempt,
		.preempt_count = sizeof(amd64_preempt),
		.preempt_vectors = {17, 16, 112, 16},
		.saved_vectors = {17, 16, 0, 64}},
	[ARCH_ARM64] = {.state_pointer = -1,
		// The first record behind the registers is the fpsimd_context: its head, fpsr and
		// fpcr, then v0 … v31.
		.context_vectors = {64, 32, 464 + 16, 16},
		.preempt = arm64_preempt,
		.preempt_count = sizeof(arm64_preempt),
		.preempt_offset = 8,
		.preempt_vectors = {64, 32, 232, 8},
		.saved_vectors = {64, 32, 0, 16}},
};

#define FPSIMD_RECORD 464 // in arm64's ucontext
#define FPSIMD_MAGIC 0x46508001

static void set(struct known_registers *registers, uint32_t number, uint64_t value)
{
	if (number >= KNOWN_VECTORS) {
		registers->vectors[number - KNOWN_VECTORS] = value;
		registers->vector_mask |= UINT32_C(1) << (number - KNOWN_VECTORS);
		return;
	}
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

/* The low halves of vector registers, which lie from `address` on. */
static void load_vectors(const struct image *image, target_addr address,
	const struct vectors *vectors, struct known_registers *ret)
{
	uint64_t value;

	for (uint32_t i = 0; i < vectors->count; i++)
		if (image_read_u64(image, address + vectors->offset + (uint64_t)i * vectors->stride,
			    &value) == CS_OK)
			set(ret, vectors->first + i, value);
}

/* Whether the vectors of a ucontext lie where they should; *base is what they count from. */
static bool find_context_vectors(const struct image *image, const struct places *places,
	target_addr context, target_addr *base)
{
	uint32_t magic;

	if (places->state_pointer >= 0)
		return image_read_u64(image, context + (uint64_t)places->state_pointer, base) ==
			       CS_OK &&
		       *base;
	*base = context;
	return image_read_u32(image, context + FPSIMD_RECORD, &magic) == CS_OK &&
	       magic == FPSIMD_MAGIC;
}

static void load_context(
	const struct image *image, target_addr context, struct known_registers *ret)
{
	const struct arch *arch = arch_of(image);
	const struct places *places = &all_places[image_arch(image)];
	target_addr base;
	uint64_t value;

	for (uint32_t i = 0; i < arch->dwarf_count; i++)
		if (image_read_u64(image, context + arch->dwarf[i].context, &value) == CS_OK)
			set(ret, i, value);
	if (find_context_vectors(image, places, context, &base))
		load_vectors(image, base, &places->context_vectors, ret);
}

static void load_thread(
	const struct arch *arch, const struct image_regs *regs, struct known_registers *ret)
{
	for (uint32_t i = 0; i < arch->dwarf_count; i++)
		if (arch->dwarf[i].index < regs->count)
			set(ret, i, regs->raw[arch->dwarf[i].index]);
}

/* Where asyncPreempt's frame has room for the vectors they are there; since 1.26 the goroutine has
 * them until it goes on. */
static void load_preempted(const struct runtime *rt, const struct goroutine *g,
	const struct code_place *preempt, target_addr sp, struct known_registers *ret)
{
	const struct places *places = &all_places[image_arch(rt->image)];
	const struct vectors *vectors = &places->preempt_vectors;
	struct object object;
	target_addr saved;

	load_block(rt->image, sp + places->preempt_offset, places->preempt, places->preempt_count,
		ret);
	if (preempt->frame_size >= (int64_t)vectors->offset + vectors->count * vectors->stride) {
		load_vectors(rt->image, sp, vectors, ret);
		return;
	}
	if (!layout_has(&rt->layout, G_EXTENDED_REGISTERS))
		return;
	object = object_load(rt, g->address, OBJECT_G);
	saved = object.bytes ? object_get(rt, object, G_EXTENDED_REGISTERS) : 0;
	if (saved)
		load_vectors(rt->image, saved, &places->saved_vectors, ret);
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

	ret->mask = ret->vector_mask = 0;
	if (!place->is_exact)
		return;
	if (index && index != walk->cut_at) {
		const struct code_place *callee = &frames->places[walk->places[index - 1]];
		const char *name = frames->frames[callee->first_frame].function;

		if (!strcmp(name, "runtime.asyncPreempt"))
			load_preempted(frames->rt, g, callee, walk->sps[index - 1], ret);
	}
	context = context_at(walk, pc, sp);
	if (context)
		load_context(image, context, ret);
	state = ret->mask ? NULL : thread_states_of_machine(threads, g->m);
	if (state)
		load_from_thread(image, state, pc, sp, ret);
}
