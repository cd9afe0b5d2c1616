#include "analyzer/binary/dwarf_location.h"

#include "common/checked.h"
#include "common/limits.h"

#include <dwarf.h>
#include <string.h>

#define EXPRESSION_STACK 8

/* A number on the expression's stack, or an address in terms of the frame. */
struct term {
	enum { TERM_NUMBER, TERM_FRAME, TERM_REGISTER, TERM_ADDRESS } kind;
	uint32_t register_number;
	int64_t number;
};

struct expression {
	struct cursor c;
	Dwarf_Die *die; // for indexed addresses
	struct term stack[EXPRESSION_STACK];
	uint32_t depth;
	bool is_bad;
	bool has_direct; // `direct` stands for the piece, the stack does not
	struct dwarf_piece direct;
};

static int64_t read_sleb(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift + 7 < 64)
			value |= ~UINT64_C(0) << (shift + 7);
		return (int64_t)value;
	}
	c->bad = true;
	return 0;
}

static void push(struct expression *e, struct term term)
{
	if (e->depth == EXPRESSION_STACK)
		e->is_bad = true;
	else
		e->stack[e->depth++] = term;
}

static void push_number(struct expression *e, uint64_t number)
{
	push(e, (struct term){.kind = TERM_NUMBER, .number = (int64_t)number});
}

static void set_direct(struct expression *e, struct dwarf_piece piece)
{
	e->is_bad |= e->has_direct || e->depth;
	e->has_direct = true;
	e->direct = piece;
}

/* a + sign * b, where b is a number. */
static void add(struct expression *e, int64_t sign)
{
	struct term *a, *b;

	if (e->depth < 2) {
		e->is_bad = true;
		return;
	}
	a = &e->stack[e->depth - 2];
	b = &e->stack[--e->depth];
	e->is_bad |= b->kind != TERM_NUMBER;
	a->number = (int64_t)((uint64_t)a->number + (uint64_t)sign * (uint64_t)b->number);
}

/* What the top of the stack is, not where. */
static void take_stack_value(struct expression *e)
{
	struct term top;

	if (!e->depth) {
		e->is_bad = true;
		return;
	}
	top = e->stack[--e->depth];
	if (top.kind == TERM_NUMBER)
		set_direct(e,
			(struct dwarf_piece){.kind = DWARF_PIECE_CONSTANT, .number = top.number});
	else if (top.kind == TERM_FRAME)
		set_direct(e, (struct dwarf_piece){
				      .kind = DWARF_PIECE_FRAME_ADDRESS, .number = top.number});
	else if (top.kind == TERM_REGISTER && !top.number)
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_REGISTER,
				      .register_number = top.register_number});
	else
		e->is_bad = true;
}

static void push_address(struct expression *e, uint8_t op)
{
	struct term term = {.kind = TERM_ADDRESS};
	uint64_t index, address;

	if (op == DW_OP_addr) {
		term.number = (int64_t)cursor_u64(&e->c);
	} else {
		index = cursor_uleb(&e->c);
		if (e->c.bad || !dwarf_indexed_address(e->die, index, &address))
			e->is_bad = true;
		else
			term.number = (int64_t)address;
	}
	push(e, term);
}

static bool is_between(uint8_t op, uint8_t first, uint8_t last)
{
	return op >= first && op <= last;
}

/* Constants; false: `op` is none. */
static bool run_constant(struct expression *e, uint8_t op)
{
	struct cursor *c = &e->c;

	if (is_between(op, DW_OP_lit0, DW_OP_lit31)) {
		push_number(e, (uint64_t)(op - DW_OP_lit0));
		return true;
	}
	switch (op) {
	case DW_OP_const1u:
		push_number(e, cursor_u8(c));
		return true;
	case DW_OP_const1s:
		push_number(e, (uint64_t)(int8_t)cursor_u8(c));
		return true;
	case DW_OP_const2u:
		push_number(e, cursor_u16(c));
		return true;
	case DW_OP_const2s:
		push_number(e, (uint64_t)(int16_t)cursor_u16(c));
		return true;
	case DW_OP_const4u:
		push_number(e, cursor_u32(c));
		return true;
	case DW_OP_const4s:
		push_number(e, (uint64_t)(int32_t)cursor_u32(c));
		return true;
	case DW_OP_const8u:
	case DW_OP_const8s:
		push_number(e, cursor_u64(c));
		return true;
	case DW_OP_constu:
		push_number(e, cursor_uleb(c));
		return true;
	case DW_OP_consts:
		push_number(e, (uint64_t)read_sleb(c));
		return true;
	default:
		return false;
	}
}

