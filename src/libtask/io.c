/* SPDX-License-Identifier: ISC */
/*
 * Every call tries first and waits only on EAGAIN. The descriptor is put into
 * epoll, edge-triggered, when it first has to wait, and stays there: later
 * waits cost no system call. It is taken out before it is closed, because a
 * copy of it may live on in another process; where none can (sole), closing
 * does it.
 *
 * Writability is asked for only while somebody waits for it: a Unix socket
 * reports it each time the peer reads, and each report would wake the loop.
 *
 * A read that got less than it asked for took all there was, and whatever
 * comes later is a new edge: so the next read waits without trying first. Not
 * so where urgent bytes came (TCP's): a read ends there, too.
 */
#include "libtask/io.h"

#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "libtask/loop_private.h"
#include "libutil/alloc.h"

/* fd_close - close and forget */
void
fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);	/* no data of ours waits in it */
	*fd = -1;
}

/* fd_pair - two ends of a Unix stream */
int
fd_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, ret_fds) < 0 ? -errno : 0;
}

/* io_open - take a descriptor */
void
io_open(struct io *io, struct loop *l, int *fd_take)
{
	int flags = fcntl(*fd_take, F_GETFL);

	*io = (struct io){ .loop = l, .fd = *fd_take };
	*fd_take = -1;
	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		(void)fcntl(io->fd, F_SETFL, flags | O_NONBLOCK);
}

/* io_close - close, waking who waits in it */
void
io_close(struct io *io)
{
	if (io->fd < 0)
		return;
	if (io->registered && !io->sole)
		(void)epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	io->registered = false;
	fd_close(&io->fd);
	if (io->reader != NULL)
		task_wake(io->reader);
	if (io->writer != NULL)
		task_wake(io->writer);
}

/* io_take_fd - let go of the descriptor without closing it */
int
io_take_fd(struct io *io)
{
	int fd = io->fd;

	assert(io->reader == NULL && io->writer == NULL);
	if (io->registered)
		(void)epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*io = (struct io)IO_INIT;
	return fd;
}

/* io_event - readiness came: wake those who wait for it */
void
io_event(struct io *io, uint32_t events)
{
	const uint32_t	any = EPOLLERR | EPOLLHUP;

	if ((events & (EPOLLIN | EPOLLRDHUP | any)) != 0)
		io->dry = false;
	if ((events & (EPOLLRDHUP | EPOLLPRI | any)) != 0)
		io->ended = true;
	if (io->reader != NULL && (events & (EPOLLIN | EPOLLRDHUP | any)) != 0)
		task_wake(io->reader);
	if (io->drain != NULL && (events & (EPOLLOUT | any)) != 0) {
		loop_hook_arm(io->loop, io->drain);
		io->drain = NULL;
	}
	if ((events & (EPOLLOUT | any)) == 0)
		return;
	if (io->writer != NULL)
		task_wake(io->writer);
	else if (io->outward && loop_io_register(io->loop, io, false) == 0)
		io->outward = false;
}

/* have_registered - be told of its readiness from now on */
static int
have_registered(struct io *io, bool write)
{
	int r;

	if (io->fd < 0)
		return -EBADF;
	if (io->registered && (io->outward || !write))
		return 0;
	if ((r = loop_io_register(io->loop, io, write)) == 0) {
		io->registered = true;
		io->outward = write;
	}
	return r;
}

/* io_drain_with - arm a hook when it turns writable */
int
io_drain_with(struct io *io, struct loop_hook *h)
{
	io->drain = h;
	return have_registered(io, true);
}

/* wait_one - wait in one direction */
static int
wait_one(struct task *t, struct io *io, struct task **place)
{
	int r;

	assert(*place == NULL);
	if ((r = have_registered(io, place == &io->writer)) < 0)
		return r;
	*place = t;
	r = task_suspend(t);
	*place = NULL;
	if (r == 0 && io->fd < 0)
		return -EBADF;
	return r;
}

