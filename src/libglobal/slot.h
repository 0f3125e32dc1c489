/* SPDX-License-Identifier: ISC */
/*
 * slot: the files of the queue that hold one message each, made once and used
 * again and again: header, envelope block (bytes of the caller's), content.
 * cleanup commits messages into slots that qmgr leased to it; qmgr reads them
 * back. Nothing here waits on a loop: each function is meant to be one work
 * item, and none keeps state between calls.
 *
 * Promises: slot_commit returns 0 only if the message survives a power cut; it
 * is one write and one flush. A commit that was cut short is never taken for a
 * message: a checksum fails. After any failure of slot_commit but -EMSGSIZE,
 * -ENOENT and -ESTALE the slot must be retired (qstate_batch_retire) and its
 * descriptor closed: after a failed flush nobody knows what the disk holds, and
 * the kernel reports the error once only, so a second flush would lie.
 *
 * Of two who believe that a slot is theirs (one was away for so long that its
 * lease was given to another) only one commits: who writes holds a lock on the
 * file, and writes over no whole message of the same or of a later generation.
 *
 * Nothing is written when a message is finished: a slot is free when the state
 * says that the id in its header is the slot's last finished one (qstate.h).
 *
 * All paths are relative to queue_fd, a descriptor of the queue folder
 * (AT_FDCWD for a process whose root and current folder it is).
 */
#ifndef LIBGLOBAL_SLOT_H
#define LIBGLOBAL_SLOT_H

#include <sys/types.h>

#include "libglobal/qformat.h"
#include "libutil/buf.h"

struct diag;

/* --- the folders */

struct queue_owner {
	uid_t	cleanup;	/* owns slots and large files */
	uid_t	qmgr;		/* owns the state */
	gid_t	group;		/* barid-queue: what both may read */
};

/* everything belongs to who runs the program */
#define QUEUE_OWNER_SELF ((struct queue_owner){ (uid_t)-1, (uid_t)-1, (gid_t)-1 })

/* make the folders that are missing and give all of them owner and mode; for
 * root, or for QUEUE_OWNER_SELF. The finding says which folder failed. */
MUST_USE int	queue_folders_make(int queue_fd, const struct queue_owner *o,
		    struct diag *d);
/* is everything there, with this owner, and closed to others? -EBADMSG with
 * the first finding */
MUST_USE int	queue_folders_check(int queue_fd, const struct queue_owner *o,
		    struct diag *d);

/* --- making and removing slots */

/* make preallocated, zero-filled, synced files; numbers that exist are left
 * as they are. On failure none of the missing ones is half there. */
MUST_USE int	slot_grow(int queue_fd, uint8_t class, const uint32_t *numbers,
		    size_t count);
/* unlink slots that the state knows as free (or as retired, by the admin) */
MUST_USE int	slot_shrink(int queue_fd, uint8_t class,
		    const uint32_t *numbers, size_t count);
/* to read, or to write (and read); the caller closes it */
MUST_USE int	slot_open_read(int queue_fd, struct slot_ref ref, int *ret_fd);
MUST_USE int	slot_open_write(int queue_fd, struct slot_ref ref, int *ret_fd);

/* --- committing */

/* a part of the content: bytes, or (fd >= 0) a range of a file that nobody
 * can shorten meanwhile: a sealed memory file, or one of the caller's own */
struct slot_piece {
	int		fd;
	uint64_t	offset;		/* fd >= 0 only */
	uint64_t	len;		/* fd >= 0 only */
	struct slice	bytes;		/* fd < 0 only */
};

#define SLOT_PIECE_BYTES(s)	((struct slot_piece){ -1, 0, 0, (s) })
#define SLOT_PIECE_FILE(fd, offset, len) \
	((struct slot_piece){ (fd), (offset), (len), SLICE_EMPTY })
#define SLOT_PIECES_MAX		64

struct slot_message {
	struct queue_id			 id;
	int64_t				 arrival;	/* microseconds since 1970 */
	uint64_t			 generation;	/* from the lease */
	struct slice			 envelope;
	const struct slot_piece		*piece;		/* written in this order */
	size_t				 piece_count;
};

/* the message into the slot, flushed; the descriptor is one of slot_open_write
 * and nobody else's. -EMSGSIZE: it does not fit; -ESTALE: the slot is another's;
 * -ENOENT: its file was removed: nothing was touched. After any other failure
 * the slot is to be retired. */
MUST_USE int	slot_commit(int fd, struct slot_ref ref,
		    const struct slot_message *m);

/* --- reading; a descriptor of slot_open_read suffices */

/* the header; errors of qformat_head_decode, and -EBADMSG if it is another
 * slot's or does not fit into the file */
MUST_USE int	slot_read_head(int fd, struct slot_ref ref,
		    struct queue_head *ret_head);
/* the envelope block, verified, replaces what is in ret_envelope */
MUST_USE int	slot_read_envelope(int fd, const struct queue_head *head,
		    struct buf *ret_envelope);
/* is the content whole? 0 or -EBADMSG */
MUST_USE int	slot_check_content(int fd, const struct queue_head *head);
/* the content to the start of another file (a new memory file), verified:
 * what was copied is valid only if this returns 0 */
MUST_USE int	slot_copy_content(int fd, const struct queue_head *head,
		    int to_fd);
/* -EBUSY while somebody commits into it; else nobody does until the descriptor
 * is closed */
MUST_USE int	slot_lock_read(int fd);
/* flush a slot that a process wrote and may not have flushed before it died */
MUST_USE int	slot_flush(int fd);

/* --- all of them, at start-up */

/* r is what slot_read_head said: 0 with a header, -ENODATA never used,
 * -EBADMSG, -EPROTONOSUPPORT, or why the file cannot be read. A negative
 * return ends the walk and becomes its result. */
typedef int	slot_found_fn(void *arg, struct slot_ref ref, int r,
		    const struct queue_head *head);
/* ret_strange (may be NULL) counts names that are no slot */
MUST_USE int	slot_scan(int queue_fd, slot_found_fn *found, void *arg,
		    size_t *ret_strange);

#endif
