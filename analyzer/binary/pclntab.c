// Go's function table, read in place. runtime/symtab.go reads it, cmd/link/internal/ld/pcln.go
// writes it (both go1.26); the header names five regions by their offsets, in this order:
//
//	header | funcnametab | cutab | filetab | pctab | functab (ftab rows, then _func records)
//	         names         unit    names     pc →    (entry u32, offset u32)…, end u32
//	                       → file  of files  value
//
// Everything a row points to is checked each time it is followed; no loop is longer than its
// region.
#include "analyzer/binary/pclntab.h"

#include "analyzer/binary/pclntab_internal.h"
#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <string.h>

#define MAGIC_1_18 0xfffffff0
#define MAGIC_1_20 0xfffffff1

#define HEADER_SIZE 72
#define FTAB_ROW_SIZE 8
#define FUNC_SIZE 40        // at least: 44 since go1.20
#define FUNC_TAIL_SIZE 1024 // of pcdata and funcdata offsets behind a _func: more than any has

/* The header, as pcHeader in runtime/symtab.go (go1.18 to go1.27). */
struct header {
	uint32_t magic;
	uint8_t quantum, pointer_size;
	uint64_t count, text;
	uint64_t names, units, files, pctab, functions; // offsets from the header
};

static uint32_t load_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static struct header read_header(const uint8_t *bytes)
{
	struct cursor c = cursor_over(bytes, HEADER_SIZE);
	struct header h = {0};

	h.magic = cursor_u32(&c);
	cursor_take(&c, 2);
	h.quantum = cursor_u8(&c);
	h.pointer_size = cursor_u8(&c);
	h.count = cursor_u64(&c);
	cursor_take(&c, 8); // nfiles
	h.text = cursor_u64(&c);
	h.names = cursor_u64(&c);
	h.units = cursor_u64(&c);
	h.files = cursor_u64(&c);
	h.pctab = cursor_u64(&c);
	h.functions = cursor_u64(&c);
	return h;
}

/*
 * The table's bytes. Where they do not lie in one run (a core that holds some of its pages, the
 * executable the others) and their size is known, they are put together once, as far as they are
 * there.
 */
static bool table_bytes(const struct image *image, target_addr header, uint64_t size,
	struct arena *arena, struct pcln_region *ret)
{
	struct image_view view;
	uint64_t run, got = 0;
	uint8_t *copy;

	if (!image_find(image, header, &view))
		return false;
	run = view.end - header;
	*ret = (struct pcln_region){
		view.bytes + (header - view.start), size && size < run ? size : run};
	if (size <= run || size > MAX_PCLNTAB_SIZE)
		return true;
	copy = arena_alloc(arena, size);
	while (copy && got < size && image_find(image, header + got, &view)) {
		uint64_t part = view.end - (header + got);

		part = part < size - got ? part : size - got;
		memcpy(copy + got, view.bytes + (header + got - view.start), part);
		got += part;
	}
	if (got > run)
		*ret = (struct pcln_region){copy, got};
	return true;
}

static bool cut_region(
	const struct pcln_region *whole, uint64_t start, uint64_t end, struct pcln_region *ret)
{
	if (start > end || end > whole->size)
		return false;
	*ret = (struct pcln_region){whole->bytes + start, end - start};
	return true;
}

static bool cut_regions(
	struct pclntab *table, const struct pcln_region *whole, const struct header *h)
{
	return h->names >= HEADER_SIZE && cut_region(whole, h->names, h->units, &table->names) &&
	       cut_region(whole, h->units, h->files, &table->units) &&
	       cut_region(whole, h->files, h->pctab, &table->files) &&
	       cut_region(whole, h->pctab, h->functions, &table->pctab) &&
	       cut_region(whole, h->functions, whole->size, &table->functions);
}

