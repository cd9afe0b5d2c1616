// When to try again: full-jitter exponential backoff, and what a store asks for in Retry-After.
#ifndef CORESNAP_DAEMON_BACKOFF_H
#define CORESNAP_DAEMON_BACKOFF_H

#include <stdint.h>

#define NS_PER_SECOND 1000000000ull
#define BACKOFF_MAX_NS (3600 * NS_PER_SECOND)

/**
 * Nanoseconds to wait after the `attempts`-th failure in a row (1 for the first): evenly spread
 * over [0, min(one hour, base * 2^(attempts - 1))], so that many clients of one store that came
 * back do not return together. `random` is any uniform 64-bit number.
 */
uint64_t backoff_delay_ns(uint64_t base_ns, uint32_t attempts, uint64_t random);

/** What Retry-After asked for, in nanoseconds, at most a day: a store's typo must not stop us. */
uint64_t backoff_retry_after_ns(int64_t seconds);

/** CLOCK_BOOTTIME: it neither jumps with the wall clock nor stops while the machine sleeps. */
uint64_t clock_boot_ns(void);

/** CLOCK_REALTIME, for what must outlive this process. */
uint64_t clock_wall_ns(void);

/** A uniform random number from the kernel. */
uint64_t random_u64(void);

#endif
