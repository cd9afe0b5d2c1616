// From the first byte of the core on, this process is as hostile as the core: it has closed its
// sandbox before, and what it says to the supervisor is believed no further than its length.
#include "analyzer/worker.h"

#include "analyzer/ask.h"
#include "analyzer/binary/binary.h"
#include "analyzer/channel.h"
#include "analyzer/core/executable.h"
#include "analyzer/packed.h"
#include "analyzer/snapshot/plugins.h"
#include "common/build_id.h"
#include "common/sandbox/sandbox.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct work {
	const struct worker_job *job;
	int channel;
	struct arena arena;
	struct diag diag;
	struct image *image;
	struct binary *binary; // NULL: a minimal snapshot
	struct core_executable executable;
	struct ask_debug debug;
	struct analysis_options options;
	struct plugins plugins;
	struct analysis *analysis;
};

/** How looking for the executable went. */
enum search { SEARCH_FOUND, SEARCH_MINIMAL, SEARCH_REFUSED };

bool worker_format_is_minimal(const struct emit_format *format)
{
	return !strcmp(format->media_type, "application/json");
}

static void tell(const struct work *work, enum channel_outcome outcome, const char *text)
{
	struct channel_message message = {.kind = CHANNEL_RESULT, .outcome = outcome};

	channel_set(message.text, sizeof(message.text), text);
	if (channel_send(work->channel, &message, -1))
		_exit(1); // nobody is there any more
}

static void tell_failure(const struct work *work)
{
	tell(work, OUTCOME_FAILED, work->diag.fatal ? work->diag.fatal : "out of memory");
}

static enum cs_status begin(struct work *work, void *context, int channel)
{
	const struct worker_job *job = context;
	const uint64_t unpacked_size = job->unpack_limits.size;
	const struct sandbox_limits limits = {.cpu_seconds = job->cpu_seconds,
		.address_size = MAX_ANALYSIS_MEMORY + 2 * MAX_EXECUTABLE_SIZE + job->files_size +
				unpacked_size,
		.scratch = job->unpacked >= 0 ? job->unpacked : 0,
		.file_size = unpacked_size > MAX_SNAPSHOT_SIZE ? unpacked_size : MAX_SNAPSHOT_SIZE};

	signal(SIGXFSZ, SIG_IGN); // a limit on file size is an error of write, not a death
	*work = (struct work){.job = job, .channel = channel};
	arena_init(&work->arena, MAX_ANALYSIS_MEMORY);
	diag_init(&work->diag, &work->arena);
	ask_debug_init(&work->debug, channel, &work->diag);
	if (job->is_sandboxed) {
		sandbox_warm_up();
		return sandbox_enter(&limits, &work->diag);
	}
	diag_add(&work->diag, DIAG_WARNING, "no-sandbox",
		"the core was read without a sandbox, because --no-sandbox was given");
	return CS_OK;
}

static void end(struct work *work)
{
	analysis_close(work->analysis);
	binary_close(work->binary);
	image_close(work->image);
	plugins_close(&work->plugins);
	arena_deinit(&work->arena);
}

