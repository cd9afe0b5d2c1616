// Mirrors what the collector does with one stack: runtime/mgcmark.go scanstack, scanframeworker and
// mgcstack.go (stack objects), by the maps of unwind/stack_map.h.
#include "analyzer/values/liveness.h"

#include "analyzer/heap/span.h"
#include "analyzer/unwind/stack_map.h"
#include "common/limits.h"

#include <stdlib.h>

#define WORD 8

struct words {
	target_addr *list;
	size_t count, capacity;
};

struct object_list {
	struct stack_object *list;
	size_t count, capacity;
};

struct liveness {
	const struct frame_table *frames; // borrowed
	uint64_t scanned; // goroutines that the newest collection knew: the first of allgs
	struct {
		target_addr start, end;
	} modules[MAX_LIVENESS_MODULES];
	size_t module_count;

	// Of the goroutine begun; sorted once gathered.
	struct arena *scratch; // borrowed
	bool is_young;         // it began after the newest collection did
	struct words slots;    // addresses of live words
	struct words pointers; // what they hold
	struct words objects;  // where those objects begin
};

struct liveness *liveness_create(const struct frame_table *frames)
{
	const struct runtime *rt = frames->rt;
	struct liveness *liveness = arena_alloc(rt->arena, sizeof(*liveness));

	if (!liveness)
		return NULL;
	liveness->frames = frames;
	// mgcmark.go gcMarkRootPrepare takes the length of allgs with the world stopped; the value
	// stays until the next cycle. Unknown: as if every goroutine were old.
	if (!runtime_read_field(rt, VAR_WORK, WORK_STACK_ROOTS, &liveness->scanned))
		liveness->scanned = UINT64_MAX;
	return liveness;
}

void liveness_add_module(struct liveness *liveness, target_addr start, target_addr end)
{
	if (liveness->module_count == MAX_LIVENESS_MODULES)
		return;
	liveness->modules[liveness->module_count].start = start;
	liveness->modules[liveness->module_count++].end = end;
}

static bool is_in_module(const struct liveness *liveness, target_addr address)
{
	for (size_t i = 0; i < liveness->module_count; i++)
		if (address >= liveness->modules[i].start && address < liveness->modules[i].end)
			return true;
	return false;
}

static bool push(struct words *words, struct arena *arena, target_addr word)
{
	target_addr *grown;

	if (words->count == MAX_LIVE_WORDS)
		return false;
	grown = arena_grow(arena, words->list, &words->capacity, words->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	words->list = grown;
	grown[words->count++] = word;
	return true;
}

static void add_pointer(struct liveness *liveness, target_addr pointer)
{
	if (pointer)
		push(&liveness->pointers, liveness->scratch, pointer);
}

/** Every pointer word of `words` is a live slot, and what it holds is kept. */
static void add_words(struct liveness *liveness, const struct pointer_words *words)
{
	for (uint32_t i = 0; i < words->count; i++) {
		target_addr slot = words->start + (uint64_t)i * WORD;
		uint64_t pointer;

		if (!pointer_words_has(words, i) ||
			image_read_u64(liveness->frames->rt->image, slot, &pointer) != CS_OK)
			continue;
		if (push(&liveness->slots, liveness->scratch, slot))
			add_pointer(liveness, pointer);
	}
}

static void add_objects(
	struct liveness *liveness, const struct stack_map *map, struct object_list *objects)
{
	const struct runtime *rt = liveness->frames->rt;

	for (uint32_t i = 0; i < map->object_count && objects->count < MAX_STACK_OBJECTS; i++) {
		struct stack_object object;
		struct stack_object *grown;

		if (!stack_map_object(rt, map, i, &object))
			return;
		grown = arena_grow(liveness->scratch, objects->list, &objects->capacity,
			objects->count + 1, sizeof(*grown));
		if (!grown)
			return;
		objects->list = grown;
		grown[objects->count++] = object;
	}
}

/** The channels and elements that a parked goroutine's sudogs hold (runtime2.go g.waiting). */
static void add_sudogs(struct liveness *liveness, const struct goroutine *g)
{
	const struct runtime *rt = liveness->frames->rt;
	target_addr at = g->waiting;

	for (uint32_t i = 0; at && i < MAX_WAITING_ON_WRITTEN; i++) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);

		if (!sudog.bytes || object_get(rt, sudog, SUDOG_G) != g->address)
			return;
		add_pointer(liveness, object_get(rt, sudog, SUDOG_ELEM));
		add_pointer(liveness, object_get(rt, sudog, SUDOG_C));
		at = object_get(rt, sudog, SUDOG_WAIT_LINK);
	}
}

