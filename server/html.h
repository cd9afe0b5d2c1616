// The frame around every page: head, style, navigation, foot. No script, nothing from elsewhere.
#ifndef CORESNAP_SERVER_HTML_H
#define CORESNAP_SERVER_HTML_H

#include "server/text.h"

#include <stddef.h>

/** The style sheet, as it stands between <style> and </style>: the policy names its hash. */
extern const char html_style[];

/** Begins a page whose <title> is `title`, up to and including <main>. */
void html_begin(struct text *t, const char *title, size_t title_size);

/** Ends it. */
void html_end(struct text *t);

#endif
