// A forward analysis over single instructions: at each, the set of locks that are held whatever way
// led there. What an instruction has to do with locks is the name of the function that was inlined
// there, or that it calls (go1.18 to go1.27: sync/mutex.go, sync/rwmutex.go,
// internal/sync/mutex.go).
#include "analyzer/blocking/lock_code.h"

#include "analyzer/binary/instruction.h"
#include "common/limits.h"

#include <string.h>

#define MAX_KEYS 64 // locks of one function, a bit each
#define NO_KEY UINT8_MAX
#define NOT_REACHED UINT64_MAX

enum lock_action { ACTION_NONE, ACTION_TAKE, ACTION_GIVE };

/** What a function of package sync does, when it is called or inlined. */
struct lock_effect {
	const char *function;
	enum lock_action action;
	enum lock_mode mode;
	bool is_whole; // a call of it alone is all there is; else its inlined body, with this in it
	enum layout_id
		word; // its argument is the address of this member; LAYOUT_COUNT: of the lock
};

static const struct lock_effect effects[] = {
	{"sync.(*Mutex).Lock", ACTION_TAKE, LOCK_MUTEX, true, LAYOUT_COUNT},
	{"sync.(*Mutex).Unlock", ACTION_GIVE, LOCK_MUTEX, true, LAYOUT_COUNT},
	{"internal/sync.(*Mutex).Lock", ACTION_TAKE, LOCK_MUTEX, true, LAYOUT_COUNT},
	{"internal/sync.(*Mutex).Unlock", ACTION_GIVE, LOCK_MUTEX, true, LAYOUT_COUNT},
	{"sync.(*RWMutex).Lock", ACTION_TAKE, LOCK_WRITE, true, LAYOUT_COUNT},
	{"sync.(*RWMutex).Unlock", ACTION_GIVE, LOCK_WRITE, true, LAYOUT_COUNT},
	{"sync.(*RWMutex).RLock", ACTION_TAKE, LOCK_READ, true, LAYOUT_COUNT},
	{"sync.(*RWMutex).RUnlock", ACTION_GIVE, LOCK_READ, true, LAYOUT_COUNT},
	// The slow halves of what is inlined.
	{"sync.(*Mutex).lockSlow", ACTION_TAKE, LOCK_MUTEX, false, LAYOUT_COUNT},
	{"sync.(*Mutex).unlockSlow", ACTION_GIVE, LOCK_MUTEX, false, LAYOUT_COUNT},
	{"internal/sync.(*Mutex).lockSlow", ACTION_TAKE, LOCK_MUTEX, false, LAYOUT_COUNT},
	{"internal/sync.(*Mutex).unlockSlow", ACTION_GIVE, LOCK_MUTEX, false, LAYOUT_COUNT},
	{"sync.(*RWMutex).rUnlockSlow", ACTION_GIVE, LOCK_READ, false, LAYOUT_COUNT},
	{"sync.runtime_SemacquireRWMutexR", ACTION_TAKE, LOCK_READ, false, RWMUTEX_READER_SEMA},
	{"sync.runtime_SemacquireMutex", ACTION_TAKE, LOCK_READ, false, RWMUTEX_READER_SEMA},
};

#define EFFECTS (sizeof(effects) / sizeof(effects[0]))
#define NO_EFFECT UINT8_MAX

/** Room for one function. */
struct lock_scratch {
	struct instruction instructions[MAX_LOCK_FUNCTION];
	uint8_t effect[MAX_LOCK_FUNCTION];
	uint8_t key[MAX_LOCK_FUNCTION];
	int32_t line[MAX_LOCK_FUNCTION];
	uint64_t held[MAX_LOCK_FUNCTION];
	uint32_t pending[MAX_LOCK_FUNCTION];
	bool is_pending[MAX_LOCK_FUNCTION];
};

/** One function while it is looked at. */
struct analysis_of {
	struct lock_code *code;
	struct pcln_func func;
	const struct pclntab *table;
	struct instruction *instructions;
	uint32_t count;
	uint8_t *effect;   // of each instruction: an index of effects whose body it is in
	uint8_t *key;      // likewise: which lock that is; NO_KEY: not known
	int32_t *line;     // likewise: of the function's own, where it calls that body
	int32_t waits_at;  // the line of the call that is under way, which has taken nothing yet
	uint64_t *held;    // before each instruction, a bit for each key
	uint32_t *pending; // instructions to look at again
	bool *is_pending;
	struct held_lock keys[MAX_KEYS];
	uint32_t key_count;
};

