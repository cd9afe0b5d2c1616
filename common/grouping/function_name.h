// What a Go function's name says: its package, and the declared function that encloses it, the same
// for the names that every Go release from 1.18 to 1.27 gives one and the same closure
// (cmd/compile/internal/ir closureName; go1.21 added inlined callers, go1.22 gowrap and deferwrap,
// go1.27 removed the callers again). Where string rules cannot tell, see function_name_key.
#ifndef CORESNAP_COMMON_GROUPING_FUNCTION_NAME_H
#define CORESNAP_COMMON_GROUPING_FUNCTION_NAME_H

#include "common/arena.h"

#include <stdbool.h>

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
 * another (both are "p.A.B.func1": the key is p.B); and go1.21 to go1.26 name a closure that was
 * inlined from another package after the package that inlined it. NULL: out of memory.
 */
char *function_name_key(struct arena *arena, const char *function, const char *main_path);

/**
 * For people: the last element of the path and the enclosing declared function, as
 * "http.(*conn).serve" of "net/http.(*conn).serve.func1"; NULL: out of memory.
 */
char *function_name_short(struct arena *arena, const char *function);

#endif
