/* SPDX-License-Identifier: ISC */
/*
 * txn: one transaction on an account. Over the backend's it knows the account
 * record, gives out the one mod-sequence, keeps the mailbox records, the
 * keyword table and one UID block (index.h) that it touched, and writes them
 * back once, at commit. Used inside libstore only.
 *
 * A txn_commit without a change ends without a flush.
 */
#ifndef LIBSTORE_TXN_H
#define LIBSTORE_TXN_H

#include "libstore/account_impl.h"
#include "libstore/keys.h"
#include "libstore/records.h"
#include "libutil/arena.h"

struct index;

struct mailbox_slot {
	uint32_t		 id;
	struct mailbox_record	 rec;
	bool			 is_dirty;
	bool			 is_touched;	/* messages changed */
	bool			 is_removed;
	struct mailbox_slot	*next;
};

struct big_drop {
	uint8_t			 hash[BODY_HASH_LEN];
	struct big_drop		*next;
};

struct txn {
	struct account		*account;
	struct backend_txn	*backend;
	bool			 is_write;
	bool			 is_changed;	/* something was put */
	bool			 has_modseq;
	bool			 mailboxes_changed;
	struct account_record	 rec;
	struct mailbox_slot	*mailboxes;
	struct keyword_table	*keywords;	/* NULL until asked for */
	bool			 keywords_dirty;
	struct index		*index;		/* NULL until asked for */
	struct big_drop		*drops;		/* after the commit */
	uint32_t		 pack_written;	/* to sync; 0: none */
	struct arena		 arena;		/* lives as long as this */
	struct buf		 scratch;	/* for one encoding */
};

MUST_USE int	txn_begin(struct account *a, bool write, struct txn **ret_txn);
/* ends it whatever it returns */
MUST_USE int	txn_commit(struct txn **t);
void	txn_abort(struct txn **t);
/* commit if r is no error, else abort; the error of either, or r */
MUST_USE int	txn_finish(struct txn **t, int r);

MUST_USE int	txn_get(struct txn *t, const struct key *k,
		    struct slice *ret_value);
MUST_USE int	txn_put(struct txn *t, const struct key *k,
		    struct slice value);
MUST_USE int	txn_del(struct txn *t, const struct key *k);
/* keys that begin with k and are not below from (NULL: all) */
MUST_USE int	txn_range(struct txn *t, const struct key *k,
		    const struct key *from, struct backend_range **ret_range);
/* the greatest record (a, b') with b' <= b of a space with (u32, u32) keys,
 * or the least with b' >= b; -ENOENT. The value is lent. */
MUST_USE int	txn_last_u32(struct txn *t, enum keyspace space, uint32_t a,
		    uint32_t b, uint32_t *ret_b, struct slice *ret_value);
MUST_USE int	txn_first_u32(struct txn *t, enum keyspace space, uint32_t a,
		    uint32_t b, uint32_t *ret_b, struct slice *ret_value);
/* remove up to *budget records that begin with k; *budget is lowered by what
 * was removed, so 0 says that there may be more */
MUST_USE int	txn_del_range(struct txn *t, const struct key *k,
		    size_t *budget);

/* this transaction's mod-sequence; the first call raises the account's */
uint64_t	txn_modseq(struct txn *t);
/* lends a mailbox's record until the transaction ends; change rec and say
 * txn_mailbox_changed or _touched. -ENOENT also for one that is being
 * removed; txn_mailbox_any gives that too. */
MUST_USE int	txn_mailbox(struct txn *t, uint32_t id,
		    struct mailbox_slot **ret_slot);
MUST_USE int	txn_mailbox_any(struct txn *t, uint32_t id,
		    struct mailbox_slot **ret_slot);
/* a slot for a new record */
struct mailbox_slot	*txn_mailbox_new(struct txn *t, uint32_t id);
/* its name, role or the like changed */
void	txn_mailbox_changed(struct txn *t, struct mailbox_slot *slot);
/* messages in it changed */
void	txn_mailbox_touched(struct txn *t, struct mailbox_slot *slot);
/* write every record that is kept back, so that walks see it */
MUST_USE int	txn_flush(struct txn *t);

/* lends the keyword table */
MUST_USE int	txn_keywords(struct txn *t, struct keyword_table **ret_table);

#endif
