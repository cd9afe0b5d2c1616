// Lookup in the table of measured releases. A row is a list of runs: from which release on a value
// holds, so that a field which never moved takes one run. The releases are few and searched in
// order; the runs of a row by bisection.
#include "analyzer/runtime/layout_table.h"

#include "common/cursor.h"

#include <stdlib.h>
#include <string.h>

enum release_id {
#define RELEASE(id, minor, first_patch, last_patch, experiments) id,
#define ROW(name, arch, ...)
#include "analyzer/runtime/layout_table.def"
#undef RELEASE
#undef ROW
	RELEASE_COUNT
};

#define TEXT_(text) #text
#define TEXT(text) TEXT_(text)
/* Go 1.21 began to write the first patch's .0. */
#define FULL_VERSION(minor, patch)                                                                 \
	((minor) < 21 && !(patch) ? "go1." TEXT(minor) : "go1." TEXT(minor) "." TEXT(patch))

static const struct layout_release releases[RELEASE_COUNT] = {
#define RELEASE(id, minor, first_patch, last_patch, experiments)                                   \
	{minor, first_patch, last_patch, FULL_VERSION(minor, first_patch),                         \
		FULL_VERSION(minor, last_patch), experiments},
#define ROW(name, arch, ...)
#include "analyzer/runtime/layout_table.def"
#undef RELEASE
#undef ROW
};

/* From release `from` on the row has this value, until the next run. */
struct run {
	uint8_t from;
	bool is_present;
	uint32_t value, size;
};

#define HAS(from, value, size)                                                                     \
	{                                                                                          \
		from, true, value, size                                                            \
	}
#define LACKS(from)                                                                                \
	{                                                                                          \
		from, false, 0, 0                                                                  \
	}

#define RELEASE(id, minor, first_patch, last_patch, experiments)
#define ROW(name, arch, ...) static const struct run name##_##arch[] = {__VA_ARGS__};
#include "analyzer/runtime/layout_table.def"
#undef ROW

/* What both architectures share is written once, as ANY. */
enum row_arch { AMD64 = 1 << ARCH_AMD64, ARM64 = 1 << ARCH_ARM64, ANY = AMD64 | ARM64 };

static const struct {
	enum layout_id id;
	enum row_arch archs;
	const struct run *runs;
	size_t count;
} rows[] = {
#define ROW(name, arch, ...)                                                                       \
	{name, arch, name##_##arch, sizeof(name##_##arch) / sizeof(struct run)},
#include "analyzer/runtime/layout_table.def"
#undef ROW
#undef RELEASE
};

/* A version as buildinfo writes it, taken apart. */
struct version {
	unsigned int minor, patch;
	bool is_release;         // "go1.24.9" and nothing else but experiments
	const char *experiments; // borrowed; "" for none
};

static bool parse_number(const char **text, unsigned int *ret)
{
	char *end;
	unsigned long number;

	if (**text < '0' || **text > '9')
		return false;
	number = strtoul(*text, &end, 10);
	if (number > UINT16_MAX)
		return false;
	*text = end;
	*ret = (unsigned int)number;
	return true;
}

/* "go1.24.9", "go1.28rc1", "devel go1.28-4fba9e5b Mon …"; false where no Go 1 version is in it. */
static bool parse_version(const char *text, struct version *ret)
{
	const char *start = text ? strstr(text, "go1.") : NULL, *at, *end;

	*ret = (struct version){.experiments = ""};
	if (!start)
		return false;
	at = start + strlen("go1.");
	if (!parse_number(&at, &ret->minor))
		return false;
	if (*at == '.' && at[1]) {
		end = at + 1;
		if (parse_number(&end, &ret->patch))
			at = end;
	}
	ret->is_release = start == text;
	if (!strncmp(at, " X:", 3) || !strncmp(at, "-X:", 3)) // the latter since 1.26
		ret->experiments = at + 3;
	else if (*at)
		ret->is_release = false;
	return true;
}

const struct layout_release *layout_table_release(size_t index)
{
	return index < RELEASE_COUNT ? &releases[index] : NULL;
}

static bool is_within(const struct layout_release *release, const struct version *version)
{
	return release->minor == version->minor && release->first_patch <= version->patch &&
	       version->patch <= release->last_patch;
}

const struct layout_release *layout_table_exact(const char *text)
{
	struct version version;

	if (!parse_version(text, &version) || !version.is_release)
		return NULL;
	for (size_t i = 0; i < RELEASE_COUNT; i++)
		if (is_within(&releases[i], &version) &&
			!strcmp(releases[i].experiments, version.experiments))
			return &releases[i];
	return NULL;
}

static bool is_newer(const struct layout_release *release, const struct version *version)
{
	return release->minor != version->minor ? release->minor > version->minor
						: release->first_patch > version->patch;
}

const struct layout_release *layout_table_nearest(const char *text, const char **from_ret)
{
	const struct layout_release *nearest = NULL, *same = NULL;
	struct version version;

	if (!parse_version(text, &version))
		version = (struct version){.minor = UINT16_MAX, .experiments = ""};
	for (size_t i = 0; i < RELEASE_COUNT; i++) {
		if (is_newer(&releases[i], &version))
			continue;
		if (!*releases[i].experiments)
			nearest = &releases[i];
		else if (!strcmp(releases[i].experiments, version.experiments) &&
			 releases[i].minor == version.minor)
			same = &releases[i];
	}
	if (same)
		nearest = same;
	if (!nearest) {
		*from_ret = releases[0].first;
		return &releases[0];
	}
	*from_ret = is_within(nearest, &version) ? nearest->first : nearest->last;
	return nearest;
}

/* The run that holds in `release`: the last that does not begin after it. */
static const struct run *find_run(const struct run *runs, size_t count, size_t release)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (runs[middle].from <= release)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &runs[low - 1] : NULL;
}

bool layout_table_fill(
	const struct layout_release *release, enum image_arch arch, struct fact facts[LAYOUT_COUNT])
{
	size_t index = (size_t)(release - releases);

	if (arch != ARCH_AMD64 && arch != ARCH_ARM64)
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fact *fact = &facts[rows[i].id];
		const struct run *run;

		if (!((unsigned int)rows[i].archs & 1u << arch))
			continue;
		run = find_run(rows[i].runs, rows[i].count, index);
		if (!run || !run->is_present)
			continue;
		fact->found = fact->kind != FACT_VARIABLE;
		fact->value = run->value;
		fact->size = run->size;
	}
	return true;
}