/* Registers and the frame; false: `op` is none of them. */
static bool run_register(struct expression *e, uint8_t op)
{
	struct term term = {.kind = TERM_REGISTER};

	if (is_between(op, DW_OP_reg0, DW_OP_reg31) || op == DW_OP_regx) {
		uint64_t number =
			op == DW_OP_regx ? cursor_uleb(&e->c) : (uint64_t)(op - DW_OP_reg0);

		e->is_bad |= number > UINT32_MAX;
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_REGISTER,
				      .register_number = (uint32_t)number});
		return true;
	}
	if (is_between(op, DW_OP_breg0, DW_OP_breg31)) {
		term.register_number = (uint32_t)(op - DW_OP_breg0);
		term.number = read_sleb(&e->c);
	} else if (op == DW_OP_fbreg) {
		term = (struct term){.kind = TERM_FRAME, .number = read_sleb(&e->c)};
	} else if (op == DW_OP_call_frame_cfa) {
		term = (struct term){.kind = TERM_FRAME};
	} else {
		return false;
	}
	push(e, term);
	return true;
}

static void run_rest(struct expression *e, uint8_t op)
{
	uint64_t size;

	switch (op) {
	case DW_OP_addr:
	case DW_OP_addrx:
		push_address(e, op);
		break;
	case DW_OP_plus:
		add(e, 1);
		break;
	case DW_OP_minus:
		add(e, -1);
		break;
	case DW_OP_plus_uconst:
		push_number(e, cursor_uleb(&e->c));
		add(e, 1);
		break;
	case DW_OP_stack_value:
		take_stack_value(e);
		break;
	case DW_OP_implicit_value:
		size = cursor_uleb(&e->c);
		set_direct(e, (struct dwarf_piece){.kind = DWARF_PIECE_BYTES,
				      .size = (uint32_t)size,
				      .bytes = cursor_take(&e->c, size)});
		break;
	default: // DW_OP_entry_value too: nothing tells what a register held at the entry
		e->is_bad = true;
	}
}

/* Where the part lies that the operations so far described. */
static struct dwarf_piece take_piece(struct expression *e, uint32_t size)
{
	static const enum dwarf_piece_kind kinds[] = {[TERM_NUMBER] = DWARF_PIECE_ADDRESS,
		[TERM_FRAME] = DWARF_PIECE_FRAME,
		[TERM_REGISTER] = DWARF_PIECE_REGISTER_MEMORY,
		[TERM_ADDRESS] = DWARF_PIECE_ADDRESS};
	struct dwarf_piece piece = {.kind = DWARF_PIECE_NONE};

	e->is_bad |= e->depth > 1 || (e->depth && e->has_direct);
	if (e->has_direct) {
		piece = e->direct;
		// Bytes that are fewer than the part would leave some of it unsaid.
		e->is_bad |= piece.kind == DWARF_PIECE_BYTES && size > piece.size;
	} else if (e->depth) {
		const struct term *top = &e->stack[0];

		piece.kind = kinds[top->kind];
		piece.number = top->number;
		piece.register_number = top->register_number;
	}
	if (size || piece.kind != DWARF_PIECE_BYTES)
		piece.size = size;
	e->depth = 0;
	e->has_direct = false;
	return piece;
}

