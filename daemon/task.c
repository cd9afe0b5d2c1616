#include "daemon/task.h"

#include "common/limits.h"
#include "daemon/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool text_init(struct task_text *text, size_t max)
{
	*text = (struct task_text){.fd = -1, .text = calloc(1, max + 1), .max = max};
	return text->text;
}

static void text_deinit(struct task_text *text)
{
	fd_close(&text->fd);
	free(text->text);
}

struct task *task_create(size_t max_output, task_done *done, void *context)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->done = done;
	task->context = context;
	task->errors.fd = -1; // text_init of the first may fail
	if (text_init(&task->output, max_output) && text_init(&task->errors, MAX_REPORT_SIZE))
		return task;
	task_destroy(task);
	return NULL;
}

void task_destroy(struct task *task)
{
	if (!task)
		return;
	for (size_t i = 0; i < task->child_count; i++) {
		child_kill(&task->children[i]);
		if (!task->children[i].has_ended)
			waitpid(task->children[i].pid, NULL, 0);
		child_release(&task->children[i]);
	}
	text_deinit(&task->output);
	text_deinit(&task->errors);
	free(task);
}

static enum cs_status text_pipe(struct task_text *text, int *write_ret)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return CS_IO;
	// Only our end: a child that finds its stdout not blocking would lose output.
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	text->fd = ends[0];
	*write_ret = ends[1];
	return CS_OK;
}

enum cs_status task_pipes(struct task *task, int *output_ret, int *errors_ret)
{
	CLOSE_FD int output = -1;
	enum cs_status status = text_pipe(&task->output, &output);

	if (status)
		return status;
	status = text_pipe(&task->errors, errors_ret);
	if (!status)
		*output_ret = fd_steal(&output);
	return status;
}

enum cs_status task_add(struct task *task, const struct child_spec *spec)
{
	enum cs_status status = child_spawn(spec, &task->children[task->child_count]);

	if (!status)
		task->child_count++;
	return status;
}

size_t task_polls(const struct task *task, struct pollfd polls[static TASK_POLLS])
{
	size_t count = 0;

	for (size_t i = 0; i < task->child_count; i++)
		if (!task->children[i].has_ended)
			polls[count++] = (struct pollfd){task->children[i].pidfd, POLLIN, 0};
	if (task->output.fd >= 0)
		polls[count++] = (struct pollfd){task->output.fd, POLLIN, 0};
	if (task->errors.fd >= 0)
		polls[count++] = (struct pollfd){task->errors.fd, POLLIN, 0};
	return count;
}

// Reads until the pipe is empty or closed. What exceeds the maximum is read and dropped, so that
// the child is never stopped by us.
static void text_read(struct task_text *text)
{
	char rest[4096];

	while (text->fd >= 0) {
		size_t room = text->max - text->size;
		ssize_t size = room ? read(text->fd, text->text + text->size, room)
				    : read(text->fd, rest, sizeof(rest));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return;
		if (size <= 0) {
			fd_close(&text->fd);
			text->fd = -1;
			return;
		}
		if (room)
			text->size += (size_t)size;
		else
			return; // a portion a step: who talks for ever is not listened to for ever
	}
}

bool task_step(struct task *task, uint64_t now_ns)
{
	bool has_ended = true;

	if (now_ns >= task->deadline_ns && !task->is_late) {
		task->is_late = true;
		for (size_t i = 0; i < task->child_count; i++)
			child_kill(&task->children[i]);
	}
	for (size_t i = 0; i < task->child_count; i++)
		has_ended &= child_reap(&task->children[i]);
	// Read after the reaping: all that an ended child has said is in the pipe by then.
	text_read(&task->output);
	text_read(&task->errors);
	return has_ended;
}

bool task_exited(const struct task *task, size_t index, int code)
{
	int status = task->children[index].status;

	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

void task_describe(const struct task *task, size_t index, char *ret, size_t size)
{
	int status = task->children[index].status;

	if (task->is_late)
		snprintf(ret, size, "it was stopped at the time limit");
	else if (WIFSIGNALED(status))
		snprintf(ret, size, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(ret, size, "exit status %d", WEXITSTATUS(status));
}
