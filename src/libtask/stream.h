/* SPDX-License-Identifier: ISC */
/*
 * stream: buffered reading and writing on a connection, with optional TLS
 * under it. One task uses a stream at a time.
 *
 * Reading lends slices of the stream's buffer that live until the next read
 * on it. Writing collects; what was collected goes out when the buffer is
 * full, when a read has to wait, or with stream_flush: so pipelined commands
 * are answered in one write. An idle stream holds no buffers.
 *
 * Results besides those of task.h: -ENODATA when the peer has ended its side,
 * -ECONNRESET and the like when the connection broke.
 */
#ifndef LIBTASK_STREAM_H
#define LIBTASK_STREAM_H

#include "libtask/io.h"
#include "libutil/buf.h"

struct tls;
struct tls_context;
struct tls_peer;

struct stream {
	struct io	 io;
	struct tls	*tls;
	char		*in;		/* NULL while nothing is buffered */
	size_t		 in_at;		/* first byte not yet consumed */
	size_t		 in_len;	/* end of what is buffered */
	size_t		 in_cap;
	struct buf	 out;
	uint64_t	 bytes_in;	/* since it was opened, above TLS */
	uint64_t	 bytes_out;
	int		 failure;	/* of writing; sticks */
};

#define STREAM_OUT_MAX	((size_t)16384)	/* collected before it is written */

/* take a connected descriptor, of which nobody else has a copy */
void	stream_open(struct stream *s, struct loop *l, int *fd_take);
/* close at once, dropping what was not flushed; no-op on a closed one */
void	stream_close(struct stream *s);
bool	stream_is_open(const struct stream *s);

/* a line without its end (CRLF, or LF alone); -EMSGSIZE when it is longer
 * than max: then it has been skipped to its end. What was collected for
 * writing is flushed before it waits. */
MUST_USE int	stream_read_line(struct task *t, struct stream *s, size_t max,
		    struct slice *ret_line);
/* whatever is there, at least one byte; nothing is consumed */
MUST_USE int	stream_peek(struct task *t, struct stream *s,
		    struct slice *ret_bytes);
/* the same without waiting; -EAGAIN when nothing is there */
MUST_USE int	stream_try_peek(struct stream *s, struct slice *ret_bytes);
/* after -EAGAIN: flush, and wait until that may be worth another try, or the
 * signal is set, which stays set; for who serves the stream and something
 * else in one task */
MUST_USE int	stream_wait_or(struct task *t, struct stream *s,
		    struct signal *other);
/* consume n bytes of what stream_peek lent */
void	stream_consume(struct stream *s, size_t n);
/* exactly len bytes (at most 64 KiB), consumed */
MUST_USE int	stream_read_bytes(struct task *t, struct stream *s, size_t len,
		    struct slice *ret_bytes);
/* what is buffered now, without reading */
struct slice	stream_buffered(const struct stream *s);
/* is there input (buffered, or on the socket) that nobody waited for? */
bool	stream_has_input(struct stream *s);

/* collect bytes to write; suspends only when the buffer is full. After a
 * failure it does nothing and says so again. */
MUST_USE int	stream_write(struct task *t, struct stream *s, struct slice bytes);
MUST_USE int	stream_writef(struct task *t, struct stream *s,
		    const char *format, ...)
		    __attribute__((format(printf, 3, 4)));
/* write len bytes of a file from offset on */
MUST_USE int	stream_write_fd(struct task *t, struct stream *s, int fd,
		    uint64_t offset, uint64_t len);
MUST_USE int	stream_flush(struct task *t, struct stream *s);
/* flush and tell the peer that no more comes */
MUST_USE int	stream_shutdown(struct task *t, struct stream *s);

/* Begin TLS on an open stream, as the context's role says, and shake hands.
 * -EPROTO if bytes are buffered already: what came before the switch must not
 * be taken for what comes after it (RFC 3207 4.2). A client says whom it
 * expects (tls.h); a server passes NULL. */
MUST_USE int	stream_start_tls(struct task *t, struct stream *s,
		    struct tls_context *ctx, const struct tls_peer *peer);

#endif