static void evaluate(const uint8_t *bytes, size_t size, Dwarf_Die *die, struct dwarf_location *ret)
{
	struct expression e = {.c = cursor_over(bytes, size), .die = die};
	bool has_pieces = false;

	while (!e.is_bad && cursor_left(&e.c)) {
		uint8_t op = cursor_u8(&e.c);

		if (op == DW_OP_piece) {
			uint64_t part = cursor_uleb(&e.c);

			has_pieces = true;
			e.is_bad |= !part || part > UINT32_MAX || ret->count == MAX_DWARF_PIECES;
			if (!e.is_bad)
				ret->pieces[ret->count++] = take_piece(&e, (uint32_t)part);
		} else if (op != DW_OP_nop && !run_constant(&e, op) && !run_register(&e, op)) {
			run_rest(&e, op);
		}
	}
	if (!has_pieces && (e.depth || e.has_direct))
		ret->pieces[ret->count++] = take_piece(&e, 0);
	ret->is_unread = e.is_bad || e.c.bad || (has_pieces && (e.depth || e.has_direct));
	if (ret->is_unread)
		ret->count = 0;
}

/* A location list that is being read. */
struct rows {
	struct cursor c;
	Dwarf_Die *die; // for indexed addresses
	uint64_t base;
	bool is_version_5;
	uint32_t left;
};

/* A row: an expression and where in the code it holds. */
struct row {
	uint64_t low, high;
	const uint8_t *bytes;
	size_t size;
	bool is_default; // where no other does
};

/* .debug_loc: pairs of offsets from a base, all ones to set it, zeros at the end. */
static bool next_row_4(struct rows *rows, struct row *ret)
{
	while (rows->left-- && !rows->c.bad) {
		uint64_t low = cursor_u64(&rows->c), high = cursor_u64(&rows->c);

		if (low == UINT64_MAX) {
			rows->base = high;
			continue;
		}
		if (!low && !high)
			break;
		*ret = (struct row){rows->base + low, rows->base + high, NULL, 0, false};
		ret->size = cursor_u16(&rows->c);
		ret->bytes = cursor_take(&rows->c, ret->size);
		return ret->bytes;
	}
	return false;
}

static uint64_t read_index(struct rows *rows)
{
	uint64_t index = cursor_uleb(&rows->c), address = 0;

	if (!rows->c.bad && !dwarf_indexed_address(rows->die, index, &address))
		rows->c.bad = true;
	return address;
}

/* The range of a row of .debug_loclists; false where `kind` is none that has an expression. */
static bool read_range_5(struct rows *rows, uint8_t kind, struct row *ret)
{
	struct cursor *c = &rows->c;

	*ret = (struct row){0};
	switch (kind) {
	case DW_LLE_startx_endx:
		ret->low = read_index(rows);
		ret->high = read_index(rows);
		return true;
	case DW_LLE_startx_length:
		ret->low = read_index(rows);
		ret->high = ret->low + cursor_uleb(c);
		return true;
	case DW_LLE_offset_pair:
		ret->low = rows->base + cursor_uleb(c);
		ret->high = rows->base + cursor_uleb(c);
		return true;
	case DW_LLE_start_end:
		ret->low = cursor_u64(c);
		ret->high = cursor_u64(c);
		return true;
	case DW_LLE_start_length:
		ret->low = cursor_u64(c);
		ret->high = ret->low + cursor_uleb(c);
		return true;
	case DW_LLE_default_location:
		ret->is_default = true;
		return true;
	default:
		return false;
	}
}

static bool next_row_5(struct rows *rows, struct row *ret)
{
	while (rows->left-- && !rows->c.bad) {
		uint8_t kind = cursor_u8(&rows->c);

		if (kind == DW_LLE_base_addressx) {
			rows->base = read_index(rows);
		} else if (kind == DW_LLE_base_address) {
			rows->base = cursor_u64(&rows->c);
		} else if (read_range_5(rows, kind, ret)) {
			ret->size = cursor_uleb(&rows->c);
			ret->bytes = cursor_take(&rows->c, ret->size);
			return ret->bytes;
		} else {
			break; // the end, or damage
		}
	}
	return false;
}

static bool next_row(struct rows *rows, struct row *ret)
{
	return rows->is_version_5 ? next_row_5(rows, ret) : next_row_4(rows, ret);
}

