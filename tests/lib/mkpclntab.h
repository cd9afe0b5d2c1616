// Builds Go function tables as bytes, in the formats of Go 1.18 and 1.20+, with inline trees, so
// that tests of pclntab and unwinding need no Go toolchain. Out of memory aborts.
//
//	struct mkpclntab *t = mkpclntab_create(0xfffffff1, 1);
//	mkpclntab_add(t, &(struct mkpclntab_func){.name = "main.main", .size = 64,
//		.sp = (struct mkpclntab_run[]){{8, 0}, {64, 24}}, .lines = …});
//	mkpclntab_finish(t, 0x401000);
#ifndef CORESNAP_TESTS_LIB_MKPCLNTAB_H
#define CORESNAP_TESTS_LIB_MKPCLNTAB_H

#include <stddef.h>
#include <stdint.h>

/** The value up to `end`, a byte offset in the function. The last run's end is the function's size.
 */
struct mkpclntab_run {
	uint32_t end;
	int32_t value;
};

/** A row of the inline tree. */
struct mkpclntab_call {
	const char *name;
	uint8_t id;
	int32_t parent_pc, start_line;
};

/** Runs that are NULL make a function without that table. File numbers count from 0. */
struct mkpclntab_func {
	const char *name;
	uint32_t size;
	int32_t arguments_size, start_line;
	uint8_t id, flags;
	const struct mkpclntab_run *sp, *files, *lines, *inlined;
	const struct mkpclntab_call *calls;
	size_t call_count;
};

struct mkpclntab_buffer {
	uint8_t *bytes;
	size_t size, capacity;
};

struct mkpclntab {
	struct mkpclntab_buffer table;  // filled in by mkpclntab_finish
	struct mkpclntab_buffer gofunc; // what moduledata.gofunc points to

	/* Private. */
	uint32_t magic, quantum, count, end;
	struct mkpclntab_buffer names, units, files, pctab, rows, functions;
};

/** An empty table of the format `magic`; `quantum` is 1 for amd64, 4 for arm64. */
struct mkpclntab *mkpclntab_create(uint32_t magic, uint32_t quantum);

/** NULL is fine. */
void mkpclntab_destroy(struct mkpclntab *t);

/** Adds a file name; its number is how many came before. */
void mkpclntab_add_file(struct mkpclntab *t, const char *name);

/** Adds a function right behind the one before. */
void mkpclntab_add(struct mkpclntab *t, const struct mkpclntab_func *func);

/** Puts `table` together; `text` goes into the header's textStart (0 as Go 1.26 does). */
void mkpclntab_finish(struct mkpclntab *t, uint64_t text);

#endif
