/* SPDX-License-Identifier: ISC */
/*
 * mastercf_lex: the words of one row of master.cf and where they stand in the
 * text, for the parser and the editor. Included by mastercf*.c only.
 */
#ifndef LIBGLOBAL_MASTERCF_LEX_H
#define LIBGLOBAL_MASTERCF_LEX_H

#include "libutil/slice.h"

struct arena;
struct diag;

struct mastercf_word {
	struct slice	value;		/* joined; without braces */
	bool		braced;
	size_t		begin;		/* where it stands in the text */
	size_t		end;		/* the byte behind it */
	uint32_t	line;
};

#define MASTERCF_WORDS_MAX	(7 + 1 + 2 * 1024)

/* a row: from the start of its first line to behind the end of its last one
 * that is not a comment */
struct mastercf_row {
	struct mastercf_word	*word;
	size_t			 count;
	size_t			 begin;
	size_t			 end;
	uint32_t		 line;
};

struct mastercf_lexer {
	struct slice	 text;
	size_t		 at;
	uint32_t	 line;		/* of the byte at `at` */
	struct arena	*arena;
	struct diag	*diag;
};

/* the next row: 1, 0 at the end of the text, -EBADMSG */
MUST_USE int	mastercf_lex_row(struct mastercf_lexer *l,
		    struct mastercf_row *ret_row);

/* is it "-" and then only that letter, once or more? */
bool	mastercf_is_run_of(struct slice s, char letter);

#endif
