/* SPDX-License-Identifier: ISC */
/*
 * What an account process does besides: tell stored what the account uses,
 * pack bodies, give room back, dump the metadata, and notice that it has
 * nothing to do.
 */
#include <malloc.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libglobal/ipc_account.h"
#include "libstore/pack.h"
#include "libstore/snap.h"
#include "libtask/work.h"

#define PIECE_BYTES	((uint64_t)4 << 20)	/* of upkeep in one go */
#define RETRY_PAUSE	60000			/* ms after a failure */
#define USAGE_PAUSE		100	/* ms between two reports of usage */
#define TELL_PAUSE		500	/* ms between two calls to wake */
#define HOURLY		INT64_C(3600000)

/* --- usage */

/* tell_usage - if it changed */
static int
tell_usage(struct account_process *ap, struct msg_account_usage *said)
{
	struct account_quota		q;
	struct msg_account_usage	m;

	account_get_quota(ap->account, &q);
	m = (struct msg_account_usage){ q.used_bytes, q.used_count };
	if (m.bytes == said->bytes && m.messages == said->messages)
		return 0;
	*said = m;
	return ipc_post(&ap->control, &msg_account_usage_desc, &m);
}

/* upkeep_watch - after commits tell stored what is used */
int
upkeep_watch(struct task *t, void *arg)
{
	struct account_process		*ap = arg;
	struct msg_account_usage	 said = { UINT64_MAX, UINT64_MAX };
	struct bell_listener		 l;
	int				 r;

	bell_listener_init(&l);
	bell_listen(&ap->bell, &l);
	do {
		r = tell_usage(ap, &said);
		if (r == 0 && (r = task_sleep(t, USAGE_PAUSE)) == 0)
			r = signal_wait(t, &l.rung);
	} while (r == 0);
	bell_leave(&l);
	return r;
}

/* upkeep_tell - after commits wake those that sleep: at once, but not for each
 * of many changes in a row */
int
upkeep_tell(struct task *t, void *arg)
{
	struct account_process	*ap = arg;
	struct bell_listener	 l;
	int			 r = 0;

	bell_listener_init(&l);
	bell_listen(&ap->bell, &l);
	while (r == 0) {
		if (!process_has_news(ap))
			r = signal_wait(t, &l.rung);
		else if ((r = process_tell_news(ap)) == 0)
			r = task_sleep(t, TELL_PAUSE);
	}
	bell_leave(&l);
	return r;
}

/* --- packing and the rest */

struct chore {
	struct account_process	*ap;
	int64_t			 snapshot_age;	/* seconds */
};

/* pack - a work item: 1 if there is more to do */
static int
pack(void *arg)
{
	struct chore	*c = arg;
	int		 r = pack_run(c->ap->account, PIECE_BYTES);

	return r != 0 ? r : pack_rewrite(c->ap->account, PIECE_BYTES);
}

/* tidy - a work item */
static int
tidy(void *arg)
{
	struct chore	*c = arg;
	int		 r = account_work(c->ap->account);

	if (r == 0)
		r = account_compact(c->ap->account);
	return r < 0 ? r : 0;
}

/* snapshot - a work item: dump the metadata, if the last dump is old */
static int
snapshot(void *arg)
{
	struct chore	*c = arg;
	int64_t		 last = 0, now;
	struct timespec	 ts;
	int		 r = snap_time(c->ap->account, &last);

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	now = ts.tv_sec;
	if (r == -ENOENT)
		r = 0;
	if (r < 0 || now - last < c->snapshot_age)
		return r;
	return snap_write(c->ap->account);
}

/* chore - one kind of upkeep until it is done; its failure is logged */
static int
chore(struct task *t, struct chore *c, const char *what, work_fn *fn)
{
	int r;

	c->ap->at_upkeep = true;
	while ((r = work_run(t, fn, c)) > 0)
		if ((r = task_yield(t)) < 0)
			break;
	c->ap->at_upkeep = false;
	process_say_damage(c->ap);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		log_event(daemon_log(c->ap->daemon), EV_ACCOUNT_UPKEEP,
		    KV_TEXT("account", c->ap->id), KV_TEXT("what", what),
		    KV_ERR("why", r));
		return task_sleep(t, RETRY_PAUSE);
	}
	return 0;
}

/* all_chores - one round of them */
static int
all_chores(struct task *t, struct chore *c)
{
	int r;

	if ((r = chore(t, c, "packing", pack)) < 0 ||
	    (r = chore(t, c, "tidying up", tidy)) < 0)
		return r;
	return chore(t, c, "dumping the metadata", snapshot);
}

/* upkeep_pack - some time after something changed, and every hour */
int
upkeep_pack(struct task *t, void *arg)
{
	struct account_process	*ap = arg;
	struct chore		 c = { ap,
	    ap->p->accountd_snapshot_time / 1000 };
	struct bell_listener	 l;
	struct deadline		 hour;
	int			 r = 0;

	bell_listener_init(&l);
	bell_listen(&ap->bell, &l);
	while (r == 0) {
		/* what a predecessor left is done first */
		if ((r = task_sleep(t, ap->p->accountd_pack_delay)) < 0 ||
		    (r = all_chores(t, &c)) < 0)
			break;
		deadline_begin(t, &hour, HOURLY);
		r = signal_wait(t, &l.rung);
		r = deadline_end(t, &hour, r);
		if (r == -ETIMEDOUT)
			r = 0;
	}
	bell_leave(&l);
	return r;
}

/* --- idleness */

/* is_quiet - has it nothing to do now? */
static bool
is_quiet(const struct account_process *ap)
{
	return ap->deliveries == 0 && !ap->ending && sessions_are_quiet(ap);
}

/* upkeep_idle - say when the process has nothing to do. That it has again is
 * said only as the answer to an order to end: one that crossed the order would
 * be taken for a refusal, and what is sent to us then be lost. */
int
upkeep_idle(struct task *t, void *arg)
{
	struct account_process	*ap = arg;
	struct msg_account_idle	 m = { true };
	uint64_t		 seen;
	int			 r = 0;

	while (r == 0) {
		seen = ap->activities;
		r = task_sleep(t, ap->p->accountd_idle_delay);
		if (r < 0 || seen != ap->activities || !is_quiet(ap))
			continue;
		r = ipc_post(&ap->control, &msg_account_idle_desc, &m);
		/* it may be kept for long: what threads and batches had */
		(void)malloc_trim(0);	/* or there was nothing to give */
		ap->activity.set = false;
		if (r == 0 && seen == ap->activities)
			r = signal_wait(t, &ap->activity);
	}
	return r;
}
