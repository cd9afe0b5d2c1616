// What the sandbox's filter decides, by running its BPF program here: so that it is tested for an
// architecture too whose kernel is not at hand (make check-arm64, under qemu's user emulation).
#include "common/sandbox/sandbox.h"
#include "common/sanitizer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_FILTER 512
#define API_WITH_KILL_PROCESS 3
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define FOREIGN AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define FOREIGN AUDIT_ARCH_ARM
#endif

static struct sock_filter filter[MAX_FILTER];
static size_t filter_size;

static void load(void)
{
	char name[] = "/tmp/test_filter.XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	ssize_t size;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	// libseccomp asks the kernel what it can: the emulator's answer is of no interest.
	ck_assert(seccomp_api_get() >= API_WITH_KILL_PROCESS ||
		  !seccomp_api_set(API_WITH_KILL_PROCESS));
	ck_assert_int_eq(sandbox_write_filter(fd), CS_OK);
	size = pread(fd, filter, sizeof(filter), 0);
	close(fd);
	ck_assert(size > 0 && (size_t)size < sizeof(filter));
	filter_size = (size_t)size / sizeof(filter[0]);
}

static uint32_t load_word(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	ck_assert_uint_le(offset, sizeof(*data) - sizeof(word));
	memcpy(&word, (const uint8_t *)data + offset, sizeof(word));
	return word;
}

static bool is_taken(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	default:
		ck_abort_msg("jump 0x%x", code);
	}
}

/** The instructions that libseccomp writes (linux/filter.h, classic BPF). */
static uint32_t decide(const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < filter_size; pc++) {
		const struct sock_filter *at = &filter[pc];

		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load_word(data, at->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= at->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += at->k;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			ck_assert_int_eq(BPF_CLASS(at->code), BPF_JMP);
			pc += is_taken(at->code, a, at->k) ? at->jt : at->jf;
		}
	}
	ck_abort_msg("the filter has no end");
}

#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define REFUSE (SECCOMP_RET_ERRNO | EACCES)

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

// Of calls that one of the architectures does not have only the other's spelling is here: readlink
// and open are readlinkat and openat on arm64.
static const struct {
	const char *name;
	int number;
	uint64_t arguments[6];
	uint32_t expected;
} rows[] = {
	{"read", SYS_read, {0}, ALLOW},
	{"pread64", SYS_pread64, {0}, ALLOW},
	{"write", SYS_write, {0}, ALLOW},
	{"writev", SYS_writev, {0}, ALLOW},
	{"lseek", SYS_lseek, {0}, ALLOW},
	{"close", SYS_close, {0}, ALLOW},
	{"fstat", SYS_fstat, {0}, ALLOW},
	{"fstat of a C library", SYS_newfstatat, {3, 1, 1, 0x1000}, ALLOW},
	{"sendmsg", SYS_sendmsg, {0}, ALLOW},
	{"recvmsg", SYS_recvmsg, {0}, ALLOW},
	{"brk", SYS_brk, {0}, ALLOW},
	{"mmap", SYS_mmap, {0, 4096, READ_WRITE, PRIVATE}, ALLOW},
	{"mmap of a file", SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE, 3}, ALLOW},
	{"munmap", SYS_munmap, {0}, ALLOW},
	{"mremap", SYS_mremap, {0}, ALLOW},
	{"madvise", SYS_madvise, {0}, ALLOW},
	{"mprotect", SYS_mprotect, {0, 4096, READ_WRITE}, ALLOW},
	{"clock_gettime", SYS_clock_gettime, {0}, ALLOW},
	{"getrandom", SYS_getrandom, {0}, ALLOW},
	{"futex", SYS_futex, {0}, ALLOW},
	{"rt_sigreturn", SYS_rt_sigreturn, {0}, ALLOW},
	{"rt_sigaction", SYS_rt_sigaction, {0}, ALLOW},
	{"rt_sigprocmask", SYS_rt_sigprocmask, {0}, ALLOW},
	{"sigaltstack", SYS_sigaltstack, {0}, ALLOW},
	{"exit_group", SYS_exit_group, {0}, ALLOW},
	{"fcntl F_GETFD", SYS_fcntl, {0, F_GETFD}, ALLOW},
	{"fcntl F_GETFL", SYS_fcntl, {0, F_GETFL}, ALLOW},
	{"readlinkat", SYS_readlinkat, {0}, REFUSE},
	{"openat", SYS_openat, {0}, KILL},
	{"openat2", SYS_openat2, {0}, KILL},
	{"stat of a path", SYS_newfstatat, {0, 1, 1, 0}, KILL},
	{"statx", SYS_statx, {0}, KILL},
	{"socket", SYS_socket, {0}, KILL},
	{"connect", SYS_connect, {0}, KILL},
	{"execve", SYS_execve, {0}, KILL},
	{"execveat", SYS_execveat, {0}, KILL},
	{"clone", SYS_clone, {0}, KILL},
	{"clone3", SYS_clone3, {0}, KILL},
	{"ptrace", SYS_ptrace, {0}, KILL},
	{"kill", SYS_kill, {0}, KILL},
	{"process_vm_readv", SYS_process_vm_readv, {0}, KILL},
	{"pidfd_getfd", SYS_pidfd_getfd, {0}, KILL},
	{"io_uring_setup", SYS_io_uring_setup, {0}, KILL},
	{"bpf", SYS_bpf, {0}, KILL},
	{"unlinkat", SYS_unlinkat, {0}, KILL},
	{"ftruncate", SYS_ftruncate, {0}, KILL},
	{"ioctl", SYS_ioctl, {0}, KILL},
	{"dup", SYS_dup, {0}, KILL},
	{"fcntl F_DUPFD", SYS_fcntl, {0, F_DUPFD}, KILL},
	{"mmap of code", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, PRIVATE}, KILL},
	{"mmap shared", SYS_mmap, {0, 4096, PROT_READ, MAP_SHARED}, KILL},
	{"mmap shared, validated", SYS_mmap, {0, 4096, PROT_READ, 3}, KILL},
	{"mprotect to code", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}, KILL},
	{"no such call", 100000, {0}, KILL},
#if !IS_ASAN
	{"prctl", SYS_prctl, {0}, KILL},
#endif
};

START_TEST(calls)
{
	struct seccomp_data data = {.nr = rows[_i].number, .arch = NATIVE};
	uint32_t decided;

	load();
	memcpy(data.args, rows[_i].arguments, sizeof(data.args));
	decided = decide(&data);
	ck_assert_msg(decided == rows[_i].expected, "%s: 0x%x", rows[_i].name, decided);
}
END_TEST

/* The same numbers mean other calls there. */
START_TEST(another_architecture_is_killed)
{
	load();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seccomp_data data = {.nr = rows[i].number, .arch = FOREIGN};

		ck_assert_uint_eq(decide(&data), KILL);
	}
}
END_TEST

Suite *suite_sandbox_filter(void);

Suite *suite_sandbox_filter(void)
{
	Suite *suite = suite_create("sandbox_filter");
	TCase *tests = tcase_create("sandbox_filter");

	tcase_add_loop_test(tests, calls, 0, (int)COUNT(rows));
	tcase_add_test(tests, another_architecture_is_killed);
	suite_add_tcase(suite, tests);
	return suite;
}
