// The places, as gdb and elfutils (dwfl_standard_find_debuginfo) have them, ours beside them. EXE
// is a directory of --exe-dir, DEBUG one of --debug-dir, HERE the executable's own; ID is
// .build-id/ab/cdef…, GO go/…:
//
//   an executable  its path, below --sysroot; then EXE/ID, EXE/GO, EXE/name; then DEBUG/ID
//   a debug file   DEBUG/ID.debug; then EXE/ID.debug, EXE/GO.debug; then HERE/link,
//                  HERE/.debug/link, DEBUG/HERE/link, EXE/link; link: name.debug where there is
//                  none
#include "analyzer/search.h"

#include "analyzer/binary/debug.h"
#include "analyzer/input.h"
#include "common/build_id.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char *path; // owned
	enum debug_source source;
};

struct places {
	struct place rows[MAX_SEARCH_PLACES];
	size_t count;
};

/** The names that one question's places are made of; empty where they cannot be made. */
struct names {
	char gnu[MAX_PATH_LENGTH], go[MAX_PATH_LENGTH]; // below a directory of build ids
	char base[MAX_PATH_LENGTH];                     // without a directory
	char here[MAX_PATH_LENGTH];                     // the executable's directory, absolute
};

__attribute__((format(printf, 3, 4))) static void add(
	struct places *places, enum debug_source source, const char *format, ...)
{
	struct place *place = &places->rows[places->count];
	va_list args;

	if (places->count == MAX_SEARCH_PLACES)
		return;
	va_start(args, format);
	if (vasprintf(&place->path, format, args) >= 0) {
		place->source = source;
		places->count++;
	}
	va_end(args);
}

static void places_deinit(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->rows[i].path);
}

/** The last part of `path`, if it can name a file in any directory. */
static void set_base(char *to, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	channel_set(to, size, strcmp(base, ".") && strcmp(base, "..") ? base : "");
}

/** The directory of `path` behind all links, such as /proc/self/fd/4. */
static void set_directory(char *to, size_t size, const char *path)
{
	char *real = *path ? realpath(path, NULL) : NULL;
	char *slash = real ? strrchr(real, '/') : NULL;

	*to = '\0';
	if (slash) {
		*slash = '\0';
		channel_set(to, size, *real ? real : "/.");
	}
	free(real);
}

static void make_names(
	const struct channel_message *question, const char *executable, struct names *ret)
{
	if (!build_id_gnu_path(question->gnu_build_id, ret->gnu, sizeof(ret->gnu)))
		*ret->gnu = '\0';
	if (!build_id_go_path(question->go_build_id, ret->go, sizeof(ret->go)))
		*ret->go = '\0';
	// A debug link is a name in the executable's directory: no hostile one leads elsewhere.
	set_base(ret->base, sizeof(ret->base), question->path);
	set_directory(ret->here, sizeof(ret->here), executable);
	if (question->want != WANT_DEBUG || *ret->base)
		return;
	set_base(ret->base, sizeof(ret->base) - sizeof(".debug"), executable);
	if (*ret->base)
		strcat(ret->base, ".debug");
}

/** Whether the path that the core names is looked for below a root of its own. */
static bool has_root(const struct search *search, const struct channel_message *question)
{
	return search->sysroot && *question->path == '/';
}

/** An executable, or a library. */
static void list_executables(const struct search *search, const struct channel_message *question,
	const struct names *names, struct places *ret)
{
	add(ret, DEBUG_LINK, "%s%s", has_root(search, question) ? search->sysroot : "",
		question->path);
	for (size_t i = 0; i < search->exe_dir_count; i++) {
		const char *directory = search->exe_dirs[i];

		if (*names->gnu)
			add(ret, DEBUG_BUILD_ID, "%s/%s", directory, names->gnu);
		if (*names->go)
			add(ret, DEBUG_BUILD_ID, "%s/%s", directory, names->go);
		if (*names->base)
			add(ret, DEBUG_LINK, "%s/%s", directory, names->base);
	}
	for (size_t i = 0; *names->gnu && i < search->debug_dir_count; i++)
		add(ret, DEBUG_BUILD_ID, "%s/%s", search->debug_dirs[i], names->gnu);
}

static void list_debug_links(
	const struct search *search, const struct names *names, struct places *ret)
{
	if (*names->here) {
		add(ret, DEBUG_LINK, "%s/%s", names->here, names->base);
		add(ret, DEBUG_LINK, "%s/.debug/%s", names->here, names->base);
		for (size_t i = 0; i < search->debug_dir_count; i++)
			add(ret, DEBUG_LINK, "%s%s/%s", search->debug_dirs[i], names->here,
				names->base);
	}
	for (size_t i = 0; i < search->exe_dir_count; i++)
		add(ret, DEBUG_LINK, "%s/%s", search->exe_dirs[i], names->base);
}

static void list_debug_files(
	const struct search *search, const struct names *names, struct places *ret)
{
	for (size_t i = 0; *names->gnu && i < search->debug_dir_count; i++)
		add(ret, DEBUG_BUILD_ID, "%s/%s.debug", search->debug_dirs[i], names->gnu);
	for (size_t i = 0; i < search->exe_dir_count; i++) {
		if (*names->gnu)
			add(ret, DEBUG_BUILD_ID, "%s/%s.debug", search->exe_dirs[i], names->gnu);
		if (*names->go)
			add(ret, DEBUG_BUILD_ID, "%s/%s.debug", search->exe_dirs[i], names->go);
	}
	if (*names->base)
		list_debug_links(search, names, ret);
}

/** Opens place `index`; what the core names must be absolute, the rest is the user's own. */
static enum cs_status open_place(const struct places *places, size_t index, bool is_named,
	struct channel_message *reply, int *fd_ret)
{
	const struct place *place = &places->rows[index];
	char why[sizeof(reply->text)];
	enum cs_status status =
		is_named ? input_open_executable(place->path, fd_ret, why, sizeof(why))
			 : input_open_elf(place->path, fd_ret, why, sizeof(why));

	if (status) {
		if (!*reply->text)
			channel_set(reply->text, sizeof(reply->text), why);
		return status;
	}
	reply->kind = CHANNEL_FILE;
	reply->place = (uint32_t)index;
	reply->source = place->source;
	channel_set(reply->path, sizeof(reply->path), place->path);
	return CS_OK;
}

enum cs_status search_find(const struct search *search, const struct channel_message *question,
	const char *executable, struct channel_message *reply, int *fd_ret)
{
	bool is_code = question->want != WANT_DEBUG;
	enum cs_status status = CS_NOT_FOUND;
	struct places places = {.count = 0};
	struct names names = {0};

	*reply = (struct channel_message){.kind = CHANNEL_NONE};
	make_names(question, executable, &names);
	if (is_code)
		list_executables(search, question, &names, &places);
	else
		list_debug_files(search, &names, &places);
	for (size_t i = question->place; i < places.count && status; i++)
		status = open_place(
			&places, i, is_code && !i && !has_root(search, question), reply, fd_ret);
	if (status)
		reply->place = (uint32_t)places.count;
	places_deinit(&places);
	return status ? CS_NOT_FOUND : CS_OK;
}
