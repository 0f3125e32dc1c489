/* SPDX-License-Identifier: ISC */
/*
 * A world for qmgr on the simulated loop: the queue is a real folder, its state
 * a real one; the test is the cleanups, and an agent that answers as the
 * address says: later@ 450, no@ 550, others 250, each after a delay.
 */
#ifndef TESTS_QMGR_WORLD_H
#define TESTS_QMGR_WORLD_H

#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libglobal/slot.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "qmgr/qmgr.h"

#define ARRIVAL	INT64_C(1700000000000000)

struct world {
	struct qmgr		 q;
	struct daemon		*daemon;
	struct task_group	*group;
	struct buf		 asked;		/* addresses, in order */
	struct buf		 numbers;	/* of recipients, beside them */
	int64_t			 delay;		/* of the agent, ms */
	int64_t			 map_delay;	/* until mapd is not there */
	const char		*active_limit;	/* NULL: the default */
	const char		*content_limit;
	int			(*run)(struct task *t, struct world *w);
	const void		*row;
};

/* a cleanup's end of an edge */
struct cleaner {
	struct world	*w;
	struct ipc_conn	 c;
	int		 content;	/* told with each message; -1: none */
};

/* --- the agent */

static int
world_on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world			*w = arg;
	const struct msg_delivery_ask	*ask = in->msg;
	struct msg_delivery_result	 res = { .connect_ms = 0 };
	struct msg_rcpt_result		*v;
	struct msg_envelope		*e;
	void				*p;
	int				 r;

	if ((r = ipc_unpack(&msg_envelope_desc, ask->envelope, a, &p)) < 0)
		return r;
	e = p;
	res.rcpts.v = v = ARENA_ARRAY(a, struct msg_rcpt_result, e->rcpts.n);
	for (size_t i = 0; i < e->rcpts.n; i++) {
		struct slice to = e->rcpts.v[i].address;

		buf_addf(&w->asked, "%.*s ", SLICE_ARG(to));
		buf_addf(&w->numbers, "%u ", e->rcpts.v[i].number);
		v[res.rcpts.n++] = (struct msg_rcpt_result){
		    .number = e->rcpts.v[i].number,
		    .code = slice_has_prefix(to, S("later@")) ? 450 :
		    slice_has_prefix(to, S("no@")) ? 550 : 250,
		    .enhanced = S("2.0.0"), .text = S("said so"),
		    .relay = S("none") };
	}
	if ((r = task_sleep(t, w->delay)) < 0)
		return r;
	return ipc_reply(c, in->request, &msg_delivery_result_desc, &res);
}

struct agent {
	struct world	*w;
	int		 fd;
};

static int
world_agent_task(struct task *t, void *arg)
{
	struct agent	*g = arg;
	struct ipc_conn	 c;

	ipc_open(&c, task_loop(t), &g->fd, &ipc_table_delivery, IPC_CALLEE);
	ignore(ipc_serve_parallel(t, &c, world_on_ask, g->w, 100));
	ipc_close(&c);
	free(g);
	return 0;
}

static int
world_connect(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	struct agent	*g;
	int		 fd[2], r;

	if (strcmp(callee, "smtp") != 0 && strcmp(callee, "store") != 0)
		return (r = task_sleep(t, w->map_delay)) < 0 ? r :
		    -ECONNREFUSED;
	if ((r = fd_pair(fd)) < 0)
		return r;
	g = NEW(struct agent);
	g->w = w;
	g->fd = fd[1];
	*ret_fd = fd[0];
	task_group_start(w->group, world_agent_task, g);
	return 0;
}

/* --- qmgr */

static const struct daemon_spec world_spec = {
	.name = "qmgr", .params = &qmgr_param_table,
	.params_size = sizeof(struct qmgr_params),
	.run = qmgr_run, .edge = qmgr_edge,
};

static int
world_serve_task(struct task *t, void *arg)
{
	ignore(daemon_serve(t, ((struct world *)arg)->daemon));
	return 0;
}