static enum cs_status check_header(const struct header *h, struct diag *diag)
{
	if (h->magic != MAGIC_1_18 && h->magic != MAGIC_1_20)
		return diag_fail(diag, CS_UNSUPPORTED, "pclntab-format",
			"the function table has the unknown format 0x%x; Go 1.18 to 1.27 can be "
			"read",
			h->magic);
	if (h->pointer_size != 8 || (h->quantum != 1 && h->quantum != 4))
		return diag_fail(diag, CS_UNSUPPORTED, "pclntab-format",
			"the function table is for %u-byte pointers and %u-byte instructions",
			h->pointer_size, h->quantum);
	if (!h->count || h->count > MAX_FUNCTIONS)
		return diag_fail(diag, CS_CORRUPT, "pclntab-damaged",
			"the function table claims %llu functions", (unsigned long long)h->count);
	return CS_OK;
}

/*
 * Where the table ends: behind its last _func. The loader protects whole pages of a PIE's read-only
 * data, so up to a page of the table's end lies in the next mapping.
 */
static uint64_t size_by_functions(const struct pcln_region *whole, const struct header *h)
{
	uint64_t row = h->functions + (h->count - 1) * FTAB_ROW_SIZE;

	if (h->functions > whole->size || !checked_range(row, FTAB_ROW_SIZE, whole->size))
		return whole->size;
	return h->functions + load_u32(whole->bytes + row + 4) + FUNC_SIZE + FUNC_TAIL_SIZE;
}

enum cs_status pclntab_load(const struct image *image, target_addr header, uint64_t size,
	target_addr text, target_addr gofunc, struct arena *arena, struct diag *diag,
	struct pclntab **ret)
{
	struct pclntab *table = arena_alloc(arena, sizeof(*table));
	struct pcln_region whole;
	enum cs_status status;
	struct header h;

	if (!table)
		return CS_NO_MEMORY;
	if (!table_bytes(image, header, size, arena, &whole) || whole.size < HEADER_SIZE)
		return diag_fail(diag, CS_FAULT, "pclntab-unreadable",
			"the function table at 0x%llx is neither in the core nor in the executable",
			(unsigned long long)header);
	h = read_header(whole.bytes);
	status = check_header(&h, diag);
	if (status)
		return status;
	if (!size && size_by_functions(&whole, &h) > whole.size)
		table_bytes(image, header, size_by_functions(&whole, &h), arena, &whole);
	*table = (struct pclntab){.image = image,
		.text = text ? text : h.text,
		.gofunc = gofunc,
		.count = (uint32_t)h.count,
		.quantum = h.quantum,
		.has_start_lines = h.magic == MAGIC_1_20};
	if (!table->text)
		return diag_fail(diag, CS_NOT_FOUND, "pclntab-text",
			"the function table does not say where the code starts (Go 1.26 and "
			"later)");
	if (!cut_regions(table, &whole, &h) ||
		h.count * FTAB_ROW_SIZE + sizeof(uint32_t) > table->functions.size)
		return diag_fail(diag, CS_CORRUPT, "pclntab-damaged",
			"the function table at 0x%llx is cut or damaged",
			(unsigned long long)header);
	*ret = table;
	return CS_OK;
}

uint32_t pclntab_count(const struct pclntab *table)
{
	return table->count;
}

/* The entry of row `index`, or the end of all code for index == count. */
static target_addr row_entry(const struct pclntab *table, uint32_t index)
{
	return table->text + load_u32(table->functions.bytes + (size_t)index * FTAB_ROW_SIZE);
}

target_addr pclntab_start(const struct pclntab *table)
{
	return row_entry(table, 0);
}

target_addr pclntab_end(const struct pclntab *table)
{
	return row_entry(table, table->count);
}

const char *pcln_string(const struct pcln_region *region, uint64_t offset)
{
	size_t left;

	if (offset >= region->size)
		return NULL;
	left = region->size - offset;
	if (left > MAX_SYMBOL_LENGTH)
		left = MAX_SYMBOL_LENGTH;
	if (!memchr(region->bytes + offset, 0, left))
		return NULL;
	return (const char *)region->bytes + offset;
}

