/* SPDX-License-Identifier: ISC */
/*
 * For daemons that submit messages (bounce, pickup), on the simulated loop: a
 * mapd that knows a few rules, and a cleanup that keeps what it gets.
 *	no@...		refused with 550	later@...	refused with 450
 *	nowhere@...	is an alias of nobody
 *	other addresses	go to smtp; without a domain here.example is added
 */
#ifndef TESTS_QUEUE_FAKES_H
#define TESTS_QUEUE_FAKES_H

#include "test.h"

#include "libglobal/daemon.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_map.h"
#include "libtask/loop.h"
#include "libutil/conf.h"

struct fakes {
	struct task_group	*group;
	struct buf		 envelopes;	/* "from sender to rcpt>hop ..." */
	struct buf		 contents;
	size_t			 messages;
	size_t			 channels;
	unsigned		 code;		/* cleanup's answer; 0: 250 */
	bool			 no_mapd;
	bool			 cleanup_dies;
};

struct fake {
	struct fakes	*f;
	struct ipc_conn	 conn;
	bool		 is_mapd;
};

static struct slice
fake_complete(struct arena *a, struct slice address)
{
	if (slice_find(address, '@') != SLICE_NONE)
		return address;
	return arena_printf(a, "%.*s@here.example", SLICE_ARG(address));
}

static int
fake_map(struct ipc_conn *c, struct ipc_in *in, struct arena *a)
{
	struct msg_map_address	address = { SLICE_EMPTY, false };
	struct msg_map_route	route = { .code = 250 };
	struct msg_target	target = { SLICE_EMPTY, S("smtp"), S("hop") };
	struct msg_map_rcpt	*m = in->msg;

	if (in->desc->number == MSG_map_from) {
		address.address = fake_complete(a,
		    ((struct msg_map_from *)in->msg)->address);
		return ipc_reply(c, in->request, &msg_map_address_desc,
		    &address);
	}
	CHECK(m->trusted, 0);
	target.address = fake_complete(a, m->recipient);
	if (slice_has_prefix(m->recipient, S("no@"))) {
		route.code = 550;
		route.enhanced = S("5.1.1");
		route.text = S("User unknown");
	} else if (slice_has_prefix(m->recipient, S("later@"))) {
		route.code = 450;
		route.enhanced = S("4.3.0");
		route.text = S("Lookup failure");
	} else if (!slice_has_prefix(m->recipient, S("nowhere@"))) {
		route.targets.v = &target;
		route.targets.n = 1;
	}
	return ipc_reply(c, in->request, &msg_map_route_desc, &route);
}

static int	fake_task(struct task *t, void *arg);

static void
fake_start(struct task *t, struct fakes *f, int *fd_take, bool is_mapd)
{
	struct fake *k = calloc(1, sizeof(*k));

	k->f = f;
	k->is_mapd = is_mapd;
	ipc_open(&k->conn, task_loop(t), fd_take, is_mapd ? &ipc_table_map :
	    &ipc_table_content, IPC_CALLEE);
	task_group_start(f->group, fake_task, k);
}

static void
fake_begin(struct fakes *f, const struct msg_content_begin *m, struct arena *a)
{
	struct msg_envelope	*e;
	void			*envelope;

	if (CHECK_INT(ipc_unpack(&msg_envelope_desc, m->envelope, a,
	    &envelope), 0, 0) < 0)
		return;
	e = envelope;
	buf_addf(&f->envelopes, "from <%.*s>", SLICE_ARG(e->sender));
	for (size_t i = 0; i < e->rcpts.n; i++)
		buf_addf(&f->envelopes, " to %.*s>%.*s:%.*s",
		    SLICE_ARG(e->rcpts.v[i].address),
		    SLICE_ARG(e->rcpts.v[i].transport),
		    SLICE_ARG(e->rcpts.v[i].nexthop));
	buf_addf(&f->envelopes, "%s\n", m->add_missing ? " missing" : "");
	CHECK(m->add_received, 0);
	CHECK(slice_has_prefix(m->received, S("Received: ")), 0);
}

static int
fake_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct fake	*k = arg;
	struct fakes	*f = k->f;
	struct msg_content_done done = { f->code == 0 ? 250 : f->code,
	    f->code == 0 ? S("2.0.0") : S("4.3.0"), S("queued"), 0 };

	if (k->is_mapd)
		return fake_map(c, in, a);
	switch (in->desc->number) {
	case MSG_content_channel:
		f->channels++;
		fake_start(t, f, &((struct msg_content_channel *)in->msg)->fd,
		    false);
		return 0;
	case MSG_content_begin:
		fake_begin(f, in->msg, a);
		return 0;
	case MSG_content_data:
		buf_add(&f->contents,
		    ((struct msg_content_data *)in->msg)->bytes);
		return 0;
	case MSG_content_end:
		if (f->cleanup_dies)
			return -EPIPE;
		f->messages++;
		return ipc_post(c, &msg_content_done_desc, &done);
	default:
		return 0;
	}
}

static int
fake_task(struct task *t, void *arg)
{
	struct fake	*k = arg;
	int		 r;

	/* the conversation's states are the real cleanup's business */
	ipc_set_state(&k->conn, IPC_STATE_ANY);
	r = ipc_serve(t, &k->conn, fake_message, k);
	ipc_close(&k->conn);
	free(k);
	return r == -ECANCELED ? r : 0;
}

static int
fakes_connect(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct fakes	*f = arg;
	bool		 is_mapd = strcmp(callee, "mapd") == 0;
	int		 fd[2], r;

	if (is_mapd && f->no_mapd)
		return -ECONNREFUSED;
	if ((r = fd_pair(fd)) < 0)
		return r;
	fake_start(t, f, &fd[1], is_mapd);
	*ret_fd = fd[0];
	return 0;
}

static void
fakes_done(struct fakes *f)
{
	buf_free(&f->envelopes);
	buf_free(&f->contents);
}

#endif
