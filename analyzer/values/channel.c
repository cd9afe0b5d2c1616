// Channels (runtime/chan.go hchan): a ring of `dataqsiz` elements of which `qcount` from recvx on
// are live, and two queues of waiting goroutines, linked through their sudogs. A waiting sender's
// value lies where its sudog's elem points.
#include "analyzer/values/reading.h"

#include "analyzer/runtime/select_case.h"
#include "common/limits.h"

#define MAX_CHANNEL_CAPACITY (UINT64_C(1) << 47)

struct hchan {
	struct object object;
	uint64_t count, capacity, send_index, receive_index;
	target_addr buffer;
	struct type *element;
};

/** Fills in what the hchan says of itself; false where that contradicts itself. */
static bool load_hchan(struct value_reader *reader, struct value *value, struct hchan *ret)
{
	const struct runtime *rt = reader->rt;
	struct object object = ret->object;
	struct type *element = types_at(reader->types, object_get(rt, object, HCHAN_ELEM_TYPE));

	ret->count = object_get(rt, object, HCHAN_COUNT);
	ret->capacity = object_get(rt, object, HCHAN_CAPACITY);
	ret->send_index = object_get(rt, object, HCHAN_SEND_INDEX);
	ret->receive_index = object_get(rt, object, HCHAN_RECEIVE_INDEX);
	ret->buffer = object_get(rt, object, HCHAN_BUFFER);
	ret->element = element;
	if (!element || ret->count > ret->capacity || ret->capacity > MAX_CHANNEL_CAPACITY ||
		(ret->capacity ? ret->receive_index >= ret->capacity ||
					 ret->send_index >= ret->capacity
			       : ret->receive_index || ret->send_index) ||
		(uint16_t)element->size != object_get(rt, object, HCHAN_ELEM_SIZE))
		return false;
	// What the variable says its elements are must be as large as they are.
	return !type_load(value->type->element) || value->type->element->size == element->size;
}

static void read_queued(
	struct value_reader *reader, struct value *value, const struct hchan *hchan, uint32_t depth)
{
	uint64_t shown = begin_elements(reader, value, hchan->count, depth);

	for (uint64_t i = 0; i < shown && reader->nodes_left; i++) {
		uint64_t slot = (hchan->receive_index + i) % hchan->capacity;
		struct place place = place_at(hchan->buffer + slot * hchan->element->size, true);
		struct value *element = value_read_below(reader, hchan->element, &place, depth - 1);

		if (!element)
			break;
		value->elements[value->element_count++] = element;
	}
	if (value->element_count < hchan->count)
		value->is_truncated = true;
}

/** Which case of its select a waiter stands for. */
static int64_t case_of(const struct runtime *rt, struct object sudog, bool is_send)
{
	struct select_cases cases;

	if (!object_get(rt, sudog, SUDOG_IS_SELECT))
		return -1;
	select_cases_load(rt, object_get(rt, sudog, SUDOG_G), &cases);
	return select_case_of(&cases, sudog.address, is_send);
}

/** The goroutines of one queue; how many there are in all is returned. */
static uint64_t read_queue(struct value_reader *reader, target_addr first, target_addr channel,
	struct type *sent, uint32_t depth, struct value_waiter **list_ret, uint32_t *count_ret)
{
	const struct runtime *rt = reader->rt;
	uint32_t max = reader->limits->max_queue, count = 0;
	struct value_waiter *list;
	uint64_t total = 0;

	list = arena_array(reader->arena, first ? max : 0, sizeof(*list));
	for (target_addr at = first; at && total < MAX_GOROUTINES;) {
		struct object sudog = object_load(rt, at, OBJECT_SUDOG);
		struct object g;

		if (!sudog.bytes || object_get(rt, sudog, SUDOG_C) != channel)
			break;
		total++;
		g = object_load(rt, object_get(rt, sudog, SUDOG_G), OBJECT_G);
		if (list && count < max && g.bytes) {
			struct place place = place_at(object_get(rt, sudog, SUDOG_ELEM), true);

			list[count].goroutine = object_get(rt, g, G_ID);
			list[count].select_case = case_of(rt, sudog, sent);
			if (sent && place.address && depth && reader->nodes_left)
				list[count].value =
					value_read_below(reader, sent, &place, depth - 1);
			count++;
		}
		at = object_get(rt, sudog, SUDOG_NEXT);
		if (at == first)
			break;
	}
	*list_ret = list;
	*count_ret = count;
	return total;
}

