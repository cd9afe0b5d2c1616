#include "tests/lib/mkpclntab.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 72
#define INLINE_INDEX 2 // PCDATA_InlTreeIndex
#define INLINE_TREE 3  // FUNCDATA_InlTree

static void put(struct mkpclntab_buffer *b, const void *bytes, size_t size)
{
	if (size > b->capacity - b->size) {
		b->capacity = (b->capacity + size) * 2;
		b->bytes = realloc(b->bytes, b->capacity);
		if (!b->bytes)
			abort();
	}
	if (size)
		memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static void put_u8(struct mkpclntab_buffer *b, uint8_t value)
{
	put(b, &value, sizeof(value));
}

static void put_u32(struct mkpclntab_buffer *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put_u64(struct mkpclntab_buffer *b, uint64_t value)
{
	put(b, &value, sizeof(value));
}

static void put_varint(struct mkpclntab_buffer *b, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_u8(b, (uint8_t)(value | 0x80));
	put_u8(b, (uint8_t)value);
}

static uint32_t put_string(struct mkpclntab_buffer *b, const char *text)
{
	uint32_t offset = (uint32_t)b->size;

	put(b, text, strlen(text) + 1);
	return offset;
}

struct mkpclntab *mkpclntab_create(uint32_t magic, uint32_t quantum)
{
	struct mkpclntab *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->magic = magic;
	t->quantum = quantum;
	put_u8(&t->pctab, 0);           // offset 0 means "no table"
	put_u32(&t->units, UINT32_MAX); // unit 0 is no one's: functions have unit 1
	put_u64(&t->gofunc, 0);
	return t;
}

void mkpclntab_destroy(struct mkpclntab *t)
{
	if (!t)
		return;
	free(t->table.bytes);
	free(t->gofunc.bytes);
	free(t->names.bytes);
	free(t->units.bytes);
	free(t->files.bytes);
	free(t->pctab.bytes);
	free(t->rows.bytes);
	free(t->functions.bytes);
	free(t);
}

void mkpclntab_add_file(struct mkpclntab *t, const char *name)
{
	put_u32(&t->units, put_string(&t->files, name));
}

static uint32_t put_runs(struct mkpclntab *t, const struct mkpclntab_run *run, uint32_t size)
{
	uint32_t offset = (uint32_t)t->pctab.size, at = 0;
	int32_t value = -1;

	if (!run)
		return 0;
	for (; at < size; at = run->end, value = run->value, run++) {
		int32_t delta = run->value - value;

		put_varint(&t->pctab, ((uint32_t)delta << 1) ^ (delta < 0 ? UINT32_MAX : 0));
		put_varint(&t->pctab, (run->end - at) / t->quantum);
		if (run->end >= size)
			break;
	}
	put_u8(&t->pctab, 0);
	return offset;
}

static uint32_t put_tree(struct mkpclntab *t, const struct mkpclntab_func *func)
{
	uint32_t offset = (uint32_t)t->gofunc.size;
	int is_new = t->magic == 0xfffffff1;

	if (!func->calls)
		return UINT32_MAX;
	for (size_t i = 0; i < func->call_count; i++) {
		const struct mkpclntab_call *call = &func->calls[i];

		put(&t->gofunc, "\xff\xff", is_new ? 0 : 2); // go1.18: parent, which nothing reads
		put_u8(&t->gofunc, call->id);
		put(&t->gofunc, "\0\0\0\0\0\0\0\0", is_new ? 3 : 9);
		put_u32(&t->gofunc, put_string(&t->names, call->name));
		put_u32(&t->gofunc, (uint32_t)call->parent_pc);
		if (is_new)
			put_u32(&t->gofunc, (uint32_t)call->start_line);
	}
	return offset;
}

void mkpclntab_add(struct mkpclntab *t, const struct mkpclntab_func *func)
{
	struct mkpclntab_buffer *f = &t->functions;

	put_u32(&t->rows, t->end);
	put_u32(&t->rows, (uint32_t)f->size); // mkpclntab_finish adds the size of the rows
	put_u32(f, t->end);
	put_u32(f, put_string(&t->names, func->name));
	put_u32(f, (uint32_t)func->arguments_size);
	put_u32(f, 0); // deferreturn
	put_u32(f, put_runs(t, func->sp, func->size));
	put_u32(f, put_runs(t, func->files, func->size));
	put_u32(f, put_runs(t, func->lines, func->size));
	put_u32(f, INLINE_INDEX + 1);
	put_u32(f, 1); // unit
	if (t->magic == 0xfffffff1)
		put_u32(f, (uint32_t)func->start_line);
	put_u8(f, func->id);
	put_u8(f, func->flags);
	put_u8(f, 0);
	put_u8(f, INLINE_TREE + 1);
	for (int i = 0; i < INLINE_INDEX; i++)
		put_u32(f, 0);
	put_u32(f, put_runs(t, func->inlined, func->size));
	for (int i = 0; i < INLINE_TREE; i++)
		put_u32(f, UINT32_MAX);
	put_u32(f, put_tree(t, func));
	t->end += func->size;
	t->count++;
}

void mkpclntab_finish(struct mkpclntab *t, uint64_t text)
{
	const struct mkpclntab_buffer *regions[] = {&t->names, &t->units, &t->files, &t->pctab};
	uint32_t rows_size = (uint32_t)t->rows.size + 4;
	uint64_t offset = HEADER_SIZE;

	put_u32(&t->table, t->magic);
	put(&t->table, "\0", 2);
	put_u8(&t->table, (uint8_t)t->quantum);
	put_u8(&t->table, 8);
	put_u64(&t->table, t->count);
	put_u64(&t->table, t->units.size / 4);
	put_u64(&t->table, text);
	for (size_t i = 0; i < 4; i++) {
		put_u64(&t->table, offset);
		offset += regions[i]->size;
	}
	put_u64(&t->table, offset);
	for (size_t i = 0; i < 4; i++)
		put(&t->table, regions[i]->bytes, regions[i]->size);
	for (size_t i = 0; i < t->count; i++) {
		uint32_t row[2];

		memcpy(row, t->rows.bytes + i * sizeof(row), sizeof(row));
		row[1] += rows_size;
		put(&t->table, row, sizeof(row));
	}
	put_u32(&t->table, t->end);
	put(&t->table, t->functions.bytes, t->functions.size);
}
