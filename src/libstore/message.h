/* SPDX-License-Identifier: ISC */
/*
 * message: messages in mailboxes. An email (64-bit id) is content with its
 * dates, thread and cache; a message is an email's place in a mailbox, with a
 * UID and flags of its own. An email may have several places (JMAP); IMAP's
 * COPY makes a new email that shares the body.
 *
 * Each function that changes something is one transaction with one new
 * mod-sequence, over at most ACCOUNT_BATCH_MAX messages (-E2BIG): the caller
 * cuts larger work.
 */
#ifndef LIBSTORE_MESSAGE_H
#define LIBSTORE_MESSAGE_H

#include "libstore/account.h"
#include "libstore/deliveries.h"
#include "libstore/flags.h"
#include "libutil/arena.h"

#define EMAIL_PLACES_MAX	32	/* mailboxes one email may be in */
#define EMAIL_TEXT_MAX		255	/* bytes kept of a sort key */
#define EMAIL_PREFIX_MAX	65535
#define EMAIL_CACHE_MAX		((size_t)256 << 10)
#define EMAIL_REFERENCES_MAX	32	/* used for threading */
#define BODY_BIG		((uint64_t)256 << 10)	/* from here on big */

/* a message as the mailbox's index knows it */
struct message_meta {
	uint32_t	uid;
	uint64_t	email;
	uint64_t	flags;		/* flags.h */
	uint64_t	modseq;
	int64_t		save_date;	/* when it came into this mailbox */
};

/* what the content scan found; the texts are lent */
struct email_facts {
	int64_t		 sent_date;	/* Date field; 0: none */
	struct slice	 message_id;	/* without < > */
	struct slice	 in_reply_to;
	const struct slice	*references; /* in the field's order */
	size_t		 reference_count;
	struct slice	 from;		/* sort keys, as the caller folds them; */
	struct slice	 to;		/* cut to EMAIL_TEXT_MAX */
	struct slice	 cc;
	struct slice	 subject;	/* base subject (RFC 5256 2.1) */
	bool		 has_attachment;
	uint32_t	 cache_version;
	struct slice	 cache;		/* envelope, structure, preview in the
					 * caller's encoding; empty: none */
};

struct deliver_place {
	uint32_t	 mailbox;
	uint64_t	 flags;			/* system flags */
	const struct slice	*keywords;	/* names */
	size_t		 keyword_count;
	uint32_t	 uid;			/* set: the UID it got */
	uint32_t	 uidvalidity;		/* set */
};

struct deliver_message {
	struct slice	 prefix;	/* added header fields, whole lines */
	struct slice	 content;	/* CRLF, as on the wire */
	bool		 is_big;	/* the content is kept elsewhere under
					 * big_hash already; content empty */
	uint8_t		 big_hash[BODY_HASH_LEN];
	uint64_t	 big_size;
	bool		 has_date;	/* else it came now */
	int64_t		 internal_date;
	struct email_facts	 facts;
	/* NULL: stored whatever is here already */
	const struct delivery_mark	*mark;
	struct deliver_place	*places; /* 1..EMAIL_PLACES_MAX, each mailbox
					 * once */
	size_t		 place_count;
	/* set: 0 stored; 1 it is here already, by its mark (email, uid and
	 * uidvalidity of the first place are its); -EDQUOT; -ENOENT no such
	 * mailbox; -EMSGSIZE; -EINVAL; -ENOSPC too many keywords */
	int		 result;
	uint64_t	 email;		/* set */
	uint64_t	 thread;	/* set */
};

enum deliver_mode {
	DELIVER_EACH	= 0,		/* each message on its own result */
	DELIVER_ALL	= 1,		/* all or none (RFC 3502): the first
					 * failure is returned, none stored */
	DELIVER_IMPORT	= 2,		/* bodies go to the pack at once */
	DELIVER_NO_QUOTA = 4,		/* the quota is counted, not enforced */
};

/* store a batch; one commit. Look at each result even if it returns 0. */
MUST_USE int	message_deliver(struct account *a, struct deliver_message *m,
		    size_t n, unsigned mode);

/* messages of first_uid..last_uid in UID order, at most max; go on behind the
 * last one's UID until *ret_count < max. -ENOENT no such mailbox */
MUST_USE int	message_fetch(struct account *a, uint32_t mailbox,
		    uint32_t first_uid, uint32_t last_uid,
		    struct message_meta *ret_metas, size_t max,
		    size_t *ret_count);
/* the same, only those changed after that mod-sequence; unchanged blocks are
 * not read (RFC 7162 CHANGEDSINCE) */
MUST_USE int	message_fetch_changed(struct account *a, uint32_t mailbox,
		    uint32_t first_uid, uint32_t last_uid, uint64_t since,
		    struct message_meta *ret_metas, size_t max,
		    size_t *ret_count);
