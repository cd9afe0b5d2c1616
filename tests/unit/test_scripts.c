// Every executable tests/{oracle,e2e}/test_* is one test: exit 0 passes, 77 is a skip that says its
// reason, anything else fails. BUILD in its environment names the directory of the programs. Each
// prints what it likes, and here its name and time.
#include <check.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_SECONDS 900
#define EXIT_SKIPPED 77

static glob_t scripts;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(script)
{
	const char *path = scripts.gl_pathv[_i];
	double begin = seconds();
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(126);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	printf("%s: %.1f s\n", path, seconds() - begin);
	fflush(stdout);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		return;
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: wait status 0x%x", path,
		(unsigned int)status);
}
END_TEST

/** Go and others want a directory that is theirs; a service or a container may give none. */
static void ensure_home(void)
{
	const char *home = getenv("HOME");
	char path[PATH_MAX], *build;

	if (home && !access(home, W_OK | X_OK))
		return;
	build = realpath(getenv("BUILD"), NULL);
	snprintf(path, sizeof(path), "%s/home", build ? build : "");
	free(build);
	if (!mkdir(path, 0700) || !access(path, W_OK | X_OK))
		setenv("HOME", path, 1);
}

Suite *suite_scripts(void);

Suite *suite_scripts(void)
{
	Suite *suite = suite_create("scripts");
	TCase *tc = tcase_create("scripts");

	setenv("BUILD", "build", 0);
	ensure_home();
	tcase_set_timeout(tc, SCRIPT_SECONDS);
	glob("tests/oracle/test_*", 0, NULL, &scripts);
	glob("tests/e2e/test_*", GLOB_APPEND, NULL, &scripts);
	tcase_add_loop_test(tc, script, 0, (int)scripts.gl_pathc);
	suite_add_tcase(suite, tc);
	return suite;
}
