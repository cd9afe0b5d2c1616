#include "analyzer/values/parameters.h"

#include "common/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MINOR 18
#define LAST_MINOR 27

static const char *const packages[] = {
#define PACKAGE(name) name,
#define ASSIGNED(name)
#define ZERO(name)
#include "analyzer/values/parameters.def"
#undef PACKAGE
#undef ASSIGNED
#undef ZERO
};

static const char *const assigned[] = {
#define PACKAGE(name)
#define ASSIGNED(name) name,
#define ZERO(name)
#include "analyzer/values/parameters.def"
#undef PACKAGE
#undef ASSIGNED
#undef ZERO
};

static const char *const zero[] = {
#define PACKAGE(name)
#define ASSIGNED(name)
#define ZERO(name) name,
#include "analyzer/values/parameters.def"
#undef PACKAGE
#undef ASSIGNED
#undef ZERO
};

static int compare(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

static bool is_known_release(const char *go_version)
{
	unsigned int minor;

	return go_version && sscanf(go_version, "go1.%2u", &minor) == 1 && minor >= FIRST_MINOR &&
	       minor <= LAST_MINOR;
}

/* "net/http.(*conn).serve": what stands before the first dot behind the last slash. */
static bool is_known_package(const char *function)
{
	const char *slash = strrchr(function, '/');
	const char *dot = strchr(slash ? slash : function, '.');
	char name[MAX_PARAMETER_ROW];

	if (!dot || (size_t)(dot - function) >= sizeof(name))
		return false;
	memcpy(name, function, (size_t)(dot - function));
	name[dot - function] = '\0';
	return bsearch(
		name, packages, sizeof(packages) / sizeof(*packages), sizeof(*packages), compare);
}

/* "F", "T.F" or "(*T).F", and nothing of what the compiler makes: "F.func1", "F-fm". */
static bool is_declared(const char *function)
{
	const char *slash = strrchr(function, '/');
	const char *name = strchr(slash ? slash : function, '.') + 1;
	const char *dot = strchr(name, '.');

	if (strpbrk(name, "[-"))
		return false;
	if (*name == '(')
		return dot && !strchr(dot + 1, '.');
	return !dot || (!strchr(dot + 1, '.') && strncmp(dot, ".func", 5) &&
			       strncmp(dot, ".gowrap", 7) && strncmp(dot, ".deferwrap", 10));
}

bool parameter_is_constant(const char *go_version, const char *function, const char *name)
{
	char row[MAX_PARAMETER_ROW];
	int length;

	if (!is_known_release(go_version) || !is_known_package(function) || !is_declared(function))
		return false;
	length = snprintf(row, sizeof(row), "%s %s", function, name);
	return length > 0 && (size_t)length < sizeof(row) &&
	       !bsearch(row, assigned, sizeof(assigned) / sizeof(*assigned), sizeof(*assigned),
		       compare);
}

/* "Read" of "net.(*conn).Read". */
static const char *last_part(const char *function)
{
	const char *dot = strrchr(function, '.');

	return dot ? dot + 1 : function;
}

bool result_is_zero(
	const char *go_version, const char *function, const char *name, const char *callee)
{
	char row[MAX_PARAMETER_ROW];
	int length;

	if (!is_known_release(go_version) || !is_known_package(function) || !is_declared(function))
		return false;
	length = snprintf(row, sizeof(row), "%s %s %s", function, name, last_part(callee));
	return length > 0 && (size_t)length < sizeof(row) &&
	       bsearch(row, zero, sizeof(zero) / sizeof(*zero), sizeof(*zero), compare);
}
