// A directory for one test: made by scratch_create, removed with all it holds by scratch_remove.
#ifndef CORESNAP_TESTS_UNIT_DAEMON_SCRATCH_H
#define CORESNAP_TESTS_UNIT_DAEMON_SCRATCH_H

/** Makes an empty directory below /tmp; its path is in static memory until the next call. */
const char *scratch_create(void);

/** Removes the directory of the last scratch_create. */
void scratch_remove(void);

/** The path of `name` in it, in static memory until the fourth call after this one. */
const char *scratch_path(const char *name);

/** Writes `text` as the file `name` in it. */
void scratch_write(const char *name, const char *text);

#endif
