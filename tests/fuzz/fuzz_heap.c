// A heap over hostile memory: spans, slots, pointer maps, types, specials, queues and goroutines
// that wait on each other's channels and locks, damaged by the input (mkruntime_patch). Its first
// byte says which release's pointer maps it has. What is reached never exceeds what is there.
#include "analyzer/blocking/leaks.h"
#include "analyzer/heap/roots.h"
#include "tests/lib/mkheap.h"

#include <stdlib.h>

#define SIZE 256
#define COUNT 28
#define LARGE 1024
#define ARENA 0xd000000000 // a heapArena of zeros
#define ARENA_SIZE (3u << 20)
#define MAX_MEMORY (256u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct sample {
	struct mkruntime *m;
	struct mkheap heap;
	target_addr small, headed, large, type;
};

static void set_fact(struct sample *s, enum layout_id id, uint64_t value, uint64_t size)
{
	s->m->layout.facts[id].found = true;
	s->m->layout.facts[id].value = value;
	s->m->layout.facts[id].size = size;
}

/* Since 1.22 with and without Green Tea; until 1.21; until 1.19. */
static void choose_release(struct sample *s, uint8_t choice)
{
	mkruntime_forget(s->m, HEAP_ARENA_BITMAP);
	mkruntime_forget(s->m, HEAP_ARENA_NO_MORE);
	set_fact(s, SPECIAL_FINALIZER, 40, 8);
	set_fact(s, SPECIAL_CLEANUP, 40, 24);
	set_fact(s, SPECIAL_WEAK_HANDLE, 40, 8);
	set_fact(s, SPECIAL_KIND_FINALIZER, 2, 0);
	set_fact(s, SPECIAL_KIND_WEAK_HANDLE, 3, 0);
	set_fact(s, SPECIAL_KIND_CLEANUP, 7, 0);
	set_fact(s, TFLAG_MASK_ON_DEMAND, 16, 0);
	set_fact(s, FINALIZERS_LIST, 32, 80);
	if (choice % 4 == 1)
		mkruntime_forget(s->m, HEAP_ARENA_INLINE_MARKS);
	if (choice % 4 == 2) {
		set_fact(s, HEAP_ARENA_BITMAP, 0, 1u << 20);
		set_fact(s, HEAP_ARENA_NO_MORE, 1u << 20, 1u << 14);
	}
	if (choice % 4 == 3)
		set_fact(s, HEAP_ARENA_BITMAP, 0, 2u << 20);
}

static void make_type(struct sample *s)
{
	target_addr element = mkruntime_type(s->m, "*int", GO_POINTER, 8);
	target_addr mask = mkruntime_alloc(s->m, 16);

	s->type = mkruntime_type(s->m, "[8]*int", GO_ARRAY, 64);
	mkruntime_word(s->m, s->type + 48, element);
	mkruntime_word(s->m, s->type + 64, 8);
	mkruntime_word(s->m, element + 48, element);
	mkruntime_set(s->m, s->type, TYPE_POINTER_BYTES, 64);
	mkruntime_set(s->m, s->type, TYPE_POINTER_MASK, mask);
	mkruntime_set(s->m, s->type, TYPE_TFLAG, 16);
}

static void make_spans(struct sample *s)
{
	target_addr table = mkruntime_alloc(s->m, 16);
	target_addr arenas =
		mkruntime_variable(s->m, VAR_MHEAP) + layout_value(&s->m->layout, MHEAP_ARENAS);

	mkheap_init(&s->heap, s->m);
	s->small = mkheap_add(&s->heap, (struct mkheap_span){SIZE, COUNT, 16 * 2, 0, 0});
	s->headed = mkheap_add(&s->heap, (struct mkheap_span){LARGE, 7, 40 * 2, 0, 0});
	s->large = mkheap_add(&s->heap, (struct mkheap_span){2 * MKHEAP_PAGE, 1, 0, 2, s->type});
	mkruntime_word(s->m, arenas, table - ((s->small + 0x800000000000) >> 26) * 8);
	mkruntime_word(s->m, table, ARENA);
	for (uint64_t i = 0; i < 7; i++) {
		mkruntime_word(s->m, s->headed + i * LARGE, s->type);
		mkruntime_word(s->m, s->headed + i * LARGE + 8, s->small + i * SIZE);
		mkruntime_word(s->m, s->large + i * 8, s->headed + i * LARGE);
	}
	for (uint64_t i = 0; i < COUNT * SIZE / 8; i += 3)
		mkheap_pointer(&s->heap, s->small, i, 0);
}

