/* SPDX-License-Identifier: ISC */
/*
 * doubts: what clients may send a second time, because they may not have heard
 * that it was taken. Either one message is in doubt, its session having ended
 * before the client spoke again (unheard), or all messages of a time are,
 * because somebody died who owed answers then (a span).
 *
 * qmgr keeps them, durably; each cleanup has a copy. All are bounded: beyond,
 * the oldest message is forgotten, the oldest copies of one become one that
 * stands for them, and so do spans. Pure.
 */
#ifndef LIBGLOBAL_DOUBTS_H
#define LIBGLOBAL_DOUBTS_H

#include "libutil/buf.h"
#include "libutil/hash.h"
#include "libutil/list.h"

#define DOUBTS_ID_LEN		16
#define DOUBTS_UNHEARD_MAX	1024
#define DOUBTS_COPIES_MAX	4	/* of one message */
#define DOUBTS_SPANS_MAX	12	/* an envelope has room for them and for
					 * the message's own copies */

/* times in microseconds since 1970, both included */
struct doubts_span {
	int64_t	since;
	int64_t	until;
};

/* one message that may not have been heard of: when its content was complete,
 * and when that was noticed. What was sent in its place came after that. */
struct doubts_copy {
	int64_t	taken;
	int64_t	noticed;
	int64_t	since;		/* the oldest of all copies may stand for older
				 * ones, from then on; 0: it does not */
};

struct doubts {
	struct hash		by_id;
	struct list		in_order;	/* the one named first is first */
	struct doubts_span	spans[DOUBTS_SPANS_MAX];
	size_t			span_count;	/* ascending, apart */
};

void	doubts_init(struct doubts *d);
void	doubts_free(struct doubts *d);

/* that a message of that id (DOUBTS_ID_LEN bytes; any other length is ignored)
 * was taken then may not have been heard; beside the copies of it that are
 * known. What was noticed of the
 * same copy first counts. */
void	doubts_unheard(struct doubts *d, struct slice id,
	    struct doubts_copy copy);
/* the first time for which a copy stands */
int64_t	doubts_since(const struct doubts_copy *copy);
/* all messages taken then */
void	doubts_add_span(struct doubts *d, struct doubts_span span);
void	doubts_clear_spans(struct doubts *d);
/* forget what ended before that time */
void	doubts_forget(struct doubts *d, int64_t before);
/* the copies of that message, newest first; how many */
size_t	doubts_find(const struct doubts *d, struct slice id,
	    struct doubts_copy ret_copies[DOUBTS_COPIES_MAX]);

/* walk the messages in the order they were first named: begin with NULL, which
 * is the end as well */
const struct list	*doubts_next(const struct doubts *d,
			    const struct list *at, struct slice *ret_id,
			    struct doubts_copy ret_copies[DOUBTS_COPIES_MAX],
			    size_t *ret_count);

/* as bytes, for storage; decoding adds to what is there. -EBADMSG,
 * -EPROTONOSUPPORT: of a newer version */
void		doubts_encode(const struct doubts *d, struct buf *out);
MUST_USE int	doubts_decode(struct doubts *d, struct slice in);

#endif
