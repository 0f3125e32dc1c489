/* SPDX-License-Identifier: ISC */
/*
 * delays=a/b/c/d are seconds: before the queue manager took the message up; in
 * the queue manager; until the connection stood; for the transfer.
 */
#include "libglobal/delivery_log.h"

#include <stdio.h>

#include "libglobal/delivery_events.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libutil/buf.h"
#include "libutil/log.h"

/* add_seconds - two digits, two decimals at most, as Postfix writes delays;
 * clocks may be set back meanwhile */
static void
add_seconds(struct buf *out, const char *before, double seconds)
{
	struct slice	text;
	char		s[32];

	(void)snprintf(s, sizeof(s), "%.*f", seconds >= 10 ? 0 :
	    seconds >= 1 ? 1 : 2, seconds > 0 ? seconds : 0);
	text = slice_of(s);
	if (slice_find(text, '.') != SLICE_NONE) {
		while (slice_has_suffix(text, S("0")))
			text.len--;
		if (slice_has_suffix(text, S(".")))
			text.len--;
	}
	buf_addf(out, "%s%.*s", before, SLICE_ARG(text));
}

/* delivery_enhanced - what dsn= says */
struct slice
delivery_enhanced(const struct msg_rcpt_result *r)
{
	if (r->enhanced.len > 0)
		return r->enhanced;
	return r->code / 100 == 2 ? S("2.0.0") : r->code / 100 == 5 ?
	    S("5.0.0") : S("4.0.0");
}

/* delivery_log_one - the line */
void
delivery_log_one(const struct log *log, struct slice queue_id,
    const struct msg_rcpt *rcpt, const struct msg_rcpt_result *r,
    const struct delivery_times *times, const char *agent)
{
	/* the times are another process's: any number may come */
	double	arrival = (double)times->arrival;
	double	total = ((double)times->now - arrival) / 1e6;
	double	before = ((double)times->queued - arrival) / 1e6;
	double	connect = times->connect_ms / 1e3;
	double	transfer = times->transfer_ms / 1e3;
	struct buf delay = BUF_INIT, delays = BUF_INIT;
	const struct event *ev = r->code / 100 == 2 ? EV_DELIVERY_SENT :
	    r->code / 100 == 5 ? EV_DELIVERY_BOUNCED : EV_DELIVERY_DEFERRED;

	add_seconds(&delay, "", total);
	add_seconds(&delays, "", before);
	add_seconds(&delays, "/", total - before - connect - transfer);
	add_seconds(&delays, "/", connect);
	add_seconds(&delays, "/", transfer);
	log_event(log, ev, KV_STR("queue_id", queue_id),
	    KV_TEXT(LOG_AGENT, agent), KV_STR("to", rcpt->address),
	    KV_IF(!slice_equal_nocase(rcpt->address, rcpt->original),
	    KV_OPT("orig_to", rcpt->original)),
	    KV_STR("relay", r->relay.len == 0 ? S("none") : r->relay),
	    KV_STR("delay", buf_slice(&delay)),
	    KV_STR("delays", buf_slice(&delays)),
	    KV_STR("dsn", delivery_enhanced(r)), KV_STR("text", r->text));
	buf_free(&delay);
	buf_free(&delays);
}

/* delivery_log_answer - all recipients of an attempt */
void
delivery_log_answer(const struct log *log, int64_t now,
    const struct msg_delivery_ask *ask, const struct msg_envelope *e,
    const struct msg_delivery_result *m)
{
	struct delivery_times times = { now, e->arrival, ask->queued,
	    m->connect_ms, m->transfer_ms };

	for (size_t i = 0; i < m->rcpts.n && i < e->rcpts.n; i++)
		delivery_log_one(log, e->queue_id, &e->rcpts.v[i],
		    &m->rcpts.v[i], &times, NULL);
}
