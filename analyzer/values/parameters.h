// What is known of the standard library's functions by their names: which of their parameters they
// never assign, so that these hold what they were called with for as long as the function runs,
// however long the compiler has lost them. From the sources of go1.18 to go1.27 (tools/parameters).
#ifndef CORESNAP_ANALYZER_VALUES_PARAMETERS_H
#define CORESNAP_ANALYZER_VALUES_PARAMETERS_H

#include <stdbool.h>

/**
 * Whether `function`, by its name in the function table ("net.(*conn).Read"), of a program that was
 * built with `go_version` ("go1.26.8"; NULL: not known), never assigns its parameter `name`.
 * False where that is not known: another release, another package, a generic or nested function.
 */
bool parameter_is_constant(const char *go_version, const char *function, const char *name);

/**
 * Whether that function has not assigned its named result `name`, which is zero when it begins, as
 * long as it has called `callee`, by its name in the function table. False where not known.
 */
bool result_is_zero(
	const char *go_version, const char *function, const char *name, const char *callee);

#endif
