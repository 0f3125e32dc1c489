/* SPDX-License-Identifier: ISC */
/*
 * The life of a session: read a command, run its handler, tell what changed,
 * answer. Everything a command needs lives in one arena that is emptied
 * before the next, so a session between commands is a few hundred bytes.
 */
#include "imapd/session_private.h"

#include "imapd/session_events.h"
#include "libutil/alloc.h"

#include <stdlib.h>

#define HANDLER_ANY(name)		session_##name
#define HANDLER_AUTHENTICATED(name)	session_##name
#define HANDLER_SELECTED(name)		session_##name
#define HANDLER_BEFORE(name)		NULL

static session_handler *const handlers[] = {
#define IMAP_COMMAND(id, name, states, uid, arguments, handler) \
	HANDLER_##states(handler),
#include "libmail/imap_cmds.def"
};

/* imap_session_new - a session that has yet to speak */
struct imap_session *
imap_session_new(const struct imap_session_setup *setup)
{
	struct imap_session *s = NEW(struct imap_session);

	s->setup = *setup;
	s->account = setup->account;
	s->stream = setup->stream;
	s->params = setup->params;
	log_init(&s->log, setup->log);
	log_set(&s->log, KV_STR("user", setup->user));
	bell_listener_init(&s->bell);
	return s;
}

/* imap_session_free - release it */
void
imap_session_free(struct imap_session **sp)
{
	struct imap_session *s = *sp;

	if (s == NULL)
		return;
	bell_leave(&s->bell);
	session_drop_selected(s);
	arena_free(&s->arena);
	buf_free(&s->code);
	buf_free(&s->out);
	free(s);
	*sp = NULL;
}

/* may_expunge - may EXPUNGE be sent while this command runs? RFC 3501 7.4.1:
 * not during FETCH, STORE and SEARCH, which UID FETCH and so on are not. */
static bool
may_expunge(const struct imap_command *cmd)
{
	return cmd->by_uid || (cmd->id != IMAP_CMD_FETCH &&
	    cmd->id != IMAP_CMD_STORE && cmd->id != IMAP_CMD_SEARCH);
}

/* is_allowed - may the command be used in this state? Else BAD is said. */
static bool
is_allowed(struct imap_session *s)
{
	uint32_t	states = imap_command_states(s->command.id);

	if (states == IMAP_STATE_BEFORE)
		session_say(s, "BAD", NULL, "You are authenticated already");
	else if (states == IMAP_STATE_SELECTED && s->selected.view == NULL)
		session_say(s, "BAD", NULL, "No mailbox is selected");
	else
		return true;
	return false;
}

/* run - one command, from its handler to its tagged response */
static int
run(struct task *t, struct imap_session *s)
{
	int	r = 0;

	s->command_count++;
	session_say(s, "OK", NULL, NULL);
	if (is_allowed(s))
		r = handlers[s->command.id](t, s);
	if (r < 0)
		return r;
	if (s->status[0] == 'B') {
		if (++s->bad_in_a_row >=
		    (unsigned)s->params->imapd_bad_command_limit) {
			session_format_tagged(s, s->command.tag);
			buf_add_text(&s->out,
			    "* BYE Too many wrong commands\r\n");
			s->quit = true;
			return 0;
		}
	} else {
		s->bad_in_a_row = 0;
	}
	if ((r = session_sync(t, s, may_expunge(&s->command))) < 0)
		return r;
	/* behind a BYE nothing follows, but for LOGOUT */
	if (!s->quit || s->command.id == IMAP_CMD_LOGOUT)
		session_format_tagged(s, s->command.tag);
	return 0;
}

/* session_forget_command - nothing of the last one is left */
void
session_forget_command(struct imap_session *s)
{
	arena_reset(&s->arena);
	s->keywords = NULL;
	s->keyword_count = 0;
	s->segments = NULL;
	s->segment_count = 0;
	s->command_len = 0;
	s->own = NULL;
	s->own_count = 0;
}

