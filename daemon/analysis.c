#include "daemon/analysis.h"

#include "common/limits.h"
#include "daemon/backoff.h"
#include "daemon/fault.h"
#include "daemon/intake.h"
#include "daemon/ledger.h"
#include "daemon/log.h"
#include "daemon/pack.h"
#include "daemon/record.h"
#include "daemon/service.h"
#include "daemon/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FULL_RETRY_NS (2 * NS_PER_SECOND)
#define PRESSED_RETRY_NS (10 * NS_PER_SECOND)
#define MAX_TROUBLES 3
#define CORE_FD 3
#define EXECUTABLE_FD 4
#define ANALYZER_WORDS (16 + 2 * MAX_WATCH_DIRECTORIES)

/* The children of the task, in this order. */
enum { ANALYZER, PACKER };

/* One running analysis: the core, and the file it goes to. */
struct analysis {
	struct core *core; // borrowed
	int output;        // owned: tmp/<key>
	uint64_t room;     // bytes that it may write
};

static void analysis_free(struct analysis *analysis)
{
	fd_close(&analysis->output);
	free(analysis);
}

static void put_off(struct core *core, uint64_t delay_ns)
{
	core->state = CORE_READY;
	core->due_ns = core->service->now_ns + delay_ns;
}

static void settle(struct core *core, enum ledger_outcome outcome, const char *id)
{
	char analyzer[STAMP_TEXT_SIZE];

	service_analyzer_stamp(core->service, analyzer);
	core->state = CORE_SETTLED;
	if (ledger_settle(&core->service->spool, core->key, outcome,
		    json_pack("{s:o, s:s, s:o}", "path", record_text(core->path), "analyzer",
			    analyzer, "id", record_text(id))))
		log_line(LOG_ERR, "the spool cannot remember %s: %s", core->path, strerror(errno));
}

void analysis_park(struct core *core, const char *reason)
{
	const struct identity *identity = &core->identity;
	char when[32];
	time_t now = time(NULL);
	struct tm utc;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	log_line(
		LOG_WARN, "%s could not be analysed: %s; it stays where it is", core->path, reason);
	if (spool_park_core(&core->service->spool, core->key,
		    json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "path", record_text(core->path),
			    "reason", record_text(reason), "time", when, "executable",
			    record_text(identity->path), "go_build_id",
			    record_text(identity->go_build_id), "gnu_build_id",
			    record_text(identity->gnu_build_id))))
		log_line(LOG_ERR, "the spool cannot be written: %s", strerror(errno));
	settle(core, LEDGER_FAILED, NULL);
}

void analysis_name(const struct core *core, char *text, char *ret, size_t size)
{
	static const char ours[] = "/proc/self/fd/3";
	char *name;

	log_printable(text);
	if (!strncmp(text, "coresnap: ", 10))
		text += 10;
	name = strstr(text, ours);
	if (name == text && !strncmp(text + strlen(ours), ": ", 2))
		snprintf(ret, size, "%s",
			text + strlen(ours) + 2); // our line names the core already
	else if (name)
		snprintf(ret, size, "%.*s%s%s", (int)(name - text), text, core->path,
			name + strlen(ours));
	else
		snprintf(ret, size, "%s", text);
}

// The last line that the analyzer said.
static void last_words(struct task *task, const struct core *core, char *ret, size_t size)
{
	char *text = task->errors.text, *line;
	size_t length = strlen(text);

	while (length && text[length - 1] == '\n')
		text[--length] = '\0';
	line = strrchr(text, '\n');
	analysis_name(core, line ? line + 1 : text, ret, size);
}

static void say_why(struct task *task, const struct core *core, char *ret, size_t size)
{
	if (!task->is_late && !task_exited(task, ANALYZER, 0))
		last_words(task, core, ret, size);
	else if (!task->is_late && task_exited(task, PACKER, PACK_NOT_A_SNAPSHOT))
		snprintf(ret, size, "the analyzer did not write a snapshot");
	else
		*ret = '\0';
	if (!*ret)
		task_describe(task, task_exited(task, ANALYZER, 0) ? PACKER : ANALYZER, ret, size);
}

