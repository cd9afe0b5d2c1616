// Directories that are made when something is to be put into them.
#ifndef CORESNAP_ANALYZER_DIRECTORY_H
#define CORESNAP_ANALYZER_DIRECTORY_H

#include "common/status.h"

#include <sys/types.h>

/**
 * Makes the directories above the last part of `path` that are not there yet, with `mode`. CS_IO,
 * with errno set. `path` is written to on the way and is afterwards as it was.
 */
CS_MUST_USE enum cs_status directory_make_above(char *path, mode_t mode);

#endif
