// A name is [vendor/]path/last%2eelement "." element { "." element }, an element being an
// identifier with "[…]" behind it, or a receiver "(*T[…])". Closures are elements that the compiler
// invented: func1, 2, gowrap1, deferwrap1, and empty ones of "glob..func1".
#include "common/grouping/function_name.h"

#include <stdlib.h>
#include <string.h>

#define GENERIC "[...]"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// "G[go.shape.int_0]" and "G[...]" are one: every outer pair of brackets becomes "[...]". Must be
// first, as type arguments hold slashes and dots.
static char *without_type_arguments(struct arena *arena, const char *name)
{
	// "[]" (2 bytes) grows to 5: never more than 3 times.
	char *copy = arena_array(arena, strlen(name) + 1, 3), *out = copy;
	size_t depth = 0;

	if (!copy)
		return NULL;
	for (; *name; name++) {
		if (*name == '[') {
			if (depth++ == 0) {
				memcpy(out, GENERIC, sizeof(GENERIC) - 1);
				out += sizeof(GENERIC) - 1;
			}
		} else if (*name == ']' && depth) {
			depth--;
		} else if (!depth) {
			*out++ = *name;
		}
	}
	return copy;
}

// Where the package ends: the first dot behind the last slash. NULL: a C function.
static const char *package_end(const char *name)
{
	const char *slash = name;

	for (const char *p = name; *p && *p != '[' && *p != '('; p++)
		if (*p == '/')
			slash = p;
	return strchr(slash, '.');
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The linker's escapes in a path, as in objabi.PathToPrefix: %2e is a dot. In place.
static void unescape(char *path)
{
	char *out = path;

	for (; *path; path++) {
		if (*path == '%' && hex(path[1]) >= 0 && hex(path[2]) >= 0) {
			*out++ = (char)(hex(path[1]) << 4 | hex(path[2]));
			path += 2;
		} else {
			*out++ = *path;
		}
	}
	*out = '\0';
}

static char *without_vendor(char *path)
{
	char *found;

	while ((found = strstr(path, "/vendor/")))
		path = found + strlen("/vendor/");
	return strncmp(path, "vendor/", 7) ? path : path + 7;
}

char *function_name_package(struct arena *arena, const char *function)
{
	char *name = without_type_arguments(arena, function), *path;
	const char *end = name ? package_end(name) : NULL;

	if (!name)
		return NULL;
	path = arena_copy(arena, name, end ? (size_t)(end - name) : 0);
	if (!path)
		return NULL;
	unescape(path);
	return without_vendor(path);
}

// "example.com/x/v2" is the module example.com/x in its next major version: one key for both.
static void cut_major_version(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash[1] != 'v' || !is_digit(slash[2]) || slash[2] == '0')
		return;
	if (strspn(slash + 2, "0123456789") == strlen(slash + 2))
		*slash = '\0';
}

static bool is_numbered(const char *element, size_t size, const char *prefix)
{
	size_t n = strlen(prefix);

	if (size <= n || memcmp(element, prefix, n))
		return false;
	for (; n < size; n++)
		if (!is_digit(element[n]))
			return false;
	return true;
}

// An element that the compiler made up for a closure or a wrapper.
static bool is_closure(const char *element, size_t size)
{
	return size == 0 || is_numbered(element, size, "") || is_numbered(element, size, "func") ||
	       is_numbered(element, size, "gowrap") || is_numbered(element, size, "deferwrap");
}

// "-fm" (a method value, go1.0) and "-range1" (the body of a range over a function, go1.23).
static size_t without_suffix(const char *element, size_t size)
{
	for (size_t i = 1; i < size; i++)
		if (element[i] == '-' && ((size - i == 3 && !memcmp(element + i, "-fm", 3)) ||
						 is_numbered(element + i, size - i, "-range")))
			return i;
	return size;
}

// The start of the element that ends at `end`. A dot between parentheses divides nothing.
static const char *element_start(const char *from, const char *end)
{
	int depth = 0;

	while (end > from) {
		char c = end[-1];

		if (c == ')' || c == ']')
			depth++;
		else if ((c == '(' || c == '[') && depth)
			depth--;
		else if (c == '.' && !depth)
			break;
		end--;
	}
	return end;
}

// The declared function at the end of the elements in [from, from + *size): without the closures
// behind it and, when there were any, without the callers that it was inlined into.
static const char *declared(const char *from, size_t *size)
{
	const char *end = from + *size, *start = element_start(from, end);
	bool has_closure = false;

	while (start > from) {
		size_t kept = without_suffix(start, (size_t)(end - start));

		if (!is_closure(start, kept))
			break;
		// ".abi0" is no closure, and "init.0" is the first of several declared ones.
		has_closure = true;
		end = start - 1;
		start = element_start(from, end);
	}
	end = start + without_suffix(start, (size_t)(end - start));
	if (has_closure && start > from) {
		// A receiver in parentheses belongs to its method; else the last element is it.
		const char *receiver = element_start(from, start - 1);

		from = start[-2] == ')' && *receiver == '(' ? receiver : start;
	}
	*size = (size_t)(end - from);
	return from;
}

static bool equals(const char *text, size_t size, const char *word)
{
	return size == strlen(word) && !memcmp(text, word, size);
}

// Behind the package of a name without type arguments: the declared function; "init" for the
// closures of a package's variables, which are of "glob." up to go1.21 and of "init" from go1.22
// on.
static const char *declared_in(const char *package_dot, size_t *size)
{
	const char *element;

	*size = strlen(package_dot + 1);
	if (*size > 5 && !strcmp(package_dot + 1 + *size - 5, ".abi0"))
		*size -= 5;
	element = declared(package_dot + 1, size);
	if (!equals(element, *size, "glob") && !equals(element, *size, "glob."))
		return element;
	*size = strlen("init");
	return "init";
}

char *function_name_key(struct arena *arena, const char *function, const char *main_path)
{
	char *name = without_type_arguments(arena, function);
	char *path = name ? function_name_package(arena, name) : NULL;
	const char *end, *element;
	size_t size;

	if (!path)
		return NULL;
	end = package_end(name);
	if (!end || !end[1])
		return name;
	cut_major_version(path);
	if (main_path && *main_path && !strcmp(path, "main"))
		path = arena_string(arena, main_path);
	element = declared_in(end, &size);
	return path ? arena_format(arena, "%s.%.*s", path, (int)size, element) : NULL;
}

char *function_name_short(struct arena *arena, const char *function)
{
	char *name = without_type_arguments(arena, function), *path;
	const char *end = name ? package_end(name) : NULL, *start = end, *element;
	size_t size;

	if (!end || !end[1])
		return name;
	while (start > name && start[-1] != '/')
		start--;
	path = arena_copy(arena, start, (size_t)(end - start));
	if (!path)
		return NULL;
	unescape(path);
	element = declared_in(end, &size);
	return arena_format(arena, "%s.%.*s", path, (int)size, element);
}
