/* SPDX-License-Identifier: ISC */
/*
 * emails: email records and their places in mailboxes inside a transaction,
 * with all that hangs on them: order, thread, cache, quota, history. Used
 * inside libstore only.
 */
#ifndef LIBSTORE_EMAILS_H
#define LIBSTORE_EMAILS_H

#include "libstore/index.h"
#include "libstore/keywords.h"

/* an email's record; its texts are copied into the arena */
MUST_USE int	emails_get(struct txn *t, uint64_t id,
		    struct email_record *ret_record);
MUST_USE int	emails_put(struct txn *t, uint64_t id,
		    const struct email_record *rec);
/* a new email whose body is there: its record, thread entry and quota. Its
 * places are added before. */
MUST_USE int	emails_add(struct txn *t, uint64_t id,
		    const struct email_record *rec);
/* an email without places goes, with its body if no other shares it */
MUST_USE int	emails_destroy(struct txn *t, uint64_t id,
		    const struct email_record *rec);

/* put it into a mailbox; rec gets the place and is not written. m has flags
 * and save date, and gets UID and mod-sequence */
MUST_USE int	emails_place(struct txn *t, struct mailbox_slot *slot,
		    struct email_record *rec, const struct flag_set *flags,
		    struct message_meta *m);
/* take it out; rec loses the place and is not written. The UID's vanishing
 * is noted by emails_vanish. */
MUST_USE int	emails_unplace(struct txn *t, struct mailbox_slot *slot,
		    struct email_record *rec, const struct message_meta *m);

/* both of these for a message: out of the mailbox, and the email destroyed if
 * that was its last place */
MUST_USE int	emails_expunge(struct txn *t, struct mailbox_slot *slot,
		    const struct message_meta *m);

/* what went, in ascending UID order: note it as ranges */
MUST_USE int	emails_vanish(struct txn *t, uint32_t mailbox,
		    const uint32_t *uids, size_t n);
/* a change that no living record shows */
MUST_USE int	emails_note_change(struct txn *t, enum change_type type,
		    uint64_t id, enum change_kind kind, uint64_t thread);
/* the caller's bytes; fresh: the email's body is, too (keys.h) */
MUST_USE int	emails_put_cache(struct txn *t, uint64_t id, bool fresh,
		    uint32_t version, struct slice bytes);
/* version and bytes as they are stored, lent; -ENOENT */
MUST_USE int	emails_get_cache(struct txn *t, uint64_t id,
		    struct slice *ret_stored);
/* of an email that is packed now: with those of the others */
MUST_USE int	emails_settle_cache(struct txn *t, uint64_t id);
MUST_USE int	emails_del_cache(struct txn *t, uint64_t id);

/* the thread that a message belongs to: the oldest one that its Message-ID,
 * In-Reply-To or References name, or `fresh`, which becomes its thread */
MUST_USE int	threads_assign(struct txn *t, const struct email_facts *f,
		    uint64_t fresh, uint64_t *ret_thread);

#endif
