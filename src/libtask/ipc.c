/* SPDX-License-Identifier: ISC */
/*
 * A frame is a header of 12 bytes (length of what follows u32, message number
 * u16, kind u8, number of descriptors u8, request u32) and the fields.
 * Descriptors are sent with the first byte of what is written next, so they
 * are never later than the frame that counts them.
 *
 * Output is collected and written once before the loop waits. When the socket
 * is full the hook is armed again by its turning writable (io.drain).
 */
#include "libtask/ipc.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "libtask/loop_private.h"
#include "libutil/cursor.h"

#define HEAD		12
#define READ_SIZE	LOOP_SCRATCH
#define OUT_WAIT	((size_t)256 << 10)	/* ipc_send waits above this */
#define OUT_MAX		((size_t)32 << 20)	/* ipc_post refuses above this */
#define LAZY_MAX	((size_t)32768)
#define FDS_PER_WRITE	64

enum kind { KIND_NOTE, KIND_CALL, KIND_REPLY, KIND_COUNT };

struct ipc_call {
	struct list		 link;
	struct task		*task;
	const struct ipc_desc	*want;
	struct arena		*arena;
	void			*reply;
	uint32_t		 request;
	int			 result;
	bool			 done;
};

struct sender {
	struct list	 link;
	struct task	*task;
};

struct head {
	size_t		length;
	uint32_t	request;
	uint16_t	number;
	uint8_t		kind;
	uint8_t		fd_count;
};

/* fail - the connection is of no more use; says so to all who wait */
static void
fail(struct ipc_conn *c, int error)
{
	if (c->failure == 0) {
		c->failure = error;
		/* so that who receives hears of it too */
		(void)shutdown(c->io.fd, SHUT_RDWR);
	}
	LIST_EACH(&c->senders, link)
		task_wake(CONTAINER_OF(link, struct sender, link)->task);
	LIST_EACH_SAFE(&c->calls, link) {
		struct ipc_call *call = CONTAINER_OF(link, struct ipc_call, link);

		list_remove(&call->link);
		call->done = true;
		call->result = -ECONNRESET;
		task_wake(call->task);
	}
}

/* --- writing */

