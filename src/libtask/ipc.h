/* SPDX-License-Identifier: ISC */
/*
 * ipc: conversations between daemons, as frames of typed fields on a Unix
 * stream socket, with descriptors. What may be said is declared once in a
 * table (ipc_X.def); structs, encoder, decoder, bounds, and who may say it in
 * which state derive from it:
 *
 *	STATE(CONTENT_OPEN, 0, "what this state means")
 *	RECORD(rcpt, "one recipient")			used by LIST below
 *	FIELD(rcpt, STR, address, 320, "...")
 *	END(rcpt)
 *	MESSAGE(offer, 1, CALLER, ANY, "what it asks")
 *	FIELD(offer, STR, queue_id, 31, "...")		struct slice queue_id
 *	LIST(offer, rcpt, rcpts, 50000, "...")		.v, .n
 *	END(offer)
 *	#include "libtask/ipc_undef.h"
 *
 * gives struct msg_offer, MSG_offer and msg_offer_desc. Field types: U32, U64,
 * I64, BOOL, STR (no NUL in it), BYTES, FD, OPTFD (-1 when absent); descriptors
 * only in messages, not in records. The bound of a U32 is its largest value, 0
 * for any; of STR and BYTES their length; of a LIST its count.
 *
 * The receiver skips fields it does not know; one that is missing, too long or
 * misplaced, a message out of state or from the wrong end is -EBADMSG with a
 * sentence in ipc_error(), and the connection is of no more use. Sent
 * descriptors are lent (copied); received ones belong to whoever received
 * them: what is left in a message when ipc_in_done is called is closed.
 */
#ifndef LIBTASK_IPC_H
#define LIBTASK_IPC_H

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

enum ipc_type {
	IPC_U32, IPC_U64, IPC_I64, IPC_BOOL, IPC_STR, IPC_BYTES, IPC_FD,
	IPC_OPTFD, IPC_LIST
};

#define IPC_CTYPE_U32	uint32_t
#define IPC_CTYPE_U64	uint64_t
#define IPC_CTYPE_I64	int64_t
#define IPC_CTYPE_BOOL	bool
#define IPC_CTYPE_STR	struct slice
#define IPC_CTYPE_BYTES	struct slice
#define IPC_CTYPE_FD	int
#define IPC_CTYPE_OPTFD	int

/* the layout of every list field, whatever its record is */
struct ipc_list {
	void	*v;
	size_t	 n;
};

enum ipc_end { IPC_CALLER = 1, IPC_CALLEE = 2, IPC_EITHER = 3 };

struct ipc_field {
	const char		*name;		/* NULL ends the array */
	const struct ipc_desc	*record;	/* of a list */
	const char		*doc;
	uint32_t		 offset;
	uint32_t		 max;		/* bytes, things, or the value */
	enum ipc_type		 type;
};

struct ipc_desc {
	const char		*name;
	const char		*doc;
	const struct ipc_field	*fields;
	size_t			 size;		/* of the struct */
	uint32_t		 when;		/* states, as a bit mask */
	uint16_t		 number;	/* 0: a record */
	uint8_t			 from;		/* enum ipc_end */
};

struct ipc_table {
	const char			*name;
	const struct ipc_desc *const	*messages;	/* NULL ends the array */
};

#define IPC_STATE_ANY	UINT32_MAX

#define IPC_FRAME_MAX	((size_t)16 << 20)
#define IPC_FDS_MAX	16		/* in one frame */
#define IPC_FDS_AHEAD	128		/* that may arrive before their frames */

/* --- bytes <-> structs, without a connection */

/* append the fields of a message (or record) to out; its descriptors, in
 * order, to fds. -EMSGSIZE if a field is over its bound. */
MUST_USE int	ipc_encode(const struct ipc_desc *d, const void *msg,
		    struct buf *out, int fds[IPC_FDS_MAX], size_t *fd_count);
/* the struct, in the arena, slices pointing into `in`; takes the descriptors
 * it uses out of fds (sets them to -1). why may be NULL. */
MUST_USE int	ipc_decode(const struct ipc_desc *d, struct slice in, int *fds,
		    size_t fd_count, struct arena *a, void **ret_msg,
		    struct buf *why);
/* the same for storage: no descriptors may be in it */
MUST_USE int	ipc_pack(const struct ipc_desc *d, const void *msg,
		    struct buf *out);
MUST_USE int	ipc_unpack(const struct ipc_desc *d, struct slice in,
		    struct arena *a, void **ret_msg);
