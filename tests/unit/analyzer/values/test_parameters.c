// What the standard library's sources say of its functions' parameters and results.
#include "analyzer/values/parameters.h"

#include <check.h>

static const struct {
	const char *release, *function, *name;
	bool is_constant;
} parameters[] = {
	{"go1.26.8", "net.(*conn).Read", "b", true},
	{"go1.18", "io.ReadAtLeast", "min", true},
	{"go1.27.3-vendor", "internal/poll.(*pollDesc).wait", "isFile", true},
	{"go1.26.8", "io.(*LimitedReader).Read", "p", false}, // p = p[0:l.N]
	{"go1.26.8", "io.(*LimitedReader).Read", "l", true},  // its field is assigned
	{"go1.17.13", "net.(*conn).Read", "b", false},
	{"go1.28", "net.(*conn).Read", "b", false},
	{"devel", "net.(*conn).Read", "b", false},
	{NULL, "net.(*conn).Read", "b", false},
	{"go1.26.8", "main.f", "b", false},
	{"go1.26.8", "example.com/net.f", "b", false},
	{"go1.26.8", "net.f.func1", "b", false},
	{"go1.26.8", "net.(*conn).Read.func1", "b", false},
	{"go1.26.8", "net.(*conn).Read-fm", "b", false},
	{"go1.26.8", "io.f[go.shape.int]", "b", false},
	{"go1.26.8", "net", "b", false},
	{"go1.26.8", "", "", false},
};

START_TEST(parameters_that_are_never_assigned)
{
	ck_assert_int_eq(parameter_is_constant(parameters[_i].release, parameters[_i].function,
				 parameters[_i].name),
		parameters[_i].is_constant);
}
END_TEST

static const struct {
	const char *release, *function, *name, *callee;
	bool is_zero;
} results[] = {
	{"go1.26.8", "net.(*netFD).Read", "n", "internal/poll.(*FD).Read", true},
	{"go1.26.8", "net.(*netFD).Read", "err", "internal/poll.(*FD).Read", true},
	{"go1.26.8", "net.(*netFD).Read", "n", "runtime.KeepAlive", false},
	{"go1.26.8", "io.ReadAtLeast", "n", "main.(*reader).Read", false}, // in a loop
	{"go1.28", "net.(*netFD).Read", "n", "internal/poll.(*FD).Read", false},
	{"go1.26.8", "main.f", "n", "internal/poll.(*FD).Read", false},
	{"go1.26.8", "net.(*netFD).Read", "n", "", false},
};

START_TEST(results_that_are_not_assigned_yet)
{
	ck_assert_int_eq(result_is_zero(results[_i].release, results[_i].function, results[_i].name,
				 results[_i].callee),
		results[_i].is_zero);
}
END_TEST

Suite *suite_parameters(void);

Suite *suite_parameters(void)
{
	Suite *suite = suite_create("parameters");
	TCase *tests = tcase_create("parameters");

	tcase_add_loop_test(tests, parameters_that_are_never_assigned, 0,
		sizeof(parameters) / sizeof(*parameters));
	tcase_add_loop_test(
		tests, results_that_are_not_assigned_yet, 0, sizeof(results) / sizeof(*results));
	suite_add_tcase(suite, tests);
	return suite;
}
