// Which words of a frame hold pointers that its function will still use, as the garbage collector
// knows it (runtime/stkframe.go getStackMap, runtime/mgcstack.go). Every binary has these tables.
#ifndef CORESNAP_ANALYZER_UNWIND_STACK_MAP_H
#define CORESNAP_ANALYZER_UNWIND_STACK_MAP_H

#include "analyzer/unwind/frame_table.h"

/** A bit for each word from `start` on. */
struct pointer_words {
	target_addr start;
	const uint8_t *bits; // borrowed from the image; NULL where count is 0
	uint32_t count;
};

struct stack_map {
	struct pointer_words locals, arguments;
	// Variables whose address is taken: alive as long as a live pointer leads to them.
	target_addr objects; // stackObjectRecords; 0: none
	uint32_t object_count;
	target_addr rodata;     // what their masks count from; 0: not known
	target_addr varp, argp; // what negative and other offsets of those count from
};

/** A variable whose address is taken, and which of its words are pointers. */
struct stack_object {
	target_addr start;
	uint32_t size;
	struct pointer_words pointers; // count 0 where they are not known
};

/**
 * The map of the physical frame at `place` with stack pointer `sp`. False where the collector
 * itself has none: at an instruction that no call is at, in assembly, or where the tables are
 * damaged.
 */
bool stack_map_load(const struct runtime *rt, const struct code_place *place, target_addr sp,
	struct stack_map *ret);

/**
 * The map of all calls of the function at `place` together: what is a live pointer at any of them. Its
 * bits are in the arena, and no argument is in it. False where the tables are damaged.
 */
bool stack_map_load_any(const struct runtime *rt, const struct code_place *place, target_addr sp,
	struct stack_map *ret);

/** The object at `index` of map->object_count; false where it cannot be read. */
bool stack_map_object(const struct runtime *rt, const struct stack_map *map, uint32_t index,
	struct stack_object *ret);

/** Whether bit `index` is set. */
static inline bool pointer_words_has(const struct pointer_words *words, uint32_t index)
{
	return index < words->count && words->bits[index / 8] >> index % 8 & 1;
}

#endif
