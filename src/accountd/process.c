/* SPDX-License-Identifier: ISC */
/*
 * What stored says to an account process, and how it ends: when stored asks
 * for it and every session could be put to sleep, or when stored's channel
 * closes. Either way the transaction that runs is finished.
 */
#include <stdlib.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libglobal/ipc_account.h"
#include "libstore/verify.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "libutil/hex.h"

#define CALLS_AT_ONCE	32
#define FINDINGS_MAX	1000	/* as account_verified has it */
#define FINDING_MAX	500
#define LOG_LIMIT	5000	/* ms to get another edge to logd */
#define SAY_LIMIT	2000	/* ms for the last word to stored */
#define DAY_MS		INT64_C(86400000)
#define HOUR_MS		INT64_C(3600000)

/* --- life */

/* process_new - an account process that has no account yet */
struct account_process *
process_new(void)
{
	struct account_process *ap = NEW(struct account_process);

	ap->control.io.fd = -1;
	bell_init(&ap->bell);
	list_init(&ap->jobs);
	list_init(&ap->sessions);
	list_init(&ap->line);
	pthread_mutex_init(&ap->damage.lock, NULL);
	return ap;
}

/* process_attach - its daemon */
void
process_attach(struct account_process *ap, struct daemon *d)
{
	ap->daemon = d;
	ap->p = daemon_params(d);
	daemon_set_data(d, ap);
}

/* process_free - its tasks have ended */
void
process_free(struct account_process **ap_take)
{
	struct account_process *ap = *ap_take;

	*ap_take = NULL;
	imap_shared_free(&ap->imap);
	account_close(&ap->account);
	ipc_close(&ap->control);
	pthread_mutex_destroy(&ap->damage.lock);
	free(ap);
}

/* process_active - it is not idle */
void
process_active(struct account_process *ap)
{
	ap->activities++;
	signal_set(&ap->activity);
}

/* process_has_news - has something changed that sleepers were not told of? */
bool
process_has_news(const struct account_process *ap)
{
	return ap->has_sleepers && ap->told != ap->bell.rings;
}

/* process_tell_news - have stored wake those of them that idle */
int
process_tell_news(struct account_process *ap)
{
	struct msg_account_changed m;

	ap->told = ap->bell.rings;
	return ipc_post(&ap->control, &msg_account_changed_desc, &m);
}

/* note_damage - on a store thread: kept for the loop's, which logs */
static void
note_damage(void *arg, struct slice key)
{
	struct account_process	*ap = arg;
	struct damage		*d = &ap->damage;
	struct buf		 hex = BUF_INIT;

	hex_encode(&hex, slice_sub(key, 0, (sizeof(d->key) - 1) / 2));
	pthread_mutex_lock(&d->lock);
	d->count++;
	(void)snprintf(d->key, sizeof(d->key), "%s", buf_cstr(&hex));
	pthread_mutex_unlock(&d->lock);
	buf_free(&hex);
}

/* process_say_damage - log what was found */
void
process_say_damage(struct account_process *ap)
{
	struct damage	*d = &ap->damage;
	char		 key[sizeof(d->key)];
	uint64_t	 count;

	pthread_mutex_lock(&d->lock);
	count = d->count;
	memcpy(key, d->key, sizeof(key));
	d->count = 0;
	pthread_mutex_unlock(&d->lock);
	if (count > 0)
		log_event(daemon_log(ap->daemon), EV_ACCOUNT_DAMAGE,
		    KV_TEXT("account", ap->id), KV_TEXT("key", key),
		    KV_IF(count > 1, KV_UINT("others", count - 1)));
}

/* process_connect - an edge: to logd only, by way of stored */
int
process_connect(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct account_process	*ap = arg;
	struct msg_account_log	 m;
	struct msg_account_log_fd *answer;
	struct arena		 a = ARENA_INIT;
	struct deadline		 limit;
	void			*reply;
	int			 r;

	if (strcmp(callee, "logd") != 0)
		return -EPERM;
	deadline_begin(t, &limit, LOG_LIMIT);
	r = ipc_call(t, &ap->control, &msg_account_log_desc, &m,
	    &msg_account_log_fd_desc, &a, &reply);
	r = deadline_end(t, &limit, r);
	if (r == 0) {
		answer = reply;
		*ret_fd = answer->fd;
		r = answer->fd < 0 ? -ECONNREFUSED : 0;
	}
	arena_free(&a);
	return r;
}