static uint8_t effect_of_name(const char *name)
{
	for (size_t i = 0; i < EFFECTS; i++)
		if (!strcmp(name, effects[i].function))
			return (uint8_t)i;
	return NO_EFFECT;
}

enum cs_status lock_code_init(struct lock_code *code, const struct frame_table *frames)
{
	const struct runtime *rt = frames->rt;
	struct pcln_func func;

	*code = (struct lock_code){.frames = frames, .budget = MAX_LOCK_INSTRUCTIONS};
	u64map_init(&code->targets, rt->arena);
	u64map_init(&code->functions, rt->arena);
	u64map_init(&code->givers, rt->arena);
	u64map_init(&code->places, rt->arena);
	if (image_arch(rt->image) != ARCH_AMD64)
		return CS_OK;
	for (uint32_t i = 0; i < pclntab_count(rt->functions); i++) {
		uint8_t effect;

		if (!pclntab_at(rt->functions, i, &func) ||
			(strncmp(func.name, "sync.", 5) &&
				strncmp(func.name, "internal/sync.", 14)))
			continue;
		effect = effect_of_name(func.name);
		if (effect != NO_EFFECT && !u64map_put(&code->targets, func.entry, effect))
			return CS_NO_MEMORY;
	}
	return CS_OK;
}

/** What instruction `i` calls: an index of effects. */
static uint8_t called_effect(const struct analysis_of *a, uint32_t i)
{
	const struct instruction *in = &a->instructions[i];
	uint64_t effect;

	return in->kind == INSTRUCTION_CALL && in->target &&
			       u64map_get(&a->code->targets, in->target, &effect)
		       ? (uint8_t)effect
		       : NO_EFFECT;
}

/**
 * In whose inlined body instruction `i` is: the outermost counts, which is sync's own. Notes the
 * line that has brought it there.
 */
static uint8_t inlined_effect(const struct analysis_of *a, uint32_t i)
{
	struct pcln_frame logical[MAX_INLINE_DEPTH];
	size_t count = pclntab_expand(
		a->table, &a->func, a->instructions[i].pc, logical, MAX_INLINE_DEPTH);

	a->line[i] = count ? logical[count - 1].line : 0;

	for (size_t k = count; k-- > 0;) {
		uint8_t effect =
			logical[k].is_inlined ? effect_of_name(logical[k].function) : NO_EFFECT;

		if (effect != NO_EFFECT)
			return effect;
	}
	return NO_EFFECT;
}

static uint8_t find_key(struct analysis_of *a, struct held_lock lock)
{
	for (uint32_t i = 0; i < a->key_count; i++)
		if (a->keys[i].mode == lock.mode && a->keys[i].is_variable == lock.is_variable &&
			a->keys[i].address == lock.address && a->keys[i].offset == lock.offset)
			return (uint8_t)i;
	if (a->key_count == MAX_KEYS)
		return NO_KEY;
	a->keys[a->key_count] = lock;
	return (uint8_t)a->key_count++;
}

/** Finds out what a memory operand's base register holds, if that is an address made just before.
 */
static struct operand resolve(const struct analysis_of *a, uint32_t i, struct operand op)
{
	for (uint32_t k = i; k-- > 0 && i - k <= MAX_LOCK_LOOK_BACK;) {
		const struct instruction *in = &a->instructions[k];

		if (in->kind == INSTRUCTION_CALL || in->kind == INSTRUCTION_END ||
			op.reg >= AMD64_REGISTERS)
			return op;
		if (!(in->changed & 1u << op.reg))
			continue;
		if (in->kind == INSTRUCTION_ADDRESS && in->from.kind == OPERAND_MEMORY &&
			!in->from.has_index && in->from.reg != AMD64_RSP)
			op = (struct operand){.kind = OPERAND_MEMORY,
				.reg = in->from.reg,
				.value = in->from.value + op.value};
		else if (in->kind == INSTRUCTION_MOVE && in->from.kind == OPERAND_REGISTER)
			op.reg = in->from.reg;
		else
			return op;
	}
	return op;
}

