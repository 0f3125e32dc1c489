/* SPDX-License-Identifier: ISC */
/* Answers. A refusal is logged with what fail2ban and its like read. */
#include <stdarg.h>

#include "libmail/received.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

/* smtpd_reply - one line */
int
smtpd_reply(struct task *t, struct smtpd_client *c, unsigned code,
    const char *format, ...)
{
	struct buf	b = BUF_INIT;
	va_list		ap;
	int		r;

	/* soft_bounce turns our own permanent refusals into temporary ones */
	if (c->p->soft_bounce && code >= 500 && code < 600)
		code -= 100;
	buf_addf(&b, "%u ", code);
	va_start(ap, format);
	buf_vaddf(&b, format, ap);
	va_end(ap);
	buf_add(&b, S("\r\n"));
	r = stream_write(t, &c->stream, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* smtpd_received_bits - the protocol, as received.h names it */
unsigned
smtpd_received_bits(const struct smtpd_client *c)
{
	return (c->esmtp ? RECEIVED_ESMTP : 0u) |
	    (c->lmtp ? RECEIVED_LMTP : 0u) |
	    (c->tls ? RECEIVED_TLS : 0u) |
	    (c->login[0] != '\0' ? RECEIVED_AUTH : 0u) |
	    (c->txn.mail.smtputf8 ? RECEIVED_UTF8 : 0u);
}

/* smtpd_proto - the protocol's name for logs */
struct slice
smtpd_proto(const struct smtpd_client *c)
{
	return received_protocol(smtpd_received_bits(c));
}

/* smtpd_refuse - answer a refusal, count it, log it */
int
smtpd_refuse(struct task *t, struct smtpd_client *c, const char *stage,
    struct slice rcpt, const struct status *s)
{
	struct buf	reply = BUF_INIT;
	struct status	said = *s;
	bool		has_mail = c->state >= IN_MAIL;
	int		r;

	if (c->p->soft_bounce && status_is_permanent(s))
		status_set_class(&said, 4);
	status_format(&reply, &said);
	c->errors++;
	log_event(&c->log, EV_SMTPD_REJECT,
	    KV_IF(c->txn.accepted > 0,
	    KV_STR("queue_id", queue_id_text(&c->txn.id))),
	    KV_TEXT("stage", stage), KV_STR("reply", buf_slice(&reply)),
	    KV_IF(has_mail, KV_STR("from", c->txn.sender)), KV_OPT("to", rcpt),
	    KV_STR("proto", smtpd_proto(c)),
	    KV_OPT("helo", slice_of(c->helo)));
	buf_add(&reply, S("\r\n"));
	r = stream_write(t, &c->stream, buf_slice(&reply));
	buf_free(&reply);
	return r;
}

/* smtpd_trouble_status - log it, and what the client is to hear */
struct status
smtpd_trouble_status(const struct smtpd_client *c, const char *what, int error)
{
	log_event(&c->log, EV_SMTPD_TROUBLE, KV_TEXT("what", what),
	    KV_ERR("why", error));
	return status_make(451, "4.3.0",
	    "Temporary server error, try again later");
}

/* smtpd_trouble - the machine failed: not now */
int
smtpd_trouble(struct task *t, struct smtpd_client *c, const char *stage,
    const char *what, int error)
{
	struct status s;

	if (error == -ECANCELED)
		return error;
	s = smtpd_trouble_status(c, what, error);
	return smtpd_refuse(t, c, stage, SLICE_EMPTY, &s);
}
