/* SPDX-License-Identifier: ISC */
/*
 * DATA and BDAT: content goes to cleanup as it comes, decoded by the one
 * framing module (libmail/scan_data.h). The client's side and cleanup's side
 * are both limited: a slow client by smtpd_timeout and smtpd_min_data_rate, a
 * slow cleanup by the socket between us, which then slows the client down.
 */
#include "libmail/received.h"
#include "libtask/tls.h"
#include "libtask/zone.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define RUN_MAX		32768	/* bytes in one message to cleanup */
#define DISCARD_MAX	((uint64_t)64 << 20)	/* of a refused chunk */

enum { NEWLINE_NOTE = 1, NEWLINE_REJECT = 4 };

/* envelope - what is known of the message before its content */
static struct msg_envelope
envelope(struct smtpd_client *c)
{
	struct smtpd_txn	*x = &c->txn;
	struct msg_envelope	 e = {
		.queue_id = queue_id_text(&x->id),
		.arrival = x->arrival,
		.sender = x->rewritten,
		.envid = x->mail.envid,
		.ret = x->mail.ret,
		.smtputf8 = x->mail.smtputf8,
		.body_8bit = x->mail.body == SMTP_BODY_8BITMIME,
		.sender_authenticated = c->login[0] != '\0' ? 1 : 0,
		.service = slice_of(daemon_service(c->daemon)),
		.client_name = slice_of(c->name),
		.client_address = slice_of(c->address),
		.helo = slice_of(c->helo),
		.protocol = smtpd_proto(c),
		.login = slice_of(c->login),
		.session = slice_of(c->session.text),
	};

	e.rcpts.v = x->rcpts;
	e.rcpts.n = x->rcpt_count;
	return e;
}

/* received - the field that is put before the message */
static void
received(struct smtpd_client *c, struct buf *out)
{
	struct buf		 tls = BUF_INIT;
	const struct smtpd_txn	*x = &c->txn;
	bool			 hide = c->p->smtpd_hide_client_session;
	struct received		 r = {
		.host = c->p->myhostname,
		.software = c->p->mail_name,
		.protocol = smtpd_received_bits(c),
		.queue_id = queue_id_text(&x->id),
		.recipient = x->accepted == 1 ? x->named[0].text : SLICE_EMPTY,
		.time = x->arrival / 1000000,
		.zone = zone_at(x->arrival / 1000000),
	};

	if (!hide) {
		r.helo = slice_of(c->helo[0] != '\0' ? c->helo : c->name);
		r.client_name = slice_of(c->name);
		r.client_address = slice_of(c->address);
	}
	if (c->p->smtpd_sasl_authenticated_header)
		r.login = slice_of(c->login);
	if (c->p->smtpd_tls_received_header && c->tls) {
		buf_add_text(&tls, "using ");
		tls_format_summary(&tls, c->stream.tls);
		r.tls = buf_slice(&tls);
	}
	received_format(out, &r);
	buf_free(&tls);
}

/* begin - tell cleanup what comes */
static int
begin(struct task *t, struct smtpd_client *c)
{
	struct msg_content_begin	m = { .through = c->through,
					    .size_limit = c->p->message_size_limit,
					    .add_received = true,
					    .each = c->txn.mail.prdr,
					    .now = c->lmtp,
					    .add_missing = c->login[0] != '\0' };
	struct msg_envelope		e = envelope(c);
	struct buf			field = BUF_INIT;
	int				r;

	if ((r = content_channel_get(t, &c->smtpd->pool, &c->txn.channel)) < 0)
		return r;
	received(c, &field);
	m.received = buf_slice(&field);
	r = content_begin(t, c->txn.channel, &e, &m);
	buf_free(&field);
	return r;
}

/* pass - a run of content to cleanup; after a failure the rest is dropped, and
 * the client hears of it at the end */
static int
pass(struct task *t, struct smtpd_client *c, struct slice run)
{
	struct smtpd_txn	*x = &c->txn;
	uint64_t		 limit = c->p->message_size_limit;
	int			 r;

	x->size += run.len;
	if (limit != 0 && x->size > limit)
		x->too_large = true;
	if (x->too_large || x->broken)
		return 0;
	r = content_data(t, x->channel, run);
	if (r < 0 && r != -ECANCELED) {
		x->broken = true;
		r = 0;
	}
	return r;
}

/* pieces - decode what the client sent and pass it on, in few messages */
static int
pieces(struct task *t, struct smtpd_client *c, struct cursor *in)
{
	struct buf	run = BUF_INIT;
	struct slice	piece;
	int		r = 0;

	buf_reserve(&run, size_min((size_t)(in->end - in->at), RUN_MAX));
	while (r == 0 && smtp_data_next(&c->txn.data, in, &piece)) {
		if (run.len + piece.len > RUN_MAX) {
			r = pass(t, c, buf_slice(&run));
			buf_reset(&run);
		}
		if (piece.len >= RUN_MAX && r == 0)
			r = pass(t, c, piece);
		else
			buf_add(&run, piece);
	}
	if (r == 0 && run.len > 0)
		r = pass(t, c, buf_slice(&run));
	buf_free(&run);
	return r;
}

