// Workers that do one thing each, most of them wrong, and what the supervisor makes of them.
#include "analyzer/supervisor.h"

#include "tests/lib/mkelf.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void report(int channel, const char *text)
{
	struct channel_message message = {.kind = CHANNEL_RESULT, .outcome = OUTCOME_DONE};

	channel_set(message.text, sizeof(message.text), text);
	if (channel_send(channel, &message, -1))
		_exit(1);
}

static void reports(void *context, int channel)
{
	report(channel, context);
}

static void says_nothing(void *context, int channel)
{
	(void)context;
	(void)channel;
}

static void crashes(void *context, int channel)
{
	(void)context;
	(void)channel;
	signal(SIGSEGV, SIG_DFL); // a sanitizer's own handler would exit instead
	raise(SIGSEGV);
}

static void crashes_after_its_report(void *context, int channel)
{
	report(channel, "all is well");
	crashes(context, channel);
}

static void hangs(void *context, int channel)
{
	(void)context;
	(void)channel;
	for (;;)
		pause();
}

static void hangs_silently(void *context, int channel)
{
	close(channel);
	hangs(context, channel);
}

static void hangs_after_its_report(void *context, int channel)
{
	report(channel, "all is well");
	hangs(context, channel);
}

static void reports_twice(void *context, int channel)
{
	report(channel, "all is well");
	report(channel, "or not");
	hangs(context, channel);
}

static void sends_short(void *context, int channel)
{
	if (send(channel, "x", 1, 0) == 1)
		hangs(context, channel);
}

static void sends_unknown(void *context, int channel)
{
	struct channel_message message = {.kind = 4711};

	if (!channel_send(channel, &message, -1))
		hangs(context, channel);
}

static void ask(int channel, const char *path, struct channel_message *ret, int *fd_ret)
{
	*ret = (struct channel_message){.kind = CHANNEL_ASK};
	channel_set(ret->path, sizeof(ret->path), path);
	if (channel_send(channel, ret, -1) || channel_receive(channel, ret, fd_ret))
		_exit(1);
}

static void asks(void *context, int channel)
{
	struct channel_message message;
	char byte;
	int fd;

	ask(channel, context, &message, &fd);
	if (message.kind == CHANNEL_FILE)
		report(channel,
			read(fd, &byte, 1) == 1 && write(fd, "x", 1) < 0 ? "file" : "bad file");
	else
		report(channel, message.text);
}

static void asks_twice(void *context, int channel)
{
	struct channel_message message;
	int fd;

	ask(channel, context, &message, &fd);
	ask(channel, context, &message, &fd);
	report(channel, "two files");
}

static void asks_for_libraries(void *context, int channel)
{
	struct channel_message message;
	int fd;

	for (int i = 0; i < MAX_LIBRARIES + MAX_PLUGIN_FILES; i++) {
		message = (struct channel_message){.kind = CHANNEL_ASK_LIBRARY};
		channel_set(message.path, sizeof(message.path), context);
		if (channel_send(channel, &message, -1) ||
			channel_receive(channel, &message, &fd) || message.kind != CHANNEL_FILE)
			_exit(1);
		close(fd);
	}
	report(channel, "all of them");
}

static void asks_for_too_many_libraries(void *context, int channel)
{
	struct channel_message message = {.kind = CHANNEL_ASK_LIBRARY};

	asks_for_libraries(context, channel);
	if (!channel_send(channel, &message, -1))
		hangs(context, channel);
}

/** Dies with the answer unread: the supervisor must name the death, not the reset connection. */
static void asks_and_crashes(void *context, int channel)
{
	struct channel_message message = {.kind = CHANNEL_ASK};
	char byte;

	channel_set(message.path, sizeof(message.path), context);
	if (!channel_send(channel, &message, -1) && recv(channel, &byte, 1, MSG_PEEK) == 1)
		crashes(context, channel);
}

static const struct {
	const char *name;
	void (*work)(void *context, int channel);
	const char *context;
	enum supervisor_end end;
	const char *text; // of the report, or why it died
} rows[] = {
	{"reports", reports, "well done", WORKER_REPORTED, "well done"},
	{"says nothing", says_nothing, NULL, WORKER_DIED, "ended without a result, exit status 0"},
	{"crashes", crashes, NULL, WORKER_DIED, "killed by SIGSEGV"},
	{"crashes late", crashes_after_its_report, NULL, WORKER_DIED, "killed by SIGSEGV"},
	{"hangs", hangs, NULL, WORKER_DIED, "stopped at its time limit"},
	{"hangs silently", hangs_silently, NULL, WORKER_DIED, "stopped at its time limit"},
	{"hangs late", hangs_after_its_report, NULL, WORKER_DIED, "stopped at its time limit"},
	{"reports twice", reports_twice, NULL, WORKER_DIED, "stopped: it broke the protocol"},
	{"sends too little", sends_short, NULL, WORKER_DIED, "stopped: it broke the protocol"},
	{"sends nonsense", sends_unknown, NULL, WORKER_DIED, "stopped: it broke the protocol"},
	{"asks", asks, "/proc/self/exe", WORKER_REPORTED, "file"},
	{"asks and crashes", asks_and_crashes, "/proc/self/exe", WORKER_DIED, "killed by SIGSEGV"},
	{"asks twice", asks_twice, "/proc/self/exe", WORKER_DIED, "stopped: it broke the protocol"},
	{"asks for libraries", asks_for_libraries, "/proc/self/exe", WORKER_REPORTED,
		"all of them"},
	{"asks for too many", asks_for_too_many_libraries, "/proc/self/exe", WORKER_DIED,
		"stopped: it broke the protocol"},
	{"asks for a text", asks, "/etc/passwd", WORKER_REPORTED, "is not an ELF file"},
	{"asks for a device", asks, "/dev/zero", WORKER_REPORTED,
		"is not a regular file; copy it into one first"},
	{"asks for a directory", asks, "/", WORKER_REPORTED, "is a directory; name a file in it"},
	{"asks for nothing", asks, "", WORKER_REPORTED, "is not an absolute path"},
	{"asks beside us", asks, "tests", WORKER_REPORTED, "is not an absolute path"},
};

