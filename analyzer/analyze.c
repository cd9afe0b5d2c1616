// `coresnap analyze`: opens what is named, lets a sandboxed worker make the snapshot, and makes it
// visible when it is whole. When the worker dies of the core a second one, which reads nothing but
// the core's notes, saves what it can.
#include "analyzer/analyze_options.h"
#include "analyzer/command.h"
#include "analyzer/input.h"
#include "analyzer/output.h"
#include "analyzer/room.h"
#include "analyzer/say.h"
#include "analyzer/supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char help[] =
	"usage: coresnap analyze [OPTION]... CORE\n"
	"\n"
	"Write a snapshot of the Go program that left CORE.\n"
	"\n"
	"      --exe FILE          its executable (default: where the core says)\n"
	"      --exe-dir DIR       look there for executables, too (repeatable)\n"
	"      --sysroot DIR       the root of the file system that the core's paths are of\n"
	"      --debug-dir DIR     look there for debug files (default /usr/lib/debug)\n"
	"      --no-debuginfod     ask no server of DEBUGINFOD_URLS for files\n"
	"      --format FORMAT     json (default), text, summary or dot\n"
	"  -o, --output FILE       write to FILE, whole or not at all (default: stdout)\n"
	"      --variables WHICH   all (default), crash or none\n"
	"      --globals PATTERN   package variables to show: main.state, 'main.*'\n"
	"      --max-goroutines-with-variables N  (default 2000)\n"
	"      --no-system         leave out the runtime's own goroutines\n"
	"      --traceback LEVEL   of text: single, all (default), system or crash\n"
	"      --full              text: the variables of each frame beneath it\n"
	"      --sort ORDER        groups in summary and text: largest or rarest first\n"
	"      --max-string N      bytes of a string (default 256)\n"
	"      --max-elements N    elements of a slice, array or map (default 64)\n"
	"      --max-depth N       pointers, fields … below a variable (default 6)\n"
	"      --max-fields N      fields shown of one struct (default 64)\n"
	"      --max-queue N       goroutines shown of a channel's queue (default 64)\n"
	"      --max-unpacked N    bytes a compressed core may have (default 64G)\n"
	"      --no-sandbox        read the core without a sandbox\n"
	"      --time-limit N      seconds for the analysis (default 300; 0: none, minimal)\n"
	"  -h, --help              print this\n"
	"\n"
	"Exit status: 0 a snapshot, complete or partial; 1 none; 2 wrong usage.\n";

static bool open_named(const char *name, int *fd_ret)
{
	char why[256];

	if (!input_open(name, fd_ret, why, sizeof(why)))
		return true;
	say("%s: %s", name, why);
	return false;
}

static bool open_inputs(const struct analyze_options *options, struct worker_job *job)
{
	struct stat core = {0}, executable = {0};
	char why[512];

	if (!open_named(job->core_name, &job->core))
		return false;
	if (options->search.executable && !open_named(options->search.executable, &job->executable))
		return false;
	if (fstat(job->core, &core) ||
		(job->executable >= 0 && fstat(job->executable, &executable))) {
		say("%s: %s", job->core_name, strerror(errno));
		return false;
	}
	job->files_size = (uint64_t)core.st_size + (uint64_t)executable.st_size;
	job->analysis.captured_at = core.st_mtime;
	if (room_open(job->core, options->max_unpacked, &job->unpack_limits, &job->unpacked, why,
		    sizeof(why))) {
		say("%s: %s", job->core_name, why);
		return false;
	}
	return true;
}

/** A worker's whole run. False: interrupted or not started, said, with `*exit_ret`. */
static bool attempt(const struct analyze_options *options, struct worker_job *job,
	struct supervisor_report *report, int *signal_ret)
{
	struct supervisor_job run = {.work = worker_analyze,
		.context = job,
		.keep = {job->core, job->executable, job->output, job->unpacked},
		.seconds = job->failure ? MINIMAL_TIME_LIMIT : options->time_limit,
		.search = options->search};

	job->cpu_seconds =
		run.seconds < MAX_ANALYSIS_CPU_SECONDS ? run.seconds : MAX_ANALYSIS_CPU_SECONDS;
	if (supervisor_run(&run, report)) {
		say("%s: no process can be started for it: %s", job->core_name, strerror(errno));
		return false;
	}
	*signal_ret = report->signal;
	return report->end != WORKER_INTERRUPTED;
}

/** After the first worker died: a minimal snapshot, if that is any use. */
static bool save_what_can_be(const struct analyze_options *options, struct worker_job *job,
	struct output *output, struct supervisor_report *report, int *signal_ret)
{
	char failure[sizeof(report->why)];

	memcpy(failure, report->why, sizeof(failure));
	if (!worker_format_is_minimal(job->format)) {
		say("%s: the analysis was %s; --format json may tell more", job->core_name,
			failure);
		return false;
	}
	if (output_reset(output) || (job->unpacked >= 0 && ftruncate(job->unpacked, 0))) {
		say("%s: %s", job->core_name, strerror(errno));
		return false;
	}
	job->failure = failure;
	if (!attempt(options, job, report, signal_ret))
		return false;
	if (report->end == WORKER_REPORTED)
		return true;
	say("%s: the analysis was %s, and a minimal one was %s; please report this core",
		job->core_name, failure, report->why);
	return false;
}

static bool commit(const struct analyze_options *options, struct output *output)
{
	if (!output_commit(output))
		return true;
	if (errno != EPIPE)
		say("%s: %s; nothing was kept",
			options->output ? options->output : "standard output", strerror(errno));
	return false;
}

static bool make_snapshot(const struct analyze_options *options, struct worker_job *job,
	struct output *output, int *signal_ret)
{
	struct supervisor_report report;

	if (!attempt(options, job, &report, signal_ret))
		return false;
	if (report.end == WORKER_DIED &&
		!save_what_can_be(options, job, output, &report, signal_ret))
		return false;
	if (report.message.outcome == OUTCOME_FAILED) {
		say("%s", report.message.text);
		return false;
	}
	// A stream may block for as long as its reader likes: nothing to clean up, so let go.
	if (!output->path)
		supervisor_unblock_signals(0);
	if (!commit(options, output))
		return false;
	if (report.message.outcome == OUTCOME_MINIMAL)
		say("minimal snapshot: %s", report.message.text);
	return true;
}

static int run(const struct analyze_options *options)
{
	struct output output = {.fd = -1, .stream = -1};
	struct worker_job job = options->job;
	struct utsname system;
	char why[256];
	bool is_made = false;
	int signal = 0;

	uname(&system);
	job.executable_name = options->search.executable;
	job.analysis.core_name = job.core_name;
	job.analysis.hostname = system.nodename;
	job.analysis.kernel = system.release;
	supervisor_block_signals();
	if (open_inputs(options, &job)) {
		if (output_open(options->output, &output, why, sizeof(why))) {
			say("%s: %s", options->output ? options->output : "standard output", why);
		} else {
			job.output = output.fd;
			is_made = make_snapshot(options, &job, &output, &signal);
		}
	}
	output_close(&output);
	if (job.unpacked >= 0)
		close(job.unpacked);
	if (job.executable >= 0)
		close(job.executable);
	if (job.core >= 0)
		close(job.core);
	supervisor_unblock_signals(signal);
	return is_made ? COMMAND_OK : COMMAND_FAILED;
}

int command_analyze(int argc, char **argv)
{
	struct analyze_options options;
	int status = analyze_options_parse(argc, argv, &options);

	if (status)
		return status;
	return options.wants_help ? command_print(help) : run(&options);
}
