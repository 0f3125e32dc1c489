/* SPDX-License-Identifier: ISC */
/*
 * Recursive descent over text: a value may hold names, a branch may hold
 * anything. Depth bounds the stack, steps bound the time that a handful of
 * values which name each other twice could take.
 */
#include "libutil/macro.h"

#include <assert.h>

#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"
#include "libutil/number.h"

/* is_name_byte - may it stand in a name without braces? */
static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

/* is_space - what may stand between the parts of an expression */
static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_space(struct cursor *c)
{
	(void)cursor_take_while(c, is_space);
}

/* take_group - the inside of the "{...}" or "(...)" that comes next */
static int
take_group(struct macro *m, struct cursor *c, struct slice *ret_inside)
{
	struct cursor	start;
	int		open = cursor_byte(c), byte;
	int		close = open == '(' ? ')' : '}';
	size_t		depth = 1;

	assert(open == '{' || open == '(');
	start = *c;
	while ((byte = cursor_byte(c)) >= 0) {
		if (byte == open)
			depth++;
		if (byte == close && --depth == 0) {
			struct slice s = cursor_since(c, &start);

			*ret_inside = slice_sub(s, 0, s.len - 1);
			return 0;
		}
	}
	return diag_set(m->diag, 0, 0, "\"%c\" without its \"%c\"", open,
	    close);
}

/* take_braced - a "{text}": blanks before it, after it, and at the beginning
 * of the text are dropped; those at its end count, as in Postfix */
static int
take_braced(struct macro *m, struct cursor *c, struct slice *ret_text)
{
	struct cursor	inside;
	struct slice	text;
	int		r;

	skip_space(c);
	if (cursor_peek(c) != '{')
		return diag_set(m->diag, 0, 0, "\"{\" expected before \"%.*s\"",
		    SLICE_ARG(slice_sub(cursor_rest(c), 0, 40)));
	if ((r = take_group(m, c, &text)) < 0)
		return r;
	inside = cursor_over(text);
	skip_space(&inside);
	*ret_text = cursor_rest(&inside);
	skip_space(c);
	return 0;
}

/* expect_end - nothing may follow in the expression */
static int
expect_end(struct macro *m, struct cursor *c)
{
	skip_space(c);
	if (cursor_at_end(c))
		return 0;
	return diag_set(m->diag, 0, 0, "\"%.*s\" is too much in ${...}",
	    SLICE_ARG(slice_sub(cursor_rest(c), 0, 40)));
}

/* put_value - what a name stands for */
static int
put_value(struct macro *m, struct slice name, struct buf *out)
{
	int	r;

	if ((r = m->value(m, name, out)) < 0)
		return r;
	if (buf_check(out) < 0 || out->len > MACRO_TEXT_MAX)
		return diag_set(m->diag, 0, 0, "longer than %zu bytes",
		    MACRO_TEXT_MAX);
	return 0;
}

/* put_branches - one of two texts; both, when scanning */
static int
put_branches(struct macro *m, bool first, struct slice yes, struct slice no,
    struct buf *out)
{
	int	r;

	if ((first || m->scan) && (r = macro_expand(m, yes, out)) < 0)
		return r;
	if (!first || m->scan)
		return macro_expand(m, no, out);
	return 0;
}

/* take_branches - what follows a "?" or ":": "{text}", "{text}:{text}", or
 * a text without braces, which then is all there is */
static int
take_branches(struct macro *m, struct cursor *c, bool may_have_two,
    struct slice *ret_first, struct slice *ret_second)
{
	int	r;

	*ret_second = SLICE_EMPTY;
	skip_space(c);
	if (cursor_peek(c) != '{') {
		*ret_first = cursor_rest(c);
		return 0;
	}
	if ((r = take_braced(m, c, ret_first)) < 0)
		return r;
	if (!may_have_two || !cursor_skip_byte(c, ':'))
		return expect_end(m, c);
	skip_space(c);
	if (cursor_peek(c) != '{') {
		*ret_second = cursor_rest(c);
		return 0;
	}
	if ((r = take_braced(m, c, ret_second)) < 0)
		return r;
	return expect_end(m, c);
}

