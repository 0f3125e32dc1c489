/* SPDX-License-Identifier: ISC */
/*
 * IDLE (RFC 2177): two tasks wait, one for the client and one for the bell;
 * the first that has something ends both. The wait for the client only looks
 * (stream_peek), so that nothing is lost when it is given up.
 */
#include "imapd/session_private.h"

struct idle_wait {
	struct imap_session	*s;
	int			 input;		/* 0: there is some */
};

/* wait_input - until the client speaks or goes */
static int
wait_input(struct task *t, void *arg)
{
	struct idle_wait *w = arg;
	struct slice	seen;

	w->input = stream_peek(t, w->s->stream, &seen);
	return 0;
}

/* wait_bell - until somebody commits */
static int
wait_bell(struct task *t, void *arg)
{
	struct idle_wait *w = arg;

	int	r = signal_wait(t, &w->s->bell.rung);

	/* cancelled when the client spoke: that is no failure */
	return r == -ECANCELED ? 0 : r;
}

/* wait_either - 1 the client has something to say, 0 something changed */
static int
wait_either(struct task *t, struct imap_session *s)
{
	struct idle_wait w = { s, -ECANCELED };
	struct task_group g;
	struct deadline	d;
	int		r, ended;

	deadline_begin(t, &d, s->params->imapd_idle_timeout);
	task_group_begin(t, &g);
	task_group_start(&g, wait_input, &w);
	task_group_start(&g, wait_bell, &w);
	r = task_group_wait(t, &g, 1);
	task_group_cancel(&g);
	ended = task_group_end(t, &g);
	r = deadline_end(t, &d, r < 0 ? r : ended);
	if (r < 0)
		return r;
	if (w.input == -ECANCELED)
		return 0;
	return w.input < 0 ? w.input : 1;
}

/* take_done - the line that ends IDLE */
static int
take_done(struct task *t, struct imap_session *s)
{
	struct deadline	d;
	struct slice	line;
	int		r;

	deadline_begin(t, &d, s->params->imapd_command_timeout);
	r = stream_read_line(t, s->stream,
	    s->params->imapd_line_length_limit, &line);
	r = deadline_end(t, &d, r);
	if (r == -EMSGSIZE || (r == 0 &&
	    !slice_equal_nocase(line, S("DONE")))) {
		session_say(s, "BAD", NULL, "Expected DONE");
		r = 0;
	}
	return r;
}

/* idle - report changes until the client says DONE */
static int
idle(struct task *t, struct imap_session *s)
{
	int	r;

	bell_listen(s->setup.bell, &s->bell);
	for (;;) {
		session_forget_command(s);
		s->heard = s->setup.bell->rings;
		if ((r = session_sync(t, s, true)) < 0 || s->quit)
			break;
		/* a refresh that failed is told at the end */
		if ((r = session_put_all(t, s)) < 0 ||
		    (r = stream_flush(t, s->stream)) < 0)
			break;
		session_shrink(s);
		s->waiting = SESSION_WAITS_IDLE;
		r = wait_either(t, s);
		if (r == -ECANCELED)
			break;		/* perhaps to sleep */
		s->waiting = SESSION_BUSY;
		if (r != 0)
			break;
	}
	bell_leave(&s->bell);
	if (r == 1)
		r = take_done(t, s);
	return r;
}

/* session_idle_go_on - an IDLE that began before the session slept */
int
session_idle_go_on(struct task *t, struct imap_session *s)
{
	int	r;

	s->command.id = IMAP_CMD_IDLE;
	s->command.by_uid = false;
	session_say(s, "OK", NULL, NULL);
	if ((r = idle(t, s)) < 0 || s->quit)
		return r;
	session_format_tagged(s, slice_over(s->tag, s->tag_len));
	s->tag_len = 0;
	return 0;
}

/* session_idle - IDLE */
int
session_idle(struct task *t, struct imap_session *s)
{
	int	r;

	/* the arena is emptied meanwhile; the tag must outlive it */
	memcpy(s->tag, s->command.tag.data, s->command.tag.len);
	s->tag_len = s->command.tag.len;
	buf_add_text(&s->out, "+ idling\r\n");
	if ((r = idle(t, s)) < 0)
		return r;
	s->command.tag = arena_dup(&s->arena,
	    slice_over(s->tag, s->tag_len));
	s->tag_len = 0;
	return 0;
}
