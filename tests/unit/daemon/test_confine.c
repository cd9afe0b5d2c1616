#include "daemon/confine.h"
#include "daemon/pack.h"
#include "tests/lib/emulated.h"
#include "tests/unit/daemon/scratch.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#define SNAPSHOT "{\"id\": \"0123456789abcdef0123456789abcdef\", \"goroutines_total\": 3}\n"

static void make_spool(int *queue, int *failed)
{
	scratch_create();
	ck_assert_int_eq(mkdir(scratch_path("queue"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_path("failed"), 0700), 0);
	scratch_write("queue/a", "x");
	scratch_write("outside", "x");
	*queue = open(scratch_path("queue"), O_RDONLY | O_DIRECTORY);
	*failed = open(scratch_path("failed"), O_RDONLY | O_DIRECTORY);
	ck_assert(*queue >= 0 && *failed >= 0);
}

// What the uploader tries, in a process of its own: 0, or the number of the first surprise.
static int try_all(int queue, int failed)
{
	enum cs_status status = confine_uploader(queue, failed, "");

	if (status == CS_UNSUPPORTED)
		return 77;
	if (status)
		return 1;
	if (openat(queue, "a", O_RDONLY) < 0)
		return 2;
	for (int i = 0; i < 2; i++) // the second time it is there
		if (openat(queue, "b", O_WRONLY | O_CREAT | O_TRUNC, 0600) < 0)
			return 3;
	if (renameat(queue, "a", failed, "a"))
		return 4;
	if (unlinkat(failed, "a", 0))
		return 5;
	if (open("/etc/hosts", O_RDONLY) < 0 && errno != ENOENT)
		return 6;
	if (open(scratch_path("outside"), O_RDONLY) >= 0 || errno != EACCES)
		return 7;
	if (open(scratch_path("new"), O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 8;
	if (open("/etc/coresnap-test", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 9;
	if (openat(queue, "../outside", O_RDONLY) >= 0 || errno != EACCES)
		return 10;
	execl("/bin/true", "/bin/true", (char *)NULL);
	return errno == EACCES ? 0 : 11;
}

START_TEST(uploader_has_the_queue_only)
{
	int queue, failed, status;
	pid_t pid;

	make_spool(&queue, &failed);
	pid = fork();
	if (pid == 0)
		_exit(try_all(queue, failed));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77),
		"wait status 0x%x", (unsigned int)status);
	close(queue);
	close(failed);
	scratch_remove();
}
END_TEST

// Runs the packer over `input`; returns its wait status. The output is the file "out".
static int pack(const char *input, char *report, size_t report_size)
{
	int in[2], out[2], status;
	ssize_t size;
	pid_t pid;

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		int file = open(scratch_path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(file, 10);
		dup2(in[0], PACK_INPUT);
		dup2(out[1], PACK_REPORT);
		close(in[1]);
		dup2(10, PACK_OUTPUT);
		pack_main();
	}
	close(in[0]);
	close(out[1]);
	ck_assert_int_eq(write(in[1], input, strlen(input)), (ssize_t)strlen(input));
	close(in[1]);
	size = read(out[0], report, report_size - 1); // written at once
	report[size > 0 ? size : 0] = '\0';
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(out[0]);
	return status;
}

START_TEST(packer_compresses_and_reports)
{
	char report[4096], packed[4096], plain[4096];
	size_t size;
	FILE *file;
	int status;

	scratch_create();
	status = pack(SNAPSHOT, report, sizeof(report));
	ck_assert_msg(
		WIFEXITED(status) && WEXITSTATUS(status) == PACK_OK, "0x%x", (unsigned int)status);
	ck_assert_str_eq(report, "0123456789abcdef0123456789abcdef\n\n\n\n\n\n3\n");
	file = fopen(scratch_path("out"), "r");
	ck_assert_ptr_nonnull(file);
	size = fread(packed, 1, sizeof(packed), file);
	fclose(file);
	size = ZSTD_decompress(plain, sizeof(plain), packed, size);
	ck_assert_uint_eq(size, strlen(SNAPSHOT));
	ck_assert_int_eq(memcmp(plain, SNAPSHOT, size), 0);
	scratch_remove();
}
END_TEST

START_TEST(packer_refuses_what_is_no_snapshot)
{
	static const char *const rows[] = {"", "{", "hello", "{\"id\": \"x\"}"};
	char report[4096];

	scratch_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = pack(rows[i], report, sizeof(report));

		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == PACK_NOT_A_SNAPSHOT,
			"'%s': 0x%x", rows[i], (unsigned int)status);
		ck_assert_str_eq(report, "");
	}
	scratch_remove();
}
END_TEST

Suite *suite_daemon_confine(void);

Suite *suite_daemon_confine(void)
{
	Suite *suite = suite_create("daemon_confine");
	TCase *tc = tcase_create("daemon_confine");

	tcase_add_test(tc, uploader_has_the_queue_only);
	if (!is_emulated()) {
		tcase_add_test(tc, packer_compresses_and_reports);
		tcase_add_test(tc, packer_refuses_what_is_no_snapshot);
	}
	suite_add_tcase(suite, tc);
	return suite;
}
