#include "daemon/backoff.h"

#include <sys/random.h>
#include <time.h>

#define RETRY_AFTER_MAX_SECONDS 86400

uint64_t backoff_delay_ns(uint64_t base_ns, uint32_t attempts, uint64_t random)
{
	uint64_t ceiling = base_ns;

	for (uint32_t i = 1; i < attempts && ceiling < BACKOFF_MAX_NS; i++)
		ceiling *= 2;
	if (ceiling > BACKOFF_MAX_NS)
		ceiling = BACKOFF_MAX_NS;
	return random % (ceiling + 1);
}

uint64_t backoff_retry_after_ns(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	if (seconds > RETRY_AFTER_MAX_SECONDS)
		seconds = RETRY_AFTER_MAX_SECONDS;
	return (uint64_t)seconds * NS_PER_SECOND;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t clock_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t random_u64(void)
{
	uint64_t random;

	// Up to 256 bytes never fail or come short once the pool is seeded, which the call waits
	// for.
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return clock_ns(CLOCK_MONOTONIC);
	return random;
}
