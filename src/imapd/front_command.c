/* SPDX-License-Identifier: ISC */
/*
 * The commands before login. They are read with the grammar that sessions
 * use, but bounded tightly: a stranger may make us keep little.
 */
#include "imapd/front_client.h"

#include <stdio.h>

#include "libmail/imap_format.h"

#define SEGMENTS_MAX	16

/* a command as it is read */
struct reading {
	struct arena		 arena;
	struct imap_segment	 segments[SEGMENTS_MAX];
	size_t			 count;
	size_t			 size;
};

/* front_format_capabilities - as of now */
void
front_format_capabilities(struct front *f, struct buf *out)
{
	buf_add_text(out, "CAPABILITY ");
	imap_format_capabilities(out, false);
	if (f->may_tls)
		buf_add_text(out, " STARTTLS");
	buf_add_text(out, front_may_login(f) ? " AUTH=PLAIN AUTH=LOGIN" :
	    " LOGINDISABLED");
}

/* refuse - a command that was not understood */
static int
refuse(struct task *t, struct front *f, struct slice tag, const char *why)
{
	return front_say(t, f, "%.*s BAD %s", SLICE_ARG(tag.len > 0 ? tag :
	    S("*")), why);
}

/* tag_of - the tag of the command as far as it was read */
static struct slice
tag_of(struct reading *c)
{
	struct imap_command	cmd;
	struct imap_fault	fault;

	if (imap_parse(&c->arena, c->segments, c->count, &cmd, &fault) == 0)
		return cmd.tag;
	return fault.tag;
}

/* too_long - more than we keep of a stranger's command. Where its rest is on
 * the way and cannot be told from commands, the connection ends. */
static int
too_long(struct task *t, struct front *f, struct reading *c, bool must_end)
{
	int r = refuse(t, f, c->count == 0 ? SLICE_EMPTY : tag_of(c),
	    "[TOOBIG] The command is too long");

	if (!must_end || r < 0)
		return r;
	f->quit = true;
	return front_say(t, f, "* BYE Disconnecting");
}

/* read_line - one line of a command, kept */
static int
read_line(struct task *t, struct front *f, struct reading *c,
    struct slice *ret_line)
{
	size_t		limit = f->p->imapd_login_command_length_limit;
	struct slice	line;
	int		r;

	r = stream_read_line(t, &f->stream, limit - size_min(limit, c->size),
	    &line);
	if (r < 0)
		return r;
	*ret_line = arena_dup(&c->arena, line);
	c->size += line.len;
	c->segments[c->count++] = (struct imap_segment){ .text = *ret_line };
	return 0;
}

/* read_literal - the bytes that the last line announced */
static int
read_literal(struct task *t, struct front *f, struct reading *c,
    const struct imap_literal *literal)
{
	struct imap_segment	*s = &c->segments[c->count - 1];
	struct slice		 bytes;
	int			 r = 0;

	if (literal->sync)
		r = front_say(t, f, "+ OK");
	if (r == 0)
		r = stream_read_bytes(t, &f->stream, (size_t)literal->size,
		    &bytes);
	if (r < 0)
		return r;
	s->literal = arena_dup(&c->arena, bytes);
	s->has_literal = true;
	c->size += bytes.len;
	return 0;
}

/* read_command - 1: it is whole; 0: it was refused */
static int
read_command(struct task *t, struct front *f, struct reading *c)
{
	uint64_t		limit = f->p->imapd_login_command_length_limit;
	struct imap_literal	literal;
	struct slice		line;
	int			r;

	for (;;) {
		r = read_line(t, f, c, &line);
		if (r == -EMSGSIZE)	/* it was skipped to its end */
			return too_long(t, f, c, false);
		if (r < 0)
			return r;
		r = imap_literal_at_end(line, &literal);
		if (r == 0)
			return 1;
		/* stream_read_bytes lends 64 KiB at most */
		if (r < 0 || c->count == SEGMENTS_MAX ||
		    literal.size > limit || literal.size > 65536 ||
		    c->size + literal.size > limit)
			return too_long(t, f, c, r < 0 || !literal.sync);
		if ((r = read_literal(t, f, c, &literal)) < 0)
			return r;
	}
}

/* capability - RFC 3501 6.1.1 */
static int
capability(struct task *t, struct front *f)
{
	struct buf	b = BUF_INIT;
	int		r;

	front_format_capabilities(f, &b);
	r = front_say(t, f, "* %.*s", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
	return r;
}

/* run - one command */
static int
run(struct task *t, struct front *f, const struct imap_command *cmd,
    struct arena *a, int *ret_channel)
{
	bool	must_tls = f->p->imapd_tls_security_level == 2 && !f->tls;
	int	r = 0;

	switch (cmd->id) {
	case IMAP_CMD_CAPABILITY:
		r = capability(t, f);
		break;
	case IMAP_CMD_NOOP:
		break;
	case IMAP_CMD_ID:
		r = front_say(t, f, "* ID (\"name\" \"Barid\")");
		break;
	case IMAP_CMD_LOGOUT:
		f->quit = true;
		f->why = "logout";
		r = front_say(t, f, "* BYE Logging out");
		break;
	case IMAP_CMD_STARTTLS:
		return front_starttls(t, f, cmd->tag);
	case IMAP_CMD_LOGIN:
	case IMAP_CMD_AUTHENTICATE:
		if (must_tls || !front_may_login(f))
			return front_say(t, f, "%.*s NO [PRIVACYREQUIRED] "
			    "Use STARTTLS first", SLICE_ARG(cmd->tag));
		return front_auth(t, f, cmd, a, ret_channel);
	default:
		return refuse(t, f, cmd->tag, "Log in first");
	}
	if (r < 0)
		return r;
	return front_say(t, f, "%.*s OK %s completed", SLICE_ARG(cmd->tag),
	    imap_command_name(cmd->id));
}

/* one_command - from its first byte to its answer */
static int
one_command(struct task *t, struct front *f, struct reading *c,
    int *ret_channel)
{
	struct imap_command	cmd;
	struct imap_fault	fault;
	int			r = read_command(t, f, c);

	if (r <= 0)
		return r;
	if (imap_parse(&c->arena, c->segments, c->count, &cmd, &fault) < 0)
		return refuse(t, f, fault.tag, fault.text);
	return run(t, f, &cmd, &c->arena, ret_channel);
}

/* wait_command - until a command begins, or the process drains */
static int
wait_command(struct task *t, struct front *f)
{
	struct slice	any;
	int		r;

	while ((r = stream_try_peek(&f->stream, &any)) == -EAGAIN) {
		if (daemon_is_draining(f->daemon)) {
			f->quit = true;
			f->why = "shutdown";
			return front_say(t, f, "* BYE The server is "
			    "restarting");
		}
		if ((r = stream_wait_or(t, &f->stream, &f->event)) < 0)
			return r;
		f->event.set = false;
	}
	return r;
}

/* front_commands - until it is logged in or gone */
int
front_commands(struct task *t, struct front *f, int *ret_channel)
{
	struct reading	c = { .arena = ARENA_INIT };
	int		r = 0;

	while (r == 0 && !f->quit && *ret_channel < 0) {
		if ((r = wait_command(t, f)) < 0 || f->quit)
			break;
		if (++f->commands >
		    (unsigned)f->p->imapd_login_command_limit) {
			f->quit = true;
			f->why = "too many commands";
			r = front_say(t, f, "* BYE Too many commands before "
			    "login");
			break;
		}
		c.count = c.size = 0;
		r = one_command(t, f, &c, ret_channel);
		arena_free(&c.arena);
	}
	return r;
}
