/* SPDX-License-Identifier: ISC */
/*
 * A scripted IMAP client against a session on the simulated loop, over an
 * account in memory. Included by the one file of each test program. A script
 * is lines:
 *	C: text		send the text and CRLF
 *	c: text		send the text alone; n: with LF behind it
 *	P: text		the same as C, in one write with the next line sent
 *	S: text		the next line of the server must be this
 *	S^ text		it must begin like this
 *	S. text		skip lines up to one that begins like this
 *	D: mailbox size	somebody else delivers a message of that many bytes
 *	U: mailbox size	the same, with nothing kept of its content
 *	F: uid		somebody else sets \Flagged in INBOX
 *	X: uid		somebody else expunges it from INBOX
 *	R: mailbox	somebody else renames INBOX so
 *	Z:		the session sleeps and comes back in a new process
 *	B: text		the session is sent away with that BYE
 *	W: ms		wait
 *	E:		the server must end the connection
 */
#ifndef SESSION_SCRIPT_H
#define SESSION_SCRIPT_H

#include "test.h"

#include "imapd/session.h"
#include "libmail/scan.h"
#include "libstore/digest.h"
#include "libstore/mailbox.h"
#include "libtask/loop.h"
#include "libutil/conf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"

#define SCRIPT_WAIT	60000	/* virtual ms until a client gives up */

struct script {
	const char		*text;
	const char *const	*messages;
	size_t			message_count;
	size_t			 line;		/* of the text, for failures */
	struct account		*account;
	struct bell		bell;
	struct imap_shared	*shared;
	struct imap_session_params params;
	struct imap_session_setup setup;
	struct log		log;
	struct stream		client;
	struct stream		server;
	struct imap_session	*session;
	struct task_group	group;		/* the session's task */
	int			ended;		/* its result, or 1 */
};

/* the account's clock: 2026-02-01 12:00:00 UTC */
static int64_t
script_now(void *arg)
{
	(void)arg;
	return 1769947200;
}

/* put a message into a mailbox, as delivery does; digested: with a digest */
static uint32_t
script_deliver(struct account *a, struct slice mailbox, struct slice content,
    bool digested)
{
	struct arena	arena = ARENA_INIT;
	struct scan	*scan = scan_new(NULL);
	struct mailbox_info info = { .id = 0 };
	struct deliver_place place = { .uid = 0 };
	struct deliver_message m = { .prefix = S("Return-Path: <p@x.org>\r\n"),
		.content = content, .places = &place, .place_count = 1 };

	CHECK_INT(mailbox_find(a, mailbox, &arena, &info), 0, 0);
	place.mailbox = info.id;
	scan_feed(scan, content);
	if (digested)
		digest_make(content, scan_finish(scan), &arena, &m.facts);
	CHECK_INT(message_deliver(a, &m, 1, DELIVER_EACH), 0, 0);
	CHECK_INT(m.result, 0, 0);
	scan_free(&scan);
	arena_free(&arena);
	return place.uid;
}

/* a message of about that many bytes */
static void
script_deliver_sized(struct script *s, struct slice arg, bool digested)
{
	struct slice	mailbox = slice_split(&arg, ' ');
	struct buf	b = BUF_INIT;
	uint64_t	size = 0;

	CHECK_INT(slice_to_u64(arg, UINT32_MAX, &size), 0, s->line);
	buf_add_text(&b, "Subject: big\r\n\r\n");
	while (b.len + 10 <= size)
		buf_add_text(&b, "12345678\r\n");
	(void)script_deliver(s->account, mailbox, buf_slice(&b), digested);
	bell_ring(&s->bell);
	/* asleep now, it would not be told */
	CHECK(!imap_session_is_idling(s->session) ||
	    !imap_session_can_sleep(s->session), s->line);
	buf_free(&b);
}

/* the task that serves */
static int
script_serve(struct task *t, void *arg)
{
	struct script	*s = arg;

	s->ended = imap_session(t, s->session);
	if (s->ended == 0)
		stream_close(&s->server);
	return 0;
}

/* start the session's task */
static void
script_start(struct task *t, struct script *s)
{
	s->ended = 1;
	task_group_begin(t, &s->group);
	task_group_start(&s->group, script_serve, s);
}

