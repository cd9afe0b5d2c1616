#include "analyzer/emit/emit.h"

#include "analyzer/emit/json.h"

#include <string.h>

static const struct emit_format formats[] = {
	{"json", "application/json", emit_json},
};

const struct emit_format *emit_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}
