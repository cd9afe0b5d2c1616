// The packer: the role of coresnapd that stands between an analyzer and the spool. It reads a
// snapshot from descriptor 0, writes it compressed to descriptor 3, and reports what head.h found
// on descriptor 1, one fact a line. After its memory is allocated it can only read, write and exit
// (seccomp): the bytes that pass come from a process that read a hostile core.
#ifndef CORESNAP_DAEMON_PACK_H
#define CORESNAP_DAEMON_PACK_H

#include "common/status.h"
#include "daemon/head.h"

#define PACK_INPUT 0
#define PACK_REPORT 1
#define PACK_OUTPUT 3

/* Exit statuses. */
#define PACK_OK 0
#define PACK_NOT_A_SNAPSHOT 1
#define PACK_NOT_WRITTEN 3 // no space, or the size limit
#define PACK_NO_MEMORY 4
#define PACK_NOT_CONFINED 5

/** The role's main. Does not return. */
_Noreturn void pack_main(void);

/**
 * Takes the packer's report apart. Every fact is checked again here, by the stronger side: the id
 * is an id, a number is a number, text is printable.
 */
CS_MUST_USE enum cs_status pack_report_read(
	char *report, char facts[static HEAD_FACTS][HEAD_VALUE_SIZE]);

#endif
