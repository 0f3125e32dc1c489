/* SPDX-License-Identifier: ISC */
/*
 * deliveries: what was delivered into the account not long ago, so that the
 * same thing is not stored twice. Two deliveries are the same if
 *
 * - their ids are: a repetition by our own side, which did not hear how the
 *   first one ended; or
 * - they have the same content, and one of them was taken from its client at a
 *   time that the other one doubts: nobody knows whether that client heard
 *   that its message was taken, and so it may have sent it again. A doubt is
 *   used up by the copy that it explains; or
 * - they have the same content, and the one that comes now is in doubt itself,
 *   and was overtaken by one that was sent in its place and did not know it.
 *
 * Equal contents alone are no reason: who sends a message twice, and hears
 * both times that it was taken, means two messages.
 */
#ifndef LIBSTORE_DELIVERIES_H
#define LIBSTORE_DELIVERIES_H

#include <stdint.h>

#include "libutil/size.h"

#define DELIVERY_ID_LEN		16
#define DELIVERY_DOUBTS_MAX	16

struct deliver_message;
struct txn;

/* from..until, both included; microseconds since 1970 */
struct delivery_span {
	int64_t	since;
	int64_t	until;
};

struct delivery_mark {
	/* this delivery: the same for a repetition */
	uint8_t	id[DELIVERY_ID_LEN];
	/* what was sent and to whom, whoever carries it; the id again if that
	 * cannot be told (no Message-ID) */
	uint8_t	content[DELIVERY_ID_LEN];
	int64_t	taken;		/* when the content was complete; us */
	/* copies taken then may be this message; at most
	 * DELIVERY_DOUBTS_MAX, lent */
	const struct delivery_span	*doubts;
	size_t	doubt_count;
	int64_t	again;		/* copies taken from then on may be this
				 * message, which came later; 0: none */
};

/* is it here already? Fills in email, and mailbox, uid and uidvalidity of the
 * first place, and notes that it came again. 0 if so; -ENOENT */
MUST_USE int	deliveries_find(struct txn *t, struct deliver_message *m);
/* it was stored: remember it, and forget some of the old ones */
MUST_USE int	deliveries_note(struct txn *t,
		    const struct deliver_message *m);

#endif