static void failed(struct task *task, struct core *core)
{
	char why[MAX_DIAGNOSTIC_LENGTH];

	say_why(task, core, why, sizeof(why));
	if (!core->executable) {
		analysis_park(core, why);
		return;
	}
	// What is known without the executable is still worth having.
	log_line(LOG_WARN, "%s with %s: %s; trying without the executable", core->path,
		core->executable, why);
	core->without_executable = true;
	core->state = CORE_RESOLVING;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

// One fact with what stands around it, or nothing where the snapshot does not say.
static const char *fact(
	const char *before, const char *value, const char *after, char *buffer, size_t size)
{
	*buffer = '\0';
	if (*value)
		snprintf(buffer, size, "%s%s%s", before, value, after);
	return buffer;
}

static void say_crash(const struct core *core, char facts[HEAD_FACTS][HEAD_VALUE_SIZE])
{
	const char *executable = facts[HEAD_EXECUTABLE];
	char pid[HEAD_VALUE_SIZE + 16], signal[HEAD_VALUE_SIZE + 16], go[HEAD_VALUE_SIZE + 16],
		title[HEAD_VALUE_SIZE + 16], goroutines[HEAD_VALUE_SIZE + 16];

	log_line(LOG_INFO, "crash: %s%s%s%s%s%s%s -> %s, queued",
		base_name(*executable ? executable : core->path),
		fact(" (pid ", facts[HEAD_PID], ")", pid, sizeof(pid)),
		fact(" ", facts[HEAD_SIGNAL], "", signal, sizeof(signal)),
		fact(" ", facts[HEAD_GO_VERSION], "", go, sizeof(go)),
		fact(": ", facts[HEAD_TITLE], "", title, sizeof(title)),
		fact(", ", facts[HEAD_GOROUTINES], " goroutines", goroutines, sizeof(goroutines)),
		core->executable ? "" : " (without its executable)", facts[HEAD_ID]);
}

static void succeeded(
	struct task *task, struct core *core, int output, char facts[HEAD_FACTS][HEAD_VALUE_SIZE])
{
	char words[MAX_DIAGNOSTIC_LENGTH];
	struct service *service = core->service;

	if (spool_enqueue(&service->spool, core->key, output, facts[HEAD_ID])) {
		log_line(LOG_ERR, "%s: the spool cannot be written: %s; trying again", core->path,
			strerror(errno));
		put_off(core, PRESSED_RETRY_NS);
		return;
	}
	say_crash(core, facts);
	last_words(task, core, words, sizeof(words));
	if (*words)
		log_line(LOG_WARN, "%s: %s", core->path, words);
	if (service->is_full)
		log_line(LOG_INFO, "the spool has room again");
	service->is_full = false;
	spool_unpark_core(&service->spool, core->key);
	settle(core, LEDGER_QUEUED, facts[HEAD_ID]);
	fault_point("settled");
	service_wake_uploader(service);
}

static void say_full(struct service *service)
{
	if (!service->is_full)
		log_line(LOG_ERR,
			"the spool is full (%llu bytes, see --spool-max and --keep-free): "
			"cores stay where they are until there is room",
			(unsigned long long)spool_usage(&service->spool));
	service->is_full = true;
}

// The analysis ran for nothing: the spool could not take its snapshot. The next one begins with
// twice the room; one that does not fit into an empty spool never will.
static void overflowed(struct core *core, uint64_t room)
{
	struct spool *spool = &core->service->spool;

	spool_discard(spool, core->key);
	if (spool_is_empty(spool) && room >= spool->max_size / 2) {
		analysis_park(
			core, "its snapshot is larger than the spool may be; see --spool-max");
		return;
	}
	say_full(core->service);
	core->wanted_room = 2 * room < spool->max_size / 2 ? 2 * room : spool->max_size / 2;
	put_off(core, FULL_RETRY_NS);
}

// The packer ended as it never should, whatever the analyzer wrote.
static bool has_packer_trouble(const struct task *task)
{
	return !task->is_late && !task_exited(task, PACKER, PACK_OK) &&
	       !task_exited(task, PACKER, PACK_NOT_A_SNAPSHOT);
}

// Not the core's fault: it is tried again, later and later, before it is given up.
static void pack_trouble(struct task *task, struct core *core)
{
	char why[64];

	task_describe(task, PACKER, why, sizeof(why));
	log_line(LOG_ERR, "%s: the snapshot could not be packed: %s", core->path, why);
	if (core->troubles < MAX_TROUBLES)
		put_off(core, PRESSED_RETRY_NS << (2 * core->troubles++));
	else
		analysis_park(core, "its snapshot could not be packed");
}

static void analysis_done(struct task *task, void *context)
{
	struct analysis *analysis = context;
	struct core *core = analysis->core;
	struct service *service = core->service;
	char facts[HEAD_FACTS][HEAD_VALUE_SIZE];

	service->analyzing--;
	if (service->is_stopping && task->is_late)
		core->state = CORE_SETTLED; // the next start takes it again
	else if (task_exited(task, PACKER, PACK_NOT_WRITTEN))
		overflowed(core, analysis->room);
	else if (has_packer_trouble(task))
		pack_trouble(task, core);
	else if (!task_exited(task, ANALYZER, 0) || !task_exited(task, PACKER, PACK_OK) ||
		 pack_report_read(task->output.text, facts))
		failed(task, core);
	else
		succeeded(task, core, analysis->output, facts);
	spool_discard(&service->spool, core->key); // what was queued has another name by now
	analysis_free(analysis);
}

static enum cs_status open_executable(struct core *core, int *ret)
{
	CLOSE_FD int fd = -1;
	struct stamp stamp;
	struct stat st;
	enum cs_status status = fd_open_regular(AT_FDCWD, core->executable, true, &st, &fd);

	if (status)
		return status;
	stamp = stamp_of(&st);
	if (!stamp_equals(&stamp, &core->executable_stamp))
		return CS_MISMATCH;
	*ret = fd_steal(&fd);
	return CS_OK;
}

// The analyzer's command line, which ends with NULL. Without time for an analysis it makes a
// minimal snapshot, and searches for no executable either.
static void make_words(const struct options *options, const char *seconds, bool has_executable,
	const char *words[ANALYZER_WORDS])
{
	const char *const with[] = {"coresnap", "analyze", "--no-debuginfod", "--time-limit",
		has_executable ? seconds : "0", "--exe", "/proc/self/fd/4"};
	size_t count = sizeof(with) / sizeof(with[0]) - (has_executable ? 0 : 2);

	memcpy(words, with, sizeof(with));
	// Debug files may lie there.
	for (size_t i = 0; has_executable && i < options->executables_count; i++) {
		words[count++] = "--exe-dir";
		words[count++] = options->executables[i];
	}
	if (options->max_unpacked) {
		words[count++] = "--max-unpacked";
		words[count++] = options->max_unpacked;
	}
	words[count++] = "/proc/self/fd/3";
	words[count] = NULL;
}

static enum cs_status add_children(struct task *task, struct core *core, int core_fd,
	int executable_fd, const struct analysis *analysis)
{
	char seconds[24];
	const char *words[ANALYZER_WORDS];
	const char *const pack[] = {"coresnapd", "--role=packer", NULL};
	CLOSE_FD int report = -1, errors = -1, from = -1, to = -1;
	int ends[2];
	enum cs_status status = task_pipes(task, &report, &errors);

	if (status)
		return status;
	if (pipe2(ends, O_CLOEXEC))
		return CS_IO;
	from = ends[0];
	to = ends[1];
	// It gets three quarters; in the last one it can still save a minimal snapshot by itself.
	snprintf(seconds, sizeof(seconds), "%llu",
		core->service->options->time_limit_ns / NS_PER_SECOND * 3 / 4 + 1);
	make_words(core->service->options, seconds, executable_fd >= 0, words);
	struct child_spec analyzer = {.path = core->service->analyzer,
		.argv = words,
		.fds = {{to, 1}, {errors, 2}, {core_fd, CORE_FD}, {executable_fd, EXECUTABLE_FD}},
		.fd_count = executable_fd < 0 ? 3 : 4,
		.temporary = core->service->temporary,
		.is_background = true};
	struct child_spec packer = {.path = core->service->self,
		.argv = pack,
		.fds = {{from, PACK_INPUT}, {report, PACK_REPORT}, {analysis->output, PACK_OUTPUT}},
		.fd_count = 3,
		.max_file_size = analysis->room,
		.is_background = true};

	status = task_add(task, &analyzer);
	return status ? status : task_add(task, &packer);
}

// Everything is open: makes the output and starts the children.
static enum cs_status start(struct core *core, int core_fd, int executable_fd, uint64_t room)
{
	struct service *service = core->service;
	struct analysis *analysis = malloc(sizeof(*analysis));
	struct task *task = task_create(MAX_REPORT_SIZE, analysis_done, analysis);
	enum cs_status status = analysis && task ? CS_OK : CS_NO_MEMORY;

	if (!status) {
		*analysis = (struct analysis){core, spool_create(&service->spool, core->key), room};
		status = analysis->output < 0 ? CS_IO : CS_OK;
	}
	if (!status)
		status = add_children(task, core, core_fd, executable_fd, analysis);
	if (status) {
		task_destroy(task);
		if (analysis)
			analysis_free(analysis);
		return status;
	}
	task->deadline_ns = service->now_ns + service->options->time_limit_ns;
	core->state = CORE_ANALYZING;
	service->analyzing++;
	service_start(service, task);
	return CS_OK;
}

// The room for this analysis; 0 when the core has to wait for room.
static uint64_t find_room(struct core *core)
{
	struct service *service = core->service;
	uint64_t wanted = core->wanted_room > SPOOL_ROOM_MIN ? core->wanted_room : SPOOL_ROOM_MIN;
	uint32_t evicted;
	uint64_t room = spool_room(&service->spool, wanted, &evicted);

	if (evicted)
		log_line(LOG_WARN, "the spool is full: dropped the %u oldest of failed/", evicted);
	if (room == 0) {
		say_full(service);
		put_off(core, FULL_RETRY_NS);
		return 0;
	}
	// What runs beside it writes, too.
	if (room / service->options->jobs >= wanted)
		room /= service->options->jobs;
	return room < MAX_SNAPSHOT_SIZE ? room : MAX_SNAPSHOT_SIZE;
}

void analysis_start(struct core *core)
{
	CLOSE_FD int core_fd = -1, executable_fd = -1;
	uint64_t room = find_room(core);
	enum cs_status status;

	if (room == 0)
		return;
	status = core_open(core, &core_fd);
	if (status) {
		log_line(LOG_WARN, "%s went away or changed before it was analysed", core->path);
		core->service->scan_cores_ns = core->service->now_ns;
		core->state = CORE_SETTLED;
		return;
	}
	if (core->executable && open_executable(core, &executable_fd)) {
		// Replaced in this moment: its directory is looked at again, and so is the core.
		core->service->scan_executables_ns = core->service->now_ns;
		core->has_checked = false;
		core->state = CORE_WAITING;
		core->due_ns = core->service->now_ns + FULL_RETRY_NS;
		return;
	}
	if (start(core, core_fd, executable_fd, room)) {
		log_line(LOG_ERR, "%s: the analysis cannot be started: %s; trying again",
			core->path, strerror(errno));
		put_off(core, PRESSED_RETRY_NS);
	}
}
