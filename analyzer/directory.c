#include "analyzer/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum cs_status directory_make_above(char *path, mode_t mode)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int result;

		*slash = '\0';
		result = mkdir(path, mode);
		*slash = '/';
		if (result && errno != EEXIST)
			return CS_IO;
	}
	return CS_OK;
}