/* write_some - one sendmsg of what is queued */
static ssize_t
write_some(struct ipc_conn *c)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(FDS_PER_WRITE * sizeof(int))];
	} u;
	struct iovec	 iov = { c->out.data, c->out.len };
	struct msghdr	 m = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t		 n = size_min(c->out_fd_count, FDS_PER_WRITE);
	ssize_t		 sent;

	if (n > 0) {
		memset(&u, 0, sizeof(u));
		m.msg_control = u.space;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		u.align.cmsg_level = SOL_SOCKET;
		u.align.cmsg_type = SCM_RIGHTS;
		u.align.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&u.align), c->out_fds, n * sizeof(int));
		/* more descriptors than one call takes: one byte now, so that
		 * the rest still comes before the frames that count it */
		if (c->out_fd_count > n)
			iov.iov_len = 1;
	}
	do {
		sent = sendmsg(c->io.fd, &m, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		fd_close(&c->out_fds[i]);
	memmove(c->out_fds, c->out_fds + n,
	    (c->out_fd_count - n) * sizeof(int));
	c->out_fd_count -= n;
	return sent;
}

static void
wake_senders(struct ipc_conn *c)
{
	LIST_EACH(&c->senders, link)
		task_wake(CONTAINER_OF(link, struct sender, link)->task);
}

/* flush_now - write what the socket takes */
static void
flush_now(struct loop_hook *h)
{
	struct ipc_conn	*c = CONTAINER_OF(h, struct ipc_conn, flush);
	size_t		 done = 0;
	ssize_t		 n = 0;

	if (c->failure < 0 || c->io.fd < 0)
		return;
	while (c->out.len > 0 && (n = write_some(c)) > 0) {
		done += (size_t)n;
		buf_consume(&c->out, (size_t)n);
	}
	if (c->out.len == 0)
		c->out_fd_bound = 0;
	if (n == -EAGAIN) {
		if ((n = io_drain_with(&c->io, &c->flush)) < 0)
			fail(c, (int)n);
	} else if (n < 0) {
		fail(c, (int)n);
	}
	if (c->out.len == 0 && c->out.cap > READ_SIZE)
		buf_free(&c->out);
	if (done > 0 && c->out.len < OUT_WAIT)
		wake_senders(c);
}

/* has_fd_room - may one more frame be queued? Descriptors run ahead of the
 * frames that count them, and the peer keeps so many of them only */
static bool
has_fd_room(const struct ipc_conn *c)
{
	return c->out_fd_bound + IPC_FDS_MAX <= IPC_FDS_AHEAD;
}

/* add_frame - queue one frame */
static int
add_frame(struct ipc_conn *c, const struct ipc_desc *d, const void *msg,
    enum kind kind, uint32_t request)
{
	size_t	start, fd_count = 0, length;
	int	fds[IPC_FDS_MAX], r;

	assert((d->from & c->end) != 0);
	/* who answers a thousand calls at once need not wait for the loop */
	if (c->out.len > OUT_MAX || !has_fd_room(c))
		flush_now(&c->flush);
	if (c->failure < 0)
		return c->failure;
	if (c->io.fd < 0)
		return -EBADF;
	if (c->out.len > OUT_MAX || !has_fd_room(c))
		return -ENOBUFS;
	start = c->out.len;
	c->out.max = OUT_MAX + IPC_FRAME_MAX + HEAD;
	for (size_t i = 0; i < HEAD; i++)
		buf_add_byte(&c->out, 0);
	r = ipc_encode(d, msg, &c->out, fds, &fd_count);
	length = c->out.len - start - HEAD;
	if (r == 0 && length > IPC_FRAME_MAX)
		r = -EMSGSIZE;
	for (size_t i = 0; r == 0 && i < fd_count; i++) {
		int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (copy < 0)
			r = -errno;
		else
			c->out_fds[c->out_fd_count++] = copy;
		/* a copy made before a later one fails goes out unused with
		 * the next frame that has descriptors; so take it back */
		while (r < 0 && i-- > 0)
			fd_close(&c->out_fds[--c->out_fd_count]);
	}
	if (r < 0) {
		c->out.overflow = false;
		buf_truncate(&c->out, start);
		return r;
	}
	c->out_fd_bound += fd_count;
	for (size_t i = 0; i < 4; i++) {
		c->out.data[start + i] = (char)(length >> (8 * i));
		c->out.data[start + 8 + i] = (char)(request >> (8 * i));
	}
	c->out.data[start + 4] = (char)d->number;
	c->out.data[start + 5] = (char)(d->number >> 8);
	c->out.data[start + 6] = (char)kind;
	c->out.data[start + 7] = (char)fd_count;
	if (c->out.len > LAZY_MAX)
		loop_hook_arm(c->io.loop, &c->flush);
	return 0;
}

/* add_now - queue one frame, to be written soon */
static int
add_now(struct ipc_conn *c, const struct ipc_desc *d, const void *msg,
    enum kind kind, uint32_t request)
{
	int	r = add_frame(c, d, msg, kind, request);

	if (r == 0 && !c->lazy)
		loop_hook_arm(c->io.loop, &c->flush);
	return r;
}

/* ipc_flush - write what is queued */
void
ipc_flush(struct ipc_conn *c)
{
	if (c->io.fd >= 0 && c->out.len > 0)
		loop_hook_arm(c->io.loop, &c->flush);
}

/* wait_for_room - until little enough is queued */
static int
wait_for_room(struct task *t, struct ipc_conn *c, size_t left)
{
	struct sender	s = { .task = t };
	int		r = 0;

	list_init(&s.link);
	while (r == 0 && c->failure == 0 && c->io.fd >= 0 &&
	    (c->out.len > left || !has_fd_room(c))) {
		loop_hook_arm(c->io.loop, &c->flush);
		list_add_tail(&c->senders, &s.link);
		r = task_suspend(t);
		list_remove(&s.link);
	}
	return r < 0 ? r : c->failure;
}

/* ipc_post - queue a message without waiting */
int
ipc_post(struct ipc_conn *c, const struct ipc_desc *d, const void *msg)
{
	return add_now(c, d, msg, KIND_NOTE, 0);
}

/* ipc_post_later - queue a message that is in no hurry */
int
ipc_post_later(struct ipc_conn *c, const struct ipc_desc *d, const void *msg)
{
	return add_frame(c, d, msg, KIND_NOTE, 0);
}

/* ipc_send - queue a message, waiting for room */
int
ipc_send(struct task *t, struct ipc_conn *c, const struct ipc_desc *d,
    const void *msg)
{
	int r;

	if ((r = wait_for_room(t, c, OUT_WAIT)) < 0)
		return r;
	return ipc_post(c, d, msg);
}

/* ipc_drain - wait until nothing is queued */
int
ipc_drain(struct task *t, struct ipc_conn *c)
{
	return wait_for_room(t, c, 0);
}

/* ipc_reply - answer a request */
int
ipc_reply(struct ipc_conn *c, uint32_t request, const struct ipc_desc *d,
    const void *msg)
{
	/* the peer said as a note what is a call: its fault, and ends it */
	if (request == 0) {
		(void)snprintf(c->error, sizeof(c->error),
		    "%s: a call without a request number, %s would answer it",
		    c->table->name, d->name);
		return -EBADMSG;
	}
	return add_now(c, d, msg, KIND_REPLY, request);
}

/* --- reading */

/* read_some - one recvmsg behind what is buffered. It goes through room that
 * all connections share: room of its own for as much as may come would be taken
 * and given back for each message. */
static ssize_t
read_some(struct ipc_conn *c)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(FDS_PER_WRITE * sizeof(int))];
	} u;
	struct iovec	 iov = { .iov_len = READ_SIZE };
	struct msghdr	 m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = u.space,
			    .msg_controllen = sizeof(u.space) };
	ssize_t		 n;
	bool		 lost = false;

	if (c->io.fd < 0)
		return -EBADF;
	if (io_is_dry(&c->io))
		return -EAGAIN;
	iov.iov_base = loop_scratch(c->io.loop);
	do {
		n = recvmsg(c->io.fd, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL;
	    h = CMSG_NXTHDR(&m, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (c->in_fd_count < COUNT(c->in_fds)) {
				c->in_fds[c->in_fd_count++] = fd;
			} else {
				fd_close(&fd);
				lost = true;
			}
		}
	}
	if (lost || (m.msg_flags & MSG_CTRUNC) != 0)
		return -EBADMSG;
	/* a call ends early where descriptors begin or end: such a short one
	 * says nothing of what is left */
	c->io.dry = n > 0 && (size_t)n < READ_SIZE &&
	    m.msg_controllen == 0 && !c->io.ended;
	buf_add(&c->in, slice_over(iov.iov_base, (size_t)n));
	return buf_check(&c->in) < 0 ? -EMSGSIZE : n;
}

