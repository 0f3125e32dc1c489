/* SPDX-License-Identifier: ISC */
/*
 * A session from the connection to the point where MAIL may be said: greeting,
 * EHLO or HELO, STARTTLS and EHLO again (RFC 3207 4.2: what was offered before
 * TLS is forgotten).
 */
#include "delivery/smtp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/smtp_events.h"
#include "libtask/tls.h"
#include "libutil/alloc.h"


#define REFUSED		1	/* the status says why */

/* what an opening needs beside the session */
struct opening {
	struct smtp_attempt	*a;
	struct smtp_session	*s;
	const struct smtp_host	*host;
	struct status		*bad;
	bool			 plain;		/* no TLS this time */
	bool			 no_tls;	/* TLS was the trouble */
};

/* smtp_session_free - close it at once */
void
smtp_session_free(struct smtp_session **take)
{
	struct smtp_session *s = *take;

	*take = NULL;
	if (s == NULL)
		return;
	list_remove(&s->link);
	stream_close(&s->stream);
	reply_done(&s->reply);
	free(s->key);
	free(s);
}

/* name_it - the names by which it is called in texts */
static void
name_it(struct smtp_session *s, const struct smtp_attempt *a,
    const struct smtp_host *host)
{
	char		text[INET6_ADDRSTRLEN] = "";
	const void	*raw = &((const struct sockaddr_in *)
			    (const void *)&host->addr)->sin_addr;

	if (host->addr.ss_family == AF_INET6)
		raw = &((const struct sockaddr_in6 *)
		    (const void *)&host->addr)->sin6_addr;
	(void)snprintf(s->name, sizeof(s->name), "%.*s", SLICE_ARG(host->name));
	if (a->hop.is_unix) {
		(void)snprintf(s->who, sizeof(s->who), "%s[%.*s]", s->name,
		    (int)size_min(a->hop.host.len, 108), a->hop.host.data);
		memcpy(s->relay, s->who, sizeof(s->relay));
		return;
	}
	(void)inet_ntop(host->addr.ss_family, raw, text, sizeof(text));
	(void)snprintf(s->who, sizeof(s->who), "%s[%s]", s->name, text);
	(void)snprintf(s->relay, sizeof(s->relay), "%s[%s]:%u", s->name, text,
	    a->hop.port);
}

/* source - the address we are to connect from; false: any */
static bool
source(const struct smtp_params *p, int family, struct sockaddr_storage *ret,
    socklen_t *ret_len)
{
	struct sockaddr_in	*v4 = (void *)ret;
	struct sockaddr_in6	*v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)family;
	if (family == AF_INET && p->smtp_bind_address.len > 0) {
		*ret_len = sizeof(*v4);
		return inet_pton(AF_INET, p->smtp_bind_address.data,
		    &v4->sin_addr) == 1;
	}
	if (family == AF_INET6 && p->smtp_bind_address6.len > 0) {
		*ret_len = sizeof(*v6);
		return inet_pton(AF_INET6, p->smtp_bind_address6.data,
		    &v6->sin6_addr) == 1;
	}
	return false;
}

/* connect_host - a connection to it; one to a socket of the file system is
 * made by master, since we see no files */
static int
connect_host(struct task *t, struct opening *o, int *ret_fd)
{
	const struct smtp_params	*p = o->a->p;
	const struct smtp_host		*h = o->host;
	struct sockaddr_storage		 from;
	socklen_t			 from_len = 0;
	bool				 bound;

	if (o->a->hop.is_unix)
		return daemon_connect(t, o->a->daemon,
		    arena_text(o->a->arena, o->a->hop.text), ret_fd);
	bound = source(p, h->addr.ss_family, &from, &from_len);
	return io_connect(t, (const struct sockaddr *)&h->addr, h->len,
	    bound ? (struct sockaddr *)&from : NULL, from_len, ret_fd);
}

/* connect_it - the connection */
static int
connect_it(struct task *t, struct opening *o)
{
	const struct smtp_params	*p = o->a->p;
	struct deadline			 d;
	int				 fd = -1, r;

	o->a->reached = SLICE_EMPTY;
	if (p->smtp_loopback_only && !smtp_is_loopback(&o->host->addr)) {
		*o->bad = status_make(450, "4.4.1", "connect to %s: not done, "
		    "smtp_loopback_only = yes", o->s->relay);
		return REFUSED;
	}
	deadline_begin(t, &d, p->smtp_connect_timeout);
	r = connect_host(t, o, &fd);
	r = deadline_end(t, &d, r);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		*o->bad = status_make(450, "4.4.1", "connect to %s: %s%s",
		    o->s->relay, strerror(-r), o->a->hop.is_unix &&
		    r == -EPERM ? " (lmtp_unix_paths does not name it)" : "");
		return REFUSED;
	}
	stream_open(&o->s->stream, task_loop(t), &fd);
	o->a->reached = arena_dup(o->a->arena, slice_of(o->s->relay));
	return 0;
}

