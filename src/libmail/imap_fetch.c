/* SPDX-License-Identifier: ISC */
/* Items of one word are a table; BODY[...] is the one with a grammar. */
#include "libmail/imap_fetch.h"

#include "libmail/imap_format.h"

static const struct {
	struct slice	name;
	bool		sets_seen;
} words[] = {
#define FETCH_ITEM(id, name, sets_seen) { S_INIT(name), sets_seen },
#include "libmail/imap_fetch.def"
};

static const struct {
	struct slice	name;
	enum imap_section_text text;
} section_texts[] = {
	{ S_INIT("HEADER.FIELDS.NOT"),	IMAP_SECTION_FIELDS_NOT },
	{ S_INIT("HEADER.FIELDS"),	IMAP_SECTION_FIELDS },
	{ S_INIT("HEADER"),		IMAP_SECTION_HEADER },
	{ S_INIT("TEXT"),		IMAP_SECTION_TEXT },
	{ S_INIT("MIME"),		IMAP_SECTION_MIME },
};

/* lex_field_names - the list of HEADER.FIELDS */
static int
lex_field_names(struct imap_lex *l, struct imap_section *s)
{
	static const char what[] = "header field list";
	int	r;

	s->fields = ARENA_ARRAY(l->arena, struct slice, IMAP_HEADER_FIELDS_MAX);
	if ((r = imap_lex_space(l)) < 0 || (r = imap_lex_open(l, what)) < 0)
		return r;
	do {
		if (s->field_count == IMAP_HEADER_FIELDS_MAX)
			return imap_lex_fail(l, "more than %d header fields",
			    IMAP_HEADER_FIELDS_MAX);
		if ((r = imap_lex_astring(l, what,
		    &s->fields[s->field_count])) < 0)
			return r;
		s->field_count++;
	} while (cursor_skip_byte(&l->c, ' '));
	return imap_lex_close(l, what);
}

/* lex_parts - "1.2.3" and a dot behind it, if there is one */
static int
lex_parts(struct imap_lex *l, struct imap_section *s, bool *ret_dot)
{
	uint64_t	n;
	int		r;

	*ret_dot = false;
	while (cursor_peek(&l->c) >= '0' && cursor_peek(&l->c) <= '9') {
		if (s->part_count == IMAP_PART_DEPTH_MAX)
			return imap_lex_fail(l, "body part: more than %d "
			    "numbers", IMAP_PART_DEPTH_MAX);
		if ((r = imap_lex_number(l, "body part", UINT32_MAX, &n)) < 0)
			return r;
		if (n == 0)
			return imap_lex_fail(l, "body parts are numbered "
			    "from 1");
		s->parts[s->part_count++] = (uint32_t)n;
		*ret_dot = cursor_skip_byte(&l->c, '.');
		if (!*ret_dot)
			break;
	}
	return 0;
}

/* lex_section - what stands in the brackets, and the closing one */
static int
lex_section(struct imap_lex *l, struct imap_section *s)
{
	bool		dot;
	struct slice	word;
	int		r;

	if ((r = lex_parts(l, s, &dot)) < 0)
		return r;
	word = imap_lex_word(l);
	for (size_t i = 0; word.len > 0 && i < COUNT(section_texts); i++) {
		if (!slice_equal_nocase(word, section_texts[i].name))
			continue;
		s->text = section_texts[i].text;
		if (s->part_count > 0 && !dot)
			break;
		if (s->text == IMAP_SECTION_MIME && s->part_count == 0)
			return imap_lex_fail(l, "MIME needs a body part "
			    "before it");
		if ((s->text == IMAP_SECTION_FIELDS ||
		    s->text == IMAP_SECTION_FIELDS_NOT) &&
		    (r = lex_field_names(l, s)) < 0)
			return r;
		dot = false;
		word.len = 0;
	}
	if (word.len > 0)
		return imap_lex_fail(l, "there is no body section \"%s\"",
		    imap_echo(l->arena, word));
	if (dot || !cursor_skip_byte(&l->c, ']'))
		return imap_lex_fail(l, "body section: unexpected %s",
		    imap_lex_next(l));
	return 0;
}

/* lex_partial - "<0.2048>" if it comes */
static int
lex_partial(struct imap_lex *l, struct imap_fetch_item *item)
{
	int	r;

	if (!cursor_skip_byte(&l->c, '<'))
		return 0;
	if ((r = imap_lex_number(l, "partial fetch", INT64_MAX,
	    &item->offset)) < 0)
		return r;
	if (!cursor_skip_byte(&l->c, '.'))
		return imap_lex_fail(l, "partial fetch: no length before %s",
		    imap_lex_next(l));
	if ((r = imap_lex_number(l, "partial fetch", INT64_MAX,
	    &item->length)) < 0)
		return r;
	if (item->length == 0)
		return imap_lex_fail(l, "partial fetch: the length is 0");
	if (!cursor_skip_byte(&l->c, '>'))
		return imap_lex_fail(l, "partial fetch: no \">\" before %s",
		    imap_lex_next(l));
	item->partial = true;
	return 0;
}

