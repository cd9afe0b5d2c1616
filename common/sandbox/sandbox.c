// The order matters: limits first, then the user (which resets "dumpable" and the parent-death
// signal), then no_new_privs, which Landlock and seccomp want, and seccomp last, because it forbids
// all the calls before it.
#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <openssl/evp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/sanitizer.h"

#define NOBODY 65534
#define MMAP_TYPE_MASK 0xf // MAP_TYPE of asm-generic/mman-common.h

// What linux/landlock.h of Debian 12 (ABI 2) does not know yet. Bits are numbered through: ABI 1
// has 13 rights on files, 2 REFER, 3 TRUNCATE, 5 IOCTL_DEV; 4 has bind and connect of TCP; 6 the
// scopes of abstract sockets and signals.
struct landlock_attributes {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

static const struct {
	uint64_t fs, net, scoped;
	size_t size; // of the attributes that this ABI takes
} landlock_abis[] = {
	{0x1fff, 0, 0, 8},
	{0x3fff, 0, 0, 8},
	{0x7fff, 0, 0, 8},
	{0x7fff, 3, 0, 16},
	{0xffff, 3, 0, 16},
	{0xffff, 3, 3, 24},
};

#define LANDLOCK_ABI_COUNT (sizeof(landlock_abis) / sizeof(landlock_abis[0]))

static int compare_bytes(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

void sandbox_warm_up(void)
{
	unsigned char bytes[4096], hash[EVP_MAX_MD_SIZE]; // qsort above 1024 bytes asks for memory
	unsigned int size;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	qsort(bytes, sizeof(bytes), 1, compare_bytes);
	tzset();
	// A failure shows where the digest is wanted.
	(void)EVP_Digest(bytes, sizeof(bytes), hash, &size, EVP_sha256(), NULL);
	free(malloc(1));
}

static bool limit(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit now, wanted = {soft, hard};

	// Never above what the process may have: an ordinary user cannot raise a hard limit.
	if (getrlimit(resource, &now))
		return false;
	if (wanted.rlim_max > now.rlim_max)
		wanted.rlim_max = now.rlim_max;
	if (wanted.rlim_cur > wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max;
	return !setrlimit(resource, &wanted);
}

static bool enter_limits(const struct sandbox_limits *limits)
{
	// The sanitizer reserves terabytes of address space for its shadow.
	return limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_NPROC, 0, 0) &&
	       limit(RLIMIT_NOFILE, MAX_WORKER_FILES, MAX_WORKER_FILES) &&
	       (!limits->file_size || limit(RLIMIT_FSIZE, limits->file_size, limits->file_size)) &&
	       limit(RLIMIT_CPU, limits->cpu_seconds, (uint64_t)limits->cpu_seconds + 1) &&
	       (IS_ASAN || limit(RLIMIT_AS, limits->address_size, limits->address_size));
}

static bool leave_root(void)
{
	if (geteuid())
		return true;
	return !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	       !setresuid(NOBODY, NOBODY, NOBODY);
}

static bool enter_landlock(void)
{
	struct landlock_attributes attributes;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t row;
	int ruleset;
	bool is_done;

	if (abi <= 0)
		return false;
	row = ((size_t)abi < LANDLOCK_ABI_COUNT ? (size_t)abi : LANDLOCK_ABI_COUNT) - 1;
	attributes = (struct landlock_attributes){
		landlock_abis[row].fs, landlock_abis[row].net, landlock_abis[row].scoped};
	ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attributes, landlock_abis[row].size, 0);
	if (ruleset < 0)
		return false;
	is_done = !syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return is_done;
}

// Calls that are harmless whatever their arguments: on descriptors that the process has, on its own
// memory, clocks. rt_sigaction is for the SIGBUS guard of mapped files.
static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	SCMP_SYS(futex),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#if IS_ASAN
	// The sanitizer names its mappings, and asks who it is before it reports.
	SCMP_SYS(prctl),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sched_yield),
#endif
};

// libdw asks where its executable lies, to find debug files beside it: it may hear "no".
static const int refused_calls[] = {SCMP_SYS(readlink), SCMP_SYS(readlinkat)};

/** pwrite and ftruncate, on the one descriptor that they are for. */
static int allow_scratch(scmp_filter_ctx filter, int fd)
{
	static const int calls[] = {SCMP_SYS(pwrite64), SCMP_SYS(ftruncate)};
	int error = 0;

	for (size_t i = 0; fd > 0 && !error && i < sizeof(calls) / sizeof(int); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0));
	return error;
}

static int allow(scmp_filter_ctx filter)
{
	const uint32_t act = SCMP_ACT_ALLOW;
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(allowed_calls) / sizeof(int); i++)
		error = seccomp_rule_add(filter, act, allowed_calls[i], 0);
	for (size_t i = 0; !error && i < sizeof(refused_calls) / sizeof(int); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused_calls[i], 0);
	// Private memory, of no file or of one it has; never code.
	error = error ? error
		      : seccomp_rule_add(filter, act, SCMP_SYS(mmap), 2,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				SCMP_A3(SCMP_CMP_MASKED_EQ, MMAP_TYPE_MASK, MAP_PRIVATE));
	error = error ? error
		      : seccomp_rule_add(filter, act, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	// fstat(fd) as newer C libraries spell it: newfstatat(fd, "", …, AT_EMPTY_PATH).
	error = error ? error
		      : seccomp_rule_add(filter, act, SCMP_SYS(newfstatat), 1,
				SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0));
	// libelf asks whether its descriptor is open.
	error = error ? error
		      : seccomp_rule_add(
				filter, act, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0));
	return error ? error
		     : seccomp_rule_add(
			       filter, act, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0));
}

/** 0 or a negative errno; *ret is the caller's to release, and NULL where there is no memory. */
static int make_filter(scmp_filter_ctx *ret)
{
	int error;

	*ret = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!*ret)
		return -ENOMEM;
	error = seccomp_attr_set(*ret, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	return error ? error : allow(*ret);
}

/** 0 or a negative errno. */
static int enter_seccomp(int scratch)
{
	scmp_filter_ctx filter;
	int error = make_filter(&filter);

	if (!error)
		error = allow_scratch(filter, scratch);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

enum cs_status sandbox_write_filter(int fd)
{
	scmp_filter_ctx filter;
	bool is_written = !make_filter(&filter) && !seccomp_export_bpf(filter, fd);

	seccomp_release(filter);
	return is_written ? CS_OK : CS_REFUSED;
}

enum cs_status sandbox_enter(const struct sandbox_limits *limits, struct diag *diag)
{
	bool has_limits = enter_limits(limits);
	bool has_left = leave_root();
	bool is_private = !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) &&
			  !prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) &&
			  !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	bool has_landlock = enter_landlock();
	int error;

	if (!has_limits || !has_left || !is_private || !has_landlock)
		diag_add(diag, DIAG_WARNING, "sandbox-partial",
			"the sandbox is weaker than usual, this system lacks:%s%s%s%s",
			has_limits ? "" : " resource limits",
			has_left ? "" : " an unprivileged user",
			is_private ? "" : " process protection", has_landlock ? "" : " Landlock");
	error = enter_seccomp(limits->scratch);
	if (error)
		return diag_fail(diag, CS_REFUSED, "no-sandbox",
			"the sandbox cannot be closed (seccomp: %s); only for a core that you "
			"trust, "
			"--no-sandbox goes on without",
			strerror(-error));
	return CS_OK;
}
