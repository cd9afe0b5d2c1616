// The function table over hostile bytes. The first four bytes say where in the rest the function
// data (the inline trees) begin; the table is everything behind them.
#include "analyzer/binary/pclntab.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define TABLE 0x500000
#define TEXT 0x401000
#define MAX_PCS 64 // of each function, and functions

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void read_pc(const struct pclntab *table, const struct pcln_func *func, target_addr pc)
{
	struct pcln_frame frames[MAX_INLINE_DEPTH + 2];
	size_t count = pclntab_expand(table, func, pc, frames, MAX_INLINE_DEPTH + 2);
	struct pcln_func found;
	int32_t delta;

	check(count >= 1 && count <= MAX_INLINE_DEPTH + 1);
	for (size_t i = 0; i < count; i++) {
		check(frames[i].is_inlined == (i + 1 < count));
		check(strlen(frames[i].function) < MAX_SYMBOL_LENGTH);
		check(strlen(frames[i].file) < MAX_SYMBOL_LENGTH);
	}
	(void)!pclntab_sp_delta(table, func, pc, &delta);
	if (pclntab_find(table, pc, &found))
		check(found.entry <= pc && pc < found.end);
}

static void read_table(const struct pclntab *table)
{
	struct pcln_func func, named;

	check(pclntab_count(table) > 0);
	for (uint32_t i = 0; i < pclntab_count(table) && i < MAX_PCS; i++) {
		target_addr step;

		if (!pclntab_at(table, i, &func))
			continue;
		check(func.index == i && func.entry < func.end);
		// A damaged row's name may be the tail of another's, which is not found.
		if (pclntab_find_name(table, func.name, &named))
			check(!strcmp(named.name, func.name));
		for (uint32_t j = 0; j < 9; j++)
			pclntab_funcdata(table, &func, j);
		step = (func.end - func.entry) / MAX_PCS + 1;
		for (target_addr pc = func.entry; pc < func.end; pc += step)
			read_pc(table, &func, pc);
	}
	pclntab_find(table, pclntab_start(table), &func);
	pclntab_find(table, pclntab_end(table) - 1, &func);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pclntab *table;
	struct image *image;
	struct arena arena;
	struct diag diag;
	uint32_t gofunc;

	if (size <= sizeof(gofunc))
		return 0;
	memcpy(&gofunc, bytes, sizeof(gofunc));
	bytes += sizeof(gofunc);
	size -= sizeof(gofunc);
	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	image = image_create(ARCH_AMD64, &arena);
	check(image &&
		!image_add(image,
			(struct image_view){.start = TABLE, .end = TABLE + size, .bytes = bytes}));
	check(!image_seal(image));
	if (pclntab_load(image, TABLE, size, TEXT, TABLE + gofunc, &arena, &diag, &table))
		check(diag.fatal);
	else
		read_table(table);
	image_close(image);
	arena_deinit(&arena);
	return 0;
}
