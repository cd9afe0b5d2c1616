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
static char *without_type_arguments(struct arena *arena, const char *name, uint32_t *rules)
{
	// "[]" (2 bytes) grows to 5: never more than 3 times.
	char *copy = arena_array(arena, strlen(name) + 1, 3), *out = copy;
	size_t depth = 0;

	if (!copy)
		return NULL;
	for (; *name; name++) {
		if (*name == '[') {
			if (depth++ == 0) {
				*rules |= NAME_TYPE_ARGUMENTS;
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

static char *without_vendor(char *path, uint32_t *rules)
{
	char *start = path, *found;

	while ((found = strstr(start, "/vendor/")))
		start = found + strlen("/vendor/");
	if (!strncmp(start, "vendor/", 7))
		start += 7;
	if (start != path)
		*rules |= NAME_VENDOR;
	return start;
}

// "example.com/x/v2" is the module example.com/x in its next major version: one key for both.
static void cut_major_version(char *path, uint32_t *rules)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash[1] != 'v' || !is_digit(slash[2]) || slash[2] == '0')
		return;
	if (strspn(slash + 2, "0123456789") != strlen(slash + 2))
		return;
	*slash = '\0';
	*rules |= NAME_MAJOR_VERSION;
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

static bool is_wrapper(const char *element, size_t size)
{
	return is_numbered(element, size, "gowrap") || is_numbered(element, size, "deferwrap");
}

// An element that the compiler made up for a closure or a wrapper.
static bool is_closure(const char *element, size_t size)
{
	return size == 0 || is_numbered(element, size, "") || is_numbered(element, size, "func") ||
	       is_wrapper(element, size);
}

// "-fm" (a method value, go1.0) and "-range1" (the body of a range over a function, go1.23), of
// which there may be several: "-range1-range3".
static size_t without_suffix(const char *element, size_t size, uint32_t *rules)
{
	for (size_t i = size; i-- > 1;) {
		if (element[i] != '-')
			continue;
		if (size - i == 3 && !memcmp(element + i, "-fm", 3))
			*rules |= NAME_WRAPPER;
		else if (is_numbered(element + i, size - i, "-range"))
			*rules |= NAME_RANGE_BODY;
		else
			break;
		size = i;
	}
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
static const char *declared(const char *from, size_t *size, uint32_t *rules)
{
	const char *end = from + *size, *start = element_start(from, end);
	size_t kept = without_suffix(start, (size_t)(end - start), rules);
	bool has_closure = (*rules & NAME_RANGE_BODY) != 0;

	while (start > from && is_closure(start, kept)) {
		// ".abi0" is no closure, and "init.0" is the first of several declared ones.
		*rules |= is_wrapper(start, kept) ? NAME_WRAPPER : NAME_CLOSURE;
		has_closure = true;
		end = start - 1;
		start = element_start(from, end);
		kept = without_suffix(start, (size_t)(end - start), rules);
	}
	end = start + kept;
	if (has_closure && start > from) {
		// A receiver in parentheses belongs to its method; else the last element is it.
		const char *receiver = element_start(from, start - 1);

		receiver = start[-2] == ')' && *receiver == '(' ? receiver : start;
		if (receiver > from)
			*rules |= NAME_CALLERS;
		from = receiver;
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
static const char *declared_in(const char *package_dot, size_t *size, uint32_t *rules)
{
	const char *element;

	*size = strlen(package_dot + 1);
	if (*size > 5 && !strcmp(package_dot + 1 + *size - 5, ".abi0")) {
		*size -= 5;
		*rules |= NAME_ASSEMBLY;
	}
	element = declared(package_dot + 1, size, rules);
	if (!equals(element, *size, "glob") && !equals(element, *size, "glob."))
		return element;
	*rules |= NAME_PACKAGE_VARIABLE;
	*size = strlen("init");
	return "init";
}

enum cs_status function_name_read(
	struct arena *arena, const char *function, const char *main_path, struct function_name *ret)
{
	struct function_name n = {.is_go = true};
	char *name = without_type_arguments(arena, function, &n.rules);
	const char *end = name ? package_end(name) : NULL, *element;
	char *path = name ? arena_copy(arena, name, end ? (size_t)(end - name) : 0) : NULL;
	size_t size;

	if (!path)
		return CS_NO_MEMORY;
	unescape(path);
	n.package = without_vendor(path, &n.rules);
	if (!end || !end[1]) {
		*ret = (struct function_name){
			.package = n.package, .declared = name, .key = name, .rules = n.rules};
		return CS_OK;
	}
	element = declared_in(end, &size, &n.rules);
	n.declared = arena_copy(arena, element, size);
	n.key = n.declared ? function_name_join(arena, n.package, n.declared, main_path, &n.rules)
			   : NULL;
	if (!n.key)
		return CS_NO_MEMORY;
	*ret = n;
	return CS_OK;
}

char *function_name_join(struct arena *arena, const char *package, const char *declared,
	const char *main_path, uint32_t *rules)
{
	char *path = arena_string(arena, package);

	if (!path)
		return NULL;
	cut_major_version(path, rules);
	if (main_path && *main_path && !strcmp(path, "main")) {
		*rules |= NAME_MAIN_PATH;
		return arena_format(arena, "%s.%s", main_path, declared);
	}
	return arena_format(arena, "%s.%s", path, declared);
}

char *function_name_package(struct arena *arena, const char *function)
{
	struct function_name name;

	return function_name_read(arena, function, NULL, &name) ? NULL : name.package;
}

char *function_name_key(struct arena *arena, const char *function, const char *main_path)
{
	struct function_name name;

	return function_name_read(arena, function, main_path, &name) ? NULL : name.key;
}

char *function_name_short(struct arena *arena, const char *function)
{
	struct function_name name;

	if (function_name_read(arena, function, NULL, &name))
		return NULL;
	return name.is_go ? function_name_for_people(arena, name.package, name.key, name.declared)
			  : name.key;
}

char *function_name_for_people(
	struct arena *arena, const char *package, const char *key, const char *declared)
{
	const char *slash = strrchr(package, '/');

	if (!*package)
		return arena_string(arena, key);
	return arena_format(arena, "%s.%s", slash ? slash + 1 : package, declared);
}

size_t function_name_creator(const char *function, size_t size)
{
	const char *end = function + size, *slash = function, *start;

	for (const char *p = function; p < end && *p != '[' && *p != '('; p++)
		if (*p == '/')
			slash = p;
	slash = memchr(slash, '.', (size_t)(end - slash));
	start = slash ? element_start(slash + 1, end) : function;
	if (!slash || start <= slash + 1)
		return 0;
	return (size_t)(start - 1 - function);
}

bool function_name_is_closure(const char *function)
{
	const char *dot = strrchr(function, '.');
	size_t size = dot ? strlen(dot + 1) : 0;
	uint32_t rules = 0;

	if (!dot)
		return false;
	size = without_suffix(dot + 1, size, &rules);
	return (rules & NAME_RANGE_BODY) || is_closure(dot + 1, size);
}

const char *function_name_rule(uint32_t rule)
{
	static const struct {
		uint32_t rule;
		const char *text;
	} texts[] = {
#define NAME_RULE(name, number, text) {NAME_##name, text},
#include "common/grouping/name_rules.def"
#undef NAME_RULE
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].rule == rule)
			return texts[i].text;
	return NULL;
}
