/* SPDX-License-Identifier: ISC */
/*
 * sendmail -bs: SMTP on standard input and output, for programs that submit
 * over a pipe. Each message goes to the drop folder as one of the command line
 * does; recipients are judged later, and the sender hears of those that are
 * none by mail.
 */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "libmail/addr.h"
#include "libmail/smtp.h"
#include "libmail/status.h"
#include "libutil/buf.h"
#include "tools/sendmail.h"

#define LINE_MAX_BYTES	4096
#define BLOCK		32768

struct session {
	struct sendmail	*s;
	struct arena	 arena;		/* of one transaction */
	bool		 has_sender;
	bool		 line_start;
};

static void
reply(int code, const char *text)
{
	printf("%d %s\r\n", code, text);
	(void)fflush(stdout);	/* a client that is gone is seen at its input */
}

/* answer - a status as a reply */
static void
answer(const struct status *status)
{
	struct buf b = BUF_INIT;

	status_format(&b, status);
	printf("%.*s\r\n", SLICE_ARG(buf_slice(&b)));
	(void)fflush(stdout);
	buf_free(&b);
}

static void
reset(struct session *c)
{
	arena_reset(&c->arena);
	c->has_sender = false;
	c->s->drop.rcpts.n = 0;
	c->s->drop.sender = SLICE_EMPTY;
	c->s->drop.null_sender = false;
	c->s->drop.notify = c->s->drop.ret = 0;
}

static void
on_mail(struct session *c, struct slice args)
{
	struct smtp_mail	m = SMTP_MAIL_INIT;
	struct status		refusal = STATUS_INIT;

	reset(c);
	if (smtp_parse_mail(args, &c->arena, SMTP_UTF8, &m, &refusal) < 0) {
		answer(&refusal);
		return;
	}
	c->s->drop.sender = m.sender.text;
	c->s->drop.null_sender = m.sender.text.len == 0;
	c->s->drop.envid = m.envid;
	c->s->drop.ret = m.ret;
	c->s->drop.smtputf8 = m.smtputf8;
	c->s->drop.body_8bit = m.body == SMTP_BODY_8BITMIME;
	c->has_sender = true;
	reply(250, "2.1.0 Ok");
}

static void
on_rcpt(struct session *c, struct slice args)
{
	struct msg_drop	*b = &c->s->drop;
	struct smtp_rcpt	 rcpt = SMTP_RCPT_INIT;
	struct status		 refusal = STATUS_INIT;

	if (!c->has_sender)
		reply(503, "5.5.1 Error: need MAIL command");
	else if (smtp_parse_rcpt(args, &c->arena, SMTP_UTF8, &rcpt,
	    &refusal) < 0)
		answer(&refusal);
	else if (b->rcpts.n == SENDMAIL_RCPTS_MAX)
		reply(452, "4.5.3 Error: too many recipients");
	else {
		b->rcpts.v[b->rcpts.n++] = (struct msg_drop_rcpt){
		    .address = rcpt.recipient.text, .notify = rcpt.notify,
		    .orcpt = rcpt.orcpt.len == 0 ? SLICE_EMPTY :
		    arena_printf(&c->arena, "%.*s;%.*s",
		    SLICE_ARG(rcpt.orcpt_type), SLICE_ARG(rcpt.orcpt)) };
		reply(250, "2.1.5 Ok");
	}
}

/* more - the next lines of the message; a dot alone ends it */
static int
more(void *arg, struct buf *out)
{
	struct session	*c = arg;
	char		 line[1024];

	while (out->len < BLOCK) {
		struct slice s;

		if (fgets(line, sizeof(line), stdin) == NULL)
			return -ENODATA;	/* it vanished: no message */
		s = slice_of(line);
		if (c->line_start && (slice_equal(s, S(".\r\n")) ||
		    slice_equal(s, S(".\n"))))
			return 0;
		if (c->line_start && slice_has_prefix(s, S(".")))
			buf_add(out, slice_from(s, 1));
		else
			buf_add(out, s);
		c->line_start = slice_has_suffix(s, S("\n"));
	}
	return 1;
}

static void
on_data(struct session *c)
{
	struct status status = STATUS_INIT;

	if (c->s->drop.rcpts.n == 0) {
		reply(503, "5.5.1 Error: need RCPT command");
		return;
	}
	reply(354, "End data with <CR><LF>.<CR><LF>");
	c->line_start = true;
	sendmail_submit(c->s, more, c, &status);
	answer(&status);
	reset(c);
}

static void
on_ehlo(struct session *c, bool extended)
{
	const char *name = tool_value(c->s->tool, "myhostname");

	reset(c);
	if (extended)
		printf("250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		    "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n"
		    "250 SMTPUTF8\r\n", name);
	else
		printf("250 %s\r\n", name);
	(void)fflush(stdout);
}

/* command - one line; false: that was QUIT */
static bool
command(struct session *c, struct slice line)
{
	struct slice args;

	switch (smtp_parse_verb(line, NULL, &args)) {
	case SMTP_VERB_HELO:
		on_ehlo(c, false);
		return true;
	case SMTP_VERB_EHLO:
		on_ehlo(c, true);
		return true;
	case SMTP_VERB_MAIL:
		on_mail(c, args);
		return true;
	case SMTP_VERB_RCPT:
		on_rcpt(c, args);
		return true;
	case SMTP_VERB_DATA:
		on_data(c);
		return true;
	case SMTP_VERB_RSET:
		reset(c);
		reply(250, "2.0.0 Ok");
		return true;
	case SMTP_VERB_NOOP:
		reply(250, "2.0.0 Ok");
		return true;
	case SMTP_VERB_QUIT:
		reply(221, "2.0.0 Bye");
		return false;
	default:
		reply(502, "5.5.2 Error: command not recognized");
		return true;
	}
}

/* sendmail_smtp - until QUIT or the end of the input */
int
sendmail_smtp(struct sendmail *s)
{
	struct session	 c = { .s = s };
	char		*line = arena_alloc(&s->tool->arena, LINE_MAX_BYTES);
	bool		 going = true;

	printf("220 %s ESMTP %s\r\n", tool_value(s->tool, "myhostname"),
	    tool_value(s->tool, "mail_name"));
	(void)fflush(stdout);
	while (going && fgets(line, LINE_MAX_BYTES, stdin) != NULL)
		going = command(&c, slice_trim(slice_of(line)));
	arena_free(&c.arena);
	return EX_OK;
}