/* Begins the entry's list; false where it has none. Go never writes DW_FORM_loclistx. */
static bool open_rows(
	struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die, struct rows *ret)
{
	const struct dwarf_bytes *section;
	Dwarf_Half version;
	uint64_t offset;

	if (!dwarf_list_offset(dwarf, die, &offset) ||
		dwarf_cu_info(die->cu, &version, NULL, NULL, NULL, NULL, NULL, NULL))
		return false;
	dwarf_load_locations(dwarf);
	section = version >= 5 ? &dwarf->location_lists : &dwarf->locations;
	*ret = (struct rows){.c = cursor_over(section->bytes, section->size),
		.die = die,
		.base = unit->base,
		.is_version_5 = version >= 5,
		.left = MAX_LOCATION_ROWS};
	if (offset > section->size)
		return false;
	cursor_seek(&ret->c, offset);
	return true;
}

/* The row that holds at pc; false: none. */
static bool find_row(struct rows *rows, uint64_t pc, struct row *ret)
{
	bool has_default = false;
	struct row row;

	while (next_row(rows, &row)) {
		if (row.is_default) {
			*ret = row;
			has_default = true;
		} else if (pc >= row.low && pc < row.high) {
			*ret = row;
			return true;
		}
	}
	return has_default;
}

static void reset(struct dwarf_location *location)
{
	location->count = 0;
	location->is_listed = location->is_unread = false;
}

void dwarf_location_at(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	uint64_t pc, struct dwarf_location *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;
	struct rows rows;
	struct row row;

	reset(ret);
	if (!dwarf_attr(die, DW_AT_location, &attribute))
		return;
	if (!dwarf_formblock(&attribute, &block)) {
		evaluate(block.data, block.length, die, ret);
		return;
	}
	ret->is_listed = true;
	if (!open_rows(dwarf, unit, die, &rows))
		ret->is_unread = true;
	else if (find_row(&rows, pc, &row))
		evaluate(row.bytes, row.size, die, ret);
}

bool dwarf_location_is_word(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die)
{
	struct dwarf_location location;
	struct rows rows;
	struct row row;

	if (!open_rows(dwarf, unit, die, &rows))
		return false;
	while (next_row(&rows, &row)) {
		reset(&location);
		evaluate(row.bytes, row.size, die, &location);
		if (location.count == 1 && !location.pieces[0].size &&
			location.pieces[0].kind == DWARF_PIECE_REGISTER)
			return true;
	}
	return false;
}

void dwarf_location_each(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	dwarf_row_visitor visit, void *context)
{
	struct dwarf_location location;
	struct rows rows;
	struct row row;

	if (!open_rows(dwarf, unit, die, &rows))
		return;
	while (next_row(&rows, &row)) {
		reset(&location);
		location.is_listed = true;
		evaluate(row.bytes, row.size, die, &location);
		if (!row.is_default && !visit(context, row.low, row.high, &location))
			return;
	}
}

static bool row_has(const struct row *row, Dwarf_Die *die, const struct dwarf_piece *piece)
{
	struct dwarf_location location;

	reset(&location);
	evaluate(row->bytes, row->size, die, &location);
	for (uint32_t i = 0; i < location.count; i++)
		if (dwarf_piece_equals(&location.pieces[i], piece))
			return true;
	return false;
}

uint64_t dwarf_location_since(struct dwarf *dwarf, const struct dwarf_unit *unit, Dwarf_Die *die,
	uint64_t pc, const struct dwarf_piece *piece)
{
	uint64_t since = 0, end = 0;
	struct rows rows;
	struct row row;

	if (!open_rows(dwarf, unit, die, &rows))
		return 0;
	while (next_row(&rows, &row) && row.low <= pc) {
		bool has_piece = row_has(&row, die, piece);

		if (has_piece && row.low != end)
			since = row.low;
		end = has_piece ? row.high : 0;
		if (pc < row.high)
			return has_piece ? since : 0;
	}
	return 0;
}

bool dwarf_location_base_is_cfa(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;

	return dwarf_attr(function, DW_AT_frame_base, &attribute) &&
	       !dwarf_formblock(&attribute, &block) && block.length == 1 &&
	       block.data[0] == DW_OP_call_frame_cfa;
}