static int
world_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct conf	*conf = conf_new(NULL);
	struct diag	 diag = DIAG_INIT;
	struct task_group g;
	int		 r;

	conf_put(conf, S("relay_through"), S("yes"), "", 0);
	conf_put(conf, S("minimal_backoff_time"), S("1d"), "", 0);
	conf_put(conf, S("maximal_backoff_time"), S("2d"), "", 0);
	if (w->active_limit != NULL)
		conf_put(conf, S("qmgr_message_active_limit"),
		    slice_of(w->active_limit), "", 0);
	if (w->content_limit != NULL)
		conf_put(conf, S("qmgr_content_descriptors"),
		    slice_of(w->content_limit), "", 0);
	w->daemon = daemon_new(task_loop(t), &world_spec, conf, world_connect,
	    w, &diag);
	qmgr_init(&w->q, w->daemon);
	task_group_begin(t, &g);
	w->group = &g;
	task_group_start(&g, world_serve_task, w);
	if ((r = task_sleep(t, 100)) == 0)
		r = w->run(t, w);
	daemon_end(w->daemon);
	ignore(task_sleep(t, 10));
	qmgr_done(&w->q);
	daemon_free(&w->daemon);
	task_group_cancel(&g);
	ignore(task_group_end(t, &g));
	conf_free(&conf);
	buf_free(&w->asked);
	buf_free(&w->numbers);
	return r;
}

