/* SPDX-License-Identifier: ISC */
/* What is offered and then committed, or not, be it that an edge breaks at any
 * moment, with both processes alive: nobody gets a message twice, and none is
 * lost. */
#include "qmgr_world.h"

#define ID	S("4jXQmP4xsMzw01j")

static const struct msg_queue_hello nothing;

struct row {
	const char	*rcpts;
	int64_t		 delay;		/* of the agent */
	int64_t		 broken;	/* when the edge breaks */
	const char	*where;		/* in the end */
	const char	*asked;		/* of the agent */
};

struct offering {
	struct cleaner	*k;
	const char	*rcpts;
	int		 result;
	bool		 over;
	bool		 now;
	struct buf	 said;
};

/* the verdict in words */
static void
say(struct offering *o, const struct msg_queue_verdict *v)
{
	for (size_t i = 0; i < v->rcpts.n; i++)
		buf_addf(&o->said, "%u%s%s ", v->rcpts.v[i].code,
		    v->rcpts.v[i].begun ? "+" : "",
		    v->rcpts.v[i].put_off ? "-" : "");
	buf_add_text(&o->said, v->adopted ? "adopted" : "over");
}

static int
offer_task(struct task *t, void *arg)
{
	struct offering		*o = arg;
	struct msg_queue_offer	 m = { .limit = 30000, .now = o->now };
	struct arena		 a = ARENA_INIT;
	struct msg_envelope	 e;
	struct buf		 b = BUF_INIT;
	void			*reply;

	world_envelope(&a, ID, o->rcpts, &e);
	CHECK_INT(ipc_pack(&msg_envelope_desc, &e, &b), 0, 0);
	m.envelope = buf_slice(&b);
	m.content = world_content();
	o->result = ipc_call(t, &o->k->c, &msg_queue_offer_desc, &m,
	    &msg_queue_verdict_desc, &a, &reply);
	if (o->result == 0)
		say(o, reply);
	o->over = true;
	fd_close(&m.content);
	buf_free(&b);
	arena_free(&a);
	return 0;
}

/* the edge breaks; qmgr sees it */
static int
cleaner_close(struct task *t, struct cleaner *k)
{
	ipc_close(&k->c);
	return task_sleep(t, 1);
}

/* offer, and have the edge break; a new one is there then */
static int
offer_and_break(struct task *t, struct world *w, struct cleaner *k,
    struct arena *a)
{
	const struct row		*row = w->row;
	struct offering			 o = { .k = k, .rcpts = row->rcpts };
	struct msg_queue_welcome	*welcome;
	int				 r;

	w->delay = row->delay;
	if ((r = cleaner_open(t, w, 7, k, &nothing, a, &welcome)) < 0)
		return r;
	task_group_start(w->group, offer_task, &o);
	if ((r = task_sleep(t, row->broken)) < 0 ||
	    (r = cleaner_close(t, k)) < 0)
		return r;
	while (r == 0 && !o.over)
		r = task_sleep(t, 1);
	buf_free(&o.said);
	return r < 0 ? r : cleaner_open(t, w, 7, k, &nothing, a, &welcome);
}

/* cleanup does not know what became of it, and commits the whole of it */
static int
committed(struct task *t, struct world *w)
{
	const struct row	*row = w->row;
	struct msg_slot_lease	 l;
	struct arena		 a = ARENA_INIT;
	struct cleaner		 k;
	int			 r;

	if ((r = offer_and_break(t, w, &k, &a)) == 0 &&
	    (r = cleaner_lease(t, &k, &l)) == 0) {
		CHECK_INT(cleaner_write(ID, row->rcpts, &l), 0, 0);
		r = cleaner_tell(t, &k, ID, row->rcpts, &l);
	}
	if (r == 0)
		r = task_sleep(t, 60000);
	CHECK(ipc_is_open(&k.c), 0);
	CHECK_TEXT(slice_of(world_where(w, ID)), row->where, row->broken);
	buf_addf(&w->asked, "end");
	CHECK_TEXT(buf_slice(&w->asked), row->asked, row->broken);
	world_close(t, &k.c);
	arena_free(&a);
	return r;
}

