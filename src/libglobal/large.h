/* SPDX-License-Identifier: ISC */
/*
 * large: messages too big for a slot (or for memory) get a file of their own,
 * queue/large/<id>, named <id>.tmp until it is committed. Content comes first,
 * from offset 0 on, so that a descriptor, 0 and a length are all that an agent
 * needs; envelope block and header (qformat.h) follow it, written when they are
 * known, at the end of data.
 *
 * cleanup writes, commits and unlinks; qmgr opens and reads. Nothing here waits
 * on a loop: each call that touches the disk is meant to be one work item.
 * Unlinking comes after the state knows the id as finished, and the state
 * forgets it after the unlink is durable (qstate.h), so a crash between them
 * brings no message back.
 */
#ifndef LIBGLOBAL_LARGE_H
#define LIBGLOBAL_LARGE_H

#include "libglobal/qformat.h"
#include "libutil/buf.h"

/* a file that is being written; owned by whoever writes it */
struct large {
	struct queue_id	id;
	int		fd;		/* -1: none */
	uint64_t	len;		/* content so far */
	uint32_t	crc;		/* of it */
	bool		committed;
};

#define LARGE_INIT	{ QUEUE_ID_INIT, -1, 0, 0, false }

/* begin <id>.tmp; -EEXIST: there is such a message */
MUST_USE int	large_create(int queue_fd, const struct queue_id *id,
		    struct large *ret_large);
/* append content. -ENOSPC and others: give up with large_abandon. */
MUST_USE int	large_write(struct large *l, struct slice bytes);
/* add envelope and header, flush, rename, flush the folder: 0 only if it
 * survives a power cut. After a failure there is large_abandon only. */
MUST_USE int	large_commit(int queue_fd, struct large *l, int64_t arrival,
		    struct slice envelope);
/* close, and unlink what was not committed */
void	large_abandon(int queue_fd, struct large *l);
/* close after a commit; large_abandon does so as well */
void	large_close(struct large *l);

/* open a committed one read-only and verify header and envelope. The content
 * is at offset 0, ret_head->content_len bytes. ret_envelope may be NULL. */
MUST_USE int	large_open(int queue_fd, const struct queue_id *id,
		    int *ret_fd, struct queue_head *ret_head,
		    struct buf *ret_envelope);
/* read-only, of one that is not committed yet: what agents get meanwhile */
MUST_USE int	large_reopen(int queue_fd, const struct large *l, int *ret_fd);
/* is the content whole? 0 or -EBADMSG */
MUST_USE int	large_check_content(int fd, const struct queue_head *head);
/* flush the folder, for who died before it */
MUST_USE int	large_flush_folder(int queue_fd);
/* unlink, and flush the folder; one that is gone already is no error */
MUST_USE int	large_unlink(int queue_fd, const struct queue_id *id);

/* r is what large_open said */
typedef int	large_found_fn(void *arg, const struct queue_id *id, int r,
		    const struct queue_head *head);
/* all committed ones; ret_strange (may be NULL) counts names that are neither
 * a large file nor a .tmp */
MUST_USE int	large_scan(int queue_fd, large_found_fn *found, void *arg,
		    size_t *ret_strange);
/* unlink the .tmp files that nobody writes any more. Who writes one holds a
 * lock on it (flock), so this may run at any time; it needs write permission
 * on the folder. */
MUST_USE int	large_sweep(int queue_fd, size_t *ret_removed);

#endif
