#include "analyzer/input.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "; check the path";
	case EACCES:
	case EPERM:
		return "; run as the file's owner or as root";
	default:
		return "";
	}
}

static bool is_regular(int fd, char *why, size_t why_size)
{
	struct stat status;

	if (fstat(fd, &status)) {
		snprintf(why, why_size, "%s", strerror(errno));
		return false;
	}
	if (S_ISDIR(status.st_mode))
		snprintf(why, why_size, "is a directory; name a file in it");
	else if (!S_ISREG(status.st_mode))
		snprintf(why, why_size, "is not a regular file; copy it into one first");
	return S_ISREG(status.st_mode);
}

enum cs_status input_open(const char *path, int *fd_ret, char *why, size_t why_size)
{
	// NONBLOCK: a FIFO is refused rather than waited for. It means nothing to a regular file.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		snprintf(why, why_size, "%s%s", strerror(errno), advice(errno));
		return CS_IO;
	}
	if (!is_regular(fd, why, why_size)) {
		close(fd);
		return CS_REFUSED;
	}
	*fd_ret = fd;
	return CS_OK;
}

bool input_is_elf(int fd, char *why, size_t why_size)
{
	unsigned char head[EI_NIDENT + 2]; // and e_type, of either byte order

	if (!is_regular(fd, why, why_size))
		return false;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		memcmp(head, ELFMAG, SELFMAG)) {
		snprintf(why, why_size, "is not an ELF file");
		return false;
	}
	// What a core names is opened with our rights: never another one's memory.
	if (head[EI_NIDENT] != ET_CORE && head[EI_NIDENT + 1] != ET_CORE)
		return true;
	snprintf(why, why_size, "is a core file");
	return false;
}

enum cs_status input_open_elf(const char *path, int *fd_ret, char *why, size_t why_size)
{
	int fd;
	enum cs_status status = input_open(path, &fd, why, why_size);

	if (status)
		return status;
	if (!input_is_elf(fd, why, why_size)) {
		close(fd);
		return CS_REFUSED;
	}
	*fd_ret = fd;
	return CS_OK;
}

enum cs_status input_open_executable(const char *path, int *fd_ret, char *why, size_t why_size)
{
	if (path[0] == '/')
		return input_open_elf(path, fd_ret, why, why_size);
	snprintf(why, why_size, "is not an absolute path");
	return CS_REFUSED;
}
