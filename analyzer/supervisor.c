#include "analyzer/supervisor.h"

#include "analyzer/binary/debug.h"
#include "analyzer/fetch.h"
#include "analyzer/input.h"
#include "analyzer/process.h"
#include "common/build_id.h"
#include "common/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

#define FETCH_GRACE_MS 2000 // what the fetcher gets to give up by itself and clean up

enum { POLL_CHANNEL, POLL_PROCESS, POLL_SIGNAL, POLL_FETCHER, POLL_COUNT };

struct supervision {
	const struct supervisor_job *job;
	struct supervisor_report *report;
	pid_t pid;
	int channel, process, signals;
	int64_t deadline_ms;
	char executable[MAX_PATH_LENGTH]; // where the worker's lies; "" until it has one
	uint32_t asks, want;              // how many, and what the last one was for
	struct fetch fetch;               // for the worker, which waits
	uint32_t fetch_place;             // its number among the places
	char fetch_why[256];              // why the place that the question names has nothing
	int64_t fetch_deadline_ms;        // of a running fetch
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

	memcpy(keep, job->keep, sizeof(job->keep));
	keep[SUPERVISOR_KEEP_MAX] = channel;
	process_begin(parent, keep, SUPERVISOR_KEEP_MAX + 1);
	offer_to_oom_killer();
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

/** The answer to the worker's question; `fd` is closed. */
static void reply(struct supervision *s, struct channel_message *message, int fd)
{
	message->want = s->want;
	if (message->kind == CHANNEL_FILE && message->want == WANT_EXECUTABLE)
		channel_set(s->executable, sizeof(s->executable), message->path);
	if (channel_send(s->channel, message, fd))
		end_worker(s, "stopped: it did not take its answer");
	if (fd >= 0)
		close(fd);
}

/** Asks the network, if that is wanted; false where nobody was asked. */
static bool ask_fetcher(
	struct supervision *s, const struct channel_message *question, uint32_t place)
{
	int64_t left = s->deadline_ms - now_ms(), most = MAX_FETCH_SECONDS * 1000;
	char path[MAX_PATH_LENGTH];

	if (!s->job->search.uses_debuginfod || !fetch_is_configured() ||
		!build_id_gnu_path(question->gnu_build_id, path, sizeof(path)))
		return false;
	// A server that stalls costs the analysis no more than half of its time.
	if (most > left / 2)
		most = left / 2;
	s->fetch_deadline_ms = now_ms() + most + FETCH_GRACE_MS;
	s->fetch_place = place;
	return !fetch_start(question, most, &s->fetch);
}

static void answer(struct supervision *s, const struct channel_message *question)
{
	struct channel_message message;
	int fd = -1;
	enum cs_status status =
		search_find(&s->job->search, question, s->executable, &message, &fd);

	s->want = question->want;
	channel_set(s->fetch_why, sizeof(s->fetch_why), message.text);
	// The network is the place behind the last one.
	if (status && question->place <= message.place && ask_fetcher(s, question, message.place))
		return;
	reply(s, &message, fd);
}

/** No file from the network either. */
static void reply_unfetched(struct supervision *s, const char *why)
{
	struct channel_message message = {
		.kind = CHANNEL_NONE, .source = DEBUG_DEBUGINFOD, .place = s->fetch_place};

	if (s->want == WANT_EXECUTABLE)
		snprintf(message.text, sizeof(message.text), "%s; debuginfod: %s", s->fetch_why,
			why);
	else
		channel_set(message.text, sizeof(message.text), why);
	reply(s, &message, -1);
}

/** The fetcher has answered, or is gone. What it hands over is checked like any other file. */
static void hear_fetcher(struct supervision *s)
{
	struct channel_message message;
	int fd = -1;

	fetch_finish(&s->fetch, &message, &fd);
	message.place = s->fetch_place;
	if (fd >= 0 && input_is_elf(fd, message.text, sizeof(message.text))) {
		reply(s, &message, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	reply_unfetched(s, message.text);
}

static void end_late_fetch(struct supervision *s)
{
	fetch_stop(&s->fetch);
	reply_unfetched(s, "the servers were too slow");
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
	} else if (!status && message.kind == CHANNEL_ASK && !s->fetch.pid &&
		   message.want <= WANT_DEBUG && s->asks++ < MAX_ASKS) {
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

/** Milliseconds until something has to be ended; 0: now. */
static int time_left(const struct supervision *s)
{
	int64_t left = s->deadline_ms - now_ms();

	if (s->fetch.pid && s->fetch_deadline_ms - now_ms() < left)
		left = s->fetch_deadline_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

static void end_what_is_late(struct supervision *s)
{
	if (s->fetch.pid && s->deadline_ms > now_ms())
		end_late_fetch(s);
	else
		end_worker(s, "stopped at its time limit");
}

/** One thing that happened; false when the worker has ended and all it said was heard. */
static bool attend(struct supervision *s, const struct pollfd *polls)
{
	if (polls[POLL_SIGNAL].revents)
		interrupt(s);
	else if (polls[POLL_CHANNEL].revents)
		hear(s);
	else if (polls[POLL_PROCESS].revents)
		return false;
	else if (polls[POLL_FETCHER].revents)
		hear_fetcher(s);
	return true;
}

/** Until the worker has ended, or we ended it; what it said last is heard before. */
static void watch(struct supervision *s)
{
	struct pollfd polls[POLL_COUNT] = {
		[POLL_CHANNEL] = {s->channel, POLLIN, 0},
		[POLL_PROCESS] = {s->process, POLLIN, 0},
		[POLL_SIGNAL] = {s->signals, POLLIN, 0},
		[POLL_FETCHER] = {-1, POLLIN, 0},
	};
	bool is_alive = true;

	while (!s->is_killed && is_alive) {
		int left = time_left(s);
		int ready = left ? poll(polls, POLL_COUNT, left) : 0;

		if (ready < 0 && errno != EINTR)
			end_worker(s, "stopped: poll failed");
		else if (!ready)
			end_what_is_late(s);
		else if (ready > 0)
			is_alive = attend(s, polls);
		if (s->is_silent)
			polls[POLL_CHANNEL].fd = -1;
		polls[POLL_FETCHER].fd = s->fetch.pid ? s->fetch.channel : -1;
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
	channel_set(s.executable, sizeof(s.executable), job->search.executable);
	status = start(&s);
	if (status)
		return status;
	watch(&s);
	fetch_stop(&s.fetch);
	while (waitpid(s.pid, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	sanitizer_pass_on(wait_status);
	conclude(&s, wait_status);
	close(s.channel);
	close(s.process);
	close(s.signals);
	return CS_OK;
}
