/* SPDX-License-Identifier: ISC */
/*
 * What io remembers of readiness. A read that took all there was spares the
 * next one its system call (dry); once the peer's end was told no new edge
 * will come, so nothing may be spared any more (ended), or the end would
 * never be seen.
 */
#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/task.h"

struct world {
	struct io	io;
	int		peer;
	void		(*run)(struct task *t, struct world *w);
};

static void
say(struct world *w, const char *text)
{
	struct slice s = slice_of(text);

	CHECK_INT(write(w->peer, s.data, s.len), (long long)s.len, 0);
}

/* register_it - have it in the loop: one wait that ends at once */
static void
register_it(struct task *t, struct world *w)
{
	char c;

	say(w, "x");
	CHECK_INT(io_wait_read(t, &w->io), 0, 0);
	CHECK_INT(io_try_read(&w->io, &c, 1), 1, 0);
	CHECK(w->io.registered, 0);
}

static int
world_main(struct task *t, void *arg)
{
	struct world	*w = arg;
	int		 pair[2], r;

	if ((r = fd_pair(pair)) < 0)
		return r;
	io_open(&w->io, task_loop(t), &pair[0]);
	w->peer = pair[1];
	w->run(t, w);
	io_close(&w->io);
	fd_close(&w->peer);
	return 0;
}

/* in_worlds - on simulated loops and on the real one */
static void
in_worlds(void (*run)(struct task *, struct world *))
{
	for (uint64_t seed = 0; seed < 4; seed++) {
		struct loop_options o = { .sim_seed = seed };
		struct world w = { .io = IO_INIT, .peer = -1, .run = run };
		struct loop *l = loop_new(&o);

		CHECK_INT(loop_run(l, world_main, &w), 0, seed);
		CHECK_INT(loop_task_count(l), 0, seed);
		loop_free(l);
	}
}

static void
unregistered(struct task *t, struct world *w)
{
	char b[8];

	(void)t;
	say(w, "abc");
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), 3, 0);
	/* nobody would tell us of more: so the next read has to look */
	CHECK(!io_is_dry(&w->io), 0);
	say(w, "de");
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), 2, 0);
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), -EAGAIN, 0);
}

TEST(io_is_never_dry_outside_of_the_loop)
{
	in_worlds(unregistered);
}

static void
dry(struct task *t, struct world *w)
{
	char b[8];

	register_it(t, w);
	say(w, "abcd");
	CHECK_INT(io_read(t, &w->io, b, 4), 4, 0);
	CHECK(!io_is_dry(&w->io), 0);	/* it got what it asked for: maybe more */
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), -EAGAIN, 0);
	CHECK(!io_is_dry(&w->io), 1);
	say(w, "abc");
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 3, 0);
	CHECK(io_is_dry(&w->io), 2);
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), -EAGAIN, 0);
	/* what comes later is told, and then looked for */
	say(w, "ef");
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 2, 0);
	CHECK(io_is_dry(&w->io), 3);
}

TEST(io_is_dry_after_a_short_read)
{
	in_worlds(dry);
}

static void
half_closed(struct task *t, struct world *w)
{
	char b[8];

	register_it(t, w);
	say(w, "abcde");
	CHECK_INT(shutdown(w->peer, SHUT_WR), 0, 0);
	CHECK_INT(io_wait_read(t, &w->io), 0, 0);
	CHECK(w->io.ended, 0);
	/* a short read, but the end is behind it and no edge will tell it */
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 5, 0);
	CHECK(!io_is_dry(&w->io), 0);
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 0, 0);
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 0, 1);
	/* the other direction goes on */
	CHECK_INT(io_write_all(t, &w->io, S("bye")), 0, 0);
	CHECK_INT(read(w->peer, b, sizeof(b)), 3, 0);
}

TEST(io_sees_the_end_behind_the_last_bytes)
{
	in_worlds(half_closed);
}

static void
closed_while_dry(struct task *t, struct world *w)
{
	char b[8];

	register_it(t, w);
	say(w, "abc");
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 3, 0);
	CHECK(io_is_dry(&w->io), 0);
	say(w, "de");
	fd_close(&w->peer);
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 2, 0);
	CHECK(w->io.ended && !io_is_dry(&w->io), 0);
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 0, 0);
}

