/* SPDX-License-Identifier: ISC */
/*
 * An attempt of qmgr: its recipients side by side, a result for each. Whatever
 * fails on the way to the account is tried again later, because it says
 * nothing of the recipient; only what an account process answers counts for
 * good.
 */
#include <stdlib.h>

#include "delivery/lmtpd.h"
#include "delivery/lmtpd_events.h"
#include "libglobal/delivery_log.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libmail/sha256.h"
#include "libmail/status.h"

#define ATTEMPTS_AT_ONCE	1000

/* all recipients of an attempt share this */
struct attempt {
	struct lmtpd			*lmtpd;
	const struct msg_delivery_ask	*ask;
	const struct msg_envelope	*env;
};

struct one {
	struct attempt		*attempt;
	const struct msg_rcpt	*rcpt;
	struct msg_rcpt_result	*result;
	struct arena		*arena;		/* of the answer to qmgr */
};

/* digest - of texts, each with its end */
static void
digest(const struct slice *parts, size_t n,
    unsigned char ret_id[DELIVERY_ID_BYTES])
{
	struct sha256 h;

	sha256_begin(&h);
	for (size_t i = 0; i < n; i++)
		sha256_add_text(&h, parts[i]);
	sha256_take(&h, ret_id);
	sha256_done(&h);
}

/* lmtpd_delivery_id - a queue id never repeats, so it names the message; the
 * number tells apart recipients that were rewritten to the same address */
void
lmtpd_delivery_id(const struct msg_envelope *env, const struct msg_rcpt *rcpt,
    unsigned char ret_id[DELIVERY_ID_BYTES])
{
	char		number[16];
	struct slice	parts[] = { env->queue_id, rcpt->address,
			    rcpt->original, rcpt->nexthop, SLICE_EMPTY };

	(void)snprintf(number, sizeof(number), "%u", rcpt->number);
	parts[COUNT(parts) - 1] = slice_of(number);
	digest(parts, COUNT(parts), ret_id);
}

/* lmtpd_content_id - without the number: who sends a message again may name
 * the recipients in another order */
size_t
lmtpd_content_id(const struct msg_envelope *env, const struct msg_rcpt *rcpt,
    unsigned char ret_id[DELIVERY_ID_BYTES])
{
	const struct slice parts[] = { env->content_id, rcpt->address,
	    rcpt->original, rcpt->nexthop };

	if (env->content_id.len == 0)
		return 0;
	digest(parts, COUNT(parts), ret_id);
	return DELIVERY_ID_BYTES;
}

/* set_status - a result that is ours */
static void
set_status(struct one *o, const struct status *s, bool site_failure)
{
	struct buf enhanced = BUF_INIT;

	status_code_format(&enhanced, s->enhanced);
	o->result->code = s->code;
	o->result->enhanced = arena_dup(o->arena, buf_slice(&enhanced));
	o->result->text = arena_dup(o->arena, status_text(s));
	o->result->site_failure = site_failure;
	buf_free(&enhanced);
}

/* refused - stored gave no channel, and said why */
static void
refused(struct one *o, const struct channel_refusal *refusal)
{
	struct status s = refusal->code >= 500 ?
	    status_make(550, "5.1.1", "%s", refusal->text) :
	    status_make(451, "4.3.0", "%s", refusal->text);

	set_status(o, &s, false);
}

/* failed - nobody answered */
static void
failed(struct one *o, int r)
{
	struct status s = r == -ETIMEDOUT ?
	    status_make(451, "4.4.2", "The mail store took too long") :
	    status_make(451, "4.3.0", "The mail store is not available");

	/* a process that died twice may have died of this very message */
	set_status(o, &s, r != -ECONNRESET && r != -ETIMEDOUT);
}

/* took - the account's answer */
static void
took(struct one *o, const struct msg_deliver_result *m)
{
	o->result->code = m->code;
	o->result->enhanced = m->enhanced;
	o->result->text = m->text;
}

/* ask_again - the question, and once more if its process ended meanwhile:
 * processes end when they are idle, and a repetition does no harm */
static int
ask_again(struct task *t, struct one *o, const struct msg_deliver_ask *m,
    struct msg_deliver_result **ret_result,
    struct channel_refusal *ret_refusal)
{
	struct lmtpd			*l = o->attempt->lmtpd;
	const struct lmtpd_params	*p = daemon_params(l->daemon);
	struct deadline			 limit;
	int				 r;

