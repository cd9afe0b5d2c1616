#include "daemon/executables.h"

#include "common/limits.h"
#include "daemon/backoff.h"
#include "daemon/tree.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A file younger than this may be in the middle of being copied here.
#define SETTLE_NS NS_PER_SECOND

struct walk {
	struct executables *known; // what the scan before found
	struct executables found;
	struct tree *tree;
	struct executables_scan *result;
	size_t root, directories;
	uint64_t now_ns;
	enum cs_status status;
};

static int compare_stamps(const struct stamp *a, const struct stamp *b)
{
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->mtime_ns != b->mtime_ns)
		return a->mtime_ns < b->mtime_ns ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

static int compare(const void *a, const void *b)
{
	return compare_stamps(
		&((const struct executable *)a)->stamp, &((const struct executable *)b)->stamp);
}

static struct executable *find_stamp(
	const struct executables *executables, const struct stamp *stamp)
{
	struct executable key = {.stamp = *stamp};

	if (!executables->count)
		return NULL;
	return bsearch(&key, executables->items, executables->count, sizeof(key), compare);
}

static void item_deinit(struct executable *item)
{
	free(item->path);
	identity_deinit(&item->identity);
}

void executables_deinit(struct executables *executables)
{
	for (size_t i = 0; i < executables->count; i++)
		item_deinit(&executables->items[i]);
	free(executables->items);
	*executables = (struct executables){0};
}

static void append(struct walk *walk, struct executable item)
{
	struct executables *found = &walk->found;
	size_t capacity = found->capacity ? found->capacity * 2 : 64;
	struct executable *grown;

	if (item.path && found->count == found->capacity) {
		grown = reallocarray(found->items, capacity, sizeof(*grown));
		if (grown) {
			found->items = grown;
			found->capacity = capacity;
		}
	}
	if (!item.path || found->count == found->capacity) {
		item_deinit(&item);
		walk->status = CS_NO_MEMORY;
		return;
	}
	found->items[found->count++] = item;
}

static bool is_elf(int dir, const char *name, const struct stamp *stamp)
{
	char magic[SELFMAG];
	struct stat st;
	CLOSE_FD int fd = -1;

	if (fd_open_regular(dir, name, true, &st, &fd))
		return false;
	struct stamp now = stamp_of(&st);

	return stamp_equals(&now, stamp) && pread(fd, magic, SELFMAG, 0) == SELFMAG &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

static void walk_file(struct walk *walk, int dir, const char *path, const char *name)
{
	struct executable item = {0}, *known;
	struct stat st;

	if (fstatat(dir, name, &st, 0) || !S_ISREG(st.st_mode) || st.st_size < (off_t)EI_NIDENT)
		return;
	item.stamp = stamp_of(&st);
	known = find_stamp(walk->known, &item.stamp);
	if (known && !known->path)
		return; // another name of a file that this scan has met
	if (!known && (uint64_t)item.stamp.mtime_ns + SETTLE_NS > walk->now_ns &&
		(uint64_t)item.stamp.mtime_ns < walk->now_ns + SETTLE_NS) {
		walk->result->is_unsettled = true;
		return;
	}
	if (walk->found.count >= MAX_EXECUTABLES) {
		walk->result->is_cut = true;
		return;
	}
	if (known) {
		item.state = known->state;
		item.identity = known->identity;
		known->identity = (struct identity){0};
		free(known->path);
		known->path = NULL;
	} else {
		item.state = is_elf(dir, name, &item.stamp) ? EXECUTABLE_NEW : EXECUTABLE_KNOWN;
	}
	if (asprintf(&item.path, "%s/%s", path, name) < 0)
		item.path = NULL;
	append(walk, item);
}

static void walk_directory(
	struct walk *walk, int parent, const char *name, const char *path, uint32_t depth);

static void walk_entry(
	struct walk *walk, int dir, const char *path, const struct dirent *entry, uint32_t depth)
{
	struct stat st;
	char *below;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return;
	// Links to directories are not followed: they may lead back up.
	if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (!S_ISDIR(st.st_mode)) {
		walk_file(walk, dir, path, entry->d_name);
		return;
	}
	if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
		walk->status = CS_NO_MEMORY;
		return;
	}
	walk_directory(walk, dir, entry->d_name, below, depth + 1);
	free(below);
}

static void walk_directory(
	struct walk *walk, int parent, const char *name, const char *path, uint32_t depth)
{
	struct dirent *entry;
	DIR *stream;
	int fd;

	if (depth > MAX_EXECUTABLE_DEPTH || walk->directories >= MAX_EXECUTABLE_DIRECTORIES) {
		walk->result->is_cut = true;
		return;
	}
	walk->directories++;
	// Watched before it is read: what arrives in between is an event.
	if (tree_add(walk->tree, path, walk->root, false) == CS_LIMIT)
		walk->result->is_cut = true;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		fd_close(&fd);
		return;
	}
	while (!walk->status && (entry = readdir(stream)))
		walk_entry(walk, dirfd(stream), path, entry, depth);
	closedir(stream);
}

enum cs_status executables_scan(struct executables *executables, struct tree *tree,
	const char *const *roots, size_t root_count, struct executables_scan *ret)
{
	struct walk walk = {
		.known = executables, .tree = tree, .result = ret, .now_ns = clock_wall_ns()};

	*ret = (struct executables_scan){0};
	for (size_t i = 0; !walk.status && i < root_count; i++) {
		walk.root = i;
		walk_directory(&walk, AT_FDCWD, roots[i], roots[i], 0);
	}
	// Out of memory loses what was known; the next scan finds it again.
	executables_deinit(executables);
	*executables = walk.found;
	if (executables->count)
		qsort(executables->items, executables->count, sizeof(*executables->items), compare);
	return walk.status;
}

const struct executable *executables_next(struct executables *executables)
{
	for (size_t i = 0; i < executables->count; i++) {
		if (executables->items[i].state != EXECUTABLE_NEW)
			continue;
		executables->items[i].state = EXECUTABLE_IN_HAND;
		return &executables->items[i];
	}
	return NULL;
}

size_t executables_pending(const struct executables *executables)
{
	size_t pending = 0;

	for (size_t i = 0; i < executables->count; i++)
		pending += executables->items[i].state != EXECUTABLE_KNOWN;
	return pending;
}

void executables_settle(
	struct executables *executables, const struct stamp *stamp, struct identity *identity)
{
	struct executable *item = find_stamp(executables, stamp);

	if (!item) {
		identity_deinit(identity);
		return;
	}
	identity_deinit(&item->identity);
	item->identity = *identity;
	item->state = EXECUTABLE_KNOWN;
	*identity = (struct identity){0};
}

const struct executable *executables_find(
	const struct executables *executables, const struct identity *core)
{
	for (size_t i = 0; i < executables->count; i++)
		if (executables->items[i].identity.kind == IDENTITY_EXECUTABLE &&
			identity_compare(core, &executables->items[i].identity) == MATCH_YES)
			return &executables->items[i];
	return NULL;
}
