#include "common/u64map.h"

#define FIRST_CAPACITY 64

void u64map_init(struct u64map *map, struct arena *arena)
{
	*map = (struct u64map){.arena = arena};
}

static bool is_used(const struct u64map *map, size_t slot)
{
	return map->used[slot / 64] >> (slot % 64) & 1;
}

/** The slot of `key`, or the free one where it belongs. Needs a free slot. */
static size_t find_slot(const struct u64map *map, uint64_t key)
{
	size_t slot = u64_hash(key) & (map->capacity - 1);

	while (is_used(map, slot) && map->slots[slot].key != key)
		slot = (slot + 1) & (map->capacity - 1);
	return slot;
}

static bool grow(struct u64map *map)
{
	struct u64map larger = {.arena = map->arena,
		.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY};

	larger.slots = arena_array(map->arena, larger.capacity, sizeof(*larger.slots));
	larger.used = arena_array(map->arena, larger.capacity / 64, sizeof(*larger.used));
	if (!larger.slots || !larger.used)
		return false;
	for (size_t i = 0; i < map->capacity; i++)
		if (is_used(map, i))
			u64map_put(&larger, map->slots[i].key, map->slots[i].value);
	*map = larger;
	return true;
}

bool u64map_put(struct u64map *map, uint64_t key, uint64_t value)
{
	size_t slot;

	if (map->count >= map->capacity / 4 * 3 && !grow(map))
		return false;
	slot = find_slot(map, key);
	if (!is_used(map, slot)) {
		map->used[slot / 64] |= UINT64_C(1) << (slot % 64);
		map->slots[slot].key = key;
		map->count++;
	}
	map->slots[slot].value = value;
	return true;
}

bool u64map_get(const struct u64map *map, uint64_t key, uint64_t *ret)
{
	size_t slot;

	if (!map->count)
		return false;
	slot = find_slot(map, key);
	if (!is_used(map, slot))
		return false;
	*ret = map->slots[slot].value;
	return true;
}