/* failed - the conversation broke */
static int
failed(struct opening *o, int error)
{
	if (error == -ECANCELED)
		return error;
	*o->bad = smtp_failure(o->s, error);
	return REFUSED;
}

/* refused - the server does not want us: "host H refused to talk to me" */
static int
refused(struct opening *o, const char *to)
{
	struct status	said;
	struct buf	text = BUF_INIT;

	if (reply_status(&o->s->reply, &said) < 0 || status_is_ok(&said))
		said = status_make(450, "4.5.0", "%u is no answer to this",
		    o->s->reply.code);
	buf_addf(&text, "host %s refused to talk to me: ", o->s->who);
	status_format(&text, &said);
	buf_add_text(&text, to);
	status_set_text(&said, buf_slice(&text));
	if (o->a->p->smtp_skip_5xx_greeting)
		status_set_class(&said, 4);
	*o->bad = said;
	buf_free(&text);
	return REFUSED;
}

/* loops - is it us that we talk to? (RFC 5321 6.3) */
static bool
loops(struct opening *o, struct slice name)
{
	const struct smtp_params *p = o->a->p;

	if (!o->a->hop.detect_loop || (!slice_equal_nocase(name,
	    p->myhostname) && !slice_equal_nocase(name, p->smtp_helo_name)))
		return false;
	*o->bad = status_make(550, "5.4.6", "mail for %.*s loops back to "
	    "myself", SLICE_ARG(o->a->hop.host));
	return true;
}

/* first_word - what a greeting begins with: the host's name */
static struct slice
first_word(const struct smtp_session *s)
{
	struct slice rest = buf_slice(&s->reply.text), word = SLICE_EMPTY;

	(void)slice_next_word(&rest, " \t\n", &word);	/* or it is empty */
	return word;
}

/* greeting - the server speaks first */
static int
greeting(struct task *t, struct opening *o)
{
	struct smtp_session	*s = o->s;
	int			 r;

	r = smtp_hear(t, s, o->a->p->smtp_helo_timeout,
	    "receiving the initial server greeting");
	if (r < 0)
		return failed(o, r);
	if (s->reply.code / 100 != 2)
		return refused(o, "");
	return loops(o, first_word(s)) ? REFUSED : 0;
}

/* hello - one command of the three, and its answer */
static int
hello(struct task *t, struct opening *o, const char *verb)
{
	const struct smtp_params *p = o->a->p;
	struct slice	name = o->s->lmtp ? p->lmtp_lhlo_name :
			    p->smtp_helo_name;
	const char	*stage = o->s->lmtp ?
			    "performing the LHLO handshake" :
			    verb[0] == 'E' ? "performing the EHLO handshake" :
			    "performing the HELO handshake";
	int		 r;

	r = smtp_say(t, o->s, p->smtp_helo_timeout, stage, "%s %.*s", verb,
	    SLICE_ARG(name));
	if (r == 0)
		r = smtp_hear(t, o->s, p->smtp_helo_timeout, stage);
	return r;
}

/* wants_ehlo - is EHLO to be tried at all? */
static bool
wants_ehlo(const struct smtp_attempt *a, const struct smtp_session *s)
{
	return !a->p->smtp_never_send_ehlo && (a->p->smtp_always_send_ehlo ||
	    slice_find_slice(buf_slice(&s->reply.text), S("ESMTP")) !=
	    SLICE_NONE);
}

/* introduce - EHLO, or HELO where that is not known (RFC 5321 4.1.1.1) */
static int
introduce(struct task *t, struct opening *o)
{
	struct smtp_session	*s = o->s;
	int			 r = 0;

	memset(&s->ehlo, 0, sizeof(s->ehlo));
	if (s->lmtp || s->tls || wants_ehlo(o->a, s)) {
		if ((r = hello(t, o, s->lmtp ? "LHLO" : "EHLO")) < 0)
			return failed(o, r);
		if (s->reply.code / 100 == 2) {
			reply_ehlo_parse(&s->reply, &s->ehlo);
			reply_ehlo_discard(&s->ehlo,
			    o->a->p->smtp_discard_ehlo_keywords);
			return loops(o, slice_of(s->ehlo.host)) ? REFUSED : 0;
		}
		if (s->lmtp || s->broken)
			return refused(o, s->lmtp ? " (in reply to LHLO)" :
			    " (in reply to EHLO)");
	}
	if ((r = hello(t, o, "HELO")) < 0)
		return failed(o, r);
	if (s->reply.code / 100 != 2)
		return refused(o, " (in reply to HELO)");
	return loops(o, first_word(s)) ? REFUSED : 0;
}

/* expected - whose certificate verify and secure want to see */
static size_t
expected(const struct opening *o, struct slice names[2], struct arena *a)
{
	if (o->a->p->smtp_tls_security_level == TLS_LEVEL_VERIFY) {
		names[0] = slice_of(o->s->name);
		return 1;
	}
	names[0] = o->a->hop.host;
	names[1] = arena_printf(a, ".%.*s", SLICE_ARG(o->a->hop.host));
	return 2;
}

