// Names of the general registers in the order of the kernel's elf_gregset_t
// (arch/x86/include/asm/user_64.h, arch/arm64/include/uapi/asm/ptrace.h).
#ifndef CORESNAP_ANALYZER_EMIT_REGISTERS_H
#define CORESNAP_ANALYZER_EMIT_REGISTERS_H

#include "analyzer/core/image.h"
#include "common/json/writer.h"

/** Writes one thread's registers as an object: pc and sp first, then the others by their names. */
void registers_write(struct json_writer *w, enum image_arch arch, const struct image_regs *regs);

#endif
