/* SPDX-License-Identifier: ISC */
/*
 * Slots that qmgr leased to us. A few are kept at hand, so that a message does
 * not wait for qmgr; each is written once. What we hold is said in the first
 * message of every new edge to qmgr: a slot is ours from the lease until its
 * commit has succeeded or it was given back.
 *
 * If we were silent for too long a new qmgr may have given them to others. It
 * says which in its answer, and no commit begins before that; what is under way
 * is decided by the file itself (slot_commit), and what was written while nobody
 * listened is named in hello, too.
 */
#include "cleanup/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>

#include "cleanup/cleanup_events.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define LEASE_MAX	256

static void
add(struct list *l, struct lease *lease)
{
	list_add_tail(l, &lease->link);
}

/* slots_put - back to the stock, unused */
void
slots_put(struct cleanup *c, struct lease **take)
{
	struct lease *l = *take;

	*take = NULL;
	list_remove(&l->link);
	/* the one that was written last is in memory: use it first */
	list_add_head(&c->stock[l->ref.class], &l->link);
	c->stock_count[l->ref.class]++;
}

/* drop - it is not ours any more */
static void
drop(struct lease **take)
{
	struct lease *l = *take;

	*take = NULL;
	list_remove(&l->link);
	free(l);
}

/* slots_used - it holds a message */
void
slots_used(struct cleanup *c, struct lease **take)
{
	const struct lease *l = *take;

	c->told_of[c->told_count++ % TOLD_MAX] = (struct msg_slot_lease){
	    l->ref.class, l->ref.number, l->generation, false };
	drop(take);
}

/* give_back - tell qmgr about a slot that is not ours any more */
static void
give_back(struct cleanup *c, const struct slot_ref *ref,
    struct msg_queue_return m)
{
	struct msg_slot_ref one = { ref->class, ref->number };

	m.slots.v = &one;
	m.slots.n = 1;
	/* if it cannot be said now, the next hello does not list it */
	ignore(edge_post(c->qmgr, &msg_queue_return_desc, &m));
}

/* slots_retire - nobody knows what it holds */
void
slots_retire(struct cleanup *c, struct lease **take)
{
	give_back(c, &(*take)->ref, (struct msg_queue_return){
	    .retire = true });
	drop(take);
}

/* slots_stale - somebody else was given it, and was faster */
void
slots_stale(struct cleanup *c, struct lease **take)
{
	log_event(daemon_log(c->daemon), EV_CLEANUP_STALE,
	    KV_UINT("number", (*take)->ref.number),
	    KV_INT("size_class", (*take)->ref.class));
	give_back(c, &(*take)->ref, (struct msg_queue_return){
	    .stale = true });
	drop(take);
}

/* slots_take_file - the open file of a leased slot */
int
slots_take_file(struct cleanup *c, struct slot_ref ref)
{
	struct slot_file	*f = &c->file[ref.number % SLOT_FILES];
	int			 fd = f->fd;

	if (ref.class != SLOT_SMALL || f->number != ref.number)
		return -1;
	f->fd = -1;
	return fd;
}

/* slots_keep_file - until that slot is leased to us again */
void
slots_keep_file(struct cleanup *c, struct slot_ref ref, int *fd_take)
{
	struct slot_file *f = &c->file[ref.number % SLOT_FILES];

	if (ref.class == SLOT_SMALL && *fd_take >= 0) {
		fd_close(&f->fd);
		*f = (struct slot_file){ ref.number, *fd_take };
		*fd_take = -1;
	}
	fd_close(fd_take);
}

struct make_job {
	uint32_t	number[LEASE_MAX];
	size_t		count;
	uint8_t		class;
};

static int
make_work(void *arg)
{
	struct make_job *j = arg;

	return slot_grow(QUEUE_HERE, j->class, j->number, j->count);
}

/* make_files - make the files of slots that are new; they are lost if that
 * fails */
