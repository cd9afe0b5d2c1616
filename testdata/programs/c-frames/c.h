// C that is called by Go, that calls Go, and that Go knows nothing of. None of it is inlined.
void wait_in_library(void);
int through_c(int depth);
void sort_and_call(void);
void start_thread_in_c(void);
void start_thread_through_go(void);
void fault_in_library(void);
void call_nothing(void);
int dig(int depth);
void abort_in_handler(void);