/* is_set - has the name a value that is not empty? */
static int
is_set(struct macro *m, struct slice name, bool *ret_is_set)
{
	struct buf	value = BUF_INIT_MAX(MACRO_TEXT_MAX);
	int		r = 0;

	if (m->is_set != NULL)
		*ret_is_set = m->is_set(m, name);
	else if ((r = put_value(m, name, &value)) == 0)
		*ret_is_set = value.len > 0;
	buf_free(&value);
	return r;
}

/* put_conditional - ${name?...} and ${name:...}, the cursor behind the name */
static int
put_conditional(struct macro *m, struct slice name, struct cursor *c,
    struct buf *out)
{
	bool		if_set = cursor_byte(c) == '?', set = false;
	struct slice	first, second;
	int		r;

	if ((r = take_branches(m, c, if_set, &first, &second)) < 0 ||
	    (r = is_set(m, name, &set)) < 0)
		return r;
	return put_branches(m, set == if_set, first, second, out);
}

/* comparisons */

/* is_number - digits alone? */
static bool
is_number(struct slice s)
{
	struct cursor	c = cursor_over(s);

	(void)cursor_take_while(&c, ascii_is_digit);
	return s.len > 0 && cursor_at_end(&c);
}

/* order_numbers - compare digits of any length */
static int
order_numbers(struct slice a, struct slice b)
{
	while (a.len > 1 && a.data[0] == '0')
		a = slice_from(a, 1);
	while (b.len > 1 && b.data[0] == '0')
		b = slice_from(b, 1);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return slice_compare(a, b);
}

/* order_levels - compare dotted versions */
static int
order_levels(struct macro *m, struct slice a, struct slice b, int *ret_order)
{
	uint32_t	x, y;

	if (number_parse_level(a, &x) < 0)
		return diag_set(m->diag, 0, 0,
		    "\"%.*s\" is not a level such as 3.6", SLICE_ARG(a));
	if (number_parse_level(b, &y) < 0)
		return diag_set(m->diag, 0, 0,
		    "\"%.*s\" is not a level such as 3.6", SLICE_ARG(b));
	*ret_order = x < y ? -1 : x > y;
	return 0;
}

/* what an operator says of "less", "equal" and "greater" */
static const struct {
	struct slice	text;
	bool		holds[3];
} operators[] = {			/* the longer ones first */
	{ S_INIT("=="), { false, true, false } },
	{ S_INIT("!="), { true, false, true } },
	{ S_INIT("<="), { true, true, false } },
	{ S_INIT(">="), { false, true, true } },
	{ S_INIT("<"), { true, false, false } },
	{ S_INIT(">"), { false, false, true } },
};

/* take_operator - its row */
static int
take_operator(struct macro *m, struct cursor *c, size_t *ret_row,
    bool *ret_is_level)
{
	for (size_t i = 0; i < COUNT(operators); i++)
		if (cursor_skip(c, operators[i].text)) {
			*ret_is_level = cursor_skip(c, S("level"));
			*ret_row = i;
			return 0;
		}
	return diag_set(m->diag, 0, 0,
	    "==, !=, <, <=, > or >= expected before \"%.*s\"",
	    SLICE_ARG(slice_sub(cursor_rest(c), 0, 40)));
}

/* compare - the order of two expanded texts */
static int
compare(struct macro *m, struct slice a, struct slice b, bool as_levels,
    int *ret_order)
{
	if (m->scan)
		*ret_order = 0;		/* the values are not there */
	else if (as_levels)
		return order_levels(m, a, b, ret_order);
	else if (is_number(a) && is_number(b))
		*ret_order = order_numbers(a, b);
	else
		*ret_order = slice_compare(a, b);
	return 0;
}