static int
make_files(struct task *t, struct cleanup *c, uint8_t class,
    const struct msg_queue_leased *m)
{
	struct make_job	*j = NEW(struct make_job);
	int		 r = 0;

	j->class = class;
	for (size_t i = 0; i < m->slots.n; i++)
		if (m->slots.v[i].make && j->count < LEASE_MAX)
			j->number[j->count++] = m->slots.v[i].number;
	if (j->count > 0)
		r = work_run(t, make_work, j);
	for (size_t i = 0; r < 0 && i < j->count; i++)
		give_back(c, &(struct slot_ref){ class, j->number[i] },
		    (struct msg_queue_return){ .unmade = true });
	free(j);
	return r;
}

/* keep - put what was leased into the stock */
static void
keep(struct cleanup *c, uint8_t class, const struct msg_queue_leased *m,
    bool made)
{
	for (size_t i = 0; i < m->slots.n; i++) {
		const struct msg_slot_lease *s = &m->slots.v[i];
		struct lease *l;

		if (s->size_class != class || (s->make && !made))
			continue;
		l = NEW(struct lease);
		list_init(&l->link);
		l->ref = (struct slot_ref){ class, s->number };
		l->generation = s->generation;
		add(&c->stock[class], l);
		c->stock_count[class]++;
	}
}

/* ask - lease more slots of a class */
static int
ask(struct task *t, struct cleanup *c, uint8_t class)
{
	const struct cleanup_params	*p = daemon_params(c->daemon);
	struct msg_queue_lease		 m = { class,
					     (uint32_t)p->cleanup_slot_stock };
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 r, made = 0;

	/* the big ones are rarely needed: a few at a time */
	for (uint8_t i = 0; i < class; i++)
		m.count = (m.count + 3) / 4;
	r = edge_call(t, c->qmgr, &msg_queue_lease_desc, &m,
	    &msg_queue_leased_desc, &a, &reply);
	if (r == 0) {
		made = make_files(t, c, class, reply);
		keep(c, class, reply, made == 0);
		if (c->stock_count[class] == 0)
			r = made < 0 ? made : -ENOSPC;
	}
	arena_free(&a);
	return r;
}

/* slots_get - a slot of a class to write into */
int
slots_get(struct task *t, struct cleanup *c, uint8_t class,
    struct lease **ret_lease)
{
	struct list	*link = NULL;
	int		 r;

	while ((r = edge_settle(t, c->qmgr)) == 0 &&
	    (link = list_take_head(&c->stock[class])) == NULL) {
		if (c->asking[class]) {		/* another task asks already */
			r = task_sleep(t, 1);
		} else {
			c->asking[class] = true;
			r = ask(t, c, class);
			c->asking[class] = false;
		}
		if (r < 0)
			break;
	}
	if (link == NULL) {
		log_event(daemon_log(c->daemon), EV_CLEANUP_NO_SLOT,
		    KV_INT("size_class", class), KV_ERR("why", r));
		return r;
	}
	c->stock_count[class]--;
	add(&c->writing, CONTAINER_OF(link, struct lease, link));
	*ret_lease = CONTAINER_OF(link, struct lease, link);
	return 0;
}

/* --- what qmgr wants of us */

static size_t
collect(struct list *l, struct msg_slot_ref *out, size_t n)
{
	LIST_EACH(l, link) {
		struct lease *lease = CONTAINER_OF(link, struct lease, link);

		if (out != NULL)
			out[n] = (struct msg_slot_ref){ lease->ref.class,
			    lease->ref.number };
		n++;
	}
	return n;
}

/* held - all we hold; with NULL, how many */
static size_t
held(struct cleanup *c, struct msg_slot_ref *out)
{
	size_t n = collect(&c->writing, out, 0);

	for (size_t i = 0; i < SLOT_CLASSES; i++)
		n = collect(&c->stock[i], out, n);
	return n;
}

/* lose - a lease that is refused. One under a commit stays: the file decides */
static void
lose(struct cleanup *c, const struct msg_slot_ref *ref)
{
	if (ref->size_class >= SLOT_CLASSES)
		return;
	LIST_EACH_SAFE(&c->stock[ref->size_class], link) {
		struct lease *l = CONTAINER_OF(link, struct lease, link);

		if (l->ref.number != ref->number)
			continue;
		drop(&l);
		c->stock_count[ref->size_class]--;
	}
}

