// The notes of an ELF core: threads and their registers, what killed the process, its auxiliary
// vector and file mappings. Layouts are the kernel's (include/linux/elfcore.h, fs/binfmt_elf.c);
// qemu-user writes the same ones, fewer of them and in another order.
#include "analyzer/core/arch.h"
#include "analyzer/core/private.h"
#include "common/checked.h"
#include "common/cursor.h"
#include "common/limits.h"

#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* struct elf_prstatus */
#define PRSTATUS_CURSIG 12
#define PRSTATUS_PID 32
#define PRSTATUS_REGS 112
/* struct elf_prpsinfo */
#define PRPSINFO_UID 16
#define PRPSINFO_FNAME_SIZE 16
#define PRPSINFO_PSARGS_SIZE 80
/* siginfo_t */
#define SIGINFO_FIELDS 16

static bool skip_padding(struct cursor *c, uint64_t alignment)
{
	size_t unit = alignment == 8 ? 8 : 4;
	size_t rest = c->offset % unit;

	// The last note of a segment may lack its padding.
	if (rest)
		cursor_take(c, unit - rest < cursor_left(c) ? unit - rest : cursor_left(c));
	return !c->bad;
}

bool elf_note_next(
	const void *segment, size_t size, uint64_t alignment, size_t *offset, struct elf_note *ret)
{
	struct cursor c = cursor_over(segment, size);
	struct elf_note note = {0};

	cursor_seek(&c, *offset);
	note.name_size = cursor_u32(&c);
	note.size = cursor_u32(&c);
	note.type = cursor_u32(&c);
	note.name = cursor_take(&c, note.name_size);
	if (!skip_padding(&c, alignment))
		return false;
	note.bytes = cursor_take(&c, note.size);
	if (!skip_padding(&c, alignment))
		return false;
	if (note.name_size && !note.name[note.name_size - 1])
		note.name_size = strnlen((const char *)note.name, note.name_size);
	*offset = c.offset;
	*ret = note;
	return true;
}

bool elf_note_is(const struct elf_note *note, const char *name, uint32_t type)
{
	return note->type == type && note->name_size == strlen(name) &&
	       !memcmp(note->name, name, note->name_size);
}

static enum cs_status load_thread(struct image *image, struct cursor c, size_t *capacity)
{
	struct image_notes *notes = &image->notes;
	const struct arch *arch = arch_facts(image->arch);
	struct image_thread thread = {.regs.count = arch->register_count};
	struct image_thread *threads;

	cursor_seek(&c, PRSTATUS_CURSIG);
	thread.signal = (int16_t)cursor_u16(&c);
	cursor_seek(&c, PRSTATUS_PID);
	thread.id = cursor_u32(&c);
	cursor_seek(&c, PRSTATUS_REGS);
	for (uint32_t i = 0; i < thread.regs.count; i++)
		thread.regs.raw[i] = cursor_u64(&c);
	if (c.bad)
		return CS_OK;
	arch_name_registers(arch, &thread.regs);
	threads = arena_grow(
		image->arena, notes->threads, capacity, notes->thread_count + 1, sizeof(*threads));
	if (!threads)
		return CS_NO_MEMORY;
	notes->threads = threads;
	threads[notes->thread_count++] = thread;
	return CS_OK;
}

static const char *copy_text(struct arena *arena, const uint8_t *bytes, size_t size)
{
	size_t length = bytes ? strnlen((const char *)bytes, size) : 0;

	// The kernel turns the NUL behind the last argument into a space.
	while (length && bytes[length - 1] == ' ')
		length--;
	return arena_copy(arena, bytes, length);
}

static enum cs_status load_process(struct image *image, struct cursor c)
{
	struct image_notes *notes = &image->notes;
	uint32_t uid, gid, pid;
	const uint8_t *command, *arguments;

	cursor_seek(&c, PRPSINFO_UID);
	uid = cursor_u32(&c);
	gid = cursor_u32(&c);
	pid = cursor_u32(&c);
	cursor_take(&c, 3 * sizeof(uint32_t)); // parent, group, session
	command = cursor_take(&c, PRPSINFO_FNAME_SIZE);
	arguments = cursor_take(&c, PRPSINFO_PSARGS_SIZE);
	if (c.bad || notes->has_process)
		return CS_OK;
	notes->has_process = true;
	// The kernel writes the dumping thread first, gdb the process.
	notes->is_live = !notes->thread_count;
	notes->uid = uid;
	notes->gid = gid;
	notes->pid = pid;
	notes->command = copy_text(image->arena, command, PRPSINFO_FNAME_SIZE);
	notes->arguments = copy_text(image->arena, arguments, PRPSINFO_PSARGS_SIZE);
	return notes->command && notes->arguments ? CS_OK : CS_NO_MEMORY;
}

