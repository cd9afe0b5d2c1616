#include "daemon/child.h"

#include "daemon/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE_FD 64 // above every target: sources move here before targets are set
#define EXIT_NOT_STARTED 127
#define BACKGROUND_NICE 10

static bool move_fds(const struct child_spec *spec)
{
	int moved[CHILD_FDS];
	bool has_target[3] = {false, false, true};
	int null;

	for (size_t i = 0; i < spec->fd_count; i++) {
		moved[i] = fcntl(spec->fds[i].fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		if (moved[i] < 0)
			return false;
	}
	for (size_t i = 0; i < spec->fd_count; i++) {
		if (dup2(moved[i], spec->fds[i].target) < 0)
			return false;
		if (spec->fds[i].target < 3)
			has_target[spec->fds[i].target] = true;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		if (!has_target[i] && dup2(null, i) < 0)
			return false;
	return true;
}

static bool is_named(const struct child_spec *spec, int fd)
{
	for (size_t i = 0; i < spec->fd_count; i++)
		if (spec->fds[i].target == fd)
			return true;
	return fd < 3;
}

static void close_others(const struct child_spec *spec)
{
	for (int fd = 3; fd < FIRST_FREE_FD; fd++)
		if (!is_named(spec, fd))
			close(fd);
	close_range(FIRST_FREE_FD, ~0u, 0);
}

static char **child_environment(const struct child_spec *spec)
{
	static char path[4096], temporary[PATH_MAX + 8];
	static char *few[] = {path, NULL, NULL};
	const char *value = getenv("PATH"), *directory = getenv("TMPDIR");

	if (spec->keeps_environment)
		return environ;
	snprintf(path, sizeof(path), "PATH=%s", value ? value : "/usr/bin:/bin");
	if (!directory)
		directory = spec->temporary;
	if (directory) {
		snprintf(temporary, sizeof(temporary), "TMPDIR=%s", directory);
		few[1] = temporary;
	}
	return few;
}

static _Noreturn void become(const struct child_spec *spec, pid_t parent)
{
	struct rlimit size = {spec->max_file_size, spec->max_file_size};
	struct rlimit no_core = {0, 0};
	sigset_t none;

	// If the parent was killed before prctl, no signal will ever come.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent || setpgid(0, 0))
		_exit(EXIT_NOT_STARTED);
	if (setrlimit(RLIMIT_CORE, &no_core) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(EXIT_NOT_STARTED);
	if (spec->max_file_size && setrlimit(RLIMIT_FSIZE, &size))
		_exit(EXIT_NOT_STARTED);
	if (spec->is_background)
		setpriority(PRIO_PROCESS, 0, BACKGROUND_NICE);
	if (!move_fds(spec))
		_exit(EXIT_NOT_STARTED);
	close_others(spec);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); // a full file is an error of write, not a death
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(spec->path, (char *const *)spec->argv, child_environment(spec));
	_exit(EXIT_NOT_STARTED);
}

enum cs_status child_spawn(const struct child_spec *spec, struct child *ret)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return CS_IO;
	if (pid == 0)
		become(spec, parent);
	*ret = (struct child){.pid = pid, .pidfd = pidfd_open(pid, 0)};
	if (ret->pidfd >= 0)
		return CS_OK;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return CS_IO;
}

void child_kill(const struct child *child)
{
	if (child->has_ended)
		return;
	// The group exists once the child has made it; before, the child is alone.
	if (kill(-child->pid, SIGKILL))
		kill(child->pid, SIGKILL);
}

bool child_reap(struct child *child)
{
	siginfo_t info = {0};

	if (child->has_ended)
		return true;
	// The group is killed while the leader is a zombie yet: its number cannot be reused.
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		info.si_pid != child->pid)
		return false;
	kill(-child->pid, SIGKILL);
	child->has_ended = waitpid(child->pid, &child->status, 0) == child->pid;
	return child->has_ended;
}

void child_release(struct child *child)
{
	fd_close(&child->pidfd);
	child->pidfd = -1;
}
