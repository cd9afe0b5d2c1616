// Blocks that double up to 1 MiB; a request larger than a block gets one of its own.
#include "common/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 4096
#define LARGEST_BLOCK (1u << 20)
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t max)
{
	*arena = (struct arena){.max = max};
}

void arena_deinit(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	arena->used = 0;
	arena->total = 0;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = arena->blocks;

	if (!kept)
		return;
	arena->blocks = kept->next;
	kept->next = NULL;
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		arena->total -= block->size;
		free(block);
	}
	arena->blocks = kept;
	memset(kept->bytes, 0, arena->used);
	arena->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	size_t block_size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
	struct arena_block *block;

	if (block_size > LARGEST_BLOCK)
		block_size = LARGEST_BLOCK;
	if (block_size < size)
		block_size = size;
	if (block_size > SIZE_MAX - sizeof(*block))
		return NULL;
	if (arena->max && block_size > arena->max - arena->total)
		return NULL;
	block = calloc(1, sizeof(*block) + block_size);
	if (!block)
		return NULL;
	block->size = block_size;
	arena->total += block_size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *result;

	if (size > SIZE_MAX - ALIGNMENT || (arena->fail_in && !--arena->fail_in))
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (!block || size > block->size - arena->used) {
		struct arena_block *fresh = add_block(arena, size);

		if (!fresh)
			return NULL;
		// A large request leaves the half-used block in front: small ones go on there.
		if (block && size >= LARGEST_BLOCK) {
			fresh->next = block->next;
			block->next = fresh;
			return fresh->bytes;
		}
		fresh->next = block;
		arena->blocks = block = fresh;
		arena->used = 0;
	}
	result = block->bytes + arena->used;
	arena->used += size;
	return result;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_string(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	if (length >= 0)
		text = arena_alloc(arena, (size_t)length + 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t want, size_t size)
{
	size_t count = *capacity ? *capacity : 16;
	void *fresh;

	if (want <= *capacity)
		return old;
	while (count < want) {
		if (count > SIZE_MAX / 2)
			return NULL;
		count *= 2;
	}
	fresh = arena_array(arena, count, size);
	if (!fresh)
		return NULL;
	if (*capacity)
		memcpy(fresh, old, *capacity * size);
	*capacity = count;
	return fresh;
}
