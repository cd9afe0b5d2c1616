#include "server/worker.h"

#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAGIC 0x70616e73u
#define READY_MAGIC 0x79646572u // behind its walls, before it looks at a byte of the object
#define MAX_DESCRIPTORS 3
#define FIRST_CHILD_DESCRIPTOR 3

struct reply_header {
	uint32_t magic, status;
	uint64_t size;
};

/* The nursery's side. */

/** Takes a job and its descriptors: object, pipe, and scratch if there is one. */
static ssize_t take_job(int socket, struct job *job, int descriptors[MAX_DESCRIPTORS])
{
	char control[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))] = {0};
	struct iovec part = {.iov_base = job, .iov_len = sizeof(*job)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	for (int i = 0; i < MAX_DESCRIPTORS; i++)
		descriptors[i] = -1;
	if (got > 0 && header && header->cmsg_type == SCM_RIGHTS)
		memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return got;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t part = write(fd, at, size);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return false;
		at += part;
		size -= (size_t)part;
	}
	return true;
}

/** Puts the descriptors at 3, 4, 5 and closes all others but stderr. */
static bool keep_only(int descriptors[MAX_DESCRIPTORS])
{
	for (int i = 0; i < MAX_DESCRIPTORS; i++)
		if (descriptors[i] >= 0) {
			descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 32);
			if (descriptors[i] < 0)
				return false;
		}
	for (int i = 0; i < MAX_DESCRIPTORS; i++)
		if (descriptors[i] >= 0) {
			if (dup2(descriptors[i], FIRST_CHILD_DESCRIPTOR + i) < 0)
				return false;
			descriptors[i] = FIRST_CHILD_DESCRIPTOR + i;
		}
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	return !close_range(FIRST_CHILD_DESCRIPTOR + MAX_DESCRIPTORS, ~0u, 0);
}

static bool enter_sandbox(const struct job *job)
{
	struct sandbox_limits limits = {
		.cpu_seconds = MAX_WORKER_SECONDS,
		.address_size = job->max_size + MAX_WORKER_MEMORY,
	};
	struct rlimit file = {.rlim_cur = job->max_size, .rlim_max = job->max_size};
	struct arena arena;
	struct diag diag;
	bool is_in;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	setrlimit(RLIMIT_FSIZE, &file);
	is_in = !sandbox_enter(&limits, &diag);
	if (!is_in)
		fprintf(stderr, "coresnap-server: no sandbox: %s\n",
			diag.fatal ? diag.fatal : "unknown reason");
	arena_deinit(&arena);
	return is_in;
}

static _Noreturn void be_worker(const struct job *job, int descriptors[MAX_DESCRIPTORS])
{
	struct reply_header header = {.magic = REPLY_MAGIC};
	uint32_t ready = READY_MAGIC;
	struct text out;

	signal(SIGXFSZ, SIG_IGN);
	json_object_seed(
		0); // its hash wants random bytes from a file, which could not be opened later
	if (!keep_only(descriptors) || !enter_sandbox(job) ||
		!write_all(descriptors[1], &ready, sizeof(ready)))
		_exit(1);
	text_init(&out, MAX_PAGE_SIZE);
	header.status = job_run(job, descriptors[0], descriptors[2], &out);
	header.size = out.used;
	if (!write_all(descriptors[1], &header, sizeof(header)) ||
		!write_all(descriptors[1], out.bytes, out.used))
		_exit(1);
	_exit(0);
}

static _Noreturn void be_nursery(int socket)
{
	struct job job;
	int descriptors[MAX_DESCRIPTORS];

	prctl(PR_SET_NAME, "snap-nursery");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN); // no zombies
	signal(SIGINT, SIG_IGN);  // a ^C in the terminal is the server's to handle
	signal(SIGTERM, SIG_IGN);
	sandbox_warm_up();
	while (take_job(socket, &job, descriptors) == (ssize_t)sizeof(job)) {
		job.key[MAX_OBJECT_KEY] = 0;
		if (fork() == 0) {
			signal(SIGTERM, SIG_DFL);
			be_worker(&job, descriptors);
		}
		for (int i = 0; i < MAX_DESCRIPTORS; i++)
			if (descriptors[i] >= 0)
				close(descriptors[i]);
	}
	_exit(0);
}