TEST(an_edge_breaks_and_the_message_is_committed)
{
	static const struct row rows[] = {
		{ "a@x b@x", 50, 0, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 50, 10, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 50, 49, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 50, 50, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 50, 51, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 50, 500, "nowhere", "a@x b@x end" },
		{ "a@x b@x", 0, 0, "nowhere", "a@x b@x end" },
		/* much later than the commit */
		{ "a@x b@x", 20000, 10, "nowhere", "a@x b@x end" },
		{ "a@x later@x", 50, 10, "deferred", "a@x later@x end" },
		{ "a@x later@x", 50, 50, "deferred", "a@x later@x end" },
		{ "a@x later@x", 50, 500, "deferred", "a@x later@x end" },
		{ "a@x later@x", 20000, 10, "deferred", "a@x later@x end" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .row = &rows[i] };

		world_run(&w, committed);
	}
}

/* cleanup says that it will not commit it, or nothing at all, or ends */
static int
given_up(struct task *t, struct world *w)
{
	const struct row	*row = w->row;
	struct msg_queue_forget	 forget = { ID };
	struct arena		 a = ARENA_INIT;
	struct cleaner		 k;
	int			 r;

	if ((r = offer_and_break(t, w, &k, &a)) == 0 &&
	    (r = task_sleep(t, row->delay)) == 0)
		CHECK_TEXT(slice_of(world_where(w, ID)), row->asked, 0);
	if (r == 0 && slice_equal(slice_of(row->where), S("forgotten")))
		r = ipc_send(t, &k.c, &msg_queue_forget_desc, &forget);
	if (slice_equal(slice_of(row->where), S("ended"))) {
		world_close(t, &k.c);
		peer_gone(w->daemon, 7);
	}
	if (r == 0)
		r = task_sleep(t, slice_equal(slice_of(row->where),
		    S("silence")) ? 700000 : 1000);
	CHECK_TEXT(slice_of(world_where(w, ID)), "nowhere", 0);
	world_close(t, &k.c);
	arena_free(&a);
	return r;
}

TEST(an_edge_breaks_and_the_message_is_not_committed)
{
	static const struct row rows[] = {
		{ "a@x later@x", 50, 10, "forgotten", "memory" },
		{ "a@x later@x", 50, 10, "silence", "memory" },
		{ "a@x later@x", 50, 10, "ended", "memory" },
		{ "a@x b@x", 50, 51, "silence", "nowhere" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .row = &rows[i] };

		world_run(&w, given_up);
	}
}

/* --- LMTP: what the client has back, and what goes on from the queue */

struct now_row {
	const char	*offered;
	int64_t		 delay;		/* of the agent; offers last 30 s */
	const char	*said;
	const char	*before;	/* asked of the agent until then */
	const char	*committed;	/* NULL: forgotten */
	const char	*after;		/* and in the end */
	const char	*where;
};

static int
commit_or_forget(struct task *t, struct cleaner *k, const struct now_row *row)
{
	struct msg_queue_forget	forget = { ID };
	struct msg_slot_lease	l;
	int			r;

	if (row->committed == NULL)
		return ipc_send(t, &k->c, &msg_queue_forget_desc, &forget);
	if ((r = cleaner_lease(t, k, &l)) < 0)
		return r;
	CHECK_INT(cleaner_write(ID, row->committed, &l), 0, 0);
	return cleaner_tell(t, k, ID, row->committed, &l);
}

