// Why a goroutine can never go on, in a sentence: what it waits for, and who else holds that. All
// who do are leaked themselves, or it would have been reached.
#include "analyzer/blocking/leaks_internal.h"

#include "analyzer/runtime/types.h"
#include "common/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_SENTENCE 1024

/** Leaked goroutines that hold an object. */
struct holders {
	size_t shown[MAX_HOLDERS_SHOWN]; // indices, in their order
	size_t count, last;
};

struct explanation {
	struct leak_search *search;
	struct types *types;
	struct u64map names;     // of element types, by their descriptors
	struct holders *holders; // for each row of awaiting.list that begins an object's chain
	char text[MAX_SENTENCE];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(
	struct explanation *e, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(e->text + e->used, sizeof(e->text) - e->used, format, args);
	va_end(args);
	if (size > 0)
		e->used += (size_t)size;
	if (e->used >= sizeof(e->text))
		e->used = sizeof(e->text) - 1;
}

/** The first row of the object that holds `address`; NO_ROW where nobody waits for it. */
static uint32_t row_of(const struct leak_search *search, target_addr address)
{
	struct heap_slot slot;
	uint64_t row = NO_ROW;

	if (heap_find(&search->heap, address, &slot) && search->mark.is_watched[slot.span])
		u64map_get(&search->by_object, heap_address(&search->heap, slot), &row);
	return (uint32_t)row;
}

static void add_holder(struct explanation *e, target_addr word, size_t index)
{
	uint32_t row = row_of(e->search, word);
	struct holders *holders = row == NO_ROW ? NULL : &e->holders[row];

	if (!holders || (holders->count && holders->last == index))
		return;
	if (holders->count < MAX_HOLDERS_SHOWN)
		holders->shown[holders->count] = index;
	holders->last = index;
	holders->count++;
}

/** What goroutine `index` holds of that which somebody waits for: by its wait, and on its stack. */
static void note_holdings(struct explanation *e, size_t index)
{
	struct leak_search *search = e->search;
	const struct awaited_by *by = &search->awaiting.of[index];

	for (uint32_t row = by->first; row < by->first + by->count; row++)
		add_holder(e, search->awaiting.list[row].object, index);
	stack_roots_find(&search->stacks, &search->input->goroutines->list[index]);
	for (size_t i = 0; i < search->stacks.count; i++) {
		add_holder(e, search->stacks.words[i], index);
		mark_word(&search->mark, search->stacks.words[i]);
	}
}

static const char *name_of_type(struct explanation *e, target_addr descriptor)
{
	struct type *type;
	uint64_t name;

	if (u64map_get(&e->names, descriptor, &name))
		return (const char *)(uintptr_t)name;
	type = types_at(e->types, descriptor);
	name = type && type->name ? (uintptr_t)type->name : 0;
	if (!u64map_put(&e->names, descriptor, name))
		return NULL;
	return (const char *)(uintptr_t)name;
}

static void say_channel(struct explanation *e, target_addr channel)
{
	const struct runtime *rt = e->search->input->rt;
	struct object hchan = object_load(rt, channel, OBJECT_HCHAN);
	const char *name = NULL;

	if (hchan.bytes)
		name = name_of_type(e, object_get(rt, hchan, HCHAN_ELEM_TYPE));
	say(e, "0x%llx", (unsigned long long)channel);
	if (name)
		say(e, " (chan %s)", name);
}

static const char *kind_of_lock(const char *reason)
{
	if (!reason)
		return "semaphore";
	if (strstr(reason, "RWMutex"))
		return "read-write lock";
	if (strstr(reason, "Mutex"))
		return "mutex";
	if (strstr(reason, "WaitGroup"))
		return "wait group";
	return strstr(reason, "Cond") ? "condition" : "semaphore";
}

static void say_holders(struct explanation *e, const struct holders *holders, size_t self)
{
	const struct goroutine *list = e->search->input->goroutines->list;
	size_t shown = holders->count < MAX_HOLDERS_SHOWN ? holders->count : MAX_HOLDERS_SHOWN;

	if (holders->count == 1 && holders->shown[0] == self) {
		say(e, "; this goroutine alone holds it");
		return;
	}
	say(e, "; only %s ", holders->count == 1 ? "goroutine" : "goroutines");
	for (size_t i = 0; i < shown; i++)
		say(e, "%s%llu",
			!i                        ? ""
			: i + 1 == holders->count ? " and "
						  : ", ",
			(unsigned long long)list[holders->shown[i]].id);
	if (holders->count > shown)
		say(e, " and %zu more", holders->count - shown);
	say(e, ", which nobody can wake either, %s it", holders->count == 1 ? "holds" : "hold");
}

static void explain_channels(struct explanation *e, const struct awaited_by *by, size_t index)
{
	const struct awaited *list = &e->search->awaiting.list[by->first];
	uint32_t row;

	if (by->count == 1) {
		say(e, "its channel ");
		say_channel(e, list[0].object);
		say(e, " is reached from no root");
		row = row_of(e->search, list[0].object);
		if (row != NO_ROW)
			say_holders(e, &e->holders[row], index);
		return;
	}
	say(e, "none of its %u channels is reached from a root: ", by->count);
	for (uint32_t i = 0; i < by->count && i < MAX_HOLDERS_SHOWN; i++) {
		say(e, "%s", i ? ", " : "");
		say_channel(e, list[i].object);
	}
	if (by->count > MAX_HOLDERS_SHOWN)
		say(e, " and %u more", by->count - MAX_HOLDERS_SHOWN);
}

static void explain_lock(struct explanation *e, const struct awaited_by *by, size_t index)
{
	const struct leak_search *search = e->search;
	const struct goroutine *g = &search->input->goroutines->list[index];
	target_addr object = search->awaiting.list[by->first].object;
	uint32_t row = row_of(search, object);

	say(e, "the %s at 0x%llx is reached from no root",
		kind_of_lock(search->input->rt->wait_reasons[g->wait_reason]),
		(unsigned long long)object);
	if (row != NO_ROW)
		say_holders(e, &e->holders[row], index);
}

static const char *explain(struct explanation *e, size_t index)
{
	const struct leak_search *search = e->search;
	const struct goroutine *g = &search->input->goroutines->list[index];
	const struct awaited_by *by = &search->awaiting.of[index];
	const char *reason = search->input->rt->wait_reasons[g->wait_reason];

	e->used = 0;
	if (by->kind == AWAITED_CHANNELS)
		explain_channels(e, by, index);
	else if (by->kind != AWAITED_NOTHING)
		explain_lock(e, by, index);
	else if (reason && !strcmp(reason, "select (no cases)"))
		say(e, "a select without cases never ends");
	else
		say(e, "its channel is nil: nothing ever happens on it");
	return arena_string(search->input->arena, e->text);
}

bool leaks_explain(struct leak_search *search, struct leaks *ret)
{
	struct explanation e = {.search = search,
		.types = types_create(search->input->rt, &search->scratch),
		.holders =
			arena_array(&search->scratch, search->awaiting.count, sizeof(*e.holders))};

	u64map_init(&e.names, &search->scratch);
	if (!e.types || !e.holders)
		return false;
	for (size_t i = 0; i < search->input->goroutines->count; i++)
		if (!search->is_runnable[i])
			note_holdings(&e, i);
	for (size_t i = 0; i < ret->count; i++) {
		ret->evidence[i] = explain(&e, ret->list[i]);
		if (!ret->evidence[i])
			return false;
	}
	for (size_t i = 0; i < search->awaiting.count; i++)
		mark_word(&search->mark, search->awaiting.list[i].object);
	mark_run(&search->mark);
	return true;
}
