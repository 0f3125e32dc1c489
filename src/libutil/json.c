/* SPDX-License-Identifier: ISC */
/*
 * Recursive descent, as deep as JSON_DEPTH_MAX. While an array or object is
 * open its items wait on one growing stack that all levels share; at its end
 * they move to the arena in one piece. Members keep their order and carry an
 * index by key, which finds duplicates and makes json_get a binary search.
 */
#include "libutil/json.h"

#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"
#include "libutil/hex.h"
#include "libutil/utf8.h"

#define NUMBER_MAX	512		/* bytes of one number */
#define TEXT_MAX	((size_t)1 << 30)	/* so that counts fit 32 bits */
#define FEW_MEMBERS	16

struct parser {
	struct arena		*arena;
	struct slice		 text;
	struct cursor		 c;
	struct diag		*diag;
	struct json_member	*stack;		/* items of all open levels */
	size_t			 stack_count;
	size_t			 stack_room;
	struct buf		 scratch;	/* a string with escapes */
	unsigned		 depth;
};

static int	parse_value(struct parser *p, struct json *v);

/* the locale of numbers, made before main: strtod asks the process's, which
 * some program may have set to one with a decimal comma */
static locale_t	c_locale;

__attribute__((constructor)) static void
make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* fail - note what is wrong where the cursor is; returns r */
static int
fail(struct parser *p, int r, const char *what)
{
	size_t		at = p->text.len - cursor_left(&p->c), start = 0;
	uint32_t	line = 1;

	for (size_t i = 0; i < at; i++)
		if (p->text.data[i] == '\n') {
			line++;
			start = i + 1;
		}
	(void)diag_set(p->diag, line, (uint32_t)(at - start) + 1, "%s", what);
	return r;
}

/* strings */

