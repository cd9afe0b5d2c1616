// Every case is a child that closes the sandbox and makes one call: allowed ones end it with 0,
// forbidden ones with SIGSYS.
#include "common/sandbox/sandbox.h"
#include "common/sanitizer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMORY (1ull << 30)
#define NOT_ENTERED 99

static int some_file = -1;

static bool opens(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool opens_relative(void)
{
	return syscall(SYS_openat2, AT_FDCWD, "x", NULL, 0) >= 0;
}

static bool connects(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool executes(void)
{
	return execl("/bin/true", "true", (char *)NULL) == 0;
}

static bool forks(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static bool traces(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0) == 0;
}

static bool kills(void)
{
	return kill(getppid(), 0) == 0;
}

static bool reads_memory(void)
{
	return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0) == 0;
}

static bool maps_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool maps_shared(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool makes_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool duplicates(void)
{
	return fcntl(0, F_DUPFD, 10) >= 0;
}

static bool unlinks(void)
{
	return unlink("/nonexistent") == 0;
}

static bool shrinks(void)
{
	return ftruncate(some_file, 0) == 0;
}

static bool controls(void)
{
	return syscall(SYS_ioctl, 0, 0x5401, NULL) == 0;
}

static bool stats_by_path(void)
{
	struct stat status;

	return syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &status, 0) == 0;
}

static const struct {
	const char *name;
	bool (*call)(void);
} forbidden[] = {
	{"open", opens},
	{"openat2", opens_relative},
	{"socket", connects},
	{"execve", executes},
	{"clone", forks},
	{"ptrace", traces},
	{"kill", kills},
	{"process_vm_readv", reads_memory},
	{"mmap PROT_EXEC", maps_code},
	{"mmap MAP_SHARED", maps_shared},
	{"mprotect PROT_EXEC", makes_code},
	{"fcntl F_DUPFD", duplicates},
	{"unlink", unlinks},
	{"ftruncate", shrinks},
	{"ioctl", controls},
	{"stat", stats_by_path},
};

static bool allocates(void)
{
	char *small = malloc(100), *large = malloc(64 << 20);
	bool is_done = small && large;

	if (is_done) {
		memset(small, 1, 100);
		memset(large, 1, 64 << 20);
		large = realloc(large, 128 << 20);
		is_done = large != NULL;
	}
	free(small);
	free(large);
	return is_done;
}

static bool maps_file(void)
{
	struct stat status;
	char *bytes;

	if (fstat(some_file, &status))
		return false;
	bytes = mmap(
		NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, some_file, 0);
	return bytes != MAP_FAILED && bytes[0] == 'a' && !munmap(bytes, (size_t)status.st_size);
}

static bool reads_file(void)
{
	char byte = 0;

	return pread(some_file, &byte, 1, 0) == 1 && byte == 'a' &&
	       lseek(some_file, 0, SEEK_SET) == 0 && read(some_file, &byte, 1) == 1;
}

static bool writes_file(void)
{
	return write(some_file, "b", 1) == 1;
}

static bool digests(void)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	return EVP_Digest("abc", 3, hash, &size, EVP_sha256(), NULL) && size == 32 &&
	       hash[0] == 0xba;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static bool sorts(void)
{
	int *numbers = calloc(100000, sizeof(int));
	bool is_sorted;

	for (int i = 0; numbers && i < 100000; i++)
		numbers[i] = 100000 - i;
	if (numbers)
		qsort(numbers, 100000, sizeof(int), compare);
	is_sorted = numbers && numbers[0] == 1;
	free(numbers);
	return is_sorted;
}

static bool tells_time(void)
{
	time_t now = time(NULL);
	struct timespec ts;
	struct tm tm;

	return gmtime_r(&now, &tm) && !clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
}

static bool is_told_no_by_readlink(void)
{
	char text[64];

	return readlink("/proc/self/exe", text, sizeof(text)) < 0 && errno == EACCES;
}

static bool installs_handler(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	return !sigaction(SIGBUS, &action, NULL);
}

static const struct {
	const char *name;
	bool (*call)(void);
} allowed[] = {
	{"malloc", allocates},
	{"mmap of a file", maps_file},
	{"read", reads_file},
	{"write", writes_file},
	{"SHA-256", digests},
	{"qsort", sorts},
	{"time", tells_time},
	{"readlink", is_told_no_by_readlink},
	{"sigaction", installs_handler},
};

static void enter(const struct sandbox_limits *limits)
{
	struct arena arena;
	struct diag diag;

	arena_init(&arena, 0);
	diag_init(&diag, &arena);
	sandbox_warm_up();
	if (sandbox_enter(limits, &diag))
		_exit(NOT_ENTERED);
}

static int run(bool (*call)(void), const struct sandbox_limits *limits)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		enter(limits);
		_exit(call() ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static const struct sandbox_limits usual = {.cpu_seconds = 10, .address_size = MEMORY};

static void make_file(void)
{
	char name[] = "/tmp/test_sandbox.XXXXXX";

	some_file = mkostemp(name, O_CLOEXEC);
	ck_assert_int_ge(some_file, 0);
	unlink(name);
	ck_assert_int_eq(write(some_file, "abc", 3), 3);
}

static void drop_file(void)
{
	close(some_file);
}

START_TEST(forbidden_call_kills)
{
	int status = run(forbidden[_i].call, &usual);

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: wait status 0x%x",
		forbidden[_i].name, (unsigned int)status);
}
END_TEST

START_TEST(allowed_call_works)
{
	int status = run(allowed[_i].call, &usual);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: wait status 0x%x",
		allowed[_i].name, (unsigned int)status);
}
END_TEST