static int
offered_now(struct task *t, struct world *w)
{
	const struct now_row		*row = w->row;
	struct msg_queue_welcome	*welcome;
	struct arena			 a = ARENA_INIT;
	struct cleaner			 k;
	struct offering			 o = { .k = &k, .rcpts = row->offered,
					     .now = true };
	int				 r;

	w->delay = row->delay;
	if ((r = cleaner_open(t, w, 7, &k, &nothing, &a, &welcome)) == 0)
		r = offer_task(t, &o);
	CHECK_TEXT(buf_slice(&o.said), row->said, row->delay);
	CHECK_TEXT(buf_slice(&w->asked), row->before, row->delay);
	if (r == 0 && (r = commit_or_forget(t, &k, row)) == 0)
		r = task_sleep(t, 60000);
	CHECK_TEXT(buf_slice(&w->asked), row->after, row->delay);
	CHECK_TEXT(slice_of(world_where(w, ID)), row->where, row->delay);
	world_close(t, &k.c);
	buf_free(&o.said);
	arena_free(&a);
	return r;
}

TEST(who_is_elsewhere_waits_for_the_commit)
{
	static const struct now_row rows[] = {
		/* one that was named for itself */
		{ "a@x", 50, "250 over", "a@x ", NULL, "a@x ", "nowhere" },
		{ "later@x", 50, "450 adopted", "later@x ", NULL, "later@x ",
		    "nowhere" },
		{ "a@x", 40000, "450+ adopted", "a@x ", "a@x", "a@x ",
		    "nowhere" },
		/* several that were */
		{ "l/a@here l/b@x", 50, "250 450- adopted", "a@here ",
		    "- l/b@x", "a@here b@x ", "nowhere" },
		{ "l/a@here l/later@x", 50, "250 450- adopted", "a@here ",
		    "- l/later@x", "a@here later@x ", "deferred" },
		{ "L/a@x l/b@x", 50, "450- 450- adopted", "", "l/a@x l/b@x",
		    "a@x b@x ", "nowhere" },
		{ "l/later@here l/b@x", 50, "450 450- adopted", "later@here ",
		    NULL, "later@here ", "nowhere" },
		{ "l/no@here l/b@x", 50, "550 450- adopted", "no@here ",
		    "- l/b@x", "no@here b@x ", "nowhere" },
		/* it does not wait for the others */
		{ "l/a@here l/b@x", 70000, "450+ 450- adopted", "a@here ",
		    "l/a@here l/b@x", "a@here b@x ", "memory" },
		/* the client has some back, and keeps them */
		{ "l/later@here l/a@x m/a@here m/b@x later@x", 50,
		    "450 450- 250 450- 450 adopted",
		    "later@x later@here a@here ", "- - - m/b@x",
		    "later@x later@here a@here b@x ", "nowhere" },
		{ "l/a@here l/later@here", 50, "250 450 adopted",
		    "a@here later@here ", "- l/later@here",
		    "a@here later@here ", "deferred" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .row = &rows[i] };

		world_run(&w, offered_now);
	}
}

/* a recipient's number names it to the account, at every try */
static int
numbers(struct task *t, struct world *w)
{
	static const struct now_row	 row = { .committed = "- later@x" };
	struct msg_queue_welcome	*welcome;
	struct arena			 a = ARENA_INIT;
	struct cleaner			 k;
	struct offering			 o = { .k = &k,
					     .rcpts = "a@x later@x" };
	int				 r;

	if ((r = cleaner_open(t, w, 7, &k, &nothing, &a, &welcome)) == 0 &&
	    (r = offer_task(t, &o)) == 0 &&
	    (r = commit_or_forget(t, &k, &row)) == 0)
		r = task_sleep(t, INT64_C(36) * 3600 * 1000);
	CHECK_TEXT(buf_slice(&w->asked), "a@x later@x later@x ", 0);
	CHECK_TEXT(buf_slice(&w->numbers), "0 1 1 ", 0);
	CHECK_TEXT(slice_of(world_where(w, ID)), "deferred", 0);
	world_close(t, &k.c);
	buf_free(&o.said);
	arena_free(&a);
	return r;
}

TEST(numbers_stay)
{
	struct world w = { .row = NULL };

	world_run(&w, numbers);
}
