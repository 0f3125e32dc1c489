/* SPDX-License-Identifier: ISC */
/*
 * The input buffer is taken when bytes come and given back when all of it is
 * consumed and a read has to wait. It grows only for a line or a run of bytes
 * that is longer, up to what the caller allows.
 */
#include "libtask/stream.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "libtask/loop_private.h"
#include "libtask/tls.h"
#include "libutil/alloc.h"

#define BYTES_MAX	((size_t)65536)

/* stream_open - take a connection */
void
stream_open(struct stream *s, struct loop *l, int *fd_take)
{
	memset(s, 0, sizeof(*s));
	io_open(&s->io, l, fd_take);
	s->io.sole = true;
}

/* stream_close - end it */
void
stream_close(struct stream *s)
{
	if (s->io.fd < 0)
		return;
	tls_free(&s->tls);
	loop_put_room(s->io.loop, s->in, s->in_cap);
	io_close(&s->io);
	s->in = NULL;
	s->in_at = s->in_len = s->in_cap = 0;
	buf_free(&s->out);
}

/* stream_is_open - has it a descriptor? */
bool
stream_is_open(const struct stream *s)
{
	return s->io.fd >= 0;
}

/* stream_buffered - what was read and not consumed */
struct slice
stream_buffered(const struct stream *s)
{
	return s->in == NULL ? SLICE_EMPTY :
	    slice_over(s->in + s->in_at, s->in_len - s->in_at);
}

/* stream_consume - step over buffered bytes */
void
stream_consume(struct stream *s, size_t n)
{
	assert(n <= s->in_len - s->in_at);
	s->in_at += n;
	if (s->in_at == s->in_len)
		s->in_at = s->in_len = 0;
}

static void
drop_empty_buffer(struct stream *s)
{
	if (s->in_len != 0)
		return;
	loop_put_room(s->io.loop, s->in, s->in_cap);
	s->in = NULL;
	s->in_cap = 0;
}

/* wait_for - wait for what the connection, or TLS on it, needs */
static int
wait_for(struct task *t, struct stream *s, bool reading)
{
	if (s->tls != NULL)
		reading = !tls_wants_write(s->tls);
	return reading ? io_wait_read(t, &s->io) : io_wait_write(t, &s->io);
}

static ssize_t
try_read(struct stream *s, void *data, size_t len)
{
	return s->tls != NULL ? tls_read(s->tls, data, len) :
	    io_try_read(&s->io, data, len);
}

static ssize_t
try_write(struct stream *s, struct slice bytes)
{
	struct iovec iov = { (void *)(uintptr_t)bytes.data, bytes.len };

	return s->tls != NULL ? tls_write(s->tls, bytes) :
	    io_try_writev(&s->io, &iov, 1);
}

/* make_room - room for at least one more byte behind what is buffered */
static void
make_room(struct stream *s)
{
	if (s->in == NULL) {
		s->in = loop_take_room(s->io.loop);
		s->in_cap = LOOP_ROOM;
		return;
	}
	if (s->in_len < s->in_cap)
		return;
	if (s->in_at > 0) {
		memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
		s->in_len -= s->in_at;
		s->in_at = 0;
		return;
	}
	s->in_cap *= 2;
	s->in = xrealloc(s->in, s->in_cap);
}

/* fill - read more behind what is buffered; waits for at least one byte */
static int
fill(struct task *t, struct stream *s)
{
	ssize_t	n;
	int	r;

	for (;;) {
		make_room(s);
		n = try_read(s, s->in + s->in_len, s->in_cap - s->in_len);
		if (n != -EAGAIN)
			break;
		if ((r = stream_flush(t, s)) < 0)
			return r;
		drop_empty_buffer(s);
		if ((r = wait_for(t, s, true)) < 0)
			return r;
	}
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENODATA;
	s->in_len += (size_t)n;
	s->bytes_in += (uint64_t)n;
	return 0;
}

/* skip_line - drop input to the end of an over-long line */
static int
skip_line(struct task *t, struct stream *s)
{
	int r;

	for (;;) {
		struct slice b = stream_buffered(s);
		size_t lf = slice_find(b, '\n');

		if (lf != SLICE_NONE) {
			stream_consume(s, lf + 1);
			return -EMSGSIZE;
		}
		stream_consume(s, b.len);
		if ((r = fill(t, s)) < 0)
			return r;
	}
}

/* stream_read_line - one line */
int
stream_read_line(struct task *t, struct stream *s, size_t max,
    struct slice *ret_line)
{
	size_t	seen = 0;
	int	r;

	for (;;) {
		struct slice b = stream_buffered(s);
		size_t lf = slice_find(slice_from(b, seen), '\n');

		if (lf != SLICE_NONE) {
			size_t len = seen + lf;

			stream_consume(s, len + 1);
			if (len > 0 && b.data[len - 1] == '\r')
				len--;
			if (len > max)
				return -EMSGSIZE;
			*ret_line = slice_sub(b, 0, len);
			return 0;
		}
		if (b.len > max + 2)
			return skip_line(t, s);
		seen = b.len;
		if ((r = fill(t, s)) < 0)
			return r;
	}
}

/* stream_peek - what is there, at least a byte */
int
stream_peek(struct task *t, struct stream *s, struct slice *ret_bytes)
{
	int r;

	if (s->in_at == s->in_len && (r = fill(t, s)) < 0)
		return r;
	*ret_bytes = stream_buffered(s);
	return 0;
}

