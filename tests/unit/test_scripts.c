// Every executable tests/{oracle,e2e}/test_* is one test: exit 0 passes, 77 is a skip that says its
// reason, anything else fails. BUILD in its environment names the directory of the programs. What
// it prints goes to BUILD/logs/<its name> and, when it ends, to our output with its name and time;
// the report of a failure repeats the end of it, because the last lines are all that one sees of CI.
#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_SECONDS 900
#define SCRIPT_STOPPED "870" // by timeout(1), which leaves us the time to report what it printed
#define EXIT_SKIPPED 77
#define REPEATED 3000 // bytes; Check takes no message of 4096

static glob_t scripts;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** The file that gets a script's output, open for reading and writing. */
static int open_log(const char *path)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s/logs", getenv("BUILD"));
	mkdir(name, 0755);
	snprintf(name, sizeof(name), "%s/logs/%s", getenv("BUILD"), strrchr(path, '/') + 1);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "cannot write %s", name);
	return fd;
}

/** Copies all of a log to our output and keeps its last bytes, as a text, in `end`. */
static void copy_log(int fd, char end[REPEATED + 1])
{
	char buffer[65536];
	off_t at = 0, size = lseek(fd, 0, SEEK_END);
	ssize_t got;

	for (; (got = pread(fd, buffer, sizeof(buffer), at)) > 0; at += got)
		fwrite(buffer, 1, (size_t)got, stdout);
	got = pread(fd, end, REPEATED, size > REPEATED ? size - REPEATED : 0);
	end[got > 0 ? got : 0] = '\0';
}

/** Runs a script with its output going to `log`; returns its wait status. */
static int run_script(const char *path, int log)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
			_exit(126);
		execlp("timeout", "timeout", "--kill-after=10", SCRIPT_STOPPED, path, (char *)NULL);
		_exit(126);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(script)
{
	const char *path = scripts.gl_pathv[_i];
	double begin = seconds();
	int log = open_log(path), status = run_script(path, log);
	char end[REPEATED + 1];

	copy_log(log, end);
	close(log);
	printf("%s: %.1f s\n", path, seconds() - begin);
	fflush(stdout);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		return;
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"%s: wait status 0x%x; its output ends with\n%s", path, (unsigned int)status, end);
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
