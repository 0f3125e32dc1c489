/* SPDX-License-Identifier: ISC */
/* The sendmail command: a message on standard input. */
#include "tools/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "libmail/header.h"
#include "libmail/header_rcpts.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "tools/compat.h"
#include "tools/queue.h"

#define BLOCK	32768

/* where standard input is, between two calls */
struct input {
	bool		dots;		/* a line of a dot alone is the end */
	bool		line_start;
	bool		ended;
	struct buf	ahead;		/* read, and not given on yet */
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

/* read_block - another block of standard input: as sendmail_more_fn */
static int
read_block(struct input *in, struct buf *out)
{
	size_t	full = out->len + BLOCK;
	int	c;

	while (out->len < full && (c = getchar()) != EOF) {
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

/* more - what was read ahead, and then the rest */
static int
more(void *arg, struct buf *out)
{
	struct input *in = arg;

	if (in->ahead.len > 0) {
		buf_add(out, buf_slice(&in->ahead));
		buf_free(&in->ahead);
		return !in->ended;
	}
	return in->ended ? 0 : read_block(in, out);
}

/* has_rcpts - are there recipients in the header? Says what it cannot read */
static bool
has_rcpts(struct sendmail *s, struct slice header)
{
	struct header_rcpts	h;
	struct slice		address;
	bool			valid, any = s->drop.rcpts.n > 0;

	header_rcpts_init(&h, header);
	while (header_rcpts_next(&h, &s->tool->arena, &address, &valid)) {
		any |= valid;
		if (!valid)
			tool_warn(s->tool, "left out: \"%.*s\" is no address",
			    SLICE_ARG(address));
	}
	return any;
}

/* look_ahead - -t: the user hears now that there is nobody to send it to */
static int
look_ahead(struct sendmail *s, struct input *in)
{
	uint64_t	max = sendmail_limit(s, "header_size_limit");
	size_t		lines, len;
	int		r = 1;

	do {
		if ((r = read_block(in, &in->ahead)) < 0) {
			(void)tool_fail(s->tool, "cannot read the message: %s",
			    strerror(-r));
			return EX_IOERR;
		}
		in->ended = r == 0;
		lines = slice_find_last(buf_slice(&in->ahead), '\n');
		lines = lines == SLICE_NONE ? 0 : lines + 1;
		if (in->ended)
			lines = in->ahead.len;
		len = header_length(slice_sub(buf_slice(&in->ahead), 0, lines));
	} while (!in->ended && len == lines && in->ahead.len <= max);
	if (len > max) {
		(void)tool_fail(s->tool, "the message header is too long to "
		    "look for recipients in it (header_size_limit)");
		return EX_UNAVAILABLE;
	}
	if (has_rcpts(s, slice_sub(buf_slice(&in->ahead), 0, len)))
		return EX_OK;
	(void)tool_fail(s->tool,
	    "No recipient addresses found in message header");
	return EX_USAGE;
}

/* exit_of - what the answer means to whoever called sendmail */
static int
exit_of(struct sendmail *s, const struct status *status)
{
	struct buf text = BUF_INIT;

	if (status_is_ok(status))
		return EX_OK;
	status_code_format(&text, status->enhanced);
	(void)tool_fail(s->tool, "%s %.*s", buf_cstr(&text),
	    SLICE_ARG(status_text(status)));
	buf_free(&text);
	if (status->code < 500)	/* an installation does not mend itself */
		return status->enhanced.subject == 3 &&
		    status->enhanced.detail == 5 ? EX_UNAVAILABLE : EX_TEMPFAIL;
	return status->enhanced.subject == 7 ? EX_NOPERM : EX_UNAVAILABLE;
}

/* submit - a message on standard input */
static int
submit(struct sendmail *s)
{
	struct input	in = { .dots = s->dots, .line_start = true };
	struct status	status = STATUS_INIT;
	int		r = sendmail_user(s);

	if (r == EX_OK && s->drop.extract)
		r = look_ahead(s, &in);
	if (r == EX_OK) {
		sendmail_submit(s, more, &in, &status);
		r = exit_of(s, &status);
	}
	buf_free(&in.ahead);
	return r;
}

/* flush - -q: as postqueue does */
static int
flush(struct sendmail *s)
{
	uint64_t count;

	return queue_do(s->tool, "flush", s->flush_id == NULL ? "ALL" :
	    s->flush_id, "", s->flush_site == NULL ? "" : s->flush_site,
	    &count) == TOOL_OK ? EX_OK : EX_UNAVAILABLE;
}

/* have_stdio - a caller may have closed them; pipes must not take their place */
static void
have_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

/* compat_sendmail - do what the options say */
int
compat_sendmail(struct tool *tool, int argc, char **argv)
{
	struct sendmail	s = { .tool = tool };
	int		r;

	have_stdio();
	if ((r = sendmail_options(&s, argc, argv)) != EX_OK)
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
	case SENDMAIL_FLUSH:
		return flush(&s);
	}
	return EX_USAGE;
}
