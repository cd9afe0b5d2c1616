// Logical frames at a pc: walks the inline tree of a function outwards, as inlineUnwinder in
// runtime/symtabinl.go (go1.21 to go1.27) does. PCDATA_InlTreeIndex at a pc names the row of the
// innermost call there; the row's parentPc is a pc in the code around that call, and so on until
// the index is -1: the function itself.
#include "analyzer/binary/pclntab.h"

#include "analyzer/binary/pclntab_internal.h"
#include "common/cursor.h"
#include "common/limits.h"

/* One row of the tree (runtime.inlinedCall). */
struct inlined_call {
	uint8_t id;
	uint32_t name; // offset into funcnametab
	int32_t parent_pc, start_line;
};

/* go1.20+: funcID u8, pad, nameOff, parentPc, startLine. Before: parent i16, funcID u8, pad, file,
 * line, func, parentPc (go1.18 runtime/symtab.go). */
static bool read_call(
	const struct pclntab *table, target_addr tree, int32_t index, struct inlined_call *ret)
{
	size_t size = table->has_start_lines ? 16 : 20;
	const void *bytes = image_view_bytes(table->image, tree + (uint64_t)index * size, size);
	struct cursor c = cursor_over(bytes, size);

	if (!bytes)
		return false;
	cursor_take(&c, table->has_start_lines ? 0 : 2);
	ret->id = cursor_u8(&c);
	cursor_take(&c, table->has_start_lines ? 3 : 9);
	ret->name = cursor_u32(&c);
	ret->parent_pc = (int32_t)cursor_u32(&c);
	ret->start_line = table->has_start_lines ? (int32_t)cursor_u32(&c) : 0;
	return !c.bad;
}

/* The inlined call at `pc`; false where `pc` is in the function's own code or the tree is damaged.
 */
static bool call_at(const struct pclntab *table, const struct pcln_func *func, target_addr tree,
	target_addr pc, struct inlined_call *ret)
{
	int32_t index = pclntab_pcdata(table, func, PCDATA_INLINE_INDEX, pc);

	return index >= 0 && read_call(table, tree, index, ret);
}

size_t pclntab_expand(const struct pclntab *table, const struct pcln_func *func, target_addr pc,
	struct pcln_frame *ret, size_t max)
{
	target_addr tree = pclntab_funcdata(table, func, FUNCDATA_INLINE_TREE);
	struct inlined_call call;
	size_t count = 0;

	if (!max)
		return 0;
	// The last row is kept for the function itself, however deep a damaged tree claims to be.
	while (tree && count + 1 < max && count < MAX_INLINE_DEPTH &&
		call_at(table, func, tree, pc, &call)) {
		const char *name = pcln_string(&table->names, call.name);
		struct pcln_frame *frame = &ret[count];

		if (!name)
			break;
		*frame = (struct pcln_frame){.function = name,
			.start_line = call.start_line,
			.id = call.id,
			.is_inlined = true};
		pclntab_line(table, func, pc, &frame->file, &frame->line);
		pc = func->entry + (uint64_t)(int64_t)call.parent_pc;
		count++;
	}
	ret[count] = (struct pcln_frame){
		.function = func->name, .start_line = func->start_line, .id = func->id};
	pclntab_line(table, func, pc, &ret[count].file, &ret[count].line);
	return count + 1;
}
