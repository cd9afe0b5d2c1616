#include "c.h"
#include "_cgo_export.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noclone))

static volatile int after; // what is done after a call, so that none is a tail call

static KEEP void sleep_inside(void)
{
	struct timespec hour = {3600, 0};

	nanosleep(&hour, NULL);
	after++;
}

KEEP void wait_in_library(void)
{
	sleep_inside();
	after++;
}

static KEEP int call_go(int depth)
{
	int result = goCallback(depth);

	after++;
	return result;
}

KEEP int through_c(int depth)
{
	int result = call_go(depth);

	after++;
	return result;
}

static KEEP int compare(const void *a, const void *b)
{
	goPark();
	after++;
	return *(const char *)a - *(const char *)b;
}

KEEP void sort_and_call(void)
{
	char letters[] = "ba";

	qsort(letters, 2, 1, compare);
	after++;
}

static KEEP void *pure_thread(void *nothing)
{
	sleep_inside();
	after++;
	return nothing;
}

KEEP void start_thread_in_c(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pure_thread, NULL);
	after++;
}

static KEEP void *calling_thread(void *nothing)
{
	goFromThread();
	after++;
	return nothing;
}

KEEP void start_thread_through_go(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, calling_thread, NULL);
	after++;
}

static KEEP size_t measure(const char *text)
{
	size_t size = strlen(text);

	after++;
	return size;
}

KEEP void fault_in_library(void)
{
	char *volatile nothing = NULL;

	after += (int)measure(nothing);
}

KEEP void call_nothing(void)
{
	void (*volatile nothing)(void) = NULL;

	nothing();
	after++;
}

KEEP int dig(int depth)
{
	int below = depth ? dig(depth - 1) : (sleep_inside(), 0);

	after++;
	return below + 1;
}

static KEEP void on_signal(int number)
{
	abort();
	after += number;
}

KEEP void abort_in_handler(void)
{
	signal(SIGUSR2, on_signal);
	raise(SIGUSR2);
	after++;
}
