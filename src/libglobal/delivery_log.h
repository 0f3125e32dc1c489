/* SPDX-License-Identifier: ISC */
/*
 * delivery_log: the line of the log that says what became of a recipient. The
 * agent that tried it writes the line, under its own name, as log tools
 * expect; qmgr does for recipients that no agent was asked for. It owns
 * nothing.
 */
#ifndef LIBGLOBAL_DELIVERY_LOG_H
#define LIBGLOBAL_DELIVERY_LOG_H

#include "libutil/slice.h"

struct log;
struct msg_delivery_ask;
struct msg_delivery_result;
struct msg_envelope;
struct msg_rcpt;
struct msg_rcpt_result;

/* the points in time that delay= and delays= are made of */
struct delivery_times {
	int64_t		now;		/* us since 1970 */
	int64_t		arrival;
	int64_t		queued;		/* when it became active */
	uint32_t	connect_ms;
	uint32_t	transfer_ms;
};

/* an agent's answer: a line for each recipient, which must stand in it in the
 * order of the envelope */
void	delivery_log_answer(const struct log *log, int64_t now,
	    const struct msg_delivery_ask *ask, const struct msg_envelope *e,
	    const struct msg_delivery_result *m);
/* one recipient; agent: under whose name qmgr writes it, NULL: our own */
void	delivery_log_one(const struct log *log, struct slice queue_id,
	    const struct msg_rcpt *rcpt, const struct msg_rcpt_result *r,
	    const struct delivery_times *times, const char *agent);
/* its enhanced status code; a general one of the class if it has none */
struct slice	delivery_enhanced(const struct msg_rcpt_result *r);

#endif