static bool has_address(int32_t number, int32_t code)
{
	// SI_KERNEL (a general protection fault, say) comes without one.
	if (code <= 0 || code == SI_KERNEL)
		return false;
	return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
	       number == SIGTRAP;
}

static void load_signal(struct image_notes *notes, struct cursor c)
{
	int32_t number = (int32_t)cursor_u32(&c);
	uint64_t address;
	int32_t code;

	cursor_u32(&c); // si_errno
	code = (int32_t)cursor_u32(&c);
	cursor_seek(&c, SIGINFO_FIELDS);
	address = cursor_u64(&c); // or si_pid and, above it, si_uid
	if (c.bad || notes->has_signal)
		return;
	notes->has_signal = notes->has_signal_code = true;
	notes->signal = number;
	notes->signal_code = code;
	notes->has_signal_address = has_address(number, code);
	if (notes->has_signal_address)
		notes->signal_address = address;
	notes->has_signal_sender = code == SI_USER || code == SI_TKILL || code == SI_QUEUE;
	if (notes->has_signal_sender) {
		notes->signal_pid = (uint32_t)address;
		notes->signal_uid = (uint32_t)(address >> 32);
	}
}

static void load_auxv(struct image_notes *notes, struct cursor c)
{
	const struct {
		uint64_t type;
		uint64_t *ret;
	} wanted[] = {
		{AT_PHDR, &notes->at_phdr},
		{AT_PHNUM, &notes->at_phnum},
		{AT_ENTRY, &notes->at_entry},
		{AT_RANDOM, &notes->at_random},
		{AT_EXECFN, &notes->at_execfn},
		{AT_SYSINFO_EHDR, &notes->at_sysinfo_ehdr},
		{AT_SECURE, &notes->at_secure},
		{AT_PAGESZ, &notes->at_pagesz},
		{AT_UID, &notes->at_uid},
		{AT_GID, &notes->at_gid},
	};

	if (notes->has_auxv || cursor_left(&c) < 2 * sizeof(uint64_t))
		return;
	notes->has_auxv = true;
	while (cursor_left(&c) >= 2 * sizeof(uint64_t)) {
		uint64_t type = cursor_u64(&c), value = cursor_u64(&c);

		if (type == AT_NULL)
			break;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (wanted[i].type == type)
				*wanted[i].ret = value;
	}
}

/* Rows follow each other by path, mostly: equal neighbours share one copy. */
static const char *share_path(
	struct image *image, const struct image_mapping *before, const char *path, size_t length)
{
	if (length > MAX_PATH_LENGTH)
		length = MAX_PATH_LENGTH;
	if (before && strlen(before->path) == length && !memcmp(before->path, path, length))
		return before->path;
	return arena_copy(image->arena, path, length);
}

/* count, page size, count * (start, end, offset in pages), count * path */
static enum cs_status load_mappings(struct image *image, struct cursor c, struct diag *diag)
{
	struct image_notes *notes = &image->notes;
	uint64_t count = cursor_u64(&c), page_size = cursor_u64(&c);
	struct image_mapping *rows;
	struct cursor paths = c;
	size_t used = 0;

	if (c.bad || notes->mappings || count > cursor_left(&c) / 24)
		return CS_OK;
	cursor_take(&paths, count * 24);
	if (count > MAX_MAPPED_FILES) {
		diag_add(diag, DIAG_WARNING, "limit", "only %d of %llu file mappings were read",
			MAX_MAPPED_FILES, (unsigned long long)count);
		count = MAX_MAPPED_FILES;
	}
	rows = arena_array(image->arena, count, sizeof(*rows));
	if (!rows)
		return CS_NO_MEMORY;
	for (uint64_t i = 0; i < count; i++) {
		struct image_mapping row = {.start = cursor_u64(&c), .end = cursor_u64(&c)};
		uint64_t offset = cursor_u64(&c);
		size_t path_offset = paths.offset;
		const char *path = cursor_string(&paths);

		if (!path)
			break;
		if (row.start >= row.end || !checked_mul(offset, page_size, &row.offset))
			continue;
		row.path = share_path(
			image, used ? &rows[used - 1] : NULL, path, paths.offset - path_offset - 1);
		if (!row.path)
			return CS_NO_MEMORY;
		rows[used++] = row;
	}
	notes->mappings = rows;
	notes->mapping_count = used;
	return CS_OK;
}

