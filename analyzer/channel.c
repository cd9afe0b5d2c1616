#include "analyzer/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

enum cs_status channel_create(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) ? CS_IO : CS_OK;
}

enum cs_status channel_send(int channel, const struct channel_message *message, int fd)
{
	union control control = {.bytes = {0}};
	struct iovec part = {(void *)message, sizeof(*message)};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (fd >= 0) {
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fd)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	do
		sent = sendmsg(channel, &packet, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*message) ? CS_OK : CS_IO;
}

static int take_descriptor(struct msghdr *packet)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(packet);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

#define END_TEXT(array) ((array)[sizeof(array) - 1] = 0)

enum cs_status channel_receive(int channel, struct channel_message *ret, int *fd_ret)
{
	union control control = {.bytes = {0}};
	struct iovec part = {ret, sizeof(*ret)};
	struct msghdr packet = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t size;
	int fd;

	do
		size = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	// ECONNRESET: the other end died before it read what we had sent.
	if (size <= 0)
		return size && errno != ECONNRESET ? CS_IO : CS_NOT_FOUND;
	fd = take_descriptor(&packet);
	if (size != (ssize_t)sizeof(*ret) || (packet.msg_flags & MSG_TRUNC)) {
		if (fd >= 0)
			close(fd);
		return CS_CORRUPT;
	}
	END_TEXT(ret->path);
	END_TEXT(ret->go_version);
	END_TEXT(ret->go_build_id);
	END_TEXT(ret->gnu_build_id);
	END_TEXT(ret->text);
	*fd_ret = fd;
	return CS_OK;
}

void channel_set(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}
