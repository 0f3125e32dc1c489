/* SPDX-License-Identifier: ISC */
/*
 * Two speeds. clean_run() walks whole lines with memchr and finds the longest
 * stretch that goes out as it came in: on proper mail that is the whole chunk.
 * Where it stops there is a dot at the start of a line, a CR or LF that
 * stands alone, or a CR at the end of the chunk; step() handles that with a
 * small state machine, one byte a call, whose state is all that is kept
 * between chunks.
 */
#include "libmail/scan_data.h"

enum {
	AT_START,	/* at the start of a line */
	IN_TEXT,	/* within a line */
	AFTER_CR,	/* one or more CR held back */
	AFTER_DOT,	/* a first dot held back */
	AFTER_DOT_CR,	/* a first dot and one or more CR held back */
};

/* smtp_data_init - be ready for the first byte after the command line */
void
smtp_data_init(struct smtp_data *d, enum smtp_data_framing framing)
{
	*d = (struct smtp_data){ .state = AT_START, .after_crlf = true,
		.dots = framing == SMTP_DATA_DOTS };
}

/* clean_run - how many bytes go out unchanged; sets the state behind them */
static size_t
clean_run(struct smtp_data *d, struct slice in)
{
	size_t	at = 0;

	for (;;) {
		struct slice	line = slice_from(in, at);
		size_t		lf, cr;

		if (line.len == 0 || (d->state == AT_START && d->dots &&
		    line.data[0] == '.'))
			return at;
		lf = slice_find(line, '\n');
		if (lf != SLICE_NONE)
			line.len = lf;
		cr = slice_find(line, '\r');
		if (cr == SLICE_NONE || lf == SLICE_NONE || cr + 1 != lf) {
			/* up to what is odd, or to the end of the input */
			size_t	n = cr == SLICE_NONE ? line.len : cr;

			if (n > 0)
				d->state = IN_TEXT;
			return at + n;
		}
		at += lf + 1;
		d->state = AT_START;
		d->after_crlf = true;
	}
}

/* end_line - a line is over; gives what ends it */
static struct slice
end_line(struct smtp_data *d, bool had_cr)
{
	if (!had_cr)
		d->bare_lf++;
	d->state = AT_START;
	d->after_crlf = had_cr;
	d->cr_run = false;
	return S("\r\n");
}

/* after_dot - the byte behind a first dot, which is held back */
static struct slice
after_dot(struct smtp_data *d, struct cursor *in)
{
	int	byte = cursor_peek(in);

	if (byte == '\n') {
		/* a dot alone, but no CRLF around it: it is content */
		(void)cursor_byte(in);
		d->held = end_line(d, false);
		return S(".");
	}
	if (byte == '\r') {
		(void)cursor_byte(in);
		d->state = AFTER_DOT_CR;
		return SLICE_EMPTY;
	}
	d->state = IN_TEXT;	/* a stuffed line: the dot goes */
	return SLICE_EMPTY;
}

/* after_cr - the byte behind CRs that are held back */
static struct slice
after_cr(struct smtp_data *d, struct cursor *in)
{
	bool	dot = d->state == AFTER_DOT_CR;
	int	byte = cursor_peek(in);

	if (byte == '\r') {
		(void)cursor_byte(in);
		d->bare_cr++;
		d->cr_run = true;
		return SLICE_EMPTY;
	}
	if (byte != '\n') {
		d->bare_cr++;
		d->cr_run = false;
		d->state = IN_TEXT;
		return S(" ");
	}
	(void)cursor_byte(in);
	if (dot && d->after_crlf && !d->cr_run) {
		d->done = true;
		return SLICE_EMPTY;
	}
	if (!dot)
		return end_line(d, true);
	d->held = end_line(d, true);
	return S(".");
}

/* step - one byte that is not plain; gives what comes out of it, if anything */
static struct slice
step(struct smtp_data *d, struct cursor *in)
{
	switch (d->state) {
	case AFTER_DOT:
		return after_dot(d, in);
	case AFTER_CR:
	case AFTER_DOT_CR:
		return after_cr(d, in);
	}
	switch (cursor_byte(in)) {
	case '\n':
		return end_line(d, false);
	case '\r':
		d->state = AFTER_CR;
		break;
	default:	/* clean_run leaves only a first dot besides these */
		d->state = AFTER_DOT;
		break;
	}
	return SLICE_EMPTY;
}

/* smtp_data_next - the next piece of content */
bool
smtp_data_next(struct smtp_data *d, struct cursor *in, struct slice *ret_piece)
{
	struct slice	piece = d->held;

	d->held = SLICE_EMPTY;
	while (piece.len == 0 && !d->done && !cursor_at_end(in)) {
		if (d->state <= IN_TEXT)
			piece = cursor_take(in, clean_run(d, cursor_rest(in)));
		if (piece.len == 0 && !cursor_at_end(in))
			piece = step(d, in);
	}
	if (piece.len == 0)
		return false;
	*ret_piece = piece;
	return true;
}

/* smtp_data_finish - end the last line */
struct slice
smtp_data_finish(struct smtp_data *d)
{
	bool	held_cr = d->state == AFTER_CR;

	if (d->state == AT_START)
		return SLICE_EMPTY;
	if (held_cr)
		d->bare_cr++;
	d->state = AT_START;
	d->after_crlf = true;
	d->cr_run = false;
	return held_cr ? S(" \r\n") : S("\r\n");
}

/*
 * smtp_stuff_next - the next piece to send. Any LF starts a line here: a
 * receiver that takes a bare LF for a line end must not find a dot behind it.
 */
bool
smtp_stuff_next(struct smtp_stuff *s, struct cursor *in,
    struct slice *ret_piece)
{
	struct cursor	start = *in;

	while (!cursor_at_end(in)) {
		if (!s->in_line && cursor_peek(in) == '.') {
			if (cursor_left(in) != cursor_left(&start))
				break;
			s->in_line = true;
			*ret_piece = S(".");
			return true;
		}
		(void)cursor_take_until(in, '\n');
		s->in_line = !cursor_skip_byte(in, '\n');
	}
	*ret_piece = cursor_since(in, &start);
	return ret_piece->len > 0;
}

/* smtp_stuff_finish - what ends the data */
struct slice
smtp_stuff_finish(const struct smtp_stuff *s)
{
	return s->in_line ? S("\r\n.\r\n") : S(".\r\n");
}
