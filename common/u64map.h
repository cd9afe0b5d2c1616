// A map from 64-bit keys (addresses, ids) to 64-bit values, open addressing, memory from an arena.
// There is no removal. Key 0 is as good as any other.
#ifndef CORESNAP_COMMON_U64MAP_H
#define CORESNAP_COMMON_U64MAP_H

#include "common/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct u64map_slot {
	uint64_t key, value;
};

struct u64map {
	struct arena *arena;       // borrowed
	struct u64map_slot *slots; // a power of two; a slot is used where its bit in `used` is set
	uint64_t *used;
	size_t capacity, count;
};

/** An empty map. Nothing is allocated before the first put. */
void u64map_init(struct u64map *map, struct arena *arena);

/** Sets key's value, replacing an earlier one; false when out of memory. */
bool u64map_put(struct u64map *map, uint64_t key, uint64_t value);

/** Finds key's value; false, with *ret untouched, where it has none. */
bool u64map_get(const struct u64map *map, uint64_t key, uint64_t *ret);

/** A good hash of one 64-bit number, for other tables too. */
static inline uint64_t u64_hash(uint64_t x)
{
	// splitmix64's finalizer
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

#endif
