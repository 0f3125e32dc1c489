/* SPDX-License-Identifier: ISC */
/*
 * The life of a client: greeting, commands, then awake and asleep in turn.
 * What the session says is relayed as it is; the front itself speaks again
 * only when the session cannot: when it was lost, or sleeps.
 */
#include "imapd/front_client.h"

#include <stdio.h>
#include <stdlib.h>

#include "imapd/imapd_events.h"
#include "libtask/loop.h"
#include "libtask/peer.h"
#include "libutil/alloc.h"

#define GOODBYE_LIMIT	2000	/* ms to say BYE and close */

/* front_may_login - may a password be sent on this connection? */
bool
front_may_login(const struct front *f)
{
	/* the words of imapd_plaintext_login */
	return f->tls || f->p->imapd_plaintext_login == 2 ||
	    (f->p->imapd_plaintext_login == 0 && peer_is_loopback(f->address));
}

/* front_say - one line */
int
front_say(struct task *t, struct front *f, const char *format, ...)
{
	struct buf	b = BUF_INIT;
	va_list		ap;
	int		r;

	va_start(ap, format);
	buf_vaddf(&b, format, ap);
	va_end(ap);
	buf_add_text(&b, "\r\n");
	r = stream_write(t, &f->stream, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* --- counting addresses; the count is the pointer */

/* count_address - one more; false over the limit */
static bool
count_address(struct front *f)
{
	struct hash	*h = &f->imapd->addresses;
	struct slice	 key = slice_of(f->address);
	int64_t		 limit = f->p->imapd_client_connection_count_limit;
	uintptr_t	 n = (uintptr_t)hash_get(h, key) + 1;

	(void)hash_put(h, key, (void *)n);	/* the count before */
	f->counted = true;
	return limit == 0 || n <= (uintptr_t)limit || peer_is_loopback(f->address);
}

/* uncount_address - one fewer */
static void
uncount_address(struct front *f)
{
	struct hash	*h = &f->imapd->addresses;
	struct slice	 key = slice_of(f->address);
	uintptr_t	 n = (uintptr_t)hash_get(h, key);

	if (!f->counted)
		return;
	if (n <= 1)
		(void)hash_remove(h, key);	/* that one count */
	else
		(void)hash_put(h, key, (void *)(n - 1)); /* the same */
}

/* --- its life */

/* turn_away - who would be one too many */
static int
turn_away(struct task *t, struct front *f)
{
	size_t	count = daemon_clients(f->daemon);
	size_t	limit = (size_t)f->p->imapd_client_limit;

	f->imapd->most = size_max(f->imapd->most, count);
	if (f->imapd->client_max > 0)
		limit = size_min(limit, f->imapd->client_max);
	f->quit = true;
	if (count > limit) {
		log_event(&f->log, EV_IMAPD_FULL, KV_UINT("count", count));
		return front_say(t, f, "* BYE [UNAVAILABLE] Too many "
		    "connections");
	}
	if (!count_address(f)) {
		log_event(&f->log, EV_IMAPD_TOO_MANY);
		return front_say(t, f, "* BYE [LIMIT] Too many connections "
		    "from your address");
	}
	f->quit = false;
	return 0;
}

/* greet - TLS where it comes first, then the greeting */
static int
greet(struct task *t, struct front *f)
{
	struct buf	caps = BUF_INIT;
	int		r;

	if ((r = turn_away(t, f)) < 0 || f->quit)
		return r;
	if ((r = front_prepare_tls(t, f)) < 0)
		return r;
	if (f->p->imapd_tls_wrappermode && (r = front_start_tls(t, f)) < 0)
		return r;
	front_format_capabilities(f, &caps);
	r = front_say(t, f, "* OK [%.*s] %.*s", SLICE_ARG(buf_slice(&caps)),
	    SLICE_ARG(f->p->imapd_banner));
	buf_free(&caps);
	return r;
}

/* lost - the session broke: the client shall come again. Its process may have
 * had no time to tell stored that it had begun: one that had not is kept there */
static int
lost(struct task *t, struct front *f)
{
	front_forget(f);
	log_event(&f->log, EV_IMAPD_LOST_SESSION, KV_TEXT("user", f->login),
	    KV_TEXT("why", f->why));
	return front_say(t, f, "* BYE [UNAVAILABLE] The session was lost; "
	    "please connect again");
}

/* logged_in - awake and asleep in turn, until it is over */
static int
logged_in(struct task *t, struct front *f, int *channel)
{
	enum front_end	end;
	int		r = 0;

	while (r == 0 && *channel >= 0) {
		if ((r = front_relay(t, f, channel, &end)) < 0)
			break;
		if (end == FRONT_ASLEEP)
			r = front_asleep(t, f, channel);
		else if (end == FRONT_NEVER_BEGAN)
			r = front_try_again(t, f, channel);
		else if (end == FRONT_BUSY)
			r = front_take_turns(t, f, channel);
		else if (end == FRONT_LOST)
			r = lost(t, f);
	}
	fd_close(channel);
	return r;
}

/* serve - all of it */
static int
serve(struct task *t, struct front *f)
{
	struct deadline	d;
	int		channel = -1, r;

	deadline_begin(t, &d, f->p->imapd_login_timeout);
	r = greet(t, f);
	if (r == 0 && !f->quit)
		r = front_commands(t, f, &channel);
	r = deadline_end(t, &d, r);
	if (r == 0 && channel >= 0)
		r = logged_in(t, f, &channel);
	fd_close(&channel);
	return r;
}

/* farewell - say what there is to say, and write it out */
static void
farewell(struct task *t, struct front *f, int r)
{
	struct deadline d;

	shield_begin(t, &d, GOODBYE_LIMIT);
	if (r == -ETIMEDOUT) {
		f->why = "timeout";
		ignore(front_say(t, f, "* BYE Disconnected for inactivity"));
	} else if (r == -ECANCELED) {
		f->why = "shutdown";
		ignore(front_say(t, f, "* BYE The server is shutting down"));
	} else if (r < 0 && f->why == NULL) {
		f->why = r == -ENODATA ? "connection closed" :
		    r == -EPROTO ? "TLS failed" : "connection lost";
	}
	/* one that says no more may still wait for an answer */
	if (r == 0 || r == -ETIMEDOUT || r == -ECANCELED || r == -ENODATA)
		ignore(stream_shutdown(t, &f->stream));	/* it may be gone */
	ignore(shield_end(t, &d, 0));
}

/* front_client - serve one client */
int
front_client(struct task *t, struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct front	*f = NEW(struct front);
	int64_t		 now = task_wall(t);
	int		 r;

	(void)listener;
	f->imapd = daemon_data(d);
	f->daemon = d;
	f->p = daemon_params(d);
	f->spoke = task_now(t);
	list_add_tail(&f->imapd->clients, &f->link);
	stream_open(&f->stream, daemon_loop(d), fd_take);
	peer_address(peer, f->address, sizeof(f->address));
	f->session = session_id_make(&f->imapd->ids, (uint64_t)now / 1000000,
	    (uint32_t)(now % 1000000));
	log_init(&f->log, daemon_log(d));
	log_set(&f->log, KV_TEXT("session", f->session.text));
	log_set(&f->log, KV_TEXT("client", f->address));
	log_event(&f->log, EV_IMAPD_CONNECT);
	r = serve(t, f);
	farewell(t, f, r);
	log_event(&f->log, EV_IMAPD_DISCONNECT, KV_TEXT("user", f->login),
	    KV_UINT("in", f->stream.bytes_in),
	    KV_UINT("out", f->stream.bytes_out), KV_TEXT("why", f->why));
	front_drop_handle(f);
	uncount_address(f);
	list_remove(&f->link);
	stream_close(&f->stream);
	free(f->login);
	free(f);
	return 0;
}
