/* SPDX-License-Identifier: ISC */
/*
 * One client from greeting to goodbye. Whoever speaks before the greeting, or
 * sends a command behind one whose answer it must see, is sent away: such
 * clients are spam senders, or cross-protocol attacks.
 */
#include <stdlib.h>
#include <string.h>

#include "libtask/loop.h"
#include "libtask/peer.h"
#include "libutil/alloc.h"
#include "libutil/hash.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define GOODBYE_LIMIT	2000	/* ms to say 421 and close */

/* counts - "ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4" */
static void
counts(const struct smtpd_client *c, struct buf *out)
{
	uint32_t given = 0, accepted = 0;

	for (size_t v = 0; v < SMTP_VERB_COUNT; v++) {
		if (c->given[v] == 0)
			continue;
		given += c->given[v];
		accepted += c->accepted[v];
		if (v == SMTP_VERB_NONE)
			buf_add_text(out, "unknown");
		else
			for (const char *p = smtp_verb_name(v); *p != '\0'; p++)
				buf_add_byte(out, ascii_lower(*p));
		if (c->accepted[v] == c->given[v])
			buf_addf(out, "=%u ", c->given[v]);
		else
			buf_addf(out, "=%u/%u ", c->accepted[v], c->given[v]);
	}
	if (given == accepted)
		buf_addf(out, "commands=%u", given);
	else
		buf_addf(out, "commands=%u/%u", accepted, given);
}

/* count_address - one more connection of the address; false over the limit */
static bool
count_address(struct smtpd_client *c)
{
	struct hash	*h = &c->smtpd->addresses;
	struct slice	 key = slice_of(c->address);
	int64_t		 limit = c->p->smtpd_client_connection_count_limit;
	uintptr_t	 n = (uintptr_t)hash_get(h, key) + 1;

	(void)hash_put(h, key, (void *)n);	/* the count is the pointer */
	c->counted = true;
	return limit == 0 || n <= (uintptr_t)limit ||
	    peer_is_loopback(c->address);
}

static void
uncount_address(struct smtpd_client *c)
{
	struct hash	*h = &c->smtpd->addresses;
	struct slice	 key = slice_of(c->address);
	uintptr_t	 n = (uintptr_t)hash_get(h, key);

	if (!c->counted)
		return;
	if (n <= 1)
		(void)hash_remove(h, key);	/* the pointer is a count */
	else
		(void)hash_put(h, key, (void *)(n - 1));
}

/* no_lmtp - it is none of those who may hand over mail this way */
static int
no_lmtp(struct task *t, struct smtpd_client *c)
{
	struct status bad = status_make(554, "5.7.1",
	    "%.*s LMTP is for this host and mynetworks",
	    SLICE_ARG(c->p->myhostname));

	c->quit = true;
	return smtpd_refuse(t, c, "CONNECT", SLICE_EMPTY, &bad);
}

/* greet - the first line, unless the client is refused */
static int
greet(struct task *t, struct smtpd_client *c)
{
	int r;

	if (c->lmtp && (r = lmtp_may_speak(t, c)) <= 0)
		return r < 0 ? r : no_lmtp(t, c);
	if (!count_address(c)) {
		c->quit = true;
		return smtpd_reply(t, c, 421, "4.7.0 %.*s Error: too many "
		    "connections from %s", SLICE_ARG(c->p->myhostname),
		    c->address);
	}
	if (c->p->smtpd_tls_wrappermode && (r = smtpd_start_tls(t, c)) < 0)
		return r;
	return smtpd_reply(t, c, 220, "%.*s", SLICE_ARG(c->lmtp ?
	    c->p->smtpd_lmtp_banner : c->p->smtpd_banner));
}

/* read_command - the next line, within smtpd_timeout */
static int
read_command(struct task *t, struct smtpd_client *c, struct slice *ret_line)
{
	struct deadline	idle;
	bool		heard = c->unheard.count > 0 &&
			    unheard_needs_input(c);
	int		r;

	deadline_begin(t, &idle, c->p->smtpd_timeout);
	r = stream_read_line(t, &c->stream, c->p->line_length_limit, ret_line);
	r = deadline_end(t, &idle, r);
	if (heard && r == 0)
		unheard_clear(c);
	return r;
}

