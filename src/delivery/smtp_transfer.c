/* SPDX-License-Identifier: ISC */
/*
 * One transaction: MAIL, a RCPT for each recipient, DATA, the content. The
 * commands are a row, 0 to n + 1; with PIPELINING (RFC 2920) up to WINDOW of
 * them are under way at once, else one. The window is small enough that the
 * replies to it always fit into the buffers between us: neither end can come
 * to wait for the other.
 */
#include "delivery/smtp.h"

#include "libmail/smtp.h"

#define WINDOW	64

struct transfer {
	struct smtp_attempt	*a;
	struct smtp_session	*s;
	struct smtp_target	**v;		/* whom it is about */
	size_t			 n;
	size_t			 sent;		/* commands */
	size_t			 got;		/* replies */
	size_t			 accepted;	/* recipients */
	bool			 stop;		/* no more commands */
	bool			 go;		/* 354 */
	bool			 more;		/* "too many recipients" */
	bool			 utf8;
	bool			 dsn;
};

/* set_open - a result for those who got none in this transaction */
static void
set_open(struct transfer *x, const struct status *status, bool remote)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i]->open)
			smtp_target_set(x->a, x->v[i], x->s, status, remote);
}

/* mail_line - the arguments of MAIL */
static void
mail_line(const struct transfer *x, struct buf *out)
{
	const struct smtp_attempt	*a = x->a;
	const struct reply_ehlo		*ehlo = &x->s->ehlo;
	struct smtp_mail		 m = SMTP_MAIL_INIT;

	m.sender = a->sender;
	if (reply_ehlo_has(ehlo, REPLY_KEYWORD_SIZE)) {
		m.given |= SMTP_PARAM_BIT(SIZE);
		m.size = a->size;
	}
	if (reply_ehlo_has(ehlo, REPLY_KEYWORD_8BITMIME) && a->is_8bit) {
		m.given |= SMTP_PARAM_BIT(BODY);
		m.body = SMTP_BODY_8BITMIME;
	}
	if (x->utf8) {
		m.given |= SMTP_PARAM_BIT(SMTPUTF8);
		m.smtputf8 = true;
	}
	if (x->dsn && a->e->ret != 0) {
		m.given |= SMTP_PARAM_BIT(RET);
		m.ret = a->e->ret == 1 ? SMTP_RET_FULL : SMTP_RET_HDRS;
	}
	if (x->dsn && a->e->envid.len > 0) {
		m.given |= SMTP_PARAM_BIT(ENVID);
		m.envid = a->e->envid;
	}
	smtp_format_mail(out, &m);
}

/* rcpt_line - the arguments of RCPT */
static void
rcpt_line(const struct transfer *x, const struct smtp_target *target,
    struct buf *out)
{
	struct smtp_rcpt	m = SMTP_RCPT_INIT;
	struct slice		orcpt = target->rcpt->orcpt;

	m.recipient = target->addr;
	if (x->dsn && target->rcpt->notify != 0) {
		m.given |= SMTP_PARAM_BIT(NOTIFY);
		m.notify = target->rcpt->notify;
	}
	if (x->dsn && slice_find(orcpt, ';') != SLICE_NONE) {
		m.given |= SMTP_PARAM_BIT(ORCPT);
		m.orcpt_type = slice_split(&orcpt, ';');
		m.orcpt = orcpt;
	}
	smtp_format_rcpt(out, &m, x->utf8);
}

/* send_one - the next command of the row */
static int
send_one(struct task *t, struct transfer *x)
{
	const struct smtp_params *p = x->a->p;
	struct buf		  args = BUF_INIT;
	int			  r;

	if (x->sent == 0) {
		mail_line(x, &args);
		r = smtp_say(t, x->s, p->smtp_mail_timeout, "sending MAIL FROM",
		    "MAIL %.*s", SLICE_ARG(buf_slice(&args)));
	} else if (x->sent <= x->n) {
		rcpt_line(x, x->v[x->sent - 1], &args);
		r = smtp_say(t, x->s, p->smtp_rcpt_timeout, "sending RCPT TO",
		    "RCPT %.*s", SLICE_ARG(buf_slice(&args)));
	} else {
		r = smtp_say(t, x->s, p->smtp_data_init_timeout,
		    "sending DATA command", "DATA");
	}
	x->sent++;
	buf_free(&args);
	return r;
}

