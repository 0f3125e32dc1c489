/* SPDX-License-Identifier: ISC */
/*
 * A mail transaction: MAIL and RCPT. Everything it owns is in its arena and is
 * released by txn_reset, the one way out on every path.
 */
#include <string.h>

#include "libglobal/ipc_map.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define TARGET_BYTES	100	/* beside its texts */
/* half of an envelope's bound, and less than its 100,000 recipients */
#define TXN_BYTES_MAX	((size_t)8 << 20)
#define ALL_BYTES_MAX	((uint64_t)64 << 20)	/* of one process */

/* txn_reset - back to where MAIL may come */
void
txn_reset(struct smtpd_client *c)
{
	struct arena a = c->txn.arena;

	content_channel_drop(&c->txn.channel);	/* content was cut off */
	c->smtpd->rcpt_bytes -= c->txn.rcpt_bytes;
	arena_reset(&a);
	memset(&c->txn, 0, sizeof(c->txn));
	c->txn.arena = a;
	if (c->state > IN_GREETED)
		c->state = c->helo[0] != '\0' ? IN_GREETED : IN_START;
}

/* refusal_of_mail - may this client send at all? */
static bool
refusal_of_mail(const struct smtpd_client *c, struct status *ret_bad)
{
	const struct smtpd_params *p = c->p;

	/* smtpd_tls_security_level: 2 is encrypt */
	if (p->smtpd_tls_security_level == 2 && !c->tls) {
		*ret_bad = status_make(530, "5.7.0",
		    "Must issue a STARTTLS command first");
		return true;
	}
	if (p->smtpd_require_login && !c->lmtp && c->login[0] == '\0') {
		*ret_bad = status_make(530, "5.7.0", "Authentication required");
		return true;
	}
	return false;
}

/* check_mail - what MAIL asks for that we do not offer, or that is too much */
static bool
check_mail(const struct smtpd_client *c, const struct smtp_mail *m,
    struct status *ret_bad)
{
	uint64_t limit = c->p->message_size_limit;

	if (m->body == SMTP_BODY_BINARYMIME) {
		*ret_bad = status_make(501, "5.5.4", "BINARYMIME is not offered");
		return false;
	}
	/* draft-hall-prdr: without through mode all hear the same */
	if (m->prdr && (!c->through || c->lmtp)) {
		*ret_bad = status_make(501, "5.5.4", "PRDR is not offered");
		return false;
	}
	if (c->lmtp && (m->given & (SMTP_PARAM_BIT(RET) |
	    SMTP_PARAM_BIT(ENVID))) != 0) {
		*ret_bad = status_make(501, "5.5.4", "DSN is not offered");
		return false;
	}
	if (m->smtputf8 && !c->p->smtputf8_enable) {
		*ret_bad = status_make(501, "5.5.4", "SMTPUTF8 is not offered");
		return false;
	}
	if (limit != 0 && m->size > limit) {
		*ret_bad = status_make(552, "5.3.4",
		    "Message size exceeds fixed limit");
		return false;
	}
	return true;
}

/* cmd_mail - RFC 5321 4.1.1.2 */
int
cmd_mail(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct smtpd_txn	*x = &c->txn;
	struct buf		 text = BUF_INIT;
	struct status		 bad;
	unsigned		 flags = 0;

	if ((c->p->smtpd_helo_required || c->lmtp) && c->state == IN_START) {
		c->errors++;
		return smtpd_reply(t, c, 503, "5.5.1 Error: send %s first",
		    c->lmtp ? "LHLO" : "HELO/EHLO");
	}
	if (c->p->strict_rfc821_envelopes)
		flags |= SMTP_STRICT;
	if (c->p->smtputf8_enable && !c->p->strict_smtputf8)
		flags |= SMTP_UTF8;
	if (refusal_of_mail(c, &bad) ||
	    smtp_parse_mail(args, &x->arena, flags, &x->mail, &bad) < 0 ||
	    !check_mail(c, &x->mail, &bad)) {
		txn_reset(c);
		return smtpd_refuse(t, c, "MAIL", SLICE_EMPTY, &bad);
	}
	addr_format(&text, &x->mail.sender);
	x->sender = arena_dup(&x->arena, buf_slice(&text));
	x->rewritten = x->sender;
	buf_free(&text);
	x->arrival = task_wall(t);
	x->id = queue_id_make(&c->smtpd->ids, (uint64_t)x->arrival / 1000000,
	    (uint32_t)(x->arrival % 1000000));
	c->state = IN_MAIL;
	return smtpd_reply(t, c, 250, "2.1.0 Ok");
}

