// What the readers of the single kinds share; only analyzer/values includes it. `depth` is how many
// levels may still be read below a value: at 0 it shows itself and none of its parts.
#ifndef CORESNAP_ANALYZER_VALUES_READING_H
#define CORESNAP_ANALYZER_VALUES_READING_H

#include "analyzer/runtime/types.h"
#include "analyzer/values/value.h"

/** Copies bytes [offset, offset + size) of the place; why not, where they are not all there. */
enum unavailable fetch(const struct value_reader *reader, const struct place *place,
	uint64_t offset, uint64_t size, void *ret);

/** The 8 bytes at `offset` of the place. */
enum unavailable fetch_word(const struct value_reader *reader, const struct place *place,
	uint64_t offset, uint64_t *ret);

/** Whether what the pointer at `offset` of the place points to is known to be what it means. */
bool is_kept(const struct value_reader *reader, const struct place *place, uint64_t offset,
	target_addr pointer);

/** A value of its own, empty; NULL: out of memory. Takes one of nodes_left, which must be there. */
struct value *value_make(struct value_reader *reader, struct type *type, const struct place *place);

/** As value_read, some levels down. */
struct value *value_read_below(
	struct value_reader *reader, struct type *type, const struct place *place, uint32_t depth);

/**
 * What a live pointer points to: the value of `type` at `address`; NULL with *cycle_ret where one
 * stands above that is it; a reference where it was written in full already.
 */
struct value *value_follow(struct value_reader *reader, struct type *type, target_addr address,
	uint32_t depth, bool *cycle_ret);

/** A place and type that is being read, or was: for `same_as` and cycles. */
struct seen;

/**
 * Begins a value whose identity is `address`, `type` and `length`: false where it is a cycle or is
 * written already, which is then noted in `value`. Otherwise *ret is for seen_end (NULL: out of
 * memory, which is no harm).
 */
bool seen_begin(struct value_reader *reader, struct value *value, target_addr address,
	uint32_t depth, struct seen **ret);
void seen_end(struct value_reader *reader, struct seen *seen);

/** The word of a value that is a pointer, into `value`. True where there is something behind it. */
bool read_word(struct value_reader *reader, struct value *value, const struct place *place);

/** Room in value->elements for as many of `count` as the caps let in; returns how many those are. */
uint64_t begin_elements(
	struct value_reader *reader, struct value *value, uint64_t count, uint32_t depth);

/** Reads `count` values of `type`, `stride` bytes apart from `data` on, as value's elements. */
void read_elements(struct value_reader *reader, struct value *value, struct type *type,
	const struct place *place, uint64_t count, uint32_t depth);

/** Reads fields of an object as value's fields: of a struct, of a closure. */
void read_fields(struct value_reader *reader, struct value *value, const struct type_field *fields,
	uint32_t count, const struct place *place, uint32_t depth);

/** Whether a value so far below its variable still shows the runtime's own fields. */
static inline bool has_internals(const struct value_reader *reader, uint32_t depth)
{
	return depth + 3 > reader->limits->max_depth;
}

/** Notes a number as a runtime's own field: `kind` GO_INT, GO_UINT8, GO_UINTPTR, … */
void add_internal(struct value_reader *reader, struct value *value, const char *name,
	enum go_kind kind, uint64_t number);

/** The natural form stands with the outermost of interface, pointer and what that points to. */
void take_text(struct value *value, struct value *inner);

/**
 * What an atomic.Pointer[T] points to: its word is an unsafe.Pointer, and T stands in its first
 * field, `_ [0]*T` (sync/atomic/type.go, 1.19). False: `type` is none, or it is nil or not kept.
 */
bool atomic_pointer_target(const struct value_reader *reader, const struct type *type,
	const struct place *place, struct type **type_ret, target_addr *ret);

/** Where an entry's key and value lie; false: no more of them are wanted. */
typedef bool map_visitor(void *context, target_addr key, target_addr value);

/**
 * Goes through the map of `type` whose header lies at `address`, which is live, and makes no values
 * of it. False where not all of its entries could be seen.
 */
bool map_each(struct value_reader *reader, struct type *type, target_addr address,
	map_visitor *visit, void *context);

/** Why nothing of the value can be shown. */
static inline void fail(struct value *value, enum unavailable why)
{
	value->unavailable = why;
}

/* One for each kind: fills in `value`, which has its type, kind and address. */
void read_struct(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth);
void read_map(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth);
void read_channel(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth);
void read_interface(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth);
void read_func(struct value_reader *reader, struct value *value, const struct place *place,
	uint32_t depth);

#endif