/* end the session's task where it waits for the client */
static void
script_stop(struct task *t, struct script *s)
{
	CHECK_INT(task_sleep(t, 10), 0, s->line);
	CHECK(imap_session_can_sleep(s->session), s->line);
	task_group_cancel(&s->group);
	CHECK_INT(task_group_end(t, &s->group), 0, s->line);
	CHECK_INT(s->ended, -ECANCELED, s->line);
	CHECK(imap_session_can_sleep(s->session), s->line);
}

/* send the session away */
static void
script_dismiss(struct task *t, struct script *s, struct slice why)
{
	char	*text = slice_dup(why);

	script_stop(t, s);
	imap_session_dismiss(t, s->session, text);
	stream_close(&s->server);
	task_group_begin(t, &s->group);
	free(text);
}

/* let the session sleep and come back */
static void
script_sleep(struct task *t, struct script *s)
{
	struct buf	state = BUF_INIT;

	script_stop(t, s);
	imap_session_freeze(s->session, &state);
	CHECK(state.len < IMAP_SESSION_STATE_MAX, s->line);
	imap_session_free(&s->session);
	imap_shared_free(&s->shared);
	s->setup.shared = s->shared = imap_shared_new();
	s->setup.tag = SLICE_EMPTY;
	CHECK_INT(imap_session_thaw(&s->setup, buf_slice(&state),
	    &s->session), 0, s->line);
	script_start(t, s);
	buf_free(&state);
}

/* read a line of the server */
static bool
script_line(struct task *t, struct script *s, struct slice *ret_line)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, SCRIPT_WAIT);
	r = stream_read_line(t, &s->client, 1 << 20, ret_line);
	r = deadline_end(t, &d, r);
	if (r < 0)
		test_fail(__FILE__, __LINE__, s->line, "no line came: %d", r);
	return r == 0;
}

/* what the server says next */
static void
script_expect(struct task *t, struct script *s, char how, struct slice want)
{
	struct slice	got;

	do {
		if (!script_line(t, s, &got))
			return;
	} while (how == '.' && !slice_has_prefix(got, want));
	if (how == ':')
		CHECK_SLICE(got, want, s->line);
	else if (how == '^' && !slice_has_prefix(got, want))
		CHECK_SLICE(got, want, s->line);
}

/* the server must end it */
static void
script_expect_end(struct task *t, struct script *s)
{
	struct deadline	d;
	struct slice	got;
	int		r;

	deadline_begin(t, &d, 100 * 86400 * (int64_t)1000);
	r = stream_read_line(t, &s->client, 1 << 20, &got);
	CHECK_INT(deadline_end(t, &d, r), -ENODATA, s->line);
}

/* what somebody else does to INBOX */
static void
script_other(struct script *s, char what, struct slice arg)
{
	struct flags_change change = { .op = FLAGS_ADD, .flags = FLAG_FLAGGED };
	struct flags_result result;
	struct arena	a = ARENA_INIT;
	struct mailbox_info info = { .id = 0 };
	uint32_t	uid = 0, gone;
	size_t		n;

	CHECK_INT(slice_to_u32(arg, UINT32_MAX, &uid), 0, s->line);
	CHECK_INT(mailbox_find(s->account, S("INBOX"), &a, &info), 0, s->line);
	if (what == 'F')
		CHECK_INT(message_store(s->account, info.id, &uid, 1, &change,
		    &a, &result), 0, s->line);
	else
		CHECK_INT(message_expunge(s->account, info.id, &uid, 1, false,
		    &gone, &n), 0, s->line);
	bell_ring(&s->bell);
	arena_free(&a);
}

/* what the client says */
static void
script_send(struct task *t, struct script *s, char how, struct slice text)
{
	struct slice	end = how == 'c' ? S("") : how == 'n' ? S("\n") :
			    S("\r\n");

	CHECK_INT(stream_write(t, &s->client, text), 0, s->line);
	CHECK_INT(stream_write(t, &s->client, end), 0, s->line);
	if (how != 'P')
		CHECK_INT(stream_flush(t, &s->client), 0, s->line);
}

