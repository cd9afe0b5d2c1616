#include "daemon/service.h"

#include "common/limits.h"
#include "daemon/backoff.h"
#include "daemon/intake.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/task.h"
#include "daemon/uploader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXECUTABLES_DELAY_NS (NS_PER_SECOND / 5) // a burst of files is one scan
#define EXECUTABLES_SETTLE_NS NS_PER_SECOND
#define RESCAN_NS                                                                                  \
	(600 * NS_PER_SECOND) // for what makes no event: a parent that was renamed, a mount
#define MISSING_RETRY_NS NS_PER_SECOND
#define UPLOADER_RESTART_NS NS_PER_SECOND
#define STOP_NS (10 * NS_PER_SECOND)
#define NEVER UINT64_MAX
#define FIXED_POLLS 3
#define KEEP_FREE_DEFAULT (1ull << 30)

void service_due(struct service *service, uint64_t due_ns)
{
	if (due_ns < service->next_due_ns)
		service->next_due_ns = due_ns;
}

void service_start(struct service *service, struct task *task)
{
	task->next = service->tasks;
	service->tasks = task;
}

void service_wake_uploader(struct service *service)
{
	// A full pipe wakes it just as well; a dead uploader reads the queue when it starts.
	if (service->uploader_wake >= 0 && write(service->uploader_wake, "", 1) < 0)
		return;
}

void service_analyzer_stamp(const struct service *service, char ret[static STAMP_TEXT_SIZE])
{
	struct stamp stamp;
	struct stat st;

	if (stat(service->analyzer, &st)) {
		snprintf(ret, STAMP_TEXT_SIZE, "absent");
		return;
	}
	stamp = stamp_of(&st);
	stamp_text(&stamp, ret);
}

static void on_core(void *context, size_t root, const char *name, bool is_finished)
{
	intake_offer(context, root, name, is_finished);
}

static void on_executables(void *context)
{
	struct service *service = context;
	uint64_t due_ns = service->now_ns + EXECUTABLES_DELAY_NS;

	if (due_ns < service->scan_executables_ns)
		service->scan_executables_ns = due_ns;
}

static void on_lost(void *context)
{
	struct service *service = context;

	service->scan_cores_ns = service->now_ns;
	on_executables(context);
}

// Watches what can be watched, then looks at everything: what arrives in between is an event.
static void scan_cores(struct service *service)
{
	const struct options *options = service->options;

	service->scan_cores_ns = service->now_ns + RESCAN_NS;
	for (size_t i = 0; i < options->watch_count; i++) {
		bool is_missing = tree_add(&service->tree, options->watch[i], i, true) != CS_OK;

		if (is_missing && !service->is_missing[i])
			log_line(LOG_WARN, "%s cannot be watched: %s; trying again every second",
				options->watch[i], strerror(errno));
		else if (!is_missing && service->is_missing[i])
			log_line(LOG_INFO, "%s is watched again", options->watch[i]);
		service->is_missing[i] = is_missing;
		if (is_missing)
			service->scan_cores_ns = service->now_ns + MISSING_RETRY_NS;
	}
	intake_scan(service);
}

static void scan_executables(struct service *service)
{
	const struct options *options = service->options;
	struct executables_scan scan;

	service->scan_executables_ns = NEVER;
	if (executables_scan(&service->executables, &service->tree, options->executables,
		    options->executables_count, &scan))
		log_line(LOG_ERR, "the --exe-dir directories cannot be read: out of memory");
	if (scan.is_unsettled)
		service->scan_executables_ns = service->now_ns + EXECUTABLES_SETTLE_NS;
	if (scan.is_cut)
		log_line(LOG_WARN,
			"there is more below --exe-dir than can be indexed: at most %d "
			"files in %d directories",
			MAX_EXECUTABLES, MAX_EXECUTABLE_DIRECTORIES);
	intake_retry_waiting(service);
}

static void start_uploader(struct service *service)
{
	int wake = -1;

	service->uploader_start_ns = NEVER;
	if (uploader_start(
		    service->options, service->self, &service->spool, &service->uploader, &wake)) {
		log_line(LOG_ERR, "the uploader cannot be started: %s; trying again",
			strerror(errno));
		service->uploader_start_ns = service->now_ns + UPLOADER_RESTART_NS;
		return;
	}
	service->uploader_wake = wake;
}

