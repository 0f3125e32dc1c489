/* SPDX-License-Identifier: ISC */
/*
 * An attempt: the hosts of the next hop one after the other, as long as there
 * are recipients that another host may take (RFC 5321 5.1). The answer to
 * qmgr has a result for each recipient, whatever happened.
 */
#include "delivery/smtp.h"

#include <string.h>

#include "delivery/smtp_events.h"
#include "libglobal/delivery_log.h"
#include "libtask/loop.h"

#define PARALLEL	1000		/* attempts of one process */
/* less than qmgr's own limit: an answer, even this one, beats none */
#define ATTEMPT_LIMIT	(INT64_C(110) * 60 * 1000)

/* smtp_target_set - what became of one recipient */
void
smtp_target_set(struct smtp_attempt *a, struct smtp_target *target,
    const struct smtp_session *s, const struct status *status, bool remote)
{
	struct msg_rcpt_result	*r = &target->result;
	struct buf		 enhanced = BUF_INIT;

	status_code_format(&enhanced, status->enhanced);
	*r = (struct msg_rcpt_result){
		.number = target->rcpt->number,
		.code = status->code,
		.enhanced = arena_dup(a->arena, buf_slice(&enhanced)),
		.text = arena_dup(a->arena, status_text(status)),
		.relay = s == NULL ? S("none") :
		    arena_dup(a->arena, slice_of(s->relay)),
		.remote = remote,
	};
	buf_free(&enhanced);
	target->done = !status_is_temporary(status);
	target->open = false;
}

/* smtp_attempt_fail - one result for all that are not done. A host that could
 * not be used says less than another one that was asked. */
void
smtp_attempt_fail(struct smtp_attempt *a, const struct smtp_session *s,
    const struct status *status, bool remote, bool site)
{
	for (size_t i = 0; i < a->count; i++) {
		struct smtp_target *target = &a->targets[i];

		if (target->done || (site && target->result.code != 0 &&
		    !target->result.site_failure))
			continue;
		smtp_target_set(a, target, s, status, remote);
		target->result.site_failure = site;
		if (s == NULL && a->reached.len > 0)
			target->result.relay = a->reached;
		if (site)	/* another host may still do */
			target->done = false;
	}
}

/* is_done - has everyone a result that counts? */
static bool
is_done(const struct smtp_attempt *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (!a->targets[i].done)
			return false;
	return true;
}

/* transfer - over a session, which is kept or ended then */
static int
transfer(struct task *t, struct smtp_attempt *a, struct smtp_session **take)
{
	int64_t	begun = task_now(t);
	int	r;

	r = smtp_transfer(t, a, *take);
	a->transfer_ms += (uint32_t)(task_now(t) - begun);
	if (r < 0)
		smtp_session_free(take);
	smtp_idle_put(t, a, take);
	return r;
}

/* open_session - to one host; without TLS if that was the trouble and it is
 * not required */
static int
open_session(struct task *t, struct smtp_attempt *a,
    const struct smtp_host *host, struct smtp_session **ret_session,
    struct status *bad)
{
	int64_t	begun = task_now(t);
	bool	no_tls = false;
	int	r;

	r = smtp_session_open(t, a, host, false, ret_session, bad, &no_tls);
	if (r > 0 && no_tls) {
		log_event(&a->log, EV_SMTP_TLS_FAILED,
		    KV_STR("relay", host->name),
		    KV_STR("why", status_text(bad)));
		r = smtp_session_open(t, a, host, true, ret_session, bad,
		    &no_tls);
	}
	a->connect_ms += (uint32_t)(task_now(t) - begun);
	return r;
}

/* has_answered - did the server speak of everyone who is not done? One that
 * broke off did not, and may be asked again over a new connection */
static bool
has_answered(const struct smtp_attempt *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (!a->targets[i].done && !a->targets[i].result.remote)
			return false;
	return true;
}

/* try_kept - over a session of an earlier attempt. An answer there is the
 * host's answer: it is not asked twice. 1 if so, and its address. */
static int
try_kept(struct task *t, struct smtp_attempt *a,
    struct sockaddr_storage *ret_addr)
{
	struct smtp_session	*s = NULL;
	int			 r;

