/* SPDX-License-Identifier: ISC */
/*
 * qstate_backend: the narrow waist under qstate: an ordered map of bytes with
 * transactions, in LMDB (qstate_lmdb.c) or in memory (qstate_memory.c). For
 * the qstate_*.c files only.
 *
 * Results are 0 or -errno; -ENOENT: no such key, or no further one. What get,
 * seek and next lend lives until the transaction changes or ends.
 */
#ifndef LIBGLOBAL_QSTATE_BACKEND_H
#define LIBGLOBAL_QSTATE_BACKEND_H

#include <stdatomic.h>

#include "libglobal/qstate.h"

#define QSTATE_META_VERSION	1

struct qstate_txn;	/* the back end's own */

struct qstate_backend {
	/* one write transaction at a time; reads run beside it */
	int	(*begin)(void *env, bool write, struct qstate_txn **ret_txn);
	/* end without a change; the only end of a read */
	void	(*abort)(struct qstate_txn *txn);
	/* end durably; the transaction is over whatever this returns */
	int	(*commit)(struct qstate_txn *txn);
	int	(*get)(struct qstate_txn *txn, struct slice key,
		    struct slice *ret_value);
	int	(*put)(struct qstate_txn *txn, struct slice key,
		    struct slice value);
	int	(*del)(struct qstate_txn *txn, struct slice key);
	/* the first key that is not before this one, and the one after it */
	int	(*seek)(struct qstate_txn *txn, struct slice from,
		    struct slice *ret_key, struct slice *ret_value);
	int	(*next)(struct qstate_txn *txn, struct slice *ret_key,
		    struct slice *ret_value);
	void	(*close)(void *env);
};

struct qstate {
	const struct qstate_backend	*be;
	void				*env;
	bool				 read_only;
	atomic_bool			 broken;	/* a commit failed */
};

/* make a qstate of an open back end, and prove its version */
int	qstate_attach(const struct qstate_backend *be, void *env,
	    bool read_only, struct qstate **ret_state);

/* records through a transaction; -ENOENT, -EBADMSG. Texts are lent. */
int	qstate_txn_message(const struct qstate *s, struct qstate_txn *txn,
	    const struct queue_id *id, struct qstate_message *ret_message);
int	qstate_txn_rcpt(const struct qstate *s, struct qstate_txn *txn,
	    const struct queue_id *id, uint32_t index,
	    struct qstate_rcpt *ret_rcpt);
int	qstate_txn_slot(const struct qstate *s, struct qstate_txn *txn,
	    struct slot_ref ref, struct qstate_slot *ret_slot);
/* a value under its key, checksum proved and taken off */
int	qstate_txn_get(const struct qstate *s, struct qstate_txn *txn,
	    const struct qstate_key *key, struct slice *ret_value);

/* call fn with each index key of a message (but for its recipients'); a
 * negative result ends it and is returned */
int	qstate_each_index(const struct qstate_message *m,
	    int (*fn)(void *arg, const struct qstate_key *key), void *arg);

#endif
