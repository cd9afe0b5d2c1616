#include "daemon/confine.h"

#include "common/sandbox/confine.h"
#include "common/sanitizer.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void confine_self(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	// LeakSanitizer looks at the process with ptrace.
	if (!IS_ASAN)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum cs_status confine_uploader(int queue, int failed, const char *ca_file)
{
	const int directories[] = {queue, failed};
	const struct confine_files files = {.directories = directories,
		.directory_count = 2,
		.readable = &ca_file,
		.readable_count = 1};

	return confine_network_role(&files);
}