/* refused_by_rule - what we refuse ourselves at the end of the content */
static bool
refused_by_rule(struct smtpd_client *c, struct status *ret_bad)
{
	struct smtpd_txn *x = &c->txn;

	if (x->too_large) {
		*ret_bad = status_make(552, "5.3.4",
		    "Error: message file too big");
		return true;
	}
	if (x->data.bare_lf + x->data.bare_cr == 0)
		return false;
	if (c->p->smtpd_forbid_bare_newline == NEWLINE_NOTE)
		log_event(&c->log, EV_SMTPD_BARE_LF,
		    KV_STR("queue_id", queue_id_text(&x->id)));
	if (c->p->smtpd_forbid_bare_newline != NEWLINE_REJECT)
		return false;
	*ret_bad = status_make((unsigned)
	    c->p->smtpd_forbid_bare_newline_reject_code, "5.5.2",
	    "%.*s Error: bare <LF> received", SLICE_ARG(c->p->myhostname));
	return true;
}

/* answer - what became of the message, or of each recipient */
static int
answer(struct task *t, struct smtpd_client *c, const char *stage,
    const struct status *s, const struct content_answers *each)
{
	struct buf	line = BUF_INIT;
	int		r;

	if (c->lmtp)
		return lmtp_answer_each(t, c, stage, each, s);
	if (each->n > 0)
		return smtpd_answer_each(t, c, stage, each, s);
	if (!status_is_ok(s))
		return smtpd_refuse(t, c, stage, SLICE_EMPTY, s);
	status_format(&line, s);
	r = stream_writef(t, &c->stream, "%.*s\r\n",
	    SLICE_ARG(buf_slice(&line)));
	buf_free(&line);
	return r;
}

/* finish - the content is complete: answer, and end the transaction */
static int
finish(struct task *t, struct smtpd_client *c, const char *stage)
{
	struct content_answers	each = { .n = 0 };
	struct arena		a = ARENA_INIT;
	struct slice		next;
	struct status		s;
	int			r;

	/* A client that has gone gives the message again: what it cannot hear
	 * of is not taken (RFC 1047). */
	r = stream_try_peek(&c->stream, &next);
	if (r < 0 && r != -EAGAIN)
		return r;
	r = 0;
	if (refused_by_rule(c, &s)) {
		content_channel_drop(&c->txn.channel);
	} else if ((r = c->txn.broken ? -EPIPE : content_end_each(t,
	    c->txn.channel, &a, &s, &each)) < 0) {
		content_channel_drop(&c->txn.channel);
		if (r != -ECANCELED) {
			s = smtpd_trouble_status(c, "the queue", r);
			r = 0;
		}
	} else {
		content_channel_put(&c->smtpd->pool, &c->txn.channel);
	}
	if (r == 0) {
		unheard_note(c, &s, &each);
		r = answer(t, c, stage, &s, &each);
	}
	arena_free(&a);
	txn_reset(c);
	return r;
}

/* read_some - what the client sends, not slower than the limits allow */
static int
read_some(struct task *t, struct smtpd_client *c, int64_t begun,
    struct slice *ret_bytes)
{
	struct deadline	idle;
	int64_t		spent = task_now(t) - begun;
	int		r;

	/* RFC 5321 4.5.3.2.5 gives each block its time; dripping is not meant */
	if (c->p->smtpd_min_data_rate > 0 && spent > c->p->smtpd_timeout &&
	    (int64_t)c->txn.size * 1000 <
	    c->p->smtpd_min_data_rate * (spent - c->p->smtpd_timeout))
		return -ETIMEDOUT;
	deadline_begin(t, &idle, c->p->smtpd_timeout);
	r = stream_peek(t, &c->stream, ret_bytes);
	return deadline_end(t, &idle, r);
}

/* cmd_data - RFC 5321 4.1.1.4 */
int
cmd_data(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct slice	bytes;
	struct cursor	in;
	int64_t		begun = task_now(t);
	bool		waits = stream_buffered(&c->stream).len == 0;
	int		r;

	(void)args;
	if ((r = begin(t, c)) < 0) {
		content_channel_drop(&c->txn.channel);
		return smtpd_trouble(t, c, "DATA", "the queue", r);
	}
	smtp_data_init(&c->txn.data, SMTP_DATA_DOTS);
	r = smtpd_reply(t, c, 354, "End data with <CR><LF>.<CR><LF>");
	while (r == 0 && !c->txn.data.done) {
		if ((r = read_some(t, c, begun, &bytes)) < 0)
			break;
		if (waits)
			unheard_clear(c);	/* it has heard the 354 */
		in = cursor_over(bytes);
		r = pieces(t, c, &in);
		stream_consume(&c->stream, bytes.len - cursor_left(&in));
	}
	if (r == 0) {
		c->after = "END-OF-MESSAGE";
		r = finish(t, c, "END-OF-MESSAGE");
	}
	return r;
}