/* sni - the name to send */
static const char *
sni(const struct opening *o)
{
	struct slice name = o->a->p->smtp_tls_servername;

	if (name.len == 0)
		return NULL;
	if (slice_equal(name, S("hostname")))
		return o->s->name;
	if (slice_equal(name, S("nexthop")))
		return arena_text(o->a->arena, o->a->hop.host);
	return name.data;
}

/* say_tls - the summary of a handshake */
static void
say_tls(const struct opening *o)
{
	struct buf	text = BUF_INIT;

	if (o->a->p->smtp_tls_loglevel == 0)
		return;
	tls_format_summary(&text, o->s->stream.tls);
	log_event(daemon_log(o->a->daemon), EV_SMTP_TLS,
	    KV_TEXT("trust",
	    tls_trust_name(tls_peer_trust(o->s->stream.tls))),
	    KV_TEXT("relay", o->s->relay), KV_STR("tls", buf_slice(&text)));
	buf_free(&text);
}

/* handshake - after 220 in reply to STARTTLS */
static int
handshake(struct task *t, struct opening *o)
{
	struct smtp_session	*s = o->s;
	struct slice		 names[2];
	struct tls_peer		 peer = { .names = names, .sni = sni(o) };
	struct deadline		 d;
	int			 r;

	peer.level = (enum tls_level)o->a->p->smtp_tls_security_level;
	if (peer.level >= TLS_LEVEL_VERIFY)
		peer.name_count = expected(o, names, o->a->arena);
	deadline_begin(t, &d, o->a->p->smtp_starttls_timeout);
	r = stream_start_tls(t, &s->stream, o->a->smtp->tls, &peer);
	r = deadline_end(t, &d, r);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		const char *why = s->stream.tls == NULL ? "" :
		    tls_error_text(s->stream.tls);

		*o->bad = status_make(450, "4.7.5", "Cannot start TLS with %s:"
		    " %s", s->who, r == -EKEYREJECTED ?
		    "Server certificate not trusted or not of that name" :
		    *why != '\0' ? why : strerror(-r));
		o->no_tls = true;
		s->broken = true;
		return REFUSED;
	}
	s->tls = true;
	say_tls(o);
	return 0;
}

/* start_tls - where it is offered, and not where it is not wanted */
static int
start_tls(struct task *t, struct opening *o)
{
	const struct smtp_params	*p = o->a->p;
	struct smtp_session		*s = o->s;
	int				 level = p->smtp_tls_security_level;
	int				 r;

	if (level == TLS_LEVEL_NONE || o->plain || o->a->hop.is_unix)
		return 0;
	if (!reply_ehlo_has(&s->ehlo, REPLY_KEYWORD_STARTTLS)) {
		if (level == TLS_LEVEL_MAY)
			return 0;
		*o->bad = status_make(450, "4.7.4", "TLS is required, but was "
		    "not offered by host %s", s->who);
		return REFUSED;
	}
	r = smtp_say(t, s, p->smtp_starttls_timeout, "sending STARTTLS",
	    "STARTTLS");
	if (r == 0)
		r = smtp_hear(t, s, p->smtp_starttls_timeout,
		    "sending STARTTLS");
	if (r < 0) {
		o->no_tls = r != -ECANCELED;
		return failed(o, r);
	}
	if (s->reply.code != 220) {
		if (level == TLS_LEVEL_MAY && !s->broken)
			return 0;
		*o->bad = status_make(450, "4.7.4", "TLS is required, but "
		    "host %s refused to start TLS", s->who);
		o->no_tls = true;
		return REFUSED;
	}
	r = handshake(t, o);
	return r != 0 ? r : introduce(t, o);
}

/* smtp_session_open - all of it */
int
smtp_session_open(struct task *t, struct smtp_attempt *a,
    const struct smtp_host *host, bool plain, struct smtp_session **ret_session,
    struct status *ret_bad, bool *ret_no_tls)
{
	struct smtp_session	*s = NEW(struct smtp_session);
	struct opening		 o = { a, s, host, ret_bad, plain, false };
	int			 r;

	list_init(&s->link);
	s->smtp = a->smtp;
	s->stream.io.fd = -1;
	s->reply = (struct reply)REPLY_INIT;
	s->lmtp = a->hop.lmtp;
	s->opened = task_now(t);
	s->addr = host->addr;
	name_it(s, a, host);
	if ((r = connect_it(t, &o)) != 0 || (r = greeting(t, &o)) != 0 ||
	    (r = introduce(t, &o)) != 0 || (r = start_tls(t, &o)) != 0)
		goto out;
	*ret_session = s;
	s = NULL;
out:
	*ret_no_tls = o.no_tls && a->p->smtp_tls_security_level == TLS_LEVEL_MAY;
	smtp_session_free(&s);
	return r;
}
