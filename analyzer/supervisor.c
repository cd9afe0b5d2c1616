#include "analyzer/supervisor.h"

#include "analyzer/input.h"
#include "common/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

enum { POLL_CHANNEL, POLL_PROCESS, POLL_SIGNAL, POLL_COUNT };

struct supervision {
	const struct supervisor_job *job;
	struct supervisor_report *report;
	pid_t pid;
	int channel, process, signals;
	int64_t deadline_ms;
	bool is_answered;   // it has asked for the executable, and may not again
	uint32_t libraries; // it has asked for
	bool has_result;
	bool is_silent; // its end of the channel is closed; it may live on
	bool is_killed; // by us: `why` is written
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void interrupting_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(interrupting) / sizeof(interrupting[0]); i++) {
		struct sigaction action;

		// Under nohup SIGHUP is ignored; a blocked signal would reach the signalfd yet.
		if (!sigaction(interrupting[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(set, interrupting[i]);
	}
}

void supervisor_block_signals(void)
{
	sigset_t set;

	interrupting_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void supervisor_unblock_signals(int signal)
{
	sigset_t set;

	if (signal)
		raise(signal);
	interrupting_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int compare_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/** Closes every descriptor above the standard ones that is not in `keep`. */
static void close_others(int *keep, size_t count)
{
	unsigned int next = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), compare_int);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)next)
			continue;
		if (keep[i] > (int)next)
			close_range(next, (unsigned int)keep[i] - 1, 0);
		next = (unsigned int)keep[i] + 1;
	}
	close_range(next, ~0u, 0);
}

/** Nothing to read from and nobody to write to; a sanitizer's report is for the developer. */
static void forget_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (IS_ASAN && fd == STDERR_FILENO)
			continue;
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	}
}

/** When memory runs out the worker is to go first: a second one can still say something. */
static void offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	// Without /proc, or where it may not be said, it is a process like any other.
	if (fd < 0 || write(fd, "1000", 4) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

static _Noreturn void be_worker(const struct supervisor_job *job, int channel, pid_t parent)
{
	int keep[SUPERVISOR_KEEP_MAX + 1];

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1); // it was gone before
	forget_streams();
	offer_to_oom_killer();
	memcpy(keep, job->keep, sizeof(job->keep));
	keep[SUPERVISOR_KEEP_MAX] = channel;
	close_others(keep, SUPERVISOR_KEEP_MAX + 1);
	job->work(job->context, channel);
	sanitizer_check_leaks();
	_exit(0);
}

static void end_worker(struct supervision *s, const char *why)
{
	pidfd_send_signal(s->process, SIGKILL, NULL, 0);
	if (why)
		snprintf(s->report->why, sizeof(s->report->why), "%s", why);
	s->is_killed = true;
}

static void answer(struct supervision *s, const struct channel_message *question)
{
	struct channel_message reply = {.kind = CHANNEL_NONE};
	int fd = -1;

	if (!input_open_executable(question->path, &fd, reply.text, sizeof(reply.text)))
		reply.kind = CHANNEL_FILE;
	if (channel_send(s->channel, &reply, fd))
		end_worker(s, "stopped: it did not take its answer");
	if (fd >= 0)
		close(fd);
}

static void hear(struct supervision *s)
{
	struct channel_message message;
	int fd = -1;
	enum cs_status status = channel_receive(s->channel, &message, &fd);

	if (fd >= 0)
		close(fd); // nobody asked for one
	if (status == CS_NOT_FOUND) {
		s->is_silent = true;
	} else if (!status && message.kind == CHANNEL_RESULT && !s->has_result) {
		s->report->message = message;
		s->has_result = true;
	} else if (!status && message.kind == CHANNEL_ASK && !s->is_answered) {
		s->is_answered = true;
		answer(s, &message);
	} else if (!status && message.kind == CHANNEL_ASK_LIBRARY && s->libraries < MAX_LIBRARIES + MAX_PLUGIN_FILES) {
		s->libraries++;
		answer(s, &message);
	} else {
		end_worker(s, "stopped: it broke the protocol");
	}
}

static void interrupt(struct supervision *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	s->report->end = WORKER_INTERRUPTED;
	s->report->signal = (int)info.ssi_signo;
	end_worker(s, NULL);
}

/** Until the worker has ended, or we ended it; what it said last is heard before. */
static void watch(struct supervision *s)
{
	struct pollfd polls[POLL_COUNT] = {
		[POLL_CHANNEL] = {s->channel, POLLIN, 0},
		[POLL_PROCESS] = {s->process, POLLIN, 0},
		[POLL_SIGNAL] = {s->signals, POLLIN, 0},
	};

	while (!s->is_killed) {
		int64_t left = s->deadline_ms - now_ms();
		int ready = left > 0 ? poll(polls, POLL_COUNT, (int)left) : 0;

		if (ready < 0 && errno != EINTR)
			end_worker(s, "stopped: poll failed");
		if (!ready)
			end_worker(s, "stopped at its time limit");
		if (ready <= 0)
			continue;
		if (polls[POLL_SIGNAL].revents)
			interrupt(s);
		else if (polls[POLL_CHANNEL].revents)
			hear(s);
		else if (polls[POLL_PROCESS].revents)
			return;
		if (s->is_silent)
			polls[POLL_CHANNEL].fd = -1;
	}
}

static const char *explain(int signal)
{
	switch (signal) {
	case SIGSYS:
		return " (a forbidden system call)";
	case SIGXCPU:
		return " (over its limit of CPU time)";
	case SIGKILL:
		return " (by someone else, or for want of memory)";
	default:
		return "";
	}
}

static void conclude(struct supervision *s, int status)
{
	struct supervisor_report *report = s->report;

	if (report->end == WORKER_INTERRUPTED)
		return;
	if (!s->is_killed && s->has_result && WIFEXITED(status) && !WEXITSTATUS(status)) {
		report->end = WORKER_REPORTED;
		return;
	}
	report->end = WORKER_DIED;
	if (s->is_killed)
		return;
	if (WIFSIGNALED(status))
		snprintf(report->why, sizeof(report->why), "killed by SIG%s%s",
			sigabbrev_np(WTERMSIG(status)), explain(WTERMSIG(status)));
	else
		snprintf(report->why, sizeof(report->why), "ended without a result, exit status %d",
			WEXITSTATUS(status));
}

static enum cs_status start(struct supervision *s)
{
	pid_t parent = getpid();
	sigset_t set;
	int channel[2];

	if (channel_create(channel))
		return CS_IO;
	s->pid = fork();
	if (s->pid == 0)
		be_worker(s->job, channel[1], parent);
	close(channel[1]);
	if (s->pid < 0) {
		close(channel[0]);
		return CS_IO;
	}
	s->channel = channel[0];
	s->process = pidfd_open(s->pid, 0);
	interrupting_set(&set);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->process >= 0 && s->signals >= 0)
		return CS_OK;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	close(s->channel);
	close(s->process);
	close(s->signals);
	return CS_IO;
}

enum cs_status supervisor_run(const struct supervisor_job *job, struct supervisor_report *ret)
{
	struct supervision s = {.job = job, .report = ret};
	enum cs_status status;
	int wait_status = 0;

	*ret = (struct supervisor_report){.end = WORKER_DIED};
	s.deadline_ms = now_ms() + (int64_t)job->seconds * 1000;
	status = start(&s);
	if (status)
		return status;
	watch(&s);
	while (waitpid(s.pid, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	sanitizer_pass_on(wait_status);
	conclude(&s, wait_status);
	close(s.channel);
	close(s.process);
	close(s.signals);
	return CS_OK;
}
