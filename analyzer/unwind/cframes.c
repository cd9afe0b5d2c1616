#include "analyzer/unwind/cframes.h"

#include "analyzer/core/arch.h"
#include "common/limits.h"

#include <string.h>

#define WRAPPER_PREFIX "_cgo_" // cmd/cgo/out.go: "_cgo_<hash>_Cfunc_name"

void cframes_init(struct cframes *c, struct frame_table *table, struct binary *executable,
	const char *path, struct file_source source)
{
	*c = (struct cframes){
		.table = table,
		.steps_left = MAX_C_STEPS,
		.symbol_steps_left = MAX_SYMBOL_STEPS,
		.lines_left = MAX_LINE_LOOKUPS,
	};
	objects_init(&c->objects, table->rt, executable, path, source);
	u64map_init(&c->by_pc, table->rt->arena);
}

void cframes_close(struct cframes *c)
{
	objects_close(&c->objects);
}

static void set_symbol(struct cframes *c, const struct loaded_object *loaded, target_addr address,
	struct frame *frame)
{
	struct elf_symbol symbol;
	const char *name;

	if (!loaded->object || !elf_object_symbol(loaded->object, address - loaded->bias,
				       &c->symbol_steps_left, &symbol))
		return;
	name = arena_copy(
		c->table->rt->arena, symbol.name, strnlen(symbol.name, MAX_SYMBOL_LENGTH));
	if (!name)
		return;
	frame->function = name;
	frame->entry = symbol.address + loaded->bias;
}

/** The frames of one pc: one for each function inlined there, and the one that ELF knows. */
static uint32_t add_place(
	struct cframes *c, const struct loaded_object *loaded, const struct cfi_registers *at)
{
	target_addr address = at->pc - !at->is_exact;
	struct elf_line lines[MAX_C_INLINE_DEPTH];
	struct frame frames[MAX_C_INLINE_DEPTH];
	size_t count = 0;
	const char *name;

	if (loaded && loaded->object && c->lines_left) {
		c->lines_left--;
		count = elf_object_lines(loaded->object, c->table->rt->arena,
			address - loaded->bias, lines, MAX_C_INLINE_DEPTH);
	}
	if (!count)
		lines[count++] = (struct elf_line){0};
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct frame){.function = lines[i].function ? lines[i].function : "",
			.file = lines[i].file,
			.line = lines[i].file ? lines[i].line : 0,
			.pc = at->pc,
			.is_inlined = lines[i].is_inlined,
			.object = loaded ? loaded->path : ""};
	if (loaded)
		set_symbol(c, loaded, address, &frames[count - 1]);
	// What Go's linker put into the executable it also names best.
	if (!frame_table_is_go(c->table, at->pc, at->is_exact, &name) && name)
		frames[count - 1].function = name;
	for (size_t i = 0; i < count; i++)
		frames[i].entry = frames[count - 1].entry;
	return frame_table_add(c->table, ROLE_C, frames, count);
}

/** The place of a pc in C, and the object that it is in, NULL for none. */
static uint32_t place_of(
	struct cframes *c, const struct cfi_registers *at, const struct loaded_object **loaded_ret)
{
	uint64_t key = at->pc * 2 + at->is_exact, value;
	const struct loaded_object *loaded;
	uint32_t place;

	*loaded_ret = NULL;
	if (at->pc >> 63)
		return NO_PLACE;
	if (u64map_get(&c->by_pc, key, &value)) {
		uint32_t index = (uint32_t)value;

		*loaded_ret = index ? &c->objects.list[index - 1] : NULL;
		return (uint32_t)(value >> 32);
	}
	loaded = objects_at(&c->objects, at->pc - !at->is_exact);
	place = add_place(c, loaded, at);
	value = (uint64_t)place << 32 | (loaded ? (uint64_t)(loaded - c->objects.list) + 1 : 0);
	if (place == NO_PLACE || !u64map_put(&c->by_pc, key, value))
		return NO_PLACE;
	*loaded_ret = loaded;
	return place;
}

static bool is_go(struct frame_table *table, const struct cfi_registers *at)
{
	const char *name;

	return frame_table_is_go(table, at->pc, at->is_exact, &name);
}

/**
 * Whether it stands where a signal handler returns to, in code that no table describes (the vdso's
 * own for arm64 was taken away in linux 5.10: it left the interrupted function out).
 */