/** The lock of which a member `before` bytes behind its start is what the operand names. */
static uint8_t key_of_memory(
	struct analysis_of *a, enum lock_mode mode, uint32_t i, struct operand op, uint64_t before)
{
	struct held_lock lock = {.mode = mode};

	if (op.kind != OPERAND_MEMORY || op.has_index)
		return NO_KEY;
	op = resolve(a, i, op);
	if (op.reg == AMD64_RSP)
		return NO_KEY;
	lock.is_variable = op.reg == AMD64_RIP;
	if (lock.is_variable)
		lock.address = (target_addr)op.value - before;
	else
		lock.offset = op.value - (int64_t)before;
	return find_key(a, lock);
}

/** Which lock the call at `i` is for: its first argument is in rax. */
static uint8_t key_of_call(struct analysis_of *a, uint32_t i, const struct lock_effect *effect)
{
	const struct layout *layout = &a->code->frames->rt->layout;
	struct operand pointer = {.kind = OPERAND_MEMORY, .reg = AMD64_RAX};

	return key_of_memory(a, effect->mode, i, pointer,
		effect->word == LAYOUT_COUNT ? 0 : layout_value(layout, effect->word));
}

/** Finds the bodies of Lock and its like. */
static void find_bodies(struct analysis_of *a)
{
	for (uint32_t i = 0; i < a->count; i++) {
		uint8_t called = called_effect(a, i);

		a->key[i] = NO_KEY;
		a->effect[i] = inlined_effect(a, i);
		if (a->effect[i] == NO_EFFECT && called != NO_EFFECT && effects[called].is_whole)
			a->effect[i] = called;
	}
}

/** All of the body that `member` is part of is for lock `key`, unless that is known already. */
static void set_key(struct analysis_of *a, uint32_t member, uint8_t key)
{
	if (key == NO_KEY || a->key[member] != NO_KEY)
		return;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->effect[i] == a->effect[member] && a->line[i] == a->line[member])
			a->key[i] = key;
}

/** The body of which atomic instruction `i` is part: the compiler may not have counted it in. */
static uint32_t body_of_atomic(const struct analysis_of *a, uint32_t i)
{
	for (uint32_t k = i; k < a->count && k - i <= MAX_LOCK_LOOK_AHEAD; k++)
		if (a->effect[k] != NO_EFFECT)
			return a->line[k] == a->line[i] ? k : a->count;
	return a->count;
}

/**
 * Finds which lock each body is for. The compiler scatters a body among other code, so that what
 * belongs together is told by the line that calls it. The atomic instruction names the lock's own
 * word; where there is none, the call of the slow half names the lock.
 */
static void find_keys(struct analysis_of *a)
{
	const struct layout *layout = &a->code->frames->rt->layout;

	for (uint32_t i = 0; i < a->count; i++) {
		uint32_t body = a->instructions[i].is_atomic ? body_of_atomic(a, i) : a->count;
		enum lock_mode mode;

		if (body == a->count)
			continue;
		mode = effects[a->effect[body]].mode;
		set_key(a, body,
			key_of_memory(a, mode, i, a->instructions[i].to,
				layout_value(layout,
					mode == LOCK_READ ? RWMUTEX_READER_COUNT : MUTEX_STATE)));
	}
	for (uint32_t i = 0; i < a->count; i++) {
		uint8_t called = a->effect[i] == NO_EFFECT ? NO_EFFECT : called_effect(a, i);

		if (called != NO_EFFECT)
			set_key(a, i, key_of_call(a, i, &effects[called]));
	}
}

static void reach(struct analysis_of *a, uint32_t *pending_count, uint32_t to, uint64_t held)
{
	uint64_t both;

	if (to >= a->count)
		return;
	both = a->held[to] & held;
	if (both == a->held[to] && a->held[to] != NOT_REACHED)
		return;
	a->held[to] = both;
	if (!a->is_pending[to]) {
		a->is_pending[to] = true;
		a->pending[(*pending_count)++] = to;
	}
}

