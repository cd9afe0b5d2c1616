// A task: one or two children that work together, what they say on their pipes (bounded), and a
// time limit. The supervisor's loop polls its descriptors; when all have ended, or were killed,
// `done` is called once.
#ifndef CORESNAP_DAEMON_TASK_H
#define CORESNAP_DAEMON_TASK_H

#include "daemon/child.h"

#include <poll.h>

#define TASK_CHILDREN 2
#define TASK_POLLS 4 // descriptors that a task polls, at most

/* What a child wrote to a pipe: the first `max` bytes, with a NUL behind them. */
struct task_text {
	int fd;     // owned, read end; -1 after the end
	char *text; // owned
	size_t size, max;
};

struct task;
typedef void task_done(struct task *task, void *context);

struct task {
	struct child children[TASK_CHILDREN];
	size_t child_count;
	struct task_text output, errors;
	uint64_t deadline_ns; // CLOCK_BOOTTIME
	bool is_late;         // the time limit killed it
	task_done *done;
	void *context;     // borrowed
	struct task *next; // of the supervisor's list
};

/** An empty task that will keep `max_output` bytes of its output; NULL: no memory. */
struct task *task_create(size_t max_output, task_done *done, void *context);

/** Kills and collects what still runs, and frees the task. NULL is fine. */
void task_destroy(struct task *task);

/**
 * The pipes' write ends, for the children's descriptor lists. Both are owned by the caller, who
 * closes them once the children run. CS_IO with errno.
 */
CS_MUST_USE enum cs_status task_pipes(struct task *task, int *output_ret, int *errors_ret);

/** Adds one more child. */
CS_MUST_USE enum cs_status task_add(struct task *task, const struct child_spec *spec);

/** Writes what is to be polled for into `polls` and returns how many there are. */
size_t task_polls(const struct task *task, struct pollfd polls[static TASK_POLLS]);

/** Reads what there is, collects who has ended, kills when it is late. True: the task has ended. */
bool task_step(struct task *task, uint64_t now_ns);

/** Whether child `index` ended by exit(`code`). */
bool task_exited(const struct task *task, size_t index, int code);

/** Says how child `index` ended: "exit status 3", "killed by SIGSEGV". */
void task_describe(const struct task *task, size_t index, char *ret, size_t size);

#endif