/* close the descriptors that are still in a decoded message */
void	ipc_close_fds(const struct ipc_desc *d, void *msg);
/* one line for a trace: name{field=value ...} with long values cut */
void	ipc_format(const struct ipc_desc *d, const void *msg, struct buf *out);
const struct ipc_desc	*ipc_find(const struct ipc_table *table, uint16_t number);

/* --- a connection */

struct ipc_call;

struct ipc_conn {
	struct io		 io;
	struct loop_hook	 flush;
	const struct ipc_table	*table;
	enum ipc_end		 end;		/* which one we are */
	uint32_t		 state;		/* current states, a bit mask */
	uint32_t		 last_request;
	struct buf		 in;
	size_t			 in_at;
	struct buf		 out;
	int			 in_fds[IPC_FDS_AHEAD];
	size_t			 in_fd_count;
	int			 out_fds[IPC_FDS_AHEAD];
	size_t			 out_fd_count;
	size_t			 out_fd_bound;	/* of frames that are queued,
						 * in whole or in part */
	struct list		 senders;	/* tasks that wait for room */
	struct list		 calls;		/* that wait for replies */
	int			 failure;	/* of writing or reading; sticks */
	bool			 lazy;		/* write at ipc_flush, or when much
					 * is queued */
	char			 error[160];
};

/* take a connected Unix stream socket */
void	ipc_open(struct ipc_conn *c, struct loop *l, int *fd_take,
	    const struct ipc_table *table, enum ipc_end end);
/* close; calls that wait get -ECONNRESET */
void	ipc_close(struct ipc_conn *c);
bool	ipc_is_open(const struct ipc_conn *c);
void	ipc_set_state(struct ipc_conn *c, uint32_t states);
/* has the peer closed, or has it failed, as far as can be seen now? */
bool	ipc_has_ended(const struct ipc_conn *c);
/* what was wrong with what the peer sent, or "" */
const char	*ipc_error(const struct ipc_conn *c);

/* queue a message; it goes out with others before the loop next waits.
 * ipc_post never suspends and says -ENOBUFS when too much waits already that
 * the peer has not taken;
 * ipc_send waits for room. msg's descriptors are copied. */
MUST_USE int	ipc_post(struct ipc_conn *c, const struct ipc_desc *d,
		    const void *msg);
MUST_USE int	ipc_send(struct task *t, struct ipc_conn *c,
		    const struct ipc_desc *d, const void *msg);
/* as ipc_post, but it goes out with the next message, when much is queued, or
 * at ipc_flush */
MUST_USE int	ipc_post_later(struct ipc_conn *c, const struct ipc_desc *d,
		    const void *msg);
/* write soon what is queued */
void	ipc_flush(struct ipc_conn *c);
/* wait until all that was queued is with the kernel */
MUST_USE int	ipc_drain(struct task *t, struct ipc_conn *c);

struct ipc_in {
	const struct ipc_desc	*desc;
	void			*msg;
	uint32_t		 request;	/* 0: wants no reply */
};

/* the next message that is no reply to a call; memory from the arena.
 * -ENODATA when the peer has closed. Wakes those who wait in ipc_call. One
 * task at a time receives on a connection. */
MUST_USE int	ipc_recv(struct task *t, struct ipc_conn *c, struct arena *a,
		    struct ipc_in *ret_in);
/* is there another message already, so that ipc_recv would not wait? */
bool	ipc_has_input(const struct ipc_conn *c);
/* close the descriptors nobody took */
void	ipc_in_done(struct ipc_in *in);
/* answer a message that was received; -EBADMSG when it came without a request
 * number, so was no call: to be returned, as the end of the connection */
MUST_USE int	ipc_reply(struct ipc_conn *c, uint32_t request,
		    const struct ipc_desc *d, const void *msg);

/* ask and wait for the reply, which must be of that kind; memory from the
 * arena. Another task must be in ipc_recv (ipc_run_replies will do). */
MUST_USE int	ipc_call(struct task *t, struct ipc_conn *c,
		    const struct ipc_desc *ask, const void *msg,
		    const struct ipc_desc *want, struct arena *a,
		    void **ret_reply);
/* receive replies until the connection ends; any other message is an error */
MUST_USE int	ipc_run_replies(struct task *t, struct ipc_conn *c);

/* serve: each message is given to fn, one after the other */
typedef int	ipc_handler(struct task *t, struct ipc_conn *c,
		    struct ipc_in *in, struct arena *a, void *arg);
MUST_USE int	ipc_serve(struct task *t, struct ipc_conn *c, ipc_handler *fn,
		    void *arg);
/* the same with up to `limit` messages handled at once, a task each; fn must
 * not assume an order */
MUST_USE int	ipc_serve_parallel(struct task *t, struct ipc_conn *c,
		    ipc_handler *fn, void *arg, size_t limit);

#endif
