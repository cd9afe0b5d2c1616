// What the files of roots.c share: where package variables can lie, and the proofs of single ones.
#ifndef CORESNAP_ANALYZER_RUNTIME_ROOTS_INTERNAL_H
#define CORESNAP_ANALYZER_RUNTIME_ROOTS_INTERNAL_H

#include "analyzer/runtime/roots.h"

#define ROOT_RANGES 4

struct roots {
	struct runtime *rt; // borrowed
	struct {
		target_addr start, end;
	} ranges[ROOT_RANGES]; // noptrdata, data, bss, noptrbss, as moduledata has them
	uint64_t steps;        // target structs looked at so far, at most MAX_ROOT_STEPS
	uint64_t goroutine_id; // the highest id that allgs holds; 0 where allgs is not known
	uint64_t chain_length; // of allm, as its structure says; 0 where it is not known
};

/** The linked address of a variable is noted in the layout, with its size. */
void roots_set(struct roots *roots, enum layout_id id, target_addr address, uint64_t size);

/** Whether [address, address + size) lies in the module's variables. */
bool roots_holds(const struct roots *roots, target_addr address, uint64_t size);

/** A number of 1 to 8 bytes at `address`; false where it is not in the image. */
bool roots_number(const struct roots *roots, target_addr address, uint64_t size, uint64_t *ret);

/** Field `id` of the struct at `address`; false where it cannot be read, or is not of the layout. */
bool roots_field(const struct roots *roots, target_addr address, enum layout_id id, uint64_t *ret);

/* roots_structure.c */

/** What a slice of gs, or of ps, is worth: how many elements it has; 0 where it is none. */
uint64_t roots_goroutines_at(struct roots *roots, target_addr address);
uint64_t roots_processors_at(struct roots *roots, target_addr address);

/** How many ms are linked from the pointer at `address`; 0 where it is not one to an m. */
uint64_t roots_machines_at(struct roots *roots, target_addr address);

/** Whether runtime.sched can lie at `address`. Asks for no default limit on threads. */
bool roots_is_sched(struct roots *roots, target_addr address);

/**
 * Where the structure alone says that allgs, allp, allm or sched lies; 0 where nothing has it, or
 * more than one place has it and nothing tells them apart.
 */
target_addr roots_scan(struct roots *roots, enum layout_id id);

/** The highest goroutine id in the slice of gs at `address`. */
uint64_t roots_highest_id(struct roots *roots, target_addr address);

/* roots_references.c */

/** Fills every row that is not found yet from the code of well-known functions. */
void roots_find_by_reference(struct roots *roots);

#endif