static bool spins(void)
{
	for (volatile unsigned long i = 0;; i++)
		;
	return true;
}

static bool writes_anywhere(void)
{
	return pwrite(some_file, "x", 1, 100) == 1 && !ftruncate(some_file, 50);
}

static bool writes_elsewhere(void)
{
	return pwrite(STDERR_FILENO, "", 0, 0) == 0;
}

static bool cuts_elsewhere(void)
{
	return !ftruncate(STDERR_FILENO, 0);
}

START_TEST(scratch_is_one_file)
{
	struct sandbox_limits limits = usual;
	int status;

	status = run(writes_anywhere, &limits);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	limits.scratch = some_file;
	status = run(writes_anywhere, &limits);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	status = run(writes_elsewhere, &limits);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = run(cuts_elsewhere, &limits);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

static bool is_refused_large_file(void)
{
	signal(SIGXFSZ, SIG_IGN);
	return write(some_file, "1234567890", 10) == 5 && write(some_file, "1", 1) < 0;
}

START_TEST(file_size_is_limited)
{
	struct sandbox_limits limits = usual;
	int status;

	limits.file_size = 8; // three are there
	status = run(is_refused_large_file, &limits);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "wait status 0x%x",
		(unsigned int)status);
}
END_TEST

START_TEST(cpu_time_is_limited)
{
	const struct sandbox_limits limits = {.cpu_seconds = 1, .address_size = MEMORY};
	int status = run(spins, &limits);

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU, "wait status 0x%x",
		(unsigned int)status);
}
END_TEST

#if !IS_ASAN
static bool is_refused_memory(void)
{
	return mmap(NULL, 2 * MEMORY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

START_TEST(memory_is_limited)
{
	int status = run(is_refused_memory, &usual);

	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "wait status 0x%x",
		(unsigned int)status);
}
END_TEST
#endif

START_TEST(root_is_left)
{
	int status, forever[2];
	pid_t pid;

	ck_assert_int_eq(pipe(forever), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		enter(&usual);
		_exit(read(forever[0], &byte, 1) == 1);
	}
	for (int tries = 0; tries < 5000; tries++) {
		char path[64], text[4096] = "";
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		file = fopen(path, "r");
		ck_assert_ptr_nonnull(file);
		size = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[size] = 0;
		if (!strstr(text, "Seccomp:\t2")) {
			usleep(1000);
			continue;
		}
		ck_assert_ptr_null(strstr(text, "Uid:\t0"));
		ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1"));
		ck_assert_ptr_nonnull(strstr(text, "CapEff:\t0000000000000000"));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		return;
	}
	kill(pid, SIGKILL);
	ck_abort_msg("the sandbox was not closed in 5 seconds");
}
END_TEST

Suite *suite_sandbox(void);

Suite *suite_sandbox(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_add_checked_fixture(tc, make_file, drop_file);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, forbidden_call_kills, 0, sizeof(forbidden) / sizeof(forbidden[0]));
	tcase_add_loop_test(tc, allowed_call_works, 0, sizeof(allowed) / sizeof(allowed[0]));
	tcase_add_test(tc, scratch_is_one_file);
	tcase_add_test(tc, file_size_is_limited);
	tcase_add_test(tc, cpu_time_is_limited);
#if !IS_ASAN
	tcase_add_test(tc, memory_is_limited);
#endif
	tcase_add_test(tc, root_is_left);
	suite_add_tcase(suite, tc);
	return suite;
}
