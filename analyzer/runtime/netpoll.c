#include "analyzer/runtime/netpoll.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define WORD 8
#define CHUNK_SIZE (256u << 10) // malloc.go persistentChunkSize, in every release
#define PAGE_SIZE 4096u         // how much is read at once
// netpoll.go pdReady, pdWait; any other number but 0 is a g
#define POLL_READY 1
#define POLL_WAIT 2

static uint64_t number_at(const struct runtime *rt, target_addr object, enum layout_id id)
{
	uint64_t value = 0;

	runtime_read_at(rt, object, id, &value);
	return value;
}

static struct poll_side load_side(const struct runtime *rt, target_addr address,
	enum layout_id waiter, enum layout_id deadline)
{
	uint64_t who = number_at(rt, address, waiter);

	return (struct poll_side){.waiter = who > POLL_WAIT ? who : 0,
		.is_ready = who == POLL_READY,
		.deadline = (int64_t)number_at(rt, address, deadline)};
}

/** One that was never used has no sequence number; one that was closed stays so until it is reused. */
static bool is_in_use(const struct runtime *rt, target_addr address)
{
	uint64_t sequence, is_closing;

	return runtime_read_at(rt, address, NETPOLL_READ_SEQUENCE, &sequence) && sequence &&
	       runtime_read_at(rt, address, NETPOLL_CLOSING, &is_closing) && !is_closing;
}

static enum cs_status add_descriptor(const struct runtime *rt, target_addr address,
	struct poll_descriptors *all, size_t *capacity)
{
	struct poll_descriptor *grown;
	uint64_t fd;

	if (!is_in_use(rt, address) || !runtime_read_at(rt, address, NETPOLL_FD, &fd) ||
		fd > INT32_MAX || all->count >= MAX_POLL_DESCRIPTORS)
		return CS_OK;
	grown = arena_grow(rt->arena, all->list, capacity, all->count + 1, sizeof(*grown));
	if (!grown)
		return CS_NO_MEMORY;
	all->list = grown;
	grown[all->count++] = (struct poll_descriptor){.address = address,
		.fd = (int64_t)fd,
		.read = load_side(rt, address, NETPOLL_READER, NETPOLL_READ_DEADLINE),
		.write = load_side(rt, address, NETPOLL_WRITER, NETPOLL_WRITE_DEADLINE)};
	return CS_OK;
}

/** Every word of a page that is the `self` of a descriptor which it would lie in. */
static enum cs_status scan_page(const struct runtime *rt, target_addr page, const uint8_t *bytes,
	struct poll_descriptors *all, size_t *capacity)
{
	uint64_t self = layout_value(&rt->layout, NETPOLL_SELF);

	for (uint64_t at = 0; at < PAGE_SIZE; at += WORD) {
		enum cs_status status;
		uint64_t word;

		memcpy(&word, bytes + at, sizeof(word));
		if (word + self != page + at)
			continue;
		status = add_descriptor(rt, word, all, capacity);
		if (status != CS_OK)
			return status;
	}
	return CS_OK;
}

static enum cs_status scan_chunk(const struct runtime *rt, target_addr chunk,
	struct poll_descriptors *all, size_t *capacity)
{
	bool is_complete = true;

	for (uint64_t at = 0; at < CHUNK_SIZE; at += PAGE_SIZE) {
		const uint8_t *bytes = runtime_bytes(rt, chunk + at, PAGE_SIZE);
		enum cs_status status = CS_OK;

		if (bytes)
			status = scan_page(rt, chunk + at, bytes, all, capacity);
		else
			is_complete = false;
		if (status != CS_OK)
			return status;
	}
	if (!is_complete)
		diag_add(rt->diag, DIAG_WARNING, "unreadable-descriptors",
			"memory of the runtime's own is not in the core: descriptors may be "
			"missing");
	return CS_OK;
}

static int compare(const void *left, const void *right)
{
	const struct poll_descriptor *a = left, *b = right;

	if (a->fd != b->fd)
		return a->fd < b->fd ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

static enum cs_status map_waiters(struct poll_descriptors *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct poll_side *sides[] = {&all->list[i].read, &all->list[i].write};

		for (size_t k = 0; k < 2; k++)
			if (sides[k]->waiter &&
				!u64map_put(&all->by_waiter, sides[k]->waiter, i))
				return CS_NO_MEMORY;
	}
	return CS_OK;
}

enum cs_status poll_descriptors_load(const struct runtime *rt, struct poll_descriptors *ret)
{
	uint64_t chunk = 0;
	size_t capacity = 0, count = 0;
	struct u64map seen;

	*ret = (struct poll_descriptors){0};
	u64map_init(&ret->by_waiter, rt->arena);
	u64map_init(&seen, rt->arena);
	runtime_read_variable(rt, VAR_PERSISTENT_CHUNKS, &chunk);
	// The first word of a chunk is the address of the one before it.
	while (chunk && count++ < MAX_PERSISTENT_CHUNKS) {
		enum cs_status status;

		if (u64map_get(&seen, chunk, &(uint64_t){0}))
			break;
		if (!u64map_put(&seen, chunk, 1))
			return CS_NO_MEMORY;
		status = scan_chunk(rt, chunk, ret, &capacity);
		if (status != CS_OK)
			return status;
		if (image_read_u64(rt->image, chunk, &chunk) != CS_OK)
			break;
	}
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare);
	return map_waiters(ret);
}

const struct poll_descriptor *poll_descriptor_of(
	const struct poll_descriptors *descriptors, target_addr g)
{
	uint64_t index;

	return u64map_get(&descriptors->by_waiter, g, &index) ? &descriptors->list[index] : NULL;
}
