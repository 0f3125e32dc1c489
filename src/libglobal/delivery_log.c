/* SPDX-License-Identifier: ISC */
/*
 * delays=a/b/c/d are seconds: before the queue manager took the message up; in
 * the queue manager; until the connection stood; for the transfer.
 */
#include "libglobal/delivery_log.h"

#include "libglobal/delivery_events.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libutil/buf.h"
#include "libutil/log.h"

/* add_seconds - two digits, two decimals at most, as Postfix writes delays;
 * clocks may be set back meanwhile */
static void
add_seconds(struct buf *out, double seconds)
{
	double		unit = seconds >= 10 ? 1 : seconds >= 1 ? 10 : 100;
	uint64_t	n = seconds > 0 ? (uint64_t)(seconds * unit + 0.5) : 0;
	unsigned	places = seconds >= 10 ? 0 : seconds >= 1 ? 1 : 2;
	uint64_t	scale = (uint64_t)unit;

	buf_add_u64(out, n / scale);
	if ((n %= scale) == 0)
		return;
	buf_add_byte(out, '.');
	while (n > 0 && places-- > 0) {
		scale /= 10;
		buf_add_byte(out, (char)('0' + n / scale));
		n %= scale;
	}
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
	double	parts[] = { total - before - connect - transfer, connect,
		    transfer };
	struct buf delay = BUF_INIT, delays = BUF_INIT;
	const struct event *ev = r->code / 100 == 2 ? EV_DELIVERY_SENT :
	    r->code / 100 == 5 ? EV_DELIVERY_BOUNCED : EV_DELIVERY_DEFERRED;

	add_seconds(&delay, total);
	add_seconds(&delays, before);
	for (size_t i = 0; i < COUNT(parts); i++) {
		buf_add_byte(&delays, '/');
		add_seconds(&delays, parts[i]);
	}
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
