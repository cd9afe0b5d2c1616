// Type descriptors with what their kinds add, in the memory of a mkruntime: as go1.26 lays them
// out.
#ifndef CORESNAP_TESTS_LIB_MKTYPES_H
#define CORESNAP_TESTS_LIB_MKTYPES_H

#include "analyzer/binary/type.h"
#include "tests/lib/mkruntime.h"

struct mktypes_field {
	const char *name; // NULL: the end of the list
	target_addr type;
	uint64_t offset;
	bool is_embedded;
};

/** A type of `kind` whose one addition is an element: pointer, slice, chan. */
target_addr mktypes_of(
	struct mkruntime *m, const char *name, enum go_kind kind, target_addr element);

target_addr mktypes_array(
	struct mkruntime *m, const char *name, target_addr element, uint64_t length, uint64_t size);
target_addr mktypes_struct(
	struct mkruntime *m, const char *name, uint64_t size, const struct mktypes_field *fields);

/** `methods`: how many; 0 is interface {}. */
target_addr mktypes_interface(struct mkruntime *m, const char *name, uint64_t methods);

/** A map's type without its slots: those are mkruntime_set's affair. */
target_addr mktypes_map(
	struct mkruntime *m, const char *name, target_addr key, target_addr element);

/** Makes a defined type of `type`, declared in `package`, with the exported method (NULL: none). */
void mktypes_define(struct mkruntime *m, target_addr type, uint64_t descriptor_size,
	const char *package, const char *method);

/** An itab of `interface` for `type`. */
target_addr mktypes_itab(struct mkruntime *m, target_addr interface, target_addr type);

#endif
