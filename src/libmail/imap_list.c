/* SPDX-License-Identifier: ISC */
/* RFC 5258's grammar; plain LIST is a part of it. */
#include "libmail/imap_list.h"

#include "libmail/imap_mailbox.h"
#include "libmail/imap_words.h"

static const struct imap_word status_words[] = {
#define STATUS_ITEM(id, bit, name) { S_INIT(name), IMAP_STATUS_##id },
#include "libmail/imap_status.def"
};
static const struct imap_words status_items =
    IMAP_WORDS("STATUS items", status_words);

static const struct imap_word list_selections[] = {
	{ S_INIT("SUBSCRIBED"),		IMAP_LIST_SUBSCRIBED },
	{ S_INIT("REMOTE"),		IMAP_LIST_REMOTE },
	{ S_INIT("RECURSIVEMATCH"),	IMAP_LIST_RECURSIVEMATCH },
	{ S_INIT("SPECIAL-USE"),	IMAP_LIST_SPECIAL_USE },
};

static const struct imap_word list_wants[] = {
	{ S_INIT("SUBSCRIBED"),		IMAP_LIST_SUBSCRIBED },
	{ S_INIT("CHILDREN"),		IMAP_LIST_CHILDREN },
	{ S_INIT("SPECIAL-USE"),	IMAP_LIST_SPECIAL_USE },
	{ S_INIT("STATUS"),		IMAP_LIST_STATUS },
};
static const struct imap_words selections =
    IMAP_WORDS("selection options", list_selections);
static const struct imap_words wants =
    IMAP_WORDS("return options", list_wants);

/* imap_lex_lsub - a reference and a pattern */
int
imap_lex_lsub(struct imap_lex *l, struct imap_list *ret_list)
{
	struct imap_list list = { .pattern_count = 1 };
	int		r;

	list.patterns = ARENA_ARRAY(l->arena, struct slice, 1);
	if ((r = imap_lex_space(l)) < 0 ||
	    (r = imap_lex_reference(l, &list.reference)) < 0 ||
	    (r = imap_lex_space(l)) < 0 ||
	    (r = imap_lex_list_pattern(l, &list.patterns[0])) < 0)
		return r;
	*ret_list = list;
	return 0;
}

/* lex_list_selection - (SUBSCRIBED ...) before the reference (RFC 5258 3) */
static int
lex_list_selection(struct imap_lex *l, struct imap_list *list)
{
	int	r;

	if (cursor_peek(&l->c) != '(')
		return 0;
	list->extended = true;
	if ((r = imap_lex_bits(l, &selections, true, &list->select)) < 0)
		return r;
	if ((list->select & IMAP_LIST_RECURSIVEMATCH) != 0 &&
	    (list->select & IMAP_LIST_SUBSCRIBED) == 0)
		return imap_lex_fail(l, "RECURSIVEMATCH needs SUBSCRIBED");
	return imap_lex_space(l);
}

/* lex_list_patterns - one pattern, or several in parentheses */
static int
lex_list_patterns(struct imap_lex *l, struct imap_list *list)
{
	bool	several = cursor_skip_byte(&l->c, '(');
	int	r;

	list->patterns = ARENA_ARRAY(l->arena, struct slice,
	    several ? IMAP_PATTERNS_MAX : 1);
	list->extended = list->extended || several;
	do {
		if (list->pattern_count == IMAP_PATTERNS_MAX)
			return imap_lex_fail(l, "more than %d patterns",
			    IMAP_PATTERNS_MAX);
		if ((r = imap_lex_list_pattern(l,
		    &list->patterns[list->pattern_count])) < 0)
			return r;
		list->pattern_count++;
	} while (several && cursor_skip_byte(&l->c, ' '));
	return several ? imap_lex_close(l, "patterns") : 0;
}

/* imap_lex_status_items - in parentheses */
int
imap_lex_status_items(struct imap_lex *l, uint32_t *ret_items)
{
	return imap_lex_bits(l, &status_items, false, ret_items);
}

/* lex_list_return - RETURN (...) behind the patterns */
static int
lex_list_return(struct imap_lex *l, struct imap_list *list)
{
	uint32_t	bit = 0;
	bool		first = true;
	int		r;

	if (!cursor_skip_byte(&l->c, ' '))
		return 0;
	if (!imap_lex_skip(l, S("RETURN ")))
		return imap_lex_fail(l, "expected RETURN instead of %s",
		    imap_lex_next(l));
	list->extended = true;
	if ((r = imap_lex_open(l, "RETURN")) < 0)
		return r;
	for (; cursor_peek(&l->c) != ')'; first = false) {
		if (!first && (r = imap_lex_space(l)) < 0)
			return r;
		if ((r = imap_lex_bit(l, &wants, &bit)) < 0)
			return r;
		list->want |= bit;
		if (bit == IMAP_LIST_STATUS &&
		    ((r = imap_lex_space(l)) < 0 ||
		    (r = imap_lex_status_items(l, &list->status)) < 0))
			return r;
	}
	return imap_lex_close(l, "RETURN");
}

/* imap_lex_list - LIST, its extensions included */
int
imap_lex_list(struct imap_lex *l, struct imap_list *ret_list)
{
	struct imap_list list = { .extended = false };
	int		r;

	if ((r = imap_lex_space(l)) < 0 ||
	    (r = lex_list_selection(l, &list)) < 0 ||
	    (r = imap_lex_reference(l, &list.reference)) < 0 ||
	    (r = imap_lex_space(l)) < 0 ||
	    (r = lex_list_patterns(l, &list)) < 0 ||
	    (r = lex_list_return(l, &list)) < 0)
		return r;
	*ret_list = list;
	return 0;
}

/* imap_status_name - the name of the item of that bit */
struct slice
imap_status_name(uint32_t bit)
{
	for (size_t i = 0; i < COUNT(status_words); i++)
		if (status_words[i].bit == bit)
			return status_words[i].name;
	return SLICE_EMPTY;
}