/* lex_item - one item whose word was taken already */
static int
lex_item(struct imap_lex *l, struct slice word, struct imap_fetch_item *item)
{
	int	r;

	if (cursor_skip_byte(&l->c, '[')) {
		item->kind = IMAP_FETCH_SECTION;
		item->sets_seen = slice_equal_nocase(word, S("BODY"));
		if (!item->sets_seen &&
		    !slice_equal_nocase(word, S("BODY.PEEK")))
			return imap_lex_fail(l, "there is no data item "
			    "\"%s[\"", imap_echo(l->arena, word));
		item->section = ARENA_NEW(l->arena, struct imap_section);
		if ((r = lex_section(l, item->section)) < 0)
			return r;
		return lex_partial(l, item);
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!slice_equal_nocase(word, words[i].name))
			continue;
		item->kind = (enum imap_fetch_kind)i;
		item->sets_seen = words[i].sets_seen;
		return 0;
	}
	if (word.len == 0)
		return imap_lex_fail(l, "expected a data item instead of %s",
		    imap_lex_next(l));
	return imap_lex_fail(l, "there is no data item \"%s\"",
	    imap_echo(l->arena, word));
}

/* take_macro - ALL, FAST, FULL; false if the word is none */
static bool
take_macro(struct slice word, struct imap_fetch *f)
{
	static const enum imap_fetch_kind kinds[] = { IMAP_FETCH_FLAGS,
		IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE,
		IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY };

	f->count = slice_equal_nocase(word, S("FAST")) ? 3 :
	    slice_equal_nocase(word, S("ALL")) ? 4 :
	    slice_equal_nocase(word, S("FULL")) ? 5 : 0;
	for (size_t i = 0; i < f->count; i++)
		f->items[i].kind = kinds[i];
	return f->count > 0;
}

/* lex_items - the inside of a list */
static int
lex_items(struct imap_lex *l, struct imap_fetch *f)
{
	int	r;

	do {
		if (f->count == IMAP_FETCH_ITEMS_MAX)
			return imap_lex_fail(l, "more than %d data items",
			    IMAP_FETCH_ITEMS_MAX);
		if ((r = lex_item(l, imap_lex_word(l),
		    &f->items[f->count])) < 0)
			return r;
		f->count++;
	} while (cursor_skip_byte(&l->c, ' '));
	return imap_lex_close(l, "data items");
}

/* imap_lex_fetch - an item, a macro or a list */
int
imap_lex_fetch(struct imap_lex *l, struct imap_fetch *ret_fetch)
{
	bool		is_list = cursor_skip_byte(&l->c, '(');
	struct imap_fetch f = { ARENA_ARRAY(l->arena, struct imap_fetch_item,
	    IMAP_FETCH_ITEMS_MAX), 0 };
	struct slice	word;
	int		r = 0;

	if (is_list) {
		r = lex_items(l, &f);
	} else {
		word = imap_lex_word(l);
		if (!take_macro(word, &f)) {
			r = lex_item(l, word, &f.items[0]);
			f.count = 1;
		}
	}
	if (r < 0)
		return r;
	*ret_fetch = f;
	return 0;
}

/* format_section - the inside of the brackets */
static void
format_section(struct buf *out, const struct imap_section *s)
{
	for (size_t i = 0; i < s->part_count; i++)
		buf_addf(out, i == 0 ? "%u" : ".%u", s->parts[i]);
	for (size_t i = 0; i < COUNT(section_texts); i++) {
		if (section_texts[i].text != s->text)
			continue;
		if (s->part_count > 0)
			buf_add_byte(out, '.');
		buf_add(out, section_texts[i].name);
	}
	for (size_t i = 0; i < s->field_count; i++) {
		buf_add(out, i == 0 ? S(" (") : S(" "));
		imap_format_astring(out, s->fields[i]);
	}
	if (s->field_count > 0)
		buf_add_byte(out, ')');
}

/* imap_format_fetch_item - its name in the reply */
void
imap_format_fetch_item(struct buf *out, const struct imap_fetch_item *item)
{
	if (item->kind != IMAP_FETCH_SECTION) {
		buf_add(out, words[item->kind].name);
		return;
	}
	buf_add(out, S("BODY["));
	format_section(out, item->section);
	buf_add_byte(out, ']');
	if (item->partial)
		buf_addf(out, "<%llu>", (unsigned long long)item->offset);
}
