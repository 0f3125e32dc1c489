/* SPDX-License-Identifier: ISC */
/*
 * Deliveries. Each waits in a list until the writer takes it; while one batch
 * is being committed the next one gathers, so the busier the account, the
 * more messages share a flush, and a lone message never waits for company.
 *
 * A delivery belongs to who waits for it, but is lent to the writer while its
 * batch runs: who must leave meanwhile abandons it, and the writer frees it.
 */
#include <stdlib.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libstore/message.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define ASKED_AT_ONCE	100

/* delivery_new - takes the message, with the arena it is in */
static struct delivery *
delivery_new(struct ipc_in *in, struct arena *arena_take)
{
	struct delivery *d = NEW(struct delivery);

	list_init(&d->link);
	d->arena = *arena_take;
	*arena_take = (struct arena)ARENA_INIT;
	d->ask = in->msg;
	in->msg = NULL;
	return d;
}

/* keep_big - have stored keep a large content, which accounts then share; if
 * it cannot, the account keeps it for itself */
static int
keep_big(struct task *t, struct account_process *ap, struct delivery *d)
{
	int r = big_keep(t, ap, d->ask->content, d->ask->offset,
	    d->ask->content_length, d->hash);

	d->is_big = r == 1;
	return r < 0 ? r : 0;
}

/* bring_back - a large content whose name was taken away before the commit */
static int
bring_back(struct task *t, struct account_process *ap, struct delivery *d)
{
	int r = keep_big(t, ap, d);

	if (r == 0 && !d->is_big)
		d->status = status_make(451, "4.3.0",
		    "The content could not be kept");
	return r;
}

/* wait_done - until the writer has filed it, or we must leave */
static int
wait_done(struct task *t, struct account_process *ap, struct delivery *d)
{
	int r = 0;

	list_add_tail(&ap->jobs, &d->link);
	ap->waiting++;
	signal_set(&ap->more_jobs);
	while (r == 0 && !d->finished)
		r = signal_wait(t, &d->done);
	return r;
}

/* leave - we are done with it, or must go before it is */
static void
leave(struct account_process *ap, struct delivery *d)
{
	if (d->running) {
		d->abandoned = true;
		return;
	}
	if (!list_is_empty(&d->link)) {
		list_remove(&d->link);
		ap->waiting--;
	}
	delivery_free(d);
}

/* say - log what became of it */
static void
say(const struct account_process *ap, const struct delivery *d)
{
	const struct log	*l = daemon_log(ap->daemon);
	struct kv		 id = KV_STR("queue_id", d->ask->queue_id);
	struct kv		 to = KV_STR("recipient", d->ask->recipient);
	struct buf		 reply = BUF_INIT;

	if (d->is_duplicate) {
		log_event(l, EV_ACCOUNT_DUPLICATE, id, to);
	} else if (status_is_ok(&d->status)) {
		log_event(l, EV_ACCOUNT_DELIVERED, id, to,
		    KV_STR("mailbox", d->mailbox),
		    KV_UINT("uid", d->message->places[0].uid));
	} else {
		status_format(&reply, &d->status);
		log_event(l, EV_ACCOUNT_REFUSED, id, to,
		    KV_STR("reply", buf_slice(&reply)));
		buf_free(&reply);
	}
}

/* on_ask - one delivery, from the question to its answer */
static int
on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct account_process	 *ap = arg;
	struct delivery		 *d;
	struct buf		  code = BUF_INIT;
	struct msg_deliver_result m;
	int			  r;

	if (in->desc->number != MSG_deliver_ask || in->request == 0)
		return -EBADMSG;
	d = delivery_new(in, a);
	ap->deliveries++;
	process_active(ap);
	r = 0;
	if (d->ask->content_length >= BODY_BIG && filing_is_plain(d->ask))
		r = keep_big(t, ap, d);
	if (r == 0)
		r = wait_done(t, ap, d);
	if (r == 0 && d->is_gone)
		r = bring_back(t, ap, d);
	ap->deliveries--;
	process_active(ap);
	if (r == 0) {
		say(ap, d);
		status_code_format(&code, d->status.enhanced);
		m = (struct msg_deliver_result){ d->status.code,
		    buf_slice(&code), status_text(&d->status) };
		r = ipc_reply(c, in->request, &msg_deliver_result_desc, &m);
		buf_free(&code);
	}
	leave(ap, d);
	return r;
}