static void step_uploader(struct service *service)
{
	int status;

	if (service->uploader.pidfd >= 0 && child_reap(&service->uploader)) {
		status = service->uploader.status;
		child_release(&service->uploader);
		fd_close(&service->uploader_wake);
		service->uploader_wake = -1;
		service->uploader_start_ns = service->now_ns + UPLOADER_RESTART_NS;
		if (!service->is_stopping)
			log_line(LOG_ERR, "the uploader ended (%s %d); starting it again",
				WIFSIGNALED(status) ? "signal" : "status",
				WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	if (!service->is_stopping && service->now_ns >= service->uploader_start_ns)
		start_uploader(service);
}

static void step_tasks(struct service *service)
{
	struct task **link = &service->tasks, *ended = NULL;

	while (*link) {
		struct task *task = *link;

		if (!task_step(task, service->now_ns)) {
			link = &task->next;
			continue;
		}
		*link = task->next;
		task->next = ended;
		ended = task;
	}
	// Only now: what `done` starts goes into the list.
	while (ended) {
		struct task *task = ended;

		ended = task->next;
		task->done(task, task->context);
		task_destroy(task);
	}
}

static void read_signals(struct service *service, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			log_line(LOG_INFO, "looking at all directories again");
			on_lost(service);
			service_wake_uploader(service); // entries that were moved back by hand
		} else if (info.ssi_signo != SIGCHLD) {
			service->is_stopping = true;
		}
	}
}

// Milliseconds that poll may sleep.
static int sleep_ms(const struct service *service)
{
	uint64_t due_ns = service->next_due_ns, now_ns = clock_boot_ns(), ms;

	for (const struct task *task = service->tasks; task; task = task->next)
		if (task->deadline_ns < due_ns)
			due_ns = task->deadline_ns;
	if (due_ns == NEVER)
		return -1;
	if (due_ns <= now_ns)
		return 0;
	ms = (due_ns - now_ns) / 1000000 + 1;
	return ms > 3600000 ? 3600000 : (int)ms;
}

static enum cs_status wait_for_something(struct service *service, int signals)
{
	size_t capacity = FIXED_POLLS, count = 0;
	struct pollfd *polls;

	for (const struct task *task = service->tasks; task; task = task->next)
		capacity += TASK_POLLS;
	polls = calloc(capacity, sizeof(*polls));
	if (!polls)
		return CS_NO_MEMORY;
	polls[count++] = (struct pollfd){signals, POLLIN, 0};
	polls[count++] = (struct pollfd){service->tree.fd, POLLIN, 0};
	polls[count++] = (struct pollfd){service->uploader.pidfd, POLLIN, 0};
	for (const struct task *task = service->tasks; task; task = task->next)
		count += task_polls(task, polls + count);
	if (poll(polls, count, sleep_ms(service)) < 0 && errno != EINTR) {
		free(polls);
		return CS_IO;
	}
	free(polls);
	return CS_OK;
}

static void turn(struct service *service)
{
	const struct tree_events events = {on_core, on_executables, on_lost, service};

	service->now_ns = clock_boot_ns();
	service->next_due_ns = NEVER;
	if (tree_read(&service->tree, &events))
		on_lost(service);
	if (service->now_ns >= service->scan_executables_ns)
		scan_executables(service);
	if (service->now_ns >= service->scan_cores_ns)
		scan_cores(service);
	step_tasks(service);
	step_uploader(service);
	intake_step(service);
	intake_identify_executables(service);
	service_due(service, service->scan_executables_ns);
	service_due(service, service->scan_cores_ns);
	service_due(service, service->uploader_start_ns);
}

