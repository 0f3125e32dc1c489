/* SPDX-License-Identifier: ISC */
/*
 * A command is read segment by segment into the command's arena: a line, and
 * a literal if the line announces one. A literal that is too large is refused
 * before the client sends it, or, if it did not ask (RFC 7888), dropped.
 */
#include "imapd/session_private.h"

#include <stdio.h>

#define DRAIN_PIECE	((size_t)16384)
/* what is dropped of a literal that nobody asked for: a message twice as large
 * as may be, but no less and no more than this. Whoever sends more is sent
 * away (RFC 7888 4). */
#define DRAIN_LEAST	((uint64_t)1 << 20)
#define DRAIN_MAX	((uint64_t)1 << 32)

/* end_with - send the client away */
static void
end_with(struct imap_session *s, const char *why)
{
	buf_addf(&s->out, "* BYE %s\r\n", why);
	s->quit = true;
}

/* refuse - answer BAD to a command that was not understood */
static void
refuse(struct imap_session *s, struct slice tag, const char *why)
{
	if (tag.len > 0)
		buf_add(&s->out, tag);
	else
		buf_add_byte(&s->out, '*');
	buf_addf(&s->out, " BAD %s\r\n", why);
	if (++s->bad_in_a_row >= (unsigned)s->params->imapd_bad_command_limit)
		end_with(s, "Too many wrong commands");
}

/* tag_of - the tag of the command as far as it was read */
static struct slice
tag_of(struct imap_session *s)
{
	struct imap_command	cmd;
	struct imap_fault	fault;

	if (imap_parse(&s->arena, s->segments, s->segment_count, &cmd,
	    &fault) == 0)
		return cmd.tag;
	return fault.tag;
}

/* session_shrink - a session that waits holds no memory for commands */
void
session_shrink(struct imap_session *s)
{
	session_forget_command(s);
	arena_free(&s->arena);
	buf_free(&s->out);
}

/* read_first_line - wait for a command */
static int
read_first_line(struct task *t, struct imap_session *s, struct slice *ret_line)
{
	struct deadline	d;
	struct slice	seen, tag = SLICE_EMPTY;
	int		r;

	if (stream_buffered(s->stream).len == 0)
		session_shrink(s);
	deadline_begin(t, &d, s->params->imapd_idle_timeout);
	s->waiting = SESSION_WAITS_COMMAND;
	r = stream_peek(t, s->stream, &seen);
	if (r != -ECANCELED)		/* else it may go to sleep */
		s->waiting = SESSION_BUSY;
	if (r == 0) {
		/* the tag of a line that turns out to be too long */
		struct cursor c = cursor_over(slice_sub(seen, 0,
		    IMAP_TAG_MAX + 1));

		tag = cursor_take_until(&c, ' ');
		tag = cursor_at_end(&c) || !imap_is_astring_bare(tag) ?
		    SLICE_EMPTY : arena_dup(&s->arena, tag);
		r = stream_read_line(t, s->stream,
		    s->params->imapd_line_length_limit, ret_line);
	}
	r = deadline_end(t, &d, r);
	if (r == -EMSGSIZE)
		refuse(s, tag, "The line is too long");
	return r;
}

/* read_more - a line that continues a command */
static int
read_more(struct task *t, struct imap_session *s, struct slice *ret_line)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, s->params->imapd_command_timeout);
	r = stream_read_line(t, s->stream,
	    s->params->imapd_line_length_limit, ret_line);
	r = deadline_end(t, &d, r);
	if (r == -EMSGSIZE)
		refuse(s, tag_of(s), "The line is too long");
	return r;
}

/* drain - drop input */
static int
drain(struct task *t, struct imap_session *s, uint64_t len)
{
	struct deadline	d;
	struct slice	piece;
	int		r = 0;

	while (len > 0 && r == 0) {
		deadline_begin(t, &d, s->params->imapd_command_timeout);
		r = stream_read_bytes(t, s->stream,
		    len < DRAIN_PIECE ? (size_t)len : DRAIN_PIECE, &piece);
		r = deadline_end(t, &d, r);
		if (r == 0)
			len -= piece.len;
	}
	return r;
}

/* drain_limit - the largest literal that is waited for */
static uint64_t
drain_limit(const struct imap_session *s)
{
	uint64_t	limit = s->params->imapd_message_size_limit;

	if (limit == 0 || limit > DRAIN_MAX / 2)
		return DRAIN_MAX;
	return limit < DRAIN_LEAST / 2 ? DRAIN_LEAST : 2 * limit;
}

/* session_drain_literal - drop a literal that the client sends unasked. 0, or
 * -EPROTO with BYE said: waiting for it would be a service for nobody */
int
session_drain_literal(struct task *t, struct imap_session *s,
    const struct imap_literal *literal)
{
	if (literal->size > drain_limit(s)) {
		end_with(s, "[TOOBIG] The literal is too large");
		return -EPROTO;
	}
	return drain(t, s, literal->size);
}

