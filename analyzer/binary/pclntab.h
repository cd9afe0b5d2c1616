// Go's function table (runtime/symtab.go, cmd/link/internal/ld/pcln.go): which function a pc lies
// in, its file and line, its frame size, its inlined calls. In every Go binary, stripped or not.
// Reads the formats of Go 1.18 (magic 0xfffffff0) and 1.20 to 1.27 (0xfffffff1).
#ifndef CORESNAP_ANALYZER_BINARY_PCLNTAB_H
#define CORESNAP_ANALYZER_BINARY_PCLNTAB_H

#include "analyzer/core/image.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bits of pcln_func.flags, internal/abi/symtab.go. */
#define FUNC_FLAG_TOP_FRAME 1
#define FUNC_FLAG_SP_WRITE 2
#define FUNC_FLAG_ASM 4

#define PCDATA_UNSAFE_POINT 0
#define PCDATA_STACK_MAP_INDEX 1
#define PCDATA_INLINE_INDEX 2
#define PCDATA_ARG_LIVE_INDEX 3
#define FUNCDATA_ARGS_POINTER_MAPS 0
#define FUNCDATA_LOCALS_POINTER_MAPS 1
#define FUNCDATA_STACK_OBJECTS 2
#define FUNCDATA_INLINE_TREE 3
#define FUNCDATA_OPEN_CODED_DEFER 4
#define FUNCDATA_ARG_INFO 5
#define FUNCDATA_ARG_LIVE_INFO 6
#define FUNCDATA_WRAP_INFO 7

struct pclntab;

/** One physical function. Offsets are within the table and were checked when the row was read. */
struct pcln_func {
	uint32_t index;
	target_addr entry, end; // end: the next function's entry
	const char *name;       // as in the table, never NULL; since 1.21 with a generic's shapes,
				// "main.Sum[go.shape.int]", where Go itself prints "main.Sum[...]"
	int32_t arguments_size; // bytes; negative where unknown (assembly)
	int32_t start_line;     // 1.20+; 0 where not known
	uint8_t id, flags;
	uint32_t sp_table, file_table, line_table, deferreturn, unit;
	uint32_t pcdata_count, funcdata_count;
	uint32_t tables; // byte offset of the pcdata words, funcdata words behind them
};

/** One logical frame at a pc: the function itself or one inlined into it. */
struct pcln_frame {
	const char *function; // never NULL
	const char *file;     // "?" where the table does not say
	int32_t line;         // 0 where it does not say
	int32_t start_line;   // of this (inlined) function; 0 where not known
	uint8_t id;           // FuncID; 0 where the function is not special
	bool is_inlined;      // in the frame below it (the next in the list)
};

/**
 * Reads the table of `size` bytes (0: not known, bounded by the readable run) whose header lies at
 * `header`. `text` is moduledata.text: entries are relative to it; 0 takes the header's own
 * textStart (1.18 to 1.25). `gofunc` is moduledata.gofunc, the base of function data; 0 where not
 * known, then nothing is inlined. Keeps pointers into the image.
 */
CS_MUST_USE enum cs_status pclntab_load(const struct image *image, target_addr header,
	uint64_t size, target_addr text, target_addr gofunc, struct arena *arena, struct diag *diag,
	struct pclntab **ret);

/** Number of functions, and the one at `index` in order of entry; false past the last or corrupt.
 */
uint32_t pclntab_count(const struct pclntab *table);
bool pclntab_at(const struct pclntab *table, uint32_t index, struct pcln_func *ret);

/** [start, end) of all functions' code. */
target_addr pclntab_start(const struct pclntab *table);
target_addr pclntab_end(const struct pclntab *table);

/** The function that holds `pc`; false where none does. */
bool pclntab_find(const struct pclntab *table, target_addr pc, struct pcln_func *ret);

/** The first function called `name`; false where there is none. Linear: for use at load. */
bool pclntab_find_name(const struct pclntab *table, const char *name, struct pcln_func *ret);

/**
 * Bytes by which the function has moved sp at `pc` (pcsp), not counting the return address; false
 * where the table does not say.
 */
bool pclntab_sp_delta(
	const struct pclntab *table, const struct pcln_func *func, target_addr pc, int32_t *ret);

/** The value of pcdata table `index` at `pc`; -1 where there is none. */
int32_t pclntab_pcdata(
	const struct pclntab *table, const struct pcln_func *func, uint32_t index, target_addr pc);

/** The address of funcdata `index`; 0 where there is none. */
target_addr pclntab_funcdata(
	const struct pclntab *table, const struct pcln_func *func, uint32_t index);

/**
 * The logical frames at `pc` in `func`, innermost first, at most `max`: inlined calls by the inline
 * tree, then the function itself. Returns how many (at least 1 when max is). `pc` is the address
 * whose line is wanted: return address - 1 for calls.
 */
size_t pclntab_expand(const struct pclntab *table, const struct pcln_func *func, target_addr pc,
	struct pcln_frame *ret, size_t max);

/**
 * Calls `each` with the first pc of every row of the function's line table, until it returns false:
 * enough of its places to meet all that was inlined with lines of its own.
 */
void pclntab_each_line(const struct pclntab *table, const struct pcln_func *func,
	bool (*each)(void *context, target_addr pc), void *context);

/** The last line of the function's own code, without what was inlined into it; 0: not known. */
int32_t pclntab_last_line(const struct pclntab *table, const struct pcln_func *func);

/**
 * Offsets in the function where a line begins, ascending, at most `max`: instructions start there.
 * Returns how many.
 */
size_t pclntab_line_starts(
	const struct pclntab *table, const struct pcln_func *func, uint32_t *ret, size_t max);

/** File and line of `pc` without the inline tree: file "?" and line 0 where not known. */
void pclntab_line(const struct pclntab *table, const struct pcln_func *func, target_addr pc,
	const char **file_ret, int32_t *line_ret);

#endif