TEST(io_sees_the_end_of_a_peer_that_has_gone)
{
	in_worlds(closed_while_dry);
}

static void
piecewise(struct task *t, struct world *w)
{
	char b[8];

	/* the end is told while bytes of before are only read in part */
	register_it(t, w);
	say(w, "abcdefgh");
	fd_close(&w->peer);
	for (int i = 0; i < 8; i++)
		CHECK_INT(io_read(t, &w->io, b, 1), 1, i);
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 0, 0);
}

TEST(io_sees_the_end_when_read_byte_by_byte)
{
	in_worlds(piecewise);
}

/* over_tcp - the same world over a connection that knows urgent bytes */
static void
over_tcp(struct task *t, struct world *w)
{
	struct sockaddr_in	at = { .sin_family = AF_INET,
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t		len = sizeof(at);
	int			server = socket(AF_INET, SOCK_STREAM, 0), fd;

	io_close(&w->io);
	fd_close(&w->peer);
	w->peer = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(bind(server, (struct sockaddr *)&at, len), 0, 0);
	CHECK_INT(listen(server, 1), 0, 0);
	CHECK_INT(getsockname(server, (struct sockaddr *)&at, &len), 0, 0);
	CHECK_INT(connect(w->peer, (struct sockaddr *)&at, len), 0, 0);
	fd = accept(server, NULL, NULL);
	fd_close(&server);
	io_open(&w->io, task_loop(t), &fd);
}

static void
urgent(struct task *t, struct world *w)
{
	char	b[8];
	ssize_t	n, got = 0;

	/* a read ends at the urgent byte, whatever is behind it: being short
	 * says nothing */
	over_tcp(t, w);
	register_it(t, w);
	say(w, "abc");
	CHECK_INT(send(w->peer, "!", 1, MSG_OOB), 1, 0);
	say(w, "de");
	CHECK_INT(io_wait_read(t, &w->io), 0, 0);	/* all is told */
	while (got < 5 && (n = io_read(t, &w->io, b, sizeof(b))) > 0)
		got += n;
	CHECK_INT(got, 5, 0);
}

TEST(io_reads_on_behind_an_urgent_byte)
{
	in_worlds(urgent);
}

static void
given_away(struct task *t, struct world *w)
{
	char	b[8];
	int	fd;

	register_it(t, w);
	say(w, "abc");
	CHECK_INT(io_read(t, &w->io, b, sizeof(b)), 3, 0);
	CHECK(io_is_dry(&w->io), 0);
	/* nothing of what one io was told is known to the next */
	fd = io_take_fd(&w->io);
	CHECK(w->io.fd < 0 && !w->io.registered, 0);
	io_open(&w->io, task_loop(t), &fd);
	CHECK(!io_is_dry(&w->io) && !w->io.ended, 0);
	say(w, "de");
	CHECK_INT(io_try_read(&w->io, b, sizeof(b)), 2, 0);
}

TEST(io_forgets_when_it_is_given_away)
{
	in_worlds(given_away);
}

/* full - write until nothing more goes in */
static void
full(struct world *w)
{
	static char big[65536];
	struct iovec iov = { big, sizeof(big) };

	while (io_try_writev(&w->io, &iov, 1) > 0)
		;
}

/* emptied - the peer has read all there was */
static void
emptied(struct world *w)
{
	static char b[65536];	/* a task's stack is small */

	while (recv(w->peer, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
}

static void
writable_when_wanted(struct task *t, struct world *w)
{
	register_it(t, w);
	CHECK(!w->io.outward, 0);
	for (int i = 0; i < 3; i++) {
		full(w);
		emptied(w);
		CHECK_INT(io_wait_write(t, &w->io), 0, i);
		CHECK(w->io.outward, i);
		/* told once more with nobody waiting: not any more then */
		full(w);
		emptied(w);
		say(w, "x");
		CHECK_INT(io_wait_read(t, &w->io), 0, i);
		w->io.dry = false;
		CHECK_INT(io_try_read(&w->io, (char[2]){ 0 }, 2), 1, i);
		CHECK(!w->io.outward, i);
	}
}

TEST(io_hears_of_room_only_while_it_waits_for_it)
{
	in_worlds(writable_when_wanted);
}
