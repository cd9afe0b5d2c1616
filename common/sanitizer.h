// What a build with AddressSanitizer must do otherwise. Its reports are bugs of ours, and what
// survives the death of a worker (a second attempt, a minimal snapshot) would hide them from tests.
#ifndef CORESNAP_COMMON_SANITIZER_H
#define CORESNAP_COMMON_SANITIZER_H

#ifdef __SANITIZE_ADDRESS__
#define IS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_ASAN 1
#endif
#endif
#ifndef IS_ASAN
#define IS_ASAN 0
#endif

/** Exit status of a process that ended with a report: no program of ours has it otherwise. */
#define SANITIZER_EXIT 99

/**
 * At the end of a worker, which skips exit(): ends the process with a report if memory is leaked. A
 * closed sandbox forbids the look (ptrace), so only a worker that runs without one is held to it.
 */
void sanitizer_check_leaks(void);

/** Ends this process as its child ended, if `wait_status` is that of a report. */
void sanitizer_pass_on(int wait_status);

#endif