/* too_many_errors - has the client used up our patience? */
static bool
too_many_errors(struct task *t, struct smtpd_client *c)
{
	if (c->errors < (uint64_t)c->p->smtpd_hard_error_limit)
		return false;
	log_event(&c->log, EV_SMTPD_ERRORS, KV_TEXT("after", c->after));
	ignore(smtpd_reply(t, c, 421, "4.7.0 %.*s Error: too many errors",
	    SLICE_ARG(c->p->myhostname)));	/* it may be gone */
	return true;
}

/* serve - commands until it quits or fails */
static int
serve(struct task *t, struct smtpd_client *c)
{
	struct slice	line;
	int		r = greet(t, c);

	while (r == 0 && !c->quit) {
		if (daemon_is_stopping(c->daemon) && c->state <= IN_GREETED &&
		    stream_buffered(&c->stream).len == 0) {
			ignore(smtpd_reply(t, c, 421, "4.3.2 %.*s is "
			    "restarting", SLICE_ARG(c->p->myhostname)));
			break;
		}
		r = read_command(t, c, &line);
		if (r == 0)
			r = smtpd_command(t, c, line);
		else if (r == -EMSGSIZE) {
			c->errors++;
			r = smtpd_reply(t, c, 500, "5.5.2 Line too long");
		}
		if (r == 0 && too_many_errors(t, c))
			break;
	}
	return r;
}

/* farewell - say what there is to say, and write it out */
static void
farewell(struct task *t, struct smtpd_client *c, int r)
{
	struct deadline	last;

	shield_begin(t, &last, GOODBYE_LIMIT);
	if (r == -ETIMEDOUT) {
		log_event(&c->log, EV_SMTPD_TIMEOUT, KV_TEXT("after", c->after));
		ignore(smtpd_reply(t, c, 421, "4.4.2 %.*s Error: timeout "
		    "exceeded", SLICE_ARG(c->p->myhostname)));
	} else if (r == -ECANCELED) {
		ignore(smtpd_reply(t, c, 421, "4.3.2 %.*s is shutting down",
		    SLICE_ARG(c->p->myhostname)));
	} else if (r < 0 && r != -EPROTO) {
		log_event(&c->log, EV_SMTPD_LOST, KV_TEXT("after", c->after));
	}
	if (r == 0 || r == -ETIMEDOUT || r == -ECANCELED)
		ignore(stream_flush(t, &c->stream));	/* it may be gone */
	ignore(shield_end(t, &last, 0));
}

/* session - all of it, once the client is known */
static void
session(struct task *t, struct smtpd_client *c,
    const struct sockaddr_storage *peer)
{
	struct buf	said = BUF_INIT;
	int		r;

	c->session = session_id_make(&c->smtpd->ids,
	    (uint64_t)task_wall(t) / 1000000,
	    (uint32_t)(task_wall(t) % 1000000));
	log_init(&c->log, daemon_log(c->daemon));
	log_set(&c->log, KV_TEXT("session", c->session.text));
	if ((r = smtpd_identify(t, c, peer)) == 0) {
		log_set(&c->log, KV_TEXT("client", c->who));
		log_event(&c->log, EV_SMTPD_CONNECT);
		r = serve(t, c);
		farewell(t, c, r);
		unheard_tell(t, c);
		counts(c, &said);
		log_event(&c->log, EV_SMTPD_DISCONNECT,
		    KV_STR("counts", buf_slice(&said)));
	}
	buf_free(&said);
	txn_reset(c);
	uncount_address(c);
}

/* smtpd_client - serve one client */
int
smtpd_client(struct task *t, struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct smtpd_client	*c = NEW(struct smtpd_client);
	struct slice		 where = slice_of(listener);

	c->smtpd = daemon_data(d);
	c->daemon = d;
	c->p = daemon_params(d);
	c->state = IN_START;
	c->after = "CONNECT";
	c->lmtp = c->p->smtpd_protocol == 1;
	/* the words of delivery_mode: "" follows the port */
	c->through = c->lmtp || c->p->delivery_mode == 1 || (c->p->delivery_mode == 0 &&
	    !c->p->smtpd_sasl_auth_enable && slice_has_suffix(where, S(":25")));
	stream_open(&c->stream, daemon_loop(d), fd_take);
	session(t, c, peer);
	stream_close(&c->stream);
	arena_free(&c->txn.arena);
	free(c);
	return 0;
}
