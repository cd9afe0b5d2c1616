// Named places where a test kills this process, as power loss or kill -9 would: the environment
// variable CORESNAPD_FAIL_AT names one. Compiled in always, so that what is tested is what ships;
// without the variable a call costs one comparison with NULL.
#ifndef CORESNAP_DAEMON_FAULT_H
#define CORESNAP_DAEMON_FAULT_H

/** Kills this process with SIGKILL if CORESNAPD_FAIL_AT is `step`; otherwise does nothing. */
void fault_point(const char *step);

#endif
