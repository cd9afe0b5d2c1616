#include "server/key.h"

#include "common/limits.h"

#include <string.h>

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool part_is_valid(const char *part, size_t size)
{
	if (!size || size > MAX_OBJECT_KEY_PART || part[0] == '.')
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_alphanumeric(part[i]) && !memchr("._-", part[i], 3))
			return false;
	return true;
}

bool key_is_valid(const char *key)
{
	if (strlen(key) > MAX_OBJECT_KEY)
		return false;
	for (;;) {
		size_t size = strcspn(key, "/");

		if (!part_is_valid(key, size))
			return false;
		if (!key[size])
			return memchr(key, '.', size) != NULL;
		key += size + 1;
	}
}

bool key_is_snapshot(const char *key)
{
	size_t size = strlen(key);

	return size > 5 && !strcmp(key + size - 5, ".json");
}

bool id_is_valid(const char *id, size_t size)
{
	if (!size || size > MAX_SNAPSHOT_ID)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_alphanumeric(id[i]) && id[i] != '-' && id[i] != '_')
			return false;
	return true;
}