static struct slice
unread(const struct ipc_conn *c)
{
	return slice_from(buf_slice(&c->in), c->in_at);
}

/* parse_head - the header of the next frame; -EAGAIN if it is not whole */
static int
parse_head(struct ipc_conn *c, struct head *ret_head)
{
	struct cursor	in = cursor_over(unread(c));
	uint32_t	length;
	struct head	h;
	int		kind, count;

	if (cursor_le32(&in, &length) < 0 || cursor_le16(&in, &h.number) < 0 ||
	    (kind = cursor_byte(&in)) < 0 || (count = cursor_byte(&in)) < 0 ||
	    cursor_le32(&in, &h.request) < 0)
		return -EAGAIN;
	if (length > IPC_FRAME_MAX || kind >= KIND_COUNT ||
	    count > IPC_FDS_MAX || (kind != KIND_NOTE) != (h.request != 0)) {
		(void)snprintf(c->error, sizeof(c->error),
		    "%s: malformed frame header", c->table->name);
		return -EBADMSG;
	}
	if (cursor_left(&in) < length)
		return -EAGAIN;
	h.length = length;
	h.kind = (uint8_t)kind;
	h.fd_count = (uint8_t)count;
	*ret_head = h;
	return 0;
}

/* fill - have at least one whole frame */
static int
fill(struct task *t, struct ipc_conn *c, struct head *h)
{
	ssize_t	n;
	int	r;

	while ((r = parse_head(c, h)) == -EAGAIN) {
		if (c->in_at > 0) {
			buf_consume(&c->in, c->in_at);
			c->in_at = 0;
		}
		if ((n = read_some(c)) == 0)
			return c->in.len == 0 ? -ENODATA : -ECONNRESET;
		if (n == -EAGAIN) {
			if (c->in.len == 0)
				buf_free(&c->in);
			if ((r = io_wait_read(t, &c->io)) < 0)
				return r;
		} else if (n < 0) {
			return (int)n;
		}
	}
	return r;
}

