#include "analyzer/snapshot/redacted_labels.h"

#include "common/redact/redact.h"

#include <string.h>

static const char *redacted_value(struct arena *arena, const struct label *label)
{
	size_t key_size = strlen(label->key);
	char *pair = arena_format(arena, "%s=%s", label->key, label->value);

	if (pair)
		pair = redact_text(arena, pair, strlen(pair), NULL);
	if (!pair || strncmp(pair, label->key, key_size) || pair[key_size] != '=')
		return REDACTED;
	return pair + key_size + 1;
}

struct labels redacted_labels_load(const struct runtime *rt, target_addr pointer)
{
	struct labels labels = labels_load(rt, pointer);

	for (size_t i = 0; i < labels.count; i++)
		labels.list[i].value = redacted_value(rt->arena, &labels.list[i]);
	return labels;
}