/* ask - may this recipient be taken, and where does it go? */
static int
ask(struct task *t, struct smtpd_client *c, struct slice text,
    struct arena *a, struct msg_map_route **ret_route)
{
	struct msg_map_rcpt	 m = { .recipient = text,
				    .sender = c->txn.sender,
				    .size = c->txn.mail.size,
				    .trusted = c->login[0] != '\0',
				    /* LMTP brings mail home: no relaying */
				    .client_address = c->lmtp ? SLICE_EMPTY :
				    slice_of(c->address),
				    .check = c->p->smtpd_reject_unlisted_recipient };
	void			*reply;
	int			 r;

	r = edge_call_again(t, daemon_edge(c->daemon, "mapd", &ipc_table_map),
	    &msg_map_rcpt_desc, &m, &msg_map_route_desc, a, &reply);
	if (r == 0)
		*ret_route = reply;
	return r;
}

/* add_rcpt - one more final recipient */
static struct msg_rcpt *
add_rcpt(struct smtpd_txn *x)
{
	if (x->rcpt_count == x->rcpt_cap) {
		size_t cap = x->rcpt_cap == 0 ? 4 : x->rcpt_cap * 4;
		struct msg_rcpt *v = ARENA_ARRAY(&x->arena, struct msg_rcpt, cap);

		if (x->rcpt_count > 0)
			memcpy(v, x->rcpts, x->rcpt_count * sizeof(*v));
		x->rcpts = v;
		x->rcpt_cap = cap;
	}
	return &x->rcpts[x->rcpt_count++];
}

/* name - one more RCPT is accepted; its targets come next */
static void
name(struct smtpd_txn *x, struct slice text)
{
	if (x->accepted == x->named_cap) {
		size_t cap = x->named_cap == 0 ? 4 : x->named_cap * 4;
		struct smtpd_named *v = ARENA_ARRAY(&x->arena,
		    struct smtpd_named, cap);

		if (x->accepted > 0)
			memcpy(v, x->named, x->accepted * sizeof(*v));
		x->named = v;
		x->named_cap = cap;
	}
	x->named[x->accepted] = (struct smtpd_named){ text,
	    (uint32_t)x->rcpt_count, 0 };
}

/* cost_of - bytes that a target takes on its way, about: here, and as often in
 * cleanup and qmgr, and in the queue */
static size_t
cost_of(const struct msg_target *target, const struct smtp_rcpt *rcpt,
    struct slice original)
{
	return TARGET_BYTES + target->address.len + original.len +
	    rcpt->orcpt_type.len + rcpt->orcpt.len + target->transport.len +
	    target->nexthop.len;
}

/* cost - of all that a recipient stands for */
static size_t
cost(const struct msg_map_route *route, const struct smtp_rcpt *rcpt,
    struct slice original)
{
	size_t sum = 0;

	for (size_t i = 0; i < route->targets.n; i++)
		sum += cost_of(&route->targets.v[i], rcpt, original);
	return sum;
}

/* is_there - aliases may lead to one address twice */
static bool
is_there(const struct smtpd_txn *x, struct slice address, struct slice original)
{
	for (size_t i = 0; i < x->rcpt_count; i++)
		if (slice_equal_nocase(x->rcpts[i].address, address) &&
		    slice_equal_nocase(x->rcpts[i].original, original))
			return true;
	return false;
}

