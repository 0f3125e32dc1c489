/* SPDX-License-Identifier: ISC */
/*
 * One message. Its lines end in LF or CRLF as the program likes; what goes on
 * has CRLF. The header is held until it is whole: it may name the recipients,
 * it may lack From, and a text without any header gets the empty line that
 * keeps it a text.
 */
#include "pickup/pickup.h"

#include <stdlib.h>
#include <string.h>

#include "libmail/addr.h"
#include "libmail/header.h"
#include "libmail/received.h"
#include "libtask/zone.h"
#include "libutil/alloc.h"
#include "pickup/pickup_events.h"

#define LOOK_FIRST	1024	/* bytes of header before the first look */

/* submission_refuse - the first reason counts */
void
submission_refuse(struct submission *s, const struct status *why)
{
	if (s->refusal.code == 0)
		s->refusal = *why;
}

/* submission_begin - sender and the recipients of the command line */
int
submission_begin(struct task *t, struct submission *s)
{
	int r;

	s->look_at = LOOK_FIRST;
	smtp_data_init(&s->data, SMTP_DATA_PLAIN);
	r = pickup_sender(t, s);
	for (size_t i = 0; r == 0 && i < s->drop->rcpts.n &&
	    s->refusal.code == 0; i++)
		r = pickup_add_rcpt(t, s, &s->drop->rcpts.v[i]);
	return r;
}

/* envelope - what is known of the message before its content */
static void
envelope(const struct submission *s, struct msg_envelope *e)
{
	*e = (struct msg_envelope){
		.queue_id = queue_id_text(&s->id),
		.arrival = s->file.arrival,
		.sender = s->sender,
		.envid = s->drop->envid,
		.ret = s->drop->ret,
		.smtputf8 = s->drop->smtputf8,
		.body_8bit = s->drop->body_8bit,
		.sender_authenticated = 1,
		.service = slice_of(daemon_service(s->daemon)),
	};
	e->rcpts.v = s->rcpts;
	e->rcpts.n = s->rcpt_count;
}

/* received - the field that tells who submitted it */
static void
received(const struct submission *s, struct buf *out)
{
	char			 who[32];
	struct received		 r = {
		.host = s->host,
		.software = s->software,
		.queue_id = queue_id_text(&s->id),
		.time = s->file.arrival / 1000000,
		.zone = zone_at(s->file.arrival / 1000000),
	};

	(void)snprintf(who, sizeof(who), "userid %u", s->file.uid);
	r.submitter = slice_of(who);
	received_format(out, &r);
}

/* cleanup_fails - the message is tried again: it may be in the queue, or not */
static int
cleanup_fails(struct submission *s, int error)
{
	struct status why;

	if (error == -ECANCELED)
		return error;
	content_channel_drop(&s->channel);
	log_event(daemon_log(s->daemon), EV_PICKUP_TROUBLE,
	    KV_TEXT("what", "the queue"), KV_ERR("why", error));
	why = status_make(451, "4.3.0", "queue file write error");
	submission_refuse(s, &why);
	return 0;
}

/* open_channel - tell cleanup what comes */
static int
open_channel(struct task *t, struct submission *s)
{
	/* no limit: what the user sent was measured here, and what is added
	 * to it is not to be held against him */
	struct msg_content_begin	 b = { .add_received = true,
					     .add_missing = !s->drop->relayed,
					     .again = s->again };
	struct msg_envelope		 e;
	struct buf			 field = BUF_INIT;
	int				 r;

	envelope(s, &e);
	received(s, &field);
	b.received = buf_slice(&field);
	r = content_channel_get(t, &s->pickup->pool, &s->channel);
	if (r == 0)
		r = content_begin(t, s->channel, &e, &b);
	buf_free(&field);
	return r < 0 ? cleanup_fails(s, r) : 0;
}

/* pass - a run of content to cleanup */
static int
pass(struct task *t, struct submission *s, struct slice run)
{
	int r;

	if (s->refusal.code != 0)
		return 0;
	r = content_data(t, s->channel, run);
	return r < 0 ? cleanup_fails(s, r) : 0;
}

/* from_field - with the user's full name, where the program gave none */
static void
from_field(const struct submission *s, struct slice header, struct buf *out)
{
	struct header_field f;

	if (s->drop->full_name.len == 0 || s->sender.len == 0 ||
	    s->drop->relayed || header_find(header, HEADER_FROM, &f))
		return;
	buf_add_text(out, "From: ");
	addr_format_name(out, s->drop->full_name);
	buf_addf(out, " <%.*s>\r\n", SLICE_ARG(s->sender));
}

/* pass_header - what was held back, completed; header is empty if it is not
 * known where it ends */