/** Whether instruction `i` calls a function that gives back what it has not taken itself. */
static bool is_giver(const struct analysis_of *a, uint32_t i)
{
	const struct instruction *in = &a->instructions[i];
	uint64_t gives = 0;

	return in->kind == INSTRUCTION_CALL && in->target &&
	       u64map_get(&a->code->givers, in->target, &gives) && gives;
}

/**
 * What is left when lock `key` is given back. Two pointers may lead to one lock in ways that are
 * not followed: what goes by pointer may be any other of its kind that does.
 */
static uint64_t without(const struct analysis_of *a, uint64_t held, uint8_t key)
{
	if (key == NO_KEY)
		return 0;
	if (a->keys[key].is_variable)
		return held & ~((uint64_t)1 << key);
	for (uint32_t i = 0; i < a->key_count; i++)
		if (!a->keys[i].is_variable && a->keys[i].mode == a->keys[key].mode)
			held &= ~((uint64_t)1 << i);
	return held;
}

/**
 * What is held behind instruction `i`. A lock is taken by the branch that asks whether it was free,
 * or by the call that waits for it; what else the compiler counts to the body may lie anywhere
 * before.
 */
static uint64_t held_behind(const struct analysis_of *a, uint32_t i)
{
	uint64_t held = a->held[i];
	uint8_t effect = a->effect[i], key = a->key[i];
	bool takes =
		a->instructions[i].kind == INSTRUCTION_BRANCH || called_effect(a, i) != NO_EFFECT;

	if (effect == NO_EFFECT)
		return is_giver(a, i) ? 0 : held;
	if (effects[effect].action == ACTION_TAKE)
		return takes && key != NO_KEY && a->line[i] != a->waits_at
			       ? held | (uint64_t)1 << key
			       : held;
	return without(a, held, key);
}

/** False where control goes on at a computed place. */
static bool follow(struct analysis_of *a)
{
	uint32_t pending_count = 0;
	uint64_t steps = (uint64_t)a->count * MAX_KEYS;

	memset(a->held, 0xff, a->count * sizeof(*a->held));
	memset(a->is_pending, 0, a->count * sizeof(*a->is_pending));
	reach(a, &pending_count, 0, 0);
	while (pending_count && steps--) {
		uint32_t i = a->pending[--pending_count];
		const struct instruction *in = &a->instructions[i];

		a->is_pending[i] = false;
		if (in->kind == INSTRUCTION_END)
			continue;
		if (in->kind == INSTRUCTION_JUMP && !in->target)
			return false;
		if (in->kind == INSTRUCTION_JUMP || in->kind == INSTRUCTION_BRANCH) {
			uint32_t to = instructions_index(a->instructions, a->count, in->target);

			if (in->target >= a->func.entry && in->target < a->func.end)
				reach(a, &pending_count, to, held_behind(a, i));
		}
		if (in->kind != INSTRUCTION_JUMP)
			reach(a, &pending_count, i + 1, held_behind(a, i));
	}
	return !pending_count;
}

static bool has_lock_calls(const struct analysis_of *a)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (called_effect(a, i) != NO_EFFECT)
			return true;
	return false;
}

static bool use_scratch(struct analysis_of *a)
{
	struct lock_code *code = a->code;

	if (!code->scratch)
		code->scratch = arena_alloc(code->frames->rt->arena, sizeof(*code->scratch));
	if (!code->scratch)
		return false;
	a->instructions = code->scratch->instructions;
	a->effect = code->scratch->effect;
	a->key = code->scratch->key;
	a->line = code->scratch->line;
	a->held = code->scratch->held;
	a->pending = code->scratch->pending;
	a->is_pending = code->scratch->is_pending;
	return true;
}

static bool load(struct analysis_of *a, target_addr pc)
{
	const struct runtime *rt = a->code->frames->rt;
	uint64_t size;
	const uint8_t *bytes;

	a->table = modules_functions(rt, pc);
	if (!a->table || !pclntab_find(a->table, pc, &a->func))
		return false;
	size = a->func.end - a->func.entry;
	bytes = size <= MAX_LOCK_FUNCTION ? runtime_bytes(rt, a->func.entry, size) : NULL;
	if (!bytes || size > a->code->budget || !use_scratch(a))
		return false;
	a->code->budget -= size;
	a->count = (uint32_t)instructions_decode(
		bytes, size, a->func.entry, a->instructions, MAX_LOCK_FUNCTION);
	return a->count && has_lock_calls(a);
}