/* io_wait_read - wait until a read may succeed */
int
io_wait_read(struct task *t, struct io *io)
{
	return wait_one(t, io, &io->reader);
}

/* io_wait_read_or - wait for either */
int
io_wait_read_or(struct task *t, struct io *io, struct signal *other)
{
	int r = 0;

	assert(other->waiter == NULL);
	if (!other->set) {
		other->waiter = t;
		r = wait_one(t, io, &io->reader);
		other->waiter = NULL;
	}
	return r;
}

/* io_wait_write - wait until a write may succeed */
int
io_wait_write(struct task *t, struct io *io)
{
	return wait_one(t, io, &io->writer);
}

/* cut - the length that a simulated fault leaves */
static size_t
cut(struct io *io, size_t len)
{
	if (!io->loop->short_io || len < 2)
		return len;
	return 1 + (size_t)(loop_random_u64(io->loop) % len);
}

/* io_is_dry - would a read find nothing, as far as we were told? */
bool
io_is_dry(const struct io *io)
{
	return io->dry && io->registered;
}

/* io_try_read - read what is there */
ssize_t
io_try_read(struct io *io, void *data, size_t len)
{
	ssize_t n;

	if (io->fd < 0)
		return -EBADF;
	if (io_is_dry(io))
		return -EAGAIN;
	len = cut(io, len);
	do {
		n = read(io->fd, data, len);
	} while (n < 0 && errno == EINTR);
	io->dry = n > 0 && (size_t)n < len && !io->ended;
	return n < 0 ? -errno : n;
}

