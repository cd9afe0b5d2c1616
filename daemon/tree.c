#include "daemon/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

// A kernel that writes a core modifies it once a page: IN_MODIFY would overflow the queue.
#define WHOLE_MASK (IN_CLOSE_WRITE | IN_MOVED_TO)
// systemd-coredump gives its file a name when it is whole (linkat): that closes nothing.
#define CORE_MASK (WHOLE_MASK | IN_CREATE)
// A directory or a hard link that appears closes nothing.
#define EXECUTABLE_MASK (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE)
#define GONE_MASK (IN_DELETE_SELF | IN_MOVE_SELF)

enum cs_status tree_open(struct tree *ret)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return CS_IO;
	*ret = (struct tree){.fd = fd};
	return CS_OK;
}

void tree_close(struct tree *tree)
{
	if (tree->fd >= 0)
		close(tree->fd);
	free(tree->watches);
	*tree = (struct tree){.fd = -1};
}

static struct tree_watch *find(const struct tree *tree, int descriptor)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->watches[i].descriptor == descriptor)
			return &tree->watches[i];
	return NULL;
}

static enum cs_status append(struct tree *tree, struct tree_watch watch)
{
	size_t capacity = tree->capacity ? tree->capacity * 2 : 16;
	struct tree_watch *grown;

	if (tree->count == tree->capacity) {
		grown = reallocarray(tree->watches, capacity, sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		tree->watches = grown;
		tree->capacity = capacity;
	}
	tree->watches[tree->count++] = watch;
	return CS_OK;
}

enum cs_status tree_add(struct tree *tree, const char *path, size_t root, bool is_core)
{
	int descriptor;

	if (tree->count >= TREE_MAX_WATCHES)
		return CS_LIMIT;
	// IN_MASK_ADD: one directory may be named for cores and for executables.
	descriptor = inotify_add_watch(tree->fd, path,
		(is_core ? CORE_MASK : EXECUTABLE_MASK) | GONE_MASK | IN_ONLYDIR | IN_MASK_ADD);
	if (descriptor < 0)
		return errno == ENOENT || errno == ENOTDIR ? CS_NOT_FOUND : CS_IO;
	for (size_t i = 0; i < tree->count; i++)
		if (tree->watches[i].descriptor == descriptor && tree->watches[i].root == root &&
			tree->watches[i].is_core == is_core)
			return CS_OK;
	return append(tree, (struct tree_watch){descriptor, root, is_core});
}

bool tree_has_core(const struct tree *tree, size_t root)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->watches[i].is_core && tree->watches[i].root == root)
			return true;
	return false;
}

static void forget(struct tree *tree, int descriptor)
{
	size_t kept = 0;

	for (size_t i = 0; i < tree->count; i++)
		if (tree->watches[i].descriptor != descriptor)
			tree->watches[kept++] = tree->watches[i];
	tree->count = kept;
}

static void dispatch(
	struct tree *tree, const struct inotify_event *event, const struct tree_events *events)
{
	bool has_executables = false;

	if (event->mask & IN_Q_OVERFLOW) {
		events->lost(events->context);
		return;
	}
	if (event->mask & (GONE_MASK | IN_IGNORED | IN_UNMOUNT)) {
		// A directory that was moved away is still watched under its new name.
		if ((event->mask & IN_MOVE_SELF) && find(tree, event->wd))
			inotify_rm_watch(tree->fd, event->wd);
		forget(tree, event->wd);
		events->lost(events->context);
		return;
	}
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->watches[i].descriptor != event->wd)
			continue;
		if (!tree->watches[i].is_core)
			has_executables = true;
		else if (event->len && (event->mask & CORE_MASK) && !(event->mask & IN_ISDIR))
			events->core(events->context, tree->watches[i].root, event->name,
				event->mask & WHOLE_MASK);
	}
	if (has_executables)
		events->executables(events->context);
}

enum cs_status tree_read(struct tree *tree, const struct tree_events *events)
{
	char buffer[16384] __attribute__((aligned(_Alignof(struct inotify_event))));

	for (;;) {
		ssize_t size = read(tree->fd, buffer, sizeof(buffer));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return CS_OK;
		if (size <= 0)
			return CS_IO;
		for (char *next = buffer; next < buffer + size;) {
			const struct inotify_event *event = (const struct inotify_event *)next;

			dispatch(tree, event, events);
			next += sizeof(*event) + event->len;
		}
	}
}
