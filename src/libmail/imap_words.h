/* SPDX-License-Identifier: ISC */
/*
 * imap_words: words that stand for bits, alone and in lists: the items of
 * STATUS, the uses of a mailbox, the options of LIST. For the parsers of
 * commands only.
 */
#ifndef LIBMAIL_IMAP_WORDS_H
#define LIBMAIL_IMAP_WORDS_H

#include "libmail/imap_lex.h"

struct imap_word {
	struct slice	name;
	uint32_t	bit;
};

struct imap_words {
	const char		*what;		/* in sentences */
	const struct imap_word	*words;
	size_t			 count;
};

#define IMAP_WORDS(what, array)	{ what, array, COUNT(array) }

/* one word of the table (a backslash before it belongs to it) */
MUST_USE int	imap_lex_bit(struct imap_lex *l, const struct imap_words *table,
		    uint32_t *ret_bit);
/* words in parentheses */
MUST_USE int	imap_lex_bits(struct imap_lex *l,
		    const struct imap_words *table, bool may_be_empty,
		    uint32_t *ret_bits);

#endif