/* io_try_writev - write what fits */
ssize_t
io_try_writev(struct io *io, const struct iovec *iov, int count)
{
	struct msghdr	m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			    .msg_iovlen = (size_t)count };
	struct iovec	one;
	ssize_t		n;

	if (io->fd < 0)
		return -EBADF;
	if (io->loop->short_io && count > 0) {
		one = iov[0];
		one.iov_len = cut(io, one.iov_len);
		m.msg_iov = &one;
		m.msg_iovlen = 1;
	}
	do {
		/* no SIGPIPE; files and pipes are not for sendmsg */
		n = sendmsg(io->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = writev(io->fd, m.msg_iov, (int)m.msg_iovlen);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* io_read - read some bytes, waiting for them */
ssize_t
io_read(struct task *t, struct io *io, void *data, size_t len)
{
	ssize_t	n;
	int	r;

	while ((n = io_try_read(io, data, len)) == -EAGAIN)
		if ((r = io_wait_read(t, io)) < 0)
			return r;
	return n;
}

/* io_writev - write some bytes, waiting for room */
ssize_t
io_writev(struct task *t, struct io *io, const struct iovec *iov, int count)
{
	ssize_t	n;
	int	r;

	while ((n = io_try_writev(io, iov, count)) == -EAGAIN)
		if ((r = io_wait_write(t, io)) < 0)
			return r;
	return n;
}

/* io_write_all - write all of it */
int
io_write_all(struct task *t, struct io *io, struct slice s)
{
	while (s.len > 0) {
		struct iovec iov = { (void *)(uintptr_t)s.data, s.len };
		ssize_t n = io_writev(t, io, &iov, 1);

		if (n < 0)
			return (int)n;
		s = slice_from(s, (size_t)n);
	}
	return 0;
}

/* is_passing - errors of accept that concern one client only */
static bool
is_passing(int e)
{
	return e == EINTR || e == ECONNABORTED || e == EPROTO ||
	    e == ENETDOWN || e == ENOPROTOOPT || e == EHOSTDOWN ||
	    e == ENONET || e == EHOSTUNREACH || e == EOPNOTSUPP ||
	    e == ENETUNREACH;
}

struct sim_listener {
	struct list		 link;
	struct io		*io;
	struct sockaddr_storage	 at;
	socklen_t		 len;
	int			 waiting[16];	/* accepted ends, oldest first */
	size_t			 count;
};

/* sim_take - a connection that waits at a simulated listener */
static int
sim_take(struct io *io)
{
	LIST_EACH(&io->loop->sim_listeners, link) {
		struct sim_listener *s =
		    CONTAINER_OF(link, struct sim_listener, link);
		int fd;

		if (s->io != io)
			continue;
		if (s->count == 0)
			return -EAGAIN;
		fd = s->waiting[0];
		memmove(s->waiting, s->waiting + 1,
		    --s->count * sizeof(s->waiting[0]));
		return fd;
	}
	return -EBADF;
}

static int
try_accept(struct io *io, struct sockaddr_storage *peer)
{
	socklen_t	len = sizeof(*peer);
	int		fd;

	memset(peer, 0, sizeof(*peer));
	if (io->fd < 0)
		return -EBADF;
	if (io->loop->simulated)
		return sim_take(io);
	do {
		fd = accept4(io->fd, (struct sockaddr *)peer, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (fd < 0 && is_passing(errno));
	return fd < 0 ? -errno : fd;
}

/* io_accept - the next connection */
int
io_accept(struct task *t, struct io *io, int *ret_fd,
    struct sockaddr_storage *ret_peer)
{
	int	fd, r;

	while ((fd = try_accept(io, ret_peer)) < 0) {
		if (fd != -EAGAIN)
			return fd;
		if ((r = io_wait_read(t, io)) < 0)
			return r;
	}
	*ret_fd = fd;
	return 0;
}

/* sim_listen - let io_connect reach io_accept inside this process */
struct sim_listener *
sim_listen(struct loop *l, const struct sockaddr *at, socklen_t len,
    struct io *io)
{
	struct sim_listener *s = NEW(struct sim_listener);

	assert(l->simulated && len <= sizeof(s->at));
	list_init(&s->link);
	s->io = io;
	memcpy(&s->at, at, len);
	s->len = len;
	list_add_tail(&l->sim_listeners, &s->link);
	return s;
}

/* sim_listener_free - refuse connections from now on */
void
sim_listener_free(struct sim_listener *s)
{
	if (s == NULL)
		return;
	list_remove(&s->link);
	for (size_t i = 0; i < s->count; i++)
		fd_close(&s->waiting[i]);
	free(s);
}

static int
sim_connect(struct loop *l, const struct sockaddr *to, socklen_t len,
    int *ret_fd)
{
	LIST_EACH(&l->sim_listeners, link) {
		struct sim_listener *s =
		    CONTAINER_OF(link, struct sim_listener, link);
		int pair[2], r;

		if (s->len != len || memcmp(&s->at, to, len) != 0)
			continue;
		if (s->count == COUNT(s->waiting))
			return -ETIMEDOUT;
		if ((r = fd_pair(pair)) < 0)
			return r;
		s->waiting[s->count++] = pair[0];
		*ret_fd = pair[1];
		if (s->io->reader != NULL)
			task_wake(s->io->reader);
		return 0;
	}
	return -ECONNREFUSED;
}

/* finish_connect - wait for the outcome of a connect in progress */
static int
finish_connect(struct task *t, struct io *io)
{
	int		error = 0, r;
	socklen_t	len = sizeof(error);

	if ((r = io_wait_write(t, io)) < 0)
		return r;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

/* io_connect - connect a new socket */
int
io_connect(struct task *t, const struct sockaddr *to, socklen_t len,
    const struct sockaddr *bind_to, socklen_t bind_len, int *ret_fd)
{
	struct loop	*l = t->loop;
	struct io	 io = IO_INIT;
	int		 fd, one = 1, r = 0;

	if (l->simulated)
		return sim_connect(l, to, len, ret_fd);
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return -errno;
	if (to->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	io_open(&io, l, &fd);
	if (bind_to != NULL && bind(io.fd, bind_to, bind_len) < 0)
		r = -errno;
	else if (connect(io.fd, to, len) < 0)
		r = errno == EINPROGRESS ? finish_connect(t, &io) : -errno;
	if (r == 0)
		*ret_fd = io_take_fd(&io);
	io_close(&io);
	return r;
}
