/* SPDX-License-Identifier: ISC */
/* From qmgr's results to a struct dsn_report. */
#include "delivery/bounce.h"

#include "libmail/header.h"
#include "libtask/zone.h"
#include "libutil/conf.h"

/* what the postmaster reads of copies on hold */
static const struct dsn_template held_template = {
	S_INIT("us-ascii"), S_INIT("MAILER-DAEMON (Mail Delivery System)"),
	S_INIT("Mail on hold: $queue_id"),
	S_INIT("Mail on hold: $queue_id"),
	S_INIT("This is the mail system at host $myhostname.\n\n"
"A message was accepted, and then refused for the recipients below. Nothing\n"
"proves that its sender address is not that of an innocent, so no report was\n"
"sent to it: these copies are on hold, and wait for you.\n\n"
"    Sender:  <$sender>\n"
"    Client:  $client\n\n"
"    barid queue show $queue_id       to read it\n"
"    barid queue release $queue_id    to try it again\n"
"    barid queue delete $queue_id     to drop it\n\n"
"You are told once. The reason is given after each recipient.\n"
"\n                   The mail system\n"),
};

/* what $names in templates stand for */
struct names {
	const struct conf	*conf;
	const struct msg_envelope *e;
	struct buf		 value;
};

/* of_message - a name that stands for a part of the envelope */
static bool
of_message(const struct names *n, struct slice name, struct slice *ret_value)
{
	const struct { struct slice name, value; } rows[] = {
		{ S("queue_id"), n->e->queue_id },
		{ S("sender"), n->e->sender },
		{ S("client"), n->e->client_address },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!slice_equal(rows[i].name, name))
			continue;
		*ret_value = rows[i].value;
		return true;
	}
	return false;
}

/* look_up - a parameter of that name */
static bool
look_up(void *arg, struct slice name, struct slice *ret_value)
{
	struct names *n = arg;

	if (n->e != NULL && of_message(n, name, ret_value))
		return true;
	if (conf_find(n->conf, name) == NULL)
		return false;
	buf_reset(&n->value);
	if (conf_get(n->conf, name, &n->value, NULL) < 0)
		return false;
	*ret_value = buf_slice(&n->value);
	return true;
}

/* bounce_diagnostic - the remote reply in a result's text */
struct slice
bounce_diagnostic(struct slice text)
{
	static const struct slice	before = S_INIT(" said: ");
	static const struct slice	behind = S_INIT(" (in reply to ");
	size_t				at = slice_find_slice(text, before);
	size_t				end;

	if (!slice_has_prefix(text, S("host ")) || at == SLICE_NONE)
		return text;
	text = slice_from(text, at + before.len);
	end = slice_find_slice(text, behind);
	return end == SLICE_NONE ? text : slice_sub(text, 0, end);
}

/* host_of - the host in "host[address]:port" */
static struct slice
host_of(struct slice relay)
{
	size_t end = slice_find(relay, '[');

	return end == SLICE_NONE ? relay : slice_sub(relay, 0, end);
}

/* action - what the report says was done (RFC 3464 2.3.3) */
static enum dsn_action
action(const struct report *rep, const struct msg_rcpt *rcpt)
{
	if (rep->ask->kind == KIND_FAILURE || rep->ask->kind == KIND_HELD)
		return DSN_FAILED;
	if (rep->ask->kind == KIND_DELAY)
		return DSN_DELAYED;
	return slice_equal(rcpt->transport, S("store")) ? DSN_DELIVERED :
	    DSN_RELAYED;
}

/* status_of_result - as a status; a delay is told as 4, a failure as 5 */
static const struct status *
status_of_result(struct report *rep, const struct msg_rcpt_result *res)
{
	struct status		*s = ARENA_NEW(rep->arena, struct status);
	struct status_code	 code = { 0, 0, 0 };
	bool			 failed = rep->ask->kind == KIND_FAILURE ||
				     rep->ask->kind == KIND_HELD;
	unsigned		 class = failed ? 5 :
				     rep->ask->kind == KIND_DELAY ? 4 : 2;
	unsigned		 c = res->code / 100;

	ignore(status_code_parse(res->enhanced, &code));	/* or none */
	*s = status_of(c == 2 || c == 4 || c == 5 ? res->code : class * 100 + 50,
	    code, res->text);
	/* what expired in the queue was 4 to the end (RFC 3463 4.4.7) */
	if (status_class(s) != class && !failed)
		status_set_class(s, class);
	return s;
}

