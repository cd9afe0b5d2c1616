// What a Go function's name says: its package, and the declared function that encloses it, the same
// for the names that every Go release from 1.18 to 1.27 gives one and the same closure
// (cmd/compile/internal/ir closureName; go1.21 added inlined callers, go1.22 gowrap and deferwrap,
// go1.27 removed the callers again). Where string rules cannot tell, see function_name_key.
#ifndef CORESNAP_COMMON_GROUPING_FUNCTION_NAME_H
#define CORESNAP_COMMON_GROUPING_FUNCTION_NAME_H

#include "common/arena.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was done to a name: bits NAME_CLOSURE … */
enum name_rule {
#define NAME_RULE(name, number, text) NAME_##name = 1 << (number),
#include "common/grouping/name_rules.def"
#undef NAME_RULE
};

#define NAME_RULE_BITS 32

/** A name taken apart. Strings are the arena's. */
struct function_name {
	char *package;  // as function_name_package
	char *declared; // the enclosing declared function: "(*S).Run"; all of a C function's name
	char *key;      // as function_name_key
	uint32_t rules; // enum name_rule
	bool is_go;     // it has a package
};

/** Takes `function` apart. `main_path` as for function_name_key. CS_NO_MEMORY. */
CS_MUST_USE enum cs_status function_name_read(struct arena *arena, const char *function,
	const char *main_path, struct function_name *ret);

/** The key of `declared` in `package`; adds to *rules what was done to the path. NULL: no memory.
 */
char *function_name_join(struct arena *arena, const char *package, const char *declared,
	const char *main_path, uint32_t *rules);

/** The sentence for one bit of enum name_rule, in static memory; NULL for any other number. */
const char *function_name_rule(uint32_t rule);

/** Whether the name's last element is one that the compiler made up for a closure or wrapper. */
bool function_name_is_closure(const char *function);

/**
 * How many of the name's first `size` bytes are left when its last element is cut, as to find the
 * function that created a closure; 0: nothing but the package.
 */
size_t function_name_creator(const char *function, size_t size);

/**
 * The import path of the function's package: "net/http" of "net/http.(*conn).serve",
 * "gopkg.in/yaml.v3" of "gopkg.in/yaml%2ev3.Unmarshal", without a vendor directory before it; ""
 * for a C function. NULL: out of memory.
 */
char *function_name_package(struct arena *arena, const char *function);

/**
 * The grouping key: package path and enclosing declared function, as "example.com/app.(*S).Run" of
 * "main.(*S).Run.func1.2". `main_path` (may be NULL) stands for the package "main". Not told apart
 * by strings: a closure in a method with a value receiver from one in a function inlined into
 * another (both are "p.A.B.func1": the key is p.B); and up to go1.26 a closure that was inlined
 * is named after the function or the package that inlined it (analyzer/snapshot/frame_keys.h finds
 * its own by the inline tree). NULL: out of memory.
 */
char *function_name_key(struct arena *arena, const char *function, const char *main_path);

/**
 * For people: the last element of the path and the enclosing declared function, as
 * "http.(*conn).serve" of "net/http.(*conn).serve.func1"; NULL: out of memory.
 */
char *function_name_short(struct arena *arena, const char *function);

/** The same of a function that is known by its parts; `key` is what a C function is called. */
char *function_name_for_people(
	struct arena *arena, const char *package, const char *key, const char *declared);

#endif
