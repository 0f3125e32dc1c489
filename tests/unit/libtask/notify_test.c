/* SPDX-License-Identifier: ISC */
/*
 * notify against a socket of our own, named by a path and without one: a
 * message is one datagram, whole; a full socket is waited for, but not for
 * ever.
 */
#include "test.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/notify.h"

struct world {
	char	name[100];
	int	fd;		/* the service manager's socket */
};

/* in_world - run it on the real loop */
static void
in_world(struct world *w, task_fn *run)
{
	struct loop_options	 o = { .workers = 1 };
	struct loop		*l = loop_new(&o);

	CHECK_INT(loop_run(l, run, w), 0, 0);
	loop_free(l);
}

/* listen_at - the socket of that name */
static void
listen_at(struct world *w)
{
	struct sockaddr_un	un = { .sun_family = AF_UNIX };
	size_t			len = strlen(w->name);

	memcpy(un.sun_path, w->name, len);
	if (w->name[0] == '@')
		un.sun_path[0] = '\0';
	w->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_INT(bind(w->fd, (struct sockaddr *)&un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0, 0);
}

/* check_got - the next datagram is that */
static void
check_got(struct world *w, const char *want)
{
	char	b[200];
	ssize_t	n = read(w->fd, b, sizeof(b));

	CHECK_SLICE(n < 0 ? S("") : slice_over(b, (size_t)n), slice_of(want),
	    0);
}

static int
two_messages(struct task *t, void *arg)
{
	struct world *w = arg;

	CHECK_INT(notify_send(t, w->name, S("READY=1\nSTATUS=all")), 0, 0);
	CHECK_INT(notify_send(t, w->name, S("STOPPING=1")), 0, 0);
	check_got(w, "READY=1\nSTATUS=all");
	check_got(w, "STOPPING=1");
	return 0;
}

TEST(notify_send)
{
	struct world	w = { .fd = -1 };

	(void)snprintf(w.name, sizeof(w.name), "@barid-notify-%d",
	    (int)getpid());
	listen_at(&w);
	in_world(&w, two_messages);
	fd_close(&w.fd);

	(void)snprintf(w.name, sizeof(w.name), "/tmp/barid-notify-%d",
	    (int)getpid());
	listen_at(&w);
	in_world(&w, two_messages);
	fd_close(&w.fd);
	CHECK_INT(unlink(w.name), 0, 0);
}

static int
bad_names(struct task *t, void *arg)
{
	static const struct { const char *name; int want; } cases[] = {
		{ "",				-EINVAL },
		{ "/",				-EINVAL },
		{ "@",				-EINVAL },
		{ "run/systemd/notify",		-EINVAL },
		{ "vsock:2:1234",		-EINVAL },	/* of a guest */
		{ "/nonexistent/notify",	-ENOENT },
		{ "@barid-notify-nobody",	-ECONNREFUSED },
	};
	char	longest[110];

	(void)arg;
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(notify_send(t, cases[i].name, S("READY=1")),
		    cases[i].want, i);
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK_INT(notify_send(t, longest, S("READY=1")), -EINVAL, 0);
	return 0;
}

TEST(notify_bad_names)
{
	struct world w = { .fd = -1 };

	in_world(&w, bad_names);
}

/* reader - reads one after a while */
static int
reader(struct task *t, void *arg)
{
	struct world	*w = arg;
	int		 r = task_sleep(t, 50);

	check_got(w, "STATUS=many");
	return r;
}

/* full - as many as fit, then one that has to wait for its room */
static int
full(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct task_group	 g;
	struct deadline		 d;
	int			 n = 0, r = 0;

	while (r == 0 && n++ < 10000) {
		deadline_begin(t, &d, 20);
		r = deadline_end(t, &d, notify_send(t, w->name,
		    S("STATUS=many")));
	}
	CHECK_INT(r, -ETIMEDOUT, 0);
	task_group_begin(t, &g);
	task_group_start(&g, reader, w);
	CHECK_INT(notify_send(t, w->name, S("READY=1")), 0, 0);
	return task_group_end(t, &g);
}

TEST(notify_full)
{
	struct world w = { .fd = -1 };

	(void)snprintf(w.name, sizeof(w.name), "@barid-notify-full-%d",
	    (int)getpid());
	listen_at(&w);
	in_world(&w, full);
	fd_close(&w.fd);
}
