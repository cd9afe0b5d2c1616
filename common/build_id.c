// Build ids as names of files. Go's ids are "action/…/content", hashes in URL's base64 (go1.10,
// cmd/go/internal/work/buildid.go); `/` cannot be in a name.
#include "common/build_id.h"

#include "common/limits.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define HEX_DIGITS "0123456789abcdef"

bool build_id_gnu_path(const char *id, char *ret, size_t size)
{
	size_t length = strlen(id);
	int written;

	if (length < 4 || length % 2 || length > 2 * MAX_BUILD_ID_LENGTH ||
		strspn(id, HEX_DIGITS) != length)
		return false;
	written = snprintf(ret, size, ".build-id/%.2s/%s", id, id + 2);
	return written > 0 && (size_t)written < size;
}

bool build_id_is_unique(const char *id)
{
	return strchr(id, '/');
}

bool build_id_go_path(const char *id, char *ret, size_t size)
{
	static const char directory[] = "go/";
	size_t used = strlen(directory);

	if (!build_id_is_unique(id) || size <= used)
		return false;
	memcpy(ret, directory, used);
	for (; *id; id++) {
		bool is_plain = isalnum((unsigned char)*id) || *id == '_' || *id == '-';

		if (used + 4 > size)
			return false;
		if (is_plain)
			ret[used++] = *id;
		else
			used += (size_t)snprintf(
				ret + used, size - used, "%%%02X", (unsigned char)*id);
	}
	ret[used] = '\0';
	return used - strlen(directory) + strlen(".debug") <= NAME_MAX;
}
