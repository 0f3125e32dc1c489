/* SPDX-License-Identifier: ISC */
/*
 * Recursive descent with a depth that every level passes on. Keys that take
 * an argument are read by the kind that the table names.
 */
#include "libmail/imap_search.h"

#include "libmail/imap_date.h"
#include "libmail/imap_flags.h"
#include "libutil/utf8.h"

enum argument {
	ARG_NONE, ARG_TEXT, ARG_FIELD, ARG_DAY, ARG_SIZE, ARG_SET,
	ARG_KEYWORD, ARG_SECONDS, ARG_ONE, ARG_TWO,
};

static const struct {
	struct slice	name;
	enum argument	argument;
} keys[] = {
#define SEARCH_KEY(id, name, argument) { S_INIT(name), ARG_##argument },
#include "libmail/imap_search.def"
};

static const struct {
	struct slice	name;
	uint32_t	bit;
} return_options[] = {
	{ S_INIT("MIN"),	IMAP_RETURN_MIN },
	{ S_INIT("MAX"),	IMAP_RETURN_MAX },
	{ S_INIT("ALL"),	IMAP_RETURN_ALL },
	{ S_INIT("COUNT"),	IMAP_RETURN_COUNT },
};

struct program {
	struct imap_lex	*l;
	size_t		 key_count;
};

static int	lex_key(struct program *p, unsigned depth,
		    struct imap_search_key *key);

/* lex_text - a text to look for; 8-bit text is UTF-8 whatever was declared */
static int
lex_text(struct imap_lex *l, struct slice *ret_text)
{
	struct slice	text;
	int		r;

	if ((r = imap_lex_astring(l, "search text", &text)) < 0)
		return r;
	if (text.len > IMAP_SEARCH_TEXT_MAX)
		return imap_lex_fail(l, "search text of more than %d bytes",
		    IMAP_SEARCH_TEXT_MAX);
	*ret_text = text;
	return 0;
}

/* lex_child - a key below another one */
static int
lex_child(struct program *p, unsigned depth, struct imap_search_key **ret_key)
{
	struct imap_search_key *key;
	int	r;

	if (depth > IMAP_SEARCH_DEPTH_MAX)
		return imap_lex_fail(p->l, "search keys nested more than %d "
		    "levels deep", IMAP_SEARCH_DEPTH_MAX);
	if (++p->key_count > IMAP_SEARCH_KEYS_MAX)
		return imap_lex_fail(p->l, "more than %d search keys",
		    IMAP_SEARCH_KEYS_MAX);
	key = ARENA_NEW(p->l->arena, struct imap_search_key);
	if ((r = lex_key(p, depth, key)) < 0)
		return r;
	*ret_key = key;
	return 0;
}

/* lex_keys - keys with one space between, under a parent */
static int
lex_keys(struct program *p, unsigned depth, struct imap_search_key *parent)
{
	struct imap_search_key **link = &parent->child;
	int	r;

	do {
		if ((r = lex_child(p, depth, link)) < 0)
			return r;
		link = &(*link)->next;
	} while (cursor_skip_byte(&p->l->c, ' '));
	return 0;
}

/* lex_number_key - a size or a span of time */
static int
lex_number_key(struct imap_lex *l, enum argument argument,
    struct imap_search_key *key)
{
	int	r;

	if ((r = imap_lex_number(l, "search key", INT64_MAX,
	    &key->number)) < 0)
		return r;
	if (argument == ARG_SECONDS && key->number == 0)
		return imap_lex_fail(l, "the interval is 0 seconds");
	return 0;
}

/* lex_keyword - a keyword flag */
static int
lex_keyword(struct imap_lex *l, struct imap_search_key *key)
{
	int	r = imap_lex_atom(l, "keyword", &key->text);

	if (r == 0 && key->text.len > IMAP_KEYWORD_MAX)
		return imap_lex_fail(l, "keyword \"%s\" is too long",
		    imap_echo(l->arena, key->text));
	return r;
}

/* lex_argument - what follows a key, behind its space */
static int
lex_argument(struct program *p, unsigned depth, enum argument argument,
    struct imap_search_key *key)
{
	struct imap_lex	*l = p->l;
	int		r;

	switch (argument) {
	case ARG_FIELD:
		if ((r = imap_lex_astring(l, "header field name",
		    &key->field)) < 0 || (r = imap_lex_space(l)) < 0)
			return r;
		return lex_text(l, &key->text);
	case ARG_TEXT:
		return lex_text(l, &key->text);
	case ARG_DAY:
		return imap_lex_day(l, &key->day);
	case ARG_SIZE:
	case ARG_SECONDS:
		return lex_number_key(l, argument, key);
	case ARG_SET:
		return imap_lex_seqset(l, "UID", &key->set);
	case ARG_KEYWORD:
		return lex_keyword(l, key);
	case ARG_TWO:
		if ((r = lex_child(p, depth + 1, &key->child)) < 0 ||
		    (r = imap_lex_space(l)) < 0)
			return r;
		return lex_child(p, depth + 1, &key->child->next);
	case ARG_ONE:
		return lex_child(p, depth + 1, &key->child);
	case ARG_NONE:
		break;
	}
	return 0;
}

