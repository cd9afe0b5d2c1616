#include "analyzer/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_SIZE 65536

/** A file without a name: on disk where that can be, for a snapshot may be large. */
static int open_unnamed(void)
{
	const char *directory = getenv("TMPDIR");
	int fd = open(
		directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : memfd_create("coresnap-output", MFD_CLOEXEC);
}

static enum cs_status open_stream(int stream, struct output *ret, char *why, size_t why_size)
{
	int fd = stream < 0 ? -1 : open_unnamed();

	if (fd < 0) {
		snprintf(why, why_size, "%s", strerror(errno));
		if (stream >= 0)
			close(stream);
		return CS_IO;
	}
	*ret = (struct output){.fd = fd, .stream = stream};
	return CS_OK;
}

static enum cs_status open_file(const char *path, struct output *ret, char *why, size_t why_size)
{
	const char *slash = strrchr(path, '/');
	int directory_size = slash ? (int)(slash - path) + 1 : 0;
	char *temporary = NULL, *copy;
	int fd = -1;

	if (!path[directory_size]) {
		snprintf(why, why_size, "names no file");
		return CS_IO;
	}
	copy = strdup(path);
	if (copy && asprintf(&temporary, "%.*s.%s.XXXXXX", directory_size, path,
			    path + directory_size) < 0)
		temporary = NULL;
	if (copy && temporary)
		fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, why_size, "%s", strerror(errno));
		free(copy);
		free(temporary);
		return CS_IO;
	}
	*ret = (struct output){.fd = fd, .stream = -1, .path = copy, .temporary = temporary};
	return CS_OK;
}

enum cs_status output_open(const char *path, struct output *ret, char *why, size_t why_size)
{
	struct stat status;

	if (!path || !strcmp(path, "-"))
		return open_stream(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), ret, why, why_size);
	if (stat(path, &status) || S_ISREG(status.st_mode))
		return open_file(path, ret, why, why_size);
	// Never rename over a device or a FIFO: root's "-o /dev/null" would replace it.
	return open_stream(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), ret, why, why_size);
}

void output_close(struct output *output)
{
	if (output->temporary)
		unlink(output->temporary);
	if (output->fd >= 0)
		close(output->fd);
	if (output->stream >= 0)
		close(output->stream);
	free(output->path);
	free(output->temporary);
	*output = (struct output){.fd = -1, .stream = -1};
}

enum cs_status output_reset(struct output *output)
{
	return ftruncate(output->fd, 0) || lseek(output->fd, 0, SEEK_SET) ? CS_IO : CS_OK;
}

bool output_write(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

enum cs_status output_copy(int from, int to)
{
	char bytes[COPY_SIZE];
	off_t offset = 0;

	for (;;) {
		ssize_t size = pread(from, bytes, sizeof(bytes), offset);

		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size ? CS_IO : CS_OK;
		if (!output_write(to, bytes, (size_t)size))
			return CS_IO;
		offset += size;
	}
}

enum cs_status output_commit(struct output *output)
{
	if (!output->path)
		return output_copy(output->fd, output->stream);
	if (fsync(output->fd) || rename(output->temporary, output->path))
		return CS_IO;
	free(output->temporary);
	output->temporary = NULL;
	return CS_OK;
}
