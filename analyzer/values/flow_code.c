// A function's instructions, the words of its frame that they name, and its blocks.
#include "analyzer/values/flow_internal.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

bool flow_stack_offset(
	const struct flow_function *f, uint32_t i, const struct operand *op, int64_t *ret)
{
	if (op->kind != OPERAND_MEMORY || op->reg != AMD64_RSP || op->has_index)
		return false;
	// rsp is the CFA less the return address and what the function has moved it by.
	*ret = op->value - f->deltas[i] - FLOW_WORD;
	return true;
}

uint32_t flow_slot_index(const struct flow_function *f, int64_t key)
{
	uint32_t low = 0, high = f->slot_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (f->slots[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_offsets(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static uint32_t sort_unique(int64_t *list, uint32_t count)
{
	uint32_t kept = 0;

	if (count)
		qsort(list, count, sizeof(*list), compare_offsets);
	for (uint32_t i = 0; i < count; i++)
		if (!kept || list[kept - 1] != list[i])
			list[kept++] = list[i];
	return kept;
}

/** Whether instruction `i` makes a pointer into the frame: `*ret` is its offset from the CFA. */
static bool takes_address(const struct flow_function *f, uint32_t i, int64_t *ret)
{
	const struct instruction *in = &f->instructions[i];

	if (in->to.reg == AMD64_RBP) // the frame pointer is no pointer to a variable
		return false;
	if (in->kind == INSTRUCTION_ADDRESS)
		return flow_stack_offset(f, i, &in->from, ret);
	// The lowest variable's address is the stack pointer itself.
	*ret = -f->deltas[i] - FLOW_WORD;
	return in->kind == INSTRUCTION_MOVE && in->from.kind == OPERAND_REGISTER &&
	       in->from.reg == AMD64_RSP;
}

static bool is_part(uint32_t size)
{
	return size == 1 || size == 2 || size == 4;
}

/** Every word of the frame that an instruction names, and every address of it that one takes. */
static bool find_slots(struct flow_function *f)
{
	uint32_t count = 0, exposed = 0;

	f->slots = arena_array(f->arena, 4 * (size_t)f->instruction_count, sizeof(*f->slots));
	f->exposed = arena_array(f->arena, f->instruction_count, sizeof(*f->exposed));
	if (!f->slots || !f->exposed)
		return false;
	for (uint32_t i = 0; i < f->instruction_count; i++) {
		const struct instruction *in = &f->instructions[i];
		const struct operand *ops[] = {&in->to, &in->from};
		int64_t offset;

		if (takes_address(f, i, &offset))
			f->exposed[exposed++] = offset;
		for (int k = 0; k < 2; k++) {
			if (in->kind == INSTRUCTION_ADDRESS ||
				!flow_stack_offset(f, i, ops[k], &offset))
				continue;
			if (is_part(ops[k]->size) || offset % FLOW_WORD == 0)
				f->slots[count++] = flow_slot_key(
					offset, is_part(ops[k]->size) ? ops[k]->size : FLOW_WORD);
			if (ops[k]->size == 2 * FLOW_WORD && offset % FLOW_WORD == 0)
				f->slots[count++] = flow_slot_key(offset + FLOW_WORD, FLOW_WORD);
		}
	}
	f->slot_count = sort_unique(f->slots, count);
	f->exposed_count = sort_unique(f->exposed, exposed);
	f->place_count = AMD64_REGISTERS + f->slot_count;
	return f->slot_count <= MAX_FLOW_SLOTS;
}

static uint32_t find_instruction(const struct flow_function *f, target_addr pc)
{
	uint32_t index = instructions_index(f->instructions, f->instruction_count, pc);

	return index < f->instruction_count && f->instructions[index].pc == pc ? index
									       : NO_INSTRUCTION;
}

/**
 * Calls that the code behind is not reached from. The compiler puts no trap behind them, so their
 * names must tell (cmd/compile/internal/ssagen: BlockExit, and rtcall without returns). morestack
 * enters the function again, with what it was entered with.
 */
static bool does_not_return(const struct flow_function *f, const struct instruction *in)
{
	static const char *const prefixes[] = {"runtime.morestack", "runtime.throw",
		"runtime.gopanic", "runtime.goPanic", "runtime.panicIndex", "runtime.panicSlice",
		"runtime.panicExtend", "runtime.panicBounds", "runtime.panicdivide",
		"runtime.panicshift", "runtime.panicoverflow", "runtime.panicfloat",
		"runtime.panicmem", "runtime.panicdottype", "runtime.panicnil", "runtime.panicwrap",
		"runtime.panicmakeslice", "runtime.panicunsafe", "runtime.panicrangestate",
		"runtime.fatalthrow", "runtime.fatalpanic"};
	struct pcln_func callee;

	if (in->kind != INSTRUCTION_CALL || !in->target ||
		!modules_find_function(f->frames->rt, in->target, &callee))
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(callee.name, prefixes[i], strlen(prefixes[i])))
			return true;
	return !strcmp(callee.name, "runtime.block");
}

static bool is_inside(const struct flow_function *f, target_addr pc)
{
	return pc >= f->func.entry && pc < f->func.end;
}

/** Marks where blocks begin. False where a jump leads to a place that the code does not name. */
static bool find_leaders(struct flow_function *f, bool *is_leader)
{
	uint32_t landing;

	is_leader[0] = true;
	if (f->func.deferreturn) {
		landing = find_instruction(f, f->func.entry + f->func.deferreturn);
		if (landing != NO_INSTRUCTION)
			is_leader[landing] = true;
	}
	for (uint32_t i = 0; i < f->instruction_count; i++) {
		const struct instruction *in = &f->instructions[i];
		uint32_t target;

		if (in->kind != INSTRUCTION_JUMP && in->kind != INSTRUCTION_BRANCH &&
			in->kind != INSTRUCTION_END && !does_not_return(f, in))
			continue;
		if (i + 1 < f->instruction_count)
			is_leader[i + 1] = true;
		if (in->kind == INSTRUCTION_END || in->kind == INSTRUCTION_CALL)
			continue;
		if (!in->target)
			return false;
		if (!is_inside(f, in->target))
			continue;
		target = find_instruction(f, in->target);
		if (target == NO_INSTRUCTION)
			return false;
		is_leader[target] = true;
	}
	return true;
}

static bool make_blocks(struct flow_function *f, const bool *is_leader, uint32_t *block_of)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < f->instruction_count; i++)
		count += is_leader[i];
	if (count > MAX_FLOW_BLOCKS || (uint64_t)count * f->place_count > MAX_FLOW_STATES)
		return false;
	f->blocks = arena_array(f->arena, count, sizeof(*f->blocks));
	f->states = arena_array(f->arena, (size_t)count * f->place_count, sizeof(*f->states));
	if (!f->blocks || !f->states)
		return false;
	for (uint32_t i = 0; i < f->instruction_count; i++) {
		if (is_leader[i])
			f->blocks[f->block_count++] = (struct flow_block){.first = i};
		f->blocks[f->block_count - 1].count++;
		block_of[i] = f->block_count - 1;
	}
	return true;
}

static void find_successors(struct flow_function *f, const uint32_t *block_of, uint32_t number)
{
	struct flow_block *block = &f->blocks[number];
	const struct instruction *last = &f->instructions[block->first + block->count - 1];
	uint32_t next = number + 1 < f->block_count ? number + 1 : NO_BLOCK;
	uint32_t target = NO_BLOCK;

	if ((last->kind == INSTRUCTION_JUMP || last->kind == INSTRUCTION_BRANCH) &&
		is_inside(f, last->target))
		target = block_of[find_instruction(f, last->target)];
	if (last->kind == INSTRUCTION_END || last->kind == INSTRUCTION_JUMP ||
		does_not_return(f, last))
		next = NO_BLOCK;
	block->successors[0] = next;
	block->successors[1] = target;
}

static bool link_blocks(struct flow_function *f, const uint32_t *block_of)
{
	for (uint32_t i = 0; i < f->block_count; i++) {
		find_successors(f, block_of, i);
		for (int k = 0; k < 2; k++)
			if (f->blocks[i].successors[k] != NO_BLOCK)
				f->blocks[f->blocks[i].successors[k]].predecessor_count++;
	}
	for (uint32_t i = 0; i < f->block_count; i++) {
		f->blocks[i].predecessors =
			arena_array(f->arena, f->blocks[i].predecessor_count + 1, sizeof(uint32_t));
		if (!f->blocks[i].predecessors)
			return false;
		f->blocks[i].predecessor_count = 0;
	}
	for (uint32_t i = 0; i < f->block_count; i++)
		for (int k = 0; k < 2; k++)
			if (f->blocks[i].successors[k] != NO_BLOCK) {
				struct flow_block *to = &f->blocks[f->blocks[i].successors[k]];

				to->predecessors[to->predecessor_count++] = i;
			}
	f->blocks[0].is_entry = true;
	if (f->func.deferreturn) {
		uint32_t landing = find_instruction(f, f->func.entry + f->func.deferreturn);

		if (landing != NO_INSTRUCTION)
			f->blocks[block_of[landing]].is_landing = true;
	}
	return true;
}

static bool find_blocks(struct flow_function *f)
{
	bool *is_leader = arena_array(f->arena, f->instruction_count, sizeof(*is_leader));
	uint32_t *block_of = arena_array(f->arena, f->instruction_count, sizeof(*block_of));

	return is_leader && block_of && find_leaders(f, is_leader) &&
	       make_blocks(f, is_leader, block_of) && link_blocks(f, block_of);
}

static bool load_instructions(struct flow_function *f)
{
	const struct pclntab *functions = modules_functions(f->frames->rt, f->func.entry);
	uint64_t size = f->func.end - f->func.entry;
	const uint8_t *code;
	struct arena *arena = f->arena;
	size_t max;

	if (size > MAX_FUNCTION_CODE || f->func.flags & FUNC_FLAG_ASM)
		return false;
	code = runtime_bytes(f->frames->rt, f->func.entry, size);
	max = size < MAX_FLOW_INSTRUCTIONS ? size : MAX_FLOW_INSTRUCTIONS; // of a byte at least
	f->instructions = arena_array(arena, max, sizeof(*f->instructions));
	if (!code || !f->instructions)
		return false;
	f->instruction_count =
		(uint32_t)instructions_decode(code, size, f->func.entry, f->instructions, max);
	f->deltas = arena_array(arena, f->instruction_count + 1, sizeof(*f->deltas));
	if (!f->instruction_count || !f->deltas)
		return false;
	// The padding behind a function has no row.
	for (uint32_t i = 0; i < f->instruction_count; i++)
		if (!pclntab_sp_delta(functions, &f->func, f->instructions[i].pc, &f->deltas[i]) &&
			f->instructions[i].kind != INSTRUCTION_END)
			return false;
	return true;
}

bool flow_code_load(struct flow_function *f)
{
	return load_instructions(f) && find_slots(f) && find_blocks(f);
}