static bool is_sigreturn(const struct image *image, const struct cfi_registers *at)
{
	const struct arch *arch = arch_of(image);
	uint8_t code[sizeof(arch->sigreturn)];

	return arch->sigreturn_size &&
	       image_read(image, at->pc, code, arch->sigreturn_size) == CS_OK &&
	       !memcmp(code, arch->sigreturn, arch->sigreturn_size);
}

/** Moves to the caller. A stack only grows outwards, but for a signal's other stack. */
static bool step(struct cframes *c, const struct loaded_object *loaded, struct c_stack *stack,
	uint64_t steps)
{
	const struct image *image = c->table->rt->image;
	struct cfi_registers caller;
	target_addr sp = cfi_sp(image_arch(image), &stack->at), next;
	enum cfi_step how;

	if (is_sigreturn(image, &stack->at)) {
		stack->end = C_UNREADABLE;
		return cfi_of_context(image, sp + (uint64_t)arch_of(image)->context, &stack->at);
	}
	if (!loaded || !loaded->object) {
		stack->end = loaded ? C_NO_OBJECT : C_UNKNOWN_PC;
		// A call through a bad pointer: the call itself has been made.
		if (loaded || !stack->at.is_exact || !cfi_return(image, &stack->at, &caller) ||
			(!is_go(c->table, &caller) && !cframes_has_code(c, caller.pc - 1)))
			return false;
		stack->at = caller;
		return true;
	}
	how = elf_object_step(loaded->object, loaded->bias, image, &stack->at, &caller);
	stack->end = how == CFI_OUTERMOST ? C_OUTERMOST
		     : how == CFI_NO_RULE ? C_NO_RULE
					  : C_UNREADABLE;
	if (how != CFI_STEPPED)
		return false;
	next = cfi_sp(image_arch(image), &caller);
	if (!caller.is_exact && (next < sp || (next == sp && steps))) {
		stack->end = C_NO_RULE;
		return false;
	}
	stack->at = caller;
	return true;
}

bool cframes_has_code(struct cframes *c, target_addr pc)
{
	const struct loaded_object *loaded = objects_at(&c->objects, pc);

	return loaded && (!loaded->object || elf_object_is_code(loaded->object, pc - loaded->bias));
}

static bool is_wrapper(const struct cframes *c, const struct walk *walk)
{
	const struct code_place *place = &c->table->places[walk->places[walk->count - 1]];
	uint32_t last = place->first_frame + place->frame_count - 1;
	const char *name = c->table->frames[last].function;

	return !strncmp(name, WRAPPER_PREFIX, strlen(WRAPPER_PREFIX));
}

struct c_stack cframes_walk(struct cframes *c, struct cfi_registers start, struct walk *ret)
{
	enum image_arch arch = image_arch(c->table->rt->image);
	struct c_stack stack = {.end = C_TOO_LONG, .at = start};
	const struct loaded_object *loaded;
	uint64_t steps = 0;

	walk_begin(ret);
	for (;;) {
		uint32_t place;

		if (is_go(c->table, &stack.at)) {
			stack.end = C_REACHED_GO;
			break;
		}
		// Nothing called it: a pc before it may be in another function, or in none.
		stack.at.is_exact |= is_sigreturn(c->table->rt->image, &stack.at);
		place = place_of(c, &stack.at, &loaded);
		if (place == NO_PLACE) {
			stack.end = C_UNKNOWN_PC;
			break;
		}
		if (steps >= MAX_UNWIND_STEPS || !c->steps_left) {
			stack.end = C_TOO_LONG;
			break;
		}
		c->steps_left--;
		walk_push(ret, steps++, place, cfi_sp(arch, &stack.at));
		ret->frames_total += c->table->places[place].frame_count;
		if (!step(c, loaded, &stack, steps - 1))
			break;
	}
	walk_finish(ret, steps);
	stack.is_called_by_go = ret->count && is_wrapper(c, ret);
	return stack;
}

void cframes_report(const struct cframes *c, struct diag *diag)
{
	if (c->objects.missing)
		diag_add(diag, DIAG_WARNING, "missing-library",
			"frames of C code are missing, because these files cannot be used: %s",
			c->objects.missing);
}