/* evaluate - does the comparison hold? */
static int
evaluate(struct macro *m, struct cursor *c, bool *ret_holds)
{
	struct buf	left = BUF_INIT_MAX(MACRO_TEXT_MAX);
	struct buf	right = BUF_INIT_MAX(MACRO_TEXT_MAX);
	struct slice	a, b;
	size_t		row = 0;
	bool		as_levels = false;
	int		order = 0, r;

	if ((r = take_braced(m, c, &a)) < 0 ||
	    (r = take_operator(m, c, &row, &as_levels)) < 0 ||
	    (r = take_braced(m, c, &b)) < 0 ||
	    (r = macro_expand(m, a, &left)) < 0 ||
	    (r = macro_expand(m, b, &right)) < 0 ||
	    (r = compare(m, buf_slice(&left), buf_slice(&right), as_levels,
	    &order)) < 0)
		goto out;
	*ret_holds = operators[row].holds[order < 0 ? 0 : order == 0 ? 1 : 2];
out:
	buf_free(&left);
	buf_free(&right);
	return r;
}

/* put_comparison - ${{x} == {y} ? {text}:{text}}; without branches it gives
 * "true" or nothing */
static int
put_comparison(struct macro *m, struct cursor *c, struct buf *out)
{
	struct slice	yes = S("true"), no = SLICE_EMPTY;
	bool		holds;
	int		r;

	if ((r = evaluate(m, c, &holds)) < 0)
		return r;
	if (cursor_skip_byte(c, '?'))
		r = take_branches(m, c, true, &yes, &no);
	else
		r = expect_end(m, c);
	if (r < 0)
		return r;
	return put_branches(m, holds, yes, no, out);
}

/* the text */

/* put_braced - what stands in ${...} or $(...) */
static int
put_braced(struct macro *m, struct slice inside, struct buf *out)
{
	struct cursor	c = cursor_over(inside);
	struct slice	name;

	skip_space(&c);
	if (cursor_peek(&c) == '{')
		return put_comparison(m, &c, out);
	name = cursor_take_while(&c, is_name_byte);
	if (name.len == 0)
		return diag_set(m->diag, 0, 0, "no name in \"${%.*s}\"",
		    SLICE_ARG(slice_sub(inside, 0, 40)));
	if (cursor_peek(&c) == '{')
		return diag_set(m->diag, 0, 0,
		    "${%.*s{...}}: there is no such function", SLICE_ARG(name));
	skip_space(&c);
	if (cursor_peek(&c) == '?' || cursor_peek(&c) == ':')
		return put_conditional(m, name, &c, out);
	if (!cursor_at_end(&c))
		return expect_end(m, &c);
	return put_value(m, name, out);
}

/* put_macro - what comes after a "$" */
static int
put_macro(struct macro *m, struct cursor *c, struct buf *out)
{
	struct slice	inside, name;
	int		r;

	if (++m->steps > MACRO_STEPS_MAX)
		return diag_set(m->diag, 0, 0, "too many \"$\" in one value");
	if (cursor_skip_byte(c, '$')) {
		buf_add_byte(out, '$');
		return 0;
	}
	if (cursor_peek(c) == '{' || cursor_peek(c) == '(') {
		if ((r = take_group(m, c, &inside)) < 0)
			return r;
		return put_braced(m, inside, out);
	}
	name = cursor_take_while(c, is_name_byte);
	if (name.len == 0)
		return diag_set(m->diag, 0, 0,
		    "\"$\" needs a name behind it (write $$ for a dollar)");
	return put_value(m, name, out);
}

/* macro_expand - a text with everything put in */
int
macro_expand(struct macro *m, struct slice text, struct buf *out)
{
	struct cursor	c = cursor_over(text);
	int		r = 0;

	if (m->depth >= MACRO_DEPTH_MAX)
		return diag_set(m->diag, 0, 0, "nested more than %d deep",
		    MACRO_DEPTH_MAX);
	m->depth++;
	do {
		buf_add(out, cursor_take_until(&c, '$'));
	} while (cursor_skip_byte(&c, '$') && (r = put_macro(m, &c, out)) == 0);
	m->depth--;
	if (r == 0 && (buf_check(out) < 0 || out->len > MACRO_TEXT_MAX))
		r = diag_set(m->diag, 0, 0, "longer than %zu bytes",
		    MACRO_TEXT_MAX);
	return r;
}
