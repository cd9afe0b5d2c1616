#include "daemon/intake.h"

#include "common/limits.h"
#include "daemon/analysis.h"
#include "daemon/backoff.h"
#include "daemon/ledger.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/service.h"
#include "daemon/task.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_NS (2 * NS_PER_SECOND)     // a core younger than this may still be written
#define PATH_RETRY_NS (5 * NS_PER_SECOND) // between two looks at the path that a core names
#define IDENTIFY_NS (60 * NS_PER_SECOND)
#define MAX_IDENTIFYING 2
#define TARGET_FD 3

static void core_free(struct core *core)
{
	free(core->path);
	free(core->executable);
	identity_deinit(&core->identity);
	free(core);
}

void intake_deinit(struct service *service)
{
	while (service->cores) {
		struct core *core = service->cores;

		service->cores = core->next;
		core_free(core);
	}
	service->core_count = 0;
}

enum cs_status core_open(const struct core *core, int *ret)
{
	CLOSE_FD int fd = -1;
	struct stamp stamp;
	struct stat st;
	enum cs_status status = fd_open_regular(AT_FDCWD, core->path, false, &st, &fd);

	if (status)
		return status;
	stamp = stamp_of(&st);
	if (!stamp_equals(&stamp, &core->stamp))
		return CS_MISMATCH;
	*ret = fd_steal(&fd);
	return CS_OK;
}

static void change_stamp(struct core *core, const struct stat *st)
{
	core->stamp = stamp_of(st);
	stamp_text(&core->stamp, core->key);
}

static struct core *find_core(const struct service *service, const char *key)
{
	for (struct core *core = service->cores; core; core = core->next)
		if (!strcmp(core->key, key))
			return core;
	return NULL;
}

/** Whether the core is in hand, or was. */
static bool is_taken(const struct service *service, const char *key)
{
	char analyzer[STAMP_TEXT_SIZE];

	if (find_core(service, key))
		return true;
	service_analyzer_stamp(service, analyzer);
	return ledger_find(&service->spool, key, analyzer) != LEDGER_UNSEEN;
}

static bool is_young(const struct stat *st)
{
	int64_t age = (int64_t)clock_wall_ns() - stamp_of(st).mtime_ns;

	// A time far in the future says nothing; the file is then taken as it is.
	return age < (int64_t)SETTLE_NS && age > -(int64_t)SETTLE_NS;
}

static void add_core(
	struct service *service, const char *path, const struct stat *st, bool is_finished)
{
	struct core *core;

	if (service->core_count >= MAX_CANDIDATES) {
		service_due(service, service->now_ns + SETTLE_NS);
		service->scan_cores_ns = service->now_ns + SETTLE_NS;
		return;
	}
	core = calloc(1, sizeof(*core));
	if (core)
		core->path = strdup(path);
	if (!core || !core->path) {
		free(core);
		return;
	}
	core->service = service;
	change_stamp(core, st);
	core->state = is_finished || !is_young(st) ? CORE_NEW : CORE_SETTLING;
	core->due_ns = service->now_ns + SETTLE_NS;
	core->next = service->cores;
	service->cores = core;
	service->core_count++;
}