static int
pass_header(struct task *t, struct submission *s, struct slice header,
    bool known)
{
	struct buf	out = BUF_INIT;
	int		r;

	if (known) {
		from_field(s, header, &out);
		buf_add(&out, header);
	}
	if (known && !slice_has_suffix(header, S("\r\n\r\n")) &&
	    !slice_equal(header, S("\r\n")))
		buf_add_text(&out, "\r\n");	/* what follows is text */
	buf_add(&out, slice_from(buf_slice(&s->header), header.len));
	r = pass(t, s, buf_slice(&out));
	buf_free(&out);
	buf_free(&s->header);
	return r;
}

/* header_whole - the header is there, or as much of it as is looked into:
 * recipients, then on */
static int
header_whole(struct task *t, struct submission *s, size_t len, bool known)
{
	struct slice		 header = slice_sub(buf_slice(&s->header), 0,
				     len);
	struct status		 why;
	int			 r = 0;

	s->header_done = true;
	buf_add(&s->kept, header);
	if (s->drop->extract)
		r = pickup_extract(t, s, header);
	if (r == 0 && s->rcpt_count == 0) {
		why = status_make(501, "5.1.3", s->drop->extract ?
		    "No recipient addresses found in message header" :
		    "Recipient addresses must be specified");
		submission_refuse(s, &why);
	}
	if (r < 0 || s->refusal.code != 0)
		return r;
	log_event(daemon_log(s->daemon), EV_PICKUP_MESSAGE,
	    KV_STR("queue_id", queue_id_text(&s->id)), KV_UINT("uid", s->file.uid),
	    KV_STR("from", s->sender));
	if ((r = open_channel(t, s)) < 0 || s->refusal.code != 0)
		return r;
	return pass_header(t, s, header, known);
}

/* look - has the header ended? Whole lines are looked at, and not at every
 * byte that comes */
static int
look(struct task *t, struct submission *s, bool at_end)
{
	struct slice		 all = buf_slice(&s->header);
	size_t			 last = slice_find_last(all, '\n');
	size_t			 lines = last == SLICE_NONE ? 0 : last + 1;
	size_t			 len = header_length(slice_sub(all, 0, lines));
	struct slice		 header = slice_sub(all, 0, len);
	struct status		 why;

	s->look_at = size_max(2 * all.len, LOOK_FIRST);
	if (at_end || len < lines || slice_has_suffix(header, S("\r\n\r\n")) ||
	    slice_equal(header, S("\r\n")))
		return header_whole(t, s, len, true);
	if (all.len < s->header_limit)
		return 0;
	if (s->drop->extract) {
		why = status_make(552, "5.3.4", "the message header is too "
		    "long to look for recipients in it");
		submission_refuse(s, &why);
		return 0;
	}
	return header_whole(t, s, 0, false);
}

/* add_header - one more run while the header is not whole */
static int
add_header(struct task *t, struct submission *s, struct slice run)
{

	buf_add(&s->header, run);
	return s->header.len < s->look_at ? 0 : look(t, s, false);
}

/* add_run - content with CRLF line ends */
static int
add_run(struct task *t, struct submission *s, struct slice run)
{
	uint64_t		 limit = s->message_limit;
	struct status		 why;

	s->size += run.len;
	if (limit != 0 && s->size > limit) {
		why = status_make(552, "5.3.4", "message file too big");
		submission_refuse(s, &why);
	}
	if (s->refusal.code != 0)
		return 0;
	return s->header_done ? pass(t, s, run) : add_header(t, s, run);
}

/* submission_data - what the program sent */
int
submission_data(struct task *t, struct submission *s, struct slice bytes)
{
	struct cursor	in = cursor_over(bytes);
	struct buf	run = BUF_INIT;
	struct slice	piece;
	int		r;

	while (smtp_data_next(&s->data, &in, &piece))
		buf_add(&run, piece);
	r = add_run(t, s, buf_slice(&run));
	buf_free(&run);
	return r;
}

/* verdict - what cleanup made of it */
static int
verdict(struct task *t, struct submission *s, struct status *ret_status)
{
	int			 r;

	r = content_end(t, s->channel, &s->arena, ret_status);
	if (r < 0)
		return cleanup_fails(s, r);
	content_channel_put(&s->pickup->pool, &s->channel);
	if (!status_is_ok(ret_status))
		submission_refuse(s, ret_status);
	return 0;
}

/* submission_end - that was all of it */
int
submission_end(struct task *t, struct submission *s, struct status *ret_status)
{
	struct status	done = STATUS_INIT;
	int		r;

	r = add_run(t, s, smtp_data_finish(&s->data));
	if (r == 0 && s->refusal.code == 0 && !s->header_done)
		r = look(t, s, true);
	if (r == 0 && s->refusal.code == 0)
		r = verdict(t, s, &done);
	if (r == 0)
		*ret_status = s->refusal.code != 0 ? s->refusal : done;
	return r;
}
