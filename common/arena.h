// An arena: everything that one analysis allocates, freed at once. Nothing in it is freed singly.
#ifndef CORESNAP_COMMON_ARENA_H
#define CORESNAP_COMMON_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; // owned, newest first
	size_t used;                // bytes of the newest block
	size_t total;               // bytes taken from malloc
	size_t max;                 // never more than this; 0: no limit
	size_t fail_in;             // for fault sweeps: that request from now on fails; 0: none
};

/** An empty arena in the caller's memory that will take at most `max` bytes (0: no limit). */
void arena_init(struct arena *arena, size_t max);

/** Frees everything that came from the arena. The arena may be used again. */
void arena_deinit(struct arena *arena);

/**
 * Empties the arena but keeps its newest block, so that what is filled anew many times over asks
 * malloc only when it outgrows that. All pointers from it are dead.
 */
void arena_reset(struct arena *arena);

/** `size` zeroed bytes, aligned for any type; NULL when memory or the arena's limit is reached. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc));

/** `count` zeroed elements; NULL also when count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc));

/** A copy of `size` bytes with a NUL behind them; NULL when out of memory. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);

/** A copy of the string `text`; NULL when out of memory. */
char *arena_string(struct arena *arena, const char *text);

/** A formatted string; NULL when out of memory. */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Grows an array that lives in the arena: returns room for at least `want` elements of `size`
 * bytes with the first `*capacity` ones copied, and updates *capacity (doubling). NULL when out of
 * memory; the old array is then still good.
 */
void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t want, size_t size);

#endif