	if ((r = smtp_idle_take(t, a, &s)) < 0 || s == NULL)
		return r;
	*ret_addr = s->addr;
	r = transfer(t, a, &s);
	return r < 0 ? r : has_answered(a);
}

/* is_same - the same address? Both are as the resolver made them */
static bool
is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* try_host - one of them */
static int
try_host(struct task *t, struct smtp_attempt *a, const struct smtp_host *host,
    uint64_t *sessions)
{
	struct smtp_session	*s = NULL;
	struct status		 bad;
	int			 r;

	if ((r = open_session(t, a, host, &s, &bad)) < 0)
		return r;
	if (r > 0) {
		log_event(&a->log, EV_SMTP_PASSED_OVER,
		    KV_STR("text", status_text(&bad)));
		smtp_attempt_fail(a, NULL, &bad, false,
		    status_is_temporary(&bad));
		return 0;
	}
	++*sessions;
	return transfer(t, a, &s);
}

/* try_hosts - each of them, until all is done */
static int
try_hosts(struct task *t, struct smtp_attempt *a)
{
	struct sockaddr_storage	addr;
	uint64_t		limit = (uint64_t)a->p->smtp_mx_session_limit;
	uint64_t		sessions = 0;
	int			asked, r = 0;

	if ((asked = try_kept(t, a, &addr)) < 0)
		return asked;
	for (size_t i = 0; r == 0 && i < a->host_count && !is_done(a) &&
	    (limit == 0 || sessions < limit); i++)
		if (!asked || !is_same(&a->hosts[i].addr, &addr))
			r = try_host(t, a, &a->hosts[i], &sessions);
	return r;
}

/* run - from next hop to results */
static int
run(struct task *t, struct smtp_attempt *a, struct slice nexthop)
{
	struct slice	service = slice_of(daemon_service(a->daemon));
	/* smtp_protocol: 0 by the service, 1 smtp, 2 lmtp */
	bool		lmtp = a->p->smtp_protocol == 2 ||
			    (a->p->smtp_protocol == 0 &&
			    slice_has_prefix(service, S("lmtp")));
	struct status	bad;
	int		r;

	if (smtp_hop_parse(nexthop, lmtp, a->p, &a->hop) < 0) {
		bad = status_make(450, "4.3.5", "mail transport configuration "
		    "error: \"%.*s\" is no next hop", SLICE_ARG(nexthop));
		smtp_attempt_fail(a, NULL, &bad, false, false);
		return 0;
	}
	if ((r = smtp_resolve(t, a, &bad)) < 0)
		return r;
	if (a->host_count == 0) {
		smtp_attempt_fail(a, NULL, &bad, false, false);
		return 0;
	}
	return try_hosts(t, a);
}

/* read_addresses - sender and recipients; who cannot be written is refused */
static int
read_addresses(struct smtp_attempt *a)
{
	const unsigned	flags = ADDR_UTF8 | ADDR_LENIENT | ADDR_MAY_LACK_DOMAIN;
	struct status	bad;
	int		r = 0;

	if (a->e->sender.len > 0)
		r = addr_parse(a->e->sender, a->arena, flags, &a->sender);
	a->needs_utf8 = a->e->smtputf8 && (addr_needs_utf8(&a->sender) ||
	    (a->facts.flags & FACTS_UTF8_HEADER) != 0);
	for (size_t i = 0; i < a->count; i++) {
		struct smtp_target *target = &a->targets[i];

		if (addr_parse(target->rcpt->address, a->arena, flags,
		    &target->addr) < 0) {
			bad = status_make(550, "5.1.3",
			    "bad address syntax: \"%.*s\"",
			    SLICE_ARG(target->rcpt->address));
			smtp_target_set(a, target, NULL, &bad, false);
		} else if (addr_needs_utf8(&target->addr)) {
			a->needs_utf8 = true;
		}
	}
	if (addr_needs_utf8(&a->sender))
		a->needs_utf8 = true;
	return r;
}

/* measure - the size of the message as it goes out */
static void
measure(struct smtp_attempt *a)
{
	for (size_t i = 0; i < a->e->pieces.n; i++) {
		const struct msg_piece *p = &a->e->pieces.v[i];

		a->size += p->of_content ? p->length : p->text.len;
	}
}