/* recipient - one result */
static int
recipient(struct report *rep, const struct msg_rcpt *rcpt,
    const struct msg_rcpt_result *res, struct dsn_recipient *out)
{
	const unsigned	flags = ADDR_UTF8 | ADDR_LENIENT | ADDR_MAY_LACK_DOMAIN;
	struct slice	orcpt = rcpt->orcpt;
	int		r;

	*out = (struct dsn_recipient){
		.action = action(rep, rcpt),
		.status = status_of_result(rep, res),
		.last_attempt = rep->now / 1000000,
		.final_log_id = rep->e->queue_id,
	};
	r = addr_parse(rcpt->address, rep->arena, flags, &out->recipient);
	if (r < 0)
		return r;
	if (slice_find(orcpt, ';') != SLICE_NONE) {
		out->orcpt_type = slice_split(&orcpt, ';');
		out->orcpt = orcpt;
	}
	if (res->remote) {
		out->remote_mta = host_of(res->relay);
		out->diagnostic = bounce_diagnostic(res->text);
	}
	if (rep->ask->kind == KIND_DELAY)
		out->retry_until = rep->ask->expires / 1000000;
	return 0;
}

/* recipients - all that have a result */
static int
recipients(struct report *rep, struct dsn_report *d)
{
	const struct msg_bounce_ask	*ask = rep->ask;
	size_t				 n = size_min(rep->e->rcpts.n,
					     ask->results.n);
	struct dsn_recipient		*v = ARENA_ARRAY(rep->arena,
					     struct dsn_recipient, n + 1);
	int				 r;

	for (size_t i = 0; i < n; i++) {
		r = recipient(rep, &rep->e->rcpts.v[i], &ask->results.v[i],
		    &v[d->recipient_count]);
		if (r < 0)
			return r;
		d->recipient_count++;
	}
	d->recipients = v;
	return d->recipient_count == 0 ? -EBADMSG : 0;
}

/* field - the value of a header field of the message */
static struct slice
field(const struct report *rep, enum header_id id)
{
	struct header_field f;

	if (!header_find(buf_slice(&rep->header), id, &f))
		return SLICE_EMPTY;
	return slice_trim(header_unfold_in(rep->arena, f.value));
}

/* describe - all that the report says of the message */
static void
describe(struct report *rep, struct dsn_report *d)
{
	const unsigned eight = FACTS_8BIT_HEADER | FACTS_8BIT_BODY;

	d->kind = rep->ask->kind == KIND_DELAY ? DSN_DELAY :
	    rep->ask->kind == KIND_SUCCESS ? DSN_SUCCESS : DSN_FAILURE;
	d->postmaster_copy = rep->ask->kind == KIND_HELD;
	d->template = d->postmaster_copy ? &held_template :
	    &rep->bounce->templates.of[d->kind];
	d->host = rep->p->myhostname;
	d->software = rep->p->mail_name;
	d->id = queue_id_text(&rep->id);
	d->now = rep->now / 1000000;
	d->zone = zone_at(d->now);
	d->to = rep->to;
	d->sender = rep->sender;
	d->queue_id = rep->e->queue_id;
	d->arrival = rep->e->arrival / 1000000;
	d->envid = rep->e->envid;
	d->smtputf8 = rep->e->smtputf8;
	d->is_8bit = (rep->facts.flags & eight) != 0;
	d->threaded = rep->p->enable_threaded_bounces;
	d->message_id = field(rep, HEADER_MESSAGE_ID);
	d->references = field(rep, HEADER_REFERENCES);
	if (d->references.len == 0)
		d->references = field(rep, HEADER_IN_REPLY_TO);
	d->ret = rep->e->ret == 1 ? SMTP_RET_FULL :
	    rep->e->ret == 2 ? SMTP_RET_HDRS : SMTP_RET_UNSAID;
	d->header = buf_slice(&rep->header);
}

/* bounce_write - head and tail of the report */
int
bounce_write(struct report *rep)
{
	struct names		names = { daemon_conf(rep->daemon),
				    rep->ask->kind == KIND_HELD ? rep->e : NULL,
				    BUF_INIT };
	struct slice		content = buf_slice(&rep->content);
	struct dsn_report	d = { .lookup = look_up,
				    .lookup_arg = &names };
	enum dsn_returns	returns;
	int			r;

	describe(rep, &d);
	if (content.len > 0) {
		d.content = &content;
		d.content_count = 1;
	}
	if ((r = recipients(rep, &d)) == 0)
		r = dsn_format(&d, rep->arena, &rep->head, &rep->tail,
		    &returns);
	if (r == 0)
		rep->returns_content = returns == DSN_RETURNS_CONTENT;
	buf_free(&names.value);
	return r;
}
