#include "daemon/record.h"

#include "common/limits.h"
#include "daemon/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum cs_status record_write_all(int fd, const void *bytes, size_t size)
{
	const char *next = bytes;

	while (size > 0) {
		ssize_t written = write(fd, next, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return CS_IO;
		next += written;
		size -= (size_t)written;
	}
	return CS_OK;
}

static enum cs_status write_temporary(int dir, const char *name, const char *text)
{
	CLOSE_FD int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || record_write_all(fd, text, strlen(text)) || fsync(fd))
		return CS_IO;
	return CS_OK;
}

enum cs_status record_write(int dir, const char *name, json_t *record)
{
	char temporary[NAME_MAX + 1];
	char *text = record ? json_dumps(record, JSON_INDENT(1)) : NULL;
	enum cs_status status;

	json_decref(record);
	if (!text)
		return CS_NO_MEMORY;
	snprintf(temporary, sizeof(temporary), ".%s.tmp", name);
	status = write_temporary(dir, temporary, text);
	free(text);
	if (!status && (renameat(dir, temporary, dir, name) || fsync(dir)))
		status = CS_IO;
	if (status)
		unlinkat(dir, temporary, 0);
	return status;
}

json_t *record_read(int dir, const char *name)
{
	char text[MAX_RECORD_SIZE];
	CLOSE_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (size < 0 || size == sizeof(text))
		return NULL;
	return json_loadb(text, (size_t)size, 0, NULL);
}

json_t *record_text(const char *text)
{
	json_t *string;
	char *copy;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

const char *record_string(const json_t *record, const char *key)
{
	return json_string_value(json_object_get(record, key));
}
