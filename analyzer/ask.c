#include "analyzer/ask.h"

#include "analyzer/binary/binary.h"

#include <string.h>
#include <unistd.h>

int ask_file(int channel, struct channel_message *message)
{
	int fd = -1;

	message->kind = CHANNEL_ASK;
	if (channel_send(channel, message, -1) || channel_receive(channel, message, &fd))
		_exit(1);
	return fd;
}

void ask_for_executable(
	const struct core_executable *executable, uint32_t place, struct channel_message *ret)
{
	*ret = (struct channel_message){.want = WANT_EXECUTABLE, .place = place};
	channel_set(ret->path, sizeof(ret->path), executable->path);
	channel_set(ret->go_build_id, sizeof(ret->go_build_id), executable->go_build_id);
	channel_set(ret->gnu_build_id, sizeof(ret->gnu_build_id), executable->gnu_build_id);
}

int ask_library(void *context, const char *path, char *why, size_t size)
{
	struct channel_message message = {.want = WANT_LIBRARY};
	const int *channel = context;
	int fd;

	channel_set(message.path, sizeof(message.path), path);
	fd = ask_file(*channel, &message);
	channel_set(why, size, message.text);
	return fd;
}

static enum cs_status next_debug(
	void *context, const struct binary *binary, const char *link, struct debug_file *ret)
{
	const struct binary_info *info = binary_info(binary);
	struct ask_debug *ask = context;
	struct channel_message *message = &ask->message;
	int fd;

	*message = (struct channel_message){.want = WANT_DEBUG, .place = ask->place};
	channel_set(message->path, sizeof(message->path), link);
	channel_set(message->go_build_id, sizeof(message->go_build_id), info->go_build_id);
	channel_set(message->gnu_build_id, sizeof(message->gnu_build_id), info->gnu_build_id);
	fd = ask_file(ask->channel, message);
	if (fd < 0) {
		if (message->source == DEBUG_DEBUGINFOD)
			diag_add(ask->diag, DIAG_WARNING, "debuginfod",
				"debuginfod has no debug file of build id %s: %s",
				info->gnu_build_id, message->text);
		return CS_NOT_FOUND;
	}
	ask->place = message->place + 1;
	*ret = (struct debug_file){fd, message->path, (enum debug_source)message->source};
	return CS_OK;
}

static void release_debug(void *context, struct debug_file *file)
{
	(void)context;
	close(file->fd);
}

void ask_debug_init(struct ask_debug *ask, int channel, struct diag *diag)
{
	*ask = (struct ask_debug){
		.channel = channel,
		.diag = diag,
		.finder = {.next = next_debug, .release = release_debug, .context = ask},
	};
}
