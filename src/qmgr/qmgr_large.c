/* SPDX-License-Identifier: ISC */
/*
 * Large files between qmgr and the cleanups, any of which may die. What is to
 * be unlinked is asked for until some cleanup has done it. What a cleanup had
 * committed and could not tell is looked for when one has ended or comes back:
 * a file of a living one is locked, or its news is on the way.
 */
#include "qmgr/qmgr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "libglobal/large.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

/* --- unlinking */

/* large_finished - its file is to go */
void
large_finished(struct qmgr *q, struct slice queue_id)
{
	struct queue_id *id;

	if (hash_get(&q->unlinks, queue_id) == NULL) {
		id = NEW(struct queue_id);
		if (queue_id_parse(queue_id, id) < 0) {
			free(id);
			return;		/* it is the id of a message */
		}
		(void)hash_put(&q->unlinks, queue_id_text(id), id); /* new */
	}
	owners_tell_unlink(q, queue_id);
}

/* large_tell_all - there may be somebody to be told now */
void
large_tell_all(struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(&q->unlinks, &it, &k, &v))
		owners_tell_unlink(q, k);
}

/* large_unlinked - its file has gone, durably */
int
large_unlinked(struct qmgr *q, struct slice queue_id)
{
	struct queue_id	id;
	int		r;

	if ((r = queue_id_parse(queue_id, &id)) < 0)
		return r;
	free(hash_remove(&q->unlinks, queue_id));
	qstate_batch_unlinked(q->batch, &id);
	commit_soon(q);
	return 0;
}

/* --- adopting */

struct found {
	struct queue_id	id;
	struct list	link;
};

struct look {
	struct list	found;		/* struct found */
	struct queue_id	id;		/* one of them */
	struct buf	envelope;
};

static int
add_found(void *arg, const struct queue_id *id, int r,
    const struct queue_head *head)
{
	struct look	*l = arg;
	struct found	*f;

	(void)head;
	if (r < 0)
		return 0;		/* the next start reports it */
	f = NEW(struct found);
	f->id = *id;
	list_init(&f->link);
	list_add_tail(&l->found, &f->link);
	return 0;
}

static int
scan_work(void *arg)
{
	return large_scan(AT_FDCWD, add_found, arg, NULL);
}

/* read_work - -EBUSY: its cleanup lives and tells of it */
static int
read_work(void *arg)
{
	struct look		*l = arg;
	struct queue_head	 head;
	int			 fd, r;

	r = large_open(AT_FDCWD, &l->id, &fd, &head, &l->envelope);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (r == 0)
		r = large_check_content(fd, &head);
	if (r == 0)
		r = large_flush_folder(AT_FDCWD);	/* its writer may not have */
	fd_close(&fd);
	return r;
}

/* is_ours - do we know it, or are we done with it? What that cleanup had
 * offered we know, but not that it is committed. */
static bool
is_ours(struct qmgr *q, const struct queue_id *id, uint32_t owner)
{
	const struct qmessage *m = qmessage_find(q, queue_id_text(id));

	if (m != NULL && m->offered && !m->committed && m->owner == owner)
		return false;
	return recent_find(q, id) || qstate_is_gone(q->state, id) == 0;
}

/* adopt_found - those that we do not know */
static int
adopt_found(struct task *t, struct qmgr *q, struct look *l, uint32_t owner)
{
	struct list	*link;
	int		 r = 0;

	while ((link = list_take_head(&l->found)) != NULL) {
		struct found *f = CONTAINER_OF(link, struct found, link);

		l->id = f->id;
		free(f);
		if (r == -ECANCELED || is_ours(q, &l->id, owner))
			continue;
		buf_reset(&l->envelope);
		r = work_run(t, read_work, l);
		if (r == 0 && !is_ours(q, &l->id, owner))
			r = qmessage_adopt(q, &l->id, buf_slice(&l->envelope),
			    QUEUE_PLACE_IN_LARGE, 1);
	}
	return r == -ECANCELED ? r : 0;
}

/* large_adopt - look for what nobody told of */
int
large_adopt(struct task *t, struct qmgr *q, uint32_t owner)
{
	struct look	*l = NEW(struct look);
	int		 r;

	list_init(&l->found);
	l->envelope = (struct buf)BUF_INIT_MAX(QFORMAT_ENVELOPE_MAX);
	r = work_run(t, scan_work, l);
	/* what a scan that broke off has found counts as well */
	if (adopt_found(t, q, l, owner) == -ECANCELED)
		r = -ECANCELED;
	buf_free(&l->envelope);
	free(l);
	return r == -ECANCELED ? r : 0;
}
