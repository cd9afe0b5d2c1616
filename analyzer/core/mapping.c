// Private read-only mappings and their SIGBUS guard. The registry below is the one mutable global
// of the analyzer: a signal handler is a property of the process and is given nothing but an
// address. The handler makes two system calls, mmap and rt_sigreturn, both allowed in the sandbox.
#include "analyzer/core/mapping.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/* A slot is taken by is_used, becomes visible to the handler with `start`, and goes in reverse. */
static struct {
	atomic_bool is_used, is_torn;
	_Atomic(uintptr_t) start;
	uintptr_t end, page_size;
} registry[MAX_MAPPINGS];

static int find_slot(uintptr_t address)
{
	for (int i = 0; i < MAX_MAPPINGS; i++) {
		uintptr_t start = atomic_load(&registry[i].start);

		if (start && address >= start && address < registry[i].end)
			return i;
	}
	return -1;
}

static bool put_zero_page(uintptr_t address, int slot)
{
	uintptr_t page = address & ~(registry[slot].page_size - 1);

	return mmap((void *)page, registry[slot].page_size, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	bool is_fault = info->si_code > 0;
	int slot = is_fault ? find_slot((uintptr_t)info->si_addr) : -1;

	(void)context;
	if (slot >= 0 && put_zero_page((uintptr_t)info->si_addr, slot)) {
		atomic_store(&registry[slot].is_torn, true);
	} else {
		// A fault comes again on return, with the true registers; a sent signal does not.
		signal(number, SIG_DFL);
		if (!is_fault)
			raise(number);
	}
	errno = saved_errno;
}

static int take_slot(void)
{
	for (int i = 0; i < MAX_MAPPINGS; i++) {
		bool expected = false;

		if (atomic_compare_exchange_strong(&registry[i].is_used, &expected, true))
			return i;
	}
	return -1;
}

enum cs_status mapping_open(int fd, size_t size, struct mapping *ret)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	void *bytes;
	int slot;

	if (!size) {
		*ret = (struct mapping){.slot = -1};
		return CS_OK;
	}
	slot = take_slot();
	if (slot < 0)
		return CS_LIMIT;
	bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED || sigaction(SIGBUS, &action, NULL)) {
		int error = errno;

		if (bytes != MAP_FAILED)
			munmap(bytes, size);
		atomic_store(&registry[slot].is_used, false);
		errno = error;
		return CS_IO;
	}
	registry[slot].end = (uintptr_t)bytes + size;
	registry[slot].page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	atomic_store(&registry[slot].is_torn, false);
	atomic_store(&registry[slot].start, (uintptr_t)bytes);
	*ret = (struct mapping){bytes, size, slot};
	return CS_OK;
}

void mapping_close(struct mapping *mapping)
{
	if (mapping->slot < 0)
		return;
	atomic_store(&registry[mapping->slot].start, 0);
	munmap((void *)(uintptr_t)mapping->bytes, mapping->size);
	atomic_store(&registry[mapping->slot].is_used, false);
	*mapping = (struct mapping){.slot = -1};
}

bool mapping_is_torn(const struct mapping *mapping)
{
	return mapping->slot >= 0 && atomic_load(&registry[mapping->slot].is_torn);
}