/* What a core names is opened with the supervisor's rights: another process's memory is not. */
START_TEST(a_core_is_no_executable)
{
	struct mkelf *core = mkelf_core_create(EM_X86_64);
	int fd = mkelf_open(core);
	char path[64];
	struct supervisor_job job = {
		.work = asks, .context = path, .keep = {-1, -1, -1, -1}, .seconds = 10};
	struct supervisor_report result;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	supervisor_block_signals();
	ck_assert_int_eq(supervisor_run(&job, &result), CS_OK);
	ck_assert_int_eq(result.end, WORKER_REPORTED);
	ck_assert_str_eq(result.message.text, "is a core file");
	close(fd);
	mkelf_destroy(core);
}
END_TEST

START_TEST(end_is_told)
{
	struct supervisor_job job = {.work = rows[_i].work,
		.context = (void *)rows[_i].context,
		.keep = {-1, -1, -1, -1},
		.seconds = 1};
	struct supervisor_report result;
	const char *text;

	supervisor_block_signals();
	ck_assert_int_eq(supervisor_run(&job, &result), CS_OK);
	text = result.end == WORKER_REPORTED ? result.message.text : result.why;
	ck_assert_msg(result.end == rows[_i].end && !strcmp(text, rows[_i].text),
		"%s: end %d, \"%s\"", rows[_i].name, result.end, text);
}
END_TEST

START_TEST(no_time_is_no_worker)
{
	struct supervisor_job job = {.work = hangs, .keep = {-1, -1, -1, -1}, .seconds = 0};
	struct supervisor_report result;

	ck_assert_int_eq(supervisor_run(&job, &result), CS_OK);
	ck_assert_int_eq(result.end, WORKER_DIED);
	ck_assert_str_eq(result.why, "stopped at its time limit");
}
END_TEST

static void interrupts(void *context, int channel)
{
	kill(getppid(), SIGTERM);
	hangs(context, channel);
}

START_TEST(interruption_ends_the_worker)
{
	struct supervisor_job job = {.work = interrupts, .keep = {-1, -1, -1, -1}, .seconds = 10};
	struct supervisor_report result;

	supervisor_block_signals();
	ck_assert_int_eq(supervisor_run(&job, &result), CS_OK);
	ck_assert_int_eq(result.end, WORKER_INTERRUPTED);
	ck_assert_int_eq(result.signal, SIGTERM);
}
END_TEST

/** Names what is open beyond the standard streams and the channel. */
static void counts_descriptors(void *context, int channel)
{
	const int *kept = context;
	char text[64] = "";

	for (int fd = 3; fd < 256; fd++) {
		size_t used = strlen(text);

		if (fcntl(fd, F_GETFD) >= 0 && fd != channel)
			snprintf(text + used, sizeof(text) - used, "%s ",
				fd == *kept ? "kept" : "?");
	}
	report(channel, text);
}

START_TEST(only_kept_descriptors_are_open)
{
	int kept = dup2(STDIN_FILENO, 200), other = dup2(STDIN_FILENO, 100);
	struct supervisor_job job = {.work = counts_descriptors,
		.context = &kept,
		.keep = {-1, kept, -1, -1},
		.seconds = 10};
	struct supervisor_report result;

	ck_assert_int_eq(kept, 200);
	ck_assert_int_eq(other, 100);
	ck_assert_int_eq(supervisor_run(&job, &result), CS_OK);
	ck_assert_str_eq(result.message.text, "kept ");
}
END_TEST

Suite *suite_supervisor(void);

Suite *suite_supervisor(void)
{
	Suite *suite = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, end_is_told, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, a_core_is_no_executable);
	tcase_add_test(tc, no_time_is_no_worker);
	tcase_add_test(tc, interruption_ends_the_worker);
	tcase_add_test(tc, only_kept_descriptors_are_open);
	suite_add_tcase(suite, tc);
	return suite;
}