/* add_targets - what an accepted recipient stands for */
static void
add_targets(struct smtpd_txn *x, const struct smtp_rcpt *rcpt,
    struct slice original, const struct msg_map_route *route)
{
	struct slice orcpt = SLICE_EMPTY;

	original = arena_dup(&x->arena, original);
	name(x, original);
	if (rcpt->orcpt_type.len > 0)
		orcpt = arena_printf(&x->arena, "%.*s;%.*s",
		    SLICE_ARG(rcpt->orcpt_type), SLICE_ARG(rcpt->orcpt));
	for (size_t i = 0; i < route->targets.n; i++) {
		const struct msg_target *target = &route->targets.v[i];
		struct msg_rcpt *r;

		if (x->rcpt_count < 1000 &&
		    is_there(x, target->address, original))
			continue;
		x->rcpt_bytes += cost_of(target, rcpt, original);
		r = add_rcpt(x);
		r->address = arena_dup(&x->arena, target->address);
		r->original = original;
		r->orcpt = orcpt;
		r->notify = rcpt->notify;
		r->transport = arena_dup(&x->arena, target->transport);
		r->nexthop = arena_dup(&x->arena, target->nexthop);
		r->number = (uint32_t)x->rcpt_count - 1;
	}
	x->named[x->accepted].count = (uint32_t)x->rcpt_count -
	    x->named[x->accepted].first;
	x->accepted++;
}

/* say_client - the line of the log that ties client and queue id */
static void
say_client(struct smtpd_client *c)
{
	log_event(&c->log, EV_SMTPD_CLIENT,
	    KV_STR("queue_id", queue_id_text(&c->txn.id)),
	    KV_OPT("sasl_method", slice_of(c->mechanism)),
	    KV_OPT("sasl_username", slice_of(c->login)));
}

/* too_many - the client sends the others again (RFC 5321 4.5.3.1.10); that is
 * no error of its, unless it goes on for ever */
static int
too_many(struct task *t, struct smtpd_client *c, const char *text)
{
	struct status bad = status_make(452, "4.5.3", "%s", text);

	if (c->txn.overshoot++ <
	    (uint64_t)c->p->smtpd_recipient_overshoot_limit)
		return smtpd_reply(t, c, 452, "4.5.3 %s", text);
	return smtpd_refuse(t, c, "RCPT", SLICE_EMPTY, &bad);
}

static bool
same_class(struct slice transport, struct slice nexthop,
    struct slice other_transport, struct slice other_nexthop)
{
	return slice_equal(transport, other_transport) &&
	    slice_equal_nocase(nexthop, other_nexthop);
}

/* is_to_split - would a recipient be decided on by another than those before
 * it? What decides is an account, or a next hop; one client command that
 * stands for several of them is alone in its transaction. */
static bool
is_to_split(const struct smtpd_client *c, const struct msg_map_route *route)
{
	const struct smtpd_txn *x = &c->txn;

	/* with PRDR each is answered on its own */
	if (!c->through || c->lmtp || !c->p->through_split_recipients ||
	    x->rcpt_count == 0 || x->mail.prdr)
		return false;
	for (size_t i = 0; i < x->rcpt_count; i++)
		if (!same_class(x->rcpts[i].transport, x->rcpts[i].nexthop,
		    x->rcpts[0].transport, x->rcpts[0].nexthop))
			return true;
	for (size_t i = 0; i < route->targets.n; i++)
		if (!same_class(route->targets.v[i].transport,
		    route->targets.v[i].nexthop, x->rcpts[0].transport,
		    x->rcpts[0].nexthop))
			return true;
	return false;
}

/* make_room - for what a recipient stands for: 1 if there is. Mailing lists can
 * make many megabytes of a few commands. */
