// Puts the files of a process's plugins below the image: the kernel leaves a plugin's code and
// read-only data out of a core, and since go1.26 its function table with them.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_PLUGINS_H
#define CORESNAP_ANALYZER_SNAPSHOT_PLUGINS_H

#include "analyzer/binary/binary.h"
#include "common/limits.h"

struct analysis;

/** The caller's, zeroed: it outlives the image, which has their bytes, whatever the analysis does.
 */
struct plugins {
	struct binary *list[MAX_PLUGIN_FILES]; // owned
	size_t count;
};

/**
 * Asks for the file of each module that the core has not whole, adds it to the image where it is
 * the very file that was mapped, and loads the modules anew. What cannot be had is noted. Only
 * after runtime_open and before anything has been read through rt->modules. Where the options have
 * no `plugins` no file is asked for.
 */
CS_MUST_USE enum cs_status plugins_add(struct analysis *analysis);

/** Closes the files: after the image's last use. */
void plugins_close(struct plugins *plugins);

#endif