/* discard - read a chunk that nobody wants (RFC 3030 2: it must be read, or
 * its bytes would be taken for commands). One that is larger than any message
 * is not read to its end: the connection ends instead. */
static int
discard(struct task *t, struct smtpd_client *c, uint64_t size)
{
	struct slice	bytes;
	int64_t		begun = task_now(t);
	uint64_t	left = size < DISCARD_MAX ? size : DISCARD_MAX;
	int		r;

	if (left < size)
		c->quit = true;
	while (left > 0) {
		if ((r = read_some(t, c, begun, &bytes)) < 0)
			return r;
		if (bytes.len > left)
			bytes = slice_sub(bytes, 0, (size_t)left);
		stream_consume(&c->stream, bytes.len);
		left -= bytes.len;
	}
	return 0;
}

/* smtpd_discard_chunk - the chunk of a BDAT that was refused already */
int
smtpd_discard_chunk(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct smtp_bdat b;

	if (smtp_parse_bdat(args, &b, NULL) == 0)
		return discard(t, c, b.size);
	c->quit = true;		/* where the next command begins is not known */
	return 0;
}

/* is_too_big - would the chunk make the message larger than it may be? */
static bool
is_too_big(const struct smtpd_client *c, uint64_t size)
{
	uint64_t limit = c->p->message_size_limit;

	return size == SMTP_BDAT_MAX || (limit != 0 &&
	    (c->txn.size > limit || size > limit - c->txn.size));
}

/* take_chunk - read a chunk and pass it on */
static int
take_chunk(struct task *t, struct smtpd_client *c, uint64_t size)
{
	struct slice	bytes;
	struct cursor	in;
	int64_t		begun = task_now(t);
	int		r = 0;

	while (size > 0 && r == 0) {
		if ((r = read_some(t, c, begun, &bytes)) < 0)
			break;
		if (bytes.len > size)
			bytes = slice_sub(bytes, 0, (size_t)size);
		in = cursor_over(bytes);
		r = pieces(t, c, &in);
		stream_consume(&c->stream, bytes.len);
		size -= bytes.len;
	}
	return r;
}

/* refusal_of_chunk - what is wrong with it before its first octet? */
static bool
refusal_of_chunk(const struct smtpd_client *c, const struct smtp_bdat *b,
    struct status *ret_bad)
{
	if (is_too_big(c, b->size))
		*ret_bad = status_make(552, "5.3.4",
		    "Chunk exceeds message size limit");
	else if (c->txn.rcpt_count == 0)
		*ret_bad = status_make(554, "5.5.1",
		    "Error: no valid recipients");
	else
		return false;
	return true;
}

/* refuse_chunk - LMTP has an answer for each recipient behind the last one */
static int
refuse_chunk(struct task *t, struct smtpd_client *c, const struct smtp_bdat *b,
    const struct status *bad)
{
	const struct content_answers none = { .n = 0 };

	if (c->lmtp && b->last && c->txn.accepted > 0)
		return lmtp_answer_each(t, c, "BDAT", &none, bad);
	return smtpd_refuse(t, c, "BDAT", SLICE_EMPTY, bad);
}

/* cmd_bdat - RFC 3030 2 */
int
cmd_bdat(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct smtp_bdat	b;
	struct status		bad;
	int			r;

	if (smtp_parse_bdat(args, &b, &bad) < 0) {
		/* where the next command begins is not known: end it */
		c->quit = true;
		return smtpd_refuse(t, c, "BDAT", SLICE_EMPTY, &bad);
	}
	if (refusal_of_chunk(c, &b, &bad)) {
		/* the answer comes first: who listens need not send the rest */
		r = refuse_chunk(t, c, &b, &bad);
		txn_reset(c);
		return r < 0 ? r : discard(t, c, b.size);
	}
	if (c->state != IN_BDAT) {
		smtp_data_init(&c->txn.data, SMTP_DATA_PLAIN);
		if ((r = begin(t, c)) < 0) {
			if (r == -ECANCELED)
				return r;
			bad = smtpd_trouble_status(c, "the queue", r);
			r = refuse_chunk(t, c, &b, &bad);
			txn_reset(c);
			return r < 0 ? r : discard(t, c, b.size);
		}
		c->state = IN_BDAT;
	}
	if ((r = take_chunk(t, c, b.size)) < 0)
		return r;
	if (!b.last)
		return smtpd_reply(t, c, 250, "2.0.0 Ok: %llu bytes",
		    (unsigned long long)b.size);
	r = pass(t, c, smtp_data_finish(&c->txn.data));
	return r < 0 ? r : finish(t, c, "BDAT");
}