/* one line of the script */
static void
script_step(struct task *t, struct script *s, struct slice line)
{
	struct slice	arg = slice_from(line, 3);
	uint32_t	ms = 0;

	switch (line.data[0]) {
	case 'C': case 'c': case 'n': case 'P':
		script_send(t, s, line.data[0], arg);
		break;
	case 'S':
		script_expect(t, s, line.data[1], arg);
		break;
	case 'D':
	case 'U':
		script_deliver_sized(s, arg, line.data[0] == 'D');
		break;
	case 'F':
	case 'X':
		script_other(s, line.data[0], arg);
		break;
	case 'R':
		CHECK_INT(mailbox_rename(s->account, S("INBOX"), arg), 0,
		    s->line);
		bell_ring(&s->bell);
		break;
	case 'Z':
		script_sleep(t, s);
		break;
	case 'B':
		script_dismiss(t, s, arg);
		break;
	case 'W':
		CHECK_INT(slice_to_u32(arg, UINT32_MAX, &ms), 0, s->line);
		CHECK_INT(task_sleep(t, ms), 0, s->line);
		break;
	case 'E':
		script_expect_end(t, s);
		break;
	default:
		test_fail(__FILE__, __LINE__, s->line, "bad script");
	}
}

/* the client, with the session as its child */
static int
script_main(struct task *t, void *arg)
{
	struct script	*s = arg;
	struct slice	rest = slice_of(s->text);
	int		fds[2];

	if (CHECK_INT(fd_pair(fds), 0, 0) < 0)
		return 0;
	stream_open(&s->client, task_loop(t), &fds[0]);
	stream_open(&s->server, task_loop(t), &fds[1]);
	s->session = imap_session_new(&s->setup);
	script_start(t, s);
	while (rest.len > 0) {
		s->line++;
		script_step(t, s, slice_split(&rest, '\n'));
	}
	stream_close(&s->client);
	CHECK_INT(task_group_end(t, &s->group), 0, s->line);
	stream_close(&s->server);
	imap_session_free(&s->session);
	return 0;
}

/* nothing that is logged is shown: tests look at what the client sees */
static void
script_log_sink(void *arg, const struct log_record *r)
{
	(void)arg;
	if (r->event->level >= LEVEL_ERROR)
		test_fail(__FILE__, __LINE__, 0, "event %s", r->event->name);
}

/* the parameters, one of them changed */
static void
script_params(struct script *s, const char *param, struct arena *a)
{
	struct conf	*defaults = conf_new(NULL), *c = conf_new(defaults);
	struct diag	d = DIAG_INIT;

	param_defaults(defaults, &imap_session_param_table);
	if (param != NULL)
		CHECK_INT(conf_override(c, slice_of(param), "", 0, &d), 0, 0);
	CHECK_INT(param_load(&imap_session_param_table, c, a, &s->params, &d),
	    0, 0);
	conf_free(&c);
	conf_free(&defaults);
}

struct script_options {
	const char	*param;		/* "name=value", or NULL */
	const char	*tag;		/* of the login to be answered */
	uint64_t	quota;		/* bytes; 0: none */
	bool		errors;		/* are expected in the log */
};

/* run a script in a fresh account with these messages in INBOX, seen by no
 * session yet; twice, whole and with reads and writes cut short */
__attribute__((unused)) static void
script_run(const char *text, const char *const *messages, size_t count,
    struct script_options o)
{
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct loop_options lo = { .sim_seed = seed,
			.sim_short_io = seed == 2 };
		struct loop	*l = loop_new(&lo);
		struct account_params ap = { .create = true, .id = S("a1"),
			.now = script_now };
		struct mem_medium *medium = mem_medium_new();
		struct backend	*b = NULL;
		struct script	s = { .text = text };
		struct arena	a = ARENA_INIT;
		struct log_setup ls = { .sink = o.errors ? NULL :
			script_log_sink };

		log_start(&ls);
		CHECK_INT(backend_mem_open(medium, &b), 0, 0);
		CHECK_INT(account_open_backend(&b, &ap, &s.account), 0, 0);
		for (size_t i = 0; i < count; i++)
			(void)script_deliver(s.account, S("INBOX"),
			    slice_of(messages[i]), true);
		CHECK_INT(account_set_quota(s.account, o.quota, 0), 0, 0);
		script_params(&s, o.param, &a);
		bell_init(&s.bell);
		s.shared = imap_shared_new();
		log_init(&s.log, NULL);
		s.setup = (struct imap_session_setup){ s.account, &s.bell,
			s.shared, &s.server, &s.params, &s.log, S("u@x.org"),
			slice_of(o.tag), { NULL, NULL, NULL } };
		CHECK_INT(loop_run(l, script_main, &s), 0, 0);
		CHECK_INT((long long)loop_task_count(l), 0, 0);
		imap_shared_free(&s.shared);
		account_close(&s.account);
		mem_medium_free(&medium);
		loop_free(l);
		arena_free(&a);
	}
}

#endif
