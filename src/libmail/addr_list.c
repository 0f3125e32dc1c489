/* SPDX-License-Identifier: ISC */
/*
 * One pass over tokens. The words read so far may be a display name, a local
 * part or a group's name, and which is known only when '<', '@', ':' or the
 * end of the element comes; so the places where they were written are kept,
 * and read a second time once it is known. After "a@b" a '<' may still turn
 * all of it into a display name, as many programs write it.
 *
 * What is read loses quotes, comments and folding, and never grows, so it is
 * written to memory of the length it had; mostly it is fit to be lent as it
 * stands. CFWS is what RFC 5322 3.2.2 calls comments and folding white space.
 */
#include "libmail/addr_list.h"

#include "libmail/addr_bytes.h"
#include "libutil/arena.h"

/* comments in comments; what is deeper counts as this deep */
#define COMMENT_DEPTH_MAX	64

/* the element being read: where its parts stand in the field */
struct element {
	struct cursor	start;
	struct cursor	run_start;	/* the last words joined by dots */
	struct cursor	run_end;
	size_t		runs;		/* how many such runs there were */
	struct slice	comment;	/* the last one, without () */
	struct slice	phrase;
	struct slice	route;
	struct cursor	spec_start;
	struct slice	spec;		/* local@domain */
	struct slice	local;
	struct slice	domain;
	bool		is_null;
	bool		broken;
	bool		unclosed;	/* a quote without its end */
};

/* text without what it does not need; as long as its source at most */
struct plain {
	char	*data;
	size_t	 len;
};

