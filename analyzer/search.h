// Where the file that a worker asks for may lie: the places in their order, and the first of them
// that holds something. The supervisor looks; whether it is the right file the worker finds out,
// and asks again from the next place on if it is not.
#ifndef CORESNAP_ANALYZER_SEARCH_H
#define CORESNAP_ANALYZER_SEARCH_H

#include "analyzer/channel.h"

/** Where `coresnap store add` puts files, and `coresnap analyze` looks without being told. */
#define STORE_DIRECTORY "/var/lib/coresnap/binaries"
/** Where distributions put the debug files of their packages. */
#define DEBUG_DIRECTORY "/usr/lib/debug"

/** Texts are borrowed. Directories in the order in which they are searched. */
struct search {
	const char *executable; // --exe; NULL: as the core says
	const char *sysroot;    // --sysroot: goes before paths that the core names; NULL: nothing
	const char *exe_dirs[MAX_SEARCH_DIRECTORIES];
	size_t exe_dir_count;
	const char *debug_dirs[MAX_SEARCH_DIRECTORIES];
	size_t debug_dir_count;
	bool uses_debuginfod;
};

/**
 * Opens the first file of the places that `question` asks for, from number question->place on.
 * `executable` is where the worker's executable lies ("" where it has none): debug files lie beside
 * it. CS_OK: `reply` names the file and its place, `*fd_ret` is the caller's. CS_NOT_FOUND: there
 * is none any more; `reply->text` says why of the first place, `reply->place` is the number of all.
 */
CS_MUST_USE enum cs_status search_find(const struct search *search,
	const struct channel_message *question, const char *executable,
	struct channel_message *reply, int *fd_ret);

#endif