/* these UIDs (ascending); those that are gone are left out */
MUST_USE int	message_fetch_uids(struct account *a, uint32_t mailbox,
		    const uint32_t *uids, size_t n,
		    struct message_meta *ret_metas, size_t *ret_count);
/* UID of the first message without \Seen, 0 if there is none */
MUST_USE int	message_first_unseen(struct account *a, uint32_t mailbox,
		    uint32_t *ret_uid);

/* names of a message's keywords, in the arena */
MUST_USE int	message_keywords(struct account *a, uint32_t mailbox,
		    const struct message_meta *m, struct arena *arena,
		    struct slice **ret_names, size_t *ret_count);

struct email_place {
	uint32_t	mailbox;
	uint32_t	uid;
};

/* an email as message_get_emails gives it; texts in the arena */
struct email {
	int		result;		/* 0, -ENOENT, -EBADMSG */
	uint64_t	id;
	uint64_t	thread;
	uint64_t	size;		/* RFC822.SIZE: prefix and content */
	int64_t		internal_date;
	int64_t		sent_date;
	uint64_t	created_modseq;
	bool		has_attachment;
	struct slice	from, to, cc, subject;	/* sort keys */
	struct email_place	*places;
	size_t		place_count;
	uint32_t	cache_version;	/* 0: no cache */
	struct slice	cache;
};

enum email_want {
	EMAIL_WANT_CACHE = 1,		/* the cache bytes too */
};

/* a batch of emails by id */
MUST_USE int	message_get_emails(struct account *a, const uint64_t *ids,
		    size_t n, unsigned want, struct arena *arena,
		    struct email *ret_emails);
/* the emails of a thread by id, which is the order they came in */
MUST_USE int	message_get_thread(struct account *a, uint64_t thread,
		    struct arena *arena, uint64_t **ret_ids,
		    size_t *ret_count);
/* replace cache bytes that were missing or of an old version; emails that are
 * gone are passed over. Raises no mod-sequence. */
struct email_cache {
	uint64_t	email;
	uint32_t	version;
	struct slice	bytes;
};
MUST_USE int	message_set_cache(struct account *a,
		    const struct email_cache *caches, size_t n);

enum flags_op { FLAGS_ADD, FLAGS_REMOVE, FLAGS_SET };

struct flags_change {
	enum flags_op	 op;
	uint64_t	 flags;			/* system flags */
	const struct slice	*keywords;	/* names */
	size_t		 keyword_count;
	bool		 is_conditional;	/* RFC 7162 UNCHANGEDSINCE */
	uint64_t	 unchanged_since;
};

struct flags_result {
	uint64_t	 modseq;	/* of this change; 0: nothing changed */
	struct message_meta	*metas;	/* each message asked for that is there
					 * and was not refused, as it is now */
	uint64_t	*before;	/* parallel: their mod-sequences until
					 * then */
	size_t		 meta_count;
	uint32_t	*refused;	/* changed since: MODIFIED */
	size_t		 refused_count;
};

/* change flags of these UIDs (ascending). A message that has them already
 * keeps its mod-sequence. Results in the arena. */
MUST_USE int	message_store(struct account *a, uint32_t mailbox,
		    const uint32_t *uids, size_t n,
		    const struct flags_change *change, struct arena *arena,
		    struct flags_result *ret_result);

/* remove these UIDs (ascending) from the mailbox; with only_deleted those
 * that have \Deleted. An email without a place left is destroyed. The UIDs
 * that went are put in ret_uids (room for n). */
MUST_USE int	message_expunge(struct account *a, uint32_t mailbox,
		    const uint32_t *uids, size_t n, bool only_deleted,
		    uint32_t *ret_uids, size_t *ret_count);

/* what COPYUID says (RFC 4315) */
struct copy_result {
	uint32_t	 uidvalidity;	/* of the target */
	uint32_t	*from;		/* UIDs, parallel, in the arena */
	uint32_t	*to;
	size_t		 count;
};
/* copy with flags and dates; -EDQUOT before anything is copied */
MUST_USE int	message_copy(struct account *a, uint32_t mailbox,
		    const uint32_t *uids, size_t n, uint32_t target,
		    struct arena *arena, struct copy_result *ret_result);
/* move: the email stays the same and changes its place */
MUST_USE int	message_move(struct account *a, uint32_t mailbox,
		    const uint32_t *uids, size_t n, uint32_t target,
		    struct arena *arena, struct copy_result *ret_result);

/* UIDs that vanished from the mailbox after that mod-sequence, as ascending
 * ranges in the arena (RFC 7162 VANISHED). -ESTALE: history does not reach
 * back that far. */
struct uid_range {
	uint32_t	first;
	uint32_t	last;
};
MUST_USE int	message_vanished(struct account *a, uint32_t mailbox,
		    uint64_t since, struct arena *arena,
		    struct uid_range **ret_ranges, size_t *ret_count);

#endif
