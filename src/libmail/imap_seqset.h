/* SPDX-License-Identifier: ISC */
/*
 * imap_seqset: sets of message numbers or UIDs (RFC 3501 9, sequence-set), as
 * FETCH, STORE, COPY and SEARCH take them. A set as parsed keeps the order
 * and the stars of the client; imap_seqset_resolve makes it sorted, merged,
 * and free of stars. imap_setwriter prints ascending numbers as such a set.
 */
#ifndef LIBMAIL_IMAP_SEQSET_H
#define LIBMAIL_IMAP_SEQSET_H

#include "libmail/imap_lex.h"
#include "libutil/buf.h"

/* ranges in one set; with 1:2,4:5,... a 1 MiB command has about 100,000 */
#define IMAP_SEQSET_RANGES_MAX	131072
/* stands for "*" in a set as parsed; never a number itself */
#define IMAP_SEQ_STAR		0

struct imap_seqrange {
	uint32_t	first;
	uint32_t	last;
};

struct imap_seqset {
	struct imap_seqrange	*ranges;
	size_t			 count;
};

MUST_USE int	imap_lex_seqset(struct imap_lex *l, const char *what,
		    struct imap_seqset *ret_set);
/* the same for a whole slice, without a sentence */
MUST_USE int	imap_seqset_parse(struct arena *a, struct slice in,
		    struct imap_seqset *ret_set);
void	imap_seqset_format(struct buf *out, const struct imap_seqset *set);

/* largest is what "*" means: the number of messages, or the last UID (an
 * empty mailbox: UIDNEXT). Works in place. Returns the largest number named. */
uint32_t	imap_seqset_resolve(struct imap_seqset *set, uint32_t largest);
/* in a resolved set, by binary search */
bool	imap_seqset_has(const struct imap_seqset *set, uint32_t number);

/* prints numbers, given in ascending order, as ranges */
struct imap_setwriter {
	struct buf	*out;
	uint32_t	 first;		/* of the range not yet printed, or 0 */
	uint32_t	 last;
	bool		 some;		/* something was printed */
};
void	imap_setwriter_begin(struct imap_setwriter *w, struct buf *out);
void	imap_setwriter_add(struct imap_setwriter *w, uint32_t number);
void	imap_setwriter_end(struct imap_setwriter *w);

#endif
