/* SPDX-License-Identifier: ISC */
/* More is committed than may be tried at a time: what is too much waits on
 * disk, takes no memory and no descriptor, and is tried once there is room. */
#include "qmgr_world.h"

#define LIMIT	8
#define COUNT_MAX	40

static const struct msg_queue_hello nothing;

/* id_of - an id of its own */
static struct slice
id_of(size_t i, char at[40])
{
	(void)snprintf(at, 40, "4jXQmP4xsMzw%c%cj", (char)('0' + i / 10),
	    (char)('0' + i % 10));
	return slice_of(at);
}

/* begin - a cleanup that has nothing; with_content: it sends some with each */
static int
begin(struct task *t, struct world *w, struct cleaner *k, bool with_content)
{
	struct msg_queue_welcome	*welcome;
	struct arena			 a = ARENA_INIT;
	int				 r;

	r = cleaner_open(t, w, 7, k, &nothing, &a, &welcome);
	if (with_content)
		k->content = world_content();
	arena_free(&a);
	return r;
}

/* end - it goes */
static void
end(struct task *t, struct cleaner *k)
{
	fd_close(&k->content);
	world_close(t, &k->c);
}

/* commit - one message, with a descriptor of its content */
static int
commit(struct task *t, struct cleaner *k, size_t i, const char *rcpt)
{
	struct msg_slot_lease	l;
	char			id[40];
	int			r;

	if ((r = cleaner_lease(t, k, &l)) < 0)
		return r;
	CHECK_INT(cleaner_write(id_of(i, id), rcpt, &l), 0, i);
	return cleaner_tell(t, k, id_of(i, id), rcpt, &l);
}

/* count - messages that are there */
static size_t
count(struct world *w, size_t n, const char *where)
{
	size_t	found = 0;
	char	id[40];

	for (size_t i = 0; i < n; i++)
		found += strcmp(world_where(w, id_of(i, id)), where) == 0;
	return found;
}

/* times_asked - how often the agent was given that address */
static size_t
times_asked(struct world *w, const char *address)
{
	struct slice	rest = buf_slice(&w->asked);
	size_t		n = 0;

	while (rest.len > 0)
		n += slice_equal(slice_split(&rest, ' '), slice_of(address));
	return n;
}

/* flood - what is committed while the agent takes its time */
static int
flood(struct task *t, struct world *w)
{
	struct cleaner	k;
	char		rcpt[40];
	int		r;

	w->delay = 20000;
	r = begin(t, w, &k, true);
	for (size_t i = 0; r == 0 && i < COUNT_MAX; i++) {
		(void)snprintf(rcpt, sizeof(rcpt), "a%zu@x", i);
		r = commit(t, &k, i, rcpt);
	}
	if (r == 0 && (r = task_sleep(t, 2000)) == 0) {
		size_t in_memory = count(w, COUNT_MAX, "memory");

		CHECK(in_memory > 0 && in_memory <= LIMIT, in_memory);
		CHECK_INT(count(w, COUNT_MAX, "deferred"),
		    COUNT_MAX - in_memory, 0);
		CHECK(w->q.content_open <= in_memory, w->q.content_open);
		CHECK_INT(w->q.messages.count, in_memory, 0);
	}
	/* each is tried once, as room comes */
	for (size_t s = 0; r == 0 && s < 1000 &&
	    count(w, COUNT_MAX, "nowhere") < COUNT_MAX; s++) {
		r = task_sleep(t, 1000);
		CHECK(w->q.messages.count <= LIMIT, s);
	}
	CHECK_INT(count(w, COUNT_MAX, "nowhere"), COUNT_MAX, 0);
	for (size_t i = 0; i < COUNT_MAX; i++) {
		(void)snprintf(rcpt, sizeof(rcpt), "a%zu@x", i);
		CHECK_INT(times_asked(w, rcpt), 1, i);
	}
	end(t, &k);
	return r;
}

TEST(more_than_may_be_tried_waits_on_disk)
{
	struct world w = { .active_limit = "8" };

	world_run(&w, flood);
}

/* quick - a backlog is worked off as fast as it is delivered */
static int
quick(struct task *t, struct world *w)
{
	struct cleaner	k;
	int		r;

	w->delay = 100;
	r = begin(t, w, &k, true);
	for (size_t i = 0; r == 0 && i < COUNT_MAX; i++)
		r = commit(t, &k, i, "a@x");
	if (r == 0)
		r = task_sleep(t, 2000);
	CHECK_INT(count(w, COUNT_MAX, "nowhere"), COUNT_MAX, 0);
	end(t, &k);
	return r;
}

TEST(what_waits_is_tried_as_soon_as_there_is_room)
{
	struct world w = { .active_limit = "8" };

	world_run(&w, quick);
}

/* offered - try it while the client waits; true if it was delivered */
static bool
offered(struct task *t, struct cleaner *k, struct slice id, const char *rcpt)
{
	struct msg_queue_offer	  m = { .limit = 30000, .content = k->content };
	struct msg_queue_verdict *v;
	struct arena		  a = ARENA_INIT;
	struct msg_envelope	  e;
	struct buf		  b = BUF_INIT;
	void			 *reply = NULL;
	bool			  is;

	world_envelope(&a, id, rcpt, &e);
	CHECK_INT(ipc_pack(&msg_envelope_desc, &e, &b), 0, 0);
	m.envelope = buf_slice(&b);
	CHECK_INT(ipc_call(t, &k->c, &msg_queue_offer_desc, &m,
	    &msg_queue_verdict_desc, &a, &reply), 0, 0);
	v = reply;
	is = v != NULL && v->rcpts.n == 1 && v->rcpts.v[0].code == 250;
	buf_free(&b);
	arena_free(&a);
	return is;
}

/* descriptors - waiting messages hold as many as they may */
static int
descriptors(struct task *t, struct world *w)
{
	struct cleaner	k;
	char		id[40];
	int		r;

	w->delay = 3600000;
	r = begin(t, w, &k, true);
	for (size_t i = 0; r == 0 && i < COUNT_MAX; i++)
		r = commit(t, &k, i, "a@x");
	if (r == 0)
		r = task_sleep(t, 2000);
	CHECK_INT(w->q.content_open, 12, 0);
	w->delay = 10;
	CHECK(offered(t, &k, id_of(COUNT_MAX, id), "other@y"), 0);
	CHECK_INT(w->q.content_open, 12, 0);
	end(t, &k);
	return r;
}

TEST(what_waits_leaves_descriptors_to_what_is_offered)
{
	struct world w = { .content_limit = "16" };

	world_run(&w, descriptors);
}

/* others - a hop that takes nothing is no hindrance for another one */
static int
others(struct task *t, struct world *w)
{
	struct cleaner	k;
	int		r;

	w->delay = 3600000;
	r = begin(t, w, &k, false);
	for (size_t i = 0; r == 0 && i < COUNT_MAX; i++)
		r = commit(t, &k, i, "a@x");
	w->delay = 10;
	if (r == 0 && (r = task_sleep(t, 2000)) == 0 &&
	    (r = commit(t, &k, COUNT_MAX, "other@y")) == 0)
		r = task_sleep(t, 2000);
	CHECK_INT(times_asked(w, "other@y"), 1, 0);
	end(t, &k);
	return r;
}

TEST(a_hop_that_takes_nothing_holds_up_no_other)
{
	struct world w = { .active_limit = "8" };

	world_run(&w, others);
}