/* session_drain_command - drop lines and literals up to the command's end */
int
session_drain_command(struct task *t, struct imap_session *s)
{
	struct imap_literal	literal;
	struct slice		line;
	int			r, more;

	do {
		if ((r = read_more(t, s, &line)) < 0)
			return r == -EMSGSIZE ? 0 : r;
		more = imap_literal_at_end(line, &literal);
		if (more < 0) {
			end_with(s, "[TOOBIG] The literal is too large");
			return -EPROTO;
		}
		/* one that waits for us is not sent: the command is over */
		if (more == 1 && literal.sync)
			return 0;
		if (more == 1 &&
		    (r = session_drain_literal(t, s, &literal)) < 0)
			return r;
	} while (more == 1);
	return 0;
}

/* refuse_literal - answer a command at the literal that makes it wrong */
static int
refuse_literal(struct task *t, struct imap_session *s,
    const struct imap_literal *literal, const char *why)
{
	struct slice	tag = tag_of(s);
	int		r = 0;

	if (!literal->sync &&
	    (r = session_drain_literal(t, s, literal)) == 0)
		r = session_drain_command(t, s);
	if (r == 0)
		refuse(s, tag, why);
	return r == -EPROTO ? 0 : r;
}

/* add_segment - one more line of the command */
static void
add_segment(struct imap_session *s, struct slice line)
{
	/* the first line mostly is the only one; room for the rest is taken
	 * when a second one comes */
	if (s->segment_count == 0) {
		s->segments = ARENA_NEW(&s->arena, struct imap_segment);
	} else if (s->segment_count == 1) {
		struct imap_segment *all = ARENA_ARRAY(&s->arena,
		    struct imap_segment, SESSION_SEGMENTS_MAX);

		all[0] = s->segments[0];
		s->segments = all;
	}
	s->segments[s->segment_count++] = (struct imap_segment){
		arena_dup(&s->arena, line), SLICE_EMPTY, false };
	s->command_len += line.len;
}

/* ask_for - say that a literal may come */
static int
ask_for(struct task *t, struct imap_session *s)
{
	buf_add_text(&s->out, "+ OK\r\n");
	return session_put_all(t, s);
}

/* read_literal - the literal behind the last line */
static int
read_literal(struct task *t, struct imap_session *s,
    const struct imap_literal *literal)
{
	struct imap_segment *last = &s->segments[s->segment_count - 1];
	char		*own;
	size_t		have = 0;
	struct slice	piece;
	struct deadline	d;
	int		r;

	if (literal->sync && (r = ask_for(t, s)) < 0)
		return r;
	own = arena_alloc(&s->arena, (size_t)literal->size + 1);
	while (have < literal->size) {
		size_t	want = size_min((size_t)literal->size - have,
		    DRAIN_PIECE);

		deadline_begin(t, &d, s->params->imapd_command_timeout);
		r = stream_read_bytes(t, s->stream, want, &piece);
		if ((r = deadline_end(t, &d, r)) < 0)
			return r;
		memcpy(own + have, piece.data, piece.len);
		have += piece.len;
	}
	last->literal = slice_over(own, have);
	last->has_literal = true;
	s->command_len += have;
	return 0;
}

/* take_literal - what to do about the literal a line ends in: 1 go on with
 * the next line, 2 the message of APPEND comes, 0 answered */
static int
take_literal(struct task *t, struct imap_session *s,
    const struct imap_literal *literal)
{
	struct imap_fault fault;
	int	r;

	r = imap_parse_append(&s->arena, s->segments, s->segment_count,
	    &s->command, &s->append, &fault);
	if (r == 1)
		return 2;
	if (r < 0)
		return refuse_literal(t, s, literal,
		    arena_text(&s->arena, slice_of(fault.text)));
	if (literal->size > s->params->imapd_command_length_limit ||
	    s->command_len + literal->size >
	    s->params->imapd_command_length_limit)
		return refuse_literal(t, s, literal,
		    "[TOOBIG] The command is too long");
	if (s->segment_count == SESSION_SEGMENTS_MAX)
		return refuse_literal(t, s, literal,
		    "Too many literals in one command");
	r = read_literal(t, s, literal);
	return r < 0 ? r : 1;
}

/* parse - a whole command */
static int
parse(struct imap_session *s)
{
	struct imap_fault fault;

	if (imap_parse(&s->arena, s->segments, s->segment_count, &s->command,
	    &fault) == 0)
		return 1;
	refuse(s, fault.tag, fault.text);
	return 0;
}

/* session_read - read a command */
int
session_read(struct task *t, struct imap_session *s)
{
	struct imap_literal literal;
	struct slice	line;
	int		r;

	r = read_first_line(t, s, &line);
	while (r == 0) {
		add_segment(s, line);
		switch (imap_literal_at_end(line, &literal)) {
		case 0:
			return parse(s);
		case 1:
			r = take_literal(t, s, &literal);
			break;
		default:
			end_with(s, "[TOOBIG] The literal is too large");
			return 0;
		}
		if (r == 2)
			return 1;
		if (r <= 0)
			return r;
		r = read_more(t, s, &line);
	}
	return r == -EMSGSIZE ? 0 : r;
}
