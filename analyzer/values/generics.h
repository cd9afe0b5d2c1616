// The types that a generic function was called with. Its code knows their shapes only, "go.shape.int";
// its caller passes a dictionary (cmd/compile/internal/noder/reader.go readerDict, go1.18 to go1.27),
// and DWARF says which of the dictionary's words is the type of a variable (DW_AT_go_dict_index).
#ifndef CORESNAP_ANALYZER_VALUES_GENERICS_H
#define CORESNAP_ANALYZER_VALUES_GENERICS_H

#include "analyzer/runtime/types.h"
#include "analyzer/unwind/walk.h"
#include "analyzer/values/flow.h"

/**
 * The address of the dictionary that physical frame `frame` of the walk was called with, as far as
 * the flow of values in its caller proves it; 0 where it does not, or the function is not generic.
 */
target_addr generic_dictionary(struct flow *flow, const struct frame_table *frames,
	const struct walk *walk, uint32_t frame);

/**
 * The type whose descriptor is word `index` of `dictionary`; `shape` itself where that word is no
 * type of this shape.
 */
struct type *generic_type(
	struct types *types, const struct runtime *rt, target_addr dictionary, int64_t index,
	struct type *shape);

#endif