/* on_rcpt - the answer to a RCPT */
static void
on_rcpt(struct transfer *x, struct smtp_target *target)
{
	struct status	said;
	unsigned	code = x->s->reply.code;

	if (code / 100 == 2) {
		target->accepted = true;
		x->accepted++;
		return;
	}
	said = smtp_said(x->s, "RCPT TO command");
	/* RFC 5321 4.5.3.1.10: old servers say 552 for too many recipients */
	if (code == 552)
		status_set_class(&said, 4);
	if ((code == 452 || code == 552) && x->accepted > 0)
		x->more = true;
	smtp_target_set(x->a, target, x->s, &said, true);
}

/* on_reply - the answer to command number x->got */
static void
on_reply(struct transfer *x)
{
	unsigned	class = x->s->reply.code / 100;
	size_t		i = x->got;
	struct status	said;

	if (i == 0 && class != 2) {
		said = smtp_said(x->s, "MAIL FROM command");
		set_open(x, &said, true);
		x->stop = true;
	} else if (i > 0 && i <= x->n && !x->stop) {
		on_rcpt(x, x->v[i - 1]);
	} else if (i == x->n + 1) {
		x->go = x->s->reply.code == 354;
		if (!x->go && x->accepted > 0) {
			said = smtp_said(x->s, "DATA command");
			set_open(x, &said, true);
		}
	}
	x->got++;
}

/* limit_of - how long the answer to that command may take */
static int64_t
limit_of(const struct transfer *x, const char **ret_stage)
{
	const struct smtp_params *p = x->a->p;

	if (x->got == 0) {
		*ret_stage = "sending MAIL FROM";
		return p->smtp_mail_timeout;
	}
	if (x->got <= x->n) {
		*ret_stage = "sending RCPT TO";
		return p->smtp_rcpt_timeout;
	}
	*ret_stage = "sending DATA command";
	return p->smtp_data_init_timeout;
}

/* is_over - nothing to send, nothing to wait for */
static bool
is_over(struct transfer *x)
{
	if (x->got < x->sent)
		return false;
	/* without a recipient there is no DATA */
	if (x->sent == x->n + 1 && x->accepted == 0)
		x->stop = true;
	return x->stop || x->sent == x->n + 2;
}

/* commands - all of the row, and their answers */
static int
commands(struct task *t, struct transfer *x)
{
	size_t		window = reply_ehlo_has(&x->s->ehlo,
			    REPLY_KEYWORD_PIPELINING) ? WINDOW : 1;
	const char	*stage;
	int64_t		limit;
	int		r = 0;

	while (r == 0 && !x->s->broken && !is_over(x)) {
		while (r == 0 && !x->stop && x->sent < x->n + 2 &&
		    x->sent - x->got < window)
			r = send_one(t, x);
		if (r < 0)
			break;
		limit = limit_of(x, &stage);
		r = smtp_hear(t, x->s, limit, stage);
		if (r == 0)
			on_reply(x);
	}
	return r;
}

/* succeed - the recipient is delivered */
static void
succeed(struct transfer *x, struct smtp_target *target)
{
	struct status	done;
	struct buf	text = BUF_INIT;

	if (reply_status(&x->s->reply, &done) < 0)
		return;		/* not of class 2: the caller has looked */
	status_format(&text, &done);
	status_set_text(&done, buf_slice(&text));
	buf_free(&text);
	smtp_target_set(x->a, target, x->s, &done, true);
	target->result.dsn_relayed = x->dsn;
}

/* judge - one recipient by the answer to the content */
static void
judge(struct transfer *x, struct smtp_target *target)
{
	struct status	said;

	if (x->s->reply.code / 100 == 2) {
		succeed(x, target);
		return;
	}
	said = smtp_said(x->s, "end of DATA command");
	smtp_target_set(x->a, target, x->s, &said, true);
}

