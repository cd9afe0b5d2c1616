// The frames of C code: walked by call frame information, named by ELF symbols, as places of the
// same table that Go's frames are in.
#ifndef CORESNAP_ANALYZER_UNWIND_CFRAMES_H
#define CORESNAP_ANALYZER_UNWIND_CFRAMES_H

#include "analyzer/binary/cfi.h"
#include "analyzer/unwind/objects.h"
#include "analyzer/unwind/walk.h"

struct cframes {
	struct frame_table *table; // borrowed
	struct objects objects;
	struct u64map by_pc; // pc * 2 + is_exact to place << 32 | object's index + 1 (0: none)
	uint64_t steps_left; // physical frames that all walks together may still take
	uint64_t symbol_steps_left, lines_left;
};

/** Why a walk through C ended. */
enum c_end {
	C_REACHED_GO, // at a pc in a Go function
	C_OUTERMOST,  // at a function that nothing called
	C_UNKNOWN_PC, // in no file that was mapped
	C_NO_OBJECT,  // in a file that cannot be had
	C_NO_RULE,    // its file has no call frame information for it
	C_UNREADABLE, // stack memory not in the core
	C_TOO_LONG,
};

struct c_stack {
	enum c_end end;
	struct cfi_registers at; // of the frame where it ended: Go's, or the last C frame's
	bool is_called_by_go; // the outermost is a wrapper that cgo wrote: only asmcgocall calls it
};

/** Nothing is opened yet. */
void cframes_init(struct cframes *c, struct frame_table *table, struct binary *executable,
	const char *path, struct file_source source);

/** Closes what was opened. */
void cframes_close(struct cframes *c);

/** Walks through C from `start`. `ret` is overwritten with its frames; a walk never fails. */
struct c_stack cframes_walk(struct cframes *c, struct cfi_registers start, struct walk *ret);

/** Whether a file was mapped at `pc` that is not known to hold no code there. */
bool cframes_has_code(struct cframes *c, target_addr pc);

/** Adds what is missing to the diagnostics. Call once, when all is walked. */
void cframes_report(const struct cframes *c, struct diag *diag);

#endif
