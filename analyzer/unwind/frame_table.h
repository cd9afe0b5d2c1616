// What is known of every pc that occurs in some stack: its logical frames, its frame size, its role
// in unwinding. Looked up once per distinct pc; a hundred thousand goroutines share a handful.
#ifndef CORESNAP_ANALYZER_UNWIND_FRAME_TABLE_H
#define CORESNAP_ANALYZER_UNWIND_FRAME_TABLE_H

#include "analyzer/binary/pclntab.h"
#include "analyzer/runtime/runtime.h"
#include "common/u64map.h"

/**
 * A row of the snapshot's `frames`: one logical frame at one pc. Strings are the table's own. Of C
 * code `function` may be "", `file` NULL with `line` 0: not known.
 */
struct frame {
	const char *function, *file;
	int32_t line, start_line;
	target_addr pc, entry; // entry: of the physical function
	uint8_t id;            // FuncID, internal/abi/symtab.go
	bool is_inlined;
	const char *object; // NULL: Go. Else C, and the path of the file that its code is in
};

/** What a function does to a walk through it. Matched by name: FuncIDs shift between releases. */
enum frame_role {
	ROLE_NORMAL,
	ROLE_BOTTOM,       // nothing lies below it: goexit, mstart, rt0_go, mcall, morestack
	ROLE_SYSTEM_STACK, // on g0; the goroutine goes on at its own sched
	ROLE_SIGNAL,       // sigtramp: the interrupted registers lie behind its frame
	ROLE_INJECTED,     // its caller did not call it: sigpanic, asyncPreempt, debugCallV2
	ROLE_UNKNOWABLE,   // writes sp in a way that no table tells
	ROLE_CALLBACK,     // cgocallback: called by C, whose frames are on the thread's own stack
	ROLE_C,            // no Go function: walked by other means (cframes.h)
	ROLE_CRASH, // fatalpanic, fatalthrow: the runtime's own traceback starts at its caller
};

/** One physical frame's place: what a walk stores. */
struct code_place {
	uint32_t first_frame, frame_count; // in frames[]: innermost first
	target_addr
		caller_pc; // where it last returned to, and that pc's place: mostly the same again
	uint32_t caller;
	target_addr argument_info, live_info; // FUNCDATA_ArgInfo, FUNCDATA_ArgLiveInfo; 0: none
	int32_t live_index;                   // PCDATA_ArgLiveIndex at this pc
	int64_t frame_size; // from its sp to its caller's: pcsp, and what the call itself pushed
	bool has_frame_size;
	// FUNCDATA_LocalsPointerMaps, _ArgsPointerMaps and _StackObjects; 0: none
	target_addr local_maps, argument_maps, stack_objects;
	target_addr rodata; // of its module: the masks of stack objects count from here
	int32_t map_index; // PCDATA_StackMapIndex at this pc; NO_STACK_MAP where no map holds
	bool is_exact; // no call lies before the pc: it stopped there
	uint8_t role; // enum frame_role
};

struct frame_table {
	const struct runtime *rt; // borrowed
	struct frame *frames;
	size_t frame_count, frame_capacity;
	struct code_place *places;
	size_t place_count, place_capacity;
	struct u64map by_pc;       // pc * 2 + is_exact to its place; NO_PLACE where there is none
	struct u64map by_creation; // gopc to its frame
	uint64_t steps_left;       // physical frames that all walks together may still take
};

#define NO_PLACE UINT32_MAX
#define NO_STACK_MAP (-1)
#define NO_FRAME UINT32_MAX

/** An empty table over one process. */
void frame_table_init(struct frame_table *table, const struct runtime *rt);

/**
 * The place of `pc`, which is a return address, or, with is_exact, the very instruction at which a
 * signal stopped it. NO_PLACE where no Go function holds it, or when out of memory.
 */
uint32_t frame_table_place(struct frame_table *table, target_addr pc, bool is_exact);

/**
 * Whether a Go function holds `pc` (see frame_table_place). Go's own linker puts the C code of the
 * standard library into the same table, with a name and nothing else (cmd/link pcln.go): that is
 * none. `*name_ret` is its name then, else NULL.
 */
bool frame_table_is_go(
	struct frame_table *table, target_addr pc, bool is_exact, const char **name_ret);

/**
 * Adds a place of `role` with these logical frames, innermost first. NO_PLACE when out of memory.
 */
uint32_t frame_table_add(
	struct frame_table *table, enum frame_role role, const struct frame *frames, size_t count);

/**
 * The frame of a `go` statement as the runtime prints it (traceback.go printcreatedby1): the
 * physical function with the line of the innermost. NO_FRAME where `go_pc` is in no Go function.
 */
uint32_t frame_table_creation(struct frame_table *table, target_addr go_pc);

#endif