/* lex_group - keys in parentheses, behind the opening one */
static int
lex_group(struct program *p, unsigned depth, struct imap_search_key *key)
{
	int	r;

	key->op = IMAP_SEARCH_AND;
	if ((r = lex_keys(p, depth + 1, key)) < 0)
		return r;
	return imap_lex_close(p->l, "search keys");
}

/* lex_key - one key */
static int
lex_key(struct program *p, unsigned depth, struct imap_search_key *key)
{
	struct imap_lex	*l = p->l;
	int		next = cursor_peek(&l->c), r;
	struct slice	word;

	if (cursor_skip_byte(&l->c, '('))
		return lex_group(p, depth, key);
	if (next == '*' || (next >= '0' && next <= '9')) {
		key->op = IMAP_SEARCH_SEQSET;
		return imap_lex_seqset(l, "message set", &key->set);
	}
	word = imap_lex_word(l);
	if (word.len == 0)
		return imap_lex_fail(l, "expected a search key instead of %s",
		    imap_lex_next(l));
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!slice_equal_nocase(word, keys[i].name))
			continue;
		key->op = (enum imap_search_op)i;
		if (keys[i].argument == ARG_NONE)
			return 0;
		if ((r = imap_lex_space(l)) < 0)
			return r;
		return lex_argument(p, depth, keys[i].argument, key);
	}
	return imap_lex_fail(l, "there is no search key \"%s\"",
	    imap_echo(l->arena, word));
}

/* lex_return - RETURN (...) and the space behind it, if it comes */
static int
lex_return(struct imap_lex *l, struct imap_search *s)
{
	struct slice	word;
	size_t		i;
	int		r;

	if (!imap_lex_skip(l, S("RETURN ")))
		return 0;
	s->extended = true;
	if ((r = imap_lex_open(l, "RETURN")) < 0)
		return r;
	while (cursor_peek(&l->c) != ')') {
		if (s->wanted != 0 && (r = imap_lex_space(l)) < 0)
			return r;
		word = imap_lex_word(l);
		for (i = 0; i < COUNT(return_options); i++)
			if (slice_equal_nocase(word, return_options[i].name))
				break;
		if (i == COUNT(return_options))
			return imap_lex_fail(l, "there is no return option "
			    "\"%s\"", imap_echo(l->arena, word));
		s->wanted |= return_options[i].bit;
	}
	if (s->wanted == 0)		/* RFC 4731 3.1 */
		s->wanted = IMAP_RETURN_ALL;
	if ((r = imap_lex_close(l, "RETURN")) < 0)
		return r;
	return imap_lex_space(l);
}

/* lex_charset - CHARSET and the space behind it, if it comes */
static int
lex_charset(struct imap_lex *l, struct imap_search *s)
{
	struct slice	name;
	int		r;

	if (!imap_lex_skip(l, S("CHARSET ")))
		return 0;
	if ((r = imap_lex_astring(l, "charset", &name)) < 0)
		return r;
	s->charset = charset_of(name);
	return imap_lex_space(l);
}

/* convert_text - a text to look for, in UTF-8. Without a charset 8-bit text
 * is taken for UTF-8, which clients send all the same. */
static int
convert_text(struct imap_lex *l, enum charset charset, struct slice *text)
{
	struct buf	utf8 = BUF_INIT;

	if (charset == CHARSET_ASCII || charset == CHARSET_UTF8)
		return utf8_is_valid(*text) ? 0 :
		    imap_lex_fail(l, "search text is not UTF-8");
	if (text->len > 0 && charset_to_utf8(&utf8, charset, *text))
		*text = arena_dup(l->arena, buf_slice(&utf8));
	buf_free(&utf8);
	return 0;
}

/* convert_texts - all of them */
static int
convert_texts(struct imap_lex *l, enum charset charset,
    struct imap_search_key *key)
{
	int	r = 0;

	for (; key != NULL && r == 0; key = key->next)
		if ((r = convert_text(l, charset, &key->text)) == 0)
			r = convert_texts(l, charset, key->child);
	return r;
}

/* imap_lex_search - the arguments of SEARCH */
int
imap_lex_search(struct imap_lex *l, struct imap_search *ret_search)
{
	struct imap_search s = { .charset = CHARSET_ASCII,
		.root.op = IMAP_SEARCH_AND };
	struct program	p = { l, 0 };
	int		r;

	if ((r = imap_lex_space(l)) < 0 || (r = lex_return(l, &s)) < 0 ||
	    (r = lex_charset(l, &s)) < 0 ||
	    (r = lex_keys(&p, 1, &s.root)) < 0)
		return r;
	if (s.charset != CHARSET_UNKNOWN &&
	    (r = convert_texts(l, s.charset, s.root.child)) < 0)
		return r;
	*ret_search = s;
	return 0;
}
