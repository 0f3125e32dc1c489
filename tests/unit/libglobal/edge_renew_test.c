/* SPDX-License-Identifier: ISC */
/* An edge that is renewed: what began is finished where it began, what comes
 * after goes to the new callee, and the old one is left when it has answered. */
#include "test.h"

#include "libglobal/edge.h"
#include "libglobal/ipc_auth.h"
#include "libtask/loop.h"

#define CALLEES_MAX	4

struct callee {
	struct world	*world;
	int		 fd;
	size_t		 number;
	bool		 left;
};

struct world {
	struct task_group	 callees;
	struct callee		 callee[CALLEES_MAX];
	size_t			 count;
	bool			 go;		/* the first one may answer */
};

struct call {
	struct edge	*edge;
	int		 result;
	uint64_t	 from;		/* the callee that answered */
	bool		 done;
};

static int
answer(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct callee			*me = arg;
	struct msg_auth_account_is	 m = { .found = true,
					    .account = S("a"), .login = S("a"),
					    .quota_bytes = me->number };
	int				 r = 0;

	(void)a;
	while (me->number == 1 && !me->world->go && r == 0)
		r = task_sleep(t, 1);
	return r < 0 ? r :
	    ipc_reply(c, in->request, &msg_auth_account_is_desc, &m);
}

static int
callee_task(struct task *t, void *arg)
{
	struct callee	*me = arg;
	struct ipc_conn	 c;
	int		 r;

	ipc_open(&c, task_loop(t), &me->fd, &ipc_table_auth, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, answer, me, 8);
	ipc_close(&c);
	me->left = true;
	return r == -ECANCELED ? r : 0;
}

static int
connect_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	struct callee	*c = &w->callee[w->count];
	int		 fd[2], r;

	(void)t;
	(void)callee;
	if (w->count == CALLEES_MAX)
		return -ECONNREFUSED;
	if ((r = fd_pair(fd)) < 0)
		return r;
	*ret_fd = fd[0];
	*c = (struct callee){ w, fd[1], ++w->count, false };
	task_group_start(&w->callees, callee_task, c);
	return 0;
}

static int
call_task(struct task *t, void *arg)
{
	struct call			*c = arg;
	struct msg_auth_account		 m = { S("a") };
	struct msg_auth_account_is	*is;
	struct arena			 a = ARENA_INIT;
	void				*reply;

	c->result = edge_call(t, c->edge, &msg_auth_account_desc, &m,
	    &msg_auth_account_is_desc, &a, &reply);
	if (c->result == 0) {
		is = reply;
		c->from = is->quota_bytes;
	}
	c->done = true;
	arena_free(&a);
	return 0;
}

/* two calls before, two after, and what became of the callees */
static int
renewed(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct task_group	 g;
	struct edge		*e;
	struct call		 call[4] = { { 0 } };
	int			 r;

	task_group_begin(t, &w->callees);
	task_group_begin(t, &g);
	e = edge_new(&g, "authd", &ipc_table_auth, connect_edge, w);
	edge_renew(e);			/* nothing to renew yet */
	for (size_t i = 0; i < 4; i++) {
		call[i].edge = e;
		task_group_start(&g, call_task, &call[i]);
		if ((r = task_sleep(t, 10)) < 0)
			return r;
		if (i == 1)
			edge_renew(e);
	}
	CHECK_INT(w->count, 2, 0);
	CHECK(!call[0].done && !call[1].done && !w->callee[0].left, 0);
	for (size_t i = 2; i < 4; i++) {
		CHECK(call[i].done, i);
		CHECK_INT(call[i].from, 2, i);
	}
	w->go = true;
	r = task_sleep(t, 10);
	for (size_t i = 0; i < 2; i++) {
		CHECK(call[i].done, i);
		CHECK_INT(call[i].result, 0, i);
		CHECK_INT(call[i].from, 1, i);
	}
	CHECK(w->callee[0].left, 0);	/* it may end now */
	CHECK(!w->callee[1].left, 1);
	edge_renew(e);			/* no call is on it */
	CHECK_INT(edge_ensure(t, e), 0, 0);
	CHECK_INT(w->count, 3, 0);
	if (r == 0)
		r = task_sleep(t, 10);
	CHECK(w->callee[1].left && !w->callee[2].left, 2);
	task_group_cancel(&g);
	ignore(task_group_end(t, &g));
	edge_free(&e);
	task_group_cancel(&w->callees);
	ignore(task_group_end(t, &w->callees));
	return r;
}

TEST(a_renewed_edge)
{
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct loop_options o = { .sim_seed = seed,
					    .sim_short_io = true };
		struct loop	*l = loop_new(&o);
		struct world	 w = { 0 };

		CHECK_INT(loop_run(l, renewed, &w), 0, seed);
		CHECK_INT(w.count, 3, seed);
		CHECK_INT(loop_task_count(l), 0, seed);
		loop_free(l);
	}
}
