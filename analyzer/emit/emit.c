#include "analyzer/emit/emit.h"

#include "analyzer/emit/dot.h"
#include "analyzer/emit/json.h"
#include "analyzer/emit/text.h"

#include <string.h>

static const struct emit_format formats[] = {
	{"json", "application/json", emit_json},
	{"text", "text/plain; charset=utf-8", emit_text},
	{"summary", "text/plain; charset=utf-8", emit_summary},
	{"dot", "text/vnd.graphviz", emit_dot},
};

const struct emit_format *emit_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}