/* hello - the first message of a new edge to qmgr; nothing is written before
 * its answer */
static int
hello(struct task *t, struct ipc_conn *conn, void *arg)
{
	struct cleanup			*c = arg;
	struct arena			 a = ARENA_INIT;
	struct msg_queue_hello		 m = { { NULL, held(c, NULL) },
					     { c->told_of, size_min(
					     c->told_count, TOLD_MAX) } };
	const struct msg_queue_welcome	*w;
	size_t				 told = c->told_count;
	void				*reply;
	int				 r;

	m.held.v = ARENA_ARRAY(&a, struct msg_slot_ref, m.held.n);
	m.held.n = held(c, m.held.v);
	r = ipc_call(t, conn, &msg_queue_hello_desc, &m,
	    &msg_queue_welcome_desc, &a, &reply);
	if (r == 0) {
		w = reply;
		for (size_t i = 0; i < w->refused.n; i++)
			lose(c, &w->refused.v[i]);
		if (c->told_count == told)
			c->told_count = 0;
		if (w->refused.n > 0)
			log_event(daemon_log(c->daemon), EV_CLEANUP_LOST,
			    KV_UINT("count", w->refused.n));
	}
	arena_free(&a);
	return r;
}

struct unlink_job {
	struct queue_id	id;
};

static int
unlink_work(void *arg)
{
	struct unlink_job *j = arg;

	return large_unlink(QUEUE_HERE, &j->id);
}

static int
shrink_work(void *arg)
{
	struct make_job *j = arg;

	return slot_shrink(QUEUE_HERE, j->class, j->number, j->count);
}

/* shrink - remove slot files that nobody needs */
static int
shrink(struct task *t, const struct msg_queue_shrink *m)
{
	struct make_job	*j = NEW(struct make_job);
	int		 r = 0;

	for (size_t i = 0; i < m->slots.n && r != -ECANCELED; i++) {
		j->class = (uint8_t)m->slots.v[i].size_class;
		j->number[0] = m->slots.v[i].number;
		j->count = 1;
		if (j->class < SLOT_CLASSES)
			r = work_run(t, shrink_work, j);
	}
	free(j);
	return r == -ECANCELED ? r : 0;
}

/* on_message - what qmgr says that is no answer */
static int
on_message(struct task *t, struct ipc_conn *conn, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct cleanup		*c = arg;
	struct msg_queue_unlinked gone;
	struct unlink_job	 j;
	struct slice		 id;
	int			 r;

	(void)conn;
	(void)a;
	if (in->desc->number == MSG_queue_shrink)
		return shrink(t, in->msg);
	if (in->desc->number == MSG_queue_doubts) {
		doubt_heard(c, in->msg);
		return 0;
	}
	if (in->desc->number != MSG_queue_unlink)
		return -EBADMSG;
	id = ((struct msg_queue_unlink *)in->msg)->queue_id;
	if ((r = queue_id_parse(id, &j.id)) < 0)
		return r;
	r = work_run(t, unlink_work, &j);
	if (r < 0 && r != -ECANCELED)
		log_event(daemon_log(c->daemon), EV_CLEANUP_UNLINK,
		    KV_STR("queue_id", id), KV_ERR("why", r));
	gone.queue_id = id;
	if (r == 0)
		ignore(edge_post(c->qmgr, &msg_queue_unlinked_desc, &gone));
	return r == -ECANCELED ? r : 0;
}

/* slots_init - no slots yet; the edge that gives them */
void
slots_init(struct cleanup *c)
{
	for (size_t i = 0; i < SLOT_CLASSES; i++)
		list_init(&c->stock[i]);
	list_init(&c->writing);
	for (size_t i = 0; i < SLOT_FILES; i++)
		c->file[i].fd = -1;
	c->qmgr = daemon_edge(c->daemon, "qmgr", &ipc_table_queue);
	edge_on_open(c->qmgr, hello, c);
	edge_on_message(c->qmgr, on_message, c);
	edge_on_close(c->qmgr, &c->left);
}