/* Each waits on the next one's channel; the last for a lock. */
static void make_goroutines(struct sample *s)
{
	for (uint64_t i = 0; i < 4; i++) {
		target_addr g = mkruntime_g(s->m, i + 1, GOROUTINE_WAITING);
		target_addr sudog = s->small + (2 * i) * SIZE, channel = sudog + SIZE;
		target_addr record = mkruntime_object(s->m, DEFER_FN);

		mkruntime_set(s->m, g, G_WAIT_REASON, i == 3 ? 3 : i == 2 ? 2 : 1);
		mkruntime_set(s->m, g, G_WAITING, sudog);
		mkruntime_set(s->m, g, G_CONTEXT, channel + 2 * SIZE);
		mkruntime_set(s->m, g, G_DEFER, record);
		mkruntime_set(s->m, record, DEFER_FN, s->headed);
		mkruntime_set(s->m, sudog, SUDOG_G, g);
		mkruntime_set(s->m, sudog, i == 3 ? SUDOG_ELEM : SUDOG_C, channel);
		mkruntime_set(s->m, channel, HCHAN_RECEIVE_QUEUE, sudog);
		mkruntime_set(s->m, channel, HCHAN_ELEM_TYPE, s->type);
		if (i == 3)
			mkruntime_word(s->m, mkruntime_variable(s->m, VAR_SEMTABLE) + 8, sudog);
	}
	mkruntime_set(s->m, mkruntime_g(s->m, 9, GOROUTINE_RUNNABLE), G_CONTEXT, s->large);
}

static void make_roots(struct sample *s)
{
	target_addr module = mkruntime_variable(s->m, VAR_FIRST_MODULE);
	target_addr data = mkruntime_alloc(s->m, 64), mask = mkruntime_alloc(s->m, 16);
	target_addr block = mkruntime_alloc(s->m, 128), before = 0;

	mkruntime_word(s->m, data, s->headed);
	mkruntime_word(s->m, mask, 0xff);
	mkruntime_set(s->m, module, MODULE_DATA, data);
	mkruntime_set(s->m, module, MODULE_DATA_END, data + 64);
	mkruntime_set(s->m, module, MODULE_DATA_MASK, mask);
	mkruntime_set(s->m, module, MODULE_DATA_BITS, 8);
	mkruntime_set(s->m, block, FINALIZERS_IN_BLOCK, 1);
	mkruntime_set(s->m, 0, VAR_ALL_FINALIZERS, block);
	for (uint64_t kind = 2; kind < 8; kind++) {
		target_addr special = mkruntime_alloc(s->m, 64);

		mkruntime_set(s->m, special, SPECIAL_NEXT, before);
		mkruntime_set(s->m, special, SPECIAL_OFFSET, kind * SIZE);
		mkruntime_set(s->m, special, SPECIAL_KIND, kind);
		before = special;
	}
	mkruntime_set(s->m, s->heap.mspans[0], SPAN_SPECIALS, before);
}

static void add_arena(struct sample *s)
{
	static const uint8_t zeros[ARENA_SIZE];

	if (image_add(s->m->image, (struct image_view){.start = ARENA,
					   .end = ARENA + ARENA_SIZE,
					   .bytes = zeros,
					   .is_core = true}) != CS_OK ||
		image_seal(s->m->image) != CS_OK)
		abort();
}

static void search(struct sample *s)
{
	struct thread_states threads = {0};
	struct goroutines goroutines;
	struct frame_table frames;
	struct leaks leaks;

	if (goroutines_load(s->m->rt, &goroutines) != CS_OK)
		return;
	u64map_init(&threads.by_machine, &s->m->arena);
	frame_table_init(&frames, s->m->rt);
	if (leaks_find(&(struct leaks_input){.rt = s->m->rt,
			       .goroutines = &goroutines,
			       .threads = &threads,
			       .frames = &frames,
			       .arena = &s->m->arena},
		    &leaks) != CS_OK)
		return;
	if (leaks.reached_objects > leaks.objects || leaks.reached_bytes > leaks.bytes ||
		leaks.count > leaks.candidates || (leaks.why_not && leaks.count))
		abort();
	for (size_t i = 0; i < leaks.count; i++)
		if (leaks.list[i] >= goroutines.count || !leaks.evidence[i][0])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct sample s = {.m = mkruntime_create(0)};

	s.m->arena.max = MAX_MEMORY;
	choose_release(&s, size ? bytes[0] : 0);
	make_type(&s);
	make_spans(&s);
	make_goroutines(&s);
	make_roots(&s);
	if (size > 1)
		mkruntime_patch(s.m, bytes + 1, (size - 1) / 8);
	if (mkruntime_open(s.m) == CS_OK) {
		add_arena(&s);
		search(&s);
	}
	mkruntime_destroy(s.m);
	return 0;
}