/* The _func record of row `index` and the offset of what follows it; false where it is damaged. */
static bool read_func(const struct pclntab *table, uint32_t index, struct pcln_func *func)
{
	const struct pcln_region *region = &table->functions;
	uint32_t offset = load_u32(region->bytes + (size_t)index * FTAB_ROW_SIZE + 4);
	struct cursor c = cursor_over(region->bytes, region->size);
	uint32_t entry, name;

	cursor_seek(&c, offset);
	entry = cursor_u32(&c);
	name = cursor_u32(&c);
	func->arguments_size = (int32_t)cursor_u32(&c);
	func->deferreturn = cursor_u32(&c);
	func->sp_table = cursor_u32(&c);
	func->file_table = cursor_u32(&c);
	func->line_table = cursor_u32(&c);
	func->pcdata_count = cursor_u32(&c);
	func->unit = cursor_u32(&c);
	func->start_line = table->has_start_lines ? (int32_t)cursor_u32(&c) : 0;
	func->id = cursor_u8(&c);
	func->flags = cursor_u8(&c);
	cursor_take(&c, 1);
	func->funcdata_count = cursor_u8(&c);
	func->tables = (uint32_t)c.offset;
	func->name = pcln_string(&table->names, name);
	return !c.bad && func->name && table->text + entry == func->entry &&
	       (uint64_t)func->pcdata_count + func->funcdata_count <= cursor_left(&c) / 4;
}

bool pclntab_at(const struct pclntab *table, uint32_t index, struct pcln_func *ret)
{
	struct pcln_func func = {.index = index};

	if (index >= table->count)
		return false;
	func.entry = row_entry(table, index);
	func.end = row_entry(table, index + 1);
	if (func.entry >= func.end || !read_func(table, index, &func))
		return false;
	*ret = func;
	return true;
}

bool pclntab_find(const struct pclntab *table, target_addr pc, struct pcln_func *ret)
{
	uint32_t low = 0, high = table->count;

	if (pc < pclntab_start(table) || pc >= pclntab_end(table))
		return false;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (row_entry(table, middle) <= pc)
			low = middle;
		else
			high = middle;
	}
	return pclntab_at(table, low, ret) && pc >= ret->entry && pc < ret->end;
}

/* The row whose _func has its name at `name_offset` of funcnametab. */
static bool find_name_offset(const struct pclntab *table, size_t name_offset, struct pcln_func *ret)
{
	for (uint32_t i = 0; i < table->count; i++) {
		uint32_t offset = load_u32(table->functions.bytes + (size_t)i * FTAB_ROW_SIZE + 4);

		if (checked_range(offset, FUNC_SIZE, table->functions.size) &&
			load_u32(table->functions.bytes + offset + 4) == name_offset &&
			pclntab_at(table, i, ret))
			return true;
	}
	return false;
}

bool pclntab_find_name(const struct pclntab *table, const char *name, struct pcln_func *ret)
{
	const uint8_t *start = table->names.bytes, *end = start + table->names.size, *at = start;
	size_t size = strlen(name) + 1;

	// The linker writes each name once; a name may also be the tail of longer ones.
	for (unsigned int tries = 0; tries < MAX_NAME_COPIES; at++) {
		at = memmem(at, (size_t)(end - at), name, size);
		if (!at)
			return false;
		if (at != start && at[-1])
			continue;
		if (find_name_offset(table, (size_t)(at - start), ret))
			return true;
		tries++;
	}
	return false;
}

/* runtime.step: the next (value, pc) pair; false at the end. A pc that stands still is damage. */
static bool step(const struct pclntab *table, struct cursor *c, target_addr *pc, uint32_t *value,
	bool is_first)
{
	uint32_t delta = (uint32_t)cursor_uleb(c);
	uint64_t advance;

	if (!delta && !is_first)
		return false;
	*value += -(delta & 1) ^ (delta >> 1);
	advance = (uint32_t)cursor_uleb(c);
	*pc += advance * table->quantum;
	return advance && !c->bad;
}

bool pcln_value(const struct pclntab *table, const struct pcln_func *func, uint32_t offset,
	target_addr pc, int32_t *ret)
{
	struct cursor c = cursor_over(table->pctab.bytes, table->pctab.size);
	target_addr at = func->entry;
	uint32_t value = UINT32_MAX;

	if (!offset)
		return false;
	cursor_seek(&c, offset);
	for (unsigned int i = 0; i < MAX_PC_VALUE_STEPS; i++) {
		if (!step(table, &c, &at, &value, !i))
			return false;
		if (pc < at) {
			*ret = (int32_t)value;
			return true;
		}
	}
	return false;
}

