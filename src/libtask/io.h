/* SPDX-License-Identifier: ISC */
/*
 * io: one descriptor on a loop. It owns the descriptor, makes it
 * non-blocking, and lets at most one task read and one write at a time.
 * Calls suspend until they can do something; 0 bytes read is the end.
 */
#ifndef LIBTASK_IO_H
#define LIBTASK_IO_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "libtask/loop.h"
#include "libutil/slice.h"

struct io {
	struct loop	*loop;
	struct task	*reader;
	struct task	*writer;
	struct loop_hook *drain;	/* armed when it turns writable */
	int		 fd;		/* -1: closed */
	bool		 registered;
	bool		 outward;	/* and for when it turns writable */
	bool		 dry;		/* the last read took all there was */
	bool		 ended;		/* the peer's end was told, or urgent
					 * bytes: no new edge may tell of what
					 * is left, so never dry again */
	bool		 sole;		/* no other process has a copy */
};

#define IO_INIT	{ .fd = -1 }

/* takes the descriptor (which becomes -1 at the caller's) */
void	io_open(struct io *io, struct loop *l, int *fd_take);
/* no-op on a closed one; a task that waits in it gets -EBADF */
void	io_close(struct io *io);
/* give the descriptor away; the io is closed */
int	io_take_fd(struct io *io);

MUST_USE ssize_t	io_read(struct task *t, struct io *io, void *data, size_t len);
/* writes some; at least one byte */
MUST_USE ssize_t	io_writev(struct task *t, struct io *io,
			    const struct iovec *iov, int count);
/* writes all */
MUST_USE int	io_write_all(struct task *t, struct io *io, struct slice s);
/* try without waiting; -EAGAIN */
MUST_USE ssize_t	io_try_read(struct io *io, void *data, size_t len);
MUST_USE ssize_t	io_try_writev(struct io *io, const struct iovec *iov, int count);
/* would a read find nothing, as far as we were told? (-EAGAIN at once) */
bool	io_is_dry(const struct io *io);
/* wait until a read (write) may succeed */
MUST_USE int	io_wait_read(struct task *t, struct io *io);
MUST_USE int	io_wait_write(struct task *t, struct io *io);
/* wait until a read may succeed or the signal is set, which stays set */
MUST_USE int	io_wait_read_or(struct task *t, struct io *io,
		    struct signal *other);

/* arm this hook, once, when the descriptor turns writable: for who collects
 * output and has no task to wait with */
MUST_USE int	io_drain_with(struct io *io, struct loop_hook *h);

/* the next connection of a listening descriptor */
MUST_USE int	io_accept(struct task *t, struct io *io, int *ret_fd,
		    struct sockaddr_storage *ret_peer);
/* connect a new socket; bind_to may be NULL */
MUST_USE int	io_connect(struct task *t, const struct sockaddr *to,
		    socklen_t len, const struct sockaddr *bind_to,
		    socklen_t bind_len, int *ret_fd);

/* descriptors: close and set to -1; a no-op on -1 */
void	fd_close(int *fd);
/* a pair of connected, close-on-exec Unix stream sockets */
MUST_USE int	fd_pair(int ret_fds[2]);

/* simulated loops only: io_connect to that address reaches this io_accept */
struct sim_listener;
struct sim_listener	*sim_listen(struct loop *l, const struct sockaddr *at,
			    socklen_t len, struct io *io);
void	sim_listener_free(struct sim_listener *s);

#endif