// Looks at one file; `key_ret` gets its stamp when it is a regular file, and "" otherwise.
static void consider(struct service *service, const char *path, bool is_finished,
	char key_ret[static STAMP_TEXT_SIZE])
{
	struct stamp stamp;
	struct stat st;

	*key_ret = '\0';
	if (lstat(path, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		log_line(LOG_DBG, "%s is ignored: only plain files with one name are read", path);
		return;
	}
	stamp = stamp_of(&st);
	stamp_text(&stamp, key_ret);
	if (!is_taken(service, key_ret))
		add_core(service, path, &st, is_finished);
}

void intake_offer(struct service *service, size_t root, const char *name, bool is_finished)
{
	char path[PATH_MAX], key[STAMP_TEXT_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s", service->options->watch[root], name) <
		(int)sizeof(path))
		consider(service, path, is_finished, key);
}

/* The stamps of all files in the watched directories, so that the ledger can forget the others. */
struct presence {
	char (*keys)[STAMP_TEXT_SIZE]; // owned
	size_t count, capacity;
	bool is_incomplete;
};

static void presence_add(struct presence *presence, const char *key)
{
	size_t capacity = presence->capacity ? presence->capacity * 2 : 64;
	char(*grown)[STAMP_TEXT_SIZE];

	if (presence->count == presence->capacity) {
		grown = reallocarray(presence->keys, capacity, sizeof(*grown));
		if (!grown) {
			presence->is_incomplete = true;
			return;
		}
		presence->keys = grown;
		presence->capacity = capacity;
	}
	memcpy(presence->keys[presence->count++], key, STAMP_TEXT_SIZE);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_present(void *context, const char *key)
{
	const struct presence *presence = context;

	return presence->count &&
	       bsearch(key, presence->keys, presence->count, sizeof(*presence->keys), compare_keys);
}

static void scan_directory(
	struct service *service, const char *directory, struct presence *presence)
{
	char path[PATH_MAX], key[STAMP_TEXT_SIZE] = "";
	DIR *stream = opendir(directory);
	struct dirent *entry;

	if (!stream) {
		presence->is_incomplete = true;
		return;
	}
	while ((entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >=
				(int)sizeof(path))
			continue;
		consider(service, path, false, key);
		if (*key)
			presence_add(presence, key);
	}
	closedir(stream);
}

void intake_scan(struct service *service)
{
	struct presence presence = {0};

	for (size_t i = 0; i < service->options->watch_count; i++)
		scan_directory(service, service->options->watch[i], &presence);
	if (presence.count)
		qsort(presence.keys, presence.count, sizeof(*presence.keys), compare_keys);
	// A directory that cannot be read now may be back later, with the same cores in it.
	if (!presence.is_incomplete)
		ledger_forget(&service->spool, is_present, &presence);
	free(presence.keys);
}

// A core that went away or changed is no longer our affair: its successor is a new one.
static void drop(struct core *core, enum cs_status status)
{
	if (status == CS_MISMATCH) {
		core->service->scan_cores_ns = core->service->now_ns;
		log_line(LOG_DBG, "%s changed while it was in hand", core->path);
	} else {
		log_line(LOG_WARN, "%s cannot be opened: %s", core->path,
			status == CS_IO ? strerror(errno) : status_text(status));
	}
	core->state = CORE_SETTLED;
}

// Starts `coresnap identify` on the open file.
static enum cs_status start_identify(
	struct service *service, int fd, task_done *done, void *context)
{
	const char *const argv[] = {"coresnap", "identify", "--json", "/proc/self/fd/3", NULL};
	struct task *task = task_create(MAX_IDENTITY_SIZE, done, context);
	CLOSE_FD int output = -1, errors = -1;
	enum cs_status status;

	if (!task)
		return CS_NO_MEMORY;
	status = task_pipes(task, &output, &errors);
	if (!status) {
		struct child_spec spec = {.path = service->analyzer,
			.argv = argv,
			.fds = {{output, 1}, {errors, 2}, {fd, TARGET_FD}},
			.fd_count = 3,
			.temporary = service->temporary,
			.is_background = true};

		status = task_add(task, &spec);
	}
	if (status) {
		task_destroy(task);
		return status;
	}
	task->deadline_ns = service->now_ns + IDENTIFY_NS;
	service->identifying++;
	service_start(service, task);
	return CS_OK;
}

// A file that is called as compressed cores are: "core.app.0.….zst", "core.1234.gz".
static bool is_named_as_packed_core(const char *path)
{
	static const char *const ends[] = {".zst", ".xz", ".gz", ".lz4"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(end, ends[i]))
			return !strncmp(name, "core.", 5);
	return false;
}

// The first bytes of an ELF core. Used only to choose how loudly to say that it cannot be read.
static bool looks_like_core(const struct core *core)
{
	unsigned char head[EI_NIDENT + 2] = {0};
	CLOSE_FD int fd = -1;

	if (is_named_as_packed_core(core->path))
		return true;
	return core_open(core, &fd) == CS_OK && pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       !memcmp(head, ELFMAG, SELFMAG) && (head[EI_NIDENT] | head[EI_NIDENT + 1]) == ET_CORE;
}

static void ignore(struct core *core, const char *why)
{
	log_line(LOG_DBG, "%s is ignored: %s", core->path, why);
	if (ledger_settle(&core->service->spool, core->key, LEDGER_NOT_A_CORE,
		    json_pack("{s:o}", "path", record_text(core->path))))
		log_line(LOG_ERR, "the spool cannot be written: %s", strerror(errno));
	core->state = CORE_SETTLED;
}

static bool is_own(const struct core *core)
{
	const char *path = core->identity.path;

	return path &&
	       (!strcmp(path, core->service->self) || !strcmp(path, core->service->analyzer));
}

static void core_identified(struct task *task, void *context)
{
	struct core *core = context;
	char why[MAX_DIAGNOSTIC_LENGTH + PATH_MAX] = "not a core";

	core->service->identifying--;
	if (core->service->is_stopping)
		return;
	if (identity_load(task->output.text, task->output.size, &core->identity)) {
		task_describe(task, 0, why, sizeof(why));
		analysis_park(core, why);
		return;
	}
	core->state = CORE_RESOLVING;
	if (core->identity.kind == IDENTITY_CORE && !is_own(core))
		return;
	if (core->identity.reason)
		analysis_name(core, core->identity.reason, why, sizeof(why));
	if (core->identity.kind == IDENTITY_OTHER && looks_like_core(core))
		analysis_park(core, why);
	else
		ignore(core, why);
}

static void step_new(struct core *core)
{
	CLOSE_FD int fd = -1;
	enum cs_status status;

	if (core->service->identifying >= MAX_IDENTIFYING)
		return;
	status = core_open(core, &fd);
	if (status) {
		drop(core, status);
		return;
	}
	core->state = CORE_IDENTIFYING;
	if (start_identify(core->service, fd, core_identified, core)) {
		log_line(LOG_ERR, "%s: no process can be started: %s", core->path, strerror(errno));
		core->state = CORE_SETTLING;
		core->due_ns = core->service->now_ns + SETTLE_NS;
	}
}

static void step_settling(struct core *core)
{
	char key[STAMP_TEXT_SIZE];
	struct stat st;
	struct stamp stamp;

	if (core->service->now_ns < core->due_ns)
		return;
	if (lstat(core->path, &st)) {
		core->state = CORE_SETTLED;
		return;
	}
	stamp = stamp_of(&st);
	if (stamp_equals(&stamp, &core->stamp)) {
		core->state = CORE_NEW;
		return;
	}
	stamp_text(&stamp, key);
	if (is_taken(core->service, key)) { // it was finished meanwhile and has been offered
		core->state = CORE_SETTLED;
		return;
	}
	change_stamp(core, &st);
	core->due_ns = core->service->now_ns + SETTLE_NS;
}

static void choose(struct core *core, const char *path, const struct stamp *stamp)
{
	free(core->executable);
	core->executable = path ? strdup(path) : NULL;
	if (stamp)
		core->executable_stamp = *stamp;
	core->state = CORE_READY;
	core->due_ns = 0;
}

static void wait_for_executable(struct core *core)
{
	const struct identity *identity = &core->identity;
	struct service *service = core->service;

	// One of the executables that are being identified may be the one: then there is no wait.
	if (executables_pending(&service->executables))
		return;
	core->state = CORE_WAITING;
	core->due_ns = service->now_ns + PATH_RETRY_NS;
	if (core->waiting_since_ns)
		return;
	core->waiting_since_ns = ledger_wait(&service->spool, core->key,
		json_pack("{s:o, s:o, s:o, s:o}", "path", record_text(core->path), "executable",
			record_text(identity->path), "go_build_id",
			record_text(identity->go_build_id), "gnu_build_id",
			record_text(identity->gnu_build_id)));
	log_line(LOG_INFO, "%s waits for its executable: %s, build id %s; put it into an --exe-dir",
		core->path, identity->path ? identity->path : "of unknown path",
		identity_id(identity));
}

static void path_identified(struct task *task, void *context)
{
	struct core *core = context;
	struct identity file = {0};

	core->service->identifying--;
	if (core->service->is_stopping)
		return;
	core->state = CORE_RESOLVING;
	core->has_checked = true;
	core->checked_match = MATCH_NO;
	if (identity_load(task->output.text, task->output.size, &file) == CS_OK &&
		file.kind == IDENTITY_EXECUTABLE) {
		core->checked_match = identity_compare(&core->identity, &file);
		if (core->checked_match == MATCH_NO)
			log_line(LOG_WARN, "%s: %s is not its executable: build id %s, needed %s",
				core->path, core->identity.path, identity_id(&file),
				identity_id(&core->identity));
	}
	identity_deinit(&file);
}

// Looks at the path that the core names. The path comes from a crashed process: nothing but a
// regular file is opened, and what it is the analyzer's sandbox says.
static void check_path(struct core *core)
{
	CLOSE_FD int fd = -1;
	struct stamp stamp;
	struct stat st;

	if (!core->identity.path || core->identity.path[0] != '/' ||
		fd_open_regular(AT_FDCWD, core->identity.path, true, &st, &fd)) {
		wait_for_executable(core);
		return;
	}
	stamp = stamp_of(&st);
	if (!core->has_checked || !stamp_equals(&stamp, &core->checked_stamp)) {
		if (core->service->identifying >= MAX_IDENTIFYING)
			return;
		core->checked_stamp = stamp;
		core->state = CORE_CHECKING;
		if (start_identify(core->service, fd, path_identified, core)) {
			core->state = CORE_RESOLVING;
			wait_for_executable(core);
		}
		return;
	}
	core->is_unverified = core->checked_match == MATCH_UNKNOWN && !core->identity.go_build_id &&
			      !core->identity.gnu_build_id;
	if (core->checked_match == MATCH_YES || core->is_unverified)
		choose(core, core->identity.path, &stamp);
	else
		wait_for_executable(core);
}

static void step_resolving(struct core *core)
{
	const struct identity *identity = &core->identity;
	struct service *service = core->service;
	const struct executable *known = executables_find(&service->executables, identity);
	bool is_known = known && !core->without_executable;

	if (is_known) {
		choose(core, known->path, &known->stamp);
	} else if (core->without_executable ||
		   (!identity->path && !identity->go_build_id && !identity->gnu_build_id)) {
		choose(core, NULL, NULL); // there is nothing that it could wait for
	} else if (core->waiting_since_ns && clock_wall_ns() - core->waiting_since_ns >=
						     service->options->executable_wait_ns) {
		log_line(LOG_WARN,
			"%s: its executable (build id %s) has not come; without it the "
			"snapshot is minimal",
			core->path, identity_id(identity));
		core->without_executable = true;
		choose(core, NULL, NULL);
	} else {
		check_path(core);
	}
}

static void step_waiting(struct core *core)
{
	uint64_t wait_ns = core->service->options->executable_wait_ns;

	if (core->service->now_ns >= core->due_ns ||
		clock_wall_ns() - core->waiting_since_ns >= wait_ns)
		core->state = CORE_RESOLVING;
}

static void step_core(struct core *core)
{
	switch (core->state) {
	case CORE_SETTLING:
		step_settling(core);
		break;
	case CORE_NEW:
		step_new(core);
		break;
	case CORE_RESOLVING:
		step_resolving(core);
		break;
	case CORE_WAITING:
		step_waiting(core);
		break;
	case CORE_READY:
		if (core->service->now_ns >= core->due_ns &&
			core->service->analyzing < core->service->options->jobs)
			analysis_start(core);
		break;
	case CORE_IDENTIFYING:
	case CORE_CHECKING:
	case CORE_ANALYZING:
	case CORE_SETTLED:
		break;
	}
}

// When the core has to be looked at again, if nothing else happens.
static void note_due(struct core *core)
{
	struct service *service = core->service;
	uint64_t wait_ns = service->options->executable_wait_ns, waited_ns;

	if (core->state == CORE_SETTLING || core->state == CORE_WAITING ||
		(core->state == CORE_READY && core->due_ns > service->now_ns))
		service_due(service, core->due_ns);
	if (core->state != CORE_WAITING)
		return;
	waited_ns = clock_wall_ns() - core->waiting_since_ns;
	service_due(service, service->now_ns + (waited_ns < wait_ns ? wait_ns - waited_ns : 0));
}

void intake_step(struct service *service)
{
	struct core **link = &service->cores;

	while (*link) {
		struct core *core = *link;
		enum core_state before;

		do {
			before = core->state;
			step_core(core);
		} while (core->state != before && core->state != CORE_SETTLING);
		note_due(core);
		if (core->state != CORE_SETTLED) {
			link = &core->next;
			continue;
		}
		*link = core->next;
		service->core_count--;
		core_free(core);
	}
}

void intake_retry_waiting(struct service *service)
{
	for (struct core *core = service->cores; core; core = core->next)
		if (core->state == CORE_WAITING)
			core->state = CORE_RESOLVING;
}

/* Which executable a task identifies: its stamp, as the list may be another by the end. */
struct subject {
	struct service *service;
	char path[PATH_MAX];
	struct stamp stamp;
};

static void executable_identified(struct task *task, void *context)
{
	struct subject *subject = context;
	struct service *service = subject->service;
	struct identity identity = {0};

	service->identifying--;
	// What identify cannot read is known as something else, until it changes.
	if (identity_load(task->output.text, task->output.size, &identity))
		identity = (struct identity){.kind = IDENTITY_OTHER};
	if (identity.kind == IDENTITY_EXECUTABLE)
		log_line(
			LOG_DBG, "%s is known: build id %s", subject->path, identity_id(&identity));
	executables_settle(&service->executables, &subject->stamp, &identity);
	free(subject);
	intake_retry_waiting(service);
}

static enum cs_status identify_executable(
	struct service *service, const struct executable *executable)
{
	struct subject *subject = malloc(sizeof(*subject));
	CLOSE_FD int fd = -1;
	struct stat st;
	enum cs_status status;

	if (!subject)
		return CS_NO_MEMORY;
	*subject = (struct subject){.service = service, .stamp = executable->stamp};
	snprintf(subject->path, sizeof(subject->path), "%s", executable->path);
	status = fd_open_regular(AT_FDCWD, executable->path, true, &st, &fd);
	if (!status)
		status = start_identify(service, fd, executable_identified, subject);
	if (status)
		free(subject);
	return status;
}

void intake_identify_executables(struct service *service)
{
	const struct executable *executable;

	while (service->identifying < MAX_IDENTIFYING &&
		(executable = executables_next(&service->executables))) {
		struct identity nothing = {.kind = IDENTITY_OTHER};

		if (identify_executable(service, executable)) {
			log_line(LOG_WARN, "%s cannot be identified: %s", executable->path,
				strerror(errno));
			executables_settle(&service->executables, &executable->stamp, &nothing);
		}
	}
}