/* verdicts - SMTP answers once, LMTP for each accepted recipient (RFC 2033
 * 4.2) */
static int
verdicts(struct task *t, struct transfer *x)
{
	static const char stage[] = "sending end of data -- message may be "
	    "sent more than once";
	bool	heard = false;
	int	r;

	for (size_t i = 0; i < x->n; i++) {
		if (!x->v[i]->accepted || !x->v[i]->open)
			continue;
		if (!heard || x->s->lmtp) {
			r = smtp_hear(t, x->s, x->a->p->smtp_data_done_timeout,
			    stage);
			if (r < 0)
				return r;
			heard = true;
		}
		judge(x, x->v[i]);
	}
	return 0;
}

/* nobody - DATA was taken though no recipient was: end it with nothing */
static int
nobody(struct task *t, struct transfer *x)
{
	const int64_t limit = x->a->p->smtp_data_init_timeout;
	int r;

	if (x->s->lmtp) {		/* no recipient, no answer */
		x->s->broken = true;
		return 0;
	}
	r = smtp_say(t, x->s, limit, "ending an empty message", ".");
	return r < 0 ? r : smtp_hear(t, x->s, limit, "ending an empty message");
}

/* unfit - what this server cannot take, whatever it would answer */
static bool
unfit(struct transfer *x)
{
	const struct smtp_attempt	*a = x->a;
	const struct reply_ehlo		*ehlo = &x->s->ehlo;
	struct status			 bad;

	x->dsn = reply_ehlo_has(ehlo, REPLY_KEYWORD_DSN);
	if (ehlo->size > 0 && a->size > ehlo->size) {
		bad = status_make(552, "5.3.4", "message size %llu exceeds "
		    "size limit %llu of server %s",
		    (unsigned long long)a->size,
		    (unsigned long long)ehlo->size, x->s->who);
	} else if (a->needs_utf8 &&
	    !reply_ehlo_has(ehlo, REPLY_KEYWORD_SMTPUTF8)) {
		bad = status_make(553, "5.6.7", "SMTPUTF8 is required, but "
		    "was not offered by host %s", x->s->who);
	} else {
		x->utf8 = a->needs_utf8;
		return false;
	}
	/* another host of the domain may be better off */
	for (size_t i = 0; i < x->n; i++) {
		smtp_target_set(x->a, x->v[i], x->s, &bad, false);
		x->v[i]->done = false;
	}
	return true;
}

/* choose - those who have no result yet that counts */
static void
choose(struct transfer *x)
{
	struct smtp_attempt *a = x->a;

	x->v = ARENA_ARRAY(a->arena, struct smtp_target *, a->count + 1);
	for (size_t i = 0; i < a->count; i++) {
		a->targets[i].accepted = false;
		if (a->targets[i].done)
			continue;
		a->targets[i].open = true;
		x->v[x->n++] = &a->targets[i];
	}
}

/* progress - has anyone a result that counts? Who would not take some and puts
 * off the others is not asked again at once. */
static bool
progress(const struct transfer *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i]->accepted && x->v[i]->done)
			return true;
	return false;
}

/* smtp_transfer - a transaction; again if some were one too many */
int
smtp_transfer(struct task *t, struct smtp_attempt *a, struct smtp_session *s)
{
	struct transfer	x;
	struct status	bad;
	int		r;

	do {
		x = (struct transfer){ .a = a, .s = s };
		choose(&x);
		if (x.n == 0 || unfit(&x))
			return 0;
		if ((r = commands(t, &x)) == 0 && x.go) {
			r = x.accepted == 0 ? nobody(t, &x) :
			    smtp_content_send(t, a, s);
			if (r == 0 && x.accepted > 0)
				r = verdicts(t, &x);
		}
		if (r == -ECANCELED)
			return r;
		if (r < 0 || (s->broken && !x.go)) {
			s->broken = true;
			bad = smtp_failure(s, r < 0 ? r : -ECONNRESET);
			set_open(&x, &bad, false);
		}
	} while (r == 0 && x.more && progress(&x) && !s->broken);
	return 0;
}
