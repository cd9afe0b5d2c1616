// A goroutine's labels as they may be written: values that are secrets are hidden.
#ifndef CORESNAP_ANALYZER_SNAPSHOT_REDACTED_LABELS_H
#define CORESNAP_ANALYZER_SNAPSHOT_REDACTED_LABELS_H

#include "analyzer/runtime/labels.h"

/** labels_load of g.labels (`pointer`), each value hidden where it, or its key, means a secret. */
struct labels redacted_labels_load(const struct runtime *rt, target_addr pointer);

#endif