/* look - at the message: its facts, its size, its file */
static int
look(struct smtp_attempt *a)
{
	uint64_t	size;
	int		r;

	r = memfile_check(a->fd, UINT64_MAX, &a->kind, &size);
	if (r == 0 && (a->offset > size ||
	    a->e->content_length > size - a->offset))
		r = -ENODATA;
	for (size_t i = 0; r == 0 && i < a->e->pieces.n; i++) {
		const struct msg_piece *p = &a->e->pieces.v[i];

		if (p->of_content && (p->offset > a->e->content_length ||
		    p->length > a->e->content_length - p->offset))
			r = -EBADMSG;
	}
	if (r == 0)
		r = facts_parse(a->e->facts, a->e->content_length, a->arena,
		    &a->facts);
	a->is_8bit = a->e->body_8bit ||
	    (a->facts.flags & (FACTS_8BIT_BODY | FACTS_8BIT_HEADER)) != 0;
	measure(a);
	return r;
}

/* deliver - all of it; results for all. Its statuses have a frame of their
 * own */
__attribute__((noinline)) static int
deliver(struct task *t, struct smtp_attempt *a, struct slice nexthop)
{
	struct status	bad;
	struct deadline	d;
	int		r;

	if ((r = look(a)) == 0)
		r = read_addresses(a);
	if (r < 0) {
		log_event(&a->log, EV_SMTP_CONTENT, KV_ERR("why", r));
		bad = status_from_errno(r, "the message cannot be read");
		smtp_attempt_fail(a, NULL, &bad, false, false);
		return 0;
	}
	deadline_begin(t, &d, ATTEMPT_LIMIT);
	r = run(t, a, nexthop);
	r = deadline_end(t, &d, r);
	if (r == -ECANCELED)
		return r;
	bad = status_make(450, "4.4.2", "the attempt took too long");
	for (size_t i = 0; i < a->count; i++)
		if (a->targets[i].result.code == 0)
			smtp_target_set(a, &a->targets[i], NULL, &bad, false);
	return 0;
}

/* answer - the results, as qmgr wants them */
static int
answer(struct ipc_conn *c, struct ipc_in *in, struct smtp_attempt *a)
{
	struct msg_delivery_result	m = { .connect_ms = a->connect_ms,
					    .transfer_ms = a->transfer_ms };

	m.rcpts.v = ARENA_ARRAY(a->arena, struct msg_rcpt_result, a->count + 1);
	for (size_t i = 0; i < a->count; i++)
		m.rcpts.v[m.rcpts.n++] = a->targets[i].result;
	delivery_log_answer(daemon_log(a->daemon),
	    loop_wall(daemon_loop(a->daemon)), in->msg, a->e, &m);
	return ipc_reply(c, in->request, &msg_delivery_result_desc, &m);
}

/* on_ask - one attempt, a task of its own */
static int
on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *arena, void *arg)
{
	const struct msg_delivery_ask	*ask = in->msg;
	struct daemon			*d = arg;
	struct smtp_attempt		*a = ARENA_NEW(arena,
					    struct smtp_attempt);
	void				*envelope;
	int				 r;

	if (in->desc->number != MSG_delivery_ask)
		return -EBADMSG;
	r = ipc_unpack(&msg_envelope_desc, ask->envelope, arena, &envelope);
	if (r < 0)
		return r;
	a->smtp = daemon_data(d);
	a->daemon = d;
	a->p = daemon_params(d);
	a->arena = arena;
	a->e = envelope;
	a->fd = ask->content;
	a->offset = ask->offset;
	a->count = a->e->rcpts.n;
	a->targets = ARENA_ARRAY(arena, struct smtp_target, a->count + 1);
	/* also who is never tried has a result, with his number */
	for (size_t i = 0; i < a->count; i++)
		a->targets[i].rcpt = &a->e->rcpts.v[i];
	log_init(&a->log, daemon_log(d));
	log_set(&a->log, KV_STR("queue_id", a->e->queue_id));
	daemon_work_begin(d);
	if ((r = deliver(t, a, ask->nexthop)) == 0 &&
	    (r = answer(c, in, a)) == 0)
		r = ipc_drain(t, c);
	daemon_work_end(d);
	return r;
}

/* smtp_serve - qmgr, or whoever else asks for attempts */
int
smtp_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_delivery, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, on_ask, d, PARALLEL);
	daemon_caller_close(who, &c);
	return r;
}