static int
make_room(struct task *t, struct smtpd_client *c, size_t more)
{
	struct smtpd_txn	*x = &c->txn;
	struct status		 bad;

	if (x->rcpt_bytes + more > TXN_BYTES_MAX && x->accepted > 0)
		return too_many(t, c, "Error: too many recipients, with those "
		    "that they stand for: send the others in another "
		    "transaction");
	if (more > TXN_BYTES_MAX)
		bad = status_make(550, "5.2.4", "it stands for too many "
		    "recipients");
	else if (c->smtpd->rcpt_bytes + more > ALL_BYTES_MAX)
		bad = status_make(452, "4.3.1", "Insufficient system "
		    "resources: too many recipients at a time");
	else
		return 1;
	return smtpd_refuse(t, c, "RCPT", SLICE_EMPTY, &bad);
}

/* take_rcpt - it is accepted, if there is room */
static int
take_rcpt(struct task *t, struct smtpd_client *c, const struct smtp_rcpt *rcpt,
    struct slice text, const struct msg_map_route *route)
{
	struct smtpd_txn	*x = &c->txn;
	size_t			 before = x->rcpt_bytes;
	int			 r;

	if ((r = make_room(t, c, cost(route, rcpt, text))) <= 0)
		return r;
	if (x->accepted == 0)
		say_client(c);
	if (x->accepted == 0 && route->sender.len > 0)
		x->rewritten = arena_dup(&x->arena, route->sender);
	add_targets(x, rcpt, text, route);
	c->smtpd->rcpt_bytes += x->rcpt_bytes - before;
	c->state = IN_RCPT;
	return smtpd_reply(t, c, 250, "2.1.5 Ok");
}

/* decide - answer RCPT by what mapd says */
static int
decide(struct task *t, struct smtpd_client *c, const struct smtp_rcpt *rcpt,
    struct slice text)
{
	struct msg_map_route	*route = NULL;
	struct arena		 a = ARENA_INIT;
	struct status		 bad;
	struct status_code	 code = { 0, 0, 0 };
	int			 r;

	r = ask(t, c, text, &a, &route);
	if (r < 0) {
		r = smtpd_trouble(t, c, "RCPT", "address lookup", r);
	} else if (route->code >= 400) {
		ignore(status_code_parse(route->enhanced, &code)); /* or none */
		bad = status_of(route->code, code, route->text);
		r = smtpd_refuse(t, c, "RCPT", text, &bad);
	} else if (is_to_split(c, route)) {
		r = too_many(t, c, "Error: its results may differ: send it in "
		    "a transaction of its own");
	} else {
		r = take_rcpt(t, c, rcpt, text, route);
	}
	arena_free(&a);
	return r;
}

/* cmd_rcpt - RFC 5321 4.1.1.3 */
int
cmd_rcpt(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct smtp_rcpt	rcpt = SMTP_RCPT_INIT;
	struct buf		text = BUF_INIT;
	struct status		bad;
	unsigned		flags = 0;
	int			r;

	if (c->p->strict_rfc821_envelopes)
		flags |= SMTP_STRICT;
	if (c->txn.mail.smtputf8 ||
	    (c->p->smtputf8_enable && !c->p->strict_smtputf8))
		flags |= SMTP_UTF8;
	if (c->txn.accepted >= (uint64_t)c->p->smtpd_recipient_limit)
		return too_many(t, c, "Error: too many recipients");
	if (smtp_parse_rcpt(args, &c->txn.arena, flags, &rcpt, &bad) < 0)
		return smtpd_refuse(t, c, "RCPT", SLICE_EMPTY, &bad);
	if (c->lmtp && (rcpt.given & (SMTP_PARAM_BIT(NOTIFY) |
	    SMTP_PARAM_BIT(ORCPT))) != 0) {
		bad = status_make(501, "5.5.4", "DSN is not offered");
		return smtpd_refuse(t, c, "RCPT", SLICE_EMPTY, &bad);
	}
	addr_format(&text, &rcpt.recipient);
	r = decide(t, c, &rcpt, buf_slice(&text));
	buf_free(&text);
	return r;
}
