// libdebuginfod is loaded in the fetcher alone, as libdw itself does: neither the supervisor nor
// the worker ever has code for the network in memory, and who does not use debuginfod need not
// install it. What bounds a fetch: the library's own settings, which we set where the user has not
// (DEBUGINFOD_MAXTIME, DEBUGINFOD_MAXSIZE), RLIMIT_FSIZE against a server that tells no size and
// never stops sending, and in the end the supervisor, which does not wait for ever.
#include "analyzer/fetch.h"

#include "analyzer/binary/debug.h"
#include "analyzer/process.h"
#include "common/build_id.h"
#include "common/limits.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** What is used of libdebuginfod. */
struct library {
	__typeof__(debuginfod_begin) *begin;
	__typeof__(debuginfod_end) *end;
	__typeof__(debuginfod_find_debuginfo) *find;
};

static bool load(bool is_executable, struct library *ret)
{
	void *library = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return false;
	// POSIX lets an object pointer be read as a function's, ISO C does not.
	*(void **)&ret->begin = dlsym(library, "debuginfod_begin");
	*(void **)&ret->end = dlsym(library, "debuginfod_end");
	*(void **)&ret->find = dlsym(library,
		is_executable ? "debuginfod_find_executable" : "debuginfod_find_debuginfo");
	return ret->begin && ret->end && ret->find;
}

/** Lowers the library's setting `name` to `most`, or sets it where the user has not. */
static uint64_t bound(const char *name, uint64_t most)
{
	const char *text = getenv(name);
	uint64_t wanted = text ? strtoull(text, NULL, 10) : 0;
	char value[24];

	if (wanted && wanted <= most)
		return wanted;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)most);
	setenv(name, value, 1);
	return most;
}

/** What the fetcher does not need. The file system it keeps: its cache lies there. */
static void give_up_rights(uint64_t most)
{
	const struct rlimit none = {0, 0}, size = {most, most};

	signal(SIGXFSZ, SIG_IGN); // a file that grows too large is a failed write, not a death
	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static const char *explain(int error)
{
	switch (error) {
	case ENOENT:
		return "no server has it";
	case ETIME:
	case ETIMEDOUT:
		return "the servers were too slow";
	case EFBIG:
		return "it is too large";
	default:
		return strerror(error);
	}
}

/** Fetches; a descriptor and where it lies, or -1 and why. */
static int fetch(const struct channel_message *question, struct channel_message *ret)
{
	debuginfod_client *client;
	char *path = NULL;
	struct library library;
	int result = -ENOMEM;

	if (!load(question->want == WANT_EXECUTABLE, &library)) {
		channel_set(ret->text, sizeof(ret->text), "libdebuginfod is not installed");
		return -1;
	}
	client = library.begin();
	if (client) {
		// Length 0: the id is a text.
		result = library.find(
			client, (const unsigned char *)question->gnu_build_id, 0, &path);
		library.end(client);
	}
	channel_set(ret->path, sizeof(ret->path), path);
	channel_set(ret->text, sizeof(ret->text), result < 0 ? explain(-result) : NULL);
	free(path);
	return result < 0 ? -1 : result;
}

static _Noreturn void be_fetcher(
	const struct channel_message *question, int64_t milliseconds, int channel)
{
	struct channel_message reply = {.kind = CHANNEL_NONE};
	int fd;

	bound(DEBUGINFOD_MAXTIME_ENV_VAR, (uint64_t)milliseconds / 1000 + 1);
	give_up_rights(bound(DEBUGINFOD_MAXSIZE_ENV_VAR, MAX_FETCHED_SIZE));
	fd = fetch(question, &reply);
	if (fd >= 0)
		reply.kind = CHANNEL_FILE;
	// The libraries' own leaks are not ours to report: no ordinary end.
	_exit(channel_send(channel, &reply, fd) ? 1 : 0);
}

bool fetch_is_configured(void)
{
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR);

	return urls && urls[strspn(urls, " ")];
}

enum cs_status fetch_start(
	const struct channel_message *question, int64_t milliseconds, struct fetch *ret)
{
	pid_t parent = getpid(), pid;
	int channel[2];

	if (channel_create(channel))
		return CS_IO;
	pid = fork();
	if (pid == 0) {
		process_begin(parent, &channel[1], 1);
		be_fetcher(question, milliseconds, channel[1]);
	}
	close(channel[1]);
	if (pid < 0) {
		close(channel[0]);
		return CS_IO;
	}
	*ret = (struct fetch){.pid = pid, .channel = channel[0]};
	return CS_OK;
}

void fetch_stop(struct fetch *fetch)
{
	if (!fetch->pid)
		return;
	process_kill(fetch->pid);
	close(fetch->channel);
	fetch->pid = 0;
}

void fetch_finish(struct fetch *fetch, struct channel_message *ret, int *fd_ret)
{
	enum cs_status status = channel_receive(fetch->channel, ret, fd_ret);

	if (status) {
		*ret = (struct channel_message){.kind = CHANNEL_NONE};
		channel_set(ret->text, sizeof(ret->text), "the fetcher died");
		*fd_ret = -1;
	}
	ret->source = DEBUG_DEBUGINFOD;
	fetch_stop(fetch);
}