/* greet - answer the command that logged in */
static void
greet(struct imap_session *s)
{
	if (s->setup.tag.len == 0)
		return;
	buf_add(&s->out, s->setup.tag);
	buf_add_text(&s->out, " OK [CAPABILITY ");
	imap_format_capabilities(&s->out, true);
	buf_add_text(&s->out, "] Logged in\r\n");
}

/* begin - greet, come back from sleep, or go on where it was cancelled */
static int
begin(struct task *t, struct imap_session *s)
{
	int	r = 0;

	if (!s->has_begun && !s->is_thawed) {
		log_event(&s->log, EV_IMAP_SESSION_BEGIN);
		greet(s);
	} else if (!s->has_begun) {
		log_event(&s->log, EV_IMAP_SESSION_RESUME);
		r = session_restore(t, s);
	}
	s->has_begun = true;
	s->waiting = SESSION_BUSY;
	if (r < 0 || s->quit || s->tag_len == 0)
		return r;
	return session_idle_go_on(t, s);
}

/* serve - commands until the end */
static int
serve(struct task *t, struct imap_session *s)
{
	int	r;

	r = begin(t, s);
	while (r == 0 && !s->quit) {
		session_forget_command(s);
		if ((r = session_put_all(t, s)) < 0)
			break;
		r = session_read(t, s);
		if (r == 1)
			r = run(t, s);
	}
	return r;
}

/* say_goodbye - to a client that must go and may still read */
static void
say_goodbye(struct task *t, struct imap_session *s, int r)
{
	struct deadline	d;

	if (r == -ETIMEDOUT)
		buf_add_text(&s->out, "* BYE Idle too long\r\n");
	deadline_begin(t, &d, s->params->imapd_write_timeout);
	if ((r = session_put_all(t, s)) == 0)
		r = stream_flush(t, s->stream);
	(void)deadline_end(t, &d, r);	/* they may be gone */
}

/* end - leave the mailbox and log; sleeping sessions do not come here */
static void
end(struct task *t, struct imap_session *s, int r)
{
	struct deadline	d;

	int	left;

	shield_begin(t, &d, s->params->imapd_command_timeout);
	left = shield_end(t, &d, session_unselect(t, s));
	if (r == 0)
		r = left;
	log_event(&s->log, EV_IMAP_SESSION_END,
	    KV_UINT("commands", s->command_count),
	    KV_UINT("in", s->stream->bytes_in),
	    KV_UINT("out", s->stream->bytes_out),
	    KV_IF(r != -ENODATA, KV_ERR("why", r)));
}

/* imap_session - serve the client */
int
imap_session(struct task *t, struct imap_session *s)
{
	int	r = serve(t, s);

	if (r == -ECANCELED && s->waiting != SESSION_BUSY)
		return r;		/* to sleep */
	s->waiting = SESSION_BUSY;
	/* a client that says no more may still read its answers */
	if (r == 0 || r == -ETIMEDOUT || r == -ENODATA)
		say_goodbye(t, s, r);
	end(t, s, r);
	return r == -ECANCELED ? r : 0;
}

/* imap_session_dismiss - send the client away */
void
imap_session_dismiss(struct task *t, struct imap_session *s, const char *why)
{
	s->waiting = SESSION_BUSY;
	buf_addf(&s->out, "* BYE %s\r\n", why);
	say_goodbye(t, s, 0);
	end(t, s, 0);
}

/* imap_session_can_sleep - is nothing under way? */
bool
imap_session_can_sleep(const struct imap_session *s)
{
	/* who idles and was not told of the last change has it to do */
	if (s->waiting == SESSION_WAITS_IDLE &&
	    s->heard != s->setup.bell->rings)
		return false;
	return s->waiting != SESSION_BUSY && s->stream->out.len == 0 &&
	    stream_buffered(s->stream).len == 0;
}

/* imap_session_is_idling - in IDLE? */
bool
imap_session_is_idling(const struct imap_session *s)
{
	return s->waiting == SESSION_WAITS_IDLE;
}