/* may - is this message allowed here, now, from the peer? */
static int
may(struct ipc_conn *c, const struct ipc_desc *d, const struct head *h)
{
	enum ipc_end	 peer = c->end == IPC_CALLER ? IPC_CALLEE : IPC_CALLER;
	const char	*why = NULL;

	if (d == NULL)
		why = "unknown message";
	else if ((d->from & peer) == 0)
		why = "message from the wrong end";
	else if ((d->when & c->state) == 0)
		why = "message out of state";
	if (why == NULL)
		return 0;
	(void)snprintf(c->error, sizeof(c->error), "%s: %s %s (%u)",
	    c->table->name, why, d == NULL ? "" : d->name, h->number);
	return -EBADMSG;
}

static struct ipc_call *
find_call(struct ipc_conn *c, uint32_t request)
{
	LIST_EACH(&c->calls, link) {
		struct ipc_call *call = CONTAINER_OF(link, struct ipc_call, link);

		if (call->request == request)
			return call;
	}
	return NULL;
}

/* take_frame - decode the frame at the front into an arena */
static int
take_frame(struct ipc_conn *c, const struct head *h, const struct ipc_desc *d,
    struct arena *a, void **ret_msg)
{
	struct buf	why = BUF_INIT_MAX(sizeof(c->error) - 1);
	struct slice	body = slice_sub(unread(c), HEAD, h->length);
	int		fds[IPC_FDS_MAX], r;

	if (h->fd_count > c->in_fd_count) {
		(void)snprintf(c->error, sizeof(c->error),
		    "%s: %s came without its descriptors", c->table->name,
		    d->name);
		return -EBADMSG;
	}
	memcpy(fds, c->in_fds, h->fd_count * sizeof(int));
	c->in_fd_count -= h->fd_count;
	memmove(c->in_fds, c->in_fds + h->fd_count,
	    c->in_fd_count * sizeof(int));
	r = ipc_decode(d, arena_dup(a, body), fds, h->fd_count, a, ret_msg,
	    &why);
	for (size_t i = 0; i < h->fd_count; i++)
		fd_close(&fds[i]);	/* what the message did not take */
	if (r < 0)
		(void)snprintf(c->error, sizeof(c->error), "%s: %.*s",
		    c->table->name, SLICE_ARG(buf_slice(&why)));
	buf_free(&why);
	c->in_at += HEAD + h->length;
	return r;
}

/* take_reply - hand a reply to the call that waits for it */
static int
take_reply(struct ipc_conn *c, const struct head *h, const struct ipc_desc *d)
{
	struct ipc_call	*call = find_call(c, h->request);
	struct arena	 waste = ARENA_INIT;
	void		*msg;
	int		 r;

	if (call == NULL) {
		/* the caller was cancelled and has gone */
		r = take_frame(c, h, d, &waste, &msg);
		if (r == 0)
			ipc_close_fds(d, msg);
		arena_free(&waste);
		return r;
	}
	if (call->want != d) {
		(void)snprintf(c->error, sizeof(c->error),
		    "%s: %s is no answer to this call", c->table->name, d->name);
		return -EBADMSG;
	}
	if ((r = take_frame(c, h, d, call->arena, &call->reply)) < 0)
		return r;
	list_remove(&call->link);
	call->done = true;
	task_wake(call->task);
	return 0;
}

/* ipc_recv - the next message that is no reply */
int
ipc_recv(struct task *t, struct ipc_conn *c, struct arena *a,
    struct ipc_in *ret_in)
{
	const struct ipc_desc	*d;
	struct ipc_in		 in;
	struct head		 h;
	int			 r = 0;

	if (task_is_cancelled(t))
		return -ECANCELED;
	while (r == 0) {
		if (c->io.fd < 0)
			return -EBADF;
		if ((r = fill(t, c, &h)) < 0)
			break;
		d = ipc_find(c->table, h.number);
		if ((r = may(c, d, &h)) < 0)
			break;
		if (h.kind == KIND_REPLY) {
			r = take_reply(c, &h, d);
			continue;
		}
		in.desc = d;
		in.request = h.request;
		if ((r = take_frame(c, &h, d, a, &in.msg)) < 0)
			break;
		*ret_in = in;
		return 0;
	}
	if (r != -ECANCELED)
		fail(c, r == -ENODATA ? -EPIPE : r);
	return r;
}

