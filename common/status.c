#include "common/status.h"

const char *status_text(enum cs_status status)
{
	switch (status) {
#define STATUS(name, text)                                                                         \
	case name:                                                                                 \
		return text;
#include "common/status.def"
#undef STATUS
	}
	return "unknown status";
}