/* --- start */

struct opening {
	struct account_process		*ap;
	const struct msg_account_start	*m;
	struct account			*account;
};

/* set_limits - if they are others than the account has */
static int
set_limits(struct account *a, uint64_t bytes, uint64_t count)
{
	struct account_quota q;

	account_get_quota(a, &q);
	if (q.limit_bytes == bytes && q.limit_count == count)
		return 0;
	return account_set_quota(a, bytes, count);
}

/* open_account - a work item */
static int
open_account(void *arg)
{
	struct opening			*o = arg;
	const struct accountd_params	*p = o->ap->p;
	struct account_params		 ap = {
		.create = o->m->create,
		/* a predecessor finishes its transaction first */
		.wait_lock = true,
		.id = o->m->account,
		.map_size = p->accountd_map_size,
		.delivery_id_hours =
		    (uint32_t)(p->accountd_delivery_id_time / HOUR_MS),
		.history_days = (uint32_t)(p->accountd_history_time / DAY_MS),
		.on_damage = note_damage,
		.arg = o->ap,
	};
	int				 r;

	if ((r = account_open(".", &ap, &o->account)) < 0)
		return r;
	r = set_limits(o->account, o->m->quota_bytes, o->m->quota_messages);
	if (r < 0)
		account_close(&o->account);
	return r;
}

/* begin - the account is open: start what an account process does */
static void
begin(struct account_process *ap, struct account *account)
{
	struct task_group *g = daemon_group(ap->daemon);

	ap->account = account;
	ap->imap = imap_shared_new();
	task_group_start(g, deliver_writer, ap);
	task_group_start(g, sessions_make_room, ap);
	task_group_start(g, upkeep_watch, ap);
	task_group_start(g, upkeep_tell, ap);
	task_group_start(g, upkeep_pack, ap);
	task_group_start(g, upkeep_idle, ap);
	log_event(daemon_log(ap->daemon), EV_ACCOUNT_OPEN,
	    KV_TEXT("account", ap->id));
}

/* on_start - whom it serves */
static int
on_start(struct task *t, struct account_process *ap, struct ipc_in *in)
{
	struct opening		o = { .ap = ap, .m = in->msg };
	const struct sandbox_state *s = &ap->sandbox;
	struct msg_account_up	up = { .confined =
	    (s->has_root || s->landlock > 0) && s->has_seccomp };
	int			r;

	if (ap->opened || in->request == 0)
		return -EBADMSG;
	ap->opened = true;
	ap->has_sleepers = o.m->has_sleepers;
	(void)snprintf(ap->id, sizeof(ap->id), "%.*s",
	    SLICE_ARG(o.m->account));
	r = work_run(t, open_account, &o);
	if (r == 0) {
		begin(ap, o.account);
		up.ok = true;
	} else {
		log_event(daemon_log(ap->daemon), EV_ACCOUNT_OPEN_FAILED,
		    KV_TEXT("account", ap->id), KV_ERR("why", r));
		up.text = slice_of(strerror(-r));
	}
	process_say_damage(ap);
	return ipc_reply(&ap->control, in->request, &msg_account_up_desc, &up);
}

/* --- limits */

struct limiting {
	struct account			*account;
	const struct msg_account_limits	*m;
};

/* limit - a work item */
static int
limit(void *arg)
{
	struct limiting *l = arg;

	return set_limits(l->account, l->m->quota_bytes,
	    l->m->quota_messages);
}

/* on_limits - the quota was changed */
static int
on_limits(struct task *t, struct account_process *ap, struct ipc_in *in)
{
	struct limiting	l = { ap->account, in->msg };
	int		r = work_run(t, limit, &l);

	bell_ring(&ap->bell);
	if (r < 0 && r != -ECANCELED) {
		log_event(daemon_log(ap->daemon), EV_ACCOUNT_UPKEEP,
		    KV_TEXT("account", ap->id),
		    KV_TEXT("what", "changing the quota"), KV_ERR("why", r));
		r = 0;
	}
	return r;
}

/* --- verify */