/* is_plain_byte - may it stand in a string as it is? */
static bool
is_plain_byte(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

#define REPEAT(byte)	(~(uint64_t)0 / 255 * (byte))
#define HAS_ZERO(word)	(((word) - REPEAT(0x01)) & ~(word) & REPEAT(0x80))

/* has_special - may one of eight bytes be a quote, a backslash or a control?
 * Says yes too often for bytes from 0x80 on; take_plain looks again */
static bool
has_special(uint64_t word)
{
	return (HAS_ZERO(word ^ REPEAT('"')) | HAS_ZERO(word ^ REPEAT('\\')) |
	    ((word - REPEAT(0x20)) & REPEAT(0x80))) != 0;
}

/* take_plain - the run of bytes that stand for themselves; says whether all
 * of them are ASCII */
static struct slice
take_plain(struct cursor *c, bool *ret_ascii)
{
	struct slice	rest = cursor_rest(c);
	uint64_t	word, seen = 0;
	size_t		n = 0;

	while (rest.len - n >= sizeof(word)) {
		memcpy(&word, &rest.data[n], sizeof(word));
		if (has_special(word))
			break;
		seen |= word;
		n += sizeof(word);
	}
	/* to the end; also through words that only looked special */
	while (n < rest.len && is_plain_byte(rest.data[n]))
		seen |= (unsigned char)rest.data[n++];
	*ret_ascii = (seen & REPEAT(0x80)) == 0;
	return cursor_take(c, n);
}

/* hex4 - four hexadecimal digits */
static int
hex4(struct parser *p, uint32_t *ret_value)
{
	uint32_t	value = 0;
	int		digit;

	for (int i = 0; i < 4; i++) {
		digit = cursor_at_end(&p->c) ? -1 :
		    hex_digit((char)cursor_peek(&p->c));
		if (digit < 0)
			return fail(p, -EBADMSG,
			    "\\u needs four hexadecimal digits");
		(void)cursor_byte(&p->c);
		value = value << 4 | (uint32_t)digit;
	}
	*ret_value = value;
	return 0;
}

/* unescape_u - what follows "\u": a character, maybe in two halves */
static int
unescape_u(struct parser *p)
{
	uint32_t	high, low;
	int		r;

	if ((r = hex4(p, &high)) < 0)
		return r;
	if (high >= 0xd800 && high <= 0xdbff) {
		if (!cursor_skip(&p->c, S("\\u")))
			return fail(p, -EBADMSG, "half of a surrogate pair");
		if ((r = hex4(p, &low)) < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(p, -EBADMSG, "half of a surrogate pair");
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	} else if (high >= 0xdc00 && high <= 0xdfff) {
		return fail(p, -EBADMSG, "half of a surrogate pair");
	}
	utf8_encode(&p->scratch, high);
	return 0;
}

/* unescape - what follows a backslash */
static int
unescape(struct parser *p)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int		byte = cursor_byte(&p->c);
	const char	*at;

	if (byte == 'u')
		return unescape_u(p);
	at = byte <= 0 ? NULL : strchr(from, byte);
	if (at == NULL)
		return fail(p, -EBADMSG, "an escape that JSON does not have");
	buf_add_byte(&p->scratch, to[at - from]);
	return 0;
}

/* take_valid - a plain run, checked to be UTF-8 */
static int
take_valid(struct parser *p, struct slice *ret_run)
{
	struct cursor	start = p->c;
	size_t		valid;
	bool		ascii;

	*ret_run = take_plain(&p->c, &ascii);
	if (ascii)
		return 0;
	valid = utf8_valid_prefix(*ret_run);
	if (valid == ret_run->len)
		return 0;
	p->c = start;
	(void)cursor_take(&p->c, valid);	/* where fail will point */
	return fail(p, -EBADMSG, "a byte that is not UTF-8");
}

/* end_string - is this the end? 1, 0 for a backslash, -EBADMSG */
static int
end_string(struct parser *p)
{
	if (cursor_skip_byte(&p->c, '"'))
		return 1;
	if (cursor_skip_byte(&p->c, '\\'))
		return 0;
	return fail(p, -EBADMSG, cursor_at_end(&p->c) ?
	    "a string without its end" : "a control character in a string");
}

/* parse_string - a string whose first quote is taken */
static int
parse_string(struct parser *p, struct slice *ret_string)
{
	struct slice	run;
	int		r;

	if ((r = take_valid(p, &run)) < 0 || (r = end_string(p)) < 0)
		return r;
	if (r == 1) {				/* no escapes: lend it */
		*ret_string = run;
		return 0;
	}
	buf_reset(&p->scratch);
	do {
		buf_add(&p->scratch, run);
		if ((r = unescape(p)) < 0 || (r = take_valid(p, &run)) < 0 ||
		    (r = end_string(p)) < 0)
			return r;
	} while (r == 0);
	buf_add(&p->scratch, run);
	if ((r = buf_check(&p->scratch)) < 0)
		return fail(p, r, "a string that is too long");
	*ret_string = arena_dup(p->arena, buf_slice(&p->scratch));
	return 0;
}

/* numbers */

/* scan_number - step over a number (RFC 8259 6): 1 if it is an integer */
static int
scan_number(struct parser *p)
{
	bool	integer = true;

	(void)cursor_skip_byte(&p->c, '-');
	if (!cursor_skip_byte(&p->c, '0') &&
	    cursor_take_while(&p->c, ascii_is_digit).len == 0)
		return fail(p, -EBADMSG, "a value expected");
	if (cursor_skip_byte(&p->c, '.')) {
		integer = false;
		if (cursor_take_while(&p->c, ascii_is_digit).len == 0)
			return fail(p, -EBADMSG, "no digits behind \".\"");
	}
	if (cursor_skip_nocase(&p->c, S("e"))) {
		integer = false;
		if (!cursor_skip_byte(&p->c, '+'))
			(void)cursor_skip_byte(&p->c, '-');
		if (cursor_take_while(&p->c, ascii_is_digit).len == 0)
			return fail(p, -EBADMSG, "no digits behind \"e\"");
	}
	return integer;
}

/* to_int - a signed integer, if it fits; "-0" is for to_double */
static bool
to_int(struct slice s, int64_t *ret_value)
{
	bool		negative = s.data[0] == '-';
	uint64_t	value;

	if (slice_to_u64(slice_from(s, negative),
	    (uint64_t)INT64_MAX + negative, &value) < 0)
		return false;
	if (negative && value == 0)
		return false;
	*ret_value = (int64_t)(negative ? -value : value);
	return true;
}

/* parse_number - an integer, or the nearest double; its buffer must not end
 * up in a frame of the recursion */
__attribute__((noinline)) static int
parse_number(struct parser *p, struct json *v)
{
	struct cursor	start = p->c;
	struct slice	s;
	char		text[NUMBER_MAX + 1];
	int		r;

	if ((r = scan_number(p)) < 0)
		return r;
	s = cursor_since(&p->c, &start);
	if (r == 1 && to_int(s, &v->u.i)) {
		v->type = JSON_INT;
		return 0;
	}
	if (s.len > NUMBER_MAX)
		return fail(p, -ERANGE, "a number that is too long");
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	v->type = JSON_DOUBLE;
	v->u.d = strtod_l(text, NULL, c_locale);
	if (!isfinite(v->u.d))
		return fail(p, -ERANGE, "a number that is too large");
	return 0;
}

/* arrays and objects */

/* skip_space - blanks between values (RFC 8259 2) */
static void
skip_space(struct parser *p)
{
	int	byte = cursor_peek(&p->c);

	while (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') {
		(void)cursor_byte(&p->c);
		byte = cursor_peek(&p->c);
	}
}

/* push - one more item of the innermost level */
static void
push(struct parser *p, const struct json_member *m)
{
	if (p->stack_count == p->stack_room) {
		p->stack_room = size_max(32, p->stack_room * 2);
		p->stack = xreallocarray(p->stack, p->stack_room,
		    sizeof(*p->stack));
	}
	p->stack[p->stack_count++] = *m;
}

/* parse_items - the inside of an array */
static int
parse_items(struct parser *p)
{
	struct json_member	m = { 0 };
	int			r;

	skip_space(p);
	if (cursor_skip_byte(&p->c, ']'))
		return 0;
	do {
		if ((r = parse_value(p, &m.value)) < 0)
			return r;
		push(p, &m);
		skip_space(p);
	} while (cursor_skip_byte(&p->c, ','));
	if (!cursor_skip_byte(&p->c, ']'))
		return fail(p, -EBADMSG, "\",\" or \"]\" expected");
	return 0;
}

/* parse_member - key ":" value */
static int
parse_member(struct parser *p, struct json_member *m)
{
	int	r;

	skip_space(p);
	if (!cursor_skip_byte(&p->c, '"'))
		return fail(p, -EBADMSG, "a key in quotes expected");
	if ((r = parse_string(p, &m->key)) < 0)
		return r;
	skip_space(p);
	if (!cursor_skip_byte(&p->c, ':'))
		return fail(p, -EBADMSG, "\":\" expected");
	return parse_value(p, &m->value);
}

/* parse_members - the inside of an object */
static int
parse_members(struct parser *p)
{
	struct json_member	m = { 0 };
	int			r;

	skip_space(p);
	if (cursor_skip_byte(&p->c, '}'))
		return 0;
	do {
		if ((r = parse_member(p, &m)) < 0)
			return r;
		push(p, &m);
		skip_space(p);
	} while (cursor_skip_byte(&p->c, ','));
	if (!cursor_skip_byte(&p->c, '}'))
		return fail(p, -EBADMSG, "\",\" or \"}\" expected");
	return 0;
}

/* compare_members - by the keys that two indices stand for */
static int
compare_members(const void *a, const void *b, void *members)
{
	const struct json_member	*m = members;
	const uint32_t			*x = a, *y = b;

	return slice_compare(m[*x].key, m[*y].key);
}

/* sort_members - the order of an object's members by key; most have few, and
 * those often come in order */
static void
sort_members(struct json_member *m, uint32_t *order, uint32_t count)
{
	uint32_t	at;

	if (count > FEW_MEMBERS) {
		for (uint32_t i = 0; i < count; i++)
			order[i] = i;
		qsort_r(order, count, sizeof(*order), compare_members, m);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		for (at = i; at > 0; at--) {
			if (slice_compare(m[order[at - 1]].key, m[i].key) <= 0)
				break;
			order[at] = order[at - 1];
		}
		order[at] = i;
	}
}

/* index_members - put an object's members in order; duplicates are refused */
static int
index_members(struct parser *p, struct json_member *m, uint32_t count)
{
	uint32_t	few[FEW_MEMBERS], *order = few;
	int		r = 0;

	if (count > FEW_MEMBERS)
		order = xreallocarray(NULL, count, sizeof(*order));
	sort_members(m, order, count);
	for (uint32_t i = 0; i < count && r == 0; i++) {
		m[i].sorted = order[i];
		if (i > 0 && slice_equal(m[order[i - 1]].key, m[order[i]].key))
			r = fail(p, -EBADMSG, "an object with a key twice");
	}
	if (order != few)
		free(order);
	return r;
}

/* close_array - move the items of the innermost level to the arena */
static void
close_array(struct parser *p, size_t base, struct json *v)
{
	struct json *items;

	v->type = JSON_ARRAY;
	v->count = (uint32_t)(p->stack_count - base);
	items = ARENA_ARRAY(p->arena, struct json, v->count);
	for (uint32_t i = 0; i < v->count; i++)
		items[i] = p->stack[base + i].value;
	v->u.items = items;
}

/* close_object - the same for members */
static int
close_object(struct parser *p, size_t base, struct json *v)
{
	struct json_member *members;

	v->type = JSON_OBJECT;
	v->count = (uint32_t)(p->stack_count - base);
	members = ARENA_ARRAY(p->arena, struct json_member, v->count);
	if (v->count > 0)
		memcpy(members, &p->stack[base], v->count * sizeof(*members));
	v->u.members = members;
	return index_members(p, members, v->count);
}

/* parse_level - an array or object whose first byte is taken */
static int
parse_level(struct parser *p, bool object, struct json *v)
{
	size_t	base = p->stack_count;
	int	r;

	if (p->depth == JSON_DEPTH_MAX)
		return fail(p, -EMSGSIZE, "nested too deep");
	p->depth++;
	if (object) {
		if ((r = parse_members(p)) == 0)
			r = close_object(p, base, v);
	} else if ((r = parse_items(p)) == 0) {
		close_array(p, base, v);
	}
	p->depth--;
	p->stack_count = base;
	return r;
}

/* parse_word - null, true or false */
static int
parse_word(struct parser *p, struct json *v)
{
	if (cursor_skip(&p->c, S("null")))
		return 0;
	v->u.b = cursor_skip(&p->c, S("true"));
	if (!v->u.b && !cursor_skip(&p->c, S("false")))
		return fail(p, -EBADMSG, "a value expected");
	v->type = JSON_BOOL;
	return 0;
}

/* parse_value - any value, with the blanks before it */
static int
parse_value(struct parser *p, struct json *v)
{
	*v = (struct json){ .type = JSON_NULL };
	skip_space(p);
	switch (cursor_peek(&p->c)) {
	case '{':
	case '[':
		return parse_level(p, cursor_byte(&p->c) == '{', v);
	case '"':
		(void)cursor_byte(&p->c);
		v->type = JSON_STRING;
		return parse_string(p, &v->u.s);
	case 'n':
	case 't':
	case 'f':
		return parse_word(p, v);
	default:
		return parse_number(p, v);
	}
}

/* json_parse - a whole text as a tree */
int
json_parse(struct arena *a, struct slice text, const struct json **ret_json,
    struct diag *diag)
{
	struct parser	p = { .arena = a, .text = text, .c = cursor_over(text),
			    .diag = diag, .scratch = BUF_INIT_MAX(TEXT_MAX) };
	struct json	*v = ARENA_NEW(a, struct json);
	int		r;

	if (text.len > TEXT_MAX)
		return fail(&p, -EMSGSIZE, "a text that is too long");
	if ((r = parse_value(&p, v)) < 0)
		goto out;
	skip_space(&p);
	if (!cursor_at_end(&p.c)) {
		r = fail(&p, -EBADMSG, "more text behind the value");
		goto out;
	}
	*ret_json = v;
out:
	free(p.stack);
	buf_free(&p.scratch);
	return r;
}
