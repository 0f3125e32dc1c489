/* SPDX-License-Identifier: ISC */
/*
 * Logging in: the steps go to authd, which alone decides. What comes of it is
 * a ticket, which stored takes for a channel to the account's process. The
 * answer to the client's command then comes from the session.
 */
#include "imapd/front_client.h"

#include <stdio.h>
#include <stdlib.h>

#include "imapd/imapd_events.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_store.h"
#include "libmail/sasl.h"
#include "libtask/tls.h"
#include "libutil/base64.h"

#define LINE_MAX_AUTH	12288	/* RFC 4954 4, for want of a word in IMAP */
#define STEPS_MAX	8

enum { GO_ON = 1, LOGGED_IN = 2, REFUSED = 3 };

/* a login under way */
struct login {
	struct front		*f;
	struct arena		*arena;
	struct slice		 tag;
	struct slice		 method;
	struct msg_auth_step	*step;
};

/* authd - who decides */
static struct edge *
authd(const struct login *l)
{
	return daemon_edge(l->f->daemon, "authd", &ipc_table_auth);
}

/* begin - the first step */
static int
begin(struct task *t, struct login *l, struct slice initial, bool has_initial)
{
	struct msg_auth_start	 m = { .protocol = S("imap"),
	    .mechanism = l->method, .initial = initial,
	    .has_initial = has_initial,
	    .client_address = slice_of(l->f->address), .tls = l->f->tls,
	    .session = slice_of(l->f->session.text) };
	void			*reply;
	int			 r;

	r = edge_call(t, authd(l), &msg_auth_start_desc, &m,
	    &msg_auth_step_desc, l->arena, &reply);
	if (r == 0)
		l->step = reply;
	return r;
}

/* go_on - with the client's response */
static int
go_on(struct task *t, struct login *l, struct slice response)
{
	struct msg_auth_continue m = { l->step->exchange, response };
	void			*reply;
	int			 r;

	r = edge_call(t, authd(l), &msg_auth_continue_desc, &m,
	    &msg_auth_step_desc, l->arena, &reply);
	if (r == 0)
		l->step = reply;
	return r;
}

/* challenge - "+ ", and the client's answer without base64; -EBADMSG it is
 * none, -ENOMSG the client gave up */
static int
challenge(struct task *t, struct login *l, struct buf *ret_answer)
{
	struct buf	text = BUF_INIT;
	struct slice	line;
	int		r;

	base64_encode(&text, l->step->challenge);
	r = front_say(t, l->f, "+ %.*s", SLICE_ARG(buf_slice(&text)));
	buf_free(&text);
	if (r == 0)
		r = stream_read_line(t, &l->f->stream, LINE_MAX_AUTH, &line);
	if (r == -EMSGSIZE)
		return -EBADMSG;
	if (r < 0)
		return r;
	return slice_equal(line, S("*")) ? -ENOMSG :
	    base64_decode(ret_answer, line);
}

/* steps - until authd has decided */
static int
steps(struct task *t, struct login *l)
{
	struct msg_auth_cancel	m;
	struct buf		answer = BUF_INIT;
	int			r = 0;

	for (int i = 0; r == 0 && l->step->outcome == GO_ON && i < STEPS_MAX;
	    i++) {
		r = challenge(t, l, &answer);
		if (r == 0)
			r = go_on(t, l, buf_slice(&answer));
		else if (r == -EBADMSG || r == -ENOMSG) {
			m.exchange = l->step->exchange;
			/* it forgets by itself, too */
			ignore(edge_post(authd(l), &msg_auth_cancel_desc, &m));
		}
		if (answer.len > 0)
			explicit_bzero(answer.data, answer.len);
		buf_reset(&answer);
	}
	buf_free(&answer);
	return r;
}

/* --- what comes of it */

/* trouble - somebody we need is not there */
static int
trouble(struct task *t, struct login *l, const char *what, const char *why)
{
	log_event(&l->f->log, EV_IMAPD_LOGIN_TROUBLE, KV_TEXT("what", what),
	    KV_TEXT("why", why));
	return front_say(t, l->f, "%.*s NO [UNAVAILABLE] Temporary failure, "
	    "please try again later", SLICE_ARG(l->tag));
}

/* refused - wrong name or password; slowly, and not for ever */
static int
refused(struct task *t, struct login *l)
{
	struct front	*f = l->f;
	int		 r;

	log_event(&f->log, EV_IMAPD_LOGIN_FAILED,
	    KV_STR("sasl_method", l->method), KV_STR("why", l->step->text));
	if ((r = task_sleep(t, f->p->imapd_login_failure_delay)) < 0 ||
	    (r = front_say(t, f, "%.*s NO [AUTHENTICATIONFAILED] "
	    "Authentication failed", SLICE_ARG(l->tag))) < 0)
		return r;
	if (++f->failures >= (unsigned)f->p->imapd_login_limit) {
		f->quit = true;
		f->why = "too many failed logins";
		r = front_say(t, f, "* BYE Too many failed logins");
	}
	return r;
}

