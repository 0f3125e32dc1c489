/* SPDX-License-Identifier: ISC */
/* The sendmail command: a message on standard input. */
#include "tools/sendmail.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "libutil/buf.h"
#include "tools/compat.h"
#include "tools/queue.h"

#define BLOCK	32768

/* where standard input is, between two calls */
struct input {
	bool	dots;		/* a line of a dot alone is the end */
	bool	line_start;
};

/* ends_here - having read a dot at the start of a line: was that the end? */
static bool
ends_here(struct buf *out)
{
	int c = getchar();

	if (c == '\r') {
		c = getchar();
		if (c != '\n') {
			buf_add_text(out, ".\r");
			(void)ungetc(c, stdin);
			return false;
		}
	}
	if (c == '\n' || c == EOF)
		return true;
	buf_add_byte(out, '.');
	(void)ungetc(c, stdin);
	return false;
}

/* more - another block of standard input */
static int
more(void *arg, struct buf *out)
{
	struct input	*in = arg;
	int		 c;

	while (out->len < BLOCK && (c = getchar()) != EOF) {
		if (in->dots && in->line_start && c == '.') {
			in->line_start = false;
			if (ends_here(out))
				return 0;
			continue;
		}
		buf_add_byte(out, (char)c);
		in->line_start = c == '\n';
	}
	if (ferror(stdin))
		return -EIO;
	return feof(stdin) ? 0 : 1;
}

/* exit_of - what a reply code means to whoever called sendmail */
static int
exit_of(struct sendmail *s, const struct msg_pickup_done *done)
{
	if (done->code >= 200 && done->code < 300)
		return EX_OK;
	(void)tool_fail(s->tool, "%.*s%s%.*s", SLICE_ARG(done->enhanced),
	    done->enhanced.len > 0 ? " " : "", SLICE_ARG(done->text));
	if (done->code < 500)
		return EX_TEMPFAIL;
	if (slice_has_prefix(done->enhanced, S("5.1")))
		return EX_NOUSER;
	return slice_has_prefix(done->enhanced, S("5.7")) ? EX_NOPERM :
	    EX_UNAVAILABLE;
}

static int
submit(struct sendmail *s)
{
	struct input		in = { .dots = s->dots, .line_start = true };
	struct msg_pickup_done	done;
	int			r = sendmail_user(s);

	if (r != EX_OK)
		return r;
	sendmail_submit(s, more, &in, &done);
	return exit_of(s, &done);
}

/* compat_sendmail - do what the options say */
int
compat_sendmail(struct tool *tool, int argc, char **argv)
{
	struct sendmail	s = { .tool = tool };
	int		r = sendmail_options(&s, argc, argv);

	if (r != EX_OK)
		return r;
	if (tool_conf(tool) != 0)
		return EX_CONFIG;
	switch (s.mode) {
	case SENDMAIL_SUBMIT:
		return submit(&s);
	case SENDMAIL_SMTP:
		return sendmail_smtp(&s);
	case SENDMAIL_MAILQ:
		return queue_list(tool, QUEUE_MAILQ) == TOOL_OK ? EX_OK :
		    EX_UNAVAILABLE;
	case SENDMAIL_NEWALIASES:
		return compat_newaliases(tool, 1, argv);
	}
	return EX_USAGE;
}