static int compare_objects(const void *a, const void *b)
{
	target_addr left = ((const struct stack_object *)a)->start;
	target_addr right = ((const struct stack_object *)b)->start;

	return left < right ? -1 : left > right;
}

/** The object that holds `address`; NULL where none does. */
static struct stack_object *find_object(const struct object_list *objects, target_addr address)
{
	size_t low = 0, high = objects->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (objects->list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - objects->list[low - 1].start >= objects->list[low - 1].size)
		return NULL;
	return &objects->list[low - 1];
}

/** An object that a live pointer leads to is live itself: until nothing new is found. */
static void follow_objects(struct liveness *liveness, struct object_list *objects)
{
	if (!objects->count)
		return;
	qsort(objects->list, objects->count, sizeof(*objects->list), compare_objects);
	for (size_t i = 0; i < liveness->pointers.count; i++) {
		struct stack_object *object = find_object(objects, liveness->pointers.list[i]);
		struct pointer_words pointers;

		if (!object)
			continue;
		pointers = object->pointers;
		object->pointers.count = 0; // once is enough
		add_words(liveness, &pointers);
	}
}

static int compare_words(const void *a, const void *b)
{
	target_addr left = *(const target_addr *)a, right = *(const target_addr *)b;

	return left < right ? -1 : left > right;
}

static void sort(struct words *words)
{
	if (words->count)
		qsort(words->list, words->count, sizeof(*words->list), compare_words);
}

/** A pointer into the middle of an object keeps all of it. */
static void find_heap_objects(struct liveness *liveness)
{
	for (size_t i = 0; i < liveness->pointers.count; i++) {
		target_addr pointer = liveness->pointers.list[i];
		struct span span;

		if (span_find(liveness->frames->rt, pointer, &span))
			pointer = span_object(&span, pointer);
		push(&liveness->objects, liveness->scratch, pointer);
	}
}

void liveness_begin(struct liveness *liveness, struct arena *scratch, const struct goroutine *g,
	const struct walk *walk)
{
	struct object_list objects = {0};

	liveness->scratch = scratch;
	liveness->slots = liveness->pointers = liveness->objects = (struct words){0};
	liveness->is_young = g->index >= liveness->scanned;
	for (uint32_t i = 0; i < walk->count; i++) {
		const struct code_place *place = &liveness->frames->places[walk->places[i]];
		struct stack_map map;

		if (!stack_map_load(liveness->frames->rt, place, walk->sps[i], &map))
			continue;
		add_words(liveness, &map.locals);
		add_words(liveness, &map.arguments);
		add_objects(liveness, &map, &objects);
	}
	add_sudogs(liveness, g);
	follow_objects(liveness, &objects);
	find_heap_objects(liveness);
	sort(&liveness->slots);
	sort(&liveness->objects);
}

static bool has(const struct words *words, target_addr word)
{
	return words->count &&
	       bsearch(&word, words->list, words->count, sizeof(*words->list), compare_words);
}

bool liveness_holds(const struct liveness *liveness, target_addr slot, target_addr pointer)
{
	struct span span;
	bool is_heap;

	if (!liveness)
		return false;
	if (is_in_module(liveness, pointer) || (slot && has(&liveness->slots, slot)))
		return true;
	is_heap = span_find(liveness->frames->rt, pointer, &span);
	// Young or not, a stack that grew may have left its old place to another one.
	if (liveness->is_young)
		return is_heap;
	return has(&liveness->objects, is_heap ? span_object(&span, pointer) : pointer);
}