static enum cs_status load_note(
	struct image *image, const struct elf_note *note, size_t *capacity, struct diag *diag)
{
	struct cursor c = cursor_over(note->bytes, note->size);

	if (elf_note_is(note, "CORE", NT_PRSTATUS)) {
		if (image->notes.thread_count < MAX_THREADS)
			return load_thread(image, c, capacity);
		diag_add(diag, DIAG_WARNING, "limit", "only %d threads were read", MAX_THREADS);
	} else if (elf_note_is(note, "CORE", NT_PRPSINFO)) {
		return load_process(image, c);
	} else if (elf_note_is(note, "CORE", NT_SIGINFO)) {
		load_signal(&image->notes, c);
	} else if (elf_note_is(note, "CORE", NT_AUXV)) {
		load_auxv(&image->notes, c);
	} else if (elf_note_is(note, "CORE", NT_FILE)) {
		return load_mappings(image, c, diag);
	}
	return CS_OK;
}

enum cs_status notes_load(struct image *image, const void *segment, size_t size, uint64_t alignment,
	struct diag *diag)
{
	size_t capacity = 0, offset = 0;
	struct elf_note note;

	// arena_grow copies `capacity` rows: begin at what an earlier segment filled.
	capacity = image->notes.thread_count;
	while (elf_note_next(segment, size, alignment, &offset, &note)) {
		enum cs_status status = load_note(image, &note, &capacity, diag);

		if (status)
			return status;
	}
	return CS_OK;
}

struct thread_key {
	uint32_t id;
	size_t index;
};

static int compare_keys(const void *a, const void *b)
{
	const struct thread_key *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* A thread is known by its id; of two with one id the first stays. The order is kept. */
static enum cs_status drop_repeated_threads(struct image_notes *notes)
{
	size_t count = notes->thread_count, kept = 0;
	struct thread_key *keys = calloc(count ? count : 1, sizeof(*keys));
	bool *is_repeated = calloc(count ? count : 1, sizeof(*is_repeated));

	for (size_t i = 0; keys && i < count; i++)
		keys[i] = (struct thread_key){notes->threads[i].id, i};
	if (keys && is_repeated) {
		qsort(keys, count, sizeof(*keys), compare_keys);
		for (size_t i = 1; i < count; i++)
			is_repeated[keys[i].index] = keys[i].id == keys[i - 1].id;
		for (size_t i = 0; i < count; i++)
			if (!is_repeated[i])
				notes->threads[kept++] = notes->threads[i];
		notes->thread_count = kept;
	}
	free(keys);
	free(is_repeated);
	return count && !kept ? CS_NO_MEMORY : CS_OK;
}

static int compare_mappings(const void *a, const void *b)
{
	const struct image_mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* signal(7): those that end a process with a core. A kernel's core has no other. */
static bool is_dumping(int32_t number)
{
	static const int numbers[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV,
		SIGXCPU, SIGXFSZ, SIGSYS};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/*
 * What stopped a process that gcore or gdb took the core of (SIGSTOP of ptrace, SIGINT of a
 * terminal, SIGTRAP of a breakpoint) did not kill it. One that gdb had caught at its death did.
 */
static void settle_signal(struct image_notes *notes)
{
	bool is_gdb = notes->is_live;

	if (!notes->has_signal && notes->thread_count && notes->threads[0].signal) {
		notes->has_signal = true;
		notes->signal = notes->threads[0].signal;
	}
	notes->is_live = notes->has_signal ? !is_dumping(notes->signal) ||
						     (is_gdb && notes->signal == SIGTRAP)
					   : is_gdb;
	if (!notes->is_live)
		return;
	notes->has_signal = notes->has_signal_code = notes->has_signal_address = false;
	notes->has_signal_sender = false;
	notes->signal = notes->signal_code = 0;
	for (size_t i = 0; i < notes->thread_count; i++)
		notes->threads[i].signal = 0;
}

enum cs_status notes_finish(struct image *image)
{
	struct image_notes *notes = &image->notes;

	settle_signal(notes);
	if (notes->mapping_count)
		qsort(notes->mappings, notes->mapping_count, sizeof(*notes->mappings),
			compare_mappings);
	return drop_repeated_threads(notes);
}