/* The server's side. */

enum cs_status nursery_start(struct nursery *nursery)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return CS_IO;
	nursery->pid = fork();
	if (nursery->pid == 0) {
		close(pair[0]);
		be_nursery(pair[1]);
	}
	close(pair[1]);
	nursery->socket = pair[0];
	if (nursery->pid < 0 || sem_init(&nursery->room, 0, MAX_SERVER_WORKERS)) {
		close(pair[0]);
		return CS_IO;
	}
	return CS_OK;
}

bool nursery_works(struct nursery *nursery)
{
	struct job job = {.kind = JOB_CHECK, .max_size = 1};
	struct answer answer = {0};
	int object = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool works = object >= 0 && !worker_run(nursery, &job, object, -1, &answer) &&
		     answer.status == 200;

	free(answer.bytes);
	if (object >= 0)
		close(object);
	return works;
}

void nursery_stop(struct nursery *nursery)
{
	close(nursery->socket);
	waitpid(nursery->pid, NULL, 0);
	sem_destroy(&nursery->room);
}

static bool send_job(int socket, const struct job *job, const int *descriptors, size_t count)
{
	char control[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))] = {0};
	struct job copy = *job;
	struct iovec part = {.iov_base = &copy, .iov_len = sizeof(copy)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(copy);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Reads exactly `size` bytes. CS_IO: they never come; CS_LIMIT: not before the deadline. */
static enum cs_status read_all(int fd, void *bytes, size_t size, int64_t deadline)
{
	char *at = bytes;

	while (size) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		ssize_t part;

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return CS_LIMIT;
		part = read(fd, at, size);
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return CS_IO;
		at += part;
		size -= (size_t)part;
	}
	return CS_OK;
}

static enum cs_status read_answer(int fd, struct answer *ret)
{
	int64_t deadline = now_ms() + (int64_t)MAX_WORKER_SECONDS * 1000;
	struct reply_header header;
	enum cs_status status;
	uint32_t ready;
	char *bytes;

	// A worker that did not even begin says nothing about the object.
	if (read_all(fd, &ready, sizeof(ready), deadline) || ready != READY_MAGIC)
		return CS_LIMIT;
	status = read_all(fd, &header, sizeof(header), deadline);
	if (status)
		return status;
	if (header.magic != REPLY_MAGIC || header.size > MAX_PAGE_SIZE || header.status < 200 ||
		header.status > 599)
		return CS_CORRUPT;
	bytes = malloc(header.size + 1);
	if (!bytes)
		return CS_NO_MEMORY;
	status = read_all(fd, bytes, header.size, deadline);
	if (status) {
		free(bytes);
		return status;
	}
	bytes[header.size] = 0;
	*ret = (struct answer){.status = header.status, .bytes = bytes, .size = header.size};
	return CS_OK;
}

static enum cs_status ask(
	struct nursery *nursery, const struct job *job, int object, int scratch, struct answer *ret)
{
	enum cs_status status = CS_LIMIT;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return CS_LIMIT;
	int descriptors[MAX_DESCRIPTORS] = {object, pipes[1], scratch};
	bool is_sent = send_job(nursery->socket, job, descriptors, scratch < 0 ? 2 : 3);

	close(pipes[1]);
	if (is_sent)
		status = read_answer(pipes[0], ret);
	close(pipes[0]); // a worker that still writes dies of it
	return status;
}

enum cs_status worker_run(
	struct nursery *nursery, const struct job *job, int object, int scratch, struct answer *ret)
{
	struct timespec until;
	enum cs_status status;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += MAX_WORKER_SECONDS;
	while (sem_timedwait(&nursery->room, &until))
		if (errno != EINTR)
			return CS_LIMIT;
	status = ask(nursery, job, object, scratch, ret);
	sem_post(&nursery->room);
	return status;
}
