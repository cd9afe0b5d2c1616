// The line that people read in a list: what happened, and in which function.
#include "common/grouping/function_name.h"
#include "common/grouping/grouping.h"
#include "common/limits.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How much a frame without the program's own tells: a goroutine parks in the runtime, below net. */
enum frame_worth { WORTH_RUNTIME = 1, WORTH_PLUMBING, WORTH_STANDARD, WORTH_DEPENDENCY };

static enum frame_worth worth(const char *package)
{
	static const char *const plumbing[] = {"net", "sync", "syscall", "bufio", "io", "os"};

	if (!strcmp(package, "runtime") || !strncmp(package, "internal/", 9))
		return WORTH_RUNTIME;
	for (size_t i = 0; i < COUNT(plumbing); i++)
		if (!strcmp(package, plumbing[i]))
			return WORTH_PLUMBING;
	return grouping_is_standard(package) ? WORTH_STANDARD : WORTH_DEPENDENCY;
}

static const struct grouping_frame *find_blamed(const struct grouping_frame *frames, size_t count)
{
	const struct grouping_frame *best = NULL;

	for (size_t i = 0; i < count; i++) {
		if (frames[i].in_app)
			return &frames[i];
		if (frames[i].is_c || grouping_machinery(frames[i].function))
			continue;
		if (!best || worth(frames[i].package) > worth(best->package))
			best = &frames[i];
	}
	return best;
}

// The first line, cut before a UTF-8 character that would not fit; *is_cut when more was there.
static size_t title_size(const char *message, bool *is_cut)
{
	size_t line = strcspn(message, "\r\n"), size = line;

	if (size > MAX_TITLE_MESSAGE)
		for (size = MAX_TITLE_MESSAGE;
			size && ((unsigned char)message[size] & 0xc0) == 0x80;)
			size--;
	*is_cut = message[size] != '\0';
	return size;
}

char *grouping_title(struct arena *arena, const char *kind, const char *message,
	const struct grouping_frame *frames, size_t frame_count)
{
	const struct grouping_frame *blamed = find_blamed(frames, frame_count);
	char *name = NULL;
	bool is_cut;
	size_t size = title_size(message ? message : "", &is_cut);

	if (blamed) {
		name = function_name_for_people(
			arena, blamed->package, blamed->key, blamed->declared);
		if (!name)
			return NULL;
	}
	return arena_format(arena, "%s%s%.*s%s%s%s", kind, size ? ": " : "", (int)size,
		message ? message : "", is_cut ? "…" : "", name ? " in " : "", name ? name : "");
}
