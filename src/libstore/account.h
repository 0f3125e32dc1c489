/* SPDX-License-Identifier: ISC */
/*
 * account: one user's mail, opened. An account is a folder with one
 * transactional file, packs of message bodies, and snapshots; this struct is
 * the only thing that opens them, and holds an exclusive lock on the folder
 * for its life. The account process owns one; `barid store verify` another.
 *
 * Everything here is synchronous. Functions that only read are short and may
 * run on the loop's thread; functions that write end in a flush, and each is
 * one work item on a worker thread. Both may happen at once: the struct has
 * its own locks. Functions that write return 0 only after the change will
 * survive a power cut.
 *
 * Errors common to all: -EBADMSG a damaged record (on_damage was told its
 * key), -ENOSPC disk or map full, -EIO.
 *
 * What is in it: mailbox.h, message.h, body.h, view.h, items.h; its upkeep:
 * pack.h, verify.h, snap.h.
 */
#ifndef LIBSTORE_ACCOUNT_H
#define LIBSTORE_ACCOUNT_H

#include "libstore/backend.h"

struct account;

#define ACCOUNT_ID_MAX		64
#define ACCOUNT_BATCH_MAX	1000	/* objects one transaction may change */
#define BODY_HASH_LEN		32	/* SHA-256 */

/* what a commit did; lent for the call */
struct account_commit {
	uint64_t	 modseq;
	uint64_t	 used_bytes;
	uint64_t	 used_count;
	const uint32_t	*mailboxes;	/* those that changed, in no order */
	size_t		 mailbox_count;
	bool		 mailboxes_changed; /* created, renamed, deleted ... */
};

/* where bodies of 256 KiB and more are kept; all may block */
struct account_big {
	/* make content durable under its hash; NULL: the account's folder */
	int	(*put)(void *arg, const uint8_t hash[BODY_HASH_LEN],
		    struct slice content);
	/* a read-only descriptor */
	int	(*open)(void *arg, const uint8_t hash[BODY_HASH_LEN],
		    int *ret_fd);
	/* no email of this account names it any more */
	void	(*drop)(void *arg, const uint8_t hash[BODY_HASH_LEN]);
	void	*arg;
};

struct account_params {
	bool		create;		/* make the account if there is none */
	bool		wait_lock;	/* wait for the holder of the folder */
	struct slice	id;		/* the account's id, stored at creation */
	uint64_t	map_size;	/* 0: 64 GiB */
	uint64_t	unpacked_limit;	/* bodies in the environment above
					 * which deliveries go to the pack
					 * first; 0: 64 MiB */
	uint64_t	pack_size;	/* a pack is sealed here; 0: 64 MiB */
	uint32_t	delivery_id_hours; /* kept that long; 0: 24 */
	uint32_t	history_days;	/* of vanished UIDs; 0: 60 */
	struct account_big	big;	/* all NULL: big/ in the folder */
	/* seconds since 1970; NULL: the system's clock */
	int64_t		(*now)(void *arg);
	/* after each commit that changed something, on the writer's thread */
	void		(*on_commit)(void *arg, const struct account_commit *c);
	/* a record failed its checksum; on the thread that read it */
	void		(*on_damage)(void *arg, struct slice key);
	void		*arg;		/* for the three above */
};

#define ACCOUNT_PARAMS_INIT	{ .create = false }

struct account_stats {
	uint64_t	modseq;
	uint64_t	used_bytes;	/* sum of the emails' sizes */
	uint64_t	used_count;
	uint64_t	limit_bytes;	/* 0: none */
	uint64_t	limit_count;
	uint64_t	unpacked_bytes;	/* bodies inside the environment */
	uint64_t	pack_live;	/* bytes of pack records in use */
	uint64_t	pack_dead;
	uint32_t	pack_count;
	struct backend_stats	backend;
};

/* open the folder ("." after chroot). -ENOENT no account there (and
 * !create, or packs or dumps of one that is lost), -EBUSY another process holds it (and !wait_lock),
 * -EPROTONOSUPPORT a format newer than this program. A new account has INBOX,
 * Drafts, Sent, Junk, Trash and Archive, subscribed. */
MUST_USE int	account_open(const char *folder, const struct account_params *p,
		    struct account **ret_account);
/* the same on another backend, which the account then owns (taken also when
 * it fails); no folder, so no lock, no big/ and no snapshots */
MUST_USE int	account_open_backend(struct backend **b,
		    const struct account_params *p,
		    struct account **ret_account);
/* everything committed is durable already; nothing may be running */
void	account_close(struct account **a);

/* the id given at creation; lent for the account's life */
struct slice	account_id(const struct account *a);
/* the mod-sequence of the newest commit: IMAP's HIGHESTMODSEQ of the account
 * and JMAP's state. Any thread, no I/O. */
uint64_t	account_modseq(const struct account *a);
MUST_USE int	account_get_stats(struct account *a,
		    struct account_stats *ret_stats);
/* usage and limits alone; any thread, no I/O */
struct account_quota {
	uint64_t	used_bytes, used_count;
	uint64_t	limit_bytes, limit_count;	/* 0: none */
};
void	account_get_quota(struct account *a, struct account_quota *ret_quota);
MUST_USE int	account_set_quota(struct account *a, uint64_t limit_bytes,
		    uint64_t limit_count);

/* the account's keyword table; index is the keyword's number. Names are
 * copied into the arena. */
struct arena;
MUST_USE int	account_keywords(struct account *a, struct arena *arena,
		    struct slice **ret_names, size_t *ret_count);

/* account_work - do a bounded piece of upkeep that earlier calls left:
 * messages of deleted mailboxes, expired delivery ids and history. 1 if there
 * is more to do, 0 if not. A work item; call it after mailbox_delete returned
 * 1, once after opening, and every hour. */
MUST_USE int	account_work(struct account *a);

#endif
