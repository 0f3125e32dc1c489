/* SPDX-License-Identifier: ISC */
/*
 * imap_lex: the words of an IMAP command. A command comes as segments: a line
 * and, if the line ends in {n}, the n bytes of the literal that follow it.
 * imap_literal_at_end says, for a line just read, what must be read next;
 * that is all a reader of commands needs to know of the grammar.
 *
 * The lexer walks over the segments and hands out atoms, strings and numbers.
 * A function that fails notes a sentence for the BAD reply in the fault (the
 * first one stays) and returns -EBADMSG. Slices handed out point into the
 * segments, or into the arena where quoting had to be removed.
 */
#ifndef LIBMAIL_IMAP_LEX_H
#define LIBMAIL_IMAP_LEX_H

#include "libutil/arena.h"
#include "libutil/cursor.h"
#include "libutil/slice.h"

/* the longest literal a client may announce; what a message or a command may
 * really have is a lower limit of the session's */
#define IMAP_LITERAL_MAX	((uint64_t)1 << 40)
/* the sentence of a BAD reply */
#define IMAP_FAULT_MAX		160

struct imap_literal {
	uint64_t	size;
	bool		sync;		/* the client waits for our "+" */
	bool		binary;		/* ~{n}: may hold NUL (RFC 3516) */
};

struct imap_segment {
	struct slice	text;		/* a line, without CRLF, {n} included */
	struct slice	literal;
	bool		has_literal;	/* else it is the last segment */
};

struct imap_fault {
	struct slice	tag;		/* empty if the line has none */
	char		text[IMAP_FAULT_MAX];
};

struct imap_lex {
	const struct imap_segment	*segments;
	size_t				 count;
	size_t				 at;	/* the segment that c is in */
	struct cursor			 c;
	struct arena			*arena;
	struct imap_fault		*fault;
};

/* what follows this line (without CRLF): 1 and the literal, 0 if none, and
 * -ERANGE for one that nobody can mean. After that the connection must end:
 * with {n+} the bytes of the literal would be taken for commands. */
MUST_USE int	imap_literal_at_end(struct slice line,
		    struct imap_literal *ret_literal);

void	imap_lex_init(struct imap_lex *l, const struct imap_segment *segments,
	    size_t count, struct arena *arena, struct imap_fault *fault);
/* note why; returns -EBADMSG. Foreign text in it goes through imap_echo. */
int	imap_lex_fail(struct imap_lex *l, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
/* the next word as it may be shown in a reply: short, printable, and "the end
 * of the line" where there is none */
const char	*imap_lex_next(struct imap_lex *l);
/* foreign text as it may be shown in a reply, in the arena */
const char	*imap_echo(struct arena *a, struct slice text);

MUST_USE int	imap_lex_space(struct imap_lex *l);
MUST_USE int	imap_lex_open(struct imap_lex *l, const char *what);
MUST_USE int	imap_lex_close(struct imap_lex *l, const char *what);
/* the end of the last segment */
MUST_USE int	imap_lex_end(struct imap_lex *l);
/* does this come next? If so it is taken. */
bool	imap_lex_skip(struct imap_lex *l, struct slice text);

/* what names the argument in the sentence */
MUST_USE int	imap_lex_tag(struct imap_lex *l, struct slice *ret_tag);
MUST_USE int	imap_lex_atom(struct imap_lex *l, const char *what,
		    struct slice *ret_atom);
MUST_USE int	imap_lex_string(struct imap_lex *l, const char *what,
		    struct slice *ret_text);
MUST_USE int	imap_lex_astring(struct imap_lex *l, const char *what,
		    struct slice *ret_text);
/* NIL gives a slice without data */
MUST_USE int	imap_lex_nstring(struct imap_lex *l, const char *what,
		    struct slice *ret_text);
/* an astring in which % and * need no quotes (list-mailbox) */
MUST_USE int	imap_lex_pattern(struct imap_lex *l, const char *what,
		    struct slice *ret_text);
MUST_USE int	imap_lex_number(struct imap_lex *l, const char *what,
		    uint64_t max, uint64_t *ret_number);
/* letters, digits, dots, hyphens: the name of a command or an item; may be
 * empty, takes nothing else */
struct slice	imap_lex_word(struct imap_lex *l);

/* may the whole slice stand as an atom, as an astring without quotes? */
bool	imap_is_atom(struct slice s);
bool	imap_is_astring_bare(struct slice s);

#endif