// Lets what runs come to its end, for a while; the uploader first hears that it should finish.
static void stop(struct service *service, int signals)
{
	uint64_t until_ns = clock_boot_ns() + STOP_NS;

	notify_systemd("STOPPING=1");
	fd_close(&service->uploader_wake);
	service->uploader_wake = -1;
	for (struct task *task = service->tasks; task; task = task->next)
		if (task->deadline_ns > until_ns)
			task->deadline_ns = until_ns;
	while (service->tasks || service->uploader.pidfd >= 0) {
		service->now_ns = clock_boot_ns();
		service->next_due_ns = until_ns;
		step_tasks(service);
		step_uploader(service);
		if (service->now_ns >= until_ns && service->uploader.pidfd >= 0) {
			child_kill(&service->uploader);
			service->next_due_ns = service->now_ns + NS_PER_SECOND / 10;
		}
		if ((service->tasks || service->uploader.pidfd >= 0) &&
			wait_for_something(service, signals))
			return;
		read_signals(service, signals);
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void find_analyzer(const struct options *options, const char *self, char ret[PATH_MAX])
{
	const char *slash = strrchr(self, '/');
	const char *path = getenv("PATH");
	char list[4096], *rest = list, *directory;

	if (options->analyzer) {
		snprintf(ret, PATH_MAX, "%s", options->analyzer);
		return;
	}
	snprintf(ret, PATH_MAX, "%.*s/coresnap", (int)(slash ? slash - self : 0), self);
	if (access(ret, X_OK) == 0)
		return;
	snprintf(list, sizeof(list), "%s", path ? path : "/usr/local/bin:/usr/bin");
	while ((directory = strsep(&rest, ":"))) {
		snprintf(ret, PATH_MAX, "%s/coresnap", directory);
		if (*directory && access(ret, X_OK) == 0)
			return;
	}
	*ret = '\0';
}

static bool find_programs(struct service *service)
{
	ssize_t length = readlink("/proc/self/exe", service->self, sizeof(service->self) - 1);
	char found[PATH_MAX];

	if (length < 0) {
		log_line(LOG_ERR, "/proc/self/exe: %s; is /proc mounted?", strerror(errno));
		return false;
	}
	service->self[length] = '\0';
	if (snprintf(service->temporary, sizeof(service->temporary), "%s/tmp",
		    service->options->spool) >= (int)sizeof(service->temporary))
		service->temporary[0] = '\0';
	find_analyzer(service->options, service->self, found);
	// Absolute, so that a core's path can be compared with it.
	if (!*found || !realpath(found, service->analyzer) || access(service->analyzer, X_OK)) {
		log_line(LOG_ERR, "the coresnap command was not found%s%s; name it with --analyzer",
			*found ? " at " : "", found);
		return false;
	}
	return true;
}

static bool open_spool(struct service *service)
{
	const struct options *options = service->options;
	enum cs_status status = spool_open(options->spool, &service->spool);
	struct statvfs fs;

	if (status == CS_REFUSED)
		log_line(LOG_ERR, "%s: another coresnapd uses this spool", options->spool);
	else if (status == CS_MISMATCH)
		log_line(LOG_ERR, "%s belongs to another user; name a spool of your own",
			options->spool);
	else if (status)
		log_line(LOG_ERR, "%s: %s", options->spool, strerror(errno));
	if (status)
		return false;
	service->spool.max_size = options->spool_max;
	service->spool.keep_free = options->keep_free;
	if (options->keep_free == UINT64_MAX) {
		service->spool.keep_free = KEEP_FREE_DEFAULT;
		if (fstatvfs(service->spool.dir, &fs) == 0 &&
			(uint64_t)fs.f_blocks * fs.f_frsize / 20 < KEEP_FREE_DEFAULT)
			service->spool.keep_free = (uint64_t)fs.f_blocks * fs.f_frsize / 20;
	}
	if (spool_recover(&service->spool)) {
		log_line(LOG_ERR, "%s: %s", options->spool, strerror(errno));
		return false;
	}
	return true;
}

static void service_deinit(struct service *service)
{
	while (service->tasks) {
		struct task *task = service->tasks;

		service->tasks = task->next;
		task_destroy(task);
	}
	intake_deinit(service);
	executables_deinit(&service->executables);
	tree_close(&service->tree);
	spool_close(&service->spool);
}

int service_run(const struct options *options)
{
	struct service service = {.options = options,
		.scan_executables_ns = 0,
		.scan_cores_ns = 0,
		.uploader = {.pidfd = -1},
		.uploader_wake = -1};
	CLOSE_FD int signals = open_signals();

	if (signals < 0 || !find_programs(&service) || !open_spool(&service))
		return EXIT_FAILURE;
	if (tree_open(&service.tree)) {
		log_line(LOG_ERR, "inotify: %s", strerror(errno));
		spool_close(&service.spool);
		return EXIT_FAILURE;
	}
	turn(&service);
	log_line(LOG_INFO, "watching %s%s, uploading to %.*s", options->watch[0],
		options->watch_count > 1 ? " and more" : "", (int)options->upload_length,
		options->upload);
	notify_systemd("READY=1");
	while (!service.is_stopping) {
		if (wait_for_something(&service, signals)) {
			log_line(LOG_ERR, "poll: %s", strerror(errno));
			break;
		}
		read_signals(&service, signals);
		turn(&service);
	}
	stop(&service, signals);
	log_line(LOG_INFO, "stopped");
	service_deinit(&service);
	return service.is_stopping ? EXIT_SUCCESS : EXIT_FAILURE;
}
