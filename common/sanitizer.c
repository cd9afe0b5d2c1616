#include "common/sanitizer.h"

#if IS_ASAN
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *__asan_default_options(void);

#define AS_TEXT(number) #number
#define TEXT(number) AS_TEXT(number)

__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
	return "exitcode=" TEXT(SANITIZER_EXIT);
}

void sanitizer_check_leaks(void)
{
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1)
		__lsan_do_leak_check();
}

void sanitizer_pass_on(int wait_status)
{
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != SANITIZER_EXIT)
		return;
	fprintf(stderr, "a worker ended with the sanitizer's report above\n");
	_exit(SANITIZER_EXIT);
}
#else
void sanitizer_check_leaks(void)
{
}

void sanitizer_pass_on(int wait_status)
{
	(void)wait_status;
}
#endif