/* is_space - folding white space? */
static bool
is_space(int b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* skip_comment - step over (...), which may lack its end */
static void
skip_comment(struct cursor *c, struct element *e)
{
	struct cursor	inside;
	size_t		depth = 0;
	int		b;

	(void)cursor_byte(c);
	inside = *c;
	while ((b = cursor_peek(c)) >= 0 && (b != ')' || depth > 0)) {
		(void)cursor_byte(c);
		if (b == '\\')
			(void)cursor_byte(c);
		else if (b == '(' && depth < COMMENT_DEPTH_MAX)
			depth++;
		else if (b == ')')
			depth--;
	}
	e->comment = cursor_since(c, &inside);
	(void)cursor_skip_byte(c, ')');
}

/* skip_cfws - step over blanks, line ends and comments */
static void
skip_cfws(struct cursor *c, struct element *e)
{
	int	b;

	while (is_space(b = cursor_peek(c)) || b == '(') {
		if (b == '(')
			skip_comment(c, e);
		else
			(void)cursor_byte(c);
	}
}

/* skip_quoted - step over "..." or [...], which may lack its end */
static void
skip_quoted(struct cursor *c, struct element *e, char end)
{
	int	b;

	(void)cursor_byte(c);
	while ((b = cursor_byte(c)) >= 0 && b != end)
		if (b == '\\')
			(void)cursor_byte(c);
	if (b < 0)
		e->unclosed = true;
}

/* skip_word - step over an atom (with its dots) or a quoted string */
static bool
skip_word(struct cursor *c, struct element *e)
{
	if (cursor_peek(c) == '"') {
		skip_quoted(c, e, '"');
		return true;
	}
	return cursor_take_while(c, addr_is_word_byte).len > 0;
}

/* at_word - does a word come next? */
static bool
at_word(const struct cursor *c)
{
	int	b = cursor_peek(c);

	return b == '"' || (b >= 0 && addr_is_word_byte((char)b));
}

/* skip_run - step over words that dots join, with CFWS around the dots
 * (obs-local-part, obs-domain); the cursor is left behind the CFWS */
static bool
skip_run(struct cursor *c, struct element *e, struct cursor *ret_end)
{
	struct cursor	before;
	bool		dot;

	for (;;) {
		before = *c;
		if (!skip_word(c, e))
			return false;
		*ret_end = *c;
		dot = slice_has_suffix(cursor_since(c, &before), S("."));
		skip_cfws(c, e);
		if (cursor_peek(c) != '.' && !(dot && at_word(c)))
			return true;
	}
}

/* skip_domain - step over '@' and what stands behind it */
static bool
skip_domain(struct cursor *c, struct element *e)
{
	struct cursor	start, end;

	(void)cursor_byte(c);
	skip_cfws(c, e);
	start = *c;
	if (cursor_peek(c) == '[') {
		skip_quoted(c, e, ']');
		end = *c;
		skip_cfws(c, e);
	} else if (cursor_peek(c) == '"' || !skip_run(c, e, &end)) {
		return false;
	}
	e->domain = cursor_since(&end, &start);
	e->spec = cursor_since(&end, &e->spec_start);
	return true;
}

/* skip_rest - step over what is not understood, to the end of the element
 * or, if it may turn out to be a display name, to a '<' */
static void
skip_rest(struct cursor *c, struct element *e, bool to_angle)
{
	int	b;

	for (;;) {
		skip_cfws(c, e);
		b = cursor_peek(c);
		if (b < 0 || b == ',' || b == ';' || (b == '<' && to_angle))
			return;
		if (b == '"' || b == '[')
			skip_quoted(c, e, b == '[' ? ']' : '"');
		else
			(void)cursor_byte(c);
		if (b == '@')
			e->broken = true;	/* two in one: which is it? */
	}
}

/* skip_route - step over "@a,@b:" (RFC 5322 4.4 obs-route) */
static bool
skip_route(struct cursor *c, struct element *e)
{
	struct cursor	start = *c;

	e->spec_start = *c;
	while (cursor_peek(c) == '@') {
		if (!skip_domain(c, e))
			return false;
		while (cursor_skip_byte(c, ','))
			skip_cfws(c, e);
	}
	e->route = cursor_since(c, &start);
	if (!cursor_skip_byte(c, ':'))
		return false;
	skip_cfws(c, e);
	return true;
}

/* skip_angle - step over <...>, whose last > may be missing */
static void
skip_angle(struct cursor *c, struct element *e)
{
	struct cursor	end;

	(void)cursor_byte(c);
	e->local = e->domain = e->spec = SLICE_EMPTY;
	e->broken = true;
	skip_cfws(c, e);
	if (cursor_skip_byte(c, '>')) {
		e->is_null = true;
		e->broken = false;
		return;
	}
	if (cursor_peek(c) == '@' && !skip_route(c, e))
		return;
	e->domain = SLICE_EMPTY;
	e->spec_start = *c;
	if (!skip_run(c, e, &end))
		return;
	e->local = e->spec = cursor_since(&end, &e->spec_start);
	if (cursor_peek(c) == '@' && !skip_domain(c, e))
		return;
	if (cursor_skip_byte(c, '>') || cursor_at_end(c) ||
	    cursor_peek(c) == ',')
		e->broken = false;
}

/* skip_words - step over words; note where the last run of them stands */
static void
skip_words(struct cursor *c, struct element *e)
{
	struct cursor	end;

	for (;;) {
		skip_cfws(c, e);
		e->run_start = *c;
		if (!skip_run(c, e, &end))
			break;
		e->run_end = end;
		e->runs++;
		if (!at_word(c))
			break;		/* that was the last run */
	}
}

/* read_element - find the parts of an element; true if a group begins */
static bool
read_element(struct cursor *c, struct element *e, bool in_group)
{
	skip_words(c, e);
	if (cursor_peek(c) == ':' && e->runs > 0 && !in_group) {
		e->phrase = cursor_since(c, &e->start);
		(void)cursor_byte(c);
		return true;
	}
	if (cursor_peek(c) == '@' && e->runs > 0) {
		if (e->runs > 1)	/* a name, though without <> */
			e->phrase = cursor_since(&e->run_start, &e->start);
		e->spec_start = e->run_start;
		e->local = cursor_since(&e->run_end, &e->run_start);
		e->broken = !skip_domain(c, e);
		skip_rest(c, e, true);
	} else if (e->runs == 1 && (cursor_at_end(c) ||
	    cursor_peek(c) == ',' || cursor_peek(c) == ';')) {
		e->spec_start = e->run_start;
		e->local = e->spec = cursor_since(&e->run_end, &e->run_start);
	} else if (cursor_peek(c) != '<') {
		e->broken = true;
		skip_rest(c, e, true);
	}
	if (cursor_peek(c) == '<') {
		e->phrase = cursor_since(c, &e->start);
		skip_angle(c, e);
	}
	skip_rest(c, e, false);
	return false;
}

/* plain_of - room for what is read from the span */
static struct plain
plain_of(struct slice span, struct arena *a)
{
	return (struct plain){ arena_alloc(a, span.len + 1), 0 };
}

/* put - append a byte; there is room */
static void
put(struct plain *p, int b)
{
	p->data[p->len++] = (char)b;
}

/* put_quoted - what stands in "..." or [...], with its backslashes resolved */
static void
put_quoted(struct plain *p, struct cursor *c, char end)
{
	int	b;

	(void)cursor_byte(c);
	while ((b = cursor_byte(c)) >= 0 && b != end) {
		if (b == '\\')
			b = cursor_byte(c);
		if (b >= 0 && b != '\r' && b != '\n' && b != '\0')
			put(p, b);
	}
}

/* is_plain - can the span be lent as it is? One blank between words is. */
static bool
is_plain(struct slice span)
{
	bool	blank = false;

	for (size_t i = 0; i < span.len; i++) {
		if (!addr_is_word_byte(span.data[i]) &&
		    (span.data[i] != ' ' || blank))
			return false;
		blank = span.data[i] == ' ';
	}
	return true;
}

/* read_phrase - words with one blank where there was CFWS; what cannot stand
 * in a phrase is taken as it is */
static struct slice
read_phrase(struct slice span, struct arena *a)
{
	struct cursor	c;
	struct element	scratch = { .runs = 0 };
	struct plain	p;
	int		b;

	span = slice_trim(span);
	if (is_plain(span))
		return span;
	c = cursor_over(span);
	p = plain_of(span, a);
	while ((b = cursor_peek(&c)) >= 0) {
		if (is_space(b) || b == '(') {
			skip_cfws(&c, &scratch);
			put(&p, ' ');
		} else if (b == '"') {
			put_quoted(&p, &c, '"');
		} else {
			(void)cursor_byte(&c);
			if (b >= ' ')
				put(&p, b);
		}
	}
	return slice_trim(slice_over(p.data, p.len));
}

/* read_comment - the text of a comment */
static struct slice
read_comment(struct slice inside, struct arena *a)
{
	struct cursor	c = cursor_over(inside);
	struct plain	p = plain_of(inside, a);
	int		b;

	while ((b = cursor_byte(&c)) >= 0) {
		if (b == '\\')
			b = cursor_byte(&c);
		if (b >= 0 && b != '\r' && b != '\n' && b != '\0')
			put(&p, b);
	}
	return slice_trim(slice_over(p.data, p.len));
}

/* read_run - words, dots and literals without CFWS */
static struct slice
read_run(struct slice span, struct arena *a)
{
	struct cursor	c = cursor_over(span);
	struct element	scratch = { .runs = 0 };
	struct plain	p;
	int		b;

	if (cursor_take_while(&c, addr_is_word_byte).len == span.len)
		return span;
	c = cursor_over(span);
	p = plain_of(span, a);
	while (skip_cfws(&c, &scratch), (b = cursor_peek(&c)) >= 0) {
		if (b == '"') {
			put_quoted(&p, &c, '"');
		} else if (b == '[') {
			put(&p, '[');
			put_quoted(&p, &c, ']');
			put(&p, ']');
		} else {
			(void)cursor_byte(&c);
			if (b >= ' ')
				put(&p, b);
		}
	}
	return slice_over(p.data, p.len);
}

/* offset_of - where in the field the cursor stood */
static size_t
offset_of(struct slice field, const struct cursor *at)
{
	return field.len - cursor_left(at);
}

/* fill - what was found, read */
static void
fill(struct addr_item *item, const struct element *e, struct slice field,
    struct arena *a)
{
	item->raw_at = offset_of(field, &e->start);
	item->valid = !e->broken && !e->unclosed;
	if (!item->valid) {
		item->name = read_phrase(item->raw, a);
		return;
	}
	item->is_null = e->is_null;
	item->spec = e->spec;
	item->spec_at = e->is_null ? 0 : offset_of(field, &e->spec_start);
	item->name = read_phrase(e->phrase, a);
	if (item->name.len == 0)
		item->name = read_comment(e->comment, a);
	item->route = read_run(e->route, a);
	item->local = read_run(e->local, a);
	item->domain = read_run(e->domain, a);
}

/* skip_separators - step over commas and CFWS; true at the end of a group */
static bool
skip_separators(struct addr_list *l, struct element *e)
{
	for (;;) {
		e->comment = SLICE_EMPTY;
		skip_cfws(&l->at, e);
		if (cursor_at_end(&l->at) || cursor_peek(&l->at) == ';') {
			(void)cursor_skip_byte(&l->at, ';');
			if (l->in_group)
				return true;
			if (cursor_at_end(&l->at))
				return false;
		} else if (!cursor_skip_byte(&l->at, ',')) {
			return false;
		}
	}
}

/* addr_list_next - the next mailbox, or the begin or end of a group */
bool
addr_list_next(struct addr_list *l, struct arena *a,
    struct addr_item *ret_item)
{
	struct element		e = { .runs = 0 };
	struct addr_item	item = { .kind = ADDR_ITEM_MAILBOX };

	if (skip_separators(l, &e)) {
		l->in_group = false;
		*ret_item = (struct addr_item){ .kind = ADDR_ITEM_GROUP_END };
		return true;
	}
	if (cursor_at_end(&l->at))
		return false;

	e.start = l->at;
	if (read_element(&l->at, &e, l->in_group)) {
		l->in_group = true;
		item.kind = ADDR_ITEM_GROUP_BEGIN;
		item.valid = true;
		item.raw = cursor_since(&l->at, &e.start);
		item.raw_at = offset_of(l->field, &e.start);
		item.name = read_phrase(e.phrase, a);
	} else {
		item.raw = slice_trim(cursor_since(&l->at, &e.start));
		fill(&item, &e, l->field, a);
	}
	*ret_item = item;
	return true;
}
