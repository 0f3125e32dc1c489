/* SPDX-License-Identifier: ISC */
/* Every list names itself when one of its words is not known. */
#include "libmail/imap_words.h"

/* imap_lex_bit - a word of the table */
int
imap_lex_bit(struct imap_lex *l, const struct imap_words *table,
    uint32_t *ret_bit)
{
	struct cursor	start = l->c;
	struct slice	word;

	(void)cursor_skip_byte(&l->c, '\\');
	(void)imap_lex_word(l);
	word = cursor_since(&l->c, &start);
	for (size_t i = 0; i < table->count; i++) {
		if (!slice_equal_nocase(word, table->words[i].name))
			continue;
		*ret_bit = table->words[i].bit;
		return 0;
	}
	if (word.len == 0)
		return imap_lex_fail(l, "%s: unexpected %s", table->what,
		    imap_lex_next(l));
	return imap_lex_fail(l, "%s: \"%s\" is not known", table->what,
	    imap_echo(l->arena, word));
}

/* imap_lex_bits - words of the table in parentheses */
int
imap_lex_bits(struct imap_lex *l, const struct imap_words *table,
    bool may_be_empty, uint32_t *ret_bits)
{
	uint32_t	bits = 0, bit = 0;
	int		r;

	if ((r = imap_lex_open(l, table->what)) < 0)
		return r;
	if (!may_be_empty || cursor_peek(&l->c) != ')') {
		do {
			if ((r = imap_lex_bit(l, table, &bit)) < 0)
				return r;
			bits |= bit;
		} while (cursor_skip_byte(&l->c, ' '));
	}
	if ((r = imap_lex_close(l, table->what)) < 0)
		return r;
	*ret_bits = bits;
	return 0;
}