struct channel {
	struct account_process	*ap;
	int			 fd;
};

/* channel_task - one channel, until who delivers closes it */
static int
channel_task(struct task *t, void *arg)
{
	struct channel	*ch = arg;
	struct ipc_conn	 c;
	int		 r;

	ipc_open(&c, task_loop(t), &ch->fd, &ipc_table_deliver, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, on_ask, ch->ap, ASKED_AT_ONCE);
	ipc_close(&c);
	free(ch);
	/* that it went away is its business, not the account's */
	ignore(r);
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* deliver_start - serve a channel */
void
deliver_start(struct account_process *ap, int *fd_take)
{
	struct channel *ch = NEW(struct channel);

	ch->ap = ap;
	ch->fd = *fd_take;
	*fd_take = -1;
	process_active(ap);
	task_group_start(daemon_group(ap->daemon), channel_task, ch);
}

/* --- the writer */

/* take_batch - the deliveries that go together; at least one */
static size_t
take_batch(struct account_process *ap, struct delivery **jobs, size_t max)
{
	uint64_t	size = 0;
	size_t		n = 0;

	while (n < max && !list_is_empty(&ap->jobs)) {
		struct delivery *d = CONTAINER_OF(ap->jobs.next,
		    struct delivery, link);

		size += d->ask->content_length;
		if (n > 0 && size > ap->p->accountd_batch_size_limit)
			break;
		list_remove(&d->link);
		ap->waiting--;
		d->running = true;
		jobs[n++] = d;
	}
	return n;
}

/* is_alone - is this delivery all there is to do? Then nobody waits for it but
 * who waits anyway, and a thread for it would only cost its waking. */
static bool
is_alone(const struct account_process *ap, const struct filing *f)
{
	return f->count == 1 && ap->deliveries == 1 &&
	    ap->session_count == 0 && !ap->at_upkeep &&
	    f->jobs[0]->ask->content_length < BODY_BIG;
}

/* file - one batch */
static int
file(struct task *t, struct account_process *ap, struct delivery **jobs,
    size_t max, size_t *ret_count)
{
	struct filing	f = { .account = ap->account, .p = ap->p,
	    .jobs = jobs };
	int		r;

	*ret_count = f.count = take_batch(ap, jobs, max);
	r = is_alone(ap, &f) ? filing_run(&f) : work_run(t, filing_run, &f);
	for (size_t i = 0; i < f.count; i++) {
		jobs[i]->running = false;
		jobs[i]->finished = r == 0;
		if (jobs[i]->abandoned)
			delivery_free(jobs[i]);
		else
			signal_set(&jobs[i]->done);
	}
	bell_ring(&ap->bell);
	process_say_damage(ap);
	return r;
}

/* gather - who was in the last batch is likely to come again at once: wait a
 * moment until as many are there, so that they share the next flush, too. A
 * lone message finds no last batch of several and does not wait. */
static int
gather(struct task *t, struct account_process *ap, size_t last)
{
	struct deadline	d;
	int		r = 0;

	deadline_begin(t, &d, ap->p->accountd_batch_delay);
	while (r == 0 && ap->waiting < last)
		r = signal_wait(t, &ap->more_jobs);
	r = deadline_end(t, &d, r);
	return r == -ETIMEDOUT ? 0 : r;
}

/* deliver_writer - file what waits, batch after batch */
int
deliver_writer(struct task *t, void *arg)
{
	struct account_process	*ap = arg;
	size_t			 max = (size_t)ap->p->accountd_batch_limit;
	struct delivery		**jobs = NEW_ARRAY(struct delivery *, max);
	size_t			 last = 0;
	int			 r = 0;

	while (r == 0) {
		if (list_is_empty(&ap->jobs)) {
			r = signal_wait(t, &ap->more_jobs);
			continue;
		}
		/* those that came while we filed are read first */
		r = task_yield(t);
		if (r == 0 && last > 1 && ap->waiting < last)
			r = gather(t, ap, last);
		if (r == 0)
			r = file(t, ap, jobs, max, &last);
	}
	free(jobs);
	return r;
}
