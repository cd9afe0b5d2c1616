// The table of measured releases: for each row of layout.def the value that it has in each release
// of Go, for amd64 and arm64. layout_table.def holds it; tools/make-layouts writes that file from
// the DWARF of a probe built with each toolchain. layout_resolve is the caller.
#ifndef CORESNAP_ANALYZER_RUNTIME_LAYOUT_TABLE_H
#define CORESNAP_ANALYZER_RUNTIME_LAYOUT_TABLE_H

#include "analyzer/runtime/layout.h"

#include <stdbool.h>
#include <stddef.h>

/** Consecutive patch releases of one minor, Go 1.`minor`, in which every row has the same value. */
struct layout_release {
	unsigned int minor, first_patch, last_patch;
	const char *first,
		*last;           // "go1.24.0"; both were measured, those between lie between equals
	const char *experiments; // "noswissmap", as after "X:" in the version; "" for none
};

/**
 * The release that holds `version`, a version as buildinfo writes it ("go1.24.9", "go1.25.5
 * X:noswissmap", since 1.26 "go1.26.8-X:nodwarf5"). NULL where no measured release is exactly this
 * one: another patch, a release candidate, a vendor's suffix, a devel version, an experiment that
 * was not measured.
 */
const struct layout_release *layout_table_exact(const char *version);

/**
 * The measured release that is nearest to `version`: the last one that is not newer, else the
 * oldest; the newest for NULL and for what is no version at all. `from_ret` gets the full version
 * that it was measured on (static).
 */
const struct layout_release *layout_table_nearest(const char *version, const char **from_ret);

/** Release `index` of the table, oldest first; NULL past the end. */
const struct layout_release *layout_table_release(size_t index);

/**
 * Sets value, size and `found` of every row that this release has on `arch`. Of a variable only the
 * size is known here: it stays `found == false`. A struct whose fields are rows has no size here.
 * False for an architecture that was not measured; `facts` is unchanged then.
 */
bool layout_table_fill(const struct layout_release *release, enum image_arch arch,
	struct fact facts[LAYOUT_COUNT]);

#endif
