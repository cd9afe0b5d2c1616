// until go1.23  g.labels -> labelMap, a map[string]string: -> hmap (runtime/map.go)
// go1.24, 1.25  g.labels -> labelMap{LabelSet{list []label}} (runtime/pprof/label.go)
// since go1.26  g.labels -> label.Set{List []Label} (internal/runtime/pprof/label/labelset.go)
#include "analyzer/runtime/labels.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define STRING_SIZE 16
#define PAIR_SIZE (2 * STRING_SIZE)
// A bucket of map[string]string: tophash[8], 8 keys, 8 values, the overflow pointer.
#define BUCKET_SLOTS 8
#define BUCKET_KEYS 8
#define BUCKET_VALUES (BUCKET_KEYS + BUCKET_SLOTS * STRING_SIZE)
#define BUCKET_OVERFLOW (BUCKET_VALUES + BUCKET_SLOTS * STRING_SIZE)
#define BUCKET_SIZE (BUCKET_OVERFLOW + 8)
#define TOPHASH_MIN 5 // smaller marks are empty or moved slots
#define LABEL_BUCKETS_SHIFT 10
#define LABEL_BUCKETS_MAX (1 << LABEL_BUCKETS_SHIFT) // of one map, overflow buckets too

static void add(const struct runtime *rt, struct labels *labels, target_addr key, target_addr value)
{
	struct label label;

	if (labels->count >= labels->capacity)
		return;
	label = (struct label){runtime_string(rt, key, MAX_LABEL_LENGTH),
		runtime_string(rt, value, MAX_LABEL_LENGTH)};
	if (!label.key || !label.value) {
		labels->is_unreadable = true;
		return;
	}
	labels->list[labels->count++] = label;
}

/** Room for what the target says there is, within the cap. */
static bool reserve(const struct runtime *rt, struct labels *labels, uint64_t count)
{
	labels->capacity = count < MAX_LABELS ? count : MAX_LABELS;
	labels->list = arena_array(rt->arena, labels->capacity, sizeof(*labels->list));
	return labels->list != NULL;
}

static void load_slice(const struct runtime *rt, target_addr slice, struct labels *labels)
{
	target_addr data;
	uint64_t count;

	if (!runtime_slice(rt, slice, &data, &count)) {
		labels->is_unreadable = true;
		return;
	}
	if (!reserve(rt, labels, count))
		return;
	for (size_t i = 0; i < labels->capacity; i++)
		add(rt, labels, data + i * PAIR_SIZE, data + i * PAIR_SIZE + STRING_SIZE);
}

/** `budget`: buckets that this map may still have, whatever its links say. */
static void load_bucket_chain(
	const struct runtime *rt, target_addr bucket, struct labels *labels, unsigned int *budget)
{
	while (bucket && *budget && labels->count < labels->capacity) {
		const uint8_t *bytes = runtime_bytes(rt, bucket, BUCKET_SIZE);

		--*budget;
		if (!bytes) {
			labels->is_unreadable = true;
			return;
		}
		for (uint64_t i = 0; i < BUCKET_SLOTS; i++)
			if (bytes[i] >= TOPHASH_MIN)
				add(rt, labels, bucket + BUCKET_KEYS + i * STRING_SIZE,
					bucket + BUCKET_VALUES + i * STRING_SIZE);
		memcpy(&bucket, bytes + BUCKET_OVERFLOW, sizeof(bucket));
	}
}

static void load_map(const struct runtime *rt, target_addr pointer, struct labels *labels)
{
	unsigned int budget = LABEL_BUCKETS_MAX;
	target_addr map = pointer, buckets; // unreadable unless it says that it is nil
	struct object hmap = {0};
	uint64_t b, old;

	if (image_read_u64(rt->image, pointer, &map) == CS_OK)
		hmap = object_load(rt, map, OBJECT_HMAP);
	if (!hmap.bytes) {
		labels->is_unreadable = map != 0;
		return;
	}
	if (!reserve(rt, labels, object_get(rt, hmap, HMAP_COUNT)))
		return;
	b = object_get(rt, hmap, HMAP_B);
	old = object_get(rt, hmap, HMAP_OLD_BUCKETS);
	buckets = object_get(rt, hmap, HMAP_BUCKETS);
	// While it grows, entries not moved yet lie in the old buckets, half as many.
	for (uint64_t i = 0; buckets && b < LABEL_BUCKETS_SHIFT && i < UINT64_C(1) << b; i++)
		load_bucket_chain(rt, buckets + i * BUCKET_SIZE, labels, &budget);
	for (uint64_t i = 0; old && b && b < LABEL_BUCKETS_SHIFT && i < UINT64_C(1) << (b - 1); i++)
		load_bucket_chain(rt, old + i * BUCKET_SIZE, labels, &budget);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/** A set has each key once; one that is garbage may not. */
static void drop_repeated(struct labels *labels)
{
	size_t kept = 0;

	for (size_t i = 0; i < labels->count; i++)
		if (!kept || strcmp(labels->list[kept - 1].key, labels->list[i].key))
			labels->list[kept++] = labels->list[i];
	labels->count = kept;
}

struct labels labels_load(const struct runtime *rt, target_addr pointer)
{
	struct labels labels = {0};

	if (!pointer)
		return labels;
	if (layout_has(&rt->layout, LABEL_SET_LIST))
		load_slice(rt, pointer + layout_value(&rt->layout, LABEL_SET_LIST), &labels);
	else if (layout_has(&rt->layout, LABEL_MAP_LIST))
		load_slice(rt, pointer + layout_value(&rt->layout, LABEL_MAP_LIST), &labels);
	else if (layout_has(&rt->layout, HMAP_BUCKETS))
		load_map(rt, pointer, &labels);
	else
		labels.is_unreadable = true;
	if (labels.count)
		qsort(labels.list, labels.count, sizeof(*labels.list), compare);
	drop_repeated(&labels);
	return labels;
}