/* ipc_has_input - is a whole frame buffered? */
bool
ipc_has_input(const struct ipc_conn *c)
{
	struct cursor	in = cursor_over(unread(c));
	uint32_t	length;

	return cursor_le32(&in, &length) == 0 &&
	    cursor_left(&in) >= HEAD - 4 + (size_t)length;
}

/* ipc_in_done - close what nobody took */
void
ipc_in_done(struct ipc_in *in)
{
	if (in->desc != NULL && in->msg != NULL)
		ipc_close_fds(in->desc, in->msg);
	in->msg = NULL;
}

/* ipc_call - ask, and wait for the answer */
int
ipc_call(struct task *t, struct ipc_conn *c, const struct ipc_desc *ask,
    const void *msg, const struct ipc_desc *want, struct arena *a,
    void **ret_reply)
{
	struct ipc_call	call = { .task = t, .want = want, .arena = a };
	int		r;

	if ((r = wait_for_room(t, c, OUT_WAIT)) < 0)
		return r;
	if (++c->last_request == 0)
		c->last_request = 1;
	call.request = c->last_request;
	list_init(&call.link);
	r = add_now(c, ask, msg, KIND_CALL, call.request);
	if (r < 0)
		return r;
	list_add_tail(&c->calls, &call.link);
	while (!call.done && r == 0)
		r = task_suspend(t);
	list_remove(&call.link);
	if (call.done)
		r = call.result;
	if (r == 0)
		*ret_reply = call.reply;
	return r;
}

/* ipc_run_replies - receive replies and nothing else */
int
ipc_run_replies(struct task *t, struct ipc_conn *c)
{
	struct arena	a = ARENA_INIT;
	struct ipc_in	in;
	int		r;

	if ((r = ipc_recv(t, c, &a, &in)) == 0) {
		(void)snprintf(c->error, sizeof(c->error),
		    "%s: %s where only answers are expected", c->table->name,
		    in.desc->name);
		ipc_in_done(&in);
		fail(c, -EBADMSG);
		r = -EBADMSG;
	}
	arena_free(&a);
	return r;
}

/* --- life */

/* ipc_open - take a connected socket */
void
ipc_open(struct ipc_conn *c, struct loop *l, int *fd_take,
    const struct ipc_table *table, enum ipc_end end)
{
	memset(c, 0, sizeof(*c));
	io_open(&c->io, l, fd_take);
	loop_hook_init(&c->flush, flush_now);
	list_init(&c->senders);
	list_init(&c->calls);
	c->table = table;
	c->end = end;
	c->state = IPC_STATE_ANY;
	c->in.max = IPC_FRAME_MAX + HEAD + READ_SIZE;
}

/* ipc_close - end it */
void
ipc_close(struct ipc_conn *c)
{
	if (c->io.fd < 0 || c->table == NULL)
		return;
	if (c->failure == 0 && c->out.len > 0)
		flush_now(&c->flush);	/* what was said is said */
	fail(c, -ECONNRESET);
	loop_hook_disarm(&c->flush);
	io_close(&c->io);
	for (size_t i = 0; i < c->in_fd_count; i++)
		fd_close(&c->in_fds[i]);
	for (size_t i = 0; i < c->out_fd_count; i++)
		fd_close(&c->out_fds[i]);
	c->in_fd_count = c->out_fd_count = 0;
	buf_free(&c->in);
	buf_free(&c->out);
}

/* ipc_is_open - may it still be used? */
bool
ipc_is_open(const struct ipc_conn *c)
{
	return c->table != NULL && c->io.fd >= 0 && c->failure == 0;
}

/* ipc_has_ended - has the peer closed, as far as can be seen now? */
bool
ipc_has_ended(const struct ipc_conn *c)
{
	char	byte;

	if (!ipc_is_open(c))
		return true;
	return !io_is_dry(&c->io) &&
	    recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* ipc_set_state - from now on only messages of these states may come */
void
ipc_set_state(struct ipc_conn *c, uint32_t states)
{
	c->state = states;
}

/* ipc_error - what the peer did wrong */
const char *
ipc_error(const struct ipc_conn *c)
{
	return c->error;
}