static void read_queues(struct value_reader *reader, const struct value *value,
	const struct hchan *hchan, uint32_t depth)
{
	struct value_channel *channel = value->channel;
	const struct runtime *rt = reader->rt;

	channel->send_queue_total =
		read_queue(reader, object_get(rt, hchan->object, HCHAN_SEND_QUEUE), value->pointer,
			hchan->element, depth, &channel->send_queue, &channel->send_queue_count);
	channel->receive_queue_total = read_queue(reader,
		object_get(rt, hchan->object, HCHAN_RECEIVE_QUEUE), value->pointer, NULL, depth,
		&channel->receive_queue, &channel->receive_queue_count);
}

/**
 * Whether timers' channels are buffered as until 1.22: GODEBUG=asynctimerchan, up to 1.26. Without,
 * len and cap of them are 0 to the program, whatever the runtime keeps in the buffer (chanlen).
 */
static bool has_async_timers(const struct runtime *rt)
{
	uint64_t is_set;

	return runtime_read_field(rt, VAR_DEBUG, DEBUG_ASYNC_TIMER_CHAN, &is_set) && is_set;
}

/** The hchan at value->pointer, which is live. */
static void read_hchan(struct value_reader *reader, struct value *value, uint32_t depth)
{
	const struct runtime *rt = reader->rt;
	struct hchan hchan = {.object = object_load(rt, value->pointer, OBJECT_HCHAN)};

	if (!hchan.object.bytes) {
		fail(value, UNAVAILABLE_NOT_IN_CORE);
		return;
	}
	if (!load_hchan(reader, value, &hchan)) {
		fail(value, UNAVAILABLE_CORRUPT);
		return;
	}
	value->channel = arena_alloc(reader->arena, sizeof(*value->channel));
	if (!value->channel)
		return;
	value->length = hchan.count;
	value->capacity = hchan.capacity;
	value->has_length = true;
	value->channel->is_closed = object_get(rt, hchan.object, HCHAN_CLOSED);
	value->channel->is_timer = object_get(rt, hchan.object, HCHAN_TIMER);
	if (value->channel->is_timer && !has_async_timers(rt)) {
		add_internal(reader, value, "qcount", GO_UINT, hchan.count);
		add_internal(reader, value, "dataqsiz", GO_UINT, hchan.capacity);
		value->length = value->capacity = hchan.count = 0;
	}
	value->channel->send_index = hchan.send_index;
	value->channel->receive_index = hchan.receive_index;
	if (has_internals(reader, depth)) {
		add_internal(reader, value, "buf", GO_UNSAFE_POINTER, hchan.buffer);
		add_internal(reader, value, "elemsize", GO_UINT16, hchan.element->size);
	}
	if (has_internals(reader, depth) && value->channel->is_timer)
		add_internal(reader, value, "timer", GO_UNSAFE_POINTER,
			object_get(rt, hchan.object, HCHAN_TIMER));
	read_queued(reader, value, &hchan, depth);
	read_queues(reader, value, &hchan, depth);
}

void read_channel(
	struct value_reader *reader, struct value *value, const struct place *place, uint32_t depth)
{
	if (!read_word(reader, value, place))
		return;
	if (!is_kept(reader, place, 0, value->pointer))
		fail(value, UNAVAILABLE_NOT_KEPT_ALIVE);
	else
		read_hchan(reader, value, depth);
}

struct value *value_read_channel(struct value_reader *reader, target_addr address)
{
	const struct runtime *rt = reader->rt;
	struct object object = object_load(rt, address, OBJECT_HCHAN);
	struct type *element =
		object.bytes ? types_at(reader->types, object_get(rt, object, HCHAN_ELEM_TYPE))
			     : NULL;
	struct type *type = element ? types_channel_of(reader->types, element)
				    : types_unknown(reader->types, NULL);
	static const struct place nowhere;
	struct value *value;

	if (!type || !reader->nodes_left)
		return NULL;
	value = value_make(reader, type, &nowhere);
	if (!value)
		return NULL;
	value->kind = VALUE_CHAN;
	value->pointer = address;
	value->has_pointer = true;
	if (element)
		read_hchan(reader, value, reader->limits->max_depth);
	else
		fail(value, object.bytes ? UNAVAILABLE_CORRUPT : UNAVAILABLE_NOT_IN_CORE);
	return value;
}
