/* SPDX-License-Identifier: ISC */
/*
 * Making a message durable: one write and one flush, into a slot that is ours
 * or a file of its own. Then qmgr is told.
 */
#include "cleanup/cleanup.h"

#include "cleanup/cleanup_events.h"
#include "libtask/work.h"

struct commit_job {
	struct message	*m;
	struct slice	 envelope;
	struct lease	*lease;		/* NULL: large */
	int		 fd;		/* of the slot; -1: to be opened */
};

/* commit_work - on a worker: one write and one flush */
static int
commit_work(void *arg)
{
	struct commit_job	*j = arg;
	struct message		*m = j->m;
	struct slot_piece	 piece = SLOT_PIECE_BYTES(buf_slice(&m->content));
	struct slot_message	 sm = { .id = m->id,
				    .arrival = m->envelope->arrival,
				    .envelope = j->envelope, .piece = &piece,
				    .piece_count = 1 };
	int			 r = -ENOENT;

	if (j->lease == NULL)
		return large_commit(QUEUE_HERE, &m->large,
		    m->envelope->arrival, j->envelope);
	sm.generation = j->lease->generation;
	if (j->fd >= 0)
		r = slot_commit(j->fd, j->lease->ref, &sm);
	if (r != -ENOENT)
		return r;
	/* not open, or removed and made anew since */
	fd_close(&j->fd);
	if ((r = slot_open_write(QUEUE_HERE, j->lease->ref, &j->fd)) < 0)
		return r;
	r = slot_commit(j->fd, j->lease->ref, &sm);
	return r == -ENOENT ? -ESTALE : r;
}

/* large_work - content that fits into no slot: move it to a file */
static int
large_work(void *arg)
{
	struct message	*m = arg;
	int		 r = large_create(QUEUE_HERE, &m->id, &m->large);

	return r < 0 ? r : large_write(&m->large, buf_slice(&m->content));
}

/* class_for - the smallest class that holds it; SLOT_CLASSES: none does */
static uint8_t
class_for(const struct message *m, size_t envelope)
{
	uint64_t	need = QFORMAT_HEAD_SIZE + envelope + m->length;
	uint8_t		class = 0;

	while (class < SLOT_CLASSES && slot_class_size(class) < need)
		class++;
	return class;
}

/* say_committed - tell qmgr; one that broke finds the slot when it is back.
 * lease: NULL for a large file */
static void
say_committed(struct task *t, struct message *m, struct slice envelope,
    const struct lease *lease, bool adopted)
{
	struct msg_queue_committed c = { .envelope = envelope,
	    .size_class = lease == NULL ? SLOT_CLASSES : lease->ref.class,
	    .number = lease == NULL ? 0 : lease->ref.number,
	    .adopted = adopted, .content = message_fd(m), .offset = 0,
	    .generation = lease == NULL ? 0 : lease->generation };

	/* an adopted one is waited for; the others can come together */
	if (adopted)
		ignore(edge_send(t, m->cleanup->qmgr,
		    &msg_queue_committed_desc, &c));
	else
		ignore(edge_send_later(t, m->cleanup->qmgr,
		    &msg_queue_committed_desc, &c));
	signal_set(&m->cleanup->told);
}

/* try_slot - into a slot of that class. -ESTALE: it was not ours */
static int
try_slot(struct task *t, struct message *m, uint8_t class,
    struct slice envelope, bool adopted)
{
	struct commit_job	j = { m, envelope, NULL, -1 };
	struct lease		*lease, was;
	int			r;

	if ((r = slots_get(t, m->cleanup, class, &lease)) < 0)
		return r;
	j.lease = lease;
	was = *lease;
	j.fd = slots_take_file(m->cleanup, was.ref);
	if ((r = work_run(t, commit_work, &j)) == 0)
		slots_keep_file(m->cleanup, was.ref, &j.fd);
	fd_close(&j.fd);
	if (r == -ECANCELED || r == -EMSGSIZE) {
		slots_put(m->cleanup, &lease);		/* nothing was written */
	} else if (r == -ESTALE) {
		slots_stale(m->cleanup, &lease);
	} else if (r < 0) {
		slots_retire(m->cleanup, &lease);
	} else {
		slots_used(m->cleanup, &lease);
		say_committed(t, m, envelope, &was, adopted);
	}
	return r;
}

/* commit_slot - into the first slot that is ours */
static int
commit_slot(struct task *t, struct message *m, uint8_t class,
    struct slice envelope, bool adopted)
{
	int r = -ESTALE;

	for (size_t i = 0; r == -ESTALE && i < TOLD_MAX; i++)
		r = try_slot(t, m, class, envelope, adopted);
	return r;
}

/* commit_large - into a file of its own */
static int
commit_large(struct task *t, struct message *m, struct slice envelope,
    bool adopted)
{
	struct commit_job	j = { m, envelope, NULL, -1 };
	int			r = 0;

	if (m->large.fd < 0)
		r = work_run(t, large_work, m);
	if (r == 0)
		r = work_run(t, commit_work, &j);
	if (r == 0)
		say_committed(t, m, envelope, NULL, adopted);
	return r;
}

/* commit - make it durable, and tell qmgr */
static int
commit(struct task *t, struct message *m, bool adopted)
{
	struct buf	envelope = BUF_INIT;
	uint8_t		class;
	int		r;

	if ((r = ipc_pack(&msg_envelope_desc, m->envelope, &envelope)) == 0) {
		class = class_for(m, envelope.len);
		if (m->large.fd >= 0 || class == SLOT_CLASSES)
			r = commit_large(t, m, buf_slice(&envelope), adopted);
		else
			r = commit_slot(t, m, class, buf_slice(&envelope),
			    adopted);
	}
	if (r < 0 && r != -ECANCELED)
		log_event(&m->log, EV_CLEANUP_COMMIT, KV_ERR("why", r));
	buf_free(&envelope);
	return r;
}

/* is_known - is it in the queue already, or was it? Only who may be giving
 * the message again, under the same id, wants to know */
static int
is_known(struct task *t, struct message *m)
{
	struct msg_queue_known	 ask = { queue_id_text(&m->id) };
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	r = edge_call(t, m->cleanup->qmgr, &msg_queue_known_desc, &ask,
	    &msg_queue_is_known_desc, &a, &reply);
	if (r == 0)
		r = ((struct msg_queue_is_known *)reply)->known;
	arena_free(&a);
	return r;
}

/* message_queue - commit, and the answer for it */
void
message_queue(struct task *t, struct message *m, bool adopted,
    struct status *ret_status)
{
	int r = m->again ? is_known(t, m) : 0;

	r = r > 0 ? 0 : r == 0 ? commit(t, m, adopted) : r;
	/* what a failed write left behind may be found as a message */
	m->unsure |= r < 0 && r != -ENOSPC && r != -EDQUOT && r != -ECANCELED;
	if (r == 0)
		*ret_status = status_make(250, "2.0.0", "Ok: queued as %s",
		    m->id.text);
	else if (r == -ENOSPC || r == -EDQUOT)
		*ret_status = status_make(452, "4.3.1",
		    "Insufficient system storage");
	else
		*ret_status = status_make(451, "4.3.0",
		    "Error: queue file write error");
	if (r < 0)
		message_forget(t, m);
}