/** Whether somewhere in it a lock is given back that is not held for certain. */
static bool gives_unheld(struct lock_code *code, target_addr entry)
{
	struct analysis_of a = {.code = code, .waits_at = -1};

	if (!load(&a, entry))
		return false;
	find_bodies(&a);
	find_keys(&a);
	if (!follow(&a))
		return true;
	for (uint32_t i = 0; i < a.count; i++)
		if (a.effect[i] != NO_EFFECT && effects[a.effect[i]].action == ACTION_GIVE &&
			(a.key[i] == NO_KEY || !(a.held[i] >> a.key[i] & 1)))
			return true;
	return false;
}

/**
 * Finds out what the functions that `a` calls by name do to locks. Uses the scratch: what `a` has
 * is gone. False: out of memory.
 */
static bool judge_callees(struct analysis_of *a)
{
	struct lock_code *code = a->code;
	target_addr targets[MAX_LOCK_CALLEES];
	size_t count = 0;

	for (uint32_t i = 0; i < a->count && count < MAX_LOCK_CALLEES; i++) {
		const struct instruction *in = &a->instructions[i];

		if (in->kind != INSTRUCTION_CALL || !in->target ||
			called_effect(a, i) != NO_EFFECT ||
			u64map_get(&code->givers, in->target, &(uint64_t){0}))
			continue;
		// Until it is known, so that one that calls itself is looked at once.
		if (!u64map_put(&code->givers, in->target, 0))
			return false;
		targets[count++] = in->target;
	}
	for (size_t i = 0; i < count; i++)
		if (!u64map_put(&code->givers, targets[i], gives_unheld(code, targets[i])))
			return false;
	return true;
}

static struct held_locks *list_held(const struct analysis_of *a, uint64_t bits)
{
	struct arena *arena = a->code->frames->rt->arena;
	struct held_locks *ret = arena_alloc(arena, sizeof(*ret));
	struct held_lock *list = arena_array(arena, a->key_count, sizeof(*list));

	if (!ret || !list)
		return NULL;
	for (uint32_t i = 0; i < a->key_count; i++)
		if (bits >> i & 1)
			list[ret->count++] = a->keys[i];
	ret->list = list;
	return ret;
}

static struct held_locks *find_held(struct lock_code *code, const struct code_place *place)
{
	const struct frame *frame = &code->frames->frames[place->first_frame];
	struct analysis_of a = {.code = code, .waits_at = -1};
	uint32_t at;

	if (u64map_get(&code->functions, frame->entry, &(uint64_t){0}))
		return NULL;
	if (!load(&a, frame->entry) || !judge_callees(&a) || !load(&a, frame->entry)) {
		u64map_put(&code->functions, frame->entry, 1);
		return NULL;
	}
	find_bodies(&a);
	find_keys(&a);
	at = instructions_index(a.instructions, a.count, frame->pc);
	// A return address is behind the call that is under way.
	if (!place->is_exact)
		at--;
	if (at >= a.count)
		return NULL;
	if (a.effect[at] != NO_EFFECT && effects[a.effect[at]].action == ACTION_TAKE)
		a.waits_at = a.line[at];
	if (!follow(&a) || a.held[at] == NOT_REACHED || !a.held[at])
		return NULL;
	return list_held(&a, a.held[at]);
}

struct held_locks lock_code_held(struct lock_code *code, uint32_t place)
{
	static const struct held_locks none;
	struct held_locks *held;
	uint64_t known;

	if (!code->targets.count || code->frames->places[place].role == ROLE_C)
		return none;
	if (!u64map_get(&code->places, place, &known)) {
		held = find_held(code, &code->frames->places[place]);
		known = (uintptr_t)held;
		u64map_put(&code->places, place, known);
	}
	held = (struct held_locks *)(uintptr_t)known;
	return held ? *held : none;
}
