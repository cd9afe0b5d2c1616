#include "common/sandbox/confine.h"

#include "common/sanitizer.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Newer than the headers of Debian 12: include/uapi/linux/landlock.h of Linux 5.19 and 6.2.
#define ACCESS_REFER (1ull << 13)
#define ACCESS_TRUNCATE (1ull << 14)
#define ABI_REFER 2
#define ABI_TRUNCATE 3

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_ABI_1 ((1ull << 13) - 1) // all 13 rights of the first version
#define ACCESS_OWN                                                                                 \
	(ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |            \
		LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_REFER)

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
	int fd = *path ? open(path, O_PATH | O_CLOEXEC) : -1;
	enum cs_status status = CS_IO;
	struct stat st;

	if (fd < 0)
		return CS_OK;
	if (!fstat(fd, &st))
		status = allow(rules, fd,
			S_ISDIR(st.st_mode) ? ACCESS_READ : LANDLOCK_ACCESS_FS_READ_FILE);
	close(fd);
	return status;
}

static enum cs_status allow_all_reading(int rules, const struct confine_files *files)
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
	for (size_t i = 0; !status && i < files->readable_count; i++)
		status = allow_reading(rules, files->readable[i]);
	return status;
}

/** Adds the rules to `rules` and keeps the process to them. */
static enum cs_status restrict_to(int rules, uint64_t own, const struct confine_files *files)
{
	enum cs_status status = allow_all_reading(rules, files);

	for (size_t i = 0; !status && i < files->directory_count; i++)
		status = allow(rules, files->directories[i], own);
	drop_capabilities();
	if (!status && syscall(SYS_landlock_restrict_self, rules, 0))
		status = CS_IO;
	return status;
}

enum cs_status confine_network_role(const struct confine_files *files)
{
	struct landlock_ruleset_attr handled = {ACCESS_ABI_1 | ACCESS_REFER};
	uint64_t own = ACCESS_OWN;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	enum cs_status status;
	int rules;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return CS_IO;
	if (abi < ABI_REFER) {
		drop_capabilities();
		return CS_UNSUPPORTED;
	}
	if (files->may_make_directories)
		own |= LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	if (abi >= ABI_TRUNCATE) {
		handled.handled_access_fs |= ACCESS_TRUNCATE;
		own |= ACCESS_TRUNCATE;
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (rules < 0)
		return CS_IO;
	status = restrict_to(rules, own, files);
	close(rules);
	return status;
}
