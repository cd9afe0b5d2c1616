// libdebuginfod is loaded in the fetcher alone, as libdw itself does: neither the supervisor nor
// the worker ever has code for the network in memory, and who does not use debuginfod need not
// install it. What bounds a fetch: the library's own settings, which we set where the user has not
// (DEBUGINFOD_MAXTIME, DEBUGINFOD_MAXSIZE), RLIMIT_FSIZE against a server that tells no size and
// never stops sending, and in the end the supervisor, which does not wait for ever.
#include "analyzer/fetch.h"

#include "analyzer/binary/debug.h"
#include "analyzer/directory.h"
#include "analyzer/process.h"
#include "common/limits.h"
#include "common/sandbox/confine.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_READABLE 16 // file:// servers, and a file of headers

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

/** `$variable/name`; false where the variable is not set, or it does not fit. */
static bool below(const char *variable, const char *name, char *to, size_t size)
{
	const char *directory = getenv(variable);

	return directory && *directory && snprintf(to, size, "%s%s", directory, name) < (int)size;
}

/**
 * The directory of the cache that elfutils and gdb have, made if need be, as a descriptor; -1 with
 * errno set. The library is told that it is this one.
 */
static int open_cache(void)
{
	char path[MAX_PATH_LENGTH];

	if (!below(DEBUGINFOD_CACHE_PATH_ENV_VAR, "/", path, sizeof(path)) &&
		!(below("HOME", "/.debuginfod_client_cache/", path, sizeof(path)) &&
			!access(path, F_OK)) &&
		!below("XDG_CACHE_HOME", "/debuginfod_client/", path, sizeof(path)) &&
		!below("HOME", "/.cache/debuginfod_client/", path, sizeof(path))) {
		errno = ENOENT;
		return -1;
	}
	if (directory_make_above(path, 0700))
		return -1;
	for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	if (setenv(DEBUGINFOD_CACHE_PATH_ENV_VAR, path, 1))
		return -1;
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/** The paths of file:// servers in `urls`, which is cut up, and the file of extra headers. */
static size_t list_readable(char *urls, const char *readable[MAX_READABLE])
{
	static const char scheme[] = "file://";
	const char *headers = getenv(DEBUGINFOD_HEADERS_FILE_ENV_VAR);
	size_t count = 0;
	char *rest;

	if (headers)
		readable[count++] = headers;
	for (char *url = strtok_r(urls, " ", &rest); url && count < MAX_READABLE;
		url = strtok_r(NULL, " ", &rest))
		if (!strncmp(url, scheme, strlen(scheme)))
			readable[count++] = url + strlen(scheme);
	return count;
}

/** Keeps what the library needs: the network, its cache, `most` bytes of a file. */
static enum cs_status give_up_rights(int cache, uint64_t most)
{
	const struct rlimit none = {0, 0}, size = {most, most};
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR), *readable[MAX_READABLE];
	char *copy = strdup(urls ? urls : "");
	struct confine_files files = {.directories = &cache,
		.directory_count = 1,
		.may_make_directories = true,
		.readable = readable};
	enum cs_status status;

	if (!copy)
		return CS_NO_MEMORY;
	files.readable_count = list_readable(copy, readable);
	signal(SIGXFSZ, SIG_IGN); // a file that grows too large is a failed write, not a death
	status = setrlimit(RLIMIT_FSIZE, &size) || setrlimit(RLIMIT_CORE, &none)
			 ? CS_IO
			 : confine_network_role(&files);
	free(copy);
	// An old kernel: the rest must do, as for the uploader.
	return status == CS_UNSUPPORTED ? CS_OK : status;
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

static int refuse(struct channel_message *ret, const char *what, const char *why)
{
	snprintf(ret->text, sizeof(ret->text), "%s%s", what, why);
	return -1;
}

/** Fetches; a descriptor and where it lies, or -1 and why. */
static int fetch(const struct channel_message *question, uint64_t most, struct channel_message *ret)
{
	debuginfod_client *client;
	struct library library;
	char *path = NULL;
	int result = -ENOMEM, cache;

	if (!load(question->want != WANT_DEBUG, &library))
		return refuse(ret, "libdebuginfod is not installed", "");
	cache = open_cache();
	if (cache < 0)
		return refuse(ret, "its cache cannot be used: ", strerror(errno));
	if (give_up_rights(cache, most))
		return refuse(ret, "the fetcher cannot be confined: ", strerror(errno));
	client = library.begin();
	if (client) {
		// Length 0: the id is a text.
		result = library.find(
			client, (const unsigned char *)question->gnu_build_id, 0, &path);
		library.end(client);
	}
	channel_set(ret->path, sizeof(ret->path), path);
	free(path);
	return result < 0 ? refuse(ret, explain(-result), "") : result;
}

static _Noreturn void be_fetcher(
	const struct channel_message *question, int64_t milliseconds, int channel)
{
	struct channel_message reply = {.kind = CHANNEL_NONE};
	uint64_t most = bound(DEBUGINFOD_MAXSIZE_ENV_VAR, MAX_FETCHED_SIZE);
	int fd;

	bound(DEBUGINFOD_MAXTIME_ENV_VAR, (uint64_t)milliseconds / 1000 + 1);
	fd = fetch(question, most, &reply);
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