/* stream_try_peek - what is there, without waiting for it */
int
stream_try_peek(struct stream *s, struct slice *ret_bytes)
{
	ssize_t n = 1;

	if (s->in_at == s->in_len) {
		make_room(s);
		n = try_read(s, s->in + s->in_len, s->in_cap - s->in_len);
		if (n > 0) {
			s->in_len += (size_t)n;
			s->bytes_in += (uint64_t)n;
		}
	}
	if (n <= 0)
		return n == 0 ? -ENODATA : (int)n;
	*ret_bytes = stream_buffered(s);
	return 0;
}

/* stream_wait_or - for input, or for the signal */
int
stream_wait_or(struct task *t, struct stream *s, struct signal *other)
{
	/* input may come while it is written, and is not told twice */
	if (s->out.len > 0)
		return stream_flush(t, s);
	drop_empty_buffer(s);
	if (s->tls != NULL && tls_wants_write(s->tls))
		return io_wait_write(t, &s->io);
	return io_wait_read_or(t, &s->io, other);
}

/* stream_read_bytes - exactly so many bytes */
int
stream_read_bytes(struct task *t, struct stream *s, size_t len,
    struct slice *ret_bytes)
{
	int r;

	assert(len <= BYTES_MAX);
	while (s->in_len - s->in_at < len)
		if ((r = fill(t, s)) < 0)
			return r;
	*ret_bytes = slice_sub(stream_buffered(s), 0, len);
	stream_consume(s, len);
	return 0;
}

/* stream_has_input - has the peer spoken out of turn? */
bool
stream_has_input(struct stream *s)
{
	struct pollfd p = { .fd = s->io.fd, .events = POLLIN };

	return s->in_at < s->in_len || (s->tls != NULL && tls_pending(s->tls)) ||
	    poll(&p, 1, 0) > 0;
}

/* write_out - write all of these bytes */
static int
write_out(struct task *t, struct stream *s, struct slice bytes)
{
	while (bytes.len > 0 && s->failure == 0) {
		ssize_t n = try_write(s, bytes);
		int r = 0;

		if (n == -EAGAIN)
			r = wait_for(t, s, false);
		else if (n < 0)
			r = (int)n;
		else
			bytes = slice_from(bytes, (size_t)n);
		if (r < 0)
			s->failure = r;
		else if (n > 0)
			s->bytes_out += (uint64_t)n;
	}
	return s->failure;
}

/* stream_flush - write what was collected */
int
stream_flush(struct task *t, struct stream *s)
{
	int r;

	if (s->out.len == 0)
		return s->failure;
	r = write_out(t, s, buf_slice(&s->out));
	buf_free(&s->out);
	return r;
}

/* stream_write - collect bytes, writing when there are many */
int
stream_write(struct task *t, struct stream *s, struct slice bytes)
{
	int r;

	if (s->failure < 0)
		return s->failure;
	if (s->out.len + bytes.len > STREAM_OUT_MAX &&
	    (r = stream_flush(t, s)) < 0)
		return r;
	if (bytes.len >= STREAM_OUT_MAX)
		return write_out(t, s, bytes);
	buf_add(&s->out, bytes);
	return 0;
}

/* stream_writef - the same, formatted */
int
stream_writef(struct task *t, struct stream *s, const char *format, ...)
{
	struct buf	b = BUF_INIT;
	va_list		ap;
	int		r;

	va_start(ap, format);
	buf_vaddf(&b, format, ap);
	va_end(ap);
	r = stream_write(t, s, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* stream_write_fd - a range of a file */
int
stream_write_fd(struct task *t, struct stream *s, int fd, uint64_t offset,
    uint64_t len)
{
	char	*data;
	int	 r = 0;

	if (len == 0)
		return 0;
	data = xmalloc(STREAM_OUT_MAX);
	while (len > 0 && r == 0) {
		size_t want = len < STREAM_OUT_MAX ? (size_t)len : STREAM_OUT_MAX;
		ssize_t n = pread(fd, data, want, (off_t)offset);

		if (n <= 0) {
			r = n < 0 ? -errno : -EIO;
			break;
		}
		r = stream_write(t, s, slice_over(data, (size_t)n));
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	free(data);
	return r;
}

/* stream_shutdown - flush and end our side */
int
stream_shutdown(struct task *t, struct stream *s)
{
	int r = stream_flush(t, s);

	if (r == 0 && s->tls != NULL)
		tls_close_notify(s->tls);
	if (r == 0 && shutdown(s->io.fd, SHUT_WR) < 0)
		r = -errno;
	return r;
}

/* wait_hello - a server's client speaks first: until it does, there is
 * nothing to keep buffers for */
static int
wait_hello(struct task *t, struct stream *s)
{
	struct pollfd	p = { .fd = s->io.fd, .events = POLLIN };
	int		r = 0;

	while (r == 0 && poll(&p, 1, 0) <= 0)
		r = io_wait_read(t, &s->io);
	return r;
}

/* stream_start_tls - switch to TLS and shake hands */
int
stream_start_tls(struct task *t, struct stream *s, struct tls_context *ctx,
    const struct tls_peer *peer)
{
	int r;

	if ((r = stream_flush(t, s)) < 0)
		return r;
	drop_empty_buffer(s);
	if (peer == NULL && s->in_len == s->in_at &&
	    (r = wait_hello(t, s)) < 0)
		return r;
	if ((r = tls_new(ctx, s->io.fd, s->in_len - s->in_at, peer,
	    &s->tls)) < 0)
		return r;
	while ((r = tls_handshake(t, s->tls)) == -EAGAIN)
		if ((r = wait_for(t, s, true)) < 0)
			break;
	if (r < 0)
		s->failure = r;
	return r;
}