void pclntab_each_line(const struct pclntab *table, const struct pcln_func *func,
	bool (*each)(void *context, target_addr pc), void *context)
{
	struct cursor c = cursor_over(table->pctab.bytes, table->pctab.size);
	target_addr at = func->entry, next = at;
	uint32_t value = UINT32_MAX;

	if (!func->line_table)
		return;
	cursor_seek(&c, func->line_table);
	for (unsigned int i = 0; i < MAX_LINE_STEPS && step(table, &c, &next, &value, !i); i++) {
		if (!each(context, at))
			return;
		at = next;
	}
}

int32_t pclntab_last_line(const struct pclntab *table, const struct pcln_func *func)
{
	struct cursor c = cursor_over(table->pctab.bytes, table->pctab.size);
	target_addr at = func->entry, next = at;
	uint32_t value = UINT32_MAX;
	int32_t last = 0;

	if (!func->line_table)
		return 0;
	cursor_seek(&c, func->line_table);
	for (unsigned int i = 0; i < MAX_LINE_STEPS && step(table, &c, &next, &value, !i); i++) {
		if ((int32_t)value > last &&
			pclntab_pcdata(table, func, PCDATA_INLINE_INDEX, at) < 0)
			last = (int32_t)value;
		at = next;
	}
	return last;
}

size_t pclntab_line_starts(
	const struct pclntab *table, const struct pcln_func *func, uint32_t *ret, size_t max)
{
	struct cursor c = cursor_over(table->pctab.bytes, table->pctab.size);
	target_addr at = func->entry;
	uint32_t value = UINT32_MAX;
	size_t count = 0;

	if (!func->line_table)
		return 0;
	cursor_seek(&c, func->line_table);
	while (count < max && step(table, &c, &at, &value, !count) && at < func->end)
		ret[count++] = (uint32_t)(at - func->entry);
	return count;
}

bool pclntab_sp_delta(
	const struct pclntab *table, const struct pcln_func *func, target_addr pc, int32_t *ret)
{
	return pcln_value(table, func, func->sp_table, pc, ret);
}

int32_t pclntab_pcdata(
	const struct pclntab *table, const struct pcln_func *func, uint32_t index, target_addr pc)
{
	int32_t value;

	if (index >= func->pcdata_count)
		return -1;
	if (!pcln_value(table, func,
		    load_u32(table->functions.bytes + func->tables + (size_t)index * 4), pc,
		    &value))
		return -1;
	return value;
}

target_addr pclntab_funcdata(
	const struct pclntab *table, const struct pcln_func *func, uint32_t index)
{
	uint32_t offset;

	if (index >= func->funcdata_count || !table->gofunc)
		return 0;
	offset = load_u32(
		table->functions.bytes + func->tables + ((size_t)func->pcdata_count + index) * 4);
	return offset == UINT32_MAX ? 0 : table->gofunc + offset;
}

/* runtime.funcfile: the unit's file numbers lead through cutab into filetab. */
static const char *unit_file(
	const struct pclntab *table, const struct pcln_func *func, int32_t number)
{
	uint64_t row = (uint64_t)func->unit + (uint32_t)number;
	uint32_t offset;

	if (number < 0 || row >= table->units.size / 4)
		return NULL;
	offset = load_u32(table->units.bytes + row * 4);
	return offset == UINT32_MAX ? NULL : pcln_string(&table->files, offset);
}

void pclntab_line(const struct pclntab *table, const struct pcln_func *func, target_addr pc,
	const char **file_ret, int32_t *line_ret)
{
	const char *file = NULL;
	int32_t number, line;

	*file_ret = "?";
	*line_ret = 0;
	if (!pcln_value(table, func, func->file_table, pc, &number) ||
		!pcln_value(table, func, func->line_table, pc, &line) || line < 0)
		return;
	file = unit_file(table, func, number);
	if (!file)
		return;
	*file_ret = file;
	*line_ret = line;
}