struct verifying {
	struct account			*account;
	const struct msg_account_verify	*m;
	struct arena			*arena;
	struct msg_account_finding	*findings;
	size_t				 count;
	struct verify_result		 result;
};

/* add_finding - one line of the answer */
static void
add_finding(void *arg, const char *text)
{
	struct verifying *v = arg;

	if (v->count == FINDINGS_MAX)
		return;
	v->findings[v->count++].text = arena_dup(v->arena,
	    slice_sub(slice_of(text), 0, FINDING_MAX));
}

/* verify - a work item */
static int
verify(void *arg)
{
	struct verifying	*v = arg;
	struct salvage_result	 salvaged;
	int			 r;

	if (v->m->repair && (r = store_salvage(v->account, add_finding, v,
	    &salvaged)) < 0)
		return r;
	return store_verify(v->account, v->m->bodies ? VERIFY_BODIES :
	    VERIFY_RECORDS, add_finding, v, &v->result);
}

/* on_verify - and answer what was found */
static int
on_verify(struct task *t, struct account_process *ap, struct ipc_in *in,
    struct arena *a)
{
	struct verifying	v = { .account = ap->account, .m = in->msg,
	    .arena = a, .findings = ARENA_ARRAY(a, struct msg_account_finding,
	    FINDINGS_MAX) };
	struct msg_account_verified m = { .ok = true };
	int			r;

	if (in->request == 0)
		return -EBADMSG;
	process_active(ap);
	r = work_run(t, verify, &v);
	process_active(ap);
	process_say_damage(ap);
	bell_ring(&ap->bell);		/* salvage files mail */
	if (r < 0) {
		m.ok = false;
		m.text = slice_of(strerror(-r));
	}
	m.messages = v.result.messages;
	m.findings.v = v.findings;
	m.findings.n = v.count;
	return ipc_reply(&ap->control, in->request, &msg_account_verified_desc,
	    &m);
}

/* --- the end */

/* say_last - what stored must know when nobody is left to say it */
static int
say_last(struct task *t, struct account_process *ap)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, SAY_LIMIT);
	r = process_has_news(ap) ? process_tell_news(ap) : 0;
	if (r == 0)
		r = ipc_drain(t, &ap->control);
	return deadline_end(t, &d, r);
}

/* may_end - is nothing under way? */
static bool
may_end(const struct account_process *ap, bool all_sleep)
{
	return all_sleep && ap->deliveries == 0;
}

/* on_end - sleep, all of you; or stay, and say so */
static int
on_end(struct task *t, struct account_process *ap)
{
	struct msg_account_idle	m = { false };
	bool			all = false;
	int			r = 0;

	if (ap->ending)
		return 0;
	ap->ending = true;
	if (ap->deliveries == 0)
		r = sessions_sleep(t, ap, &all);
	if (r < 0)
		return r;
	while (may_end(ap, all)) {
		r = say_last(t, ap);
		/* mail may have come while that was said */
		if (r == 0 && (process_has_news(ap) || !may_end(ap, all)))
			continue;
		daemon_end(ap->daemon);
		return r;
	}
	ap->ending = false;
	process_active(ap);
	return ipc_post(&ap->control, &msg_account_idle_desc, &m);
}

/* on_message - what stored says */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct account_process *ap = arg;

	(void)c;
	if (in->desc->number == MSG_account_start)
		return on_start(t, ap, in);
	if (ap->account == NULL)
		return -EBADMSG;
	switch (in->desc->number) {
	case MSG_account_delivery:
		deliver_start(ap,
		    &((struct msg_account_delivery *)in->msg)->channel);
		return 0;
	case MSG_account_session:
		sessions_start(ap, in->msg, a);
		in->msg = NULL;		/* it went along with the arena */
		return 0;
	case MSG_account_verify:
		return on_verify(t, ap, in, a);
	case MSG_account_limits:
		return on_limits(t, ap, in);
	case MSG_account_end:
		return on_end(t, ap);
	default:
		return -EBADMSG;
	}
}

/* process_run - as long as stored's channel is open */
int
process_run(struct task *t, struct daemon *d)
{
	struct account_process *ap = daemon_data(d);

	int	r = ipc_serve_parallel(t, &ap->control, on_message, ap,
		    CALLS_AT_ONCE);

	return r == -ENODATA || r == -ECONNRESET ? 0 : r;
}
