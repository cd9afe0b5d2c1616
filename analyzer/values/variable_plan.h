// What DWARF says of the variables at one pc, worked out once: which there are in each logical
// frame, of what type, and where they lie in terms of the frame, or why none of the goroutines that
// stand there can show them. A hundred thousand goroutines share a handful of plans.
#ifndef CORESNAP_ANALYZER_VALUES_VARIABLE_PLAN_H
#define CORESNAP_ANALYZER_VALUES_VARIABLE_PLAN_H

#include "analyzer/binary/dwarf_scope.h"
#include "analyzer/binary/dwarf_type.h"
#include "analyzer/runtime/types.h"
#include "analyzer/unwind/frame_table.h"
#include "analyzer/values/place.h"

struct planned_variable {
	const char *name;
	struct type *type; // of the variable; never NULL
	uint32_t frame;    // of the place's logical frames, 0 the innermost
	bool is_argument;  // results are none
	bool is_result;
	bool is_escaped; // `pieces` are of the pointer to it
	bool is_shadowed;
	int64_t dict_index; // of its type in the dictionary of a generic function; -1: in none
	// What all goroutines here have in common. UNAVAILABLE_CLOBBERED has pieces nevertheless,
	// as the flow of values may tell what the registers held: then it becomes AVAILABLE.
	enum unavailable unavailable;
	struct dwarf_piece *pieces;
	uint32_t piece_count;
	enum evidence evidence; // of the pieces; EVIDENCE_NONE: DWARF's own
	// For each piece what the flow of values calls it at this pc; 0: the piece tells. NULL:
	// all.
	uint64_t *symbols;
	bool is_constant; // nothing but its declaration assigns it
	Dwarf_Die die;    // has its location
	const struct dwarf_unit *unit;
};

/** The variables at one place; the logical frames' one after another, innermost first. */
struct variable_plan {
	struct planned_variable *variables;
	uint32_t count;
};

struct variable_plans {
	const struct frame_table *frames; // borrowed
	struct types *types;              // borrowed
	struct dwarf *dwarf;              // borrowed from the binary
	const char *go_version;           // borrowed from the binary; NULL: not known
	struct dwarf_units units;
	struct dwarf_types dwarf_types;
	struct u64map by_place;      // index of a place to its plan
	struct u64map by_frame;      // index of a frame row to its place's plan
	struct dwarf_scopes *scopes; // scratch
	size_t count;
};

/**
 * Prepares plans by the DWARF of `binary`, which must outlive them. CS_NOT_FOUND: it has none;
 * CS_CORRUPT: it cannot be read, said in `diag`. `ret` must stay where it is.
 */
CS_MUST_USE enum cs_status variable_plans_init(struct binary *binary,
	const struct frame_table *frames, struct types *types, struct diag *diag,
	struct variable_plans *ret);

/** The plan of the place with this index, made when it is first asked for. Never NULL. */
const struct variable_plan *variable_plan_of(struct variable_plans *plans, uint32_t place);

/** The variable at `index` of that plan, for whoever finds out more about it; NULL: there is none.
 */
struct planned_variable *variable_plan_change(
	struct variable_plans *plans, uint32_t place, uint32_t index);

/**
 * The plan that holds the variables of frame row `frame`, and which of the plan's logical frames it
 * is; NULL where no plan was made for it.
 */
const struct variable_plan *variable_plan_of_frame(
	const struct variable_plans *plans, uint32_t frame, uint32_t *logical_ret);

#endif
