// What the files of roots.c share: where package variables can lie, and the proofs of single ones.
#ifndef CORESNAP_ANALYZER_RUNTIME_ROOTS_INTERNAL_H
#define CORESNAP_ANALYZER_RUNTIME_ROOTS_INTERNAL_H

#include "analyzer/runtime/roots.h"

/** Where package variables lie, in moduledata's order; the middle two may hold pointers. */
enum root_range { ROOT_NOPTRDATA, ROOT_DATA, ROOT_BSS, ROOT_NOPTRBSS, ROOT_RANGES };

struct roots {
	struct runtime *rt; // borrowed
	struct {
		target_addr start, end;
	} ranges[ROOT_RANGES];
	target_addr start, end; // around all of them
	uint64_t steps;         // words and structs looked at so far, at most MAX_ROOT_STEPS
	uint64_t goroutine_id;  // the highest id that allgs holds; 0 where allgs is not known
	uint64_t chain_length;  // of allm, as its structure says; 0 where it is not known
};

/** Notes in the layout where the variable lies. */
void roots_set(struct roots *roots, enum layout_id id, target_addr address);

/** Whether [address, address + size) lies in the module's variables. */
bool roots_holds(const struct roots *roots, target_addr address, uint64_t size);

/** A number of 1 to 8 bytes at `address`; false where it is not in the image. */
bool roots_number(const struct roots *roots, target_addr address, uint64_t size, uint64_t *ret);

/** Field `id` of the struct at `address`; false where it cannot be read, or is not of the layout.
 */
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

/** The highest goroutine id in the slice of gs at `address`, of those that were looked at. */
uint64_t roots_highest_id(struct roots *roots, target_addr address);

/* roots_references.c */

/** Fills every row that is not found yet from the code of well-known functions. */
void roots_find_by_reference(struct roots *roots);

#endif
