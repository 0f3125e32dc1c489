/* SPDX-License-Identifier: ISC */
/* What the administrator wants of a message holds whenever he says so: also
 * while it is brought back from the state. */
#include "qmgr_world.h"

#include "libglobal/ipc_queue_admin.h"

#define ID	S("4jXQmP4xsMzw01j")

static const struct msg_queue_hello nothing;

struct row {
	const char	*verb;
	const char	*where;		/* in the end */
	int64_t		 map_delay;
	int64_t		 wait;		/* ms after the flush; < 0: yields */
};

static int
tool_open(struct task *t, struct world *w, struct ipc_conn *c)
{
	struct daemon_caller	who = { S("tool"), S("tool"), 99, 0 };
	int			fd[2], r;

	if ((r = fd_pair(fd)) < 0)
		return r;
	daemon_add_caller(w->daemon, &fd[1], &who);
	ipc_open(c, task_loop(t), &fd[0], &ipc_table_queue_admin, IPC_CALLER);
	task_group_start(w->group, world_replies_task, c);
	return 0;
}

/* do - one message, or all; how many were changed */
static int
tool_do(struct task *t, struct ipc_conn *c, const char *verb, struct slice id)
{
	struct msg_queue_do	ask = { .verb = slice_of(verb),
				    .queue_id = id };
	struct arena		a = ARENA_INIT;
	void			*reply;
	int			r;

	r = ipc_call(t, c, &msg_queue_do_desc, &ask, &msg_queue_did_desc, &a,
	    &reply);
	if (r == 0)
		r = (int)((struct msg_queue_did *)reply)->count;
	arena_free(&a);
	return r;
}

/* deferred - have a message that waits for its next time */
static int
deferred(struct task *t, struct world *w)
{
	struct msg_queue_welcome	*welcome;
	struct msg_slot_lease		 l;
	struct arena			 a = ARENA_INIT;
	struct cleaner			 k;
	int				 r;

	if ((r = cleaner_open(t, w, 7, &k, &nothing, &a, &welcome)) == 0 &&
	    (r = cleaner_lease(t, &k, &l)) == 0) {
		CHECK_INT(cleaner_write(ID, "later@x", &l), 0, 0);
		r = cleaner_tell(t, &k, ID, "later@x", &l);
	}
	if (r == 0)
		r = task_sleep(t, 2000);
	CHECK_TEXT(slice_of(world_where(w, ID)), "deferred", 0);
	world_close(t, &k.c);
	arena_free(&a);
	return r;
}

static int
flush_task(struct task *t, void *arg)
{
	ignore(tool_do(t, arg, "flush", ID));
	return 0;
}

static int
changed(struct task *t, struct world *w)
{
	const struct row	*row = w->row;
	struct ipc_conn		 c, other;
	int			 r;

	w->map_delay = row->map_delay;
	if ((r = deferred(t, w)) < 0 || (r = tool_open(t, w, &c)) < 0 ||
	    (r = tool_open(t, w, &other)) < 0)
		return r;
	task_group_start(w->group, flush_task, &other);
	r = row->wait > 0 ? task_sleep(t, row->wait) : 0;
	for (int64_t i = row->wait; r == 0 && i < 0; i++)
		r = task_yield(t);
	if (r == 0)
		CHECK_INT(tool_do(t, &c, row->verb, ID), 1, row->wait);
	if (r == 0)
		r = task_sleep(t, 60000);
	CHECK_TEXT(slice_of(world_where(w, ID)), row->where, row->wait);
	world_close(t, &c);
	world_close(t, &other);
	return r;
}

TEST(a_change_while_it_is_brought_back)
{
	static const char *const verbs[][2] = {
		{ "hold", "hold" }, { "delete", "nowhere" },
	};

	for (size_t i = 0; i < COUNT(verbs); i++)
		for (int64_t wait = -20; wait <= 40; wait += 3) {
			struct row row = { verbs[i][0], verbs[i][1], 20, wait };
			struct world w = { .row = &row };

			world_run(&w, changed);
		}
}

struct loading {
	struct world	*w;
	struct queue_id	 id;
	int		 result;
};

static int
load_task(struct task *t, void *arg)
{
	struct loading	*l = arg;
	struct qmessage	*m;

	l->result = qmessage_load(t, &l->w->q, &l->id, &m);
	if (l->result == 0)
		qmessage_free(m);
	return 0;
}

/* its record is read while it is changed, and before that is durable */
static int
read_meanwhile(struct task *t, struct world *w)
{
	struct loading	l = { w, QUEUE_ID_INIT, 1 };
	int		r;

	if ((r = deferred(t, w)) < 0 || (r = queue_id_parse(ID, &l.id)) < 0)
		return r;
	task_group_start(w->group, load_task, &l);
	while (r == 0 && list_is_empty(&w->q.loads))
		r = task_yield(t);
	CHECK_INT(l.result, 1, 0);
	change_begin(&w->q, &l.id);
	while (r == 0 && l.result == 1)
		r = task_yield(t);
	CHECK_INT(l.result, -EAGAIN, 0);
	CHECK(change_is_pending(&w->q, &l.id), 0);
	l.result = 1;
	task_group_start(w->group, load_task, &l);
	while (r == 0 && l.result == 1)
		r = task_yield(t);
	CHECK_INT(l.result, -EAGAIN, 1);
	if (r == 0)
		r = commit_wait(t, &w->q);
	l.result = 1;
	task_group_start(w->group, load_task, &l);
	while (r == 0 && l.result == 1)
		r = task_yield(t);
	CHECK_INT(l.result, 0, 2);
	return r;
}

TEST(what_was_read_before_a_change_is_old)
{
	struct world w = { .delay = 0 };

	world_run(&w, read_meanwhile);
}

/* even if the tables do not answer for long */
TEST(a_change_while_it_is_routed)
{
	struct row	row = { "hold", "hold", 30000, 100 };
	struct world	w = { .row = &row };

	world_run(&w, changed);
	row = (struct row){ "delete", "nowhere", 30000, 100 };
	world_run(&w, changed);
}

/* both at a time: the later one counts, and the slot is free once */
static int
at_once(struct task *t, struct world *w)
{
	struct slot_pool_counts	before, after;
	struct ipc_conn		one, two;
	int			r;

	slot_pool_count(w->q.pool, SLOT_SMALL, &before);
	if ((r = deferred(t, w)) < 0 || (r = tool_open(t, w, &one)) < 0 ||
	    (r = tool_open(t, w, &two)) < 0)
		return r;
	CHECK_INT(tool_do(t, &one, "hold", ID), 1, 0);
	CHECK_INT(tool_do(t, &two, "release", ID), 1, 0);
	CHECK_INT(tool_do(t, &one, "hold", ID), 1, 1);
	CHECK_INT(tool_do(t, &two, "delete", ID), 1, 1);
	CHECK_INT(tool_do(t, &one, "delete", ID), 0, 2);
	slot_pool_count(w->q.pool, SLOT_SMALL, &after);
	CHECK_INT(after.used, before.used, 0);
	CHECK_TEXT(slice_of(world_where(w, ID)), "nowhere", 0);
	world_close(t, &one);
	world_close(t, &two);
	return 0;
}

TEST(one_change_after_the_other)
{
	struct world w = { .delay = 0 };

	world_run(&w, at_once);
}
