/* SPDX-License-Identifier: ISC */
/*
 * Commands out, replies in, each with its time. After any failure here the
 * session is of no more use.
 */
#include "delivery/smtp.h"

#include <stdarg.h>

#define COMMAND_MAX	4096	/* no command of ours is longer */

/* smtp_say - write a command; it goes out at the latest with the next hear */
int
smtp_say(struct task *t, struct smtp_session *s, int64_t limit,
    const char *stage, const char *format, ...)
{
	struct buf	line = BUF_INIT_MAX(COMMAND_MAX);
	struct deadline	d;
	va_list		ap;
	int		r;

	s->stage = stage;
	va_start(ap, format);
	buf_vaddf(&line, format, ap);
	va_end(ap);
	buf_add_text(&line, "\r\n");
	if ((r = buf_check(&line)) == 0) {
		deadline_begin(t, &d, limit);
		r = stream_write(t, &s->stream, buf_slice(&line));
		r = deadline_end(t, &d, r);
	}
	if (r < 0)
		s->broken = true;
	buf_free(&line);
	return r;
}

/* read_reply - lines until it is complete */
static int
read_reply(struct task *t, struct smtp_session *s)
{
	struct slice	line;
	int		r;

	do {
		r = stream_read_line(t, &s->stream, REPLY_LINE_MAX, &line);
		if (r == 0)
			r = reply_add_line(&s->reply, line);
	} while (r == 0);
	return r < 0 ? r : 0;
}

/* smtp_hear - the next reply */
int
smtp_hear(struct task *t, struct smtp_session *s, int64_t limit,
    const char *stage)
{
	struct deadline	d;
	int		r;

	s->stage = stage;
	reply_reset(&s->reply);
	deadline_begin(t, &d, limit);
	r = read_reply(t, s);
	r = deadline_end(t, &d, r);
	/* 421: the server closes (RFC 5321 3.8) */
	if (r < 0 || s->reply.code == 421)
		s->broken = true;
	return r;
}

/* smtp_failure - what an error of the conversation means for the mail */
struct status
smtp_failure(const struct smtp_session *s, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return status_make(450, "4.4.2",
		    "conversation with %s timed out while %s", s->who,
		    s->stage);
	case -EIO:
		return status_make(451, "4.3.0", "the message cannot be read");
	case -EBADMSG:
	case -EMSGSIZE:
		return status_make(450, "4.5.0",
		    "%s gave an answer that is none while %s", s->who,
		    s->stage);
	default:
		return status_make(450, "4.4.2",
		    "lost connection with %s while %s", s->who, s->stage);
	}
}

/* smtp_said - the last reply as a refusal, with who said it to what */
struct status
smtp_said(const struct smtp_session *s, const char *command)
{
	struct status	said;
	struct buf	text = BUF_INIT;

	if (reply_status(&s->reply, &said) < 0 || status_is_ok(&said))
		said = status_make(450, "4.5.0", "%u is no answer to this",
		    s->reply.code);
	buf_addf(&text, "host %s said: ", s->who);
	status_format(&text, &said);
	buf_addf(&text, " (in reply to %s)", command);
	status_set_text(&said, buf_slice(&text));
	buf_free(&text);
	return said;
}
