#include "daemon/confine.h"

#include "common/sanitizer.h"
#include "daemon/fd.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// Newer than the headers of Debian 12: include/uapi/linux/landlock.h of Linux 5.19 and 6.2.
#define ACCESS_REFER (1ull << 13)
#define ACCESS_TRUNCATE (1ull << 14)
#define ABI_REFER 2
#define ABI_TRUNCATE 3

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_ABI_1 ((1ull << 13) - 1) // all 13 rights of the first version
#define ACCESS_SPOOL                                                                               \
	(ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |            \
		LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_REFER)

void confine_self(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	// LeakSanitizer looks at the process with ptrace.
	if (!IS_ASAN)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	// Dropping cannot fail; and a process of no capabilities drops nothing.
	syscall(SYS_capset, &header, none);
}

static enum cs_status allow(int rules, int directory, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {access, directory};

	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		return CS_IO;
	return CS_OK;
}

// A path that is absent needs no rule.
static enum cs_status allow_reading(int rules, const char *path)
{
	CLOSE_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return CS_OK;
	if (fstat(fd, &st))
		return CS_IO;
	return allow(rules, fd, S_ISDIR(st.st_mode) ? ACCESS_READ : LANDLOCK_ACCESS_FS_READ_FILE);
}

static enum cs_status allow_all_reading(int rules, const char *ca_file)
{
	// /etc names may lead to /run (resolv.conf) and /usr (certificates); resolvers are loaded
	// late.
	static const char *const readable[] = {
		"/etc",
		"/usr/lib",
		"/usr/lib64",
		"/usr/share",
		"/usr/local/share",
		"/lib",
		"/lib64",
		"/run/systemd/resolve",
		"/run/resolvconf",
		"/run/NetworkManager",
		"/var/lib/ca-certificates",
		"/dev/urandom",
		"/dev/null",
#if IS_ASAN
		"/proc", // LeakSanitizer lists the threads
#endif
	};
	enum cs_status status = CS_OK;

	for (size_t i = 0; !status && i < sizeof(readable) / sizeof(readable[0]); i++)
		status = allow_reading(rules, readable[i]);
	if (!status && *ca_file)
		status = allow_reading(rules, ca_file);
	return status;
}

enum cs_status confine_uploader(int queue, int failed, const char *ca_file)
{
	struct landlock_ruleset_attr handled = {ACCESS_ABI_1 | ACCESS_REFER};
	uint64_t spool = ACCESS_SPOOL;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	CLOSE_FD int rules = -1;
	enum cs_status status;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return CS_IO;
	if (abi < ABI_REFER) {
		drop_capabilities();
		return CS_UNSUPPORTED;
	}
	if (abi >= ABI_TRUNCATE) {
		handled.handled_access_fs |= ACCESS_TRUNCATE;
		spool |= ACCESS_TRUNCATE;
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (rules < 0)
		return CS_IO;
	status = allow_all_reading(rules, ca_file);
	if (!status)
		status = allow(rules, queue, spool);
	if (!status)
		status = allow(rules, failed, spool);
	drop_capabilities();
	if (!status && syscall(SYS_landlock_restrict_self, rules, 0))
		status = CS_IO;
	return status;
}
