// Where shared libraries lie in a process whose core does not say so: qemu's cores, and those of
// tools that write no NT_FILE. The dynamic linker keeps a list of them for debuggers.
#ifndef CORESNAP_ANALYZER_CORE_LINK_MAP_H
#define CORESNAP_ANALYZER_CORE_LINK_MAP_H

#include "analyzer/core/image.h"

/**
 * Puts the libraries of the dynamic linker's list (elf/link.h, struct r_debug) into the notes as
 * mappings, sorted: one row of offset 0 for each, from its first byte to behind its last segment,
 * or behind its dynamic section where the core does not have its headers. Does nothing where the
 * core has mappings of its own, or the program is linked statically. Needs the executable's headers
 * in the image. CS_NO_MEMORY is the only failure.
 */
CS_MUST_USE enum cs_status link_map_load(struct image *image, struct diag *diag);

#endif
