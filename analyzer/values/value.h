// A Go value as a Go programmer thinks of it, with the runtime's own fields beside it: a small tree
// made from a type and a place, within limits. SNAPSHOT.md (Value) is its written form, and says
// what each member means.
#ifndef CORESNAP_ANALYZER_VALUES_VALUE_H
#define CORESNAP_ANALYZER_VALUES_VALUE_H

#include "analyzer/binary/type.h"
#include "analyzer/runtime/runtime.h"
#include "analyzer/values/place.h"
#include "common/arena.h"
#include "common/u64map.h"

struct liveness;
struct types;
struct value;

/** Caps; they limit the work, not only what is written. 0 is a cap like any other. */
struct value_limits {
	uint32_t max_string;   // bytes of a string or []byte
	uint32_t max_elements; // of a slice, array, map, channel buffer
	uint32_t max_depth;    // pointers, interfaces, fields and elements below the variable
	uint32_t max_fields;   // of a struct
	uint32_t max_queue;    // goroutines of a channel's queue
};

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_UINT,
	VALUE_FLOAT,
	VALUE_COMPLEX,
	VALUE_STRING,
	VALUE_BYTES, // []byte
	VALUE_SLICE,
	VALUE_ARRAY,
	VALUE_MAP,
	VALUE_CHAN,
	VALUE_STRUCT,
	VALUE_POINTER,
	VALUE_INTERFACE,
	VALUE_FUNC,
	VALUE_UNSAFE_POINTER,
};

/** A member of a struct, a closure's captured variable, a runtime field of `internals`. */
struct named_value {
	const char *name;
	struct value *value;
};

struct value_entry {
	struct value *key, *value;
};

/** A goroutine in a channel's queue. */
struct value_waiter {
	uint64_t goroutine;  // its id
	int64_t select_case; // as in struct waiting_on; -1: it is in no select, or not known
	struct value *value; // what it would send; NULL where it receives, or not known
};

/** An error that another wraps. */
struct value_wrapped {
	const char *type, *text; // text: what its Error returns; NULL: not known
};

struct value_channel {
	bool is_closed, is_timer;
	uint64_t send_index, receive_index;
	struct value_waiter *send_queue, *receive_queue;
	uint32_t send_queue_count, receive_queue_count; // as many as the cap let in
	uint64_t send_queue_total, receive_queue_total;
};

struct value {
	struct type *type; // never NULL; kind GO_INVALID where it could not be read
	enum value_kind kind;
	enum unavailable unavailable; // of the whole; parts have their own
	enum evidence evidence;
	target_addr address; // where it lies; 0: in registers or pieces
	target_addr pointer; // the word it holds, for kinds that hold one
	bool has_pointer, has_length, is_nil, is_truncated, is_cycle, is_redacted;
	target_addr same_as; // 0: none; the `address` of a pointee, the `pointer` of a map or slice

	union {
		bool boolean;
		int64_t integer;
		uint64_t natural; // uints, uintptr
		double real[2];   // float: [0]; complex: both
		struct {
			const char *bytes;
			uint64_t size;   // as many as the cap let in
			uint64_t beyond; // readable behind them: whether they begin a secret
		} text;
	} scalar;

	uint64_t length, capacity; // the true ones
	bool lacks_capacity;       // nobody knows it
	struct value **elements;   // slice, array, a channel's queued elements in order
	uint32_t element_count;
	struct value_entry *entries; // map
	uint32_t entry_count;
	struct named_value *fields; // struct, closure
	uint32_t field_count;
	struct type *dynamic_type;   // interface; NULL: nil, or not readable
	struct value *dynamic_value; // interface
	struct value_wrapped *wraps; // interface with an error: what errors.Is looks at, in order
	uint32_t wrap_count;
	struct value *target;        // pointer; NULL: nil, or not followed
	bool has_content;            // a struct's entries, elements or dynamic value are its own
	const char *function;        // func; NULL: not known
	struct value_channel *channel;
	const char *natural_text; // a well-known type's natural form; NULL: none
	struct named_value *internals;
	uint32_t internal_count;
};

/** What a closure captured, as fields of its object; `count` 0: not known. */
struct closure_layout {
	const struct type_field *fields;
	uint32_t count;
	uint64_t references; // a bit for each of the first 64: it is a pointer to the variable
};

/**
 * What reads values. Made once for an analysis; value_reader_begin starts anew for each goroutine
 * (or other list of values): `same_as` and cycles refer within one such list, and its memory is
 * the caller's scratch arena.
 */
struct value_reader {
	const struct runtime *rt;          // borrowed
	struct types *types;               // borrowed: types by descriptor
	const struct value_limits *limits; // borrowed
	const struct liveness *liveness;   // borrowed; NULL: nothing is proved but by its place
	struct arena *arena;               // borrowed: where values go
	int64_t now;                       // the runtime's clock at the crash; 0: not known
	uint64_t nodes_left;               // values that may still be made; then "budget"
	struct u64map seen;                // address and type to the value written in full there
	/** What the function at `entry` captures, where somebody (DWARF) knows; may be NULL. */
	struct closure_layout (*closure_layout)(void *context, target_addr entry);
	void *closure_context; // borrowed
};

void value_reader_init(struct value_reader *reader, const struct runtime *rt, struct types *types,
	const struct value_limits *limits, const struct liveness *liveness);
void value_reader_begin(struct value_reader *reader, struct arena *scratch, uint64_t max_values);

/**
 * The value of `type` at `place`. Never NULL but where memory ends: what cannot be read says so in
 * itself. A word that may be stale is never followed.
 */
struct value *value_read(struct value_reader *reader, struct type *type, const struct place *place);

/** The channel whose hchan lies at `address`, with its queues; element type by the hchan itself. */
struct value *value_read_channel(struct value_reader *reader, target_addr address);

#endif