	deadline_begin(t, &limit, p->lmtpd_delivery_timeout);
	r = channel_ask(t, l, o->rcpt->nexthop, m, o->arena, ret_result,
	    ret_refusal);
	if (r == -ECONNRESET) {
		log_event(daemon_log(l->daemon), EV_LMTPD_AGAIN,
		    KV_STR("queue_id", m->queue_id),
		    KV_STR("account", o->rcpt->nexthop));
		r = channel_ask(t, l, o->rcpt->nexthop, m, o->arena,
		    ret_result, ret_refusal);
	}
	return deadline_end(t, &limit, r);
}

/* deliver_one - one recipient */
static int
deliver_one(struct task *t, void *arg)
{
	struct one			*o = arg;
	const struct attempt		*at = o->attempt;
	const struct msg_envelope	*env = at->env;
	unsigned char			 id[DELIVERY_ID_BYTES];
	unsigned char			 content[DELIVERY_ID_BYTES];
	struct msg_deliver_ask		 m = {
		.queue_id = env->queue_id,
		.delivery_id = slice_over(id, sizeof(id)),
		.sender = env->sender,
		.recipient = o->rcpt->address,
		.original = o->rcpt->original,
		.content_length = env->content_length,
		.content = at->ask->content,
		.offset = at->ask->offset,
		.facts = env->facts,
		.pieces = { env->pieces.v, env->pieces.n },
		.taken = env->taken,
		.doubts = { env->doubts.v, env->doubts.n },
		.again = at->ask->again,
	};
	struct msg_deliver_result	*result;
	struct channel_refusal		 refusal = { 0, "" };
	int				 r;

	lmtpd_delivery_id(env, o->rcpt, id);
	m.content_id = slice_over(content, lmtpd_content_id(env, o->rcpt,
	    content));
	r = ask_again(t, o, &m, &result, &refusal);
	if (r == 0)
		took(o, result);
	else if (r == -ECONNREFUSED && refusal.code != 0)
		refused(o, &refusal);
	else
		failed(o, r);
	return r == -ECANCELED ? r : 0;
}

/* deliver_all - the recipients side by side */
static int
deliver_all(struct task *t, struct attempt *at, struct arena *a,
    struct msg_delivery_result *ret_result)
{
	const struct lmtpd_params *p = daemon_params(at->lmtpd->daemon);
	size_t			 n = at->env->rcpts.n;
	size_t			 most = (size_t)p->lmtpd_recipient_concurrency;
	struct one		*ones = ARENA_ARRAY(a, struct one, n);
	struct task_group	 g;
	int			 r = 0, end;

	ret_result->rcpts.v = ARENA_ARRAY(a, struct msg_rcpt_result, n);
	ret_result->rcpts.n = n;
	task_group_begin(t, &g);
	for (size_t i = 0; r == 0 && i < n; i++) {
		ones[i] = (struct one){ at, &at->env->rcpts.v[i],
		    &ret_result->rcpts.v[i], a };
		ret_result->rcpts.v[i].number = at->env->rcpts.v[i].number;
		ret_result->rcpts.v[i].relay = S("store");
		task_group_start(&g, deliver_one, &ones[i]);
		r = task_group_wait(t, &g, most - 1);
	}
	end = task_group_end(t, &g);
	return r < 0 ? r : end;
}

/* on_ask - an attempt */
static int
on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct attempt			 at = { arg, in->msg, NULL };
	struct msg_delivery_result	 m = { { NULL, 0 }, 0, 0 };
	int64_t				 begun = task_now(t);
	void				*env;
	int				 r;

	if (in->desc->number != MSG_delivery_ask || in->request == 0)
		return -EBADMSG;
	if ((r = ipc_unpack(&msg_envelope_desc, at.ask->envelope, a, &env)) < 0)
		return r;
	at.env = env;
	if ((r = deliver_all(t, &at, a, &m)) < 0)
		return r;
	m.transfer_ms = (uint32_t)(task_now(t) - begun);
	delivery_log_answer(daemon_log(at.lmtpd->daemon), task_wall(t), at.ask,
	    at.env, &m);
	return ipc_reply(c, in->request, &msg_delivery_result_desc, &m);
}

/* lmtpd_serve - qmgr's edge */
int
lmtpd_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_delivery, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, on_ask, daemon_data(d), ATTEMPTS_AT_ONCE);
	daemon_caller_close(who, &c);
	return r;
}