/* a world around a new queue */
static void
world_run(struct world *w, int (*run)(struct task *, struct world *))
{
	static unsigned count;
	const struct queue_owner self = QUEUE_OWNER_SELF;
	struct loop_options o = { .sim_seed = 5, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	char		 path[200];

	(void)snprintf(path, sizeof(path), "%s/q%u", test_tmpdir(), count++);
	CHECK_INT(mkdir(path, 0755), 0, 0);
	CHECK_INT(chdir(path), 0, 0);
	CHECK_INT(queue_folders_make(AT_FDCWD, &self, NULL), 0, 0);
	w->run = run;
	CHECK_INT(loop_run(l, world_task, w), 0, 0);
	CHECK_INT(loop_task_count(l), 0, 0);
	loop_free(l);
}

/* --- cleanups */

static int
world_ignore(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	(void)t;
	(void)c;
	(void)in;
	(void)a;
	(void)arg;
	return 0;
}

/* hear replies; what qmgr says of itself does not matter here */
static int
world_replies_task(struct task *t, void *arg)
{
	ignore(ipc_serve(t, arg, world_ignore, NULL));
	return 0;
}

/* close it; who hears it has noticed when this returns */
static void
world_close(struct task *t, struct ipc_conn *c)
{
	ipc_close(c);
	ignore(task_sleep(t, 1));
}

/* connect and say hello; what is refused goes into the arena */
static int
cleaner_open(struct task *t, struct world *w, uint32_t process,
    struct cleaner *k, const struct msg_queue_hello *hello, struct arena *a,
    struct msg_queue_welcome **ret_welcome)
{
	struct daemon_caller	 who = { S("cleanup"), S("cleanup"), process,
				     0 };
	void			*reply;
	int			 fd[2], r;

	if ((r = fd_pair(fd)) < 0)
		return r;
	k->w = w;
	k->content = -1;
	daemon_add_caller(w->daemon, &fd[1], &who);
	ipc_open(&k->c, task_loop(t), &fd[0], &ipc_table_queue, IPC_CALLER);
	task_group_start(w->group, world_replies_task, &k->c);
	r = ipc_call(t, &k->c, &msg_queue_hello_desc, hello,
	    &msg_queue_welcome_desc, a, &reply);
	if (r == 0)
		*ret_welcome = reply;
	return r;
}

/* a slot to write into, made if need be */
static int
cleaner_lease(struct task *t, struct cleaner *k, struct msg_slot_lease *ret)
{
	struct msg_queue_lease	 ask = { SLOT_SMALL, 1 };
	struct msg_queue_leased	*got;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	r = ipc_call(t, &k->c, &msg_queue_lease_desc, &ask,
	    &msg_queue_leased_desc, &a, &reply);
	if (r == 0) {
		got = reply;
		r = got->slots.n == 1 ? 0 : -ENOSPC;
		if (r == 0)
			*ret = got->slots.v[0];
		if (r == 0 && ret->make)
			r = slot_grow(AT_FDCWD, SLOT_SMALL, &ret->number, 1);
	}
	arena_free(&a);
	return r;
}

/* the envelope of a message; recipients are words. "-": one that is not in it
 * any more; "x/y": x was named, which stands for y; those @here are in the
 * store, the others behind a hop, which is their domain. */
static void
world_envelope(struct arena *a, struct slice id, const char *rcpts,
    struct msg_envelope *e)
{
	struct slice	rest = slice_of(rcpts);
	struct msg_rcpt	*v = ARENA_ARRAY(a, struct msg_rcpt, 10);

	*e = (struct msg_envelope){ .queue_id = id, .arrival = ARRIVAL,
	    .content_length = 5 };
	e->rcpts.v = v;
	for (uint32_t number = 0; rest.len > 0 && number < 10; number++) {
		struct slice original = slice_split(&rest, ' ');
		struct slice address = original;

		if (slice_equal(original, S("-")))
			continue;
		if (slice_find(address, '/') != SLICE_NONE)
			original = slice_split(&address, '/');
		v[e->rcpts.n++] = (struct msg_rcpt){ .address = address,
		    .original = original, .nexthop = slice_from(address,
		    slice_find(address, '@') + 1),
		    .transport = slice_has_suffix(address, S("@here")) ?
		    S("store") : S("smtp"), .number = number };
	}
}

/* commit it into a slot, as cleanup does */
static int
cleaner_write(struct slice id, const char *rcpts,
    const struct msg_slot_lease *l)
{
	const struct slot_piece	 piece = SLOT_PIECE_BYTES(S("x\r\ny\n"));
	struct slot_ref		 ref = { (uint8_t)l->size_class, l->number };
	struct slot_message	 m = { .arrival = ARRIVAL,
				     .generation = l->generation,
				     .piece = &piece, .piece_count = 1 };
	struct arena		 a = ARENA_INIT;
	struct msg_envelope	 e;
	struct buf		 b = BUF_INIT;
	int			 fd = -1, r;

	world_envelope(&a, id, rcpts, &e);
	if ((r = queue_id_parse(id, &m.id)) == 0 &&
	    (r = ipc_pack(&msg_envelope_desc, &e, &b)) == 0 &&
	    (r = slot_open_write(AT_FDCWD, ref, &fd)) == 0) {
		m.envelope = buf_slice(&b);
		r = slot_commit(fd, ref, &m);
	}
	fd_close(&fd);
	buf_free(&b);
	arena_free(&a);
	return r;
}

/* tell of it */
static int
cleaner_tell(struct task *t, struct cleaner *k, struct slice id,
    const char *rcpts, const struct msg_slot_lease *l)
{
	struct msg_queue_committed c = { .size_class = l->size_class,
	    .number = l->number, .generation = l->generation,
	    .content = k->content };
	struct arena		 a = ARENA_INIT;
	struct msg_envelope	 e;
	struct buf		 b = BUF_INIT;
	int			 r;

	world_envelope(&a, id, rcpts, &e);
	if ((r = ipc_pack(&msg_envelope_desc, &e, &b)) == 0) {
		c.envelope = buf_slice(&b);
		r = ipc_send(t, &k->c, &msg_queue_committed_desc, &c);
	}
	buf_free(&b);
	arena_free(&a);
	return r;
}

/* the content of a message, sealed */
static inline int
world_content(void)
{
	struct memfile f = MEMFILE_INIT;

	CHECK_INT(memfile_new("test", 100, &f), 0, 0);
	CHECK_INT(memfile_append(&f, S("x\r\ny\n")), 0, 0);
	CHECK_INT(memfile_seal(&f), 0, 0);
	return memfile_take_fd(&f);
}

/* where a message is */
static const char *
world_where(struct world *w, struct slice id)
{
	struct qstate_message	m;
	struct arena		a = ARENA_INIT;
	struct queue_id		key;
	const char		*where = "nowhere";

	if (qmessage_find(&w->q, id) != NULL)
		where = "memory";
	else if (queue_id_parse(id, &key) == 0 &&
	    qstate_get(w->q.state, &key, &a, &m) == 0)
		where = m.queue == QSTATE_HOLD ? "hold" : "deferred";
	arena_free(&a);
	return where;
}

#endif
