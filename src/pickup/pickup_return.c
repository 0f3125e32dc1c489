/* SPDX-License-Identifier: ISC */
/*
 * The report about a message that is refused for good (RFC 3464): its program
 * has ended, so mail is how the user learns of it. It goes to the envelope's
 * sender, with the message's header; its own sender is the null sender.
 */
#include "pickup/pickup.h"

#include "libmail/addr.h"
#include "libmail/dsn.h"
#include "libmail/received.h"
#include "libtask/zone.h"

/* recipients - whom the message was for */
static int
recipients(struct submission *s, const struct status *why, struct dsn_report *d)
{
	const unsigned		 flags = ADDR_UTF8 | ADDR_LENIENT |
				     ADDR_MAY_LACK_DOMAIN;
	struct dsn_recipient	*v = ARENA_ARRAY(&s->arena,
				     struct dsn_recipient, s->rcpt_count + 1);
	size_t			 n = 0;

	for (size_t i = 0; i < s->rcpt_count; i++) {
		v[n] = (struct dsn_recipient){ .action = DSN_FAILED,
		    .status = why, .final_log_id = queue_id_text(&s->id) };
		if (addr_parse(s->rcpts[i].original, &s->arena, flags,
		    &v[n].recipient) == 0)
			n++;
	}
	d->recipients = v;
	d->recipient_count = n;
	return n == 0 ? -ENOENT : 0;
}

/* write_report - head and tail */
static int
write_report(struct task *t, struct submission *s, const struct status *why,
    const struct queue_id *id, struct buf *head, struct buf *tail)
{
	struct dsn_report	d = { .kind = DSN_FAILURE, .host = s->host,
				    .software = s->software,
				    .id = queue_id_text(id),
				    .now = task_wall(t) / 1000000,
				    .queue_id = queue_id_text(&s->id),
				    .arrival = s->file.arrival / 1000000,
				    .envid = s->drop->envid,
				    .smtputf8 = s->drop->smtputf8,
				    .ret = SMTP_RET_HDRS,
				    .header = buf_slice(&s->kept) };
	enum dsn_returns	returns;
	int			r;

	d.zone = zone_at(d.now);
	r = addr_parse(s->sender, &s->arena, ADDR_UTF8 | ADDR_LENIENT |
	    ADDR_MAY_LACK_DOMAIN, &d.sender);
	if (r < 0)
		return -ENOENT;
	d.to = d.sender;
	if ((r = recipients(s, why, &d)) < 0)
		return r;
	return dsn_format(&d, &s->arena, head, tail, &returns);
}

/* send_report - as a message of its own */
static int
send_report(struct task *t, struct submission *s, const struct msg_envelope *e,
    const struct buf *head, const struct buf *tail)
{
	const struct received	 here = { .host = s->host,
				     .software = s->software,
				     .queue_id = e->queue_id,
				     .time = e->arrival / 1000000,
				     .zone = zone_at(e->arrival / 1000000) };
	struct msg_content_begin b = { .add_received = true,
				     .again = s->again };
	struct content_channel	*ch = NULL;
	struct status		 status = STATUS_INIT;
	struct buf		 field = BUF_INIT;
	int			 r;

	received_format(&field, &here);
	b.received = buf_slice(&field);
	if ((r = content_channel_get(t, &s->pickup->pool, &ch)) == 0 &&
	    (r = content_begin(t, ch, e, &b)) == 0 &&
	    (r = content_data(t, ch, buf_slice(head))) == 0 &&
	    (r = content_data(t, ch, buf_slice(tail))) == 0)
		r = content_end(t, ch, &s->arena, &status);
	if (r == 0)
		content_channel_put(&s->pickup->pool, &ch);
	content_channel_drop(&ch);
	buf_free(&field);
	if (r == 0 && !status_is_ok(&status))
		r = status.code < 500 ? -EAGAIN : -ENOENT;
	return r;
}

/* address - who gets the report, and where that is. -ENOENT: nobody, whenever
 * it is asked: the address is none, or leads nowhere */
static int
address(struct task *t, struct submission *s)
{
	struct msg_drop_rcpt to = { .address = s->sender, .notify = 1 };
	int		     r;

	s->rcpts = NULL;
	s->rcpt_count = s->rcpt_cap = s->given = 0;
	s->refusal = (struct status)STATUS_INIT;
	s->sender = SLICE_EMPTY;
	if ((r = pickup_add_rcpt(t, s, &to)) < 0)
		return r;
	if (s->refusal.code / 100 == 4)
		return -EAGAIN;
	return s->refusal.code != 0 || s->rcpt_count == 0 ? -ENOENT : 0;
}

/* pickup_return - -ENOENT: there is nobody to tell */
int
pickup_return(struct task *t, struct submission *s, const struct status *why)
{
	struct msg_envelope	e;
	struct queue_id		id = drop_file_id(&s->file, DROP_ID_REPORT);
	struct buf		head = BUF_INIT, tail = BUF_INIT;
	int			r;

	if (s->sender.len == 0)
		return -ENOENT;
	content_channel_drop(&s->channel);
	r = write_report(t, s, why, &id, &head, &tail);
	if (r == 0)
		r = address(t, s);
	if (r == 0) {
		e = (struct msg_envelope){
		    .queue_id = queue_id_text(&id),
		    .arrival = task_wall(t),
		    .smtputf8 = s->drop->smtputf8,
		    .service = slice_of(daemon_service(s->daemon)) };
		e.rcpts.v = s->rcpts;
		e.rcpts.n = s->rcpt_count;
		r = send_report(t, s, &e, &head, &tail);
	}
	buf_free(&head);
	buf_free(&tail);
	return r;
}