/* connect - take the ticket to stored: a channel to the session */
static int
connect_session(struct task *t, struct login *l, int *ret_channel)
{
	struct front			*f = l->f;
	struct msg_store_session	 m = { .ticket = l->step->ticket,
	    .protocol = S("imap"), .session = slice_of(f->session.text),
	    .client_address = slice_of(f->address), .greeting = l->tag };
	const struct msg_store_channel	*answer;
	void				*reply;
	int				 pair[2], r;

	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[1];
	r = edge_call(t, daemon_edge(f->daemon, "stored", &ipc_table_store),
	    &msg_store_session_desc, &m, &msg_store_channel_desc, l->arena,
	    &reply);
	fd_close(&pair[1]);
	if (r == 0) {
		answer = reply;
		if (answer->code < 300) {
			front_note_handle(f, answer->handle);
			f->tries = 0;
			*ret_channel = pair[0];
			return 0;
		}
		r = trouble(t, l, "the mail store",
		    arena_text(l->arena, answer->text));
	} else if (r != -ECANCELED) {
		r = trouble(t, l, "the mail store", strerror(-r));
	}
	fd_close(&pair[0]);
	return r;
}

/* logged_in - who it is, and to the session */
static int
logged_in(struct task *t, struct login *l, int *ret_channel)
{
	struct front	*f = l->f;
	int		 r = connect_session(t, l, ret_channel);

	if (r < 0 || *ret_channel < 0)
		return r;
	f->login = slice_dup(l->step->login);
	log_event(&f->log, EV_IMAPD_LOGIN, KV_TEXT("user", f->login),
	    KV_STR("method", l->method), KV_TEXT("tls", f->tls ? "TLS" : NULL));
	return 0;
}

/* outcome - answer the command */
static int
outcome(struct task *t, struct login *l, int r, int *ret_channel)
{
	switch (r) {
	case 0:
		break;
	case -EBADMSG:
		return front_say(t, l->f, "%.*s BAD The response is not "
		    "base64", SLICE_ARG(l->tag));
	case -ENOMSG:
		return front_say(t, l->f, "%.*s BAD Authentication aborted",
		    SLICE_ARG(l->tag));
	case -ECONNREFUSED:
	case -ECONNRESET:
		/* a client that is gone says so at the next write */
		return trouble(t, l, "authentication", strerror(-r));
	default:
		return r;
	}
	if (l->step->outcome == LOGGED_IN)
		return logged_in(t, l, ret_channel);
	if (l->step->outcome == REFUSED)
		return refused(t, l);
	return trouble(t, l, "authentication",
	    arena_text(l->arena, l->step->text));
}

/* login_command - LOGIN (RFC 3501 6.2.3): PLAIN without the wrapping */
static int
login_command(struct task *t, struct login *l, const struct imap_command *cmd)
{
	struct sasl_login	who = { .authcid = cmd->login.user,
	    .password = cmd->login.password };
	struct buf		plain = BUF_INIT;
	int			r;

	sasl_plain_format(&plain, &who);
	l->method = S("PLAIN");
	r = begin(t, l, buf_slice(&plain), true);
	if (plain.len > 0)
		explicit_bzero(plain.data, plain.len);
	buf_free(&plain);
	return r == 0 ? steps(t, l) : r;
}

/* authenticate - AUTHENTICATE (RFC 3501 6.2.2), SASL-IR (RFC 4959) */
static int
authenticate(struct task *t, struct login *l, const struct imap_command *cmd)
{
	struct buf	initial = BUF_INIT;
	int		r = 0;

	l->method = cmd->authenticate.mechanism;
	/* "=" is an initial response of no bytes (RFC 4959 3) */
	if (cmd->authenticate.has_initial &&
	    !slice_equal(cmd->authenticate.initial, S("=")))
		r = base64_decode(&initial, cmd->authenticate.initial);
	if (r == 0)
		r = begin(t, l, buf_slice(&initial),
		    cmd->authenticate.has_initial);
	if (initial.len > 0)
		explicit_bzero(initial.data, initial.len);
	buf_free(&initial);
	return r == 0 ? steps(t, l) : r;
}

/* is_offered - one that CAPABILITY names? */
static bool
is_offered(struct slice mechanism)
{
	return slice_equal_nocase(mechanism, S("PLAIN")) ||
	    slice_equal_nocase(mechanism, S("LOGIN"));
}

/* front_auth - LOGIN or AUTHENTICATE */
int
front_auth(struct task *t, struct front *f, const struct imap_command *cmd,
    struct arena *a, int *ret_channel)
{
	struct login	l = { .f = f, .arena = a, .tag = cmd->tag };
	int		r;

	if (cmd->id == IMAP_CMD_AUTHENTICATE &&
	    !is_offered(cmd->authenticate.mechanism))
		return front_say(t, f, "%.*s NO [CANNOT] Unsupported "
		    "authentication mechanism", SLICE_ARG(cmd->tag));
	r = cmd->id == IMAP_CMD_LOGIN ? login_command(t, &l, cmd) :
	    authenticate(t, &l, cmd);
	return outcome(t, &l, r, ret_channel);
}