static bool write_output(void *context, const char *bytes, size_t size)
{
	const struct work *work = context;

	while (size) {
		ssize_t written = write(work->job->output, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

/** Whether core and executable belong together, by the best id that both have. */
static enum cs_status verify(
	const struct work *work, const struct binary *binary, const char *name, struct diag *diag)
{
	const struct core_executable *core = &work->executable;
	const struct binary_info *info = binary_info(binary);
	bool has_go = core->go_build_id && info->go_build_id;
	bool has_gnu = core->gnu_build_id && info->gnu_build_id;
	// An id that people set may be the same in all that they build.
	bool by_go = has_go && (!has_gnu || build_id_is_unique(core->go_build_id));
	const char *wanted = by_go ? core->go_build_id : core->gnu_build_id;
	const char *has = by_go ? info->go_build_id : info->gnu_build_id;

	if (info->arch != image_arch(work->image))
		return diag_fail(diag, CS_MISMATCH, "wrong-binary",
			"%s and %s are of different architectures: give the executable that "
			"crashed with --exe",
			work->job->core_name, name);
	if (info->is_debug_file)
		return diag_fail(diag, CS_MISMATCH, "wrong-binary",
			"%s is a debug file, without the code: give the executable that crashed "
			"with --exe",
			name);
	if (!wanted || !has) {
		enum binary_resemblance resemblance = binary_resembles(binary, work->image, core);

		if (resemblance == RESEMBLANCE_SAME)
			return CS_OK;
		if (resemblance == RESEMBLANCE_OTHER)
			return diag_fail(diag, CS_MISMATCH, "wrong-binary",
				"%s: there is no build id to compare, but the variables in it are "
				"not those of %s: give the executable that crashed with --exe",
				work->job->core_name, name);
		diag_add(diag, DIAG_WARNING, "unverified-binary",
			"%s: no build id to compare: %s may not be the executable that crashed",
			work->job->core_name, name);
		return CS_OK;
	}
	if (!strcmp(wanted, has))
		return CS_OK;
	return diag_fail(diag, CS_MISMATCH, "wrong-binary",
		"%s was made by build id %s, %s has %s: give the executable that crashed with "
		"--exe",
		work->job->core_name, wanted, name, has);
}

static bool is_noted(const struct diag *diag, const char *code)
{
	for (size_t i = 0; i < diag->count; i++)
		if (!strcmp(diag->entries[i].code, code))
			return true;
	return false;
}

/** Opens the core, unpacked before if it is compressed. */
static enum cs_status open_core(struct work *work, bool only_head)
{
	const struct worker_job *job = work->job;
	struct packed packed = {.from = job->core,
		.to = job->unpacked,
		.name = job->core_name,
		.limits = job->unpack_limits,
		.seconds = only_head || job->failure ? UNPACK_HEAD_SECONDS : 0,
		.only_head = only_head};
	const char *name = job->core_name;
	enum cs_status status = CS_OK;

	if (job->unpacked >= 0) {
		status = packed_unpack(&packed, &work->arena, &work->diag);
		name = arena_format(&work->arena, "%s (unpacked)", job->core_name);
	}
	if (!status)
		status = image_open(job->unpacked >= 0 ? job->unpacked : job->core, name,
			&work->arena, &work->diag, &work->image);
	if (status)
		work->image = NULL;
	return status;
}

/** Opens the executable in `fd` if it is the one that crashed. CS_MISMATCH: it is another one. */
static enum cs_status open_binary(struct work *work, int fd, const char *name, struct diag *diag)
{
	struct binary *binary;
	enum cs_status status = binary_open(fd, name, &work->arena, diag, &binary);

	if (status)
		return status == CS_MISMATCH ? CS_CORRUPT : status;
	status = verify(work, binary, name, diag);
	if (status) {
		binary_close(binary);
		return status;
	}
	work->binary = binary;
	binary_set_debug_finder(binary, &work->debug.finder);
	return CS_OK;
}

static enum search open_given(struct work *work)
{
	const struct worker_job *job = work->job;
	enum cs_status status =
		open_binary(work, job->executable, job->executable_name, &work->diag);

	if (!status)
		return SEARCH_FOUND;
	// A person who names a file that is no program at all has made a mistake.
	return is_noted(&work->diag, "binary-not-go") ? SEARCH_MINIMAL : SEARCH_REFUSED;
}

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

/** Nothing opened: says why of the path that the core names. */
static void say_absent(struct work *work, const char *why)
{
	const struct core_executable *wanted = &work->executable;

	diag_fail(&work->diag, CS_NOT_FOUND, "no-executable",
		"%s: its executable %s (Go build id %s) cannot be had: %s; give it with --exe",
		work->job->core_name, or_unknown(wanted->path), or_unknown(wanted->go_build_id),
		wanted->path ? why : "the core does not name it");
}

/** Says where the executable was found, when that is not where the core says. */
static void say_elsewhere(
	struct work *work, const struct channel_message *found, const struct diag *refused)
{
	if (!found->place)
		return;
	diag_add(&work->diag, DIAG_INFO, "executable-elsewhere",
		"%s was used for the executable %s of the core: %s", found->path,
		or_unknown(work->executable.path), refused->fatal ? refused->fatal : found->text);
}

/**
 * Asks for the executable, place after place, until one is right. Of wrong ones the first is named:
 * it is nearest to what the core says.
 */
static enum search find_binary(struct work *work)
{
	enum cs_status status, first_status = CS_OK;
	struct channel_message message = {.place = 0};
	struct diag own, first;
	uint32_t place = 0;
	int fd;

	diag_init(&first, &work->arena);
	for (;; place = message.place + 1) {
		ask_for_executable(&work->executable, place, &message);
		fd = ask_file(work->channel, &message);
		if (fd < 0)
			break;
		diag_init(&own, &work->arena);
		status = open_binary(work, fd, message.path, &own);
		if (!status) {
			say_elsewhere(work, &message, &first);
			diag_adopt(&work->diag, &own);
			return SEARCH_FOUND;
		}
		close(fd);
		if (!first_status) {
			first = own;
			first_status = status;
		}
	}
	if (first_status)
		diag_adopt(&work->diag, &first);
	else
		say_absent(work, message.text);
	return first_status == CS_MISMATCH ? SEARCH_REFUSED : SEARCH_MINIMAL;
}

/**
 * No executable is to be had, or not the right one: the core's own copy of it, where it has one. A
 * minimal snapshot otherwise, but for a file that a person named.
 */
static enum search find_in_core(struct work *work, enum search search)
{
	const char *name =
		work->job->executable >= 0 ? work->job->executable_name : work->executable.path;
	struct diag own;

	if (search == SEARCH_MINIMAL && work->executable.go_build_id &&
		is_noted(&work->diag, "binary-not-go"))
		diag_fail(&work->diag, CS_MISMATCH, "wrong-binary",
			"%s was made by a Go program of build id %s, %s is none: give the "
			"executable that crashed with --exe",
			work->job->core_name, work->executable.go_build_id, name);
	if (search == SEARCH_FOUND || work->job->executable >= 0)
		return search;
	binary_close(work->binary);
	diag_init(&own, &work->arena);
	if (binary_open_core(work->image, &work->executable, &work->arena, &own, &work->binary)) {
		work->binary = NULL;
		return SEARCH_MINIMAL;
	}
	binary_set_debug_finder(work->binary, &work->debug.finder);
	diag_add(&work->diag, DIAG_INFO, "executable-in-core",
		"the core holds the executable's own code and data: they were read in its place");
	return SEARCH_FOUND;
}

/** Writes what there is; `why` is NULL, or why it is a minimal snapshot only. */
static void write_snapshot(struct work *work, const char *why)
{
	const struct worker_job *job = work->job;
	enum cs_status status;

	work->options = job->analysis;
	work->options.libraries = (struct file_source){ask_library, &work->channel};
	work->options.plugins = &work->plugins;
	status = analysis_create(work->image, why ? NULL : work->binary, &work->executable,
		&work->options, &work->arena, &work->diag, &work->analysis);
	if (status && !why && worker_format_is_minimal(job->format)) {
		why = work->diag.fatal ? work->diag.fatal : status_text(status);
		// What is certainly the executable still says how it was built.
		if (!is_noted(&work->diag, "unverified-binary"))
			work->options.build = binary_info(work->binary);
		status = analysis_create(work->image, NULL, &work->executable, &work->options,
			&work->arena, &work->diag, &work->analysis);
	}
	if (status) {
		tell_failure(work);
		return;
	}
	status = job->format->write(work->analysis, &job->emit, write_output, work);
	if (status)
		tell(work, OUTCOME_FAILED,
			arena_format(&work->arena, "the snapshot cannot be written: %s",
				status == CS_IO ? strerror(errno) : status_text(status)));
	else
		tell(work, why ? OUTCOME_MINIMAL : OUTCOME_DONE, why);
}

static void analyze(struct work *work)
{
	const struct worker_job *job = work->job;
	enum search search = SEARCH_MINIMAL;

	if (open_core(work, false)) {
		tell_failure(work);
		return;
	}
	work->executable = core_executable_find(work->image, &work->arena);
	if (job->failure)
		diag_fail(&work->diag, CS_REFUSED, "analysis-failed",
			"%s: the analysis was %s; this is what a second attempt could tell without "
			"it",
			job->core_name, job->failure);
	else
		search = find_in_core(
			work, job->executable >= 0 ? open_given(work) : find_binary(work));
	if (search == SEARCH_FOUND)
		write_snapshot(work, NULL);
	else if (search == SEARCH_MINIMAL && worker_format_is_minimal(job->format))
		write_snapshot(work, work->diag.fatal);
	else
		tell_failure(work);
}

void worker_analyze(void *context, int channel)
{
	struct work work;

	if (begin(&work, context, channel))
		tell_failure(&work);
	else
		analyze(&work);
	end(&work);
}

/** e_type of the ELF file in `fd`; ET_NONE where it is none. */
static uint16_t elf_type(int fd)
{
	unsigned char head[EI_NIDENT + 2];

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		memcmp(head, ELFMAG, SELFMAG))
		return ET_NONE;
	return (uint16_t)(head[EI_NIDENT] | head[EI_NIDENT + 1] << 8);
}

static enum cs_status identify_executable(struct work *work, struct channel_message *ret)
{
	const struct worker_job *job = work->job;
	const struct binary_info *info;
	enum cs_status status;

	status = binary_open(job->core, job->core_name, &work->arena, &work->diag, &work->binary);
	if (status) {
		work->binary = NULL;
		return status;
	}
	info = binary_info(work->binary);
	ret->file = info->is_debug_file ? FILE_DEBUG : FILE_EXECUTABLE;
	channel_set(ret->go_version, sizeof(ret->go_version), info->go_version);
	channel_set(ret->go_build_id, sizeof(ret->go_build_id), info->go_build_id);
	channel_set(ret->gnu_build_id, sizeof(ret->gnu_build_id), info->gnu_build_id);
	return CS_OK;
}

static enum cs_status identify_core(struct work *work, struct channel_message *ret)
{
	const struct image_notes *notes;
	enum cs_status status = open_core(work, true);

	if (status)
		return status;
	work->executable = core_executable_find(work->image, &work->arena);
	notes = image_notes(work->image);
	ret->file = FILE_CORE;
	ret->signal = notes->has_signal ? notes->signal : 0;
	ret->pid = notes->has_process ? notes->pid : 0;
	channel_set(ret->path, sizeof(ret->path), work->executable.path);
	channel_set(ret->go_build_id, sizeof(ret->go_build_id), work->executable.go_build_id);
	channel_set(ret->gnu_build_id, sizeof(ret->gnu_build_id), work->executable.gnu_build_id);
	return CS_OK;
}

void worker_identify(void *context, int channel)
{
	struct channel_message message = {.kind = CHANNEL_RESULT, .outcome = OUTCOME_DONE};
	struct work work;
	enum cs_status status = begin(&work, context, channel);
	uint16_t type;

	if (!status) {
		type = elf_type(work.job->core);
		status = type == ET_EXEC || type == ET_DYN ? identify_executable(&work, &message)
							   : identify_core(&work, &message);
	}
	if (status)
		tell_failure(&work);
	else if (channel_send(channel, &message, -1))
		_exit(1);
	end(&work);
}
